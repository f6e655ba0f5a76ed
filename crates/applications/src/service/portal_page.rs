//! A person's portal page: what their ministry offers them, what they marked, what they opened last.

use naru_kernel::{Actor, ApplicationId, access::AccessDecision};
use naru_runtime::Client;
use naru_store::By;
use serde_json::json;

use super::{Applications, asking::Asker};
use crate::{
    Error, Refusal,
    answers::{PortalMinistry, PortalNotice, PortalPage, Tile, Way, icon_path},
    model::{Application, DesktopSettings, Icon, LinkSettings, Protocol},
    rules::{fields::pattern, tiles},
    store::{self, tiles::TileOf},
};

/// Tiles on one page; more are found by searching.
const TILES_MAX: i64 = 400;
/// Notices on one page.
const NOTICES_MAX: i64 = 20;
/// Tiles a person may mark.
const FAVOURITES_MAX: i64 = 100;

impl Applications {
    /// The person's portal page. A search narrows the groups; favourites and recent are of what was found.
    ///
    /// # Errors
    /// When the person or the session is over, or the store fails.
    pub async fn portal_page(&self, actor: &Actor, search: Option<&str>) -> Result<PortalPage, Error> {
        let Asker { subject, .. } = self.asker(actor).await?;
        let (db, tenant, language) = (&self.parts.db, actor.tenant(), subject.language.as_str());
        let pattern = pattern(search);
        let mut found =
            store::tiles::offered(db, tenant, actor.person, &pattern, TILES_MAX.saturating_add(1)).await?;
        let more = super::next_of(&mut found, TILES_MAX, |_| String::new()).is_some();
        let mut others: Vec<_> = found
            .iter()
            .map(|tile| tile.ministry)
            .filter(|ministry| *ministry != actor.ministry)
            .collect();
        others.sort();
        others.dedup();
        let names = if others.is_empty() {
            std::collections::BTreeMap::new()
        } else {
            self.parts.people.ministries(others).await?
        };
        let tiles: Vec<(String, Tile)> = found
            .into_iter()
            .map(|tile| {
                let owner = names
                    .get(&tile.ministry)
                    .map(|facts| facts.name(language).to_owned());
                (tile.group.of(language).to_owned(), shown(tile, owner, language))
            })
            .collect();
        let favourites = tiles.iter().filter(|(_, tile)| tile.favourite);
        let favourites = favourites.map(|(_, tile)| tile.application).collect();
        let recent = tiles::recent(tiles.iter().map(|(_, tile)| tile));
        let look = store::corner::look(db, tenant).await?;
        let name = if language == "en" {
            subject.ministry_name_en.clone()
        } else {
            subject.ministry_name_ko.clone()
        };
        let notices = store::corner::shown(db, tenant, self.now(), NOTICES_MAX).await?;
        Ok(PortalPage {
            ministry: PortalMinistry {
                name,
                logo: super::corner::logo_path(&look),
                colour: look.colour,
            },
            notices: notices
                .into_iter()
                .map(|notice| PortalNotice {
                    notice: notice.id,
                    title: notice.title.of(language).to_owned(),
                    body: notice.body.of(language).to_owned(),
                    urgent: notice.is_urgent,
                    at: notice.shown_from,
                })
                .collect(),
            groups: tiles::grouped(tiles),
            favourites,
            recent,
            more,
        })
    }

