//! Hosts, gateways and their one-time tokens.

use naru_kernel::{
    HostId, Timestamp, Zone,
    fleet::{HostLoad, NodeRole, Protocol},
};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::{unfit, word};
use crate::{HostRow, NodeState, rules, rules::HostView};

macro_rules! columns {
    () => {
        "n.id, n.role, n.name, n.address, n.zone, n.protocols, n.certificate_sha256, n.state, n.boot, n.load, \
         n.relays, n.last_seen_at"
    };
}

naru_store::sql! {
    ADD_TOKEN = "INSERT INTO enrolment_tokens (secret_sha256, role, name, created_at, expires_at) \
                 VALUES ($1, $2, $3, $4, $5)";
    COUNT_TOKENS = "SELECT COUNT(*) AS n FROM enrolment_tokens WHERE expires_at > $1";
    TAKE_TOKEN = "DELETE FROM enrolment_tokens WHERE secret_sha256 = $1 AND role = $2 AND expires_at > $3 RETURNING name";
    FORGET_TOKENS = "DELETE FROM enrolment_tokens WHERE expires_at <= $1";
    ADD = "INSERT INTO nodes (id, role, name, address, zone, protocols, certificate_sha256, state, boot, load, relays, \
           enrolled_at, last_seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'ready', '', NULL, 0, $8, NULL)";
    BY_ID = concat!("SELECT ", columns!(), " FROM nodes n WHERE n.id = $1");
    IN_FLEET = concat!("SELECT ", columns!(), ", (SELECT COUNT(*) FROM desktops d WHERE d.host = n.id AND d.state <> 'ended') \
                AS desktops FROM nodes n WHERE n.state <> 'removed' ORDER BY n.role, n.zone, n.name, n.id LIMIT 5000");
    VIEWS = concat!("SELECT ", columns!(), ", (SELECT COUNT(*) FROM desktops d WHERE d.host = n.id AND d.state = 'starting' \
             AND d.last_seen_at IS NULL) AS pending FROM nodes n \
             WHERE n.zone = $1 AND n.role = 'host' AND n.state <> 'removed' ORDER BY n.id");
    GATEWAY = "SELECT n.id, n.address FROM nodes n WHERE n.zone = $1 AND n.role = 'gateway' AND n.state = 'ready' \
               AND n.last_seen_at >= $2 ORDER BY n.relays + (SELECT COUNT(*) FROM relays r WHERE r.gateway = n.id \
               AND r.issued_at >= $3 AND r.opened_at IS NULL AND r.closed IS NULL), n.id LIMIT 1";
    SERVED = "SELECT DISTINCT zone, protocols FROM nodes WHERE role = 'host' AND state <> 'removed'";
    SET_STATE = "UPDATE nodes SET state = $2 WHERE id = $1";
    SEEN = "UPDATE nodes SET last_seen_at = $2, boot = $3, load = $4, relays = $5 WHERE id = $1";
}

/// A host or gateway.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) id: HostId,
    pub(crate) role: NodeRole,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) zone: Zone,
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) certificate_sha256: String,
    pub(crate) state: NodeState,
    pub(crate) boot: String,
    pub(crate) load: Option<HostLoad>,
    pub(crate) relays: i64,
    pub(crate) last_seen_at: Option<Timestamp>,
}

impl FromRow for Node {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let load: Option<String> = row.get("load")?;
        let load = load.map(|text| serde_json::from_str(&text)).transpose();
        Ok(Self {
            id: row.get("id")?,
            role: word(row, "role")?,
            name: row.get("name")?,
            address: row.get("address")?,
            zone: row.get("zone")?,
            protocols: protocols(row)?,
            certificate_sha256: row.get("certificate_sha256")?,
            state: word(row, "state")?,
            boot: row.get("boot")?,
            load: load.map_err(|error| unfit("load", error))?,
            relays: row.get("relays")?,
            last_seen_at: row.get("last_seen_at")?,
        })
    }
}

fn protocols(row: &Row) -> Result<Vec<Protocol>, Error> {
    serde_json::from_str(&row.get::<String>("protocols")?).map_err(|error| unfit("protocols", error))
}

impl Node {
    /// As an operator sees it; `desktops` is only looked at for hosts.
    pub(crate) fn into_row(self, desktops: i64, now: Timestamp) -> HostRow {
        HostRow {
            id: self.id,
            role: self.role,
            name: self.name,
            address: self.address,
            zone: self.zone,
            protocols: self.protocols,
            state: rules::view(self.state, self.last_seen_at, now),
            load: self.load,
            desktops: match self.role {
                NodeRole::Host => desktops,
                NodeRole::Gateway => self.relays,
            },
            last_seen_at: self.last_seen_at,
            certificate_sha256: self.certificate_sha256,
        }
    }
}

