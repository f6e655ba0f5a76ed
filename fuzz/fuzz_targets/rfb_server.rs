//! What a host sends on RFB: however it is cut, the same bytes pass.
#![no_main]

#[path = "../shared/pump.rs"]
mod pump;

use libfuzzer_sys::fuzz_target;
use naru_kernel::fleet::ClipboardPolicy;
use naru_relay::rfb;

/// Version, security types, result, and a picture of 1440 x 900 called `desk`.
const GREETING: &[u8] =
    b"RFB 003.008\n\x01\x01\0\0\0\0\x05\xa0\x03\x84\x20\x18\0\x01\0\xff\0\xff\0\xff\x10\x08\x00\0\0\0\0\0\0\x04desk";
/// The beginning of an update of nine rectangles.
const UPDATE: &[u8] = &[0, 0, 0, 9];

fuzz_target!(|input: (bool, bool, u8, u8, &[u8])| {
    let (copy_out, paste_in, stage, chunk_bytes, data) = input;
    let policy = ClipboardPolicy { copy_out, paste_in };
    let stream = match stage % 3 {
        0 => data.to_vec(),
        1 => [GREETING, data].concat(),
        _ => [GREETING, UPDATE, data].concat(),
    };
    let whole = pump::pump(&mut rfb::pair(policy).1, &stream, usize::MAX);
    let cut = pump::pump(&mut rfb::pair(policy).1, &stream, usize::from(chunk_bytes));
    assert_eq!(whole, cut);
});
