//! What people see of their own log-ons, and alarms about them.

use naru_kernel::{Actor, Page, PageRequest};

use super::{Identity, people::next_of};
use crate::{
    Error,
    answers::{AlarmRow, LogOnRow},
    store,
};

impl Identity {
    /// The person's own attempts to log on, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn log_ons(&self, actor: &Actor, page: &PageRequest) -> Result<Page<LogOnRow>, Error> {
        let person = store::people::person(&self.db, actor.person).await?;
        let is_english = person.is_some_and(|person| person.language == "en");
        let (mut attempts, total) = store::attempts::list(&self.db, actor.person, page).await?;
        let next = next_of(&mut attempts, page, |attempt| attempt.id.to_string());
        let items = attempts.into_iter().map(|attempt| LogOnRow {
            at: attempt.at,
            address: attempt.address,
            place: attempt.place.map(|(ko, en)| if is_english { en } else { ko }),
            device: attempt.device,
            is_new_device: attempt.is_new_device,
            method: attempt.method,
            assurance: attempt.assurance,
            outcome: attempt.outcome,
        });
        Ok(Page {
            items: items.collect(),
            next,
            total,
        })
    }

    /// Alarms about the person, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn own_alarms(&self, actor: &Actor, page: &PageRequest) -> Result<Page<AlarmRow>, Error> {
        let (mut alarms, total) = store::alarms::own(&self.db, actor.person, page).await?;
        let next = next_of(&mut alarms, page, |alarm| alarm.id.to_string());
        Ok(Page {
            items: alarms.into_iter().map(AlarmRow::from).collect(),
            next,
            total,
        })
    }
}
