//! Transactions that say what they do.

use naru_kernel::{HostId, LogonId, MinistryId, PersonId, Tenant, Timestamp};
use serde_json::{Map, Value as Json};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, pool::PoolConnection};

use crate::{Error, FromRow, Row, Value, db, embedded::Embedded, personal, record};

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A person, in a log-on session.
    Person(PersonId, LogonId),
    /// A person who is not signed in yet, known by certificate only.
    Claimed(PersonId),
    /// A gateway or a host.
    Node(HostId),
    /// The platform itself: a job, or the administrator at the command line.
    Platform(&'static str),
    /// Nobody known.
    Anyone,
}

impl By {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Person(person, logon) => format!("{person}/{logon}"),
            Self::Claimed(person) => format!("claimed:{person}"),
            Self::Node(node) => node.to_string(),
            Self::Platform(part) => format!("platform:{part}"),
            Self::Anyone => "anyone".to_owned(),
        }
    }
}

/// How it came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Refused, with the stable code of the refusal.
    Refused(&'static str),
}

/// What a change is: becomes one entry of the record.
#[derive(Clone, Debug)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// What, as `domain.verb-thing`.
    pub action: &'static str,
    /// By whom.
    pub by: By,
    /// In whose record; the platform's if absent.
    pub ministry: Option<MinistryId>,
    /// To what: an id, or a name.
    pub subject: String,
    /// From where: the caller's network address, if there is one.
    pub address: Option<String>,
}

/// Changes that leave no entry in the record, each with its reason; `cargo xtask tidy` shows the list and a test
/// holds it to this.
pub const HOUSEKEEPING: &[(&str, &str)] = &[
    (
        "identity.touch-session",
        "being active is not a decision; it would bury the record",
    ),
    (
        "identity.touch-scim-token",
        "that a directory's token is used is no decision; what it does is recorded",
    ),
    (
        "identity.begin-ceremony",
        "an offer to the person's own browser; the answer to it is recorded",
    ),
    (
        "identity.forget-expired",
        "removes what has expired by time alone",
    ),
    (
        "identity.refresh-revocations",
        "stores a signed list as its authority published it",
    ),
    (
        "desktops.report",
        "heartbeats of hosts and gateways, every two seconds",
    ),
    (
        "desktops.poll-queue",
        "a waiting person asks each second; being placed is recorded",
    ),
    (
        "desktops.forget-expired",
        "removes what has expired by time alone",
    ),
    ("approvals.expire", "marks what nobody decided by time alone"),
    (
        "audit.checkpoint",
        "says how the record stands; an entry about it would need a checkpoint itself",
    ),
    (
        "audit.deliver",
        "how far witnesses know the record; each time a checkpoint is told",
    ),
    (
        "audit.witness",
        "what another log shows is kept itself; two that witness each other would never end writing entries",
    ),
    (
        "audit.remove-retired",
        "deletes in parts what one recorded act retired",
    ),
    (
        "applications.keep-request",
        "an offer to a browser or program, gone in minutes; the answer to it is recorded",
    ),
    (
        "applications.remember-proof",
        "numbers that are good once, of requests that are recorded themselves or only read",
    ),
    (
        "applications.poll-device",
        "a device asks every five seconds; being allowed or refused is recorded",
    ),
    (
        "applications.tell-logout",
        "when to try again; that an application was told, or could not be, is recorded",
    ),
    (
        "applications.forget-expired",
        "removes what has expired by time alone",
    ),
    (
        "runtime.secrets",
        "first start: keys of the installation, recorded as one act by the portal",
    ),
];

/// Lifts the second lock for the running transaction; `PostgreSQL` only.
const ACROSS: &str = "SELECT set_config('naru.ministry', '*', TRUE)";

pub(crate) enum Connection {
    Sqlite(Embedded),
    Postgres(PoolConnection<Postgres>),
}

/// A writing transaction. Dropped or failed work is rolled back whole.
pub struct Tx {
    pub(crate) connection: Connection,
    pub(crate) outcome: Outcome,
    pub(crate) subject: Option<String>,
    pub(crate) by: Option<By>,
    pub(crate) ministry: Option<MinistryId>,
    pub(crate) detail: Map<String, Json>,
    /// Entries for other chains, after the one of the change itself.
    pub(crate) also: Vec<(Act, Map<String, Json>)>,
    /// Set while changes share a transaction.
    pub(crate) heads: Option<record::Heads>,
}

