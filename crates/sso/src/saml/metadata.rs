//! Reads a service provider's metadata (SAML Metadata, 2.4.4).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    AnswerAddress, LogoutAddress, LogoutBinding, NameIdFormat, Refusal, ServiceProvider,
    binding::unbase64,
    canonical::Space,
    certificate::CertifiedKey,
    message::TEXT_BYTES_MAX,
    xml::{self, Comments, Element},
};

/// A metadata document.
pub const METADATA_BYTES_MAX: usize = 256 * 1024;
const ADDRESSES_MAX: usize = 64;
const CERTIFICATES_MAX: usize = 8;
const MD: &str = Space::Metadata.uri();
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const SOAP: &str = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP";

/// Reads the metadata of one service provider. A signature inside is not looked at: an administrator vouches for the file.
///
/// # Errors
/// When it is no metadata of a service provider that we can answer.
pub fn read_service_provider(metadata: &[u8]) -> Result<ServiceProvider, Refusal> {
    let root = xml::read(metadata, METADATA_BYTES_MAX, Comments::BetweenElements)?;
    if !root.is(MD, "EntityDescriptor") {
        return Err(Refusal::Unexpected("EntityDescriptor"));
    }
    let entity_id = root
        .attribute("entityID")
        .filter(|id| !id.is_empty() && id.len() <= TEXT_BYTES_MAX)
        .ok_or(Refusal::Unexpected("entityID"))?;
    let role = root
        .children(MD, "SPSSODescriptor")
        .find(|role| {
            role.attribute("protocolSupportEnumeration")
                .is_some_and(|names| names.split_whitespace().any(|name| name == Space::Protocol.uri()))
        })
        .ok_or(Refusal::Unexpected("SPSSODescriptor"))?;
    let (signing_certificates, encryption_certificates) = certificates(role)?;
    Ok(ServiceProvider {
        entity_id: entity_id.to_owned(),
        answer_addresses: answer_addresses(role)?,
        logout_addresses: logout_addresses(role)?,
        signing_certificates,
        encryption_certificates,
        name_id_formats: role
            .children(MD, "NameIDFormat")
            .filter_map(Element::text)
            .filter_map(NameIdFormat::of_uri)
            .take(ADDRESSES_MAX)
            .collect(),
        signs_requests: role.flag("AuthnRequestsSigned")?,
        wants_signed_assertions: role.flag("WantAssertionsSigned")?,
    })
}

/// An address we may send a browser to: an absolute one, encrypted; without encryption on this machine alone.
fn address(element: &Element, name: &'static str) -> Result<Option<String>, Refusal> {
    let Some(text) = element.attribute(name) else {
        return Ok(None);
    };
    let url = url::Url::parse(text).map_err(|_| Refusal::Unexpected(name))?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && local);
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if text.len() > TEXT_BYTES_MAX || !scheme || !plain {
        return Err(Refusal::Unexpected(name));
    }
    Ok(Some(text.to_owned()))
}

fn answer_addresses(role: &Element) -> Result<Vec<AnswerAddress>, Refusal> {
    let mut found: Vec<AnswerAddress> = Vec::new();
    let services = role.children(MD, "AssertionConsumerService");
    for service in services.filter(|service| service.attribute("Binding") == Some(POST)) {
        let index = service
            .attribute("index")
            .and_then(|index| index.parse().ok())
            .ok_or(Refusal::Unexpected("index"))?;
        if found.len() >= ADDRESSES_MAX || found.iter().any(|known| known.index == index) {
            return Err(Refusal::Unexpected("AssertionConsumerService"));
        }
        found.push(AnswerAddress {
            index,
            url: address(service, "Location")?.ok_or(Refusal::Unexpected("Location"))?,
            is_default: service.flag("isDefault")?,
        });
    }
    if found.is_empty() {
        return Err(Refusal::Unexpected("AssertionConsumerService"));
    }
    Ok(found)
}

fn logout_addresses(role: &Element) -> Result<Vec<LogoutAddress>, Refusal> {
    let mut found = Vec::new();
    for service in role.children(MD, "SingleLogoutService") {
        let binding = match service.attribute("Binding") {
            Some(REDIRECT) => LogoutBinding::Redirect,
            Some(SOAP) => LogoutBinding::Soap,
            Some(_) | None => continue,
        };
        if found.len() >= ADDRESSES_MAX {
            return Err(Refusal::TooComplex);
        }
        found.push(LogoutAddress {
            binding,
            url: address(service, "Location")?.ok_or(Refusal::Unexpected("Location"))?,
            response_url: address(service, "ResponseLocation")?,
        });
    }
    Ok(found)
}

/// Certificates to verify with, and to encrypt for; one without a use is for both.
fn certificates(role: &Element) -> Result<(Vec<String>, Vec<String>), Refusal> {
    const DS: &str = Space::Signature.uri();
    let (mut signing, mut encryption) = (Vec::new(), Vec::new());
    for descriptor in role.children(MD, "KeyDescriptor") {
        let Some(info) = descriptor.child(DS, "KeyInfo")? else {
            continue;
        };
        let held = info
            .children(DS, "X509Data")
            .flat_map(|data| data.children(DS, "X509Certificate"));
        for certificate in held {
            let der = certificate
                .text()
                .and_then(|text| unbase64(text.as_bytes()).ok())
                .ok_or(Refusal::Unexpected("X509Certificate"))?;
            let key =
                CertifiedKey::of_certificate(&der).map_err(|_| Refusal::Unexpected("X509Certificate"))?;
            let text = STANDARD.encode(&der);
            let usage = descriptor.attribute("use");
            if usage != Some("encryption") {
                signing.push(text.clone());
            }
            if usage != Some("signing") && key.is_rsa() {
                encryption.push(text);
            }
        }
    }
    if signing.len() > CERTIFICATES_MAX || encryption.len() > CERTIFICATES_MAX {
        return Err(Refusal::TooComplex);
    }
    Ok((signing, encryption))
}
