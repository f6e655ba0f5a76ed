//! How long a Tight rectangle is: its control byte, filter, palette and compact length, one at a time.
//!
//! Pixels are 24 bits deep here, so a Tight pixel is 3 bytes (rfbproto, "Tight Encoding").

use crate::Error;
use crate::read::u16_be;

/// Data shorter than this is sent uncompressed and without a length.
const COMPRESSED_FROM_BYTES: u64 = 12;
const PIXEL_BYTES: u64 = 3;

/// What comes next in a Tight rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tight {
    /// The control byte.
    Control { png: bool, width: u16, height: u16 },
    /// The filter byte.
    Filter { width: u16, height: u16 },
    /// The number of colours.
    Palette { width: u16, height: u16 },
    /// Pixel data of this uncompressed length.
    Data { bytes: u64 },
    /// A compact length and so many bytes.
    Compact,
}

/// So many bytes pass, then this follows (or the rectangle has ended).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) bytes: u64,
    pub(super) next: Option<Tight>,
}

impl Tight {
    /// The next part of the rectangle; `None` when more bytes are needed.
    pub(super) fn part(self, input: &[u8]) -> Result<Option<Part>, Error> {
        if let Self::Data { bytes } = self
            && bytes < COMPRESSED_FROM_BYTES
        {
            return Ok(Some(Part { bytes, next: None }));
        }
        let Some(&first) = input.first() else {
            return Ok(None);
        };
        let part = match self {
            Self::Control { png, width, height } => control(first, png, width, height)?,
            Self::Filter { width, height } => match first {
                0 | 2 => Part {
                    bytes: 1,
                    next: Some(copied(width, height)),
                },
                1 => Part {
                    bytes: 1,
                    next: Some(Self::Palette { width, height }),
                },
                _ => return Err(Error::Malformed("a Tight filter")),
            },
            Self::Palette { width, height } => {
                let colours = u64::from(first) + 1;
                let row_bytes = if colours <= 2 {
                    u64::from(width).div_ceil(8)
                } else {
                    u64::from(width)
                };
                let bytes = row_bytes * u64::from(height);
                Part {
                    bytes: 1 + colours * PIXEL_BYTES,
                    next: Some(Self::Data { bytes }),
                }
            }
            Self::Data { .. } | Self::Compact => return Ok(compact(input)),
        };
        Ok(Some(part))
    }
}

fn control(control: u8, png: bool, width: u16, height: u16) -> Result<Part, Error> {
    match control >> 4 {
        8 => Ok(Part {
            bytes: 1 + PIXEL_BYTES,
            next: None,
        }),
        9 => Ok(Part {
            bytes: 1,
            next: Some(Tight::Compact),
        }),
        10 if png => Ok(Part {
            bytes: 1,
            next: Some(Tight::Compact),
        }),
        0..=3 if !png => Ok(Part {
            bytes: 1,
            next: Some(copied(width, height)),
        }),
        4..=7 if !png => Ok(Part {
            bytes: 1,
            next: Some(Tight::Filter { width, height }),
        }),
        _ => Err(Error::Malformed("a Tight control byte")),
    }
}

fn copied(width: u16, height: u16) -> Tight {
    Tight::Data {
        bytes: u64::from(width) * u64::from(height) * PIXEL_BYTES,
    }
}

/// 7 bits, 7 bits, 8 bits; the high bit of the first two says that another byte follows.
fn compact(input: &[u8]) -> Option<Part> {
    let &first = input.first()?;
    let low = u64::from(first & 0x7f);
    if first & 0x80 == 0 {
        return Some(Part {
            bytes: 1 + low,
            next: None,
        });
    }
    let &second = input.get(1)?;
    let low = low | (u64::from(second & 0x7f) << 7);
    if second & 0x80 == 0 {
        return Some(Part {
            bytes: 2 + low,
            next: None,
        });
    }
    let &third = input.get(2)?;
    Some(Part {
        bytes: 3 + (low | (u64::from(third) << 14)),
        next: None,
    })
}

/// What the picture of a hextile rectangle still lacks, tile by tile (RFC 6143 §7.7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiles {
    width: u16,
    height: u16,
    x: u16,
    y: u16,
}

impl Tiles {
    const SIDE_PIXELS: u16 = 16;

    /// All tiles of a rectangle; `None` if it is empty.
    pub(super) const fn of(width: u16, height: u16) -> Option<Self> {
        if width == 0 || height == 0 {
            None
        } else {
            Some(Self {
                width,
                height,
                x: 0,
                y: 0,
            })
        }
    }

    /// The tile after this one.
    pub(super) fn next(self) -> Option<Self> {
        let right = self.x.checked_add(Self::SIDE_PIXELS).filter(|x| *x < self.width);
        if let Some(x) = right {
            return Some(Self { x, ..self });
        }
        let y = self
            .y
            .checked_add(Self::SIDE_PIXELS)
            .filter(|y| *y < self.height)?;
        Some(Self { x: 0, y, ..self })
    }

    /// How long this tile is; `None` when more bytes are needed.
    pub(super) fn bytes(self, input: &[u8]) -> Result<Option<u64>, Error> {
        const RAW: u8 = 1;
        const BACKGROUND: u8 = 2;
        const FOREGROUND: u8 = 4;
        const ANY_SUBRECTS: u8 = 8;
        const SUBRECTS_COLOURED: u8 = 16;
        let Some(&kind) = input.first() else {
            return Ok(None);
        };
        if kind > 31 {
            return Err(Error::Malformed("a hextile"));
        }
        if kind & RAW != 0 {
            let tile_width = (self.width - self.x).min(Self::SIDE_PIXELS);
            let tile_height = (self.height - self.y).min(Self::SIDE_PIXELS);
            return Ok(Some(
                1 + u64::from(tile_width) * u64::from(tile_height) * super::PIXEL_BYTES,
            ));
        }
        let has = |bit: u8| usize::from(kind & bit != 0);
        let colours = 4 * (has(BACKGROUND) + has(FOREGROUND));
        if kind & ANY_SUBRECTS == 0 {
            return Ok(u64::try_from(1 + colours).ok());
        }
        let Some(&count) = input.get(1 + colours) else {
            return Ok(None);
        };
        let each = 2 + 4 * has(SUBRECTS_COLOURED);
        Ok(u64::try_from(2 + colours + each * usize::from(count)).ok())
    }
}

/// Width and height of a rectangle from its header.
pub(super) fn size(input: &[u8]) -> Option<(u16, u16)> {
    Some((u16_be(input, 4)?, u16_be(input, 6)?))
}
