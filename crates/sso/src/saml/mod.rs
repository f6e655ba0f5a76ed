//! SAML 2.0 as an identity provider speaks it.
//!
//! In: `AuthnRequest`, `LogoutRequest`, `LogoutResponse` by the redirect and the POST binding, and the metadata of service
//! providers. Out: signed (and encrypted) assertions, logout messages, our own metadata.
//!
//! Two decisions keep whole classes of attacks out. XML that comes in is read by a reader without document types and
//! entities, into a small bounded tree ([`Refusal`] says what it will not read). And no XML signature is ever verified:
//! signatures on messages that come in are the detached ones of the bindings, over the very bytes received, so there is
//! nothing to wrap. XML that goes out is written in exclusive canonical form from the start, so that what is signed is
//! what is sent.
//!
//! Sources: SAML 2.0 Core, Bindings, Profiles and Metadata (OASIS, 2005); Exclusive XML Canonicalization 1.0; XML Signature
//! 1.1; XML Encryption 1.1.

mod acceptance;
mod assertion;
mod authn_request;
mod binding;
mod canonical;
mod certificate;
mod context;
mod encryption;
mod identity_provider;
mod instant;
mod logout;
mod message;
mod metadata;
mod name_id;
mod refusal;
mod response;
mod service_provider;
mod signature;
mod soap;
#[cfg(test)]
mod tests;
mod xml;

pub use acceptance::{Acceptance, Expectation, check_request, choose_name_id};
pub use assertion::{Assertion, Attribute, AttributeFormat};
pub use authn_request::{AuthnRequest, Comparison, NameIdPolicy, RequestedContext};
pub use binding::{Binding, Incoming, MessageKind, redirect_address};
pub use context::{CertificateUse, ContextAnswer, Proof, judge_context};
pub use encryption::{Padding, encrypt_element};
pub use identity_provider::{IdentityProvider, identity_provider_metadata};
pub use instant::{format_instant, parse_instant};
pub use logout::{LogoutRequest, LogoutResponse, OutgoingLogoutRequest, OutgoingLogoutResponse};
pub use message::{MESSAGE_BYTES_MAX, MESSAGE_MINUTES_MAX, RELAY_STATE_BYTES_MAX, message_id};
pub use metadata::{METADATA_BYTES_MAX, read_service_provider};
pub use name_id::{NameId, NameIdFormat};
pub use refusal::Refusal;
pub use response::{Answer, Status, failure_response, success_response};
pub use service_provider::{AnswerAddress, LogoutAddress, LogoutBinding, ServiceProvider};
pub use signature::SigningKey;
pub use soap::{logout_status_from_soap, soap_logout_request};
