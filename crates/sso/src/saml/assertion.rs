//! Assertions: who the person is, how they logged on, for whom this is said and how long (Core, 2; Profiles, 4.1.4.2).

use naru_kernel::{Entropy, Seconds, Timestamp};

use super::{
    NameId, Refusal, SigningKey,
    canonical::{Canonical, Pair, Space, some},
    format_instant, message_id,
};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// How long an assertion may be handed in.
const VALID_MINUTES: i64 = 5;
/// For clocks of service providers that are behind.
const EARLY_SECONDS: i64 = 60;
const SA: Space = Space::Assertion;

/// How an attribute's name is to be read (Core, 8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeFormat {
    /// A word both sides agreed on.
    Basic,
    /// A URI, such as `urn:oid:…`.
    Uri,
}

impl AttributeFormat {
    const fn uri(self) -> &'static str {
        match self {
            Self::Basic => "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
            Self::Uri => "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
        }
    }
}

/// What is told about the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name for this service provider.
    pub name: String,
    /// How the name is to be read.
    pub format: AttributeFormat,
    /// One or more values.
    pub values: Vec<String>,
}

/// All that an assertion says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Our entity identifier.
    pub issuer: String,
    /// The service provider's: nobody else may use the assertion.
    pub audience: String,
    /// Where it is posted to.
    pub recipient: String,
    /// The request it answers; `None` if nobody asked.
    pub in_response_to: Option<String>,
    /// Now.
    pub issued_at: Timestamp,
    /// When the person showed a factor last.
    pub authenticated_at: Timestamp,
    /// When the person's session here ends at the latest.
    pub session_until: Option<Timestamp>,
    /// What logout names it by.
    pub session_index: String,
    /// How the person logged on: a class.
    pub context: String,
    /// Who the person is.
    pub name_id: NameId,
    /// What else is told.
    pub attributes: Vec<Attribute>,
}

impl Assertion {
    /// The signed element, canonical, declaring every prefix it uses.
    pub(crate) fn sign(&self, key: &SigningKey, entropy: &dyn Entropy) -> Result<String, Refusal> {
        let id = message_id(entropy);
        let mut out = Canonical::new();
        let issued = format_instant(self.issued_at);
        out.start(
            SA,
            "Assertion",
            &[("ID", &id), ("IssueInstant", &issued), ("Version", "2.0")],
        )
        .leaf(SA, "Issuer", &[], &self.issuer);
        let head = out.position();
        self.subject(&mut out);
        self.conditions(&mut out);
        self.statement(&mut out);
        self.attribute_statement(&mut out);
        let text = out.finish();
        let (head, tail) = text.split_at_checked(head).ok_or(Refusal::Key)?;
        key.envelop(head, tail, &id)
    }

    fn not_after(&self) -> String {
        format_instant(self.issued_at + Seconds::minutes(VALID_MINUTES))
    }

    fn subject(&self, out: &mut Canonical) {
        let until = self.not_after();
        let data: Vec<Pair<'_>> = some(&[
            ("InResponseTo", self.in_response_to.as_deref()),
            ("NotOnOrAfter", Some(&until)),
            ("Recipient", Some(&self.recipient)),
        ]);
        out.start(SA, "Subject", &[]);
        self.name_id.write(out);
        out.start(SA, "SubjectConfirmation", &[("Method", BEARER)])
            .leaf(SA, "SubjectConfirmationData", &data, "")
            .end()
            .end();
    }

    fn conditions(&self, out: &mut Canonical) {
        let from = format_instant(self.issued_at - Seconds(EARLY_SECONDS));
        let until = self.not_after();
        out.start(
            SA,
            "Conditions",
            &[("NotBefore", &from), ("NotOnOrAfter", &until)],
        )
        .start(SA, "AudienceRestriction", &[])
        .leaf(SA, "Audience", &[], &self.audience)
        .end()
        .end();
    }

    fn statement(&self, out: &mut Canonical) {
        let at = format_instant(self.authenticated_at);
        let until = self.session_until.map(format_instant);
        let attributes = some(&[
            ("AuthnInstant", Some(&at)),
            ("SessionIndex", Some(&self.session_index)),
            ("SessionNotOnOrAfter", until.as_deref()),
        ]);
        out.start(SA, "AuthnStatement", &attributes)
            .start(SA, "AuthnContext", &[])
            .leaf(SA, "AuthnContextClassRef", &[], &self.context)
            .end()
            .end();
    }

    fn attribute_statement(&self, out: &mut Canonical) {
        // An empty statement is not valid (Core, 2.7.3).
        let told: Vec<_> = self
            .attributes
            .iter()
            .filter(|attribute| !attribute.values.is_empty())
            .collect();
        if told.is_empty() {
            return;
        }
        out.start(SA, "AttributeStatement", &[]);
        for attribute in told {
            out.start(
                SA,
                "Attribute",
                &[("Name", &attribute.name), ("NameFormat", attribute.format.uri())],
            );
            for value in &attribute.values {
                out.leaf(SA, "AttributeValue", &[], value);
            }
            out.end();
        }
        out.end();
    }
}
