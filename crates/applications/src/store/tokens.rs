//! Codes and tokens by their hashes, proofs that were used, devices that wait, log-outs that are owed.

use naru_kernel::Timestamp;
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::{grants::GrantRow, word};
use crate::model::TokenKind;

naru_store::sql! {
    ADD = "INSERT INTO sign_on_tokens (hash, kind, grant_id, scopes, redirect_uri, challenge, key_thumbprint, created_at, \
           expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FIND = "SELECT t.kind, t.scopes AS token_scopes, t.redirect_uri, t.challenge, t.key_thumbprint AS token_thumbprint, \
            t.created_at AS token_created_at, t.expires_at AS token_expires_at, t.used_at, \
            g.id, g.application, g.owner_ministry, g.person, g.person_ministry, g.logon, g.subject, g.session, g.scopes, \
            g.claims, g.nonce, g.assurance, g.methods, g.authenticated_at, g.key_thumbprint, g.is_offline, g.expires_at, \
            g.ended_at FROM sign_on_tokens t JOIN sign_on_grants g ON g.id = t.grant_id WHERE t.hash = $1";
    USE = "UPDATE sign_on_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
    DROP = "DELETE FROM sign_on_tokens WHERE hash = $1";
    FORGET = "DELETE FROM sign_on_tokens WHERE kind = 'access' AND expires_at < $1";
    REMEMBER = "INSERT INTO used_proofs (hash, expires_at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING";
    FORGET_PROOFS = "DELETE FROM used_proofs WHERE expires_at < $1";
}

/// A token with its grant.
#[derive(Clone, Debug)]
pub(crate) struct TokenRow {
    pub(crate) kind: TokenKind,
    pub(crate) scopes: String,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) challenge: Option<String>,
    pub(crate) key_thumbprint: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
    pub(crate) grant: GrantRow,
}

impl FromRow for TokenRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            kind: word(row, "kind")?,
            scopes: row.get("token_scopes")?,
            redirect_uri: row.get("redirect_uri")?,
            challenge: row.get("challenge")?,
            key_thumbprint: row.get("token_thumbprint")?,
            created_at: row.get("token_created_at")?,
            expires_at: row.get("token_expires_at")?,
            used_at: row.get("used_at")?,
            grant: GrantRow::from_row(row)?,
        })
    }
}

/// A token to keep.
#[derive(Clone, Debug)]
pub(crate) struct NewToken {
    pub(crate) hash: Vec<u8>,
    pub(crate) kind: TokenKind,
    pub(crate) grant: String,
    pub(crate) scopes: String,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) challenge: Option<String>,
    pub(crate) key_thumbprint: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) async fn add(tx: &mut Tx, token: NewToken) -> Result<(), Error> {
    let params = params![
        token.hash,
        token.kind.as_str(),
        token.grant,
        token.scopes,
        token.redirect_uri,
        token.challenge,
        token.key_thumbprint,
        token.created_at,
        token.expires_at,
    ];
    tx.exec(ADD, params).await.map(drop)
}

/// A token by its hash, of any ministry: whoever holds it may ask.
pub(crate) async fn find(db: &Db, hash: Vec<u8>) -> Result<Option<TokenRow>, Error> {
    db.optional(FIND, params![hash]).await
}

/// Uses a code or refresh token up; `false` if somebody was first.
pub(crate) async fn use_up(tx: &mut Tx, hash: Vec<u8>, now: Timestamp) -> Result<bool, Error> {
    Ok(tx.exec(USE, params![hash, now]).await? == 1)
}

pub(crate) async fn drop_token(tx: &mut Tx, hash: Vec<u8>) -> Result<(), Error> {
    tx.exec(DROP, params![hash]).await.map(drop)
}

/// Remembers a number that is good once; `false` if it was used before.
pub(crate) async fn remember(tx: &mut Tx, hash: Vec<u8>, until: Timestamp) -> Result<bool, Error> {
    Ok(tx.exec(REMEMBER, params![hash, until]).await? == 1)
}

/// Removes what has expired.
pub(crate) async fn forget(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    tx.exec(FORGET, params![now]).await?;
    tx.exec(FORGET_PROOFS, params![now]).await.map(drop)
}
