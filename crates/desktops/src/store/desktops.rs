//! Desktop sessions.

use naru_kernel::{DesktopId, HostId, MinistryId, PersonId, Timestamp, Zone, fleet::Protocol};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;
use crate::{Counters, DesktopRow, DesktopState, EndReason, RunningDesktop, rules::Known};

macro_rules! columns {
    () => {
        "d.id, d.person, d.ministry, d.zone, d.protocol, d.state, d.host, d.turn, d.opened_at, d.last_seen_at, \
         d.missing_since, d.bytes_in, d.bytes_out, d.round_trip_us, n.name AS host_name"
    };
}
macro_rules! joined {
    () => {
        " FROM desktops d LEFT JOIN nodes n ON n.id = d.host "
    };
}

naru_store::sql! {
    TAKE_TURN = "INSERT INTO placement_turns (zone, turn) VALUES ($1, 1) \
                 ON CONFLICT (zone) DO UPDATE SET turn = placement_turns.turn + 1 RETURNING turn AS n";
    BY_ID = concat!("SELECT ", columns!(), joined!(), "WHERE d.id = $1");
    LIVE_OF = concat!("SELECT ", columns!(), joined!(), "WHERE d.person = $1 AND d.ministry = $2 AND d.zone = $3 \
               AND d.protocol = $4 AND d.state <> 'ended'");
    LIVE_OF_PERSON = concat!("SELECT ", columns!(), joined!(), "WHERE d.person = $1 AND d.ministry = $2 AND d.state <> 'ended' \
                      ORDER BY d.zone, d.protocol");
    LIVE = concat!("SELECT ", columns!(), joined!(), "WHERE d.state <> 'ended' AND d.id > $1 ORDER BY d.id LIMIT $2");
    LIVE_COUNT = "SELECT COUNT(*) AS n FROM desktops WHERE state <> 'ended'";
    OF_HOST = concat!("SELECT ", columns!(), joined!(), "WHERE d.host = $1 AND (d.state <> 'ended' OR d.on_host) ORDER BY d.id");
    LEAVING = "SELECT COUNT(*) AS n FROM desktops d JOIN nodes n ON n.id = d.host WHERE d.person = $1 AND d.zone = $2 \
               AND d.protocol = $3 AND d.state = 'ended' AND d.on_host AND d.ended_at >= $4 AND n.last_seen_at >= $5 AND d.ministry = $6";
    UNWANTED = "SELECT id FROM desktops WHERE host = $1 AND state = 'ended' AND on_host ORDER BY id";
    ADD = "INSERT INTO desktops (id, person, ministry, zone, protocol, state, host, on_host, turn, opened_at, polled_at, \
           placed_at, last_seen_at, missing_since, ended_at, end_reason, bytes_in, bytes_out, round_trip_us) \
           VALUES ($1, $2, $3, $4, $5, 'queued', NULL, FALSE, $7, $6, $6, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL)";
    PLACE = "UPDATE desktops SET state = 'starting', host = $2, placed_at = $3, polled_at = $3 WHERE id = $1 AND state = 'queued'";
    POLLED = "UPDATE desktops SET polled_at = $2 WHERE id = $1";
    WAITING = "SELECT COUNT(*) AS n FROM desktops WHERE zone = $1 AND protocol = $2 AND state = 'queued' AND polled_at >= $3";
    AHEAD = "SELECT COUNT(*) AS n FROM desktops WHERE zone = $1 AND protocol = $2 AND state = 'queued' AND polled_at >= $3 \
             AND turn < $4";
    END = "UPDATE desktops SET state = 'ended', ended_at = $2, end_reason = $3, on_host = (on_host AND $4), missing_since = NULL \
           WHERE id = $1 AND state <> 'ended'";
    END_ALL = "UPDATE desktops SET state = 'ended', ended_at = $2, end_reason = $3, missing_since = NULL \
               WHERE person = $1 AND state <> 'ended'";
    LIVE_IDS = "SELECT id FROM desktops WHERE person = $1 AND ministry = $2 AND state <> 'ended' ORDER BY id";
    OPEN_BY_PERSON = "SELECT person, COUNT(*) AS n FROM desktops WHERE ministry = $1 AND state <> 'ended' GROUP BY person";
    STANDS = "UPDATE desktops SET state = $2, last_seen_at = $3, missing_since = NULL, on_host = TRUE \
              WHERE id = $1 AND state <> 'ended'";
    MISSING = "UPDATE desktops SET missing_since = $2 WHERE id = $1 AND state <> 'ended'";
    GONE = "UPDATE desktops SET on_host = FALSE WHERE id = $1 AND state = 'ended'";
    SEEN_ON = "UPDATE desktops SET last_seen_at = $2 WHERE host = $1 AND state <> 'ended' AND on_host \
               AND missing_since IS NULL AND last_seen_at < $3";
    COUNT_BYTES = "UPDATE desktops SET bytes_in = bytes_in + $2, bytes_out = bytes_out + $3, \
                   round_trip_us = COALESCE($4, round_trip_us) WHERE id = $1";
    LOSE_PLACES = "UPDATE desktops SET state = 'ended', ended_at = $1, end_reason = 'place-lost' \
                   WHERE state = 'queued' AND polled_at < $2";
    NEVER_STARTED = "SELECT d.id FROM desktops d JOIN nodes n ON n.id = d.host WHERE d.state = 'starting' \
                     AND d.placed_at < $1 AND n.last_seen_at >= $2 ORDER BY d.id LIMIT 500";
    FORGET = "DELETE FROM desktops WHERE state = 'ended' AND ended_at < $1 AND NOT on_host";
    COUNT_STATES = "SELECT state, COUNT(*) AS n FROM desktops WHERE state <> 'ended' GROUP BY state";
    COUNT_QUEUES = "SELECT zone, protocol, COUNT(*) AS n FROM desktops WHERE state = 'queued' GROUP BY zone, protocol";
}

