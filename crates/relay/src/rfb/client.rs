//! Browser to host: RFC 6143 §7.5 and the messages noVNC 1.7 adds.

use std::sync::Arc;

use naru_kernel::fleet::ClipboardPolicy;

use super::clipboard::{self, Sender};
use super::{Agreement, FENCE_BYTES_MAX, SECURITY_NONE, VERSION, encoding};
use crate::read::{i32_be, u16_be};
use crate::step::{Body, Scanner, Step};
use crate::{Error, HOLD_BYTES_MAX};

/// The longest list of encodings a browser may send.
const ENCODINGS_MAX: usize = 256;
/// The most screens a browser may ask for.
const SCREENS_MAX: u8 = 16;
/// The widest or highest picture a browser may ask for, in pixels: beyond it the host's memory would be
/// at one person's mercy. Larger wishes are dropped.
const PICTURE_PIXELS_MAX: u16 = 8_192;

mod message {
    pub(super) const SET_PIXEL_FORMAT: u8 = 0;
    pub(super) const SET_ENCODINGS: u8 = 2;
    pub(super) const FRAMEBUFFER_UPDATE_REQUEST: u8 = 3;
    pub(super) const KEY_EVENT: u8 = 4;
    pub(super) const POINTER_EVENT: u8 = 5;
    pub(super) const CLIENT_CUT_TEXT: u8 = 6;
    pub(super) const ENABLE_CONTINUOUS_UPDATES: u8 = 150;
    pub(super) const CLIENT_FENCE: u8 = 248;
    pub(super) const XVP: u8 = 250;
    pub(super) const SET_DESKTOP_SIZE: u8 = 251;
    pub(super) const QEMU: u8 = 255;
}

const _: () = assert!(
    4 + 4 * ENCODINGS_MAX <= HOLD_BYTES_MAX,
    "a list of encodings fits the caller's buffer"
);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Version,
    SecurityType,
    ClientInit,
    Messages,
}

/// Frames what the browser sends, cuts its encodings down and applies `paste_in`.
#[derive(Debug)]
pub struct ClientScanner {
    stage: Stage,
    body: Body,
    policy: ClipboardPolicy,
    agreement: Arc<Agreement>,
    has_pixel_format: bool,
    has_update_request: bool,
    asks_extended_mouse_buttons: bool,
    blocked: u64,
    inputs: u64,
}

impl Scanner for ClientScanner {
    fn step(&mut self, input: &[u8]) -> Result<Step, Error> {
        if let Some(step) = self.body.step(input) {
            return Ok(step);
        }
        match self.stage {
            Stage::Version => self.version(input),
            Stage::SecurityType => self.security_type(input),
            Stage::ClientInit => Ok(self.greeting(input, 1, Stage::Messages)),
            Stage::Messages => self.message(input),
        }
    }

    fn blocked(&self) -> u64 {
        self.blocked
    }

    fn inputs(&self) -> u64 {
        self.inputs
    }
}

impl ClientScanner {
    pub(super) fn new(policy: ClipboardPolicy, agreement: Arc<Agreement>) -> Self {
        Self {
            stage: Stage::Version,
            body: Body::default(),
            policy,
            agreement,
            has_pixel_format: false,
            has_update_request: false,
            asks_extended_mouse_buttons: false,
            blocked: 0,
            inputs: 0,
        }
    }

    fn version(&mut self, input: &[u8]) -> Result<Step, Error> {
        match input.first_chunk::<12>() {
            Some(version) if version == VERSION => Ok(self.greeting(input, 12, Stage::SecurityType)),
            Some(_) => Err(Error::Handshake("the browser's version is not 3.8")),
            None => Ok(Step::More),
        }
    }

    fn security_type(&mut self, input: &[u8]) -> Result<Step, Error> {
        match input.first() {
            Some(&SECURITY_NONE) => Ok(self.greeting(input, 1, Stage::ClientInit)),
            Some(_) => Err(Error::Handshake(
                "the browser chose a security type other than None",
            )),
            None => Ok(Step::More),
        }
    }

