//! Signing keys and the subjects' key in the installation's secrets.

use naru_kernel::Timestamp;
use naru_store::{Db, Error, FromRow, Row, Tx, params};

naru_store::sql! {
    KEYS = "SELECT name, value, created_at FROM secrets WHERE name LIKE 'applications.signing-key.%' \
            ORDER BY created_at DESC, name DESC LIMIT 16";
    SECRET = "SELECT name, value, created_at FROM secrets WHERE name = $1";
    ADD = "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    DROP = "DELETE FROM secrets WHERE name = $1";
}

/// A key: PKCS#8, or random bytes.
pub(crate) struct KeyRow {
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
    pub(crate) created_at: Timestamp,
}

impl FromRow for KeyRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            name: row.get("name")?,
            value: row.get("value")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// The signing keys, newest first.
pub(crate) async fn signing_keys(db: &Db) -> Result<Vec<KeyRow>, Error> {
    db.all(KEYS, params![]).await
}

pub(crate) async fn secret(db: &Db, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let row: Option<KeyRow> = db.optional(SECRET, params![name]).await?;
    Ok(row.map(|row| row.value))
}

/// Keeps it unless there is one of this name.
pub(crate) async fn add(tx: &mut Tx, name: &str, value: Vec<u8>, at: Timestamp) -> Result<(), Error> {
    tx.exec(ADD, params![name, value, at]).await.map(drop)
}

pub(crate) async fn remove(tx: &mut Tx, name: String) -> Result<(), Error> {
    tx.exec(DROP, params![name]).await.map(drop)
}
