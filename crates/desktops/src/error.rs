//! What can go wrong, with the stable code of each.

use naru_kernel::{Denied, Kind};
use naru_relay::ticket::TicketRefusal;
use naru_runtime::{Fails, Problem};

use crate::{CertificateRefused, rules::NoHost};

/// Why something about desktops cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No role of the caller allows it.
    #[error("this is not allowed for you")]
    Denied(#[from] Denied),
    /// There is none, or it is another's.
    #[error("there is no such desktop")]
    NoSuchDesktop,
    /// There is none.
    #[error("there is no such host or gateway")]
    NoSuchNode,
    /// It has ended meanwhile.
    #[error("this desktop has ended: open a new one")]
    Ended,
    /// The site's rules forbid it now; which ones.
    #[error("the rules of your ministry or of the platform do not allow this now")]
    RulesForbid(Vec<String>),
    /// The site's rules want a stronger log-on.
    #[error("this desktop needs a stronger log-on: confirm with a second factor")]
    StepUp(naru_kernel::access::Assurance),
    /// The zone is not one of the configuration.
    #[error("there is no zone of this name")]
    UnknownZone,
    /// No server can take the desktop.
    #[error("{0}")]
    NoHost(NoHost),
    /// The queue has no place left.
    #[error("too many people are waiting for a desktop: try again in a minute")]
    QueueFull,
    /// The host of the running desktop does not answer.
    #[error(
        "the server of your running desktop does not answer; after {0} seconds a new desktop can be opened"
    )]
    HostLost(i64),
    /// No gateway could relay it.
    #[error("no gateway of this zone is in service")]
    NoGateway,
    /// Identity does not know the person, or cannot tell now.
    #[error("your account could not be looked up")]
    NoSeat,
    /// Unknown, used, expired or for something else: which is not told.
    #[error("the enrolment token is unknown, used or expired")]
    TokenRefused,
    /// The node was removed: its certificate is worth nothing.
    #[error("this node was removed: enrol it again")]
    NodeRemoved,
    /// A field of the request is wrong.
    #[error("{field}: {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// The node's certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateRefused),
    /// The ticket cannot be signed.
    #[error("a ticket could not be signed")]
    Ticket(#[from] TicketRefusal),
    /// There is no usable key in the store.
    #[error("the ticket key is unusable")]
    TicketKey,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] naru_store::Error),
}

impl Fails for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Denied(_)
            | Self::NodeRemoved
            | Self::TokenRefused
            | Self::RulesForbid(_)
            | Self::StepUp(_) => Kind::Forbidden,
            Self::NoSuchDesktop | Self::NoSuchNode => Kind::NotFound,
            Self::Ended => Kind::Conflict,
            Self::UnknownZone | Self::Field { .. } | Self::Certificate(CertificateRefused::Request(_)) => {
                Kind::Invalid
            }
            Self::QueueFull => Kind::TooMany,
            Self::NoHost(_) | Self::HostLost(_) | Self::NoGateway | Self::NoSeat => Kind::Unavailable,
            Self::Certificate(CertificateRefused::Authority(_)) | Self::Ticket(_) | Self::TicketKey => {
                Kind::Internal
            }
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Denied(_) => "desktops.denied",
            Self::NoSuchDesktop => "desktops.no-such-desktop",
            Self::NoSuchNode => "desktops.no-such-node",
            Self::Ended => "desktops.ended",
            Self::RulesForbid(_) => "desktops.rules-forbid",
            Self::StepUp(_) => "desktops.step-up-needed",
            Self::UnknownZone => "desktops.unknown-zone",
            Self::NoHost(NoHost::NoRoom) => "desktops.no-room",
            Self::NoHost(NoHost::None | NoHost::NoneInService) => "desktops.no-host",
            Self::QueueFull => "desktops.queue-full",
            Self::HostLost(_) => "desktops.host-lost",
            Self::NoGateway => "desktops.no-gateway",
            Self::NoSeat => "desktops.no-account",
            Self::TokenRefused => "desktops.token-refused",
            Self::NodeRemoved => "desktops.node-removed",
            Self::Field { .. } => "desktops.malformed-field",
            Self::Certificate(CertificateRefused::Request(_)) => "desktops.malformed-certificate-request",
            Self::Certificate(CertificateRefused::Authority(_)) => "desktops.authority",
            Self::Ticket(_) | Self::TicketKey => "desktops.ticket",
            Self::Store(_) => "desktops.store",
        }
    }
}

impl Error {
    /// Whether it is an answer to the caller rather than a failure of ours: such a refusal is kept in the record.
    pub(crate) fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::Store(_)
                | Self::Ticket(_)
                | Self::TicketKey
                | Self::Certificate(CertificateRefused::Authority(_))
        )
    }

    /// As callers see it.
    pub(crate) fn into_problem(self) -> Problem {
        let (field, retry) = match &self {
            Self::Field { field, .. } => (Some(*field), None),
            Self::UnknownZone => (Some("zone"), None),
            Self::HostLost(seconds) => (None, Some(*seconds)),
            Self::QueueFull => (None, Some(60)),
            Self::NoHost(_) | Self::NoGateway => (None, Some(10)),
            Self::Denied(_)
            | Self::NoSuchDesktop
            | Self::NoSuchNode
            | Self::Ended
            | Self::RulesForbid(_)
            | Self::StepUp(_)
            | Self::NoSeat
            | Self::TokenRefused
            | Self::NodeRemoved
            | Self::Certificate(_)
            | Self::Ticket(_)
            | Self::TicketKey
            | Self::Store(_) => (None, None),
        };
        let detail = if let Self::RulesForbid(because) = &self {
            Some(because.join(", ")).filter(|because| !because.is_empty())
        } else if let Self::StepUp(assurance) = &self {
            Some(assurance.as_str().to_owned())
        } else {
            None
        };
        // A refusal is no failure of ours: nothing to log as an error, however many wait.
        let problem = if self.is_refusal() {
            Problem::new(self.kind(), self.code(), self.to_string())
        } else {
            Problem::from(self)
        };
        let problem = match detail {
            Some(detail) => problem.detail(detail),
            None => problem,
        };
        let problem = match field {
            Some(field) => problem.field(field),
            None => problem,
        };
        match retry {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        }
    }
}
