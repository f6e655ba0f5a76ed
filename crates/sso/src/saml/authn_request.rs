//! `AuthnRequest` (Core, 3.4.1).

use serde::{Deserialize, Serialize};

use super::{
    Incoming, MessageKind, NameIdFormat, Refusal,
    canonical::Space,
    message::{Envelope, TEXT_BYTES_MAX, short},
    xml::Element,
};

const CONTEXTS_MAX: usize = 16;

/// What a service provider asks. Nothing of it is trusted but through [`super::check_request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthnRequest {
    pub(crate) envelope: Envelope,
    pub(crate) answer_url: Option<String>,
    pub(crate) answer_index: Option<u16>,
    pub(crate) answer_binding: Option<String>,
    pub(crate) has_subject: bool,
    pub(crate) force: bool,
    pub(crate) passive: bool,
    pub(crate) name_id: Option<NameIdPolicy>,
    pub(crate) context: Option<RequestedContext>,
}

/// `NameIDPolicy` (Core, 3.4.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameIdPolicy {
    /// Which sort of name; `None` for one we do not know.
    pub format: Option<NameIdFormat>,
    /// Whether a name may be made for this.
    pub allow_create: bool,
    /// For whom, if not for the asker.
    pub for_service_provider: Option<String>,
}

/// How contexts are compared (Core, 3.3.2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// One of them.
    Exact,
    /// As strong as one of them.
    Minimum,
    /// Stronger than all, or at most as strong: not offered.
    Other,
}

/// `RequestedAuthnContext`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedContext {
    /// How they are compared.
    pub comparison: Comparison,
    /// Class references.
    pub classes: Vec<String>,
}

impl AuthnRequest {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no `AuthnRequest`, or not a valid one.
    pub fn read(incoming: &Incoming) -> Result<Self, Refusal> {
        let root = incoming.root(MessageKind::Request)?;
        if !root.is(Space::Protocol.uri(), "AuthnRequest") {
            return Err(Refusal::Unexpected("AuthnRequest"));
        }
        let number = |name: &'static str| match root.attribute(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| Refusal::Unexpected(name)),
        };
        Ok(Self {
            envelope: Envelope::read(&root)?,
            answer_url: short(&root, "AssertionConsumerServiceURL")?,
            answer_index: number("AssertionConsumerServiceIndex")?,
            answer_binding: short(&root, "ProtocolBinding")?,
            has_subject: root.child(Space::Assertion.uri(), "Subject")?.is_some(),
            force: root.flag("ForceAuthn")?,
            passive: root.flag("IsPassive")?,
            name_id: root
                .child(Space::Protocol.uri(), "NameIDPolicy")?
                .map(policy)
                .transpose()?,
            context: root
                .child(Space::Protocol.uri(), "RequestedAuthnContext")?
                .map(context)
                .transpose()?,
        })
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.envelope.id
    }

    /// Who says to have sent it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.envelope.issuer
    }

    /// Whether the person must show a factor again.
    #[must_use]
    pub const fn force(&self) -> bool {
        self.force
    }

    /// Whether nothing may be shown to the person.
    #[must_use]
    pub const fn passive(&self) -> bool {
        self.passive
    }

    /// How the person should be named.
    #[must_use]
    pub const fn name_id(&self) -> Option<&NameIdPolicy> {
        self.name_id.as_ref()
    }

    /// How the person should have logged on.
    #[must_use]
    pub const fn context(&self) -> Option<&RequestedContext> {
        self.context.as_ref()
    }
}

fn policy(element: &Element) -> Result<NameIdPolicy, Refusal> {
    Ok(NameIdPolicy {
        format: match element.attribute("Format") {
            None => Some(NameIdFormat::Unspecified),
            Some(uri) => NameIdFormat::of_uri(uri),
        },
        allow_create: element.flag("AllowCreate")?,
        for_service_provider: short(element, "SPNameQualifier")?,
    })
}

fn context(element: &Element) -> Result<RequestedContext, Refusal> {
    let comparison = match element.attribute("Comparison") {
        None | Some("exact") => Comparison::Exact,
        Some("minimum") => Comparison::Minimum,
        Some("maximum" | "better") => Comparison::Other,
        Some(_) => return Err(Refusal::Unexpected("Comparison")),
    };
    let mut classes = Vec::new();
    for class in element.children(Space::Assertion.uri(), "AuthnContextClassRef") {
        let text = class
            .text()
            .filter(|text| !text.is_empty() && text.len() <= TEXT_BYTES_MAX)
            .ok_or(Refusal::Unexpected("AuthnContextClassRef"))?;
        if classes.len() >= CONTEXTS_MAX {
            return Err(Refusal::TooComplex);
        }
        classes.push(text.to_owned());
    }
    Ok(RequestedContext { comparison, classes })
}
