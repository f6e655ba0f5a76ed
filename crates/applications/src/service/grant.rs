//! Grants: what an application is given for a person, written with its entry in the record.

use naru_kernel::{Seconds, Tenant};
use naru_runtime::Client;
use naru_sso::oidc::scope::{OFFLINE_ACCESS, Scopes};
use naru_store::By;

use super::{Applications, asking::Asker, random};
use crate::{
    Error, Refusal,
    model::Application,
    store::{self, grants::GrantRow, tokens::NewToken},
};

/// A grant without offline access ends with its session; a session never lives longer than this.
const GRANT_LIFE: Seconds = Seconds::hours(24);
/// A grant with offline access.
const OFFLINE_LIFE: Seconds = Seconds::hours(30 * 24);
/// Open grants of one session at one application; the oldest end.
const GRANTS_PER_SESSION_MAX: i64 = 16;

/// A grant to write, with what goes along in the same transaction.
pub(crate) struct Writing {
    /// The grant.
    pub(crate) grant: GrantRow,
    /// Its first token.
    pub(crate) token: Option<NewToken>,
    /// The request it answers, by the hash of its handle: taken out, and only one can.
    pub(crate) request: Option<Vec<u8>>,
    /// The device it is for, by the hash of its code.
    pub(crate) device: Option<Vec<u8>>,
}

impl Applications {
    /// A grant for what this person does in this session.
    pub(crate) async fn new_grant(
        &self,
        owner: &Application,
        asker: &Asker,
        scopes: &Scopes,
    ) -> Result<GrantRow, Error> {
        let keys = self.keys().await?;
        let is_offline = scopes.has(OFFLINE_ACCESS);
        let life = if is_offline { OFFLINE_LIFE } else { GRANT_LIFE };
        Ok(GrantRow {
            id: random::name(self.parts.entropy.as_ref()),
            application: owner.id,
            owner_ministry: owner.ministry,
            person: asker.actor.person,
            person_ministry: asker.actor.ministry,
            logon: asker.actor.logon,
            subject: keys.subjects.subject(owner.ministry, asker.actor.person),
            session: keys.subjects.session(owner.ministry, asker.actor.logon),
            scopes: scopes.to_string(),
            claims: "{}".to_owned(),
            nonce: None,
            assurance: asker.logon.assurance,
            methods: asker.logon.amr.join(" "),
            authenticated_at: asker.logon.authenticated_at,
            key_thumbprint: None,
            is_offline,
            expires_at: self.now() + life,
            ended_at: None,
        })
    }

    /// Writes a grant, with an entry in the record of the person's ministry.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRequest`] when the request was answered meanwhile; or the store fails.
    pub(crate) async fn write_grant(
        &self,
        action: &'static str,
        writing: Writing,
        client: &Client,
    ) -> Result<(), Error> {
        let by = By::Person(writing.grant.person, writing.grant.logon);
        // Between two ministries: the platform's work, in the record of the person's ministry.
        let act = self.act(action, by, None, &client.address);
        let now = act.at;
        self.decide(act, move |tx| {
            Box::pin(async move {
                let grant = &writing.grant;
                tx.by(by, Some(grant.person_ministry));
                tx.about(grant.application);
                tx.note("owner", grant.owner_ministry.to_string());
                tx.note("scopes", grant.scopes.as_str());
                tx.note("assurance", grant.assurance.as_str());
                if let Some(request) = writing.request
                    && store::requests::take(tx, request, now).await?.is_none()
                {
                    return Ok(Err(Refusal::NoSuchRequest));
                }
                let (logon, application) = (grant.logon, grant.application);
                store::grants::end_beyond(tx, logon, application, GRANTS_PER_SESSION_MAX - 1, now).await?;
                store::grants::add(tx, grant, now).await?;
                if let Some(device) = writing.device
                    && !store::devices::allow(tx, device, &grant.id).await?
                {
                    return Err(Refusal::NoSuchDevice.into());
                }
                if let Some(token) = writing.token {
                    store::tokens::add(tx, token).await?;
                }
                store::grants::use_consent(tx, grant.person, application, now).await?;
                let tenant = Tenant::of(grant.person_ministry);
                store::tiles::opened(tx, tenant, (grant.person, application), now).await?;
                Ok(Ok(()))
            })
        })
        .await
    }
}
