//! Logout from us to a service provider without the browser (Bindings, 3.2).

use super::{
    LogoutResponse, MESSAGE_BYTES_MAX, Refusal,
    canonical::{Canonical, Space},
    xml::{self, Comments, Element},
};

/// A SOAP envelope around a signed request.
#[must_use]
pub fn soap_logout_request(signed: &str) -> String {
    let mut out = Canonical::new();
    out.start(Space::Soap, "Envelope", &[])
        .start(Space::Soap, "Body", &[])
        .canonical(signed);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", out.finish())
}

/// Whether the answer to the request with this identifier says that the session is ended.
///
/// It came over the connection we opened to the service provider, which is what vouches for it; it decides nothing but
/// what we report.
///
/// # Errors
/// When it is no answer to our request.
pub fn logout_status_from_soap(answer: &[u8], request_id: &str) -> Result<bool, Refusal> {
    let root = xml::read(answer, MESSAGE_BYTES_MAX, Comments::Refuse)?;
    if !root.is(Space::Soap.uri(), "Envelope") {
        return Err(Refusal::Unexpected("Envelope"));
    }
    let response = root
        .child(Space::Soap.uri(), "Body")?
        .map(|body| body.child(Space::Protocol.uri(), "LogoutResponse"))
        .transpose()?
        .flatten()
        .ok_or(Refusal::Unexpected("LogoutResponse"))?;
    logout_status_of_response(response, request_id)
}

fn logout_status_of_response(element: &Element, request_id: &str) -> Result<bool, Refusal> {
    let response = LogoutResponse::of(element)?;
    if response.in_response_to() == Some(request_id) {
        Ok(response.success)
    } else {
        Err(Refusal::Unexpected("InResponseTo"))
    }
}
