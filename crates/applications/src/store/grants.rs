//! What applications were given for people, and what people agreed to.

use naru_kernel::{ApplicationId, LogonId, MinistryId, PersonId, Timestamp, access::Assurance};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;

naru_store::sql! {
    ADD = "INSERT INTO sign_on_grants (id, application, owner_ministry, person, person_ministry, logon, subject, session, \
           scopes, claims, nonce, assurance, methods, authenticated_at, key_thumbprint, is_offline, created_at, \
           last_used_at, expires_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, $18)";
    BY_ID = "SELECT id, application, owner_ministry, person, person_ministry, logon, subject, session, scopes, claims, nonce, \
             assurance, methods, authenticated_at, key_thumbprint, is_offline, expires_at, ended_at \
             FROM sign_on_grants WHERE id = $1";
    USED = "UPDATE sign_on_grants SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2";
    END = "UPDATE sign_on_grants SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    END_TOKENS = "DELETE FROM sign_on_tokens WHERE grant_id = $1 AND kind <> 'code'";
    OLDEST_BEYOND = "SELECT id FROM sign_on_grants WHERE logon = $1 AND application = $2 AND ended_at IS NULL \
                     ORDER BY created_at DESC, id DESC LIMIT 64 OFFSET $3";
    TELL_LOGON = "INSERT INTO sign_on_logouts (application, session, subject, tries, next_at, created_at) \
                  SELECT application, session, MIN(subject), 0, $2, $2 FROM sign_on_grants \
                  WHERE logon = $1 AND ended_at IS NULL GROUP BY application, session ON CONFLICT DO NOTHING";
    END_LOGON = "UPDATE sign_on_grants SET ended_at = $2 WHERE logon = $1 AND ended_at IS NULL AND is_offline = $3";
    TELL_PERSON = "INSERT INTO sign_on_logouts (application, session, subject, tries, next_at, created_at) \
                   SELECT application, session, MIN(subject), 0, $2, $2 FROM sign_on_grants \
                   WHERE person = $1 AND ended_at IS NULL GROUP BY application, session ON CONFLICT DO NOTHING";
    END_PERSON = "UPDATE sign_on_grants SET ended_at = $2 WHERE person = $1 AND ended_at IS NULL";
    TELL_MEMBERSHIP = "INSERT INTO sign_on_logouts (application, session, subject, tries, next_at, created_at) \
                       SELECT application, session, MIN(subject), 0, $3, $3 FROM sign_on_grants \
                       WHERE person = $1 AND person_ministry = $2 AND ended_at IS NULL \
                       GROUP BY application, session ON CONFLICT DO NOTHING";
    END_MEMBERSHIP = "UPDATE sign_on_grants SET ended_at = $3 \
                      WHERE person = $1 AND person_ministry = $2 AND ended_at IS NULL";
    END_APPLICATION = "UPDATE sign_on_grants SET ended_at = $3 WHERE person = $1 AND application = $2 AND ended_at IS NULL";
    FORGET_TOKENS = "DELETE FROM sign_on_tokens WHERE grant_id IN (SELECT id FROM sign_on_grants \
                     WHERE (ended_at IS NOT NULL AND ended_at < $1) OR expires_at < $1)";
    FORGET_DEVICES = "DELETE FROM sign_on_devices WHERE expires_at < $1 OR grant_id IN (SELECT id FROM sign_on_grants \
                      WHERE (ended_at IS NOT NULL AND ended_at < $1) OR expires_at < $1)";
    FORGET = "DELETE FROM sign_on_grants WHERE (ended_at IS NOT NULL AND ended_at < $1) OR expires_at < $1";
    CONSENT = "SELECT scopes FROM consents WHERE person = $1 AND application = $2";
    KEEP_CONSENT = "INSERT INTO consents (person, application, scopes, granted_at, last_used_at) VALUES ($1, $2, $3, $4, $4) \
                    ON CONFLICT (person, application) DO UPDATE SET scopes = excluded.scopes, granted_at = excluded.granted_at, \
                    last_used_at = excluded.last_used_at";
    USE_CONSENT = "UPDATE consents SET last_used_at = $3 WHERE person = $1 AND application = $2";
    DROP_CONSENT = "DELETE FROM consents WHERE person = $1 AND application = $2";
    ACCESS = "SELECT application, MIN(scopes) AS scopes, MIN(granted_at) AS granted_at, MAX(last_used_at) AS last_used_at FROM ( \
              SELECT application, scopes, granted_at, last_used_at FROM consents WHERE person = $1 \
              UNION ALL SELECT application, scopes, created_at AS granted_at, last_used_at FROM sign_on_grants \
              WHERE person = $1 AND ended_at IS NULL AND expires_at > $2) both_kinds \
              GROUP BY application ORDER BY MAX(last_used_at) DESC, application LIMIT 200";
}

