//! What can go wrong on a desktop host, and what the person is told of it.

use naru_kernel::fleet::CloseReason;
use naru_relay::ticket::TicketRefusal;

use crate::account;

/// A failure of the agent. The text is for the log; the person gets [`Error::close_reason`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The account cannot be used.
    #[error("the account cannot be used")]
    Account(#[from] account::Refusal),
    /// The ticket is not accepted.
    #[error("the ticket is not accepted")]
    Ticket(#[from] TicketRefusal),
    /// A file, socket or process operation failed.
    #[error("could not {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// A program that must succeed did not.
    #[error("{program} failed: {detail}")]
    Program {
        /// Which.
        program: &'static str,
        /// Its status and the end of what it said.
        detail: String,
    },
    /// The desktop ended before its first picture.
    #[error("the desktop did not start: {detail}")]
    StartFailed {
        /// The end of the session's log.
        detail: String,
    },
    /// The desktop was not ready in time.
    #[error("the desktop was not ready within {seconds} s: {detail}")]
    StartTimedOut {
        /// How long was waited.
        seconds: u64,
        /// The end of the session's log.
        detail: String,
    },
    /// The host runs as many sessions as it may.
    #[error("the host runs {sessions_max} sessions, the most it may")]
    Full {
        /// The limit.
        sessions_max: i64,
    },
    /// Too many people log on at once, and the wait was too long.
    #[error("too many log-ins at once on this host")]
    Busy,
    /// Without root there is one person only.
    #[error("this host runs without root and already serves another account")]
    OnePersonOnly,
    /// The desktop is being ended.
    #[error("the desktop is being ended")]
    Ending,
    /// The host does not serve this protocol.
    #[error("this host does not serve {protocol}")]
    ProtocolOff {
        /// Which.
        protocol: &'static str,
    },
    /// Who connects is not a gateway of the fleet, or does not speak as one.
    #[error("not a gateway: {why}")]
    NotGateway {
        /// What is wrong.
        why: &'static str,
    },
    /// The socket's other end is not the person's own server.
    #[error("the desktop's socket belongs to somebody else")]
    ForeignSocket,
    /// The configuration cannot be used.
    #[error("the configuration cannot be used: {why}")]
    Configuration {
        /// What to change.
        why: &'static str,
    },
}

impl Error {
    /// An [`Error::Io`] from what was tried.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// The word for the person and the gateway.
    #[must_use]
    pub const fn close_reason(&self) -> CloseReason {
        match self {
            Self::Ticket(_) | Self::ProtocolOff { .. } => CloseReason::TicketRefused,
            Self::Full { .. } | Self::Busy | Self::OnePersonOnly => CloseReason::HostFull,
            Self::Ending => CloseReason::Ended,
            Self::NotGateway { .. } => CloseReason::ProtocolError,
            Self::Account(_)
            | Self::Io { .. }
            | Self::Program { .. }
            | Self::StartFailed { .. }
            | Self::StartTimedOut { .. }
            | Self::ForeignSocket
            | Self::Configuration { .. } => CloseReason::HostLost,
        }
    }

    /// The whole chain in one line, for the log and for [`naru_kernel::fleet::AttachAnswer::Refused`].
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        text
    }
}
