//! The record as a file, in pieces.

use futures_util::{Stream, stream};
use naru_kernel::{Actor, Tenant};
use naru_runtime::Client;
use naru_store::{Db, Outcome};

use super::{Audit, forgetting};
use crate::{Error, FileKind, Filter, rules::Cursor, store};

/// Rows of one export; who needs more asks for a shorter time.
const EXPORT_ROWS_MAX: usize = 500_000;
/// Rows read at once for an export.
const EXPORT_PAGE_ROWS: i64 = 1_000;

impl Audit {
    /// The record as a file, in pieces, at most 500,000 rows. That it was exported is recorded.
    ///
    /// # Errors
    /// When the actor may not, or the store fails before the first piece. A later failure breaks the file off.
    pub async fn export(
        &self,
        actor: &Actor,
        filter: Filter,
        kind: FileKind,
        client: &Client,
    ) -> Result<impl Stream<Item = Result<String, Error>> + Send + use<>, Error> {
        let sight = self.sight(actor).await?;
        let stream = sight.stream(filter.stream.as_deref())?;
        let subject = stream.clone().unwrap_or_else(|| "all".to_owned());
        let act = self.act("audit.export", actor, subject, client);
        self.db
            .record(act, Outcome::Done, serde_json::Value::Null)
            .await?;
        let export = Export {
            db: self.db.clone(),
            tenant: sight.tenant,
            stream,
            filter,
            kind,
            rows: 0,
            state: Progress::Head,
        };
        Ok(stream::try_unfold(export, Export::piece))
    }
}

enum Progress {
    Head,
    Rows,
    End,
    Done,
}

struct Export {
    db: Db,
    tenant: Option<Tenant>,
    stream: Option<String>,
    filter: Filter,
    kind: FileKind,
    rows: usize,
    state: Progress,
}

impl Export {
    async fn piece(mut self) -> Result<Option<(String, Self)>, Error> {
        match self.state {
            Progress::Done => return Ok(None),
            Progress::Head => {
                self.state = Progress::Rows;
                return Ok(Some((self.kind.head().to_owned(), self)));
            }
            Progress::End => {
                self.state = Progress::Done;
                return Ok(Some((self.kind.end().to_owned(), self)));
            }
            Progress::Rows => {}
        }
        let stream = self.stream.as_deref();
        let entries = store::entries(&self.db, self.tenant, stream, &self.filter, EXPORT_PAGE_ROWS).await?;
        let rows = forgetting::rows(&self.db, self.tenant, entries).await?;
        if let Some(last) = rows.last() {
            self.filter.after = Some(Cursor::of(last));
        } else {
            self.state = Progress::End;
        }
        let mut text = String::new();
        for row in &rows {
            text.push_str(&self.kind.row(row, self.rows == 0));
            self.rows = self.rows.saturating_add(1);
        }
        if self.rows >= EXPORT_ROWS_MAX {
            text.push_str(&self.kind.cut(self.rows == 0));
            self.state = Progress::End;
        }
        Ok(Some((text, self)))
    }
}
