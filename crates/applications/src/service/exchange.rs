//! Tokens narrowed to another application (RFC 8693), for desktops.

use naru_kernel::Actor;
use naru_runtime::Client;
use naru_sso::oidc::{
    Code, Refusal as Wrong,
    dpop::Proof,
    scope::{OFFLINE_ACCESS, Scopes},
    token::ACCESS_TOKEN,
};

use super::{
    Applications,
    authorize::OidcClient,
    client::Fault,
    grant::Writing,
    random,
    token::{ACCESS_LIFE, TokenAnswer, token_type},
    userinfo::is_good,
};
use crate::{
    Error,
    model::{GrantType, TokenKind},
    store::{self, grants::GrantRow, tokens::NewToken},
};

impl Applications {
    /// Narrows a token of the client's own to another application of the same ministry, in the same session and for no
    /// longer. No wider scope, no refresh token.
    pub(crate) async fn exchange(
        &self,
        known: &OidcClient,
        (token, audience, scope): (&str, &str, Option<&str>),
        proof: Option<Proof>,
        client: &Client,
    ) -> Result<TokenAnswer, Fault> {
        if !known.settings.may(GrantType::TokenExchange) || known.settings.is_public() {
            return Err(Wrong::new(Code::UnauthorizedClient, "this client exchanges no tokens").into());
        }
        let now = self.now();
        let row = store::tokens::find(&self.parts.db, random::hash(token)).await?;
        let row = row.filter(|row| {
            is_good(row, TokenKind::Access, now) && row.grant.application == known.application.id
        });
        // RFC 8693 2.2.2: whatever is wrong with the subject token is invalid_request.
        let row = row.ok_or(Wrong::new(Code::InvalidRequest, "subject_token is not good"))?;
        if row.key_thumbprint.is_some()
            && proof.as_ref().map(|proof| &proof.thumbprint) != row.key_thumbprint.as_ref()
        {
            return Err(Wrong::new(Code::InvalidDpopProof, "the proof is of another key").into());
        }
        let target = self.oidc_client(audience).await?;
        let target = target.filter(|target| {
            target.application.ministry == known.application.ministry
                && target.application.id != known.application.id
        });
        let target = target.ok_or(Wrong::new(
            Code::InvalidTarget,
            "no token can be had for this audience",
        ))?;
        let had = Scopes::of(row.scopes.split(' ')).without(OFFLINE_ACCESS);
        let asked = scope.map(Scopes::parse).transpose()?;
        if asked.as_ref().is_some_and(|asked| !asked.is_within(&had)) {
            return Err(Wrong::new(Code::InvalidScope, "the scope is wider than the token's").into());
        }
        let scopes = asked.unwrap_or(had).narrowed_to(&target.allowed());
        if scopes.is_empty() {
            return Err(Wrong::new(Code::InvalidScope, "nothing is left of the scope").into());
        }
        let grant = &row.grant;
        let actor = self.actor_of(grant).await?;
        let asker = match self.asker(&actor).await {
            Ok(asker) => asker,
            Err(Error::Refused(_)) => {
                return Err(Wrong::new(Code::InvalidRequest, "the session is over").into());
            }
            Err(error) => return Err(error.into()),
        };
        match self.allowed(&asker, &target, client).await {
            Ok(()) => {}
            Err(Error::Refused(_)) => {
                let why = "the rules do not let the person open this application";
                return Err(Wrong::new(Code::InvalidTarget, why).into());
            }
            Err(error) => return Err(error.into()),
        }
        if let Some(proof) = &proof
            && !self
                .remember(&format!("proof {}", proof.number), proof.remember_until)
                .await?
        {
            return Err(Wrong::new(Code::InvalidDpopProof, "the proof was used before").into());
        }
        let mut narrowed = self.new_grant(&target.application, &asker, &scopes).await?;
        let until = row.expires_at.min(now + ACCESS_LIFE);
        narrowed.expires_at = until;
        narrowed.authenticated_at = grant.authenticated_at;
        let (text, hash) = random::token(self.parts.entropy.as_ref());
        let key = proof.map(|proof| proof.thumbprint);
        let answer = TokenAnswer {
            access_token: text,
            token_type: token_type(key.is_some()),
            expires_in: until.seconds_since(now),
            scope: scopes.to_string(),
            refresh_token: None,
            id_token: None,
            issued_token_type: Some(ACCESS_TOKEN),
        };
        let token = NewToken {
            hash,
            kind: TokenKind::Access,
            grant: narrowed.id.clone(),
            scopes: narrowed.scopes.clone(),
            redirect_uri: None,
            challenge: None,
            key_thumbprint: key,
            created_at: now,
            expires_at: until,
        };
        let writing = Writing {
            grant: narrowed,
            token: Some(token),
            request: None,
            device: None,
        };
        self.write_grant("applications.exchange-token", writing, client)
            .await?;
        Ok(answer)
    }

    /// The person of a grant, as if they asked now.
    async fn actor_of(&self, grant: &GrantRow) -> Result<Actor, Fault> {
        let facts = self
            .parts
            .people
            .subject(grant.person_ministry, grant.person)
            .await?;
        let facts = facts.ok_or(Wrong::new(Code::InvalidRequest, "subject_token is not good"))?;
        Ok(Actor::with_roles(
            grant.person,
            grant.person_ministry,
            grant.logon,
            facts.roles,
        ))
    }
}