    /// Marks a tile, or takes the mark away.
    ///
    /// # Errors
    /// When it is not offered to the person's ministry, or too many are marked.
    pub async fn set_favourite(
        &self,
        actor: &Actor,
        id: ApplicationId,
        is_favourite: bool,
        client: &Client,
    ) -> Result<(), Error> {
        // Everyone who is signed in has a portal page, whatever their role.
        if actor.roles.is_empty() {
            return Err(Refusal::Denied.into());
        }
        if !store::applications::is_offered(&self.parts.db, id, actor.ministry).await? {
            return Err(Refusal::NoSuchApplication.into());
        }
        let by = By::Person(actor.person, actor.logon);
        let act = self.act(
            "applications.mark-favourite",
            by,
            Some(actor.ministry),
            &client.address,
        );
        let (tenant, person) = (actor.tenant(), actor.person);
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                tx.note("favourite", is_favourite);
                if is_favourite && store::tiles::favourites(tx, tenant, person).await? >= FAVOURITES_MAX {
                    return Ok(Err(Refusal::TooMany));
                }
                store::tiles::set_favourite(tx, tenant, (person, id), is_favourite).await?;
                Ok(Ok(()))
            })
        })
        .await
    }

    /// Opens an application: asks the site's rules, remembers it, and tells where to go.
    ///
    /// # Errors
    /// [`Refusal::NoSuchApplication`], [`Refusal::Paused`], [`Refusal::Forbidden`], [`Refusal::StepUp`] or
    /// [`Refusal::NotOpenable`]; the last four are recorded.
    pub async fn open(&self, actor: &Actor, id: ApplicationId, client: &Client) -> Result<Way, Error> {
        let asker = self.asker(actor).await?;
        let application = store::applications::application_by_id(&self.parts.db, id).await?;
        let application = application.ok_or(Refusal::NoSuchApplication)?;
        let by = By::Person(actor.person, actor.logon);
        let mut act = self.act("applications.open", by, Some(actor.ministry), &client.address);
        act.subject = id.to_string();
        let because = match self.may_open(&asker, &application, client).await {
            Ok(AccessDecision::Allowed { because }) => because,
            Ok(AccessDecision::Denied {
                because,
                step_up: None,
            }) => {
                let detail = json!({ "because": because });
                return Err(self.refuse(act, Refusal::Forbidden { because }, detail).await);
            }
            Ok(AccessDecision::Denied {
                step_up: Some(assurance),
                because,
            }) => {
                let detail = json!({ "because": because, "assurance": assurance });
                return Err(self.refuse(act, Refusal::StepUp(assurance), detail).await);
            }
            Err(Error::Refused(Refusal::Paused)) => {
                return Err(self.refuse(act, Refusal::Paused, json!({})).await);
            }
            Err(error) => return Err(error),
        };
        let url = match self.way_to(&asker, &application, client).await {
            Ok(url) => url,
            Err(Error::Refused(refusal)) => return Err(self.refuse(act, refusal, json!({})).await),
            Err(error) => return Err(error),
        };
        let (tenant, person, now) = (actor.tenant(), actor.person, act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                tx.note("kind", application.protocol.sort().as_str());
                tx.note("because", because);
                store::tiles::opened(tx, tenant, (person, id), now).await?;
                Ok(Ok(Way { url }))
            })
        })
        .await
    }

    /// Where a tile leads.
    async fn way_to(
        &self,
        asker: &Asker,
        application: &Application,
        client: &Client,
    ) -> Result<String, Error> {
        match &application.protocol {
            Protocol::Link(LinkSettings { url }) => Ok(url.clone()),
            Protocol::Desktop(settings) => Ok(desktop_page(settings)),
            Protocol::Oidc(oidc) => {
                let start = oidc.initiate_login_uri.as_deref().ok_or(Refusal::NotOpenable)?;
                let mut url = url::Url::parse(start).map_err(|_| Refusal::NotOpenable)?;
                // OpenID Connect Core 1.0, 4: the application begins the log-on, and is told with whom.
                url.query_pairs_mut().append_pair("iss", self.config().issuer());
                Ok(url.into())
            }
            Protocol::Saml(_) => self.saml_unasked(asker, application, client).await,
        }
    }

    /// The picture of an application that is offered to the person's ministry, or its own.
    ///
    /// # Errors
    /// When there is no such application for this person.
    pub async fn icon(&self, actor: &Actor, id: ApplicationId) -> Result<Option<Vec<u8>>, Error> {
        if !store::applications::is_offered(&self.parts.db, id, actor.ministry).await? {
            return Err(Refusal::NoSuchApplication.into());
        }
        let application = store::applications::application_by_id(&self.parts.db, id).await?;
        Ok(match application.ok_or(Refusal::NoSuchApplication)?.icon {
            Icon::Png(png) => Some(png),
            Icon::Named(_) => None,
        })
    }
}

/// The page of ours that opens a desktop of this zone.
fn desktop_page(settings: &DesktopSettings) -> String {
    format!(
        "#/desktop?zone={}&protocol={}",
        settings.zone,
        settings.protocol.as_str()
    )
}

fn shown(tile: TileOf, owner: Option<String>, language: &str) -> Tile {
    let description = tile.description.of(language);
    let url = match serde_json::from_str(&tile.settings) {
        Ok(Protocol::Link(LinkSettings { url })) => Some(url),
        Ok(Protocol::Desktop(settings)) => Some(desktop_page(&settings)),
        Ok(Protocol::Oidc(_) | Protocol::Saml(_)) | Err(_) => None,
    };
    let icon = if tile.has_png {
        Some(icon_path(tile.application, tile.changed_at))
    } else {
        Some(tile.icon.clone()).filter(|icon| !icon.is_empty())
    };
    Tile {
        application: tile.application,
        kind: tile.kind,
        name: tile.name.of(language).to_owned(),
        description: Some(description.to_owned()).filter(|text| !text.is_empty()),
        icon,
        url,
        ministry_name: owner,
        favourite: tile.is_favourite,
        last_opened_at: tile.opened_at,
    }
}
