//! What an administrator may make of an application: the form, checked.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::{MinistryId, access::Label};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Wrong, address,
    fields::{self, Needed},
    picture,
};
use crate::model::{
    ApplicationState, Audience, AudienceKind, DesktopSettings, Icon, LinkSettings, Protocol, SamlSettings,
    Words,
};

/// The longest name of an application or a heading, in characters.
const NAME_CHARACTERS_MAX: usize = 60;
/// The longest description, in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 300;
/// To how many ministries an application may be offered by name; to more, it is offered to all.
const MINISTRIES_MAX: usize = 200;
/// The name of an icon, in characters.
const ICON_CHARACTERS_MAX: usize = 32;
/// The largest place of a tile.
const PLACE_MAX: i64 = 10_000;
/// Endpoints of a service provider, of each sort.
const ENDPOINTS_MAX: usize = 16;
/// Attributes a service provider may be told.
const ATTRIBUTES_MAX: usize = 32;
/// Certificates of a service provider.
const CERTIFICATES_MAX: usize = 8;
/// A certificate in base64.
const CERTIFICATE_CHARACTERS_MAX: usize = 8 * 1024;
/// An entity identifier (OASIS saml-core-2.0-os, 8.3.6), in bytes.
const ENTITY_BYTES_MAX: usize = 1_024;

/// A tile's picture in a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IconForm {
    /// One of the pages' own.
    Name(String),
    /// A PNG, base64, at most 32 KiB.
    Png(String),
    /// As it was; a new application gets none.
    Keep,
}

impl Default for IconForm {
    fn default() -> Self {
        Self::Name(String::new())
    }
}

/// To whom it is offered, in a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AudienceForm {
    /// Which sort.
    pub kind: AudienceKind,
    /// The other ministries, for `listed`.
    #[serde(default)]
    pub ministries: Vec<MinistryId>,
}

/// An application, as an administrator writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationForm {
    /// Name.
    pub name: Words,
    /// What it is for.
    #[serde(default)]
    pub description: Words,
    /// The heading its tile stands under.
    #[serde(default)]
    pub group: Words,
    /// Place among the tiles; smaller comes first.
    #[serde(default)]
    pub place: i64,
    /// Its picture.
    #[serde(default)]
    pub icon: IconForm,
    /// How secret what it holds is.
    pub label: Label,
    /// To whom it is offered.
    pub audience: AudienceForm,
    /// Whether it may be opened.
    pub state: ApplicationState,
    /// How it is opened.
    pub protocol: Protocol,
}

/// A form that was checked; `icon` is absent where it stays as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Name.
    pub name: Words,
    /// What it is for.
    pub description: Words,
    /// The heading its tile stands under.
    pub group: Words,
    /// Place among the tiles.
    pub place: i64,
    /// Its picture.
    pub icon: Option<Icon>,
    /// How secret what it holds is.
    pub label: Label,
    /// To whom it is offered.
    pub audience: Audience,
    /// Whether it may be opened.
    pub state: ApplicationState,
    /// How it is opened.
    pub protocol: Protocol,
}

impl Draft {
    /// Checks a form. `own` is the ministry that writes it: it sees its own applications without being listed.
    ///
    /// # Errors
    /// The first field that cannot be taken.
    pub fn of(form: ApplicationForm, own: MinistryId) -> Result<Self, Wrong> {
        if !(-PLACE_MAX..=PLACE_MAX).contains(&form.place) {
            return Err(Wrong::new("place", "is out of range"));
        }
        let description = Words {
            ko: fields::text(
                "description",
                &form.description.ko,
                DESCRIPTION_CHARACTERS_MAX,
                Needed::No,
            )?,
            en: fields::text(
                "description",
                &form.description.en,
                DESCRIPTION_CHARACTERS_MAX,
                Needed::No,
            )?,
        };
        check_protocol(&form.protocol)?;
        Ok(Self {
            name: fields::words("name", &form.name, NAME_CHARACTERS_MAX, Needed::Yes)?,
            description,
            group: fields::words("group", &form.group, NAME_CHARACTERS_MAX, Needed::No)?,
            place: form.place,
            icon: icon(&form.icon)?,
            label: form.label,
            audience: audience(form.audience, own)?,
            state: form.state,
            protocol: form.protocol,
        })
    }
}

fn audience(form: AudienceForm, own: MinistryId) -> Result<Audience, Wrong> {
    let mut ministries = form.ministries;
    ministries.retain(|ministry| *ministry != own);
    ministries.sort();
    ministries.dedup();
    if ministries.len() > MINISTRIES_MAX {
        return Err(Wrong::new(
            "audience",
            "lists too many ministries: offer it to all",
        ));
    }
    match form.kind {
        AudienceKind::Listed if ministries.is_empty() => {
            Err(Wrong::new("audience", "needs at least one other ministry"))
        }
        AudienceKind::Ministry | AudienceKind::Platform if !ministries.is_empty() => Err(Wrong::new(
            "audience",
            "lists ministries although it needs no list",
        )),
        kind @ (AudienceKind::Listed | AudienceKind::Ministry | AudienceKind::Platform) => {
            Ok(Audience { kind, ministries })
        }
    }
}

