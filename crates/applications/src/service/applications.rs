//! The applications of a ministry, as its administrators see and change them. What belongs to another ministry is not there.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use naru_kernel::{Action, Actor, ApplicationId, Page, Scope, Tenant};
use naru_runtime::Client;
use serde_json::{Value as Json, json};

use super::{Applications, Verdict, granted};
use crate::{
    Error, Refusal,
    answers::{
        ApplicationDetail, ApplicationRow, AudienceView, Endpoints, ListQuery, NamedMinistry, SecretMade,
        icon_of,
    },
    model::{Application, Icon, Protocol, Words},
    rules::{
        Wrong,
        changes::difference,
        fields::pattern,
        form::{ApplicationForm, Draft},
    },
    store::{
        self,
        applications::{Order, Wanted},
    },
};

/// Applications of one ministry.
const APPLICATIONS_MAX: i64 = 500;
/// A client's secret.
const SECRET_BYTES: usize = 32;

fn order(sort: Option<&str>) -> Result<Order, Wrong> {
    match sort {
        None | Some("name") => Ok(Order::Name),
        Some("-name") => Ok(Order::NameDown),
        Some("changed") => Ok(Order::Change),
        Some("-changed") => Ok(Order::ChangeDown),
        Some(_) => Err(Wrong::new("sort", "is name, -name, changed or -changed")),
    }
}

impl Applications {
    /// Applications of the actor's ministry.
    ///
    /// # Errors
    /// When the actor may not, the order is unknown, or the store fails.
    pub async fn list(&self, actor: &Actor, query: &ListQuery) -> Result<Page<ApplicationRow>, Error> {
        actor.may(Action::ManageApplications, Scope::Ministry(actor.ministry))?;
        let wanted = Wanted {
            pattern: pattern(query.search.as_deref()),
            kind: query.kind.map(crate::model::ApplicationSort::as_str),
            after: query.after.as_deref(),
            rows: query.rows(),
            order: order(query.sort.as_deref()).map_err(Refusal::from)?,
        };
        let (mut listed, total) = store::applications::list(&self.parts.db, actor.tenant(), &wanted).await?;
        let next = super::next_of(&mut listed, wanted.rows, |row| row.id.to_string());
        let items = listed.into_iter().map(|row| ApplicationRow {
            id: row.id,
            kind: row.kind,
            name: row.name,
            group: row.group,
            label: row.label,
            audience: row.audience,
            state: row.state,
            changed_at: row.changed_at,
        });
        Ok(Page {
            items: items.collect(),
            next,
            total,
        })
    }

    /// An application of the actor's ministry, whole.
    ///
    /// # Errors
    /// When the actor may not, or there is none in the ministry.
    pub async fn application(&self, actor: &Actor, id: ApplicationId) -> Result<ApplicationDetail, Error> {
        actor.may(Action::ManageApplications, Scope::Ministry(actor.ministry))?;
        let application = store::applications::of_ministry(&self.parts.db, actor.tenant(), id).await?;
        self.detail(application.ok_or(Refusal::NoSuchApplication)?).await
    }

    async fn detail(&self, application: Application) -> Result<ApplicationDetail, Error> {
        let offered = application.audience.ministries.clone();
        let names = if offered.is_empty() {
            std::collections::BTreeMap::new()
        } else {
            self.parts.people.ministries(offered.clone()).await?
        };
        let ministries = offered.into_iter().filter_map(|ministry| {
            names.get(&ministry).map(|facts| NamedMinistry {
                ministry,
                name: Words {
                    ko: facts.name_ko.clone(),
                    en: facts.name_en.clone(),
                },
            })
        });
        let issuer = self.config().issuer();
        Ok(ApplicationDetail {
            icon: icon_of(&application),
            audience: AudienceView {
                kind: application.audience.kind,
                ministries: ministries.collect(),
            },
            endpoints: Endpoints {
                issuer: issuer.to_owned(),
                discovery: format!("{issuer}/.well-known/openid-configuration"),
                saml_metadata: format!("{issuer}/sso/saml/metadata"),
            },
            id: application.id,
            name: application.name,
            description: application.description,
            group: application.group,
            place: application.place,
            label: application.label,
            state: application.state,
            protocol: application.protocol,
            has_secret: application.secret_sha256.is_some(),
            created_at: application.created_at,
            changed_at: application.changed_at,
        })
    }

