//! OpenID Connect Core 1.0 and the OAuth 2.0 it stands on: requests parsed, proofs checked, tokens and answers built.

pub mod assertion;
pub mod authorize;
pub mod claims;
pub mod device;
pub mod discovery;
pub mod dpop;
mod error;
mod params;
pub mod pkce;
pub mod redirect;
pub mod scope;
pub mod subject;
#[cfg(test)]
mod tests;
pub mod token;
pub mod tokens;

pub use error::{Code, Refusal};
pub use params::Params;
