//! What a browser sends on RFB: however it is cut, the same bytes pass.
#![no_main]

#[path = "../shared/pump.rs"]
mod pump;

use libfuzzer_sys::fuzz_target;
use naru_kernel::fleet::ClipboardPolicy;
use naru_relay::rfb;

/// Version, security type None, shared, and the pixel format noVNC asks for.
const GREETING: &[u8] =
    b"RFB 003.008\n\x01\x01\0\0\0\0\x20\x18\0\x01\0\xff\0\xff\0\xff\x00\x08\x10\0\0\0";

fuzz_target!(|input: (bool, bool, bool, u8, &[u8])| {
    let (copy_out, paste_in, greeted, chunk_bytes, data) = input;
    let policy = ClipboardPolicy { copy_out, paste_in };
    let stream = if greeted { [GREETING, data].concat() } else { data.to_vec() };
    let whole = pump::pump(&mut rfb::pair(policy).0, &stream, usize::MAX);
    let cut = pump::pump(&mut rfb::pair(policy).0, &stream, usize::from(chunk_bytes));
    assert_eq!(whole, cut);
});