    /// Adds an application to the actor's ministry.
    ///
    /// # Errors
    /// When the actor may not, a field is wrong, a ministry of the list is unknown, or the entity identifier is taken.
    pub async fn create(
        &self,
        actor: &Actor,
        form: ApplicationForm,
        client: &Client,
    ) -> Result<ApplicationDetail, Error> {
        let act = self.admin_act(
            Action::ManageApplications,
            "applications.create-application",
            actor,
            client,
        )?;
        let draft = match self.checked(form, actor.tenant()).await? {
            Ok(draft) => draft,
            Err(refusal) => return Err(self.refuse(act, refusal, json!({})).await),
        };
        let id = self.create_in(act, actor.tenant(), draft).await?;
        self.application(actor, id).await
    }

    /// The form, checked; the ministries it lists must be there.
    pub(super) async fn checked(
        &self,
        form: ApplicationForm,
        tenant: Tenant,
    ) -> Result<Verdict<Draft>, Error> {
        let draft = granted!(Draft::of(form, tenant.ministry()));
        let listed = &draft.audience.ministries;
        if !listed.is_empty() {
            let known = self.parts.people.ministries(listed.clone()).await?;
            if known.len() != listed.len() {
                return Ok(Err(Refusal::NoSuchMinistry));
            }
        }
        Ok(Ok(draft))
    }

