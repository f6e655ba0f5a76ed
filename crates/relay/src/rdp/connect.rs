//! MCS Connect Initial and Connect Response: finding the GCC data blocks in their layers of BER and PER
//! ([MS-RDPBCGR] 2.2.1.3, 2.2.1.4), and what the network blocks say about channels.
//!
//! [MS-RDPBCGR]: https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/

use core::ops::Range;

use super::mcs::{MCS_AT, per_length};
use super::{ChannelUse, Channels};
use crate::Error;
use crate::read::{u16_be, u16_le, u32_le};

/// `CS_CORE`.
pub(super) const CLIENT_CORE: u16 = 0xc001;
/// `CS_NET`.
const CLIENT_NETWORK: u16 = 0xc003;
/// `SC_SECURITY`.
const SERVER_SECURITY: u16 = 0x0c02;
/// `SC_NET`.
const SERVER_NETWORK: u16 = 0x0c03;
/// `SC_MCS_MSGCHANNEL`.
const SERVER_MESSAGE_CHANNEL: u16 = 0x0c04;
/// The most static channels ([MS-RDPBCGR] 2.2.1.3.4).
const CHANNELS_MAX: usize = 31;
/// The most GCC blocks looked at.
const BLOCKS_MAX: usize = 32;

const OCTET_STRING: u8 = 4;
/// The object key of T.124, then the length of what follows.
const GCC_KEY: [u8; 7] = [0, 5, 0, 0x14, 0x7c, 0, 1];
/// How far behind the object key the H.221 key stands at most.
const H221_WITHIN_BYTES: usize = 24;

const MALFORMED: Error = Error::Malformed("a connect PDU");

/// Which of the two PDUs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Connect {
    Initial,
    Response,
}

impl Connect {
    /// The H.221 key before the blocks, with the length byte of its PER octet string.
    const fn h221_key(self) -> &'static [u8; 5] {
        match self {
            Self::Initial => b"\0Duca",
            Self::Response => b"\0McDn",
        }
    }
}

/// A BER element at an offset: its tag, and the range of its content.
fn ber(input: &[u8], at: usize) -> Option<(u8, Range<usize>)> {
    let &tag = input.get(at)?;
    let &first = input.get(at + 1)?;
    let (length, header) = match first {
        0..=0x7f => (usize::from(first), 2),
        0x81 => (usize::from(*input.get(at + 2)?), 3),
        0x82 => (usize::from(u16_be(input, at + 2)?), 4),
        _ => return None,
    };
    let content = at + header..at + header + length;
    (content.end <= input.len()).then_some((tag, content))
}

/// The range of the user data: the last element of the connect PDU.
fn user_data(pdu: &[u8]) -> Option<Range<usize>> {
    // The application tag has two bytes, so its length stands one further on.
    let (_, content) = ber(pdu, MCS_AT + 1)?;
    if content.end != pdu.len() {
        return None;
    }
    let mut at = content.start;
    loop {
        let (tag, element) = ber(pdu, at)?;
        if element.end == content.end {
            return (tag == OCTET_STRING).then_some(element);
        }
        at = element.end;
    }
}

/// The GCC blocks of a whole connect PDU: type and range (header included).
pub(super) fn blocks(pdu: &[u8], connect: Connect) -> Result<Vec<(u16, Range<usize>)>, Error> {
    let user_data = user_data(pdu).ok_or(MALFORMED)?;
    let content = pdu.get(user_data.clone()).ok_or(MALFORMED)?;
    if !content.starts_with(&GCC_KEY) {
        return Err(MALFORMED);
    }
    let key = connect.h221_key();
    let key_at = content
        .windows(key.len())
        .take(H221_WITHIN_BYTES)
        .position(|window| window == key)
        .ok_or(MALFORMED)?;
    let length_at = user_data.start + key_at + key.len();
    let (length, length_bytes) = per_length(pdu, length_at).ok_or(MALFORMED)?;
    let mut at = length_at + length_bytes;
    let end = at + length;
    if end != user_data.end {
        return Err(MALFORMED);
    }
    let mut blocks = Vec::new();
    while at < end {
        let kind = u16_le(pdu, at).ok_or(MALFORMED)?;
        let bytes = u16_le(pdu, at + 2).map(usize::from).ok_or(MALFORMED)?;
        let block = at..at + bytes;
        if bytes < 4 || block.end > end || blocks.len() >= BLOCKS_MAX {
            return Err(MALFORMED);
        }
        at = block.end;
        blocks.push((kind, block));
    }
    Ok(blocks)
}

/// The static channels a Connect Initial asks for, in order.
pub(super) fn asked_channels(pdu: &[u8]) -> Result<Vec<ChannelUse>, Error> {
    let mut asked = None;
    for (kind, block) in blocks(pdu, Connect::Initial)? {
        if kind != CLIENT_NETWORK {
            continue;
        }
        let block = pdu.get(block).ok_or(MALFORMED)?;
        let count = u32_le(block, 4)
            .and_then(|count| usize::try_from(count).ok())
            .ok_or(MALFORMED)?;
        let list = block.get(8..).unwrap_or_default();
        // A second list would leave it open which one the server takes.
        if asked.is_some() || count > CHANNELS_MAX || list.len() != 12 * count {
            return Err(MALFORMED);
        }
        asked = Some(
            list.chunks_exact(12)
                .map(|entry| ChannelUse::of(entry.get(..8).unwrap_or(entry)))
                .collect(),
        );
    }
    Ok(asked.unwrap_or_default())
}

/// The server's numbers for the channels that were asked for.
pub(super) fn answered_channels(pdu: &[u8], asked: &[ChannelUse]) -> Result<Channels, Error> {
    let mut channels = Channels::default();
    let mut has_network = false;
    for (kind, block) in blocks(pdu, Connect::Response)? {
        let block = pdu.get(block).ok_or(MALFORMED)?;
        match kind {
            SERVER_SECURITY if u32_le(block, 4) != Some(0) => {
                return Err(Error::Handshake("the host wants RDP's own encryption"));
            }
            SERVER_NETWORK => {
                channels.input_output = u16_le(block, 4).ok_or(MALFORMED)?;
                let count = u16_le(block, 6).map(usize::from).ok_or(MALFORMED)?;
                let ids = block.get(8..8 + 2 * count).ok_or(MALFORMED)?;
                if has_network || count > asked.len() {
                    return Err(MALFORMED);
                }
                let ids = ids.chunks_exact(2).filter_map(|id| u16_le(id, 0));
                channels.uses = ids.zip(asked.iter().copied()).collect();
                has_network = true;
            }
            SERVER_MESSAGE_CHANNEL => channels.messages = u16_le(block, 4),
            _ => {}
        }
    }
    if has_network { Ok(channels) } else { Err(MALFORMED) }
}
