//! Becoming part of the fleet, once per one-time token.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use naru_kernel::{
    Action, Actor, HostId, Id, Scope, Seconds, Timestamp,
    fleet::{EnrolAnswer, EnrolRequest, NodeRole},
};
use naru_store::{Act, By, Tx};

use super::{
    Desktops,
    address::{Place, checked},
    settle,
};
use crate::{
    EnrolmentToken, Error, NodeCertificateRequest, NodeState,
    store::{self, nodes::NewToken, nodes::Node},
};

/// How long a token is good.
const TOKEN_MINUTES: i64 = 60;
/// Tokens that wait for their node at one time.
const TOKENS_MAX: i64 = 1_000;
/// Base64 characters of 32 random bytes.
const SECRET_CHARACTERS: usize = 43;
/// The longest name of a node, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

impl Desktops {
    /// Makes a token for one node.
    ///
    /// # Errors
    /// When the actor is no operator, or the name is unusable.
    pub async fn make_token(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        role: NodeRole,
        name: String,
    ) -> Result<EnrolmentToken, Error> {
        actor.may(Action::ManageHosts, Scope::Platform)?;
        let act = self.act(
            actor,
            address,
            "desktops.make-enrolment-token",
            name.clone(),
            None,
        );
        self.token(act, role, name).await
    }

    /// Makes a token for one node, from the command line or at the platform's own start.
    ///
    /// # Errors
    /// When the name is unusable, or the store fails.
    pub async fn make_token_as_platform(
        self: &Arc<Self>,
        role: NodeRole,
        name: &str,
    ) -> Result<EnrolmentToken, Error> {
        let act = Act {
            at: self.now(),
            action: "desktops.make-enrolment-token",
            by: By::Platform("desktops"),
            ministry: None,
            subject: name.to_owned(),
            address: None,
        };
        self.token(act, role, name.to_owned()).await
    }

    async fn token(&self, act: Act, role: NodeRole, name: String) -> Result<EnrolmentToken, Error> {
        check_name(&name)?;
        let mut secret = [0; 32];
        self.parts.entropy.fill(&mut secret);
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let row = NewToken {
            secret_sha256: sha256(&secret),
            role,
            name,
            created_at: act.at,
            expires_at: act.at + Seconds::minutes(TOKEN_MINUTES),
        };
        let expires_at = row.expires_at;
        let made = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                tx.note("role", role.as_str());
                let added = add_token(tx, row).await;
                settle(tx, added)
            })
        });
        made.await??;
        let token = format!("{secret}.{}", self.parts.certificates.authority_sha256());
        let program = match role {
            NodeRole::Host => "naru agent host",
            NodeRole::Gateway => "naru gateway",
        };
        let portal = &self.parts.config.fleet_address;
        let command = format!("{program} --portal {portal} --token {token}");
        Ok(EnrolmentToken {
            token,
            expires_at,
            command,
        })
    }

    /// A node shows its token and becomes part of the fleet; every enrolment makes a new node.
    ///
    /// # Errors
    /// When the token is unknown, used or expired, or what the node says of itself is unusable.
    pub async fn enrol(self: &Arc<Self>, address: &str, request: EnrolRequest) -> Result<EnrolAnswer, Error> {
        let secret = secret_of(&request.token).ok_or(Error::TokenRefused)?;
        let secret_sha256 = sha256(secret);
        let place = checked(&request)?;
        self.zone(&request.zone)?;
        let now = self.now();
        let act = Act {
            at: now,
            action: "desktops.enrol-node",
            by: By::Anyone,
            ministry: None,
            subject: request.role.as_str().to_owned(),
            address: Some(address.to_owned()).filter(|address| !address.is_empty()),
        };
        let this = Arc::clone(self);
        let enrolled = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                let name = store::nodes::take_token(tx, &secret_sha256, request.role, now).await?;
                let enrolled = match name {
                    Some(name) => this.enrol_in(tx, request, name, place, now).await?,
                    None => return settle(tx, Err(Error::TokenRefused)),
                };
                Ok(Ok(enrolled))
            })
        });
        enrolled.await?
    }

    async fn enrol_in(
        &self,
        tx: &mut Tx,
        request: EnrolRequest,
        name: String,
        place: Place,
        now: Timestamp,
    ) -> Result<EnrolAnswer, Error> {
        let id: HostId = Id::new(now, &*self.parts.entropy);
        let certificate = self.parts.certificates.issue(NodeCertificateRequest {
            request_pem: &request.certificate_request_pem,
            role: request.role,
            node: id,
            server_name: &place.server_name,
        })?;
        let node = Node {
            id,
            role: request.role,
            name,
            address: place.address,
            zone: request.zone,
            protocols: place.protocols,
            certificate_sha256: certificate.sha256,
            state: NodeState::Ready,
            boot: String::new(),
            load: None,
            relays: 0,
            last_seen_at: None,
        };
        store::nodes::add(tx, &node, now).await?;
        tx.about(id);
        tx.by(By::Node(id), None);
        tx.note("name", node.name);
        tx.note("address", node.address);
        tx.note("zone", node.zone.as_str());
        tx.note("certificate_sha256", node.certificate_sha256);
        Ok(EnrolAnswer {
            node: id,
            certificate_pem: certificate.certificate_pem,
            authority_pem: certificate.authority_pem,
        })
    }
}

async fn add_token(tx: &mut Tx, row: NewToken) -> Result<(), Error> {
    if store::nodes::count_tokens(tx, row.created_at).await? >= TOKENS_MAX {
        return Err(Error::Field {
            field: "name",
            why: "too many tokens are waiting for their nodes",
        });
    }
    Ok(store::nodes::add_token(tx, row).await?)
}

fn check_name(name: &str) -> Result<(), Error> {
    let count = name.chars().count();
    if (1..=NAME_CHARACTERS_MAX).contains(&count)
        && !name.chars().any(char::is_control)
        && name.trim() == name
    {
        Ok(())
    } else {
        Err(Error::Field {
            field: "name",
            why: "1 to 64 characters, none of them control characters",
        })
    }
}

/// The secret half of a token's text; `None` when it is not of that form.
fn secret_of(token: &str) -> Option<&str> {
    let (secret, authority) = token.split_once('.')?;
    let is_secret = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let fits = secret.len() == SECRET_CHARACTERS
        && secret.bytes().all(is_secret)
        && authority.len() == 64
        && authority.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then_some(secret)
}

fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_two_halves() {
        let token = format!("{}.{}", "a".repeat(43), "0".repeat(64));
        assert_eq!(secret_of(&token), Some("a".repeat(43).as_str()));
        assert_eq!(secret_of(&token.replace('a', "")), None);
        assert_eq!(secret_of(&"a".repeat(108)), None);
    }
}