/// A desktop session.
#[derive(Clone, Debug)]
pub(crate) struct Desktop {
    pub(crate) id: DesktopId,
    pub(crate) person: PersonId,
    pub(crate) ministry: MinistryId,
    pub(crate) zone: Zone,
    pub(crate) protocol: Protocol,
    pub(crate) state: DesktopState,
    pub(crate) host: Option<HostId>,
    pub(crate) host_name: Option<String>,
    /// Place in the order of asking, per zone.
    pub(crate) turn: i64,
    pub(crate) opened_at: Timestamp,
    pub(crate) last_seen_at: Option<Timestamp>,
    pub(crate) missing_since: Option<Timestamp>,
    pub(crate) counters: Counters,
}

impl FromRow for Desktop {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            person: row.get("person")?,
            ministry: row.get("ministry")?,
            zone: row.get("zone")?,
            protocol: word(row, "protocol")?,
            state: word(row, "state")?,
            host: row.get("host")?,
            host_name: row.get("host_name")?,
            turn: row.get("turn")?,
            opened_at: row.get("opened_at")?,
            last_seen_at: row.get("last_seen_at")?,
            missing_since: row.get("missing_since")?,
            counters: Counters {
                bytes_in: row.get("bytes_in")?,
                bytes_out: row.get("bytes_out")?,
                round_trip_us: row.get("round_trip_us")?,
            },
        })
    }
}

impl Desktop {
    pub(crate) fn known(&self) -> Known {
        Known {
            desktop: self.id,
            state: self.state,
            seen: self.last_seen_at.is_some(),
            missing_since: self.missing_since,
        }
    }

    pub(crate) fn into_row(self) -> DesktopRow {
        DesktopRow {
            id: self.id,
            zone: self.zone,
            protocol: self.protocol,
            state: self.state,
            host_name: self.host_name,
            opened_at: self.opened_at,
            last_seen_at: self.last_seen_at,
            counters: self.counters,
        }
    }

    pub(crate) fn into_running(self) -> RunningDesktop {
        RunningDesktop {
            person: self.person,
            ministry: self.ministry,
            host: self.host,
            desktop: self.into_row(),
        }
    }
}

pub(crate) struct Only(pub(crate) DesktopId);

impl FromRow for Only {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("id").map(Self)
    }
}

/// Waits until no other placement of the zone is under way; holds the turn until commit.
/// Turns only grow.
pub(crate) async fn take_turn(tx: &mut Tx, zone: &Zone) -> Result<i64, Error> {
    // Hosts and the queue before them are one for all ministries.
    tx.across_ministries().await?;
    tx.one(TAKE_TURN, params![zone]).await
}

