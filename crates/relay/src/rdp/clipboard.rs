//! Clipboard policy on RDP: the static channel `cliprdr` ([MS-RDPECLIP]).
//!
//! Each side announces its formats, and the other then asks for data. Blocking a direction *empties* that
//! side's announcement (leaving it out breaks the conversation), drops the other side's requests for it,
//! and turns an answer that comes nevertheless into a failed one.
//!
//! [MS-RDPECLIP]: https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpeclip/

use naru_kernel::fleet::ClipboardPolicy;

use super::mcs::Sender;
use crate::Error;
use crate::read::{u16_le, u32_le};

/// The longest clipboard message that passes, in bytes; a longer answer is turned into a failed one.
pub const CLIPBOARD_BYTES_MAX: u32 = 32 * 1024 * 1024;
/// The header of a chunk: total length and flags ([MS-RDPBCGR] 2.2.6.1.1).
const CHUNK_HEADER_BYTES: usize = 8;
/// The header of a clipboard message.
const MESSAGE_HEADER_BYTES: u32 = 8;

const FLAG_FIRST: u32 = 0x0000_0001;
const FLAG_LAST: u32 = 0x0000_0002;
const FLAG_SHOW_PROTOCOL: u32 = 0x0000_0010;
const FLAG_COMPRESSED: u32 = 0x0020_0000;

mod message {
    pub(super) const MONITOR_READY: u16 = 1;
    pub(super) const FORMAT_LIST: u16 = 2;
    pub(super) const FORMAT_LIST_RESPONSE: u16 = 3;
    pub(super) const FORMAT_DATA_REQUEST: u16 = 4;
    pub(super) const FORMAT_DATA_RESPONSE: u16 = 5;
    pub(super) const TEMPORARY_DIRECTORY: u16 = 6;
    pub(super) const CAPABILITIES: u16 = 7;
    pub(super) const FILE_CONTENTS_REQUEST: u16 = 8;
    pub(super) const FILE_CONTENTS_RESPONSE: u16 = 9;
    pub(super) const LOCK: u16 = 10;
    pub(super) const UNLOCK: u16 = 11;
    pub(super) const RESPONSE_FAILED: u16 = 2;
}

/// What is to be done with one chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Drop,
    /// Other user data in its place.
    Replace(Vec<u8>),
}

/// Where one side's stream of chunks stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    None,
    Passing,
    Dropped,
}

/// Judges one side's messages.
#[derive(Debug)]
pub(super) struct Judge {
    sender: Sender,
    policy: ClipboardPolicy,
    message: Message,
    pub(super) blocked: u64,
}

impl Judge {
    pub(super) const fn new(sender: Sender, policy: ClipboardPolicy) -> Self {
        Self {
            sender,
            policy,
            message: Message::None,
            blocked: 0,
        }
    }

    /// Judges the chunk whose user data begin with `head` (16 bytes, or all if it has fewer).
    pub(super) fn chunk(&mut self, head: &[u8]) -> Result<Verdict, Error> {
        const MALFORMED: Error = Error::Malformed("a clipboard chunk");
        let total = u32_le(head, 0).ok_or(MALFORMED)?;
        let flags = u32_le(head, 4).ok_or(MALFORMED)?;
        if flags & FLAG_COMPRESSED != 0 {
            return Err(MALFORMED);
        }
        let is_first = flags & FLAG_FIRST != 0;
        if is_first != (self.message == Message::None) {
            return Err(MALFORMED);
        }
        let verdict = if is_first {
            // A first chunk too short for the header would hide what the message is.
            let kind = u16_le(head, CHUNK_HEADER_BYTES).ok_or(MALFORMED)?;
            u32_le(head, CHUNK_HEADER_BYTES + 4).ok_or(MALFORMED)?;
            self.message(kind, total, flags)
        } else if self.message == Message::Passing {
            Verdict::Pass
        } else {
            Verdict::Drop
        };
        self.message = match &verdict {
            _ if flags & FLAG_LAST != 0 => Message::None,
            Verdict::Pass => Message::Passing,
            Verdict::Drop | Verdict::Replace(_) => Message::Dropped,
        };
        Ok(verdict)
    }

    fn message(&mut self, kind: u16, total: u32, flags: u32) -> Verdict {
        let (may_give, may_take) = match self.sender {
            Sender::Browser => (self.policy.paste_in, self.policy.copy_out),
            Sender::Host => (self.policy.copy_out, self.policy.paste_in),
        };
        let fits = total <= CLIPBOARD_BYTES_MAX;
        let verdict = match kind {
            message::MONITOR_READY
            | message::FORMAT_LIST_RESPONSE
            | message::TEMPORARY_DIRECTORY
            | message::CAPABILITIES => Verdict::Pass,
            message::FORMAT_LIST if may_give && fits => Verdict::Pass,
            message::FORMAT_LIST => Verdict::Replace(empty(kind, 0, flags)),
            message::FORMAT_DATA_RESPONSE if may_give && fits => Verdict::Pass,
            message::FORMAT_DATA_RESPONSE => Verdict::Replace(empty(kind, message::RESPONSE_FAILED, flags)),
            message::FILE_CONTENTS_RESPONSE if may_give && fits => Verdict::Pass,
            message::FORMAT_DATA_REQUEST
            | message::FILE_CONTENTS_REQUEST
            | message::LOCK
            | message::UNLOCK
                if may_take =>
            {
                Verdict::Pass
            }
            _ => Verdict::Drop,
        };
        self.blocked += u64::from(verdict != Verdict::Pass);
        verdict
    }
}

/// A clipboard message without content, in one chunk.
fn empty(kind: u16, message_flags: u16, chunk_flags: u32) -> Vec<u8> {
    let flags = FLAG_FIRST | FLAG_LAST | (chunk_flags & FLAG_SHOW_PROTOCOL);
    let mut user_data = Vec::with_capacity(16);
    user_data.extend_from_slice(&MESSAGE_HEADER_BYTES.to_le_bytes());
    user_data.extend_from_slice(&flags.to_le_bytes());
    user_data.extend_from_slice(&kind.to_le_bytes());
    user_data.extend_from_slice(&message_flags.to_le_bytes());
    user_data.extend_from_slice(&[0; 4]);
    user_data
}
