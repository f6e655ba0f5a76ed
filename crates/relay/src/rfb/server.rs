//! Host to browser: RFC 6143 §7.6, every rectangle of every encoding that was let through.

use std::sync::Arc;

use naru_kernel::fleet::ClipboardPolicy;

use super::clipboard::{self, Sender};
use super::tight::{self, Tight, Tiles};
use super::{Agreement, FENCE_BYTES_MAX, PIXEL_BYTES, SECURITY_NONE, VERSION, encoding};
use crate::Error;
use crate::read::{i32_be, u16_be, u32_be};
use crate::step::{Body, Scanner, Step};

/// The longest name of a desktop or reason of a refusal, in bytes.
const TEXT_BYTES_MAX: u32 = 4 * 1024;
/// The widest or highest cursor, in pixels.
const CURSOR_PIXELS_MAX: u16 = 2_048;

mod message {
    pub(super) const FRAMEBUFFER_UPDATE: u8 = 0;
    pub(super) const SET_COLOUR_MAP_ENTRIES: u8 = 1;
    pub(super) const BELL: u8 = 2;
    pub(super) const SERVER_CUT_TEXT: u8 = 3;
    pub(super) const END_OF_CONTINUOUS_UPDATES: u8 = 150;
    pub(super) const SERVER_FENCE: u8 = 248;
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Version,
    SecurityTypes,
    SecurityResult,
    Reason,
    Nothing,
    ServerInit,
    Message,
    Rectangle,
    /// A 32-bit number of things of so many bytes each, after so many bytes of something else.
    Counted {
        each_bytes: u64,
        before_bytes: u64,
        count_max: u32,
    },
    Screens,
    VmwareCursor {
        pixels: u64,
    },
    Hextile(Tiles),
    Tight(Tight),
}

/// Frames what the host sends and applies `copy_out`.
#[derive(Debug)]
pub struct ServerScanner {
    expect: Expect,
    body: Body,
    rectangles_left: u16,
    policy: ClipboardPolicy,
    agreement: Arc<Agreement>,
    blocked: u64,
}

impl Scanner for ServerScanner {
    fn step(&mut self, input: &[u8]) -> Result<Step, Error> {
        if let Some(step) = self.body.step(input) {
            return Ok(step);
        }
        if input.is_empty() {
            return Ok(Step::More);
        }
        let known = match self.expect {
            Expect::Rectangle => self.rectangle(input)?,
            Expect::Tight(tight) => self.tight(tight, input)?,
            Expect::Hextile(tiles) => self.hextile(tiles, input)?,
            Expect::Counted {
                each_bytes,
                before_bytes,
                count_max,
            } => self.counted(input, each_bytes, before_bytes, count_max)?,
            Expect::Screens => {
                let bytes = input.first().map(|count| 4 + 16 * u64::from(*count));
                self.end_rectangle(bytes)
            }
            Expect::VmwareCursor { pixels } => self.vmware_cursor(pixels, input)?,
            Expect::Message => self.message(input)?,
            Expect::Nothing => return Err(Error::Handshake("the host went on after its refusal")),
            Expect::Version => match input.first_chunk::<12>() {
                Some(version) if version == VERSION => self.pass(Some(12), Expect::SecurityTypes),
                Some(_) => return Err(Error::Handshake("the host's version is not 3.8")),
                None => None,
            },
            Expect::SecurityTypes => self.security_types(input)?,
            Expect::SecurityResult => {
                let next = u32_be(input, 0).map(|result| {
                    if result == 0 {
                        Expect::ServerInit
                    } else {
                        Expect::Reason
                    }
                });
                next.and_then(|next| self.pass(Some(4), next))
            }
            Expect::Reason => {
                let reason_bytes = bounded_text(input, 0)?;
                self.pass(reason_bytes.map(|reason| 4 + reason), Expect::Nothing)
            }
            Expect::ServerInit => {
                let name_bytes = bounded_text(input, 20)?;
                self.pass(name_bytes.map(|name| 24 + name), Expect::Message)
            }
        };
        match known {
            // A rectangle's last part may have no bytes; go on with what follows it.
            Some(()) => self.body.step(input).map_or_else(|| self.step(input), Ok),
            None => Ok(Step::More),
        }
    }

