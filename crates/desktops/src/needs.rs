//! What this domain needs from others; the portal wires it.

use std::collections::BTreeSet;

use naru_kernel::{
    Actor, HostId, LogonId, MinistryId, PersonId,
    access::{AccessDecision, AccessQuestion, Assurance},
    fleet::NodeRole,
};
use naru_store::BoxFuture;

use crate::Seat;

/// Tells who a person is to a host: identity knows.
pub trait KnowsPeople: Send + Sync + 'static {
    /// Account and name of an active person as one ministry knows them; `None` when they do not serve it, or nobody
    /// can tell now. The account is another in each ministry, so that two never share a home directory.
    fn seat(&self, person: PersonId, ministry: MinistryId) -> BoxFuture<'_, Option<Seat>>;

    /// What rules may know of somebody who is signed in; `None` when they or their session are over, or nobody can tell.
    fn standing(&self, actor: Actor) -> BoxFuture<'_, Option<Standing>>;
}

/// What the site's rules may know of a person in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The groups they are in, by name.
    pub groups: BTreeSet<String>,
    /// Their unit.
    pub unit: String,
    /// What the log-on proved.
    pub assurance: Assurance,
}

/// Answers what the site's rules say: policies know.
pub trait DecidesAccess: Send + Sync + 'static {
    /// May this person open this, here and now?
    fn decide(&self, question: AccessQuestion) -> BoxFuture<'_, Result<AccessDecision, naru_store::Error>>;
}

/// Is told which log-on sessions are at work in a desktop: identity keeps them from idling out.
pub trait KeepsSessionsAlive: Send + Sync + 'static {
    /// These sessions sent something to their desktops just now.
    fn active(&self, logons: Vec<LogonId>) -> BoxFuture<'_, ()>;
}

/// What a node asks to be certified.
#[derive(Clone, Copy, Debug)]
pub struct NodeCertificateRequest<'a> {
    /// The node's PKCS #10 request in PEM; only its public key is taken over.
    pub request_pem: &'a str,
    /// Gateway or host.
    pub role: NodeRole,
    /// Its identifier.
    pub node: HostId,
    /// DNS name or IP address by which others reach it.
    pub server_name: &'a str,
}

/// A node's certificate.
#[derive(Clone, Debug)]
pub struct NodeCertificate {
    /// The certificate.
    pub certificate_pem: String,
    /// The authority's own.
    pub authority_pem: String,
    /// SHA-256 of the certificate's DER, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Why a certificate cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefused {
    /// The request does not parse, is not signed by its own key, or asks for an impossible name.
    #[error("the certificate request is unusable: {0}")]
    Request(String),
    /// The authority itself fails.
    #[error("the authority cannot sign: {0}")]
    Authority(String),
}

/// Certifies nodes: the platform's local authority, or one's own.
pub trait IssuesNodeCertificates: Send + Sync + 'static {
    /// Makes the node's certificate.
    ///
    /// # Errors
    /// When the request is unusable or the authority fails.
    fn issue(&self, request: NodeCertificateRequest<'_>) -> Result<NodeCertificate, CertificateRefused>;

    /// SHA-256 of the authority's certificate (DER) in lower-case hexadecimal digits: the second half of a token.
    fn authority_sha256(&self) -> String;
}
