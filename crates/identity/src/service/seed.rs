//! Many made-up ministries and people, for measuring how lists stand up to a whole government.

use naru_kernel::{MinistryId, PersonId, Tenant};

use super::{GrantForm, Identity};
use crate::{Error, Refusal, store};

/// People made in one transaction.
const PEOPLE_AT_ONCE: i64 = 25_000;
/// Ministries that are made at most.
const MINISTRIES_MAX: i64 = 10_000;
/// People that are made at most.
const PEOPLE_MAX: i64 = 2_000_000;

/// The ministry with this number.
fn ministry(number: i64) -> MinistryId {
    MinistryId::from_bits(decimal(number))
}

/// The bits whose hexadecimal digits are the decimal digits of a number, as the statements make identifiers.
fn decimal(number: i64) -> u128 {
    u128::from_str_radix(&number.to_string(), 16).unwrap_or_default()
}

impl Identity {
    /// Makes so many ministries with so many people each, all of them workers in units, in few statements; gives the
    /// ministries and one person of each. For an empty database that is thrown away after.
    ///
    /// # Errors
    /// [`Refusal::ListTooLong`] beyond 10,000 ministries or 2,000,000 people; when some are there already, or the store
    /// fails.
    pub async fn seed_ministries(
        &self,
        ministries: i64,
        people_each: i64,
    ) -> Result<Vec<(MinistryId, PersonId)>, Error> {
        let people = ministries.saturating_mul(people_each);
        if !(1..=MINISTRIES_MAX).contains(&ministries) || !(1..=PEOPLE_MAX).contains(&people) {
            return Err(Refusal::ListTooLong.into());
        }
        let act = self.platform_act("identity.seed");
        let now = act.at;
        self.db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.note("ministries", ministries);
                    tx.note("people", people);
                    Ok::<_, Error>(store::seed::ministries(tx, (0, ministries), now).await?)
                })
            })
            .await?;
        let mut first = 0;
        while first < people {
            let end = first.saturating_add(PEOPLE_AT_ONCE).min(people);
            let act = self.platform_act("identity.seed");
            self.db
                .change(act, move |tx| {
                    Box::pin(async move {
                        tx.note("people", end - first);
                        let each = (people_each, 0);
                        Ok::<_, Error>(store::seed::people(tx, (first, end), each, now).await?)
                    })
                })
                .await?;
            first = end;
        }
        let made = (0..ministries).map(|number| {
            let person = PersonId::from_bits(decimal(number.saturating_mul(people_each)));
            (ministry(number), person)
        });
        Ok(made.collect())
    }

    /// Makes one person of a seeded ministry its administrator.
    ///
    /// # Errors
    /// As [`Identity::admin_grant_role`].
    pub async fn seed_administrator(&self, ministry: MinistryId, person: PersonId) -> Result<(), Error> {
        let form = GrantForm::everywhere(person, naru_kernel::Role::MinistryAdmin);
        self.admin_grant_role(Tenant::of(ministry), &form).await
    }
}
