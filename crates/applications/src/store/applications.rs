//! Applications.

use naru_kernel::{ApplicationId, MinistryId, Tenant, Timestamp, access::Label};
use naru_store::{Db, Error, FromRow, Row, Tx, Value, params};

use super::word;
use crate::model::{
    Application, ApplicationSort, ApplicationState, Audience, AudienceKind, Icon, Protocol, Words,
};

naru_store::sql! {
    BY_ID = "SELECT id, ministry, name_ko, name_en, description_ko, description_en, group_ko, group_en, place, icon, \
             icon_png, label, audience, state, settings, secret_sha256, created_at, changed_at \
             FROM applications WHERE id = $1";
    BY_ENTITY = "SELECT id, ministry, name_ko, name_en, description_ko, description_en, group_ko, group_en, place, icon, \
                 icon_png, label, audience, state, settings, secret_sha256, created_at, changed_at \
                 FROM applications WHERE entity_id = $1";
    OFFERED = "SELECT COUNT(*) AS n FROM applications a WHERE a.id = $1 AND (a.ministry = $2 OR a.audience = 'platform' \
               OR (a.audience = 'listed' AND EXISTS (SELECT 1 FROM application_audiences l \
               WHERE l.offered_to = $2 AND l.application = a.id)))";
    OF_MINISTRY = "SELECT id, ministry, name_ko, name_en, description_ko, description_en, group_ko, group_en, place, icon, \
                   icon_png, label, audience, state, settings, secret_sha256, created_at, changed_at \
                   FROM applications WHERE id = $1 AND ministry = $2";
    AUDIENCE = "SELECT offered_to FROM application_audiences WHERE application = $1 AND ministry = $2 ORDER BY offered_to";
    COUNT_ALL = "SELECT COUNT(*) AS n FROM applications WHERE ministry = $1";
    COUNT = "SELECT COUNT(*) AS n FROM applications WHERE ministry = $1 AND search_text LIKE $2 ESCAPE '\\' \
             AND (CAST($3 AS TEXT) IS NULL OR kind = $3)";
    BY_NAME = "SELECT id, kind, name_ko, name_en, group_ko, group_en, label, audience, state, changed_at \
               FROM applications WHERE ministry = $1 AND search_text LIKE $2 ESCAPE '\\' \
               AND (CAST($3 AS TEXT) IS NULL OR kind = $3) AND (CAST($4 AS TEXT) IS NULL OR (name_ko, id) > \
               (SELECT q.name_ko, q.id FROM applications q WHERE q.id = $4 AND q.ministry = $1)) \
               ORDER BY name_ko, id LIMIT $5";
    BY_NAME_DOWN = "SELECT id, kind, name_ko, name_en, group_ko, group_en, label, audience, state, changed_at \
                    FROM applications WHERE ministry = $1 AND search_text LIKE $2 ESCAPE '\\' \
                    AND (CAST($3 AS TEXT) IS NULL OR kind = $3) AND (CAST($4 AS TEXT) IS NULL OR (name_ko, id) < \
                    (SELECT q.name_ko, q.id FROM applications q WHERE q.id = $4 AND q.ministry = $1)) \
                    ORDER BY name_ko DESC, id DESC LIMIT $5";
    BY_CHANGE = "SELECT id, kind, name_ko, name_en, group_ko, group_en, label, audience, state, changed_at \
                 FROM applications WHERE ministry = $1 AND search_text LIKE $2 ESCAPE '\\' \
                 AND (CAST($3 AS TEXT) IS NULL OR kind = $3) AND (CAST($4 AS TEXT) IS NULL OR (changed_at, id) > \
                 (SELECT q.changed_at, q.id FROM applications q WHERE q.id = $4 AND q.ministry = $1)) \
                 ORDER BY changed_at, id LIMIT $5";
    BY_CHANGE_DOWN = "SELECT id, kind, name_ko, name_en, group_ko, group_en, label, audience, state, changed_at \
                      FROM applications WHERE ministry = $1 AND search_text LIKE $2 ESCAPE '\\' \
                      AND (CAST($3 AS TEXT) IS NULL OR kind = $3) AND (CAST($4 AS TEXT) IS NULL OR (changed_at, id) < \
                      (SELECT q.changed_at, q.id FROM applications q WHERE q.id = $4 AND q.ministry = $1)) \
                      ORDER BY changed_at DESC, id DESC LIMIT $5";
    INSERT = "INSERT INTO applications (id, ministry, kind, name_ko, name_en, description_ko, description_en, group_ko, \
              group_en, place, icon, icon_png, label, audience, state, entity_id, settings, search_text, created_at, \
              changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19) \
              ON CONFLICT (entity_id) DO NOTHING";
    UPDATE = "UPDATE applications SET name_ko = $3, name_en = $4, description_ko = $5, description_en = $6, group_ko = $7, \
              group_en = $8, place = $9, icon = $10, icon_png = $11, label = $12, audience = $13, state = $14, \
              entity_id = $15, settings = $16, search_text = $17, changed_at = $18 WHERE id = $1 AND ministry = $2";
    ENTITY_OWNER = "SELECT COUNT(*) AS n FROM applications WHERE entity_id = $1 AND id <> $2";
    CLEAR_AUDIENCE = "DELETE FROM application_audiences WHERE application = $1 AND ministry = $2";
    OFFER = "INSERT INTO application_audiences (application, ministry, offered_to) VALUES ($1, $2, $3) \
             ON CONFLICT (offered_to, application) DO NOTHING";
    SET_SECRET = "UPDATE applications SET secret_sha256 = $3, changed_at = $4 WHERE id = $1 AND ministry = $2";
    REMOVE = "DELETE FROM applications WHERE id = $1 AND ministry = $2";
}

