//! The keys that sign tokens, of both algorithms: several at a time, so that one can follow another.
//!
//! A new key is published at once and signs only when [`REST`] old, when every portal has it and every application that
//! reads our keys again has seen it; the one before goes [`KEEP`] after that, when all it signed has expired.

use std::sync::Arc;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair},
};
use naru_kernel::{Seconds, Timestamp};
use naru_sso::{
    jose::{Algorithm, PublicKey, PublicKeys, SigningKey},
    oidc::subject::SubjectKey,
};
use naru_store::{Act, By};

use super::{Applications, Parts};
use crate::{Error, model::SigningAlgorithm, store};

/// A key younger than this does not sign, unless it is the only one.
pub(crate) const REST: Seconds = Seconds::hours(1);
/// How long an older key is published after a newer one has begun to sign: longer than any session, so that an ID token
/// given back at a log-out is still known.
const KEEP: Seconds = Seconds::hours(24);
/// A key is followed by another after so long.
const ROTATE: Seconds = Seconds::hours(90 * 24);
/// Before the name of each key.
const PREFIX: &str = "applications.signing-key";
/// The key that pairwise subjects are made with; never changed.
const SUBJECTS: &str = "applications.subject-key";

pub(crate) struct OwnKey {
    pub(crate) key: SigningKey,
    /// Its name in the table of secrets.
    row: String,
    created_at: Timestamp,
}

/// What the installation signs and names subjects with.
pub(crate) struct Keys {
    /// Newest first.
    all: Vec<OwnKey>,
    /// For pairwise subjects.
    pub(crate) subjects: SubjectKey,
}

impl Keys {
    fn of(&self, algorithm: Algorithm) -> impl Iterator<Item = &OwnKey> {
        self.all
            .iter()
            .filter(move |own| own.key.algorithm() == algorithm)
    }

    /// The key that signs now: the newest that is rested, or the oldest there is.
    pub(crate) fn signing(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Result<&SigningKey, Error> {
        let algorithm = algorithm.jose();
        let rested = self.of(algorithm).find(|own| own.created_at + REST <= now);
        let own = rested.or_else(|| self.of(algorithm).last()).ok_or(Error::Key)?;
        Ok(&own.key)
    }

    /// As applications read them.
    pub(crate) fn published(&self) -> PublicKeys {
        let keys: Vec<PublicKey> = self.all.iter().map(|own| own.key.public().clone()).collect();
        PublicKeys::new(keys)
    }

    /// Names of keys that nobody needs any more.
    fn outlived(&self, now: Timestamp) -> Vec<String> {
        let mut rows = Vec::new();
        for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
            let successor = self.of(algorithm).find(|own| own.created_at + REST + KEEP <= now);
            let Some(successor) = successor else { continue };
            let older = self
                .of(algorithm)
                .filter(|own| own.created_at < successor.created_at);
            rows.extend(older.map(|own| own.row.clone()));
        }
        rows
    }

    /// Algorithms whose newest key is old.
    fn due(&self, now: Timestamp) -> Vec<Algorithm> {
        let is_due = |algorithm: &Algorithm| {
            self.of(*algorithm)
                .next()
                .is_none_or(|newest| newest.created_at + ROTATE <= now)
        };
        [Algorithm::Rs256, Algorithm::Es256]
            .into_iter()
            .filter(is_due)
            .collect()
    }
}

fn generate(algorithm: Algorithm) -> Result<Vec<u8>, Error> {
    let unusable = |_| Error::Key;
    Ok(match algorithm {
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(unusable)?;
            pair.to_pkcs8v1().map_err(unusable)?.as_ref().to_vec()
        }
        Algorithm::Rs256 | Algorithm::Ps256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(unusable)?;
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)
                .map_err(unusable)?
                .as_ref()
                .to_vec()
        }
    })
}

async fn add(parts: &Parts, name: String, value: Vec<u8>, action: &'static str) -> Result<(), Error> {
    let now = parts.clock.now();
    let act = Act {
        at: now,
        action,
        by: By::Platform("applications"),
        ministry: None,
        subject: name.clone(),
        address: None,
    };
    parts
        .db
        .change(act, move |tx| {
            Box::pin(async move { Ok::<_, Error>(store::keys::add(tx, &name, value, now).await?) })
        })
        .await
}

