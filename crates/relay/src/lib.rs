//! Engine: desktop relay bytes (tickets, RFB, RDCleanPath, RDP mends, clipboard policy).
//!
//! Bytes and the time go in, bytes and decisions come out: no socket, no clock, no randomness. What
//! cannot be framed is an error, never passed on.
#![warn(missing_docs)]

pub mod ticket;