/// A grant.
#[derive(Clone, Debug)]
pub(crate) struct GrantRow {
    pub(crate) id: String,
    pub(crate) application: ApplicationId,
    pub(crate) owner_ministry: MinistryId,
    pub(crate) person: PersonId,
    pub(crate) person_ministry: MinistryId,
    pub(crate) logon: LogonId,
    pub(crate) subject: String,
    pub(crate) session: String,
    pub(crate) scopes: String,
    pub(crate) claims: String,
    pub(crate) nonce: Option<String>,
    pub(crate) assurance: Assurance,
    pub(crate) methods: String,
    pub(crate) authenticated_at: Timestamp,
    pub(crate) key_thumbprint: Option<String>,
    pub(crate) is_offline: bool,
    pub(crate) expires_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

impl GrantRow {
    /// Whether tokens of it are worth anything.
    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.expires_at > now
    }
}

impl FromRow for GrantRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            application: row.get("application")?,
            owner_ministry: row.get("owner_ministry")?,
            person: row.get("person")?,
            person_ministry: row.get("person_ministry")?,
            logon: row.get("logon")?,
            subject: row.get("subject")?,
            session: row.get("session")?,
            scopes: row.get("scopes")?,
            claims: row.get("claims")?,
            nonce: row.get("nonce")?,
            assurance: word(row, "assurance")?,
            methods: row.get("methods")?,
            authenticated_at: row.get("authenticated_at")?,
            key_thumbprint: row.get("key_thumbprint")?,
            is_offline: row.get("is_offline")?,
            expires_at: row.get("expires_at")?,
            ended_at: row.get("ended_at")?,
        })
    }
}

struct Text(String);

impl FromRow for Text {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("id").or_else(|_| row.get("scopes")).map(Self)
    }
}

/// What an application may know of a person, as that person sees it.
#[derive(Clone, Debug)]
pub(crate) struct AccessRow {
    pub(crate) application: ApplicationId,
    pub(crate) scopes: String,
    pub(crate) granted_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
}

impl FromRow for AccessRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            application: row.get("application")?,
            scopes: row.get("scopes")?,
            granted_at: row.get("granted_at")?,
            last_used_at: row.get("last_used_at")?,
        })
    }
}

pub(crate) async fn add(tx: &mut Tx, grant: &GrantRow, now: Timestamp) -> Result<(), Error> {
    let params = params![
        &grant.id,
        grant.application,
        grant.owner_ministry,
        grant.person,
        grant.person_ministry,
        grant.logon,
        &grant.subject,
        &grant.session,
        &grant.scopes,
        &grant.claims,
        grant.nonce.clone(),
        grant.assurance.as_str(),
        &grant.methods,
        grant.authenticated_at,
        grant.key_thumbprint.clone(),
        grant.is_offline,
        now,
        grant.expires_at,
    ];
    tx.exec(ADD, params).await.map(drop)
}

/// A grant, of any ministry: a token names it.
pub(crate) async fn by_id(tx: &mut Tx, id: &str) -> Result<Option<GrantRow>, Error> {
    tx.optional(BY_ID, params![id]).await
}

