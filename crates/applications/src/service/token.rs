//! The token endpoint: codes, refresh tokens and their like become tokens, once.

use naru_kernel::{Seconds, Timestamp};
use naru_runtime::Client;
use naru_sso::oidc::{
    Code, Params, Refusal as Wrong, claims,
    dpop::Proof,
    pkce,
    scope::{OPENID, Scopes},
    token::{self, TokenRequest},
    tokens::IdToken,
};
use naru_store::{By, Tx};
use serde::Serialize;

use super::{
    Applications,
    authorize::OidcClient,
    client::{Fault, Presented},
    random,
};
use crate::{
    Error,
    model::TokenKind,
    store::{
        self,
        grants::GrantRow,
        tokens::{NewToken, TokenRow},
    },
};

/// An access token is good for so long.
pub(crate) const ACCESS_LIFE: Seconds = Seconds(600);
/// A refresh token that is not used.
const REFRESH_LIFE: Seconds = Seconds::hours(7 * 24);

/// What the token endpoint answers (RFC 6749 5.1).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TokenAnswer {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    pub(crate) expires_in: i64,
    pub(crate) scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issued_token_type: Option<&'static str>,
}

/// What a transaction gave: a grant and the texts of its new tokens.
pub(crate) struct Given {
    pub(crate) grant: GrantRow,
    pub(crate) scopes: String,
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) bound: bool,
}

const NO_GRANT: Wrong = Wrong::new(
    Code::InvalidGrant,
    "the code or token is unknown, expired or another's",
);
const REUSED: Wrong = Wrong::new(
    Code::InvalidGrant,
    "the code or token was used before: all it gave is revoked",
);

/// New tokens of a grant, made before the transaction that keeps them.
pub(crate) struct NewTokens {
    access: (String, Vec<u8>),
    refresh: (String, Vec<u8>),
}

impl Applications {
    pub(crate) fn new_tokens(&self) -> NewTokens {
        let entropy = self.parts.entropy.as_ref();
        NewTokens {
            access: random::token(entropy),
            refresh: random::token(entropy),
        }
    }

    /// Answers a token request.
    pub(crate) async fn token(
        &self,
        presented: &Presented,
        form: &Params,
        client: &Client,
    ) -> Result<TokenAnswer, Fault> {
        let known = self.authenticate_client(presented, form, client).await?;
        let result = self.token_of(&known, presented, form, client).await;
        if let Err(Fault::Wrong(wrong)) = &result
            && !matches!(wrong.code, Code::AuthorizationPending | Code::SlowDown)
            && *wrong != REUSED
        {
            self.record_wrong("applications.token", &known.application, *wrong, client)
                .await?;
        }
        result
    }

    async fn token_of(
        &self,
        known: &OidcClient,
        presented: &Presented,
        form: &Params,
        client: &Client,
    ) -> Result<TokenAnswer, Fault> {
        let request = token::parse(form)?;
        let proof = self.proof(presented, None)?;
        if known.settings.dpop_only && proof.is_none() {
            return Err(Wrong::new(Code::InvalidDpopProof, "this client binds its tokens (RFC 9449)").into());
        }
        let given = match request {
            TokenRequest::Code {
                code,
                redirect_uri,
                verifier,
            } => {
                let (hash, row) = self.found(&code, TokenKind::Code, known).await?;
                if row.used_at.is_some() {
                    return Err(self.reused(known, &row, client).await?.into());
                }
                check_alive(&row, self.now())?;
                if row.redirect_uri != redirect_uri {
                    let why = "redirect_uri is not the one of the request";
                    return Err(Wrong::new(Code::InvalidGrant, why).into());
                }
                if !pkce::is_answered(row.challenge.as_deref(), verifier.as_deref()) {
                    return Err(Wrong::new(Code::InvalidGrant, "code_verifier does not fit").into());
                }
                let scopes = row.grant.scopes.clone();
                let redeem = Redeem::of(row, hash, scopes, proof)?;
                self.redeem("applications.redeem-code", known, redeem, client)
                    .await?
            }
            TokenRequest::Refresh { token, scope } => {
                let wanted = scope.as_deref().map(Scopes::parse).transpose()?;
                let (hash, row) = self.found(&token, TokenKind::Refresh, known).await?;
                if row.used_at.is_some() {
                    return Err(self.reused(known, &row, client).await?.into());
                }
                check_alive(&row, self.now())?;
                let had = Scopes::of(row.grant.scopes.split(' '));
                let scopes = wanted.unwrap_or_else(|| had.clone());
                if !scopes.is_within(&had) {
                    return Err(Wrong::new(Code::InvalidScope, "the scope was not granted").into());
                }
                self.check_person(&row.grant).await?;
                let redeem = Redeem::of(row, hash, scopes.to_string(), proof)?;
                self.redeem("applications.refresh", known, redeem, client).await?
            }
            TokenRequest::Device { code } => self.use_device(known, &code, proof, client).await?,
            TokenRequest::Exchange {
                token,
                audience,
                scope,
            } => {
                let wish = (token.as_str(), audience.as_str(), scope.as_deref());
                return self.exchange(known, wish, proof, client).await;
            }
        };
        self.answer_with(known, given).await
    }

