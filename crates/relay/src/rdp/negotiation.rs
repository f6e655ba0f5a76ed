//! X.224 connection negotiation ([MS-RDPBCGR] 2.2.1.1, 2.2.1.2): always and only TLS.
//!
//! [MS-RDPBCGR]: https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/

use super::mcs::{TPKT_HEADER_BYTES, tpkt_bytes};
use crate::Error;
use crate::read::u32_le;

/// The relay's own request, in place of the browser's: no cookie, no routing token, only TLS (network
/// level authentication would need the password in the browser).
pub const CONNECTION_REQUEST: [u8; 19] = [
    3,
    0,
    0,
    19,
    14,
    0xe0,
    0,
    0,
    0,
    0,
    0,
    1,
    0,
    8,
    0,
    PROTOCOL_TLS,
    0,
    0,
    0,
];

const PROTOCOL_TLS: u8 = 1;
const NEGOTIATION_RESPONSE: u8 = 2;
const CONNECTION_CONFIRM: u8 = 0xd0;

/// Reads the server's answer: how many bytes it has once it is whole and agrees to TLS.
///
/// # Errors
/// [`Error::Handshake`] when the server refuses or wants another protocol.
pub fn check_connection_confirm(input: &[u8]) -> Result<Option<usize>, Error> {
    let Some(bytes) = tpkt_bytes(input)? else {
        return Ok(None);
    };
    if bytes != CONNECTION_REQUEST.len() {
        return Err(Error::Handshake("the host's X.224 answer"));
    }
    let Some(confirm) = input.get(TPKT_HEADER_BYTES..bytes) else {
        return Ok(None);
    };
    let is_confirm = confirm.get(1) == Some(&CONNECTION_CONFIRM);
    let is_response = confirm.get(7) == Some(&NEGOTIATION_RESPONSE);
    if is_confirm && is_response && u32_le(confirm, 11) == Some(u32::from(PROTOCOL_TLS)) {
        Ok(Some(bytes))
    } else {
        Err(Error::Handshake("the host does not agree to TLS"))
    }
}
