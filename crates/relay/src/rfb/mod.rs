//! Remote framebuffer (RFC 6143 and the community's extensions): every message is framed, both ways.
//!
//! The relay speaks RFB 3.8 with security type None only (the tunnel to the host is what protects it),
//! and with true-colour pixels of 32 bits only: then every rectangle has a length that can be known.
//! The browser's list of encodings is cut down to those whose rectangles are known here.

mod client;
mod clipboard;
mod server;
mod tight;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use naru_kernel::fleet::ClipboardPolicy;

pub use client::ClientScanner;
pub use clipboard::TEXT_BYTES_MAX;
pub use server::ServerScanner;

/// The only greeting that is relayed, of either side.
pub const VERSION: &[u8; 12] = b"RFB 003.008\n";
/// Security type None (RFC 6143 §7.2.1).
pub const SECURITY_NONE: u8 = 1;
/// Bytes of a pixel; any other pixel format is refused.
pub(crate) const PIXEL_BYTES: u64 = 4;
/// The longest payload of a fence, in bytes (its own definition).
pub(crate) const FENCE_BYTES_MAX: u8 = 64;

/// Encodings, as `SetEncodings` and rectangles name them.
pub(crate) mod encoding {
    pub(crate) const RAW: i32 = 0;
    pub(crate) const COPY_RECT: i32 = 1;
    pub(crate) const RRE: i32 = 2;
    pub(crate) const HEXTILE: i32 = 5;
    pub(crate) const TIGHT: i32 = 7;
    pub(crate) const ZRLE: i32 = 16;
    pub(crate) const H264: i32 = 50;
    pub(crate) const QUALITY_LEVELS: core::ops::RangeInclusive<i32> = -32..=-23;
    pub(crate) const DESKTOP_SIZE: i32 = -223;
    pub(crate) const LAST_RECT: i32 = -224;
    pub(crate) const CURSOR: i32 = -239;
    pub(crate) const COMPRESS_LEVELS: core::ops::RangeInclusive<i32> = -256..=-247;
    pub(crate) const QEMU_EXTENDED_KEY: i32 = -258;
    pub(crate) const TIGHT_PNG: i32 = -260;
    pub(crate) const QEMU_LED: i32 = -261;
    pub(crate) const DESKTOP_NAME: i32 = -307;
    pub(crate) const EXTENDED_DESKTOP_SIZE: i32 = -308;
    pub(crate) const FENCE: i32 = -312;
    pub(crate) const CONTINUOUS_UPDATES: i32 = -313;
    pub(crate) const EXTENDED_MOUSE_BUTTONS: i32 = -316;
    pub(crate) const VMWARE_CURSOR: i32 = 0x574d_5664;
    pub(crate) const EXTENDED_CLIPBOARD: i32 = i32::from_be_bytes([0xc0, 0xa1, 0xe5, 0xce]);

    /// Whether the relay knows everything a server sends once this is asked for. Left out of what noVNC
    /// 1.7 asks: Zlib and JPEG (TigerVNC sends neither; a JPEG rectangle has no length) and xvp (power
    /// belongs to the platform).
    pub(crate) fn is_relayed(encoding: i32) -> bool {
        QUALITY_LEVELS.contains(&encoding)
            || COMPRESS_LEVELS.contains(&encoding)
            || matches!(
                encoding,
                RAW | COPY_RECT
                    | RRE
                    | HEXTILE
                    | TIGHT
                    | ZRLE
                    | H264
                    | DESKTOP_SIZE
                    | LAST_RECT
                    | CURSOR
                    | QEMU_EXTENDED_KEY
                    | TIGHT_PNG
                    | QEMU_LED
                    | DESKTOP_NAME
                    | EXTENDED_DESKTOP_SIZE
                    | FENCE
                    | CONTINUOUS_UPDATES
                    | EXTENDED_MOUSE_BUTTONS
                    | VMWARE_CURSOR
                    | EXTENDED_CLIPBOARD
            )
    }
}

/// What one direction must know of the other.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    /// The server said that it reads the longer pointer events.
    extended_mouse_buttons: AtomicBool,
}

impl Agreement {
    fn confirm_extended_mouse_buttons(&self) {
        self.extended_mouse_buttons.store(true, Ordering::Release);
    }

    fn has_extended_mouse_buttons(&self) -> bool {
        self.extended_mouse_buttons.load(Ordering::Acquire)
    }
}

/// The two scanners of one relay: browser to host, and host to browser.
#[must_use]
pub fn pair(policy: ClipboardPolicy) -> (ClientScanner, ServerScanner) {
    let agreement = Arc::new(Agreement::default());
    (
        ClientScanner::new(policy, Arc::clone(&agreement)),
        ServerScanner::new(policy, agreement),
    )
}

#[cfg(test)]
mod tests;