impl FromRow for Application {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let settings: String = row.get("settings")?;
        let protocol: Protocol = serde_json::from_str(&settings).map_err(|error| Error::Column {
            column: "settings".to_owned(),
            source: error.into(),
        })?;
        let words = |ko: &str, en: &str| {
            Ok::<_, Error>(Words {
                ko: row.get(ko)?,
                en: row.get(en)?,
            })
        };
        Ok(Self {
            id: row.get("id")?,
            ministry: row.get("ministry")?,
            name: words("name_ko", "name_en")?,
            description: words("description_ko", "description_en")?,
            group: words("group_ko", "group_en")?,
            place: row.get("place")?,
            icon: match row.get::<Option<Vec<u8>>>("icon_png")? {
                Some(png) => Icon::Png(png),
                None => Icon::Named(row.get("icon")?),
            },
            label: word(row, "label")?,
            audience: Audience {
                kind: word(row, "audience")?,
                ministries: Vec::new(),
            },
            state: word(row, "state")?,
            protocol,
            secret_sha256: row.get("secret_sha256")?,
            created_at: row.get("created_at")?,
            changed_at: row.get("changed_at")?,
        })
    }
}

/// An application of any ministry: a client that asks for tokens names itself, not its ministry.
pub(crate) async fn application_by_id(db: &Db, id: ApplicationId) -> Result<Option<Application>, Error> {
    db.optional(BY_ID, params![id]).await
}

/// The application with this `client_id`, of any ministry.
pub(crate) async fn application_by_client_id(db: &Db, client_id: &str) -> Result<Option<Application>, Error> {
    match crate::model::application_of_client(client_id) {
        Some(id) => application_by_id(db, id).await,
        None => Ok(None),
    }
}

/// The service provider with this entity identifier, of any ministry: its request names only that.
pub(crate) async fn application_by_entity_id(db: &Db, entity_id: &str) -> Result<Option<Application>, Error> {
    db.optional(BY_ENTITY, params![entity_id]).await
}

/// Whether it is offered to the people of this ministry. Looks across ministries: that is the question.
pub(crate) async fn is_offered(db: &Db, id: ApplicationId, to: MinistryId) -> Result<bool, Error> {
    Ok(db.one::<i64>(OFFERED, params![id, to]).await? > 0)
}

