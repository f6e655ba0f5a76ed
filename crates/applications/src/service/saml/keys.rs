//! The keys that sign assertions, with their certificates: one signs, a second may stand beside it in the metadata.
//!
//! Service providers hold our certificate, and most read it once, by hand. So keys do not rotate by themselves: an operator
//! begins (a second certificate appears in the metadata), tells the service providers, and finishes (the second signs and the
//! first goes).

use std::sync::Arc;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_sso::saml::SigningKey;
use naru_store::{Act, By};
use serde::{Deserialize, Serialize};
use tokio::sync::RwLock;

use super::Applications;
use crate::{Error, Refusal, store};

/// A self-signed certificate says how long it is valid, which service providers ignore or refuse after: long.
const CERTIFICATE_YEARS: i32 = 20;
const KEYS_MAX: usize = 2;

/// A key as it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct StoredKey {
    pkcs8: String,
    certificate: String,
}

/// The keys as read last, with what they were read from.
#[derive(Default)]
pub(crate) struct SamlKeys(RwLock<Option<Arc<Held>>>);

pub(super) struct Held {
    raw: Vec<u8>,
    keys: Vec<SigningKey>,
}

impl Held {
    fn read(raw: Vec<u8>) -> Result<Self, Error> {
        let stored: Vec<StoredKey> = serde_json::from_slice(&raw)?;
        let key = |stored: &StoredKey| {
            let pkcs8 = STANDARD.decode(&stored.pkcs8).ok()?;
            let certificate = STANDARD.decode(&stored.certificate).ok()?;
            SigningKey::new(&pkcs8, &certificate).ok()
        };
        let keys: Option<Vec<SigningKey>> = stored.iter().map(key).collect();
        match keys {
            Some(keys) if !keys.is_empty() => Ok(Self { raw, keys }),
            Some(_) | None => Err(Error::Key),
        }
    }

    /// The key that signs.
    pub(super) fn signing(&self) -> Result<&SigningKey, Error> {
        self.keys.first().ok_or(Error::Key)
    }

    /// All certificates, the signing key's first.
    pub(super) fn certificates(&self) -> Vec<&[u8]> {
        self.keys.iter().map(SigningKey::certificate).collect()
    }
}

fn generate(name: &str, year: i32) -> Result<StoredKey, Error> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::Key)?;
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)
        .map_err(|_| Error::Key)?
        .as_ref()
        .to_vec();
    let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_slice().into(), &rcgen::PKCS_RSA_SHA256)
        .map_err(|_| Error::Key)?;
    let mut params = rcgen::CertificateParams::new(Vec::new()).map_err(|_| Error::Key)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(year, 1, 1);
    params.not_after = rcgen::date_time_ymd(year.saturating_add(CERTIFICATE_YEARS), 1, 1);
    let certificate = params.self_signed(&key).map_err(|_| Error::Key)?;
    Ok(StoredKey {
        pkcs8: STANDARD.encode(pkcs8),
        certificate: STANDARD.encode(certificate.der()),
    })
}

impl Applications {
    fn fresh_saml_key(&self) -> Result<StoredKey, Error> {
        // The first four digits of a time are its year; certificates begin with the year before, for clocks that are behind.
        let now = naru_sso::saml::format_instant(self.now());
        let year: i32 = now
            .split('-')
            .next()
            .and_then(|year| year.parse().ok())
            .ok_or(Error::Key)?;
        generate("naru saml", year.saturating_sub(1))
    }

    /// The keys; made at their first use. What is stored is looked at each time, so that all portals use the same.
    pub(super) async fn saml_keys(&self) -> Result<Arc<Held>, Error> {
        let stored = match store::saml::keys(&self.parts.db).await? {
            Some(stored) => stored,
            None => self.first_saml_keys().await?,
        };
        if let Some(held) = self.saml.0.read().await.as_ref()
            && held.raw == stored
        {
            return Ok(Arc::clone(held));
        }
        let held = Arc::new(Held::read(stored)?);
        *self.saml.0.write().await = Some(Arc::clone(&held));
        Ok(held)
    }

    fn key_act(&self, action: &'static str) -> Act {
        Act {
            subject: "saml.signing-keys".to_owned(),
            ..self.act(action, By::Platform("applications"), None, "")
        }
    }

    async fn first_saml_keys(&self) -> Result<Vec<u8>, Error> {
        let fresh = serde_json::to_vec(&[self.fresh_saml_key()?])?;
        let now = self.now();
        self.parts
            .db
            .change(self.key_act("applications.make-key"), move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::saml::keys_or(tx, fresh, now).await?) })
            })
            .await
    }

    /// Puts a second certificate into the metadata; the first key still signs.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] when there is a second one already; or the store fails.
    pub async fn begin_saml_key_rotation(&self) -> Result<(), Error> {
        let fresh = self.fresh_saml_key()?;
        self.change_saml_keys("applications.rotate-signing-key", move |mut keys| {
            if keys.len() >= KEYS_MAX {
                return Err(Refusal::TooMany);
            }
            keys.push(fresh);
            Ok(keys)
        })
        .await
    }

    /// The second key signs from now on, and the first is gone.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRequest`] when no rotation was begun; or the store fails.
    pub async fn finish_saml_key_rotation(&self) -> Result<(), Error> {
        self.change_saml_keys("applications.retire-signing-key", |keys| {
            match keys.into_iter().nth(1) {
                Some(second) => Ok(vec![second]),
                None => Err(Refusal::NoSuchRequest),
            }
        })
        .await
    }

    async fn change_saml_keys(
        &self,
        action: &'static str,
        change: impl FnOnce(Vec<StoredKey>) -> Result<Vec<StoredKey>, Refusal> + Send + 'static,
    ) -> Result<(), Error> {
        self.saml_keys().await?;
        let now = self.now();
        self.decide(self.key_act(action), move |tx| {
            Box::pin(async move {
                let stored = store::saml::keys_or(tx, Vec::new(), now).await?;
                let keys: Vec<StoredKey> = serde_json::from_slice(&stored)?;
                let changed = match change(keys) {
                    Ok(changed) => changed,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                tx.note("certificates", changed.len());
                store::saml::set_keys(tx, serde_json::to_vec(&changed)?, now).await?;
                Ok(Ok(()))
            })
        })
        .await
    }
}