    fn blocked(&self) -> u64 {
        self.blocked
    }
}

impl ServerScanner {
    pub(super) fn new(policy: ClipboardPolicy, agreement: Arc<Agreement>) -> Self {
        Self {
            expect: Expect::Version,
            body: Body::default(),
            rectangles_left: 0,
            policy,
            agreement,
            blocked: 0,
        }
    }

    /// So many bytes pass, then `next` follows; nothing changes while their number is not known.
    fn pass(&mut self, bytes: Option<u64>, next: Expect) -> Option<()> {
        self.body = Body::pass(bytes?);
        self.expect = next;
        Some(())
    }

    fn end_rectangle(&mut self, bytes: Option<u64>) -> Option<()> {
        let bytes = bytes?;
        self.rectangles_left = self.rectangles_left.saturating_sub(1);
        let next = if self.rectangles_left == 0 {
            Expect::Message
        } else {
            Expect::Rectangle
        };
        self.pass(Some(bytes), next)
    }

    fn security_types(&mut self, input: &[u8]) -> Result<Option<()>, Error> {
        let Some(&count) = input.first() else {
            return Ok(None);
        };
        if count == 0 {
            return Ok(self.pass(Some(1), Expect::Reason));
        }
        let Some(types) = input.get(1..=usize::from(count)) else {
            return Ok(None);
        };
        if types.contains(&SECURITY_NONE) {
            Ok(self.pass(Some(1 + u64::from(count)), Expect::SecurityResult))
        } else {
            Err(Error::Handshake("the host does not offer security type None"))
        }
    }

    fn message(&mut self, input: &[u8]) -> Result<Option<()>, Error> {
        let Some(&kind) = input.first() else {
            return Ok(None);
        };
        match kind {
            message::FRAMEBUFFER_UPDATE => {
                let Some(count) = u16_be(input, 2) else {
                    return Ok(None);
                };
                self.rectangles_left = count;
                let next = if count == 0 {
                    Expect::Message
                } else {
                    Expect::Rectangle
                };
                Ok(self.pass(Some(4), next))
            }
            message::SET_COLOUR_MAP_ENTRIES => {
                let bytes = u16_be(input, 4).map(|count| 6 + 6 * u64::from(count));
                Ok(self.pass(bytes, Expect::Message))
            }
            message::BELL | message::END_OF_CONTINUOUS_UPDATES => Ok(self.pass(Some(1), Expect::Message)),
            message::SERVER_CUT_TEXT => self.cut_text(input),
            message::SERVER_FENCE => match input.get(8) {
                Some(&length) if length <= FENCE_BYTES_MAX => {
                    Ok(self.pass(Some(9 + u64::from(length)), Expect::Message))
                }
                Some(_) => Err(Error::TooLong("a fence")),
                None => Ok(None),
            },
            other => Err(Error::UnknownMessage(other)),
        }
    }

    fn cut_text(&mut self, input: &[u8]) -> Result<Option<()>, Error> {
        let Some(verdict) = clipboard::judge(input, Sender::Host, self.policy)? else {
            return Ok(None);
        };
        self.body = if verdict.passes {
            Body::pass(verdict.bytes)
        } else {
            Body::skip(verdict.bytes)
        };
        self.blocked += u64::from(!verdict.passes);
        Ok(Some(()))
    }

