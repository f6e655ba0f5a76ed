//! Who calls: put into the request by middleware, taken out by handlers.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{header, request::Parts},
};
use naru_kernel::{Actor, HostId, Kind, LogonId, PersonId, fleet::NodeRole};
use rustls_pki_types::CertificateDer;

use crate::Problem;

/// The other end of the connection, as the listener saw it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its network address.
    pub address: SocketAddr,
    /// The certificates it proved to hold, its own first; empty if it was not asked or had none.
    pub certificates: Arc<[CertificateDer<'static>]>,
    /// The name the client asked for (TLS SNI).
    pub server_name: Option<Arc<str>>,
}

/// Who the caller is, as far as the cookie or the client certificate tells.
#[derive(Clone, Debug, Default)]
pub enum Caller {
    /// Not known.
    #[default]
    Anyone,
    /// Passed the certificate, still owes the second factor.
    FirstFactor(FirstFactor),
    /// Signed in.
    SignedIn(Actor),
}

/// A log-on under way.
#[derive(Clone, Copy, Debug)]
pub struct FirstFactor {
    /// Its session.
    pub logon: LogonId,
    /// Whose certificate it was.
    pub person: PersonId,
    /// Whose ministry.
    pub ministry: naru_kernel::MinistryId,
}

/// The signed-in caller; refuses others.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Actor);

/// A gateway or host, by its client certificate; refuses others.
#[derive(Clone, Copy, Debug)]
pub struct NodeCaller {
    /// Which.
    pub node: HostId,
    /// What it is.
    pub role: NodeRole,
}

/// Where a request comes from, for sessions and the record.
#[derive(Clone, Debug)]
pub struct Client {
    /// Network address without the port; empty if unknown.
    pub address: String,
    /// What the browser says it is, at most [`Client::USER_AGENT_CHARACTERS_MAX`].
    pub user_agent: String,
}

impl Client {
    /// Longer ones are cut.
    pub const USER_AGENT_CHARACTERS_MAX: usize = 256;
}

/// The origins of the portal: requests that change something must come from one of them.
#[derive(Clone, Debug)]
pub struct PortalOrigins(pub Arc<[String]>);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

fn not_signed_in() -> Problem {
    Problem::new(Kind::Unauthenticated, "runtime.not-signed-in", "sign in first")
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Caller>() {
            Some(Caller::SignedIn(actor)) => Ok(Self(actor.clone())),
            Some(Caller::FirstFactor(_) | Caller::Anyone) | None => Err(not_signed_in()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FirstFactor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Caller>() {
            Some(Caller::FirstFactor(first)) => Ok(*first),
            Some(Caller::SignedIn(_) | Caller::Anyone) | None => Err(not_signed_in()),
        }
    }
}

impl NodeCaller {
    /// The node whose certificate the peer holds.
    #[must_use]
    pub fn of(peer: &Peer) -> Option<Self> {
        let (role, node) = crate::tls::node_of(peer.certificates.first()?)?;
        Some(Self { node, role })
    }

    pub(crate) fn refusal() -> Problem {
        Problem::new(
            Kind::Unauthenticated,
            "runtime.not-a-node",
            "this door is for enrolled nodes",
        )
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NodeCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Peer>()
            .and_then(Self::of)
            .ok_or_else(Self::refusal)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let address = parts
            .extensions
            .get::<Peer>()
            .map(|peer| peer.address.ip().to_string());
        let user_agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok());
        Ok(Self {
            address: address.unwrap_or_default(),
            user_agent: user_agent
                .unwrap_or_default()
                .chars()
                .take(Self::USER_AGENT_CHARACTERS_MAX)
                .collect(),
        })
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
