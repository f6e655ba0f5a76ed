//! Which applications know something of a person, and taking that away.

use naru_kernel::{Actor, ApplicationId};
use naru_runtime::Client;
use naru_store::By;

use super::Applications;
use crate::{Error, Refusal, answers::AccessRow, store};

impl Applications {
    /// Applications the person gave access to, or is signed on to, used last first.
    ///
    /// # Errors
    /// When the person or the session is over, or the store fails.
    pub async fn accesses(&self, actor: &Actor) -> Result<Vec<AccessRow>, Error> {
        let language = self.asker(actor).await?.subject.language;
        let given = store::grants::access_of(&self.parts.db, actor.person, self.now()).await?;
        let mut rows = Vec::new();
        for access in given {
            let application =
                store::applications::application_by_id(&self.parts.db, access.application).await?;
            let Some(application) = application else { continue };
            rows.push((
                application.ministry,
                AccessRow {
                    application: application.id,
                    name: application.name.of(&language).to_owned(),
                    ministry_name: String::new(),
                    scopes: access.scopes.split_whitespace().map(str::to_owned).collect(),
                    granted_at: access.granted_at,
                    last_used_at: Some(access.last_used_at),
                },
            ));
        }
        let owners = rows
            .iter()
            .map(|(ministry, _)| *ministry)
            .collect::<std::collections::BTreeSet<_>>();
        let names = self.parts.people.ministries(owners.into_iter().collect()).await?;
        Ok(rows
            .into_iter()
            .map(|(ministry, row)| AccessRow {
                ministry_name: names
                    .get(&ministry)
                    .map(|facts| facts.name(&language).to_owned())
                    .unwrap_or_default(),
                ..row
            })
            .collect())
    }

    /// Takes an application's access away: consent, grants and tokens. It hears that the person is signed off.
    ///
    /// # Errors
    /// [`Refusal::NoSuchAccess`] when there was none.
    pub async fn take_access_away(
        &self,
        actor: &Actor,
        id: ApplicationId,
        client: &Client,
    ) -> Result<(), Error> {
        let by = By::Person(actor.person, actor.logon);
        let act = self.act(
            "applications.take-access-away",
            by,
            Some(actor.ministry),
            &client.address,
        );
        let (person, now) = (actor.person, act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                if !store::grants::end_of_application(tx, person, id, now).await? {
                    return Ok(Err(Refusal::NoSuchAccess));
                }
                Ok(Ok(()))
            })
        })
        .await?;
        self.wake();
        Ok(())
    }
}
