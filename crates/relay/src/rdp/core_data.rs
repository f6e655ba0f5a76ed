//! Mend 2: the client core data ([MS-RDPBCGR] 2.2.1.3.2) as a client that can resize, in true colour.
//!
//! Offsets are from the start of the block, its header included.
//!
//! [MS-RDPBCGR]: https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/

use super::connect::{CLIENT_CORE, Connect, blocks};
use crate::Error;
use crate::read::{u16_le, u32_le};

const KEYBOARD_LAYOUT_AT: usize = 16;
const CLIENT_BUILD_AT: usize = 20;
const HIGH_COLOUR_DEPTH_AT: usize = 140;
const SUPPORTED_COLOUR_DEPTHS_AT: usize = 142;
const EARLY_CAPABILITY_FLAGS_AT: usize = 144;
const CONNECTION_TYPE_AT: usize = 210;

/// Korean; with layout 0 some xrdp versions hang at log-in (neutrinolabs/xrdp#3722).
const KOREAN_LAYOUT: u32 = 0x0412;
/// xrdp takes a client up to this build for one that cannot resize.
const OLD_CLIENT_BUILD: u32 = 419;
/// What is said instead: Windows 10 1909.
const CLIENT_BUILD: u32 = 18_363;
/// xrdp's `RemoteFX` encoder needs 24 bits and a client on a local network.
const HIGH_COLOUR_DEPTH: u16 = 24;
/// 24, 16, 15 and 32 bits.
const SUPPORTED_COLOUR_DEPTHS: u16 = 0x000f;
/// `RNS_UD_CS_WANT_32BPP_SESSION` and `RNS_UD_CS_VALID_CONNECTION_TYPE`.
const EARLY_CAPABILITY_FLAGS: u16 = 0x0002 | 0x0020;
/// `CONNECTION_TYPE_LAN`.
const CONNECTION_TYPE: u8 = 6;

/// A whole Connect Initial with its core data mended; nothing changes its length.
///
/// # Errors
/// [`Error::Malformed`] when it is not a Connect Initial with core data.
pub fn mend(pdu: &[u8]) -> Result<Vec<u8>, Error> {
    const MALFORMED: Error = Error::Malformed("the client core data");
    let block = blocks(pdu, Connect::Initial)?
        .into_iter()
        .find(|(kind, _)| *kind == CLIENT_CORE);
    let (_, range) = block.ok_or(MALFORMED)?;
    let mut mended = pdu.to_vec();
    let core = mended.get_mut(range).ok_or(MALFORMED)?;
    if u32_le(core, KEYBOARD_LAYOUT_AT) == Some(0) {
        put(core, KEYBOARD_LAYOUT_AT, &KOREAN_LAYOUT.to_le_bytes());
    }
    if u32_le(core, CLIENT_BUILD_AT).is_some_and(|build| build <= OLD_CLIENT_BUILD) {
        put(core, CLIENT_BUILD_AT, &CLIENT_BUILD.to_le_bytes());
    }
    put(core, HIGH_COLOUR_DEPTH_AT, &HIGH_COLOUR_DEPTH.to_le_bytes());
    put(
        core,
        SUPPORTED_COLOUR_DEPTHS_AT,
        &SUPPORTED_COLOUR_DEPTHS.to_le_bytes(),
    );
    if let Some(flags) = u16_le(core, EARLY_CAPABILITY_FLAGS_AT) {
        put(
            core,
            EARLY_CAPABILITY_FLAGS_AT,
            &(flags | EARLY_CAPABILITY_FLAGS).to_le_bytes(),
        );
    }
    put(core, CONNECTION_TYPE_AT, &[CONNECTION_TYPE]);
    Ok(mended)
}

/// Every field from the colour depth on is optional: one that is not there stays away.
fn put(core: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = core.get_mut(at..at + value.len()) {
        field.copy_from_slice(value);
    }
}