pub(crate) async fn by_id(tx: &mut Tx, id: DesktopId) -> Result<Option<Desktop>, Error> {
    tx.optional(BY_ID, params![id]).await
}

pub(crate) async fn live_of(
    tx: &mut Tx,
    (person, ministry): (PersonId, MinistryId),
    zone: &Zone,
    protocol: Protocol,
) -> Result<Option<Desktop>, Error> {
    tx.optional(LIVE_OF, params![person, ministry, zone, protocol.as_str()])
        .await
}

/// Those a person has in one of the ministries they serve.
pub(crate) async fn live_of_person(
    db: &Db,
    person: PersonId,
    ministry: MinistryId,
) -> Result<Vec<Desktop>, Error> {
    db.all(LIVE_OF_PERSON, params![person, ministry]).await
}

/// The same, by identifier.
pub(crate) async fn live_ids(
    tx: &mut Tx,
    person: PersonId,
    ministry: MinistryId,
) -> Result<Vec<DesktopId>, Error> {
    let rows: Vec<Only> = tx.all(LIVE_IDS, params![person, ministry]).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

struct OfPerson(PersonId, i64);

impl FromRow for OfPerson {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(row.get("person")?, row.get("n")?))
    }
}

/// How many each person has in a ministry; who has none is left out.
pub(crate) async fn open_by_person(
    db: &Db,
    ministry: MinistryId,
) -> Result<impl Iterator<Item = (PersonId, i64)> + use<>, Error> {
    let rows: Vec<OfPerson> = db.all(OPEN_BY_PERSON, params![ministry]).await?;
    Ok(rows.into_iter().map(|OfPerson(person, count)| (person, count)))
}

pub(crate) async fn live(db: &Db, after: &str, rows: i64) -> Result<Vec<Desktop>, Error> {
    db.all(LIVE, params![after, rows]).await
}

pub(crate) async fn live_count(db: &Db) -> Result<i64, Error> {
    db.one(LIVE_COUNT, params![]).await
}

/// Those of a host that have not ended, and those that have but are still there.
pub(crate) async fn of_host(tx: &mut Tx, host: HostId) -> Result<Vec<Desktop>, Error> {
    tx.all(OF_HOST, params![host]).await
}

/// Whether the person's last desktop of this kind is still being ended by a host in contact.
pub(crate) async fn is_leaving(
    tx: &mut Tx,
    desktop: &Desktop,
    ended_since: Timestamp,
    seen_since: Timestamp,
) -> Result<bool, Error> {
    let (person, ministry) = (desktop.person, desktop.ministry);
    let (zone, protocol) = (&desktop.zone, desktop.protocol.as_str());
    let params = params![person, zone, protocol, ended_since, seen_since, ministry];
    Ok(tx.one::<i64>(LEAVING, params).await? > 0)
}