    /// A part of the handshake of fixed length.
    fn greeting(&mut self, input: &[u8], bytes: usize, next: Stage) -> Step {
        if input.len() < bytes {
            return Step::More;
        }
        self.stage = next;
        Step::Forward { bytes, cut: false }
    }

    fn message(&mut self, input: &[u8]) -> Result<Step, Error> {
        let Some(&kind) = input.first() else {
            return Ok(Step::More);
        };
        match kind {
            message::SET_PIXEL_FORMAT => self.set_pixel_format(input),
            message::SET_ENCODINGS => self.set_encodings(input),
            message::FRAMEBUFFER_UPDATE_REQUEST | message::ENABLE_CONTINUOUS_UPDATES => {
                if !self.has_pixel_format {
                    return Err(Error::PixelFormat);
                }
                self.has_update_request = true;
                Ok(fixed(input, 10))
            }
            message::KEY_EVENT => {
                self.inputs = self.inputs.saturating_add(1);
                Ok(fixed(input, 8))
            }
            message::POINTER_EVENT => {
                self.inputs = self.inputs.saturating_add(1);
                self.pointer_event(input)
            }
            message::CLIENT_CUT_TEXT => self.cut_text(input),
            message::CLIENT_FENCE => fence(input),
            message::XVP => Ok(if input.len() < 4 {
                Step::More
            } else {
                Step::Drop { bytes: 4 }
            }),
            message::SET_DESKTOP_SIZE => set_desktop_size(input),
            message::QEMU => {
                self.inputs = self.inputs.saturating_add(1);
                qemu(input)
            }
            other => Err(Error::UnknownMessage(other)),
        }
    }

    /// INVARIANT: the host's pixels are 4 bytes (3 in Tight) from the first rectangle on. So the format is
    /// set before the first update is asked for, and to the one kind only whose rectangles are framed here.
    fn set_pixel_format(&mut self, input: &[u8]) -> Result<Step, Error> {
        let Some(format) = input.get(4..20) else {
            return Ok(Step::More);
        };
        let &[
            bits,
            depth,
            _,
            true_colour,
            r0,
            r1,
            g0,
            g1,
            b0,
            b1,
            red,
            green,
            blue,
            ..,
        ] = format
        else {
            return Ok(Step::More);
        };
        let max_fits = [r0, r1, g0, g1, b0, b1] == [0, 255, 0, 255, 0, 255];
        let shift_fits = [red, green, blue]
            .iter()
            .all(|shift| matches!(shift, 0 | 8 | 16 | 24))
            && red != green
            && green != blue
            && red != blue;
        let fits = bits == 32 && depth == 24 && true_colour != 0 && max_fits && shift_fits;
        if !fits || self.has_update_request {
            return Err(Error::PixelFormat);
        }
        self.has_pixel_format = true;
        Ok(fixed(input, 20))
    }

    fn set_encodings(&mut self, input: &[u8]) -> Result<Step, Error> {
        let Some(count) = u16_be(input, 2) else {
            return Ok(Step::More);
        };
        let count = usize::from(count);
        if count > ENCODINGS_MAX {
            return Err(Error::TooLong("the list of encodings"));
        }
        let bytes = 4 + 4 * count;
        let Some(list) = input.get(4..bytes) else {
            return Ok(Step::More);
        };
        let kept = list.chunks_exact(4).filter_map(|chunk| i32_be(chunk, 0));
        let kept: Vec<i32> = kept.filter(|encoding| encoding::is_relayed(*encoding)).collect();
        self.asks_extended_mouse_buttons = kept.contains(&encoding::EXTENDED_MOUSE_BUTTONS);
        if kept.len() == count {
            return Ok(Step::Forward { bytes, cut: false });
        }
        let kept_count = u16::try_from(kept.len()).map_err(|_| Error::TooLong("the list of encodings"))?;
        let mut with = vec![message::SET_ENCODINGS, 0];
        with.extend_from_slice(&kept_count.to_be_bytes());
        with.extend(kept.iter().flat_map(|encoding| encoding.to_be_bytes()));
        Ok(Step::Replace {
            bytes,
            with,
            cut: false,
        })
    }

