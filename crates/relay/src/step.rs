//! How a scanner walks through a stream without copying it.
//!
//! The caller owns the buffer. It hands over everything that was read and not yet consumed; the
//! scanner says what to do with the first bytes of it. What a scanner must see whole before it can
//! decide stays in the caller's buffer, at most [`HOLD_BYTES_MAX`] bytes, so the output never depends
//! on how the stream was cut into reads.

use crate::Error;

/// A scanner asks for more only while it was given fewer bytes than this, so a buffer of this size
/// never blocks.
pub const HOLD_BYTES_MAX: usize = 8 * 1024;

/// What to do with the first bytes of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Read more first.
    More,
    /// Pass so many bytes on as they are.
    Forward {
        /// How many; never more than was given, never 0.
        bytes: usize,
        /// A WebSocket message must end here.
        cut: bool,
    },
    /// Pass nothing of so many bytes on.
    Drop {
        /// How many; never more than was given, never 0.
        bytes: usize,
    },
    /// Pass something else on in place of so many bytes.
    Replace {
        /// How many; never more than was given, never 0.
        bytes: usize,
        /// What is passed on.
        with: Vec<u8>,
        /// A WebSocket message must end here.
        cut: bool,
    },
}

/// One direction of one protocol.
pub trait Scanner {
    /// Decides about the first bytes of what was read and not yet consumed.
    ///
    /// # Errors
    /// [`Error`] when they cannot be framed or must not be sent; the stream cannot go on after it.
    fn step(&mut self, input: &[u8]) -> Result<Step, Error>;

    /// How many messages were kept back by the clipboard policy so far.
    fn blocked(&self) -> u64;

    /// How many messages so far show that a person is there: keys, pointer, pasted text.
    fn inputs(&self) -> u64 {
        0
    }
}

/// What is passed on.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// A part of the input itself.
    Slice(&'a [u8]),
    /// Something else in its place.
    Owned(Vec<u8>),
    /// A WebSocket message must end here.
    Cut,
}

/// Walks through the input as far as it goes, joining what may be passed on together, and returns how
/// many bytes were consumed; the rest must be given again with more behind it.
///
/// # Errors
/// [`Error`] of the scanner; what was emitted before it is in order and may be sent.
pub fn scan<'a, S: Scanner>(
    scanner: &mut S,
    input: &'a [u8],
    mut emit: impl FnMut(Output<'a>),
) -> Result<usize, Error> {
    let mut consumed = 0;
    let mut pending_from = 0;
    loop {
        let rest = input.get(consumed..).unwrap_or_default();
        let step = match scanner.step(rest) {
            Ok(Step::Forward { bytes, cut: false }) => {
                consumed += bytes;
                continue;
            }
            other => other,
        };
        let until = match step {
            Ok(Step::Forward { bytes, .. }) => consumed + bytes,
            Ok(Step::More | Step::Drop { .. } | Step::Replace { .. }) | Err(_) => consumed,
        };
        if let Some(slice) = input.get(pending_from..until).filter(|slice| !slice.is_empty()) {
            emit(Output::Slice(slice));
        }
        match step? {
            Step::More => return Ok(consumed),
            Step::Forward { bytes, .. } => {
                emit(Output::Cut);
                consumed += bytes;
            }
            Step::Drop { bytes } => consumed += bytes,
            Step::Replace { bytes, with, cut } => {
                emit(Output::Owned(with));
                if cut {
                    emit(Output::Cut);
                }
                consumed += bytes;
            }
        }
        pending_from = consumed;
    }
}

/// The rest of a message whose fate is decided.
#[derive(Debug, Default)]
pub(crate) struct Body {
    remaining: u64,
    dropped: bool,
    cut_at_end: bool,
}

impl Body {
    pub(crate) const fn pass(bytes: u64) -> Self {
        Self {
            remaining: bytes,
            dropped: false,
            cut_at_end: false,
        }
    }

    pub(crate) const fn pass_and_cut(bytes: u64) -> Self {
        Self {
            remaining: bytes,
            dropped: false,
            cut_at_end: true,
        }
    }

    pub(crate) const fn skip(bytes: u64) -> Self {
        Self {
            remaining: bytes,
            dropped: true,
            cut_at_end: false,
        }
    }

    /// The step that goes on with it, or `None` once it has ended.
    pub(crate) fn step(&mut self, input: &[u8]) -> Option<Step> {
        if self.remaining == 0 {
            return None;
        }
        let bytes = usize::try_from(self.remaining)
            .unwrap_or(usize::MAX)
            .min(input.len());
        if bytes == 0 {
            return Some(Step::More);
        }
        self.remaining -= u64::try_from(bytes).unwrap_or(self.remaining);
        if self.dropped {
            Some(Step::Drop { bytes })
        } else {
            Some(Step::Forward {
                bytes,
                cut: self.cut_at_end && self.remaining == 0,
            })
        }
    }
}