    /// The token of this text and kind, of this client.
    async fn found(
        &self,
        text: &str,
        kind: TokenKind,
        known: &OidcClient,
    ) -> Result<(Vec<u8>, TokenRow), Fault> {
        let hash = random::hash(text);
        let row = store::tokens::find(&self.parts.db, hash.clone()).await?;
        let row = row.filter(|row| row.kind == kind && row.grant.application == known.application.id);
        Ok((hash, row.ok_or(NO_GRANT)?))
    }

    /// A person who may not work any more has no grant: revoking ends them. This is the second lock.
    pub(crate) async fn check_person(&self, grant: &GrantRow) -> Result<(), Fault> {
        let subject = self
            .parts
            .people
            .subject(grant.person_ministry, grant.person)
            .await?;
        subject.map(drop).ok_or_else(|| NO_GRANT.into())
    }

    /// A code or refresh token came a second time: somebody has a copy. Everything it gave ends, once, with an entry that
    /// raises an alarm (RFC 9700 4.14.2).
    async fn reused(&self, known: &OidcClient, row: &TokenRow, client: &Client) -> Result<Wrong, Fault> {
        if row.grant.ended_at.is_some() {
            return Ok(NO_GRANT);
        }
        let act = self.act("applications.reuse-token", By::Anyone, None, &client.address);
        let (grant, kind, now) = (row.grant.clone(), row.kind, act.at);
        let about = known.application.id;
        self.parts
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.about(about);
                    tx.note("kind", kind.as_str());
                    note_whose(tx, &grant);
                    tx.refused("applications.token-reused");
                    store::grants::end(tx, &grant.id, now).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        metrics::counter!("naru_sso_token_reused_total").increment(1);
        tracing::warn!(application = %about, kind = kind.as_str(), "a code or token was used twice; its grant is revoked");
        Ok(REUSED)
    }

    /// Uses a code or token up and gives new tokens, in one transaction.
    async fn redeem(
        &self,
        action: &'static str,
        known: &OidcClient,
        redeem: Redeem,
        client: &Client,
    ) -> Result<Given, Fault> {
        let act = self.act(action, By::Anyone, None, &client.address);
        let (new, now) = (self.new_tokens(), act.at);
        let is_public = known.settings.is_public();
        let done: Result<Given, Wrong> = self
            .parts
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    let grant = &redeem.row.grant;
                    tx.about(grant.application);
                    tx.note("scopes", redeem.scopes.as_str());
                    note_whose(tx, grant);
                    if let Err(wrong) = spend(tx, redeem.proof.as_ref()).await? {
                        tx.refused(wrong.code.as_str());
                        return Ok::<_, Error>(Err(wrong));
                    }
                    if !store::tokens::use_up(tx, redeem.hash.clone(), now).await? {
                        tx.refused("applications.token-reused");
                        store::grants::end(tx, &grant.id, now).await?;
                        return Ok(Err(REUSED));
                    }
                    let giving = Giving {
                        grant: redeem.row.grant,
                        scopes: redeem.scopes,
                        proof: redeem.proof,
                        is_public,
                    };
                    Ok(Ok(give(tx, giving, new, now).await?))
                })
            })
            .await?;
        Ok(done?)
    }

    /// The answer with its ID token; signed outside of any transaction.
    pub(crate) async fn answer_with(&self, known: &OidcClient, given: Given) -> Result<TokenAnswer, Fault> {
        let grant = &given.grant;
        let scopes = Scopes::of(given.scopes.split(' '));
        let id_token = if scopes.has(OPENID) {
            Some(self.id_token(known, &given).await?)
        } else {
            None
        };
        Ok(TokenAnswer {
            token_type: token_type(given.bound),
            expires_in: ACCESS_LIFE.0.min(grant.expires_at.seconds_since(self.now())),
            scope: given.scopes.clone(),
            refresh_token: given.refresh.clone(),
            access_token: given.access.clone(),
            id_token,
            issued_token_type: None,
        })
    }

    async fn id_token(&self, known: &OidcClient, given: &Given) -> Result<String, Fault> {
        let grant = &given.grant;
        let wishes: claims::ClaimsRequest = serde_json::from_str(&grant.claims).map_err(Error::from)?;
        let claims = if wishes.id_token.is_empty() {
            serde_json::Map::new()
        } else {
            let all = self.claims_of(grant).await?.ok_or(NO_GRANT)?;
            claims::released(&all, &Scopes::default(), &known.allowed(), &wishes.id_token)
        };
        let (keys, now) = (self.keys().await?, self.now());
        let methods: Vec<String> = grant.methods.split_whitespace().map(str::to_owned).collect();
        let token = IdToken {
            issuer: self.config().issuer(),
            client_id: &known.client_id(),
            subject: &grant.subject,
            session: &grant.session,
            nonce: grant.nonce.as_deref(),
            assurance: grant.assurance,
            methods: &methods,
            authenticated_at: grant.authenticated_at,
            access_token: Some(&given.access),
            claims,
            now,
        };
        let key = keys.signing(known.settings.id_token_algorithm, now)?;
        Ok(token.sign(key).map_err(|_| Error::Key)?)
    }
}