/// In which order a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Name,
    NameDown,
    Change,
    ChangeDown,
}

impl Order {
    const fn sql(self) -> &'static str {
        match self {
            Self::Name => BY_NAME,
            Self::NameDown => BY_NAME_DOWN,
            Self::Change => BY_CHANGE,
            Self::ChangeDown => BY_CHANGE_DOWN,
        }
    }
}

/// An application in a list of its ministry.
pub(crate) struct Listed {
    pub(crate) id: ApplicationId,
    pub(crate) kind: ApplicationSort,
    pub(crate) name: Words,
    pub(crate) group: Words,
    pub(crate) label: Label,
    pub(crate) audience: AudienceKind,
    pub(crate) state: ApplicationState,
    pub(crate) changed_at: Timestamp,
}

impl FromRow for Listed {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let words = |ko: &str, en: &str| {
            Ok::<_, Error>(Words {
                ko: row.get(ko)?,
                en: row.get(en)?,
            })
        };
        Ok(Self {
            id: row.get("id")?,
            kind: word(row, "kind")?,
            name: words("name_ko", "name_en")?,
            group: words("group_ko", "group_en")?,
            label: word(row, "label")?,
            audience: word(row, "audience")?,
            state: word(row, "state")?,
            changed_at: row.get("changed_at")?,
        })
    }
}

struct OfferedTo(MinistryId);

impl FromRow for OfferedTo {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("offered_to").map(Self)
    }
}

/// What a list is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) pattern: String,
    pub(crate) kind: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
    pub(crate) rows: i64,
    pub(crate) order: Order,
}

/// One page, with one row more than asked for if there is a next one, and the number of rows in all.
pub(crate) async fn list(db: &Db, tenant: Tenant, wanted: &Wanted<'_>) -> Result<(Vec<Listed>, i64), Error> {
    let ministry = tenant.ministry();
    let within = db.within(tenant);
    let total = within
        .one::<i64>(COUNT, params![ministry, &wanted.pattern, wanted.kind])
        .await?;
    let values = params![
        ministry,
        &wanted.pattern,
        wanted.kind,
        wanted.after,
        wanted.rows.saturating_add(1)
    ];
    Ok((within.all(wanted.order.sql(), values).await?, total))
}

/// An application of the ministry, with the ministries it is offered to.
pub(crate) async fn of_ministry(
    db: &Db,
    tenant: Tenant,
    id: ApplicationId,
) -> Result<Option<Application>, Error> {
    let within = db.within(tenant);
    let Some(mut application) = within
        .optional::<Application>(OF_MINISTRY, params![id, tenant.ministry()])
        .await?
    else {
        return Ok(None);
    };
    let offered = within
        .all::<OfferedTo>(AUDIENCE, params![id, tenant.ministry()])
        .await?;
    application.audience.ministries = offered.into_iter().map(|OfferedTo(ministry)| ministry).collect();
    Ok(Some(application))
}

/// Like [`of_ministry`], in a transaction.
pub(crate) async fn of_ministry_in(
    tx: &mut Tx,
    tenant: Tenant,
    id: ApplicationId,
) -> Result<Option<Application>, Error> {
    let values = params![id, tenant.ministry()];
    let Some(mut application) = tx.optional::<Application>(OF_MINISTRY, values.clone()).await? else {
        return Ok(None);
    };
    let offered = tx.all::<OfferedTo>(AUDIENCE, values).await?;
    application.audience.ministries = offered.into_iter().map(|OfferedTo(ministry)| ministry).collect();
    Ok(Some(application))
}

/// Whether the ministry has any.
pub(crate) async fn has_any(db: &Db, tenant: Tenant) -> Result<bool, Error> {
    let count: i64 = db
        .within(tenant)
        .one(COUNT_ALL, params![tenant.ministry()])
        .await?;
    Ok(count > 0)
}

