//! Clipboard policy on RFB: which cut-text messages pass.
//!
//! Plain texts (RFC 6143 §7.5.6, §7.6.4) carry the text itself. The extended clipboard (a negative
//! length, then 32 bits of action and formats) is a conversation, so blocking one direction means
//! dropping what *offers or carries* that side's text and what *asks* for it, and nothing else:
//!
//! | action | from the host is about | from the browser is about |
//! |---|---|---|
//! | plain text, notify, provide | copy out | paste in |
//! | request, peek | paste in | copy out |
//! | caps | always passes | always passes |

use naru_kernel::fleet::ClipboardPolicy;

use crate::Error;
use crate::read::{i32_be, u32_be};

/// The longest clipboard text that passes, in bytes on the wire; longer ones are dropped, since a person
/// who copies a whole book should lose the copy and not the desktop.
pub const TEXT_BYTES_MAX: u64 = 1024 * 1024;
/// A cut-text message that claims more bytes than this is no text.
const CLAIMED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Type, padding and length.
const HEADER_BYTES: u64 = 8;
/// Action and formats of an extended message.
const FLAGS_BYTES: u64 = 4;

const ACTIONS: u32 = 0xff00_0000;
const FORMATS: u32 = 0x0000_ffff;
const CAPS: u32 = 1 << 24;
const REQUEST: u32 = 1 << 25;
const PEEK: u32 = 1 << 26;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;

/// Who sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Browser,
    Host,
}

impl Sender {
    /// Whether the sender's own text may go to the other side.
    const fn may_give(self, policy: ClipboardPolicy) -> bool {
        match self {
            Self::Browser => policy.paste_in,
            Self::Host => policy.copy_out,
        }
    }

    /// Whether the other side's text may come to the sender.
    const fn may_take(self, policy: ClipboardPolicy) -> bool {
        match self {
            Self::Browser => policy.copy_out,
            Self::Host => policy.paste_in,
        }
    }
}

/// What is to be done with a whole cut-text message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// How long it is, from its type byte on.
    pub(super) bytes: u64,
    /// Whether it passes.
    pub(super) passes: bool,
}

/// Judges the message that begins with `input`; `None` when more bytes are needed.
///
/// # Errors
/// [`Error::Malformed`] or [`Error::TooLong`] for what no honest peer sends.
pub(super) fn judge(input: &[u8], sender: Sender, policy: ClipboardPolicy) -> Result<Option<Verdict>, Error> {
    let Some(length) = i32_be(input, 4) else {
        return Ok(None);
    };
    let text_bytes = u64::from(length.unsigned_abs());
    if text_bytes > CLAIMED_BYTES_MAX {
        return Err(Error::TooLong("a clipboard text"));
    }
    let bytes = HEADER_BYTES + text_bytes;
    let fits = text_bytes <= TEXT_BYTES_MAX;
    if length >= 0 {
        return Ok(Some(Verdict {
            bytes,
            passes: fits && sender.may_give(policy),
        }));
    }
    if text_bytes < FLAGS_BYTES {
        return Err(Error::Malformed("an extended clipboard message"));
    }
    let Some(flags) = u32_be(input, 8) else {
        return Ok(None);
    };
    let exact = |expected: u64| {
        if text_bytes == expected {
            Ok(())
        } else {
            Err(Error::Malformed("an extended clipboard message"))
        }
    };
    let passes = match flags & ACTIONS {
        actions if actions & CAPS != 0 => {
            exact(FLAGS_BYTES + 4 * u64::from((flags & FORMATS).count_ones()))?;
            true
        }
        REQUEST | PEEK => {
            exact(FLAGS_BYTES)?;
            sender.may_take(policy)
        }
        NOTIFY => {
            exact(FLAGS_BYTES)?;
            sender.may_give(policy)
        }
        PROVIDE => fits && sender.may_give(policy),
        _ => return Err(Error::Malformed("an extended clipboard action")),
    };
    Ok(Some(Verdict { bytes, passes }))
}
