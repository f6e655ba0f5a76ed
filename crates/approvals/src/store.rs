//! The table of approvals.

use naru_kernel::{ApprovalId, MinistryId, PersonId, Tenant, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use crate::model::{Approval, ApprovalState};

naru_store::sql! {
    INSERT = "INSERT INTO approvals (id, ministry, kind, subject, about, summary, payload, state, asked_by, asked_at, \
              expires_at, note) VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $9, $10, '')";
    WAITING = "SELECT COUNT(*) AS n FROM approvals WHERE ministry = $1 AND state = 'waiting'";
    // The row is taken for this transaction before it is read, so that two who agree at once do not both do it.
    TAKE = "UPDATE approvals SET note = note WHERE id = $1 AND ministry = $2";
    ONE = "SELECT id, ministry, kind, subject, about, summary, payload, state, asked_by, asked_at, expires_at, decided_by, \
           decided_at, note FROM approvals WHERE id = $1 AND ministry = $2";
    OWNER = "SELECT ministry FROM approvals WHERE id = $1 AND asked_by = $2";
    DECIDE = "UPDATE approvals SET state = $3, decided_by = $4, decided_at = $5, note = $6 WHERE id = $1 AND ministry = $2";
    EXPIRE = "UPDATE approvals SET state = 'expired' WHERE state = 'waiting' AND expires_at <= $1";
    EXPIRE_SAME = "UPDATE approvals SET state = 'expired' WHERE ministry = $1 AND kind = $2 AND subject = $3 \
                   AND state = 'waiting' AND expires_at <= $4";
    LIST = "SELECT id, ministry, kind, subject, about, summary, payload, state, asked_by, asked_at, expires_at, decided_by, \
            decided_at, note FROM approvals WHERE ministry = $1 AND (CAST($2 AS TEXT) IS NULL OR state = $2) \
            AND (CAST($3 AS TEXT) IS NULL OR id < $3) ORDER BY id DESC LIMIT $4";
    COUNT = "SELECT COUNT(*) AS n FROM (SELECT id FROM approvals WHERE ministry = $1 \
             AND (CAST($2 AS TEXT) IS NULL OR state = $2) LIMIT 10000) AS counted";
}

fn column<T>(
    name: &str,
    text: &str,
    read: Result<T, impl std::error::Error + Send + Sync + 'static>,
) -> Result<T, Error> {
    read.map_err(|source| Error::Column {
        column: format!("{name} {text:?}"),
        source: source.into(),
    })
}

impl FromRow for Approval {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let (summary, payload): (String, String) = (row.get("summary")?, row.get("payload")?);
        let state: String = row.get("state")?;
        Ok(Self {
            id: row.get("id")?,
            ministry: row.get("ministry")?,
            kind: row.get("kind")?,
            subject: row.get("subject")?,
            about: row.get("about")?,
            summary: column("summary", "", serde_json::from_str(&summary))?,
            payload: column("payload", "", serde_json::from_str(&payload))?,
            state: column("state", &state, state.parse())?,
            asked_by: row.get("asked_by")?,
            asked_at: row.get("asked_at")?,
            expires_at: row.get("expires_at")?,
            decided_by: row.get("decided_by")?,
            decided_at: row.get("decided_at")?,
            note: row.get("note")?,
        })
    }
}

struct Owner(MinistryId);

impl FromRow for Owner {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("ministry").map(Self)
    }
}

pub(crate) async fn insert(tx: &mut Tx, approval: &Approval) -> Result<(), Error> {
    let values = params![
        approval.id,
        approval.ministry,
        &approval.kind,
        &approval.subject,
        approval.about,
        approval.summary.to_string(),
        approval.payload.to_string(),
        approval.asked_by,
        approval.asked_at,
        approval.expires_at
    ];
    tx.exec(INSERT, values).await.map(drop)
}

/// How many wait in a ministry.
pub(crate) async fn waiting(tx: &mut Tx, tenant: Tenant) -> Result<i64, Error> {
    tx.one(WAITING, params![tenant.ministry()]).await
}

/// The approval, held until the transaction ends.
pub(crate) async fn take(tx: &mut Tx, tenant: Tenant, id: ApprovalId) -> Result<Option<Approval>, Error> {
    tx.exec(TAKE, params![id, tenant.ministry()]).await?;
    tx.optional(ONE, params![id, tenant.ministry()]).await
}

/// In which ministry's list somebody's own request stands: it may be another than theirs.
pub(crate) async fn ministry_of(
    tx: &mut Tx,
    id: ApprovalId,
    asked_by: PersonId,
) -> Result<Option<MinistryId>, Error> {
    let owner = tx.optional::<Owner>(OWNER, params![id, asked_by]).await?;
    Ok(owner.map(|Owner(ministry)| ministry))
}

/// What became of it.
pub(crate) struct Decision {
    pub(crate) state: ApprovalState,
    pub(crate) by: PersonId,
    pub(crate) at: Timestamp,
    pub(crate) note: String,
}

pub(crate) async fn decide(
    tx: &mut Tx,
    tenant: Tenant,
    id: ApprovalId,
    decision: Decision,
) -> Result<(), Error> {
    let Decision { state, by, at, note } = decision;
    let values = params![id, tenant.ministry(), state.as_str(), by, at, note];
    tx.exec(DECIDE, values).await.map(drop)
}

/// Everything whose time is over; across ministries, since time is.
pub(crate) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    tx.exec(EXPIRE, params![now]).await
}

/// Makes room for asking the same thing again.
pub(crate) async fn expire_same(
    tx: &mut Tx,
    tenant: Tenant,
    kind: &str,
    subject: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let values = params![tenant.ministry(), kind, subject, now];
    tx.exec(EXPIRE_SAME, values).await.map(drop)
}

/// Newest first, one row more than a page tells that there is a next; and how many, counted up to 10,000.
pub(crate) async fn list(
    db: &Db,
    tenant: Tenant,
    state: Option<ApprovalState>,
    after: Option<ApprovalId>,
    rows: i64,
) -> Result<(Vec<Approval>, i64), Error> {
    let (ministry, state) = (tenant.ministry(), state.map(ApprovalState::as_str));
    let within = db.within(tenant);
    let total = within.one::<i64>(COUNT, params![ministry, state]).await?;
    let rows = within
        .all(LIST, params![ministry, state, after, rows.saturating_add(1)])
        .await?;
    Ok((rows, total))
}