fn icon(form: &IconForm) -> Result<Option<Icon>, Wrong> {
    match form {
        IconForm::Keep => Ok(None),
        IconForm::Name(name) => {
            let is_good = name.len() <= ICON_CHARACTERS_MAX
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if is_good {
                Ok(Some(Icon::Named(name.clone())))
            } else {
                Err(Wrong::new("icon", "is no name of an icon"))
            }
        }
        IconForm::Png(text) => png("icon", text, picture::ICON).map(|png| Some(Icon::Png(png))),
    }
}

/// A PNG from base64, checked.
///
/// # Errors
/// Why it is not taken.
pub fn png(field: &'static str, text: &str, limits: picture::PictureLimits) -> Result<Vec<u8>, Wrong> {
    // Four characters for three bytes: what cannot fit is not even decoded.
    if text.len() / 4 > limits.bytes_max / 3 + 1 {
        return Err(Wrong::new(field, picture::PictureRefused::TooLarge.problem()));
    }
    let png = STANDARD
        .decode(text)
        .map_err(|_| Wrong::new(field, "is not base64"))?;
    picture::check(&png, limits).map_err(|refused| Wrong::new(field, refused.problem()))?;
    Ok(png)
}

fn check_protocol(protocol: &Protocol) -> Result<(), Wrong> {
    match protocol {
        Protocol::Oidc(oidc) => {
            oidc.check()?;
            let redirects = oidc.redirect_uris.iter().map(|uri| ("redirect_uris", uri));
            let leaving = oidc.post_logout_redirect_uris.iter();
            let leaving = leaving.map(|uri| ("post_logout_redirect_uris", uri));
            let begins = oidc
                .initiate_login_uri
                .iter()
                .map(|uri| ("initiate_login_uri", uri));
            let hears = oidc.backchannel_logout_uri.iter();
            let hears = hears.map(|uri| ("backchannel_logout_uri", uri));
            let mut all = redirects.chain(leaving).chain(begins).chain(hears);
            // No wildcard either: an address is compared letter by letter, so one could never fit anyway.
            all.try_for_each(|(field, uri)| check_address(field, uri))
        }
        Protocol::Saml(saml) => check_saml(saml),
        Protocol::Link(LinkSettings { url }) => check_address("url", url),
        Protocol::Desktop(DesktopSettings { .. }) => Ok(()),
    }
}

fn check_address(field: &'static str, text: &str) -> Result<(), Wrong> {
    if address::is_acceptable(text) {
        Ok(())
    } else {
        Err(Wrong::new(
            field,
            "must begin with https://, or http:// on this machine, without a fragment",
        ))
    }
}

fn check_saml(saml: &SamlSettings) -> Result<(), Wrong> {
    let entity = &saml.entity_id;
    if entity.is_empty()
        || entity.len() > ENTITY_BYTES_MAX
        || entity
            .chars()
            .any(|letter| letter.is_control() || letter.is_whitespace())
    {
        return Err(Wrong::new("entity_id", "is no entity identifier"));
    }
    if saml.assertion_consumers.is_empty() {
        return Err(Wrong::new("assertion_consumers", "at least one is needed"));
    }
    if saml.assertion_consumers.len() > ENDPOINTS_MAX || saml.logout_endpoints.len() > ENDPOINTS_MAX {
        return Err(Wrong::new("assertion_consumers", "are too many"));
    }
    for consumer in &saml.assertion_consumers {
        check_address("assertion_consumers", &consumer.url)?;
    }
    for endpoint in &saml.logout_endpoints {
        check_address("logout_endpoints", &endpoint.url)?;
        if let Some(url) = &endpoint.response_url {
            check_address("logout_endpoints", url)?;
        }
    }
    if saml.attributes.len() > ATTRIBUTES_MAX {
        return Err(Wrong::new("attributes", "are too many"));
    }
    for attribute in &saml.attributes {
        fields::line("attributes", &attribute.name, 200, Needed::Yes)?;
    }
    if saml.signing_certificates.len() > CERTIFICATES_MAX {
        return Err(Wrong::new("signing_certificates", "are too many"));
    }
    let certificates = saml
        .signing_certificates
        .iter()
        .map(|text| ("signing_certificates", text));
    let encryption = saml
        .encryption_certificate
        .iter()
        .map(|text| ("encryption_certificate", text));
    for (field, text) in certificates.chain(encryption) {
        if text.len() > CERTIFICATE_CHARACTERS_MAX || STANDARD.decode(text).is_err() {
            return Err(Wrong::new(field, "is no certificate in base64"));
        }
    }
    if saml.wants_encrypted && saml.encryption_certificate.is_none() {
        return Err(Wrong::new("encryption_certificate", "is needed to encrypt"));
    }
    if saml.requires_signed_requests && saml.signing_certificates.is_empty() {
        return Err(Wrong::new("signing_certificates", "are needed to check requests"));
    }
    if saml.relay_state.as_ref().is_some_and(|state| state.len() > 80) {
        return Err(Wrong::new("relay_state", "is longer than 80 bytes"));
    }
    Ok(())
}
