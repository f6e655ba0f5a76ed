//! Engine: desktop relay bytes (tickets, RFB, RDCleanPath, RDP mends, clipboard policy).
//!
//! Bytes and the time go in, bytes and decisions come out: no socket, no clock, no randomness. What
//! cannot be framed is an error, never passed on.
#![warn(missing_docs)]

mod error;
pub mod rdp;
mod read;
pub mod rfb;
mod step;
pub mod ticket;

#[cfg(test)]
mod testing;

pub use error::Error;
pub use step::{HOLD_BYTES_MAX, Output, Scanner, Step, scan};
