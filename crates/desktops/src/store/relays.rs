//! Tickets and the relays opened with them.

use naru_kernel::{DesktopId, HostId, LogonId, Timestamp, fleet::RelayReport};
use naru_store::{Error, FromRow, Row, Tx, params};

naru_store::sql! {
    ISSUED = "INSERT INTO relays (ticket, desktop, logon, gateway, issued_at, opened_at, last_seen_at, bytes_in, bytes_out, closed) \
              VALUES ($1, $2, $3, $4, $5, NULL, NULL, 0, 0, NULL)";
    OF_TICKET = "SELECT desktop, logon, gateway, issued_at, opened_at, last_seen_at, bytes_in, bytes_out, closed \
                 FROM relays WHERE ticket = $1";
    REPORTED = "UPDATE relays SET gateway = $2, opened_at = $3, last_seen_at = $4, bytes_in = $5, bytes_out = $6, closed = $7 \
                WHERE ticket = $1";
    ELSEWHERE = "SELECT desktop, logon, gateway, issued_at, opened_at, last_seen_at, bytes_in, bytes_out, closed \
                 FROM relays WHERE desktop = $1 AND gateway <> $2 AND issued_at < $3 AND opened_at IS NOT NULL \
                 AND closed IS NULL ORDER BY issued_at DESC LIMIT 1";
    OPEN_ON = "SELECT DISTINCT desktop AS id FROM relays WHERE gateway = $1 AND opened_at IS NOT NULL AND closed IS NULL \
               ORDER BY desktop LIMIT 20000";
    FORGET = "DELETE FROM relays WHERE COALESCE(last_seen_at, issued_at) < $1";
}

/// A ticket, and the relay opened with it if there is one.
#[derive(Clone, Debug)]
pub(crate) struct Relay {
    pub(crate) desktop: DesktopId,
    pub(crate) logon: LogonId,
    pub(crate) gateway: HostId,
    pub(crate) issued_at: Timestamp,
    pub(crate) opened_at: Option<Timestamp>,
    pub(crate) last_seen_at: Option<Timestamp>,
    pub(crate) bytes_in: i64,
    pub(crate) bytes_out: i64,
    pub(crate) closed: Option<String>,
}

impl FromRow for Relay {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            desktop: row.get("desktop")?,
            logon: row.get("logon")?,
            gateway: row.get("gateway")?,
            issued_at: row.get("issued_at")?,
            opened_at: row.get("opened_at")?,
            last_seen_at: row.get("last_seen_at")?,
            bytes_in: row.get("bytes_in")?,
            bytes_out: row.get("bytes_out")?,
            closed: row.get("closed")?,
        })
    }
}

pub(crate) async fn issued(
    tx: &mut Tx,
    ticket: &str,
    desktop: DesktopId,
    logon: LogonId,
    gateway: HostId,
    at: Timestamp,
) -> Result<(), Error> {
    tx.exec(ISSUED, params![ticket, desktop, logon, gateway, at])
        .await
        .map(drop)
}

pub(crate) async fn of_ticket(tx: &mut Tx, ticket: &str) -> Result<Option<Relay>, Error> {
    tx.optional(OF_TICKET, params![ticket]).await
}

pub(crate) async fn reported(
    tx: &mut Tx,
    gateway: HostId,
    report: &RelayReport,
    now: Timestamp,
) -> Result<(), Error> {
    let params = params![
        &report.ticket,
        gateway,
        report.opened_at,
        now,
        report.bytes_in,
        report.bytes_out,
        report.closed.map(|reason| reason.as_str()),
    ];
    tx.exec(REPORTED, params).await.map(drop)
}

/// An older relay of the desktop that another gateway still holds open.
pub(crate) async fn elsewhere(
    tx: &mut Tx,
    desktop: DesktopId,
    gateway: HostId,
    issued_before: Timestamp,
) -> Result<Option<Relay>, Error> {
    tx.optional(ELSEWHERE, params![desktop, gateway, issued_before])
        .await
}

/// Desktops whose relay this gateway holds open.
pub(crate) async fn open_on(tx: &mut Tx, gateway: HostId) -> Result<Vec<DesktopId>, Error> {
    let rows: Vec<super::desktops::Only> = tx.all(OPEN_ON, params![gateway]).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

pub(crate) async fn forget_before(tx: &mut Tx, at: Timestamp) -> Result<u64, Error> {
    tx.exec(FORGET, params![at]).await
}