pub(crate) struct Counted {
    pub(crate) node: Node,
    pub(crate) desktops: i64,
}

impl FromRow for Counted {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            node: Node::from_row(row)?,
            desktops: row.get("desktops")?,
        })
    }
}

struct View(HostView);

impl FromRow for View {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let node = Node::from_row(row)?;
        Ok(Self(HostView {
            id: node.id,
            zone: node.zone,
            protocols: node.protocols,
            state: node.state,
            last_seen_at: node.last_seen_at,
            load: node.load.unwrap_or_default(),
            pending: row.get("pending")?,
        }))
    }
}

/// The gateway to send a browser to.
pub(crate) struct Gateway {
    pub(crate) id: HostId,
    pub(crate) url: String,
}

impl FromRow for Gateway {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            url: row.get("address")?,
        })
    }
}

/// What some host serves.
pub(crate) struct Served {
    pub(crate) zone: Zone,
    pub(crate) protocols: Vec<Protocol>,
}

impl FromRow for Served {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            zone: row.get("zone")?,
            protocols: protocols(row)?,
        })
    }
}

pub(crate) struct NewToken {
    pub(crate) secret_sha256: String,
    pub(crate) role: NodeRole,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) async fn add_token(tx: &mut Tx, token: NewToken) -> Result<(), Error> {
    let NewToken {
        secret_sha256,
        role,
        name,
        created_at,
        expires_at,
    } = token;
    let params = params![secret_sha256, role.as_str(), name, created_at, expires_at];
    tx.exec(ADD_TOKEN, params).await.map(drop)
}

pub(crate) async fn count_tokens(tx: &mut Tx, now: Timestamp) -> Result<i64, Error> {
    tx.one(COUNT_TOKENS, params![now]).await
}

struct Name(String);

impl FromRow for Name {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("name").map(Self)
    }
}

/// Uses the token up; gives the name it was made for.
pub(crate) async fn take_token(
    tx: &mut Tx,
    secret_sha256: &str,
    role: NodeRole,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let taken: Option<Name> = tx
        .optional(TAKE_TOKEN, params![secret_sha256, role.as_str(), now])
        .await?;
    Ok(taken.map(|name| name.0))
}

pub(crate) async fn forget_tokens(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    tx.exec(FORGET_TOKENS, params![now]).await
}

pub(crate) async fn add(tx: &mut Tx, node: &Node, now: Timestamp) -> Result<(), Error> {
    let protocols = serde_json::to_string(&node.protocols).map_err(|error| unfit("protocols", error))?;
    let params = params![
        node.id,
        node.role.as_str(),
        &node.name,
        &node.address,
        &node.zone,
        protocols,
        &node.certificate_sha256,
        now,
    ];
    tx.exec(ADD, params).await.map(drop)
}

pub(crate) async fn by_id(tx: &mut Tx, id: HostId) -> Result<Option<Node>, Error> {
    tx.optional(BY_ID, params![id]).await
}

pub(crate) async fn in_fleet(db: &Db) -> Result<Vec<Counted>, Error> {
    db.all(IN_FLEET, params![]).await
}

pub(crate) async fn views(tx: &mut Tx, zone: &Zone) -> Result<Vec<HostView>, Error> {
    let views: Vec<View> = tx.all(VIEWS, params![zone]).await?;
    Ok(views.into_iter().map(|view| view.0).collect())
}

/// The ready gateway of the zone with the fewest relays, those on their way counted.
pub(crate) async fn gateway(
    tx: &mut Tx,
    zone: &Zone,
    seen_since: Timestamp,
    issued_since: Timestamp,
) -> Result<Option<Gateway>, Error> {
    tx.optional(GATEWAY, params![zone, seen_since, issued_since])
        .await
}

pub(crate) async fn served(db: &Db) -> Result<Vec<Served>, Error> {
    db.all(SERVED, params![]).await
}

pub(crate) async fn set_state(tx: &mut Tx, id: HostId, state: NodeState) -> Result<(), Error> {
    tx.exec(SET_STATE, params![id, state.as_str()]).await.map(drop)
}

/// Keeps what a node said of itself.
pub(crate) async fn seen(
    tx: &mut Tx,
    id: HostId,
    now: Timestamp,
    boot: &str,
    load: Option<HostLoad>,
    relays: i64,
) -> Result<(), Error> {
    let load = load.map(|load| serde_json::to_string(&load)).transpose();
    let load = load.map_err(|error| unfit("load", error))?;
    tx.exec(SEEN, params![id, now, boot, load, relays])
        .await
        .map(drop)
}