pub(crate) async fn used(tx: &mut Tx, id: &str, now: Timestamp) -> Result<(), Error> {
    tx.exec(USED, params![id, now]).await.map(drop)
}

/// Ends a grant: its tokens are gone, its used codes stay to be recognised.
pub(crate) async fn end(tx: &mut Tx, id: &str, now: Timestamp) -> Result<bool, Error> {
    tx.exec(END_TOKENS, params![id]).await?;
    Ok(tx.exec(END, params![id, now]).await? > 0)
}

/// Ends the oldest grants of a session at an application beyond so many.
pub(crate) async fn end_beyond(
    tx: &mut Tx,
    logon: LogonId,
    application: ApplicationId,
    kept: i64,
    now: Timestamp,
) -> Result<(), Error> {
    let beyond: Vec<Text> = tx.all(OLDEST_BEYOND, params![logon, application, kept]).await?;
    for Text(id) in beyond {
        end(tx, &id, now).await?;
    }
    Ok(())
}

/// Ends what was opened in one session, and queues word of it. What is offline lives on, but its application hears as well.
pub(crate) async fn end_of_logon(tx: &mut Tx, logon: LogonId, now: Timestamp) -> Result<u64, Error> {
    tx.exec(TELL_LOGON, params![logon, now]).await?;
    tx.exec(END_LOGON, params![logon, now, false]).await
}

/// Ends everything of a person, and queues word of it.
pub(crate) async fn end_of_person(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<u64, Error> {
    tx.exec(TELL_PERSON, params![person, now]).await?;
    tx.exec(END_PERSON, params![person, now]).await
}

/// Ends everything of a person as one of a ministry, and queues word of it.
pub(crate) async fn end_of_membership(
    tx: &mut Tx,
    person: PersonId,
    ministry: MinistryId,
    now: Timestamp,
) -> Result<u64, Error> {
    tx.exec(TELL_MEMBERSHIP, params![person, ministry, now]).await?;
    tx.exec(END_MEMBERSHIP, params![person, ministry, now]).await
}

/// Takes an application's access to a person away: grants and consent. Gives whether there was any.
pub(crate) async fn end_of_application(
    tx: &mut Tx,
    person: PersonId,
    application: ApplicationId,
    now: Timestamp,
) -> Result<bool, Error> {
    let grants = tx
        .exec(END_APPLICATION, params![person, application, now])
        .await?;
    let consents = tx.exec(DROP_CONSENT, params![person, application]).await?;
    Ok(grants + consents > 0)
}

/// Removes grants that ended or expired before, with all that hangs on them.
pub(crate) async fn forget_before(tx: &mut Tx, at: Timestamp) -> Result<(), Error> {
    tx.exec(FORGET_TOKENS, params![at]).await?;
    tx.exec(FORGET_DEVICES, params![at]).await?;
    tx.exec(FORGET, params![at]).await.map(drop)
}

/// What a person agreed to for an application.
pub(crate) async fn consent(
    db: &Db,
    person: PersonId,
    application: ApplicationId,
) -> Result<Option<String>, Error> {
    let found: Option<Text> = db.optional(CONSENT, params![person, application]).await?;
    Ok(found.map(|Text(scopes)| scopes))
}

pub(crate) async fn keep_consent(
    tx: &mut Tx,
    person: PersonId,
    application: ApplicationId,
    scopes: String,
    now: Timestamp,
) -> Result<(), Error> {
    tx.exec(KEEP_CONSENT, params![person, application, scopes, now])
        .await
        .map(drop)
}

pub(crate) async fn use_consent(
    tx: &mut Tx,
    person: PersonId,
    application: ApplicationId,
    now: Timestamp,
) -> Result<(), Error> {
    tx.exec(USE_CONSENT, params![person, application, now])
        .await
        .map(drop)
}

/// Which applications know something of a person: by consent or by an open grant, used last first.
pub(crate) async fn access_of(db: &Db, person: PersonId, now: Timestamp) -> Result<Vec<AccessRow>, Error> {
    db.all(ACCESS, params![person, now]).await
}
