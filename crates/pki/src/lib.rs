//! Engine: certificates in, verdicts out.
//!
//! A person's browser signs a [`challenge`] with the key of their certificate; [`logon::verify_cms`] says whose
//! certificate it is, or gives exactly one [`Refusal`]. Everything is decided from the bytes, a [`Trust`]
//! (profiles and revocation lists loaded by the caller) and a given time: no sockets, no files, no clock.
//!
//! [`keyfile`] and [`demo`] make what a certification authority would: the files of the demo and of the tests.
#![warn(missing_docs)]

mod asn1;
mod certificate;
pub mod challenge;
mod cms;
mod crl;
pub mod demo;
pub mod keyfile;
pub mod logon;
pub mod name;
mod oid;
mod path;
mod policy;
mod profile;
mod refusal;
mod seed;
mod signature;
mod subtree;
mod trust;
mod write;

pub use challenge::{ChallengeKey, Nonce};
pub use crl::{CrlFacts, Reason, RevocationState};
pub use logon::{VerifiedCertificate, VerifiedLogon, verify_certificate, verify_cms};
pub use profile::{CommonNameRule, KeyUse, Profile, RevocationRule, WhenMissing};
pub use refusal::{Error, Refusal};
pub use trust::Trust;

#[cfg(test)]
mod tests;