pub(crate) const fn token_type(bound: bool) -> &'static str {
    if bound { "DPoP" } else { "Bearer" }
}

/// A code or token to be used up.
struct Redeem {
    row: TokenRow,
    hash: Vec<u8>,
    scopes: String,
    proof: Option<Proof>,
}

impl Redeem {
    /// With the proof its key demands.
    fn of(row: TokenRow, hash: Vec<u8>, scopes: String, proof: Option<Proof>) -> Result<Self, Wrong> {
        if let Some(bound) = &row.key_thumbprint
            && proof.as_ref().map(|proof| &proof.thumbprint) != Some(bound)
        {
            return Err(Wrong::new(Code::InvalidDpopProof, "the proof is of another key"));
        }
        Ok(Self {
            row,
            hash,
            scopes,
            proof,
        })
    }
}

fn check_alive(row: &TokenRow, now: Timestamp) -> Result<(), Wrong> {
    if row.expires_at > now && row.grant.is_alive(now) {
        Ok(())
    } else {
        Err(NO_GRANT)
    }
}

/// Whose grant an entry of the application's ministry is about: the person in their own ministry, elsewhere only the subject
/// that ministry knows them by.
pub(crate) fn note_whose(tx: &mut Tx, grant: &GrantRow) {
    if grant.owner_ministry == grant.person_ministry {
        tx.by(By::Person(grant.person, grant.logon), Some(grant.owner_ministry));
    } else {
        tx.by(By::Anyone, Some(grant.owner_ministry));
    }
    tx.note("subject", grant.subject.as_str());
}

/// Uses the number of a proof up.
pub(crate) async fn spend(tx: &mut Tx, proof: Option<&Proof>) -> Result<Result<(), Wrong>, Error> {
    let Some(proof) = proof else { return Ok(Ok(())) };
    let hash = random::hash(&format!("proof {}", proof.number));
    if store::tokens::remember(tx, hash, proof.remember_until).await? {
        Ok(Ok(()))
    } else {
        Ok(Err(Wrong::new(
            Code::InvalidDpopProof,
            "the proof was used before",
        )))
    }
}

/// For what new tokens are given.
pub(crate) struct Giving {
    pub(crate) grant: GrantRow,
    pub(crate) scopes: String,
    pub(crate) proof: Option<Proof>,
    pub(crate) is_public: bool,
}

/// Keeps new tokens of a grant.
pub(crate) async fn give(
    tx: &mut Tx,
    giving: Giving,
    new: NewTokens,
    now: Timestamp,
) -> Result<Given, Error> {
    let grant = giving.grant;
    let key = giving.proof.map(|proof| proof.thumbprint);
    let token = |hash: Vec<u8>, kind: TokenKind, key: Option<String>, until: Timestamp| NewToken {
        hash,
        kind,
        grant: grant.id.clone(),
        scopes: giving.scopes.clone(),
        redirect_uri: None,
        challenge: None,
        key_thumbprint: key,
        created_at: now,
        expires_at: until.min(grant.expires_at),
    };
    let (access, hash) = new.access;
    store::tokens::add(tx, token(hash, TokenKind::Access, key.clone(), now + ACCESS_LIFE)).await?;
    let mut refresh = None;
    if grant.is_offline {
        let (text, hash) = new.refresh;
        // A confidential client proves itself at each use; a public one's token is bound to its key (RFC 9449 5).
        let bound = key.clone().filter(|_| giving.is_public);
        store::tokens::add(tx, token(hash, TokenKind::Refresh, bound, now + REFRESH_LIFE)).await?;
        refresh = Some(text);
    }
    store::grants::used(tx, &grant.id, now).await?;
    Ok(Given {
        scopes: giving.scopes,
        access,
        refresh,
        bound: key.is_some(),
        grant,
    })
}
