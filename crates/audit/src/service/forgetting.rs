//! What entries say of people beside their identifiers: shown as long as it is known, forgotten when it must be.

use naru_kernel::{PersonId, Tenant};
use naru_store::{Act, By, Db, Entry, has_hidden, reveal};

use super::Audit;
use crate::{AuditRow, Error, store};

/// Entries as they are shown, with what they say of people put back into its place.
pub(super) async fn rows(
    db: &Db,
    tenant: Option<Tenant>,
    entries: Vec<Entry>,
) -> Result<Vec<AuditRow>, Error> {
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        let hides = has_hidden(&entry.detail);
        let mut row = AuditRow::from(entry);
        if hides {
            let known = store::personal(db, tenant, &row.stream, row.sequence).await?;
            reveal(&mut row.detail, &known);
        }
        rows.push(row);
    }
    Ok(rows)
}

impl Audit {
    /// Forgets what entries say of a person beside their identifier, in every chain; gives how many texts. The entries
    /// stay as they are, and so do their proofs. That it was done is an entry.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget(&self, person: PersonId) -> Result<u64, Error> {
        let act = Act {
            at: self.clock.now(),
            action: "audit.forget-person",
            by: By::Platform("audit"),
            ministry: None,
            subject: person.to_string(),
            address: None,
        };
        let forgotten = self
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    let forgotten = store::forget(tx, person).await?;
                    tx.note("texts", forgotten);
                    Ok::<_, naru_store::Error>(forgotten)
                })
            })
            .await?;
        Ok(forgotten)
    }
}
