//! What makes a relay give up: bytes that cannot be framed, or that nobody may send.

/// Why bytes are not passed on. The gateway closes both sides with `protocol-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The greeting, security type or initial message is not one we relay.
    #[error("the handshake is not one that is relayed: {0}")]
    Handshake(&'static str),
    /// A message of a type that is not known, so its end cannot be found.
    #[error("unknown message type {0}")]
    UnknownMessage(u8),
    /// A rectangle in an encoding that was not agreed, so its end cannot be found.
    #[error("unknown encoding {0}")]
    UnknownEncoding(i32),
    /// A pixel format in which rectangles cannot be framed.
    #[error("pixels must be 32 bits wide with 8 bits for each colour")]
    PixelFormat,
    /// A length or count beyond its bound.
    #[error("{0} is longer than allowed")]
    TooLong(&'static str),
    /// A field with a value that cannot be.
    #[error("{0} is malformed")]
    Malformed(&'static str),
}
