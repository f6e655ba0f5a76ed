//! Numbers out of byte slices, without panics.

/// Big-endian 16 bits at an offset; `None` when the slice ends before.
pub(crate) fn u16_be(input: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*input.get(at..)?.first_chunk()?))
}

/// Big-endian 32 bits at an offset.
pub(crate) fn u32_be(input: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*input.get(at..)?.first_chunk()?))
}

/// Big-endian signed 32 bits at an offset.
pub(crate) fn i32_be(input: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_be_bytes(*input.get(at..)?.first_chunk()?))
}

/// Little-endian 16 bits at an offset.
pub(crate) fn u16_le(input: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*input.get(at..)?.first_chunk()?))
}

/// Little-endian 32 bits at an offset.
pub(crate) fn u32_le(input: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*input.get(at..)?.first_chunk()?))
}
