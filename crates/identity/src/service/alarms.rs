//! Alarms, as administrators see them.

use naru_kernel::{Action, Actor, Page, PageRequest, Scope};

use super::Identity;
use crate::{Error, answers::AlarmRow, store};

impl Identity {
    /// The alarms of the actor's ministry, newest first.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn alarms(&self, actor: &Actor, page: &PageRequest) -> Result<Page<AlarmRow>, Error> {
        actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry))?;
        let (mut alarms, total) = store::alarms::list(&self.db, actor.ministry, page).await?;
        let next = super::people::next_of(&mut alarms, page, |alarm| alarm.id.to_string());
        Ok(Page {
            items: alarms.into_iter().map(AlarmRow::from).collect(),
            next,
            total,
        })
    }
}