/// How many the ministry has.
pub(crate) async fn count(tx: &mut Tx, tenant: Tenant) -> Result<i64, Error> {
    tx.one(COUNT_ALL, params![tenant.ministry()]).await
}

/// Whether another application, of any ministry, has this entity identifier.
pub(crate) async fn is_entity_taken(db: &Db, entity_id: &str, but: ApplicationId) -> Result<bool, Error> {
    Ok(db.one::<i64>(ENTITY_OWNER, params![entity_id, but]).await? > 0)
}

fn settings(application: &Application) -> Result<String, Error> {
    serde_json::to_string(&application.protocol).map_err(|error| Error::Column {
        column: "settings".to_owned(),
        source: error.into(),
    })
}

fn search_text(application: &Application) -> String {
    let Application {
        name,
        description,
        group,
        ..
    } = application;
    let parts = [
        &name.ko,
        &name.en,
        &group.ko,
        &group.en,
        &description.ko,
        &description.en,
    ];
    parts.map(|part| part.to_lowercase()).join(" ")
}

fn icon(application: &Application) -> (String, Option<Vec<u8>>) {
    match &application.icon {
        Icon::Named(name) => (name.clone(), None),
        Icon::Png(png) => (String::new(), Some(png.clone())),
    }
}

fn entity_id(application: &Application) -> Option<String> {
    application.saml().map(|saml| saml.entity_id.clone())
}

/// `false` if the entity identifier is taken.
pub(crate) async fn insert(tx: &mut Tx, application: &Application) -> Result<bool, Error> {
    let (icon_name, icon_png) = icon(application);
    let values = params![
        application.id,
        application.ministry,
        application.protocol.sort().as_str(),
        &application.name.ko,
        &application.name.en,
        &application.description.ko,
        &application.description.en,
        &application.group.ko,
        &application.group.en,
        application.place,
        icon_name,
        icon_png,
        application.label.as_str(),
        application.audience.kind.as_str(),
        application.state.as_str(),
        entity_id(application),
        settings(application)?,
        search_text(application),
        application.created_at
    ];
    let inserted = tx.exec(INSERT, values).await? == 1;
    if inserted {
        offer(tx, application).await?;
    }
    Ok(inserted)
}

/// Writes all but the secret; `false` if it is not there.
pub(crate) async fn update(tx: &mut Tx, tenant: Tenant, application: &Application) -> Result<bool, Error> {
    let (icon_name, icon_png) = icon(application);
    let values = params![
        application.id,
        tenant.ministry(),
        &application.name.ko,
        &application.name.en,
        &application.description.ko,
        &application.description.en,
        &application.group.ko,
        &application.group.en,
        application.place,
        icon_name,
        icon_png,
        application.label.as_str(),
        application.audience.kind.as_str(),
        application.state.as_str(),
        entity_id(application),
        settings(application)?,
        search_text(application),
        application.changed_at
    ];
    let updated = tx.exec(UPDATE, values).await? == 1;
    if updated {
        tx.exec(CLEAR_AUDIENCE, params![application.id, tenant.ministry()])
            .await?;
        offer(tx, application).await?;
    }
    Ok(updated)
}

async fn offer(tx: &mut Tx, application: &Application) -> Result<(), Error> {
    for ministry in &application.audience.ministries {
        tx.exec(OFFER, params![application.id, application.ministry, *ministry])
            .await?;
    }
    Ok(())
}

/// `None` takes the secret away.
pub(crate) async fn set_secret(
    tx: &mut Tx,
    tenant: Tenant,
    id: ApplicationId,
    sha256: Option<Vec<u8>>,
    now: Timestamp,
) -> Result<(), Error> {
    let values: Vec<Value> = params![id, tenant.ministry(), sha256, now];
    tx.exec(SET_SECRET, values).await.map(drop)
}

/// Tiles, audiences, grants and tokens go with it.
pub(crate) async fn remove(tx: &mut Tx, tenant: Tenant, id: ApplicationId) -> Result<bool, Error> {
    Ok(tx.exec(REMOVE, params![id, tenant.ministry()]).await? == 1)
}
