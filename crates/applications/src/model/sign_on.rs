//! What the portal's page is told to do next while a person opens an application.

use naru_kernel::{Timestamp, access::Assurance};
use schemars::JsonSchema;
use serde::Serialize;

use super::words;

words! {
    /// What a random text is good for.
    TokenKind {
        /// One exchange for tokens.
        Code = "code",
        /// Asking about a person.
        Access = "access",
        /// One exchange for newer tokens.
        Refresh = "refresh",
    }
}

words! {
    /// How far a device is.
    DeviceState {
        /// Nobody has typed its code.
        Waiting = "waiting",
        /// A person allowed it.
        Allowed = "allowed",
        /// A person refused it.
        Refused = "refused",
    }
}

/// Why a factor is to be shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepUpReason {
    /// A stronger log-on is needed.
    Acr,
    /// The last factor was shown too long ago.
    MaxAge,
    /// The application wants the person to show they are there.
    Login,
}

/// An application as the page names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamedApplication {
    /// Its name, in the person's language.
    pub name: String,
    /// The ministry it belongs to.
    pub ministry_name: String,
    /// Its picture as a `data:` address, if it has one of its own.
    pub logo: Option<String>,
}

/// What an application asks to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamedScope {
    /// Its word.
    pub name: String,
    /// What it means, in the person's language.
    pub meaning: String,
}

/// What the page does next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum SsoStep {
    /// Show the log-on, then ask again.
    SignOn {
        /// The language the application asked for: `ko` or `en`.
        language: Option<String>,
        /// Which application the person is on their way to: no secret, the request came with its name.
        application: NamedApplication,
    },
    /// Ask for a second factor, then ask again.
    StepUp {
        /// The assurance to reach.
        assurance: Assurance,
        /// Why.
        reason: StepUpReason,
    },
    /// Ask whether the application may know this.
    Consent {
        /// Which application.
        application: NamedApplication,
        /// What it asks for.
        scopes: Vec<NamedScope>,
    },
    /// The rules forbid it.
    Denied {
        /// The rules that do.
        because: Vec<String>,
        /// Which application.
        application: NamedApplication,
    },
    /// Go to this address.
    Go {
        /// Where.
        url: String,
    },
    /// Go to this page of ours, which posts a form.
    Post {
        /// Where.
        url: String,
    },
    /// Log off (`POST /api/v1/logoff`), then go to the address.
    LogOut {
        /// Whether the person is to be asked first.
        ask: bool,
        /// The application that wants it, if known.
        application: Option<NamedApplication>,
        /// Where to go afterwards.
        url: String,
    },
}

/// What a person is shown of a device that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitingDevice {
    /// The application it is of.
    pub application: NamedApplication,
    /// What it asks for.
    pub scopes: Vec<NamedScope>,
    /// When it stops waiting.
    pub expires_at: Timestamp,
}
