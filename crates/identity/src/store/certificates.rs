//! Certificates bound to people, nonces that were used, and codes between the two doors.

use naru_kernel::{CertificateId, MinistryId, PersonId, Timestamp};
use naru_pki::VerifiedCertificate;
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;
use crate::model::Certificate;

naru_store::sql! {
    USE_NONCE = "INSERT INTO used_nonces (nonce, expires_at) VALUES ($1, $2) ON CONFLICT (nonce) DO NOTHING";
    FORGET_NONCES = "DELETE FROM used_nonces WHERE expires_at < $1";
    BY_SERIAL = "SELECT id, person, issuer, serial, subject, not_after, state FROM certificates \
                 WHERE profile = $1 AND issuer = $2 AND serial = $3";
    OF_OTHER_PROFILE = "SELECT COUNT(*) AS n FROM certificates WHERE person = $1 AND profile <> $2 AND state = 'active'";
    OF_PERSON = "SELECT id, person, issuer, serial, subject, not_after, state FROM certificates \
                 WHERE person = $1 ORDER BY id DESC LIMIT 100";
    IN_MINISTRY = "SELECT id, person, issuer, serial, subject, not_after, state FROM certificates \
                   WHERE id = $1 AND ministry = $2";
    BIND = "INSERT INTO certificates (id, person, ministry, issuer, serial, sha256, subject, profile, not_after, state, \
            bound_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10)";
    IN_USE = "SELECT id, person, issuer, serial, subject, not_after, state FROM certificates WHERE id > $1 AND id IN \
              (SELECT certificate FROM logons WHERE state <> 'ended') ORDER BY id LIMIT 500";
    REVOKE = "UPDATE certificates SET state = 'revoked', revoked_at = $2 WHERE id = $1 AND state = 'active'";
    COUNT = "SELECT COUNT(*) AS n FROM certificates WHERE person = $1";
    HAND_OVER = "INSERT INTO handovers (hash, person, ministry, certificate, user_agent_hash, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)";
    TAKE_OVER = "DELETE FROM handovers WHERE hash = $1 RETURNING person, ministry, certificate, user_agent_hash, \
                 expires_at";
    FORGET_HANDOVERS = "DELETE FROM handovers WHERE expires_at < $1";
}

impl FromRow for Certificate {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            person: row.get("person")?,
            issuer: row.get("issuer")?,
            serial: row.get("serial")?,
            subject: row.get("subject")?,
            not_after: row.get("not_after")?,
            state: word(row, "state")?,
        })
    }
}

/// A certificate shown at the certificate door, on its way to the main one.
pub(crate) struct Handover {
    pub(crate) person: PersonId,
    pub(crate) ministry: MinistryId,
    pub(crate) certificate: CertificateId,
    pub(crate) user_agent_hash: Vec<u8>,
    pub(crate) expires_at: Timestamp,
}

impl FromRow for Handover {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            person: row.get("person")?,
            ministry: row.get("ministry")?,
            certificate: row.get("certificate")?,
            user_agent_hash: row.get("user_agent_hash")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// `false` if it was used before.
pub(crate) async fn use_nonce(tx: &mut Tx, nonce: &str, expires_at: Timestamp) -> Result<bool, Error> {
    Ok(tx.exec(USE_NONCE, params![nonce, expires_at]).await? == 1)
}

/// The certificate as it was bound. Its name is the authority's profile, issuer and serial: an authority of another
/// profile may use the same issuer name and the same numbers.
pub(crate) async fn known(tx: &mut Tx, shown: &VerifiedCertificate) -> Result<Option<Certificate>, Error> {
    tx.optional(BY_SERIAL, params![&shown.profile, &shown.issuer, &shown.serial])
        .await
}

/// Whether the person holds certificates of another profile than this.
pub(crate) async fn has_of_other_profile(
    tx: &mut Tx,
    person: PersonId,
    profile: &str,
) -> Result<bool, Error> {
    Ok(tx.one::<i64>(OF_OTHER_PROFILE, params![person, profile]).await? > 0)
}

pub(crate) async fn of_person(db: &Db, person: PersonId) -> Result<Vec<Certificate>, Error> {
    db.all(OF_PERSON, params![person]).await
}

pub(crate) async fn in_ministry(
    tx: &mut Tx,
    id: CertificateId,
    ministry: MinistryId,
) -> Result<Option<Certificate>, Error> {
    tx.optional(IN_MINISTRY, params![id, ministry]).await
}

/// Certificates by which somebody is logged on now, a page after `after`.
pub(crate) async fn in_use(db: &Db, after: &str) -> Result<Vec<Certificate>, Error> {
    db.all(IN_USE, params![after]).await
}

pub(crate) async fn count(tx: &mut Tx, person: PersonId) -> Result<i64, Error> {
    tx.one(COUNT, params![person]).await
}

pub(crate) async fn bind(
    tx: &mut Tx,
    id: CertificateId,
    (person, ministry): (PersonId, MinistryId),
    verified: &VerifiedCertificate,
    now: Timestamp,
) -> Result<(), Error> {
    let values = params![
        id,
        person,
        ministry,
        &verified.issuer,
        &verified.serial,
        &verified.sha256,
        &verified.subject,
        &verified.profile,
        verified.not_after,
        now
    ];
    tx.exec(BIND, values).await.map(drop)
}

/// `false` if it was revoked before.
pub(crate) async fn revoke(tx: &mut Tx, id: CertificateId, now: Timestamp) -> Result<bool, Error> {
    Ok(tx.exec(REVOKE, params![id, now]).await? == 1)
}

pub(crate) async fn hand_over(tx: &mut Tx, hash: Vec<u8>, handover: &Handover) -> Result<(), Error> {
    let values = params![
        hash,
        handover.person,
        handover.ministry,
        handover.certificate,
        handover.user_agent_hash.as_slice(),
        handover.expires_at
    ];
    tx.exec(HAND_OVER, values).await.map(drop)
}

/// Takes the code out: it is good once.
pub(crate) async fn take_over(tx: &mut Tx, hash: Vec<u8>) -> Result<Option<Handover>, Error> {
    tx.optional(TAKE_OVER, params![hash]).await
}

pub(crate) async fn forget_expired(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    tx.exec(FORGET_NONCES, params![now]).await?;
    tx.exec(FORGET_HANDOVERS, params![now]).await.map(drop)
}
