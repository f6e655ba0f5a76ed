//! Our own metadata (SAML Metadata, 2.4.3).

use super::{
    NameIdFormat,
    canonical::{Canonical, Space},
    signature::key_info,
};

const MD: Space = Space::Metadata;
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

/// What service providers need to know of us.
#[derive(Clone, Copy, Debug)]
pub struct IdentityProvider<'a> {
    /// Our entity identifier.
    pub entity_id: &'a str,
    /// Where requests come, by redirect and by POST.
    pub sign_on_url: &'a str,
    /// Where logout messages come, by redirect and by POST.
    pub logout_url: &'a str,
    /// Our certificates, DER, the one in use first: two while a key is replaced.
    pub certificates: &'a [&'a [u8]],
    /// The platform's name.
    pub name: &'a str,
}

/// Writes it.
#[must_use]
pub fn identity_provider_metadata(provider: &IdentityProvider<'_>) -> String {
    let mut out = Canonical::new();
    out.start(MD, "EntityDescriptor", &[("entityID", provider.entity_id)])
        .start(
            MD,
            "IDPSSODescriptor",
            &[
                ("WantAuthnRequestsSigned", "false"),
                ("protocolSupportEnumeration", Space::Protocol.uri()),
            ],
        );
    for certificate in provider.certificates {
        out.start(MD, "KeyDescriptor", &[("use", "signing")]);
        key_info(&mut out, certificate);
        out.end();
    }
    let service = |out: &mut Canonical, name: &'static str, binding: &str, url: &str| {
        out.leaf(MD, name, &[("Binding", binding), ("Location", url)], "");
    };
    service(&mut out, "SingleLogoutService", REDIRECT, provider.logout_url);
    service(&mut out, "SingleLogoutService", POST, provider.logout_url);
    for format in NameIdFormat::ALL {
        out.leaf(MD, "NameIDFormat", &[], format.uri());
    }
    service(&mut out, "SingleSignOnService", REDIRECT, provider.sign_on_url);
    service(&mut out, "SingleSignOnService", POST, provider.sign_on_url);
    out.end();
    out.start(MD, "Organization", &[]);
    for name in ["OrganizationName", "OrganizationDisplayName"] {
        out.leaf(MD, name, &[("xml:lang", "ko")], provider.name);
    }
    out.leaf(MD, "OrganizationURL", &[("xml:lang", "ko")], provider.sign_on_url);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", out.finish())
}