impl Tx {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            outcome: Outcome::Done,
            subject: None,
            by: None,
            ministry: None,
            detail: Map::new(),
            also: Vec::new(),
            heads: None,
        }
    }

    pub(crate) fn forget_notes(&mut self) {
        self.outcome = Outcome::Done;
        self.subject = None;
        self.by = None;
        self.ministry = None;
        self.detail = Map::new();
        self.also = Vec::new();
    }

    /// Says in the record that it was refused; what was written (a counter, an alarm) is kept.
    pub fn refused(&mut self, code: &'static str) {
        self.outcome = Outcome::Refused(code);
    }

    /// Names the subject once it is known.
    pub fn about(&mut self, subject: impl ToString) {
        self.subject = Some(subject.to_string());
    }

    /// Names who it was, and of which ministry, once that is known.
    pub fn by(&mut self, by: By, ministry: Option<MinistryId>) {
        self.by = Some(by);
        self.ministry = ministry;
    }

    /// Adds a detail to the entry, such as a value before and after. Never a secret.
    pub fn note(&mut self, key: &str, value: impl Into<Json>) {
        self.detail.insert(key.to_owned(), value.into());
    }

    /// Adds a second entry, for a change that two ministries must find in their records. To take turns without a
    /// deadlock the change's own entry goes to the ministry whose identifier sorts first.
    pub fn also(&mut self, act: Act, detail: Map<String, Json>) {
        self.also.push((act, detail));
    }

    /// Sees and changes rows of every ministry until the end of the transaction: for what concerns two of them, such as
    /// a person who moves. Everything else is held to its own ministry's rows by row-level security on `PostgreSQL`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn across_ministries(&mut self) -> Result<(), Error> {
        match &self.connection {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(_) => self.exec(ACROSS, Vec::new()).await.map(drop),
        }
    }

    /// Runs a statement and gives the number of rows it touched.
    ///
    /// # Errors
    /// [`Error::Clash`] on a broken key, else what the engine says.
    pub async fn exec(&mut self, sql: &'static str, params: Vec<Value>) -> Result<u64, Error> {
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.exec(sql, &params),
            Connection::Postgres(connection) => db::exec_postgres(connection, sql, params).await,
        }
    }

    /// All rows.
    ///
    /// # Errors
    /// What the engine says, or a column that does not fit.
    pub async fn all<T: FromRow>(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Vec<T>, Error> {
        self.rows(sql, params).await?.iter().map(T::from_row).collect()
    }

    /// The first row, if any.
    ///
    /// # Errors
    /// What the engine says, or a column that does not fit.
    pub async fn optional<T: FromRow>(
        &mut self,
        sql: &'static str,
        params: Vec<Value>,
    ) -> Result<Option<T>, Error> {
        self.rows(sql, params).await?.first().map(T::from_row).transpose()
    }

    /// The first row.
    ///
    /// # Errors
    /// [`Error::NoRow`] if there is none.
    pub async fn one<T: FromRow>(&mut self, sql: &'static str, params: Vec<Value>) -> Result<T, Error> {
        self.optional(sql, params).await?.ok_or(Error::NoRow)
    }

    async fn rows(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, Error> {
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.rows(sql, &params),
            Connection::Postgres(connection) => {
                let connection: &mut PgConnection = connection;
                db::rows_postgres(connection, sql, params).await
            }
        }
    }

    /// `PostgreSQL`: begins a transaction that sees one ministry's rows, or all; one round trip.
    pub(crate) async fn begin(&mut self, tenant: Option<Tenant>) -> Result<(), Error> {
        match (&mut self.connection, tenant) {
            (Connection::Postgres(connection), Some(tenant)) => {
                // The identifier is made of small letters, digits and underscores.
                let text = format!("BEGIN; SET LOCAL {} = '{tenant}'", db::SETTING);
                let connection: &mut PgConnection = connection;
                sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await?;
                Ok(())
            }
            _ => self.control("BEGIN").await,
        }
    }

    pub(crate) async fn control(&mut self, sql: &'static str) -> Result<(), Error> {
        self.exec(sql, Vec::new()).await.map(drop)
    }

    /// Appends the entries that go to other chains.
    pub(crate) async fn append_also(&mut self) -> Result<(), Error> {
        for (act, detail) in std::mem::take(&mut self.also) {
            self.forget_notes();
            self.detail = detail;
            self.append(&act).await?;
        }
        Ok(())
    }

    /// Appends the entry for `act`; the last thing a change does, so that the chain's head is held briefly.
    pub(crate) async fn append(&mut self, act: &Act) -> Result<(), Error> {
        let detail = std::mem::take(&mut self.detail);
        let stream = match self.ministry.or(act.ministry) {
            Some(ministry) => ministry.to_string(),
            None => record::PLATFORM_STREAM.to_owned(),
        };
        let (outcome, code) = match self.outcome {
            Outcome::Done => ("done", None),
            Outcome::Refused(code) => ("refused", Some(code)),
        };
        let mut detail = detail;
        if let Some(code) = code {
            detail.insert("code".to_owned(), Json::from(code));
        }
        let subject = self.subject.take().unwrap_or_else(|| act.subject.clone());
        let whom = personal::whom(&subject, &detail);
        let hidden = personal::hide(&mut detail, whom)?;
        let of = stream.clone();
        let entry = record::Entry {
            stream,
            sequence: 0,
            at: act.at,
            action: act.action.to_owned(),
            outcome: outcome.to_owned(),
            actor: self.by.unwrap_or(act.by).text(),
            subject,
            address: act.address.clone().unwrap_or_default(),
            detail: Json::Object(detail).to_string(),
            hash: Vec::new(),
        };
        let sequence = record::append(self, entry).await?;
        personal::keep(self, (&of, sequence), whom, hidden).await
    }
}