    /// The longer form (a marker in the mask, then one byte more) is read by a host only when the browser
    /// asked for it and the host confirmed it; in between, a marker would put the framing in doubt.
    fn pointer_event(&self, input: &[u8]) -> Result<Step, Error> {
        let Some(&mask) = input.get(1) else {
            return Ok(Step::More);
        };
        if mask & 0x80 == 0 {
            return Ok(fixed(input, 6));
        }
        if self.asks_extended_mouse_buttons && self.agreement.has_extended_mouse_buttons() {
            Ok(fixed(input, 7))
        } else {
            Err(Error::Malformed("a pointer event"))
        }
    }

    fn cut_text(&mut self, input: &[u8]) -> Result<Step, Error> {
        let Some(verdict) = clipboard::judge(input, Sender::Browser, self.policy)? else {
            return Ok(Step::More);
        };
        self.body = if verdict.passes {
            Body::pass(verdict.bytes)
        } else {
            Body::skip(verdict.bytes)
        };
        self.blocked += u64::from(!verdict.passes);
        Ok(self.body.step(input).unwrap_or(Step::More))
    }
}

/// A message of known length: passed on once it is there whole.
const fn fixed(input: &[u8], bytes: usize) -> Step {
    if input.len() < bytes {
        Step::More
    } else {
        Step::Forward { bytes, cut: false }
    }
}

fn fence(input: &[u8]) -> Result<Step, Error> {
    match input.get(8) {
        Some(&length) if length <= FENCE_BYTES_MAX => Ok(fixed(input, 9 + usize::from(length))),
        Some(_) => Err(Error::TooLong("a fence")),
        None => Ok(Step::More),
    }
}

/// Only the extended key event; audio (subtype 1) is not relayed.
const fn qemu(input: &[u8]) -> Result<Step, Error> {
    match input {
        [_, 0, ..] => Ok(fixed(input, 12)),
        [_, _, ..] => Err(Error::UnknownMessage(message::QEMU)),
        _ => Ok(Step::More),
    }
}

fn set_desktop_size(input: &[u8]) -> Result<Step, Error> {
    let (Some(width), Some(height), Some(&screens)) = (u16_be(input, 2), u16_be(input, 4), input.get(6))
    else {
        return Ok(Step::More);
    };
    if screens > SCREENS_MAX {
        return Err(Error::TooLong("the list of screens"));
    }
    let bytes = 8 + 16 * usize::from(screens);
    if width <= PICTURE_PIXELS_MAX && height <= PICTURE_PIXELS_MAX {
        return Ok(fixed(input, bytes));
    }
    Ok(if input.len() < bytes {
        Step::More
    } else {
        Step::Drop { bytes }
    })
}

#[cfg(test)]
mod tests {
    use naru_kernel::fleet::ClipboardPolicy;

    use crate::{Scanner as _, rfb::pair};

    #[test]
    fn only_keys_pointer_and_their_like_show_that_somebody_is_there() {
        let (mut client, _) = pair(ClipboardPolicy {
            copy_out: true,
            paste_in: true,
        });
        let mut bytes = b"RFB 003.008\n\x01\x01".to_vec();
        // SetPixelFormat: 32 bits, depth 24, little endian, true colour.
        bytes.extend([
            0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,
        ]);
        for _ in 0..3 {
            bytes.extend([3, 1, 0, 0, 0, 0, 0, 16, 0, 16]);
        }
        let consumed = crate::scan(&mut client, &bytes, |_| ()).expect("a well-formed beginning");
        assert_eq!(
            (consumed, client.inputs()),
            (bytes.len(), 0),
            "asking for pictures is no work"
        );
        let key = [4, 1, 0, 0, 0, 0, 0, 0x61];
        crate::scan(&mut client, &key, |_| ()).expect("a key");
        assert_eq!(client.inputs(), 1);
    }
}
