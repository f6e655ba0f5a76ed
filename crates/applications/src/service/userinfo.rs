//! What an access token opens: claims about its person (OpenID Connect Core 5.3); and what its holder may ask and do about
//! the token itself (RFC 7662, RFC 7009).

use naru_kernel::Timestamp;
use naru_runtime::Client;
use naru_sso::oidc::{
    Code, Params, Refusal as Wrong,
    claims::{self, ClaimsRequest},
    dpop::Proof,
    scope::{OPENID, Scopes},
};
use naru_store::By;
use serde_json::{Map, Value, json};

use super::{
    Applications,
    client::{Fault, Presented},
    random,
    token::{note_whose, token_type},
};
use crate::{
    Error,
    model::TokenKind,
    store::{self, grants::GrantRow, tokens::TokenRow},
};

const NO_TOKEN: Wrong = Wrong::new(Code::InvalidToken, "the token is unknown, expired or revoked");

/// How an access token came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) token: String,
    /// By the scheme `DPoP`.
    pub(crate) is_bound: bool,
}

impl Applications {
    /// All that may be told of the person of a grant; `None` when they may not work any more.
    pub(crate) async fn claims_of(&self, grant: &GrantRow) -> Result<Option<Map<String, Value>>, Error> {
        let facts = self
            .parts
            .people
            .subject(grant.person_ministry, grant.person)
            .await?;
        Ok(facts.map(|facts| {
            let mut claims = Map::new();
            let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
            put("name", facts.name.into());
            put("preferred_username", facts.account.into());
            put(
                "locale",
                if facts.language == "en" { "en" } else { "ko-KR" }.into(),
            );
            put("zoneinfo", "Asia/Seoul".into());
            if let Some(email) = facts.email {
                put("email", email.into());
                put("email_verified", true.into());
            }
            put("groups", facts.groups.into());
            put("naru_ministry", facts.agency_code.into());
            let ministry = if facts.language == "en" {
                facts.ministry_name_en
            } else {
                facts.ministry_name_ko
            };
            put("naru_ministry_name", ministry.into());
            put("naru_unit", facts.unit.into());
            let roles: Vec<&str> = facts.roles.iter().map(|role| role.as_str()).collect();
            put("naru_roles", roles.into());
            claims
        }))
    }

    /// Answers a request for claims.
    pub(crate) async fn userinfo(
        &self,
        presented: &Presented,
        bearer: Option<Bearer>,
    ) -> Result<Map<String, Value>, Fault> {
        let bearer = bearer.ok_or(Wrong::new(Code::InvalidToken, "an access token is needed"))?;
        let proof = self.proof(presented, Some(&bearer.token))?;
        let row = self.access_token(&bearer, proof).await?;
        let scopes = Scopes::of(row.scopes.split(' '));
        if !scopes.has(OPENID) {
            return Err(Wrong::new(Code::InsufficientScope, "the token has no scope openid").into());
        }
        let known = self
            .oidc_client(&row.grant.application.to_string())
            .await?
            .ok_or(NO_TOKEN)?;
        let all = self.claims_of(&row.grant).await?.ok_or(NO_TOKEN)?;
        let wishes: ClaimsRequest = serde_json::from_str(&row.grant.claims).map_err(Error::from)?;
        let mut answer = claims::released(&all, &scopes, &known.allowed(), &wishes.userinfo);
        answer.insert("sub".to_owned(), row.grant.subject.into());
        Ok(answer)
    }

    /// The grant behind an access token, if it is good here and now.
    async fn access_token(&self, bearer: &Bearer, proof: Option<Proof>) -> Result<TokenRow, Fault> {
        let now = self.now();
        let row = store::tokens::find(&self.parts.db, random::hash(&bearer.token)).await?;
        let row = row
            .filter(|row| is_good(row, TokenKind::Access, now))
            .ok_or(NO_TOKEN)?;
        match (&row.key_thumbprint, proof) {
            (None, None) if !bearer.is_bound => Ok(row),
            (Some(key), Some(proof)) if bearer.is_bound && *key == proof.thumbprint => {
                let mark = format!("proof {}", proof.number);
                if self.remember(&mark, proof.remember_until).await? {
                    Ok(row)
                } else {
                    Err(Wrong::new(Code::InvalidDpopProof, "the proof was used before").into())
                }
            }
            // A bound token without its key is a stolen one.
            _ => Err(NO_TOKEN.into()),
        }
    }

    /// Tells a client about a token of its own; of all others only that they are not active (RFC 7662 2.2).
    pub(crate) async fn introspect(
        &self,
        presented: &Presented,
        form: &Params,
        client: &Client,
    ) -> Result<Value, Fault> {
        let known = self.authenticate_client(presented, form, client).await?;
        if known.settings.is_public() {
            return Err(Wrong::new(Code::InvalidClient, "this client cannot prove itself").into());
        }
        let token = form.demand("token", "token is missing")?;
        let row = store::tokens::find(&self.parts.db, random::hash(token)).await?;
        let now = self.now();
        let row = row.filter(|row| {
            row.grant.application == known.application.id
                && row.used_at.is_none()
                && (is_good(row, TokenKind::Access, now) || is_good(row, TokenKind::Refresh, now))
        });
        let Some(row) = row else {
            return Ok(json!({ "active": false }));
        };
        if self.check_person(&row.grant).await.is_err() {
            return Ok(json!({ "active": false }));
        }
        let mut answer = json!({
            "active": true,
            "scope": row.scopes,
            "client_id": known.client_id(),
            "token_type": token_type(row.key_thumbprint.is_some()),
            "exp": row.expires_at.as_seconds(),
            "iat": row.created_at.as_seconds(),
            "sub": row.grant.subject,
            "aud": known.client_id(),
            "iss": self.config().issuer(),
            "acr": row.grant.assurance.acr(),
            "auth_time": row.grant.authenticated_at.as_seconds(),
            "sid": row.grant.session,
        });
        if let (Some(key), Some(answer)) = (row.key_thumbprint, answer.as_object_mut()) {
            answer.insert("cnf".to_owned(), json!({ "jkt": key }));
        }
        Ok(answer)
    }

    /// Revokes a token of the client's own: a refresh token with all its grant gave. Others are none of its business, and
    /// are not told apart (RFC 7009 2.2).
    pub(crate) async fn revoke_token(
        &self,
        presented: &Presented,
        form: &Params,
        client: &Client,
    ) -> Result<(), Fault> {
        let known = self.authenticate_client(presented, form, client).await?;
        let token = form.demand("token", "token is missing")?;
        let hash = random::hash(token);
        let row = store::tokens::find(&self.parts.db, hash.clone()).await?;
        let row = row.filter(|row| {
            row.grant.application == known.application.id
                && row.kind != TokenKind::Code
                && row.grant.ended_at.is_none()
        });
        let Some(row) = row else { return Ok(()) };
        let act = self.act("applications.revoke-token", By::Anyone, None, &client.address);
        let now = act.at;
        self.parts
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.about(row.grant.application);
                    tx.note("kind", row.kind.as_str());
                    note_whose(tx, &row.grant);
                    if row.kind == TokenKind::Refresh {
                        store::grants::end(tx, &row.grant.id, now).await?;
                    } else {
                        store::tokens::drop_token(tx, hash).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(())
    }
}

/// Whether a token of this kind is worth something now.
pub(crate) fn is_good(row: &TokenRow, kind: TokenKind, now: Timestamp) -> bool {
    row.kind == kind && row.expires_at > now && row.grant.is_alive(now)
}
