//! Applications.

use naru_kernel::{ApplicationId, MinistryId};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;
use crate::model::{Application, Audience, Icon, Protocol, Words};

naru_store::sql! {
    BY_ID = "SELECT id, ministry, name_ko, name_en, description_ko, description_en, group_ko, group_en, place, icon, \
             icon_png, label, audience, state, settings, secret_sha256, created_at, changed_at \
             FROM applications WHERE id = $1";
    BY_ENTITY = "SELECT id, ministry, name_ko, name_en, description_ko, description_en, group_ko, group_en, place, icon, \
                 icon_png, label, audience, state, settings, secret_sha256, created_at, changed_at \
                 FROM applications WHERE entity_id = $1";
    OFFERED = "SELECT COUNT(*) AS n FROM applications a WHERE a.id = $1 AND (a.ministry = $2 OR a.audience = 'platform' \
               OR (a.audience = 'listed' AND EXISTS (SELECT 1 FROM application_audiences l \
               WHERE l.ministry = $2 AND l.application = a.id)))";
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

/// Like [`application_by_id`], in a transaction.
pub(crate) async fn application_by_id_in(
    tx: &mut Tx,
    id: ApplicationId,
) -> Result<Option<Application>, Error> {
    tx.optional(BY_ID, params![id]).await
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
