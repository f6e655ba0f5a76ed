//! What the site's rules say of opening a desktop.

use naru_kernel::{
    Actor, Zone,
    access::{AccessDecision, AccessQuestion, Device, Label, Resource},
};
use naru_store::Tx;

use super::Desktops;
use crate::Error;

/// What the rules answered: the ones that allow it, or why not.
pub(super) type Ruling = Result<Vec<String>, Error>;

/// Notes what decided, and ends there where that was a refusal.
pub(super) fn ruled(tx: &mut Tx, ruling: Ruling) -> Result<(), Error> {
    match ruling {
        Ok(because) => {
            tx.note("because", because);
            Ok(())
        }
        Err(error) => {
            if let Error::RulesForbid(because) = &error {
                tx.note("because", because.clone());
            }
            if let Error::StepUp(assurance) = &error {
                tx.note("assurance", assurance.as_str());
            }
            Err(error)
        }
    }
}

impl Desktops {
    /// How secret what a zone's desktops hold is; `None` for a zone there is none of.
    #[must_use]
    pub fn secrecy(&self, zone: &Zone) -> Option<Label> {
        self.parts.config.zones.get(zone).map(|config| config.secrecy)
    }

    /// Asks the site's rules; a refusal of theirs belongs into the record.
    ///
    /// # Errors
    /// When they cannot be asked.
    pub(super) async fn ruling(&self, actor: &Actor, address: &str, zone: &Zone) -> Result<Ruling, Error> {
        let label = self.zone(zone)?.secrecy;
        let standing = self.parts.people.standing(actor.clone()).await;
        let standing = standing.ok_or(Error::NoSeat)?;
        let question = AccessQuestion {
            actor: actor.clone(),
            groups: standing.groups,
            unit: standing.unit,
            assurance: standing.assurance,
            resource: Resource::Desktop {
                zone: zone.clone(),
                label,
            },
            zone: None,
            device: Device::Unknown,
            address: address.to_owned(),
            at: self.now(),
        };
        Ok(match self.parts.rules.decide(question).await? {
            AccessDecision::Allowed { because } => Ok(because),
            AccessDecision::Denied {
                step_up: Some(assurance),
                ..
            } => Err(Error::StepUp(assurance)),
            AccessDecision::Denied { because, .. } => Err(Error::RulesForbid(because)),
        })
    }
}
