//! The agent on this very machine with the real programs. Needs root; says `skipped` where it cannot be.

#[cfg(test)]
mod common;
#[cfg(test)]
mod rdp;
#[cfg(test)]
mod rfb;
