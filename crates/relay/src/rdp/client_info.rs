//! Mend 1: the Client Info ([MS-RDPBCGR] 2.2.1.11) with the account and one-time password of the host.
//!
//! The browser knows neither; what it sends in their place is thrown away. So is what would let it choose
//! another program than the desktop, or compression, which would hide the clipboard from us.
//!
//! [MS-RDPBCGR]: https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/

use super::Credentials;
use crate::Error;
use crate::read::{u16_le, u32_le};

/// `SEC_INFO_PKT` in the basic security header.
const SECURITY_INFO: u16 = 0x0040;
const AUTOLOGON: u32 = 0x0000_0008;
const UNICODE: u32 = 0x0000_0010;
const COMPRESSION: u32 = 0x0000_0080;
const COMPRESSION_TYPES: u32 = 0x0000_1e00;
const REMOTE_PROGRAM: u32 = 0x0000_8000;
const PASSWORD_IS_PIN: u32 = 0x0004_0000;
const HIGH_DEFINITION_PROGRAM: u32 = 0x0200_0000;
const TAKEN_AWAY: u32 =
    COMPRESSION | COMPRESSION_TYPES | REMOTE_PROGRAM | PASSWORD_IS_PIN | HIGH_DEFINITION_PROGRAM;

/// Security header (4), code page (4), flags (4), five lengths (2 each).
const FIXED_BYTES: usize = 22;
/// The longest of the five texts, in bytes without its end.
const TEXT_BYTES_MAX: usize = 512;
/// The longest extended information (addresses, time zone, reconnect cookie), in bytes.
const EXTENDED_BYTES_MAX: usize = 2_048;

const MALFORMED: Error = Error::Malformed("the client information");

/// The user data of a Client Info PDU with these credentials in place of the browser's.
///
/// # Errors
/// [`Error::Malformed`] or [`Error::TooLong`] when it is no Client Info, or not in Unicode.
pub fn rewrite(user_data: &[u8], credentials: &Credentials) -> Result<Vec<u8>, Error> {
    let security = user_data.get(..4).ok_or(MALFORMED)?;
    if u16_le(security, 0).is_none_or(|flags| flags & SECURITY_INFO == 0) {
        return Err(MALFORMED);
    }
    let code_page = user_data.get(4..8).ok_or(MALFORMED)?;
    let flags = u32_le(user_data, 8).ok_or(MALFORMED)?;
    if flags & UNICODE == 0 {
        return Err(MALFORMED);
    }
    let mut at = FIXED_BYTES;
    for index in 0..5 {
        let length = u16_le(user_data, 12 + 2 * index)
            .map(usize::from)
            .ok_or(MALFORMED)?;
        if length > TEXT_BYTES_MAX || length % 2 != 0 {
            return Err(Error::TooLong("a text of the client information"));
        }
        // Each text is followed by its terminating NUL, which the length leaves out.
        at += length + 2;
    }
    let extended = user_data.get(at..).ok_or(MALFORMED)?;
    if extended.len() > EXTENDED_BYTES_MAX {
        return Err(Error::TooLong("the extended client information"));
    }

    let account = utf16(&credentials.account)?;
    let password = utf16(&credentials.one_time_password)?;
    let mut rewritten =
        Vec::with_capacity(FIXED_BYTES + account.len() + password.len() + extended.len() + 10);
    rewritten.extend_from_slice(security);
    rewritten.extend_from_slice(code_page);
    rewritten.extend_from_slice(&((flags & !TAKEN_AWAY) | AUTOLOGON).to_le_bytes());
    let texts = [&[], account.as_slice(), password.as_slice(), &[], &[]];
    for text in texts {
        let length = u16::try_from(text.len()).map_err(|_| Error::TooLong("a credential"))?;
        rewritten.extend_from_slice(&length.to_le_bytes());
    }
    for text in texts {
        rewritten.extend_from_slice(text);
        rewritten.extend_from_slice(&[0, 0]);
    }
    rewritten.extend_from_slice(extended);
    Ok(rewritten)
}

fn utf16(text: &str) -> Result<Vec<u8>, Error> {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    if bytes.len() <= TEXT_BYTES_MAX {
        Ok(bytes)
    } else {
        Err(Error::TooLong("a credential"))
    }
}
