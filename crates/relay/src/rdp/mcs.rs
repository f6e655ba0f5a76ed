//! The three layers around every slow-path PDU: TPKT (RFC 1006), X.224 data and MCS (T.125); and the
//! fast-path header ([MS-RDPBCGR] 2.2.9.1.2).
//!
//! [MS-RDPBCGR]: https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/

use crate::Error;
use crate::read::u16_be;

pub(super) const TPKT_HEADER_BYTES: usize = 4;
const TPKT_VERSION: u8 = 3;
const X224_DATA: [u8; 3] = [2, 0xf0, 0x80];
/// TPKT and X.224 before the MCS PDU.
pub(super) const MCS_AT: usize = TPKT_HEADER_BYTES + X224_DATA.len();
/// How much of a slow-path PDU shows whether it must be seen whole: TPKT, X.224, MCS with a long length,
/// the header of a channel's chunk and of a clipboard message.
pub(super) const HEAD_BYTES: usize = MCS_AT + 8 + 8 + 8;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    FastPath,
    SlowPath,
}

/// The kind and length of the frame that begins here; `None` when more bytes are needed.
pub(super) fn frame(input: &[u8]) -> Result<Option<(FrameKind, usize)>, Error> {
    match input.first() {
        None => Ok(None),
        Some(&TPKT_VERSION) => Ok(tpkt_bytes(input)?.map(|bytes| (FrameKind::SlowPath, bytes))),
        Some(first) if first & 3 == 0 => {
            let Some(&length) = input.get(1) else {
                return Ok(None);
            };
            let (header, bytes) = if length & 0x80 == 0 {
                (2, usize::from(length))
            } else {
                let Some(length) = u16_be(input, 1) else {
                    return Ok(None);
                };
                (3, usize::from(length & 0x7fff))
            };
            if bytes > header {
                Ok(Some((FrameKind::FastPath, bytes)))
            } else {
                Err(Error::Malformed("a fast-path length"))
            }
        }
        Some(other) => Err(Error::UnknownMessage(*other)),
    }
}

/// The length of a TPKT; `None` when more bytes are needed.
pub(super) fn tpkt_bytes(input: &[u8]) -> Result<Option<usize>, Error> {
    let Some(header) = input.get(..TPKT_HEADER_BYTES) else {
        return Ok(None);
    };
    let bytes = u16_be(header, 2).map(usize::from).unwrap_or_default();
    if header.first() == Some(&TPKT_VERSION) && bytes > MCS_AT {
        Ok(Some(bytes))
    } else {
        Err(Error::Malformed("a TPKT header"))
    }
}

/// An MCS PDU by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mcs {
    /// Connect Initial or Connect Response.
    Connect,
    /// Joining, leaving and the like: nothing in it matters here.
    Housekeeping,
    /// Data on a channel.
    Data(SendData),
}

/// Where the data of a Send Data Request or Indication stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SendData {
    pub(super) initiator: u16,
    pub(super) channel: u16,
    /// Offset of the user data in the PDU.
    pub(super) data_at: usize,
}

/// Who sends: the choices differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Browser,
    Host,
}

impl Sender {
    const fn connect_tag(self) -> u8 {
        match self {
            Self::Browser => 0x65,
            Self::Host => 0x66,
        }
    }

    const fn data_choice(self) -> u8 {
        match self {
            Self::Browser => 25,
            Self::Host => 26,
        }
    }

    /// Erect Domain, Attach User, Channel Join; their confirms; Disconnect Provider Ultimatum.
    const fn housekeeping(self) -> [u8; 4] {
        match self {
            Self::Browser => [1, 8, 10, 14],
            Self::Host => [8, 11, 15, 15],
        }
    }
}

/// Reads the MCS header. `head` is the PDU or at least its first [`HEAD_BYTES`]; `pdu_bytes` its length.
pub(super) fn mcs(head: &[u8], pdu_bytes: usize, sender: Sender) -> Result<Mcs, Error> {
    const MALFORMED: Error = Error::Malformed("an MCS PDU");
    if head.get(TPKT_HEADER_BYTES..MCS_AT) != Some(X224_DATA.as_slice()) {
        return Err(Error::Malformed("an X.224 header"));
    }
    let &first = head.get(MCS_AT).ok_or(MALFORMED)?;
    if first == 0x7f {
        let is_connect = head.get(MCS_AT + 1) == Some(&sender.connect_tag());
        return if is_connect {
            Ok(Mcs::Connect)
        } else {
            Err(MALFORMED)
        };
    }
    let choice = first >> 2;
    if sender.housekeeping().contains(&choice) {
        return Ok(Mcs::Housekeeping);
    }
    if choice != sender.data_choice() {
        return Err(MALFORMED);
    }
    let initiator = u16_be(head, MCS_AT + 1).ok_or(MALFORMED)?;
    let channel = u16_be(head, MCS_AT + 3).ok_or(MALFORMED)?;
    let (length, length_bytes) = per_length(head, MCS_AT + 6).ok_or(MALFORMED)?;
    let data_at = MCS_AT + 6 + length_bytes;
    // Both ends must agree where the data end, or one could hide a PDU from us.
    if data_at + length != pdu_bytes {
        return Err(MALFORMED);
    }
    Ok(Mcs::Data(SendData {
        initiator,
        channel,
        data_at,
    }))
}

/// A PER length (X.691 §11.9): its value and how many bytes it takes.
pub(super) fn per_length(input: &[u8], at: usize) -> Option<(usize, usize)> {
    match input.get(at)? {
        short if short & 0x80 == 0 => Some((usize::from(*short), 1)),
        _ => Some((usize::from(u16_be(input, at)? & 0x7fff), 2)),
    }
}

/// A whole Send Data PDU around user data.
///
/// # Errors
/// [`Error::TooLong`] when it does not fit into one PDU.
pub(super) fn send_data(sender: Sender, data: SendData, user_data: &[u8]) -> Result<Vec<u8>, Error> {
    const TOO_LONG: Error = Error::TooLong("a PDU");
    let length = u16::try_from(user_data.len())
        .ok()
        .filter(|bytes| *bytes < 0x4000)
        .ok_or(TOO_LONG)?;
    let per_length = match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![short],
        Ok(_) | Err(_) => (length | 0x8000).to_be_bytes().to_vec(),
    };
    let pdu_bytes = MCS_AT + 6 + per_length.len() + user_data.len();
    let tpkt_length = u16::try_from(pdu_bytes).map_err(|_| TOO_LONG)?;
    let mut pdu = Vec::with_capacity(pdu_bytes);
    pdu.extend_from_slice(&[TPKT_VERSION, 0]);
    pdu.extend_from_slice(&tpkt_length.to_be_bytes());
    pdu.extend_from_slice(&X224_DATA);
    pdu.push(sender.data_choice() << 2);
    pdu.extend_from_slice(&data.initiator.to_be_bytes());
    pdu.extend_from_slice(&data.channel.to_be_bytes());
    // Priority high, first and last segment.
    pdu.push(0x70);
    pdu.extend_from_slice(&per_length);
    pdu.extend_from_slice(user_data);
    Ok(pdu)
}
