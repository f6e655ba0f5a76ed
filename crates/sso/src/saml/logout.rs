//! Single logout (Core, 3.7; Profiles, 4.4).

use naru_kernel::{Entropy, Timestamp};

use super::{
    Answer, Incoming, MessageKind, NameId, Refusal, ServiceProvider, SigningKey, Status,
    acceptance::verify,
    canonical::{Canonical, Space},
    message::{Envelope, TEXT_BYTES_MAX},
    message_id, parse_instant,
    response::{begin, is_success, write_status},
    xml::Element,
};

const SP: Space = Space::Protocol;
const SESSIONS_MAX: usize = 32;

/// A service provider asks to end a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    envelope: Envelope,
    not_after: Option<Timestamp>,
    pub(crate) name_id: NameId,
    pub(crate) session_indexes: Vec<String>,
}

impl LogoutRequest {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no `LogoutRequest`, or not a valid one.
    pub fn read(incoming: &Incoming) -> Result<Self, Refusal> {
        let root = incoming.root(MessageKind::Request)?;
        Self::of(&root)
    }

    fn of(root: &Element) -> Result<Self, Refusal> {
        if !root.is(SP.uri(), "LogoutRequest") {
            return Err(Refusal::Unexpected("LogoutRequest"));
        }
        let name_id = root
            .child(Space::Assertion.uri(), "NameID")?
            .ok_or(Refusal::Unexpected("NameID"))?;
        let mut session_indexes = Vec::new();
        for index in root.children(SP.uri(), "SessionIndex") {
            let text = index
                .text()
                .filter(|text| !text.is_empty() && text.len() <= TEXT_BYTES_MAX)
                .ok_or(Refusal::Unexpected("SessionIndex"))?;
            if session_indexes.len() >= SESSIONS_MAX {
                return Err(Refusal::TooComplex);
            }
            session_indexes.push(text.to_owned());
        }
        let not_after = match root.attribute("NotOnOrAfter") {
            None => None,
            Some(text) => Some(parse_instant(text).ok_or(Refusal::Unexpected("NotOnOrAfter"))?),
        };
        Ok(Self {
            envelope: Envelope::read(root)?,
            not_after,
            name_id: NameId::read(name_id)?,
            session_indexes,
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

    /// Whose session.
    #[must_use]
    pub const fn name_id(&self) -> &NameId {
        &self.name_id
    }

    /// Which sessions; none for all of this person at this service provider.
    #[must_use]
    pub fn session_indexes(&self) -> &[String] {
        &self.session_indexes
    }

    /// Whether it is this service provider's, signed, for us, and of these minutes. Without a signature anybody could end
    /// anybody's session, so there is no exception (Profiles, 4.4.3.1).
    ///
    /// # Errors
    /// The first check that fails.
    pub fn check(
        &self,
        incoming: &Incoming,
        provider: &ServiceProvider,
        here: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.issuer() != provider.entity_id {
            return Err(Refusal::OtherIssuer);
        }
        verify(incoming, provider, true)?;
        self.envelope.check(here, true, now)?;
        match self.not_after {
            Some(until) if until <= now => Err(Refusal::Time),
            Some(_) | None => Ok(()),
        }
    }
}

/// A service provider says that it ended a session, as we asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutResponse {
    envelope: Envelope,
    pub(crate) success: bool,
}

impl LogoutResponse {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no `LogoutResponse`, or not a valid one.
    pub fn read(incoming: &Incoming) -> Result<Self, Refusal> {
        let root = incoming.root(MessageKind::Response)?;
        Self::of(&root)
    }

    pub(crate) fn of(root: &Element) -> Result<Self, Refusal> {
        if !root.is(SP.uri(), "LogoutResponse") {
            return Err(Refusal::Unexpected("LogoutResponse"));
        }
        let code = root
            .child(SP.uri(), "Status")?
            .map(|status| status.child(SP.uri(), "StatusCode"))
            .transpose()?
            .flatten()
            .and_then(|code| code.attribute("Value"))
            .ok_or(Refusal::Unexpected("Status"))?;
        Ok(Self {
            success: is_success(code),
            envelope: Envelope::read(root)?,
        })
    }

    /// Which request it answers.
    #[must_use]
    pub fn in_response_to(&self) -> Option<&str> {
        self.envelope.in_response_to.as_deref()
    }

    /// Who says to have sent it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.envelope.issuer
    }

    /// Whether the session is ended there.
    #[must_use]
    pub const fn success(&self) -> bool {
        self.success
    }

    /// Whether it is this service provider's, signed where it has a key, for us, and of these minutes.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn check(
        &self,
        incoming: &Incoming,
        provider: &ServiceProvider,
        here: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.issuer() != provider.entity_id {
            return Err(Refusal::OtherIssuer);
        }
        let signed = verify(incoming, provider, !provider.signing_certificates.is_empty())?;
        self.envelope.check(here, signed, now)
    }
}

/// We ask a service provider to end a session.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingLogoutRequest<'a> {
    /// From, to and when.
    pub answer: Answer<'a>,
    /// Whose.
    pub name_id: &'a NameId,
    /// Which.
    pub session_indexes: &'a [String],
    /// Until when the request means something.
    pub not_after: Timestamp,
}

impl OutgoingLogoutRequest<'_> {
    fn write(&self, id: &str) -> (String, usize) {
        let mut out = Canonical::new();
        let issued = super::format_instant(self.answer.at);
        let until = super::format_instant(self.not_after);
        out.start(
            SP,
            "LogoutRequest",
            &[
                ("Destination", self.answer.destination),
                ("ID", id),
                ("IssueInstant", &issued),
                ("NotOnOrAfter", &until),
                ("Version", "2.0"),
            ],
        )
        .leaf(Space::Assertion, "Issuer", &[], self.answer.issuer);
        let head = out.position();
        self.name_id.write(&mut out);
        for index in self.session_indexes {
            out.leaf(SP, "SessionIndex", &[], index);
        }
        (out.finish(), head)
    }

    /// Without a signature: the redirect binding puts one beside it. Gives its identifier as well.
    #[must_use]
    pub fn unsigned(&self, entropy: &dyn Entropy) -> (String, String) {
        let id = message_id(entropy);
        let (text, _) = self.write(&id);
        (id, text)
    }

    /// With an enveloped signature, for SOAP. Gives its identifier as well.
    ///
    /// # Errors
    /// [`Refusal::Key`] when the key cannot be used.
    pub fn signed(&self, key: &SigningKey, entropy: &dyn Entropy) -> Result<(String, String), Refusal> {
        let id = message_id(entropy);
        let (text, head) = self.write(&id);
        let (head, tail) = text.split_at_checked(head).ok_or(Refusal::Key)?;
        let signed = key.envelop(head, tail, &id)?;
        Ok((id, signed))
    }
}

/// We answer a service provider that asked us to end a session.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingLogoutResponse<'a> {
    /// From, to, when, and which request it answers.
    pub answer: Answer<'a>,
    /// Why it is not whole, if it is not.
    pub failure: Option<Status>,
}

impl OutgoingLogoutResponse<'_> {
    /// Without a signature: the redirect binding puts one beside it.
    #[must_use]
    pub fn unsigned(&self, entropy: &dyn Entropy) -> String {
        let mut out = Canonical::new();
        begin(&mut out, "LogoutResponse", &message_id(entropy), &self.answer);
        write_status(&mut out, self.failure);
        out.finish()
    }
}
