//! Tokens of ministries' directories.

use naru_kernel::{Tenant, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, Within as Reading, params};

use super::word;
use crate::members::{ScimToken, ScimTokenId};

naru_store::sql! {
    INSERT = "INSERT INTO scim_tokens (id, ministry, name, hash, access, created_by, created_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST = "SELECT id, ministry, name, access, created_at, expires_at, last_used_at FROM scim_tokens \
            WHERE ministry = $1 ORDER BY id DESC LIMIT 200";
    COUNT = "SELECT COUNT(*) AS n FROM scim_tokens WHERE ministry = $1";
    BY_HASH = "SELECT id, ministry, name, access, created_at, expires_at, last_used_at FROM scim_tokens WHERE hash = $1";
    REMOVE = "DELETE FROM scim_tokens WHERE id = $1 AND ministry = $2 \
              RETURNING id, ministry, name, access, created_at, expires_at, last_used_at";
    USED = "UPDATE scim_tokens SET last_used_at = $2 WHERE id = $1";
}

impl FromRow for ScimToken {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            ministry: row.get("ministry")?,
            name: row.get("name")?,
            access: word(row, "access")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            last_used_at: row.get("last_used_at")?,
        })
    }
}

pub(crate) async fn insert(
    tx: &mut Tx,
    token: &ScimToken,
    hash: Vec<u8>,
    created_by: String,
) -> Result<(), Error> {
    let values = params![
        token.id,
        token.ministry,
        &token.name,
        hash,
        token.access.as_str(),
        created_by,
        token.created_at,
        token.expires_at
    ];
    tx.exec(INSERT, values).await.map(drop)
}

/// All of a ministry, the newest first; there are few.
pub(crate) async fn list(from: Reading<'_>) -> Result<Vec<ScimToken>, Error> {
    from.all(LIST, params![from.tenant().ministry()]).await
}

pub(crate) async fn count(tx: &mut Tx, tenant: Tenant) -> Result<i64, Error> {
    tx.one(COUNT, params![tenant.ministry()]).await
}

/// Looks across ministries: the token names its own.
pub(crate) async fn by_hash(db: &Db, hash: Vec<u8>) -> Result<Option<ScimToken>, Error> {
    db.optional(BY_HASH, params![hash]).await
}

pub(crate) async fn remove(tx: &mut Tx, id: ScimTokenId, tenant: Tenant) -> Result<Option<ScimToken>, Error> {
    tx.optional(REMOVE, params![id, tenant.ministry()]).await
}

pub(crate) async fn used(tx: &mut Tx, id: ScimTokenId, now: Timestamp) -> Result<(), Error> {
    tx.exec(USED, params![id, now]).await.map(drop)
}