    pub(super) async fn create_in(
        &self,
        act: naru_store::Act,
        tenant: Tenant,
        draft: Draft,
    ) -> Result<ApplicationId, Error> {
        let now = act.at;
        let application = Application {
            id: ApplicationId::new(now, self.parts.entropy.as_ref()),
            ministry: tenant.ministry(),
            name: draft.name,
            description: draft.description,
            group: draft.group,
            place: draft.place,
            icon: draft.icon.unwrap_or(Icon::Named(String::new())),
            label: draft.label,
            audience: draft.audience,
            state: draft.state,
            protocol: draft.protocol,
            secret_sha256: None,
            created_at: now,
            changed_at: now,
        };
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(application.id);
                tx.note("after", told(&application)?);
                if store::applications::count(tx, tenant).await? >= APPLICATIONS_MAX {
                    return Ok(Err(Refusal::TooMany));
                }
                if !store::applications::insert(tx, &application).await? {
                    return Ok(Err(Refusal::EntityTaken));
                }
                Ok(Ok(application.id))
            })
        })
        .await
    }

    /// Replaces an application; its kind stays. A secret that is not used any more is forgotten.
    ///
    /// # Errors
    /// When the actor may not, there is none, a field is wrong, or the entity identifier is taken.
    pub async fn change(
        &self,
        actor: &Actor,
        id: ApplicationId,
        form: ApplicationForm,
        client: &Client,
    ) -> Result<ApplicationDetail, Error> {
        let act = self.admin_act(
            Action::ManageApplications,
            "applications.change-application",
            actor,
            client,
        )?;
        let tenant = actor.tenant();
        if store::applications::of_ministry(&self.parts.db, tenant, id)
            .await?
            .is_none()
        {
            return Err(Refusal::NoSuchApplication.into());
        }
        let draft = match self.checked(form, tenant).await? {
            Ok(draft) => draft,
            Err(refusal) => return Err(self.refuse(act, refusal, json!({})).await),
        };
        if let Protocol::Saml(saml) = &draft.protocol
            && store::applications::is_entity_taken(&self.parts.db, &saml.entity_id, id).await?
        {
            return Err(self.refuse(act, Refusal::EntityTaken, json!({})).await);
        }
        let now = act.at;
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let before = store::applications::of_ministry_in(tx, tenant, id).await?;
                let before = granted!(before.ok_or(Refusal::NoSuchApplication));
                if before.protocol.sort() != draft.protocol.sort() {
                    return Ok(Err(Refusal::KindStays));
                }
                let after = Application {
                    name: draft.name,
                    description: draft.description,
                    group: draft.group,
                    place: draft.place,
                    icon: draft.icon.unwrap_or_else(|| before.icon.clone()),
                    label: draft.label,
                    audience: draft.audience,
                    state: draft.state,
                    protocol: draft.protocol,
                    changed_at: now,
                    ..before.clone()
                };
                let (was, is) = difference(&told(&before)?, &told(&after)?);
                tx.note("before", was);
                tx.note("after", is);
                store::applications::update(tx, tenant, &after).await?;
                if after.secret_sha256.is_some() && !wants_secret(&after) {
                    tx.note("secret", "forgotten");
                    store::applications::set_secret(tx, tenant, id, None, now).await?;
                }
                Ok(Ok(()))
            })
        })
        .await?;
        self.application(actor, id).await
    }

    /// Takes an application away, with tiles, grants and tokens: those of other ministries' people too, by the tables' own
    /// rule (`ON DELETE CASCADE`). It is not told that anyone is signed off, for nobody knows it any more.
    ///
    /// # Errors
    /// When the actor may not, or there is none.
    pub async fn remove(&self, actor: &Actor, id: ApplicationId, client: &Client) -> Result<(), Error> {
        let act = self.admin_act(
            Action::ManageApplications,
            "applications.remove-application",
            actor,
            client,
        )?;
        let tenant = actor.tenant();
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let before = store::applications::of_ministry_in(tx, tenant, id).await?;
                let before = granted!(before.ok_or(Refusal::NoSuchApplication));
                tx.note("before", told(&before)?);
                store::applications::remove(tx, tenant, id).await?;
                Ok(Ok(()))
            })
        })
        .await
    }

    /// Makes a new secret, which is shown this once; the one before is worth nothing from now on.
    ///
    /// # Errors
    /// When the actor may not, there is none, or it proves itself in another way.
    pub async fn make_secret(
        &self,
        actor: &Actor,
        id: ApplicationId,
        client: &Client,
    ) -> Result<SecretMade, Error> {
        let act = self.admin_act(
            Action::ManageApplications,
            "applications.make-secret",
            actor,
            client,
        )?;
        let (tenant, now) = (actor.tenant(), act.at);
        let (secret, sha256) = self.new_secret();
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let application = store::applications::of_ministry_in(tx, tenant, id).await?;
                let application = granted!(application.ok_or(Refusal::NoSuchApplication));
                if !wants_secret(&application) {
                    return Ok(Err(Refusal::NoSecret));
                }
                tx.note("had_one", application.secret_sha256.is_some());
                store::applications::set_secret(tx, tenant, id, Some(sha256), now).await?;
                Ok(Ok(()))
            })
        })
        .await?;
        Ok(SecretMade { secret })
    }
}

impl Applications {
    /// A secret, and what is kept of it.
    pub(super) fn new_secret(&self) -> (String, Vec<u8>) {
        let mut bits = [0_u8; SECRET_BYTES];
        self.parts.entropy.fill(&mut bits);
        let secret = URL_SAFE_NO_PAD.encode(bits);
        let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
        (secret, sha256.as_ref().to_vec())
    }
}

pub(super) fn wants_secret(application: &Application) -> bool {
    use crate::model::ClientProof::{ClientSecretBasic, ClientSecretPost};
    application
        .oidc()
        .is_some_and(|oidc| matches!(oidc.client_proof, ClientSecretBasic | ClientSecretPost))
}

/// An application as the record tells it: no secret, and of a picture only that there is one.
fn told(application: &Application) -> Result<Json, Error> {
    let icon = match &application.icon {
        Icon::Named(name) => json!(name),
        Icon::Png(png) => {
            let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, png);
            json!({ "png_sha256": hex::encode(sha256) })
        }
    };
    Ok(json!({
        "name": application.name,
        "description": application.description,
        "group": application.group,
        "place": application.place,
        "icon": icon,
        "label": application.label,
        "audience": application.audience.kind,
        "offered_to": application.audience.ministries,
        "state": application.state,
        "protocol": serde_json::to_value(&application.protocol)?,
    }))
}