/// Those a host should end.
pub(crate) async fn unwanted(db: &Db, host: HostId) -> Result<Vec<DesktopId>, Error> {
    let rows: Vec<Only> = db.all(UNWANTED, params![host]).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Adds a desktop, queued.
pub(crate) async fn add(tx: &mut Tx, desktop: &Desktop) -> Result<(), Error> {
    let params = params![
        desktop.id,
        desktop.person,
        desktop.ministry,
        &desktop.zone,
        desktop.protocol.as_str(),
        desktop.opened_at,
        desktop.turn,
    ];
    tx.exec(ADD, params).await.map(drop)
}

/// Gives a queued desktop its host.
pub(crate) async fn place(tx: &mut Tx, id: DesktopId, host: HostId, now: Timestamp) -> Result<(), Error> {
    tx.exec(PLACE, params![id, host, now]).await.map(drop)
}

pub(crate) async fn polled(tx: &mut Tx, id: DesktopId, now: Timestamp) -> Result<(), Error> {
    tx.exec(POLLED, params![id, now]).await.map(drop)
}

/// How many wait, of those who asked since.
pub(crate) async fn waiting(
    tx: &mut Tx,
    zone: &Zone,
    protocol: Protocol,
    polled_since: Timestamp,
) -> Result<i64, Error> {
    tx.one(WAITING, params![zone, protocol.as_str(), polled_since])
        .await
}

/// How many of them wait in front of this one.
pub(crate) async fn ahead(tx: &mut Tx, desktop: &Desktop, polled_since: Timestamp) -> Result<i64, Error> {
    let params = params![
        &desktop.zone,
        desktop.protocol.as_str(),
        polled_since,
        desktop.turn,
    ];
    tx.one(AHEAD, params).await
}

/// Ends it; `false` if it had ended before. `on_host`: the host, if it has it, is still to be told.
pub(crate) async fn end(
    tx: &mut Tx,
    id: DesktopId,
    now: Timestamp,
    reason: EndReason,
    on_host: bool,
) -> Result<bool, Error> {
    Ok(tx.exec(END, params![id, now, reason.as_str(), on_host]).await? > 0)
}

/// Ends all of a person's; hosts that run one are told.
pub(crate) async fn end_all(
    tx: &mut Tx,
    person: PersonId,
    now: Timestamp,
    reason: EndReason,
) -> Result<u64, Error> {
    tx.exec(END_ALL, params![person, now, reason.as_str()]).await
}

pub(crate) async fn stands(
    tx: &mut Tx,
    id: DesktopId,
    state: DesktopState,
    now: Timestamp,
) -> Result<(), Error> {
    tx.exec(STANDS, params![id, state.as_str(), now]).await.map(drop)
}

pub(crate) async fn missing(tx: &mut Tx, id: DesktopId, now: Timestamp) -> Result<(), Error> {
    tx.exec(MISSING, params![id, now]).await.map(drop)
}

pub(crate) async fn gone(tx: &mut Tx, id: DesktopId) -> Result<(), Error> {
    tx.exec(GONE, params![id]).await.map(drop)
}

/// All desktops of the host that its report had were seen now; written when the last mark is older than `before`.
pub(crate) async fn seen_on(
    tx: &mut Tx,
    host: HostId,
    now: Timestamp,
    before: Timestamp,
) -> Result<(), Error> {
    tx.exec(SEEN_ON, params![host, now, before]).await.map(drop)
}

/// Adds to the counters.
pub(crate) async fn count_bytes(tx: &mut Tx, id: DesktopId, more: Counters) -> Result<(), Error> {
    let params = params![id, more.bytes_in, more.bytes_out, more.round_trip_us];
    tx.exec(COUNT_BYTES, params).await.map(drop)
}

pub(crate) async fn lose_places(tx: &mut Tx, now: Timestamp, polled_before: Timestamp) -> Result<u64, Error> {
    tx.exec(LOSE_PLACES, params![now, polled_before]).await
}

/// Those that should be up by now, on hosts in contact.
pub(crate) async fn never_started(
    db: &Db,
    placed_before: Timestamp,
    seen_since: Timestamp,
) -> Result<Vec<DesktopId>, Error> {
    let rows: Vec<Only> = db.all(NEVER_STARTED, params![placed_before, seen_since]).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

pub(crate) async fn forget_before(tx: &mut Tx, ended: Timestamp) -> Result<u64, Error> {
    tx.exec(FORGET, params![ended]).await
}

struct StateCount(DesktopState, i64);

impl FromRow for StateCount {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(word(row, "state")?, row.get("n")?))
    }
}

pub(crate) async fn count_states(db: &Db) -> Result<Vec<(DesktopState, i64)>, Error> {
    let rows: Vec<StateCount> = db.all(COUNT_STATES, params![]).await?;
    Ok(rows.into_iter().map(|row| (row.0, row.1)).collect())
}

struct QueueCount(Zone, Protocol, i64);

impl FromRow for QueueCount {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(row.get("zone")?, word(row, "protocol")?, row.get("n")?))
    }
}

pub(crate) async fn count_queues(db: &Db) -> Result<Vec<(Zone, Protocol, i64)>, Error> {
    let rows: Vec<QueueCount> = db.all(COUNT_QUEUES, params![]).await?;
    Ok(rows.into_iter().map(|row| (row.0, row.1, row.2)).collect())
}

/// Outside a change.
pub(crate) async fn read(db: &Db, id: DesktopId) -> Result<Option<Desktop>, Error> {
    db.optional(BY_ID, params![id]).await
}
