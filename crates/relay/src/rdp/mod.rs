//! Remote desktop protocol: X.224 negotiation, PDU framing, four mends and the clipboard policy.
//!
//! The gateway ends the TLS of the RDP server, so both directions pass here in the clear ([MS-RDPBCGR]).
//! The browser's client is IronRDP's web client, pinned to [`CLIENT_PACKAGES`]; the mends are what that
//! version and xrdp (0.9.21, 0.10.1) need to work well together:
//!
//! 1. the Client Info is given the account, its one-time password and AUTOLOGON (`client_info`);
//! 2. the client core data ask for Korean keys, true colour and a client that can resize (`core_data`);
//! 3. a Deactivate All of 6 bytes is padded to its full 13 ([`server`](self));
//! 4. for the first [`SEPARATE_PDUS`] PDUs, each is a WebSocket message of its own.
//!
//! Each mend only acts on what shows the flaw, so a client or server without it is left alone.
//!
//! [MS-RDPBCGR]: https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/

mod clean_path;
mod client;
mod client_info;
mod clipboard;
mod connect;
mod core_data;
mod mcs;
mod negotiation;
mod server;

use std::sync::{Arc, OnceLock};

use naru_kernel::fleet::ClipboardPolicy;
use zeroize::Zeroizing;

pub use clean_path::{CLEAN_PATH_BYTES_MAX, CleanPathRequest, clean_path_refusal, clean_path_response};
pub use client::ClientScanner;
pub use client_info::rewrite as rewrite_client_info;
pub use clipboard::CLIPBOARD_BYTES_MAX;
pub use core_data::mend as mend_core_data;
pub use negotiation::{CONNECTION_REQUEST, check_connection_confirm};
pub use server::ServerScanner;

/// The npm packages of the browser's client and the only versions the mends were tested with.
pub const CLIENT_PACKAGES: [(&str, &str); 2] = [
    ("@devolutions/iron-remote-desktop", "0.11.0"),
    ("@devolutions/iron-remote-desktop-rdp", "0.7.0"),
];

/// Mend 4: how many PDUs of the server go out as WebSocket messages of their own. The client loses what
/// follows the last PDU of its handshake in the same message.
pub const SEPARATE_PDUS: u32 = 64;

/// What the host gave for this relay; written into the Client Info and then forgotten.
#[derive(Clone)]
pub struct Credentials {
    /// POSIX login name.
    pub account: String,
    /// Good once.
    pub one_time_password: Zeroizing<String>,
}

/// What a static channel is for, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelUse {
    /// `cliprdr`: its messages are judged one by one.
    Clipboard,
    /// Carries nothing that the clipboard policy is about.
    Free,
    /// May carry files either way: only when both directions are allowed.
    Files,
}

impl ChannelUse {
    /// By the name in the client network data (8 bytes, filled up with NUL).
    fn of(name: &[u8]) -> Self {
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        if name.eq_ignore_ascii_case(b"cliprdr") {
            Self::Clipboard
        } else if name.eq_ignore_ascii_case(b"drdynvc") || name.eq_ignore_ascii_case(b"rdpsnd") {
            Self::Free
        } else {
            Self::Files
        }
    }
}

/// The server's numbers for the channels.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    /// The channel of the protocol itself.
    pub(crate) input_output: u16,
    /// Network detection, where the server has it.
    pub(crate) messages: Option<u16>,
    /// The static channels.
    pub(crate) uses: Vec<(u16, ChannelUse)>,
}

/// What is to be done with data on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Pass,
    Judge,
    Drop,
}

impl Channels {
    pub(crate) fn route(&self, channel: u16, policy: ClipboardPolicy) -> Route {
        let is_open = policy.copy_out && policy.paste_in;
        if channel == self.input_output || self.messages == Some(channel) {
            return Route::Pass;
        }
        match self.uses.iter().find(|(id, _)| *id == channel) {
            Some((_, ChannelUse::Free)) => Route::Pass,
            Some((_, ChannelUse::Clipboard)) => Route::Judge,
            Some((_, ChannelUse::Files)) if is_open => Route::Pass,
            Some((_, ChannelUse::Files)) | None => Route::Drop,
        }
    }
}

/// What both directions learn while the connection is set up.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    /// The static channels the client asked for, in its order.
    pub(crate) asked: OnceLock<Vec<ChannelUse>>,
    /// The server's answer.
    pub(crate) channels: OnceLock<Channels>,
}

/// The two scanners of one relay, from the PDU after the TLS handshake on.
#[must_use]
pub fn pair(policy: ClipboardPolicy, credentials: Credentials) -> (ClientScanner, ServerScanner) {
    let agreement = Arc::new(Agreement::default());
    (
        ClientScanner::new(policy, credentials, Arc::clone(&agreement)),
        ServerScanner::new(policy, agreement),
    )
}

#[cfg(test)]
mod tests;
