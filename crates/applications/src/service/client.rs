//! Programs that prove themselves: clients at the token endpoint and its neighbours, and the keys of `DPoP`.

use std::sync::Arc;

use naru_kernel::Timestamp;
use naru_runtime::{Client, Peer};
use naru_sso::{
    jose::{self, PublicKeys},
    oidc::{
        Code, Params, Refusal as Wrong,
        assertion::{self, Shown},
        dpop::{self, Proof},
    },
};
use x509_cert::der::Decode as _;

use super::{Applications, authorize::OidcClient, random};
use crate::{Error, model::ClientProof, store};

/// What came with a request of a program, besides its form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presented {
    /// The `Authorization` header.
    pub(crate) authorization: Option<String>,
    /// The `DPoP` header; `Err` when there was more than one.
    pub(crate) proof: Option<Result<String, ()>>,
    /// The path it came to.
    pub(crate) path: &'static str,
    /// Its method.
    pub(crate) method: &'static str,
    /// By which connection.
    pub(crate) peer: Option<Peer>,
}

/// What a program is told when it is refused.
#[derive(Debug)]
pub(crate) enum Fault {
    /// What the standards say.
    Wrong(Wrong),
    /// A failure of ours.
    Error(Error),
}

impl From<Wrong> for Fault {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<naru_store::Error> for Fault {
    fn from(error: naru_store::Error) -> Self {
        Self::Error(error.into())
    }
}

const REFUSED: Wrong = Wrong::new(Code::InvalidClient, "the client could not be authenticated");

impl Applications {
    /// The client that asks, proven; a refusal of a known one is recorded.
    pub(crate) async fn authenticate_client(
        &self,
        presented: &Presented,
        form: &Params,
        client: &Client,
    ) -> Result<OidcClient, Fault> {
        let claimed = assertion::claimed(presented.authorization.as_deref(), form)?;
        let Some(known) = self.oidc_client(&claimed.client_id).await? else {
            metrics::counter!("naru_sso_refused_total", "why" => "unknown-client").increment(1);
            return Err(REFUSED.into());
        };
        match self.prove(&known, &claimed.shown, presented).await {
            Ok(()) => Ok(known),
            Err(Fault::Wrong(wrong)) => {
                self.record_wrong(
                    "applications.authenticate-client",
                    &known.application,
                    wrong,
                    client,
                )
                .await?;
                Err(wrong.into())
            }
            Err(error) => Err(error),
        }
    }

    async fn prove(&self, known: &OidcClient, shown: &Shown, presented: &Presented) -> Result<(), Fault> {
        let settings = &known.settings;
        match (settings.client_proof, shown) {
            (ClientProof::None, Shown::Nothing) => Ok(()),
            (ClientProof::ClientSecretBasic, Shown::Basic(secret))
            | (ClientProof::ClientSecretPost, Shown::Post(secret)) => {
                let kept = known.application.secret_sha256.as_deref().ok_or(REFUSED)?;
                if assertion::is_secret(secret, kept) {
                    Ok(())
                } else {
                    Err(REFUSED.into())
                }
            }
            (ClientProof::PrivateKeyJwt, Shown::Assertion(assertion)) => {
                let keys = settings.keys.as_ref().ok_or(REFUSED)?.to_string();
                let keys = PublicKeys::parse(keys.as_bytes()).map_err(|_| REFUSED)?;
                let issuer = self.config().issuer();
                let (endpoint, token) = (
                    format!("{issuer}{}", presented.path),
                    format!("{issuer}/sso/token"),
                );
                let audiences = [issuer, &endpoint, &token];
                let client_id = known.client_id();
                let (number, until) = assertion::check(assertion, &client_id, &keys, &audiences, self.now())?;
                if self
                    .remember(&format!("assertion {client_id} {number}"), until)
                    .await?
                {
                    Ok(())
                } else {
                    Err(Wrong::new(Code::InvalidClient, "the assertion was used before").into())
                }
            }
            (ClientProof::TlsClientAuth, Shown::Nothing) => {
                if shows_certificate(known, presented.peer.as_ref()) {
                    Ok(())
                } else {
                    Err(REFUSED.into())
                }
            }
            _ => Err(REFUSED.into()),
        }
    }

    /// Remembers what is good once; `false` if it was used before. Only ever called with what carries a valid signature of a
    /// known client or comes with a valid token: strangers cannot fill the table.
    pub(crate) async fn remember(&self, what: &str, until: Timestamp) -> Result<bool, Error> {
        let hash = random::hash(what);
        self.parts
            .db
            .housekeep("applications.remember-proof", move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::tokens::remember(tx, hash, until).await?) })
            })
            .await
    }

    /// The proof of possession that came with a request, checked but for its number.
    pub(crate) fn proof(&self, presented: &Presented, token: Option<&str>) -> Result<Option<Proof>, Wrong> {
        let text = match &presented.proof {
            None => return Ok(None),
            Some(Ok(text)) => text,
            Some(Err(())) => return Err(Wrong::new(Code::InvalidDpopProof, "there is more than one proof")),
        };
        let address = format!("{}{}", self.config().issuer(), presented.path);
        let request = dpop::Request {
            method: presented.method,
            address: &address,
            token,
            now: self.now(),
        };
        dpop::check(text, request).map(Some)
    }
}

/// Whether the connection's certificate is the client's: by fingerprint, or by subject where the chain was checked (a
/// self-made certificate can carry any subject).
fn shows_certificate(known: &OidcClient, peer: Option<&Peer>) -> bool {
    let certificates: Arc<[_]> = match peer {
        Some(peer) => Arc::clone(&peer.certificates),
        None => return false,
    };
    let Some(own) = certificates.first() else {
        return false;
    };
    if let Some(fingerprint) = &known.settings.certificate_sha256 {
        let shown = hex::encode(jose::sha256(own));
        if !jose::same(shown.as_bytes(), fingerprint.to_ascii_lowercase().as_bytes()) {
            return false;
        }
    } else {
        // Without a fingerprint nothing vouches for the subject here.
        return false;
    }
    known.settings.certificate_subject.as_ref().is_none_or(|subject| {
        x509_cert::Certificate::from_der(own)
            .is_ok_and(|certificate| certificate.tbs_certificate().subject().to_string() == *subject)
    })
}
