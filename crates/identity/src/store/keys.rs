//! Keys of the installation, and revocation lists as their authorities signed them.

use naru_kernel::Timestamp;
use naru_store::{Db, Error, FromRow, Row, Tx, params};

naru_store::sql! {
    KEY = "SELECT value FROM secrets WHERE name = $1";
    SET_KEY = "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    LISTS = "SELECT source, list, next_update FROM revocation_lists ORDER BY source";
    SET_LIST = "INSERT INTO revocation_lists (source, list, fetched_at, this_update, next_update) \
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (source) DO UPDATE SET list = $2, fetched_at = $3, \
                this_update = $4, next_update = $5";
}

struct Key(Vec<u8>);

impl FromRow for Key {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("value").map(Self)
    }
}

/// A stored revocation list.
pub(crate) struct StoredList {
    pub(crate) source: String,
    pub(crate) list: Vec<u8>,
    pub(crate) next_update: Timestamp,
}

impl FromRow for StoredList {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            source: row.get("source")?,
            list: row.get("list")?,
            next_update: row.get("next_update")?,
        })
    }
}

/// The key of this name; `fresh` becomes it if there is none yet.
pub(crate) async fn key(
    tx: &mut Tx,
    name: &'static str,
    fresh: [u8; 32],
    now: Timestamp,
) -> Result<[u8; 32], Error> {
    tx.exec(SET_KEY, params![name, fresh.as_slice(), now]).await?;
    let Key(value) = tx.one(KEY, params![name]).await?;
    <[u8; 32]>::try_from(value).map_err(|_| Error::Column {
        column: "value".to_owned(),
        source: format!("{name} is not 32 bytes").into(),
    })
}

pub(crate) async fn lists(db: &Db) -> Result<Vec<StoredList>, Error> {
    db.all(LISTS, params![]).await
}

pub(crate) async fn set_list(
    tx: &mut Tx,
    source: &str,
    list: Vec<u8>,
    (now, this_update, next_update): (Timestamp, Timestamp, Timestamp),
) -> Result<(), Error> {
    tx.exec(SET_LIST, params![source, list, now, this_update, next_update])
        .await
        .map(drop)
}
