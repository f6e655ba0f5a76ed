//! The keys that sign tickets: several at a time, so that one can follow another without a broken ticket.
//!
//! A new key is published to nodes at once and signs only when [`REST_SECONDS`] old, when every portal and every
//! node has it; the old ones go [`KEEP_SECONDS`] after that.

use std::sync::Arc;

use aws_lc_rs::signature::Ed25519KeyPair;
use naru_kernel::{Seconds, Timestamp};
use naru_relay::ticket::{self, Claims, PublicKey};
use naru_store::{Act, By};

use super::{Desktops, Parts};
use crate::{Error, store};

/// A key younger than this does not sign, unless it is the only one.
const REST_SECONDS: i64 = 120;
/// How long older keys verify after a newer one has begun to sign.
const KEEP_SECONDS: i64 = 600;
/// The first key has a fixed name, so that two portals that start together make one.
const FIRST: &str = "desktops.ticket-key.first";

struct TicketKey {
    pair: Ed25519KeyPair,
    created_at: Timestamp,
}

/// Newest first; never empty.
pub(super) struct TicketKeys(Vec<TicketKey>);

impl TicketKeys {
    /// Signs with the newest key that is rested, or the oldest there is.
    pub(super) fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let rested = self
            .0
            .iter()
            .find(|key| key.created_at + Seconds(REST_SECONDS) <= claims.issued_at);
        let key = rested.or(self.0.last()).ok_or(Error::TicketKey)?;
        Ok(ticket::sign(claims, &key.pair)?)
    }

    /// Public keys in hexadecimal digits, newest first.
    fn published(&self) -> Result<Vec<String>, Error> {
        let hex = |key: &TicketKey| Ok(PublicKey::of(&key.pair)?.to_hex());
        self.0.iter().map(hex).collect()
    }
}

async fn load(parts: &Parts) -> Result<TicketKeys, Error> {
    let rows = store::keys::keys(&parts.db).await?;
    let key = |row: store::keys::KeyRow| {
        let pair = Ed25519KeyPair::from_seed_unchecked(&row.seed).map_err(|_| Error::TicketKey)?;
        Ok(TicketKey {
            pair,
            created_at: row.created_at,
        })
    };
    Ok(TicketKeys(
        rows.into_iter().map(key).collect::<Result<_, Error>>()?,
    ))
}

pub(super) async fn load_or_make(parts: &Parts) -> Result<TicketKeys, Error> {
    let keys = load(parts).await?;
    if !keys.0.is_empty() {
        return Ok(keys);
    }
    add(parts, FIRST.to_owned(), "desktops.make-ticket-key").await?;
    load(parts).await
}

async fn add(parts: &Parts, name: String, action: &'static str) -> Result<(), Error> {
    let now = parts.clock.now();
    let mut seed = vec![0; 32];
    parts.entropy.fill(&mut seed);
    let act = Act {
        at: now,
        action,
        by: By::Platform("desktops"),
        ministry: None,
        subject: name.clone(),
        address: None,
    };
    parts
        .db
        .change(act, move |tx| {
            Box::pin(async move { Ok::<_, Error>(store::keys::add_key(tx, name, seed, now).await?) })
        })
        .await
}

impl Desktops {
    pub(super) fn keys(&self) -> Result<Arc<TicketKeys>, Error> {
        self.keys
            .read()
            .map(|keys| Arc::clone(&keys))
            .map_err(|_| Error::TicketKey)
    }

    /// Public keys in hexadecimal digits, newest first.
    pub(crate) fn ticket_keys(&self) -> Result<Vec<String>, Error> {
        self.keys()?.published()
    }

    /// Makes a new ticket key; it takes over after two minutes, and what the old ones signed stays good.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn rotate_ticket_key(&self) -> Result<(), Error> {
        let name = format!("desktops.ticket-key.{:020}", self.now().as_micros());
        add(&self.parts, name, "desktops.rotate-ticket-key").await?;
        self.refresh_keys().await?;
        self.wake();
        Ok(())
    }

    /// Takes over keys another portal made; drops those nobody signs with any more.
    pub(super) async fn refresh_keys(&self) -> Result<(), Error> {
        let mut keys = load(&self.parts).await?;
        let now = self.now();
        let signing = keys
            .0
            .iter()
            .map(|key| key.created_at)
            .find(|made| *made + Seconds(REST_SECONDS + KEEP_SECONDS) <= now);
        if let Some(signing) = signing
            && keys.0.iter().any(|key| key.created_at < signing)
        {
            let forget = self.parts.db.housekeep("desktops.forget-expired", move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::keys::drop_keys_before(tx, signing).await?) })
            });
            forget.await?;
            keys.0.retain(|key| key.created_at >= signing);
        }
        if keys.0.is_empty() {
            return Err(Error::TicketKey);
        }
        if let Ok(mut held) = self.keys.write() {
            *held = Arc::new(keys);
        }
        Ok(())
    }
}