    fn rectangle(&mut self, input: &[u8]) -> Result<Option<()>, Error> {
        const HEADER_BYTES: u64 = 12;
        let (Some((width, height)), Some(kind)) = (tight::size(input), i32_be(input, 8)) else {
            return Ok(None);
        };
        let pixels = u64::from(width) * u64::from(height);
        let data = |bytes: u64| Some(HEADER_BYTES + bytes);
        let counted = |each_bytes, before_bytes, count_max| Expect::Counted {
            each_bytes,
            before_bytes,
            count_max,
        };
        let next = match kind {
            encoding::RAW => return Ok(self.end_rectangle(data(pixels * PIXEL_BYTES))),
            encoding::COPY_RECT => return Ok(self.end_rectangle(data(4))),
            encoding::CURSOR => {
                check_cursor(width, height)?;
                let mask = u64::from(width).div_ceil(8) * u64::from(height);
                return Ok(self.end_rectangle(data(pixels * PIXEL_BYTES + mask)));
            }
            encoding::LAST_RECT => {
                self.rectangles_left = 1;
                return Ok(self.end_rectangle(data(0)));
            }
            encoding::EXTENDED_MOUSE_BUTTONS => {
                self.agreement.confirm_extended_mouse_buttons();
                return Ok(self.end_rectangle(data(0)));
            }
            encoding::DESKTOP_SIZE | encoding::QEMU_EXTENDED_KEY => return Ok(self.end_rectangle(data(0))),
            encoding::QEMU_LED => return Ok(self.end_rectangle(data(1))),
            encoding::HEXTILE => match Tiles::of(width, height) {
                Some(tiles) => Expect::Hextile(tiles),
                None => return Ok(self.end_rectangle(data(0))),
            },
            encoding::VMWARE_CURSOR => {
                check_cursor(width, height)?;
                Expect::VmwareCursor { pixels }
            }
            encoding::RRE => counted(12, 4, u32::MAX),
            encoding::ZRLE => counted(1, 0, u32::MAX),
            encoding::H264 => counted(1, 4, u32::MAX),
            encoding::DESKTOP_NAME => counted(1, 0, TEXT_BYTES_MAX),
            encoding::EXTENDED_DESKTOP_SIZE => Expect::Screens,
            encoding::TIGHT => Expect::Tight(Tight::Control {
                png: false,
                width,
                height,
            }),
            encoding::TIGHT_PNG => Expect::Tight(Tight::Control {
                png: true,
                width,
                height,
            }),
            other => return Err(Error::UnknownEncoding(other)),
        };
        Ok(self.pass(data(0), next))
    }

    fn counted(&mut self, input: &[u8], each: u64, before: u64, max: u32) -> Result<Option<()>, Error> {
        let Some(count) = u32_be(input, 0) else {
            return Ok(None);
        };
        if count > max {
            return Err(Error::TooLong("a rectangle"));
        }
        Ok(self.end_rectangle(Some(4 + before + each * u64::from(count))))
    }

    fn vmware_cursor(&mut self, pixels: u64, input: &[u8]) -> Result<Option<()>, Error> {
        match input.first() {
            Some(0) => Ok(self.end_rectangle(Some(2 + 2 * pixels * PIXEL_BYTES))),
            Some(1) => Ok(self.end_rectangle(Some(2 + pixels * PIXEL_BYTES))),
            Some(_) => Err(Error::Malformed("a cursor")),
            None => Ok(None),
        }
    }

    fn hextile(&mut self, tiles: Tiles, input: &[u8]) -> Result<Option<()>, Error> {
        let bytes = tiles.bytes(input)?;
        Ok(match tiles.next() {
            Some(next) => self.pass(bytes, Expect::Hextile(next)),
            None => self.end_rectangle(bytes),
        })
    }

    fn tight(&mut self, tight: Tight, input: &[u8]) -> Result<Option<()>, Error> {
        let Some(part) = tight.part(input)? else {
            return Ok(None);
        };
        Ok(match part.next {
            Some(next) => self.pass(Some(part.bytes), Expect::Tight(next)),
            None => self.end_rectangle(Some(part.bytes)),
        })
    }
}

/// The length of a text that stands at an offset; `None` when more bytes are needed.
fn bounded_text(input: &[u8], at: usize) -> Result<Option<u64>, Error> {
    match u32_be(input, at) {
        Some(bytes) if bytes <= TEXT_BYTES_MAX => Ok(Some(u64::from(bytes))),
        Some(_) => Err(Error::TooLong("a text of the host")),
        None => Ok(None),
    }
}

const fn check_cursor(width: u16, height: u16) -> Result<(), Error> {
    if width <= CURSOR_PIXELS_MAX && height <= CURSOR_PIXELS_MAX {
        Ok(())
    } else {
        Err(Error::TooLong("a cursor"))
    }
}
