//! What the routes answer.

use naru_kernel::{ApplicationId, MinistryId, NoticeId, Timestamp, access::Label};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    Application, ApplicationSort, ApplicationState, AudienceKind, Icon, Notice, Protocol, Words,
};

/// A list that is always whole.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Items<T> {
    /// The rows.
    pub items: Vec<T>,
}

/// An application in the list of its ministry.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ApplicationRow {
    /// Its identifier.
    pub id: ApplicationId,
    /// How it is opened.
    pub kind: ApplicationSort,
    /// Name.
    pub name: Words,
    /// The heading its tile stands under.
    pub group: Words,
    /// How secret what it holds is.
    pub label: Label,
    /// To whom it is offered.
    pub audience: AudienceKind,
    /// Whether it may be opened.
    pub state: ApplicationState,
    /// Changed last.
    pub changed_at: Timestamp,
}

/// To whom an application is offered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AudienceView {
    /// Which sort.
    pub kind: AudienceKind,
    /// The other ministries of the list, with their names.
    pub ministries: Vec<NamedMinistry>,
}

/// A ministry and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamedMinistry {
    /// Which.
    pub ministry: MinistryId,
    /// Name.
    pub name: Words,
}

/// An application, whole, as its administrators see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ApplicationDetail {
    /// Its identifier, and the `client_id` of an OpenID Connect client.
    pub id: ApplicationId,
    /// Name.
    pub name: Words,
    /// What it is for.
    pub description: Words,
    /// The heading its tile stands under.
    pub group: Words,
    /// Place among the tiles.
    pub place: i64,
    /// Its picture: the name of one of the pages' own, or a path that answers a PNG.
    pub icon: String,
    /// How secret what it holds is.
    pub label: Label,
    /// To whom it is offered.
    pub audience: AudienceView,
    /// Whether it may be opened.
    pub state: ApplicationState,
    /// How it is opened.
    pub protocol: Protocol,
    /// Whether a secret was made.
    pub has_secret: bool,
    /// What the application must be told of this platform.
    pub endpoints: Endpoints,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed last.
    pub changed_at: Timestamp,
}

/// What an application must be told of this platform.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Endpoints {
    /// The issuer of tokens.
    pub issuer: String,
    /// Where OpenID Connect clients find everything else.
    pub discovery: String,
    /// The metadata of the SAML identity provider.
    pub saml_metadata: String,
}

/// A secret, shown once.
#[derive(Clone, Serialize, JsonSchema)]
pub struct SecretMade {
    /// Only its hash is kept.
    pub secret: String,
}

/// What an application looks like on the portal page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tile {
    /// Which.
    pub application: ApplicationId,
    /// How it is opened.
    pub kind: ApplicationSort,
    /// Name, in the person's language.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name of one of the pages' own pictures, or a path (it begins with `/`) that answers a PNG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Where a link leads, or the page of a desktop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whose it is, where that is another ministry than the person's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ministry_name: Option<String>,
    /// Whether the person marked it.
    pub favourite: bool,
    /// When the person opened it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_opened_at: Option<Timestamp>,
}

/// Tiles under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TileGroup {
    /// The heading; empty for tiles that have none.
    pub name: String,
    /// The tiles, in their order.
    pub tiles: Vec<Tile>,
}

/// A ministry as its people's portal page shows it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PortalMinistry {
    /// Name.
    pub name: String,
    /// A path that answers a PNG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// `#rrggbb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
}

/// A notice as people read it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PortalNotice {
    /// Which.
    pub notice: NoticeId,
    /// Heading.
    pub title: String,
    /// Text, several lines.
    pub body: String,
    /// Whether it stands first.
    pub urgent: bool,
    /// Since when it hangs there.
    pub at: Timestamp,
}

/// A person's portal page.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PortalPage {
    /// Their ministry.
    pub ministry: PortalMinistry,
    /// What hangs on its board now, urgent first.
    pub notices: Vec<PortalNotice>,
    /// All tiles (or those that were searched for), grouped.
    pub groups: Vec<TileGroup>,
    /// The person's favourites.
    pub favourites: Vec<ApplicationId>,
    /// What they opened last, newest first.
    pub recent: Vec<Tile>,
    /// Whether there are more tiles than are shown: search for them.
    pub more: bool,
}

/// Where to go.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Way {
    /// An address, or a page of ours (it begins with `#/` or `/`).
    pub url: String,
}

/// An application that may act with a person's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessRow {
    /// Which.
    pub application: ApplicationId,
    /// Name, in the person's language.
    pub name: String,
    /// Whose it is.
    pub ministry_name: String,
    /// What it may.
    pub scopes: Vec<String>,
    /// Since when.
    pub granted_at: Timestamp,
    /// Used last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// A ministry as its administrators see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MinistryCorner {
    /// Which.
    pub ministry: MinistryId,
    /// Name.
    pub name: Words,
    /// Its digits.
    pub agency_code: String,
    /// `#rrggbb`.
    pub colour: Option<String>,
    /// A path that answers a PNG.
    pub logo: Option<String>,
}

/// A notice as administrators see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NoticeRow {
    /// Its identifier.
    pub id: NoticeId,
    /// Heading.
    pub title: Words,
    /// Text.
    pub body: Words,
    /// Whether it stands first.
    pub urgent: bool,
    /// From when it hangs there.
    pub shown_from: Timestamp,
    /// Until when, if it ends.
    pub shown_until: Option<Timestamp>,
    /// When it was written.
    pub created_at: Timestamp,
    /// Changed last.
    pub changed_at: Timestamp,
}

impl From<Notice> for NoticeRow {
    fn from(notice: Notice) -> Self {
        Self {
            id: notice.id,
            title: notice.title,
            body: notice.body,
            urgent: notice.is_urgent,
            shown_from: notice.shown_from,
            shown_until: notice.shown_until,
            created_at: notice.created_at,
            changed_at: notice.changed_at,
        }
    }
}

/// Where a tile's own picture is; it changes with the application, so that it may be kept.
pub(crate) fn icon_path(application: ApplicationId, changed_at: Timestamp) -> String {
    format!("/api/v1/portal/icons/{application}?at={}", changed_at.as_micros())
}

/// A picture as pages take it.
pub(crate) fn icon_of(application: &Application) -> String {
    match &application.icon {
        Icon::Named(name) => name.clone(),
        Icon::Png(_) => icon_path(application.id, application.changed_at),
    }
}

/// The parameters of a list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// How many rows at most.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Text to search for.
    pub search: Option<String>,
    /// `name`, `-name`, `changed` or `-changed`; notices: `shown` or `-shown`.
    pub sort: Option<String>,
    /// Of applications: only of this kind.
    pub kind: Option<ApplicationSort>,
}

impl ListQuery {
    /// The number of rows to read.
    pub(crate) fn rows(&self) -> i64 {
        let page = naru_kernel::PageRequest {
            limit: self.limit,
            ..naru_kernel::PageRequest::default()
        };
        page.rows()
    }
}
