//! What a person sees and made of their portal page.

use naru_kernel::{ApplicationId, MinistryId, PersonId, Tenant, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;
use crate::model::{ApplicationSort, Words};

naru_store::sql! {
    OFFERED = "SELECT a.id, a.ministry, a.kind, a.name_ko, a.name_en, a.description_ko, a.description_en, a.group_ko, \
               a.group_en, a.icon, a.changed_at, \
               CASE WHEN a.icon_png IS NULL THEN FALSE ELSE TRUE END AS has_png, \
               CASE WHEN a.kind IN ('link', 'desktop') THEN a.settings ELSE '' END AS settings, \
               COALESCE(u.is_favourite, FALSE) AS is_favourite, u.opened_at \
               FROM (SELECT o.id FROM applications o WHERE o.ministry = $1 \
               UNION SELECT o.id FROM applications o WHERE o.audience = 'platform' \
               UNION SELECT l.application AS id FROM application_audiences l WHERE l.offered_to = $1) offered \
               JOIN applications a ON a.id = offered.id \
               LEFT JOIN tile_uses u ON u.ministry = $1 AND u.person = $2 AND u.application = a.id \
               WHERE a.state = 'active' AND a.search_text LIKE $3 ESCAPE '\\' \
               ORDER BY a.place, a.name_ko, a.id LIMIT $4";
    FAVOURITE = "INSERT INTO tile_uses (ministry, person, application, is_favourite) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (ministry, person, application) DO UPDATE SET is_favourite = excluded.is_favourite";
    OPENED = "INSERT INTO tile_uses (ministry, person, application, is_favourite, opened_at) \
              VALUES ($1, $2, $3, FALSE, $4) \
              ON CONFLICT (ministry, person, application) DO UPDATE SET opened_at = excluded.opened_at";
    FAVOURITES = "SELECT COUNT(*) AS n FROM tile_uses WHERE ministry = $1 AND person = $2 AND is_favourite";
}

/// A tile as the tables hold it.
pub(crate) struct TileOf {
    pub(crate) application: ApplicationId,
    pub(crate) ministry: MinistryId,
    pub(crate) kind: ApplicationSort,
    pub(crate) name: Words,
    pub(crate) description: Words,
    pub(crate) group: Words,
    pub(crate) icon: String,
    pub(crate) has_png: bool,
    /// Of links and desktops only.
    pub(crate) settings: String,
    pub(crate) is_favourite: bool,
    pub(crate) opened_at: Option<Timestamp>,
    pub(crate) changed_at: Timestamp,
}

impl FromRow for TileOf {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let words = |ko: &str, en: &str| {
            Ok::<_, Error>(Words {
                ko: row.get(ko)?,
                en: row.get(en)?,
            })
        };
        Ok(Self {
            application: row.get("id")?,
            ministry: row.get("ministry")?,
            kind: word(row, "kind")?,
            name: words("name_ko", "name_en")?,
            description: words("description_ko", "description_en")?,
            group: words("group_ko", "group_en")?,
            icon: row.get("icon")?,
            has_png: row.get("has_png")?,
            settings: row.get("settings")?,
            is_favourite: row.get("is_favourite")?,
            opened_at: row.get("opened_at")?,
            changed_at: row.get("changed_at")?,
        })
    }
}

/// Tiles of applications that are offered to the ministry, its own or others'. Looks across ministries, for what others
/// offer; the SQL says to whom.
pub(crate) async fn offered(
    db: &Db,
    to: Tenant,
    person: PersonId,
    pattern: &str,
    tiles_max: i64,
) -> Result<Vec<TileOf>, Error> {
    db.all(OFFERED, params![to.ministry(), person, pattern, tiles_max])
        .await
}

pub(crate) async fn set_favourite(
    tx: &mut Tx,
    tenant: Tenant,
    (person, application): (PersonId, ApplicationId),
    is_favourite: bool,
) -> Result<(), Error> {
    tx.exec(
        FAVOURITE,
        params![tenant.ministry(), person, application, is_favourite],
    )
    .await
    .map(drop)
}

/// How many favourites the person has.
pub(crate) async fn favourites(tx: &mut Tx, tenant: Tenant, person: PersonId) -> Result<i64, Error> {
    tx.one(FAVOURITES, params![tenant.ministry(), person]).await
}

/// Writes down that the person opened it just now.
pub(crate) async fn opened(
    tx: &mut Tx,
    tenant: Tenant,
    (person, application): (PersonId, ApplicationId),
    now: Timestamp,
) -> Result<(), Error> {
    tx.exec(OPENED, params![tenant.ministry(), person, application, now])
        .await
        .map(drop)
}