async fn load(parts: &Parts) -> Result<Option<Keys>, Error> {
    let Some(secret) = store::keys::secret(&parts.db, SUBJECTS).await? else {
        return Ok(None);
    };
    let secret: [u8; 32] = secret.try_into().map_err(|_| Error::Key)?;
    let mut all = Vec::new();
    for row in store::keys::signing_keys(&parts.db).await? {
        let word = row.name.split('.').nth(2).unwrap_or_default();
        let algorithm = Algorithm::of(word).ok_or(Error::Key)?;
        all.push(OwnKey {
            key: SigningKey::from_pkcs8(algorithm, &row.value).map_err(|_| Error::Key)?,
            row: row.name,
            created_at: row.created_at,
        });
    }
    Ok(Some(Keys {
        all,
        subjects: SubjectKey::new(&secret),
    }))
}

/// The keys of the installation; made at their first use. Of two portals that make them at once, the first one's stay: the
/// first keys have fixed names.
pub(super) async fn load_or_make(parts: &Parts) -> Result<Keys, Error> {
    if let Some(keys) = load(parts).await?
        && !keys.all.is_empty()
    {
        return Ok(keys);
    }
    let mut secret = vec![0; 32];
    parts.entropy.fill(&mut secret);
    add(parts, SUBJECTS.to_owned(), secret, "applications.make-key").await?;
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let name = format!("{PREFIX}.{algorithm}.first");
        add(parts, name, generate(algorithm)?, "applications.make-key").await?;
    }
    load(parts).await?.ok_or(Error::Key)
}

impl Applications {
    /// The keys, as read last.
    pub(crate) async fn keys(&self) -> Result<Arc<Keys>, Error> {
        let held = self.sign_on.keys.read().await.clone();
        if let Some(keys) = held {
            return Ok(keys);
        }
        let mut place = self.sign_on.keys.write().await;
        if let Some(keys) = &*place {
            return Ok(Arc::clone(keys));
        }
        let keys = Arc::new(load_or_make(&self.parts).await?);
        *place = Some(Arc::clone(&keys));
        Ok(keys)
    }

    /// Makes a new key of each algorithm; it takes over after an hour, and what the old ones signed stays good.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn rotate_signing_keys(&self) -> Result<(), Error> {
        self.keys().await?;
        self.rotate([Algorithm::Rs256, Algorithm::Es256]).await
    }

    async fn rotate(&self, algorithms: impl IntoIterator<Item = Algorithm>) -> Result<(), Error> {
        for algorithm in algorithms {
            // One name for all portals that find it due in the same minute.
            let minute = self.now().as_seconds().div_euclid(60);
            let name = format!("{PREFIX}.{algorithm}.{minute:020}");
            add(
                &self.parts,
                name,
                generate(algorithm)?,
                "applications.rotate-signing-key",
            )
            .await?;
        }
        self.read_keys().await
    }

    async fn read_keys(&self) -> Result<(), Error> {
        let keys = load(&self.parts)
            .await?
            .filter(|keys| !keys.all.is_empty())
            .ok_or(Error::Key)?;
        *self.sign_on.keys.write().await = Some(Arc::new(keys));
        Ok(())
    }

    /// Takes over keys another portal made, makes a new one when it is time, drops those nobody needs. Nothing to do before
    /// the first use.
    pub(super) async fn refresh_keys(&self) -> Result<(), Error> {
        if self.sign_on.keys.read().await.is_none() {
            return Ok(());
        }
        self.read_keys().await?;
        let (keys, now) = (self.keys().await?, self.now());
        let due = keys.due(now);
        if !due.is_empty() {
            self.rotate(due).await?;
        }
        let outlived = keys.outlived(now);
        if outlived.is_empty() {
            return Ok(());
        }
        let forget = self.parts.db.housekeep("applications.forget-expired", move |tx| {
            Box::pin(async move {
                for row in outlived {
                    store::keys::remove(tx, row).await?;
                }
                Ok::<_, Error>(())
            })
        });
        forget.await?;
        self.read_keys().await
    }
}
