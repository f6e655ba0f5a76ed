//! What a service provider is told about a person, and how its settings and its metadata say the same.

use naru_kernel::access::Assurance;
use naru_sso::saml::{
    AnswerAddress, Attribute, AttributeFormat, CertificateUse, LogoutAddress, LogoutBinding as Wire,
    NameIdFormat as Format, Proof, ServiceProvider,
};

use crate::{
    LogonFacts, LogonMethod, SubjectFacts,
    model::{
        AttributeSource, LogoutBinding, LogoutEndpoint, NameIdFormat, ReleasedAttribute, SamlEndpoint,
        SamlSettings,
    },
};

/// Values of one attribute; more are left out.
const VALUES_MAX: usize = 256;

/// A service provider as the messages know it.
#[must_use]
pub(crate) fn service_provider(settings: &SamlSettings) -> ServiceProvider {
    ServiceProvider {
        entity_id: settings.entity_id.clone(),
        answer_addresses: settings
            .assertion_consumers
            .iter()
            .enumerate()
            .map(|(place, endpoint)| AnswerAddress {
                index: endpoint.index,
                url: endpoint.url.clone(),
                is_default: place == 0,
            })
            .collect(),
        logout_addresses: settings
            .logout_endpoints
            .iter()
            .map(|endpoint| LogoutAddress {
                binding: match endpoint.binding {
                    LogoutBinding::Redirect => Wire::Redirect,
                    LogoutBinding::Soap => Wire::Soap,
                },
                url: endpoint.url.clone(),
                response_url: endpoint.response_url.clone(),
            })
            .collect(),
        signing_certificates: settings.signing_certificates.clone(),
        encryption_certificates: settings.encryption_certificate.iter().cloned().collect(),
        name_id_formats: vec![preferred_name(settings)],
        signs_requests: settings.requires_signed_requests,
        wants_signed_assertions: true,
    }
}

/// A form filled from metadata; what is told about people is for the administrator to decide.
#[must_use]
pub(crate) fn settings_of(provider: &ServiceProvider) -> SamlSettings {
    let mut addresses: Vec<&AnswerAddress> = provider.answer_addresses.iter().collect();
    let default = provider.default_answer_address().map(|address| address.index);
    addresses.sort_by_key(|address| (Some(address.index) != default, address.index));
    SamlSettings {
        entity_id: provider.entity_id.clone(),
        assertion_consumers: addresses
            .into_iter()
            .map(|address| SamlEndpoint {
                url: address.url.clone(),
                index: address.index,
            })
            .collect(),
        logout_endpoints: provider
            .logout_addresses
            .iter()
            .map(|address| LogoutEndpoint {
                url: address.url.clone(),
                binding: match address.binding {
                    Wire::Redirect => LogoutBinding::Redirect,
                    Wire::Soap => LogoutBinding::Soap,
                },
                response_url: address.response_url.clone(),
            })
            .collect(),
        signing_certificates: provider.signing_certificates.clone(),
        encryption_certificate: provider.encryption_certificates.first().cloned(),
        wants_encrypted: false,
        requires_signed_requests: provider.signs_requests && !provider.signing_certificates.is_empty(),
        name_id: match provider.name_id_formats.first() {
            Some(Format::Transient) => NameIdFormat::Transient,
            Some(Format::EmailAddress) => NameIdFormat::Email,
            Some(Format::Persistent | Format::Unspecified) | None => NameIdFormat::Persistent,
        },
        attributes: Vec::new(),
        allows_unasked: false,
        relay_state: None,
    }
}

/// The sort of name the application's administrators chose.
#[must_use]
pub(crate) const fn preferred_name(settings: &SamlSettings) -> Format {
    match settings.name_id {
        NameIdFormat::Persistent => Format::Persistent,
        NameIdFormat::Transient => Format::Transient,
        NameIdFormat::Email => Format::EmailAddress,
        NameIdFormat::Account => Format::Unspecified,
    }
}

/// Sorts of names that say nothing about the person, so that a request may ask for them whatever was chosen.
pub(crate) const MEANINGLESS_NAMES: [Format; 2] = [Format::Persistent, Format::Transient];

/// What a log-on proved, in the messages' words.
#[must_use]
pub(crate) const fn proof(logon: &LogonFacts) -> Proof {
    Proof {
        assurance: logon.assurance,
        certificate: match logon.method {
            LogonMethod::Tls => CertificateUse::Tls,
            LogonMethod::Certificate => CertificateUse::Browser,
            LogonMethod::Upstream => CertificateUse::None,
        },
    }
}

/// What the service provider is told: the attributes of the rule, those with a value, and no others.
#[must_use]
pub(crate) fn released(
    rule: &[ReleasedAttribute],
    person: &SubjectFacts,
    assurance: Assurance,
) -> Vec<Attribute> {
    rule.iter()
        .map(|attribute| Attribute {
            name: attribute.name.clone(),
            format: if attribute.name.contains(':') {
                AttributeFormat::Uri
            } else {
                AttributeFormat::Basic
            },
            values: values(attribute.source, person, assurance),
        })
        .filter(|attribute| !attribute.values.is_empty())
        .collect()
}

fn values(source: AttributeSource, person: &SubjectFacts, assurance: Assurance) -> Vec<String> {
    let one = |text: &str| Vec::from_iter((!text.is_empty()).then(|| text.to_owned()));
    match source {
        AttributeSource::Person => vec![person.person.to_string()],
        AttributeSource::Name => one(&person.name),
        AttributeSource::Email => person.email.iter().cloned().collect(),
        AttributeSource::Account => one(&person.account),
        AttributeSource::Unit => one(&person.unit),
        AttributeSource::Ministry => vec![person.ministry.to_string()],
        AttributeSource::MinistryNameKo => one(&person.ministry_name_ko),
        AttributeSource::MinistryNameEn => one(&person.ministry_name_en),
        AttributeSource::AgencyCode => one(&person.agency_code),
        AttributeSource::Groups => person.groups.iter().take(VALUES_MAX).cloned().collect(),
        AttributeSource::Roles => person.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        AttributeSource::Assurance => vec![assurance.acr().to_owned()],
    }
}
