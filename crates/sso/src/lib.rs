//! Engine: the messages of single sign-on, parsed, checked, built and signed. OpenID Connect with its JOSE, SAML 2.0.
//!
//! Bytes and time in, bytes and decisions out: no I/O, no clock, no randomness. Every parser is bounded and refuses
//! with a reason.
#![warn(missing_docs)]

pub mod jose;
pub mod oidc;
pub mod saml;
