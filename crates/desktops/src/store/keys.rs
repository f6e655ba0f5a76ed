//! Ticket keys in the installation's secrets.

use naru_kernel::Timestamp;
use naru_store::{Db, Error, FromRow, Row, Tx, params};

naru_store::sql! {
    KEYS = "SELECT value, created_at FROM secrets WHERE name LIKE 'desktops.ticket-key.%' ORDER BY created_at DESC, name DESC LIMIT 8";
    ADD_KEY = "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    DROP_KEYS = "DELETE FROM secrets WHERE name LIKE 'desktops.ticket-key.%' AND created_at < $1";
}

/// The seed of an Ed25519 key.
pub(crate) struct KeyRow {
    pub(crate) seed: Vec<u8>,
    pub(crate) created_at: Timestamp,
}

impl FromRow for KeyRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            seed: row.get("value")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Newest first.
pub(crate) async fn keys(db: &Db) -> Result<Vec<KeyRow>, Error> {
    db.all(KEYS, params![]).await
}

pub(crate) async fn add_key(tx: &mut Tx, name: String, seed: Vec<u8>, at: Timestamp) -> Result<(), Error> {
    tx.exec(ADD_KEY, params![name, seed, at]).await.map(drop)
}

pub(crate) async fn drop_keys_before(tx: &mut Tx, at: Timestamp) -> Result<(), Error> {
    tx.exec(DROP_KEYS, params![at]).await.map(drop)
}
