//! What browser and host send on RDP: however it is cut, the same bytes pass; the mends never panic.
#![no_main]

#[path = "../shared/pump.rs"]
mod pump;

use libfuzzer_sys::fuzz_target;
use naru_kernel::fleet::ClipboardPolicy;
use naru_relay::rdp::{self, Credentials};

/// A Connect Initial with core data (empty) and the channels `cliprdr` and `rdpdr`.
const CONNECT_INITIAL: &[u8] = &[
    3, 0, 0, 83, 2, 0xf0, 0x80, 0x7f, 0x65, 73, 4, 1, 1, 4, 1, 1, 1, 1, 0xff, 0x30, 0, 0x30, 0, 0x30, 0, 4, 56,
    0, 5, 0, 0x14, 0x7c, 0, 1, 48, 0, 8, 0, 0x10, 0, 1, 0xc0, 0, b'D', b'u', b'c', b'a', 36, 1, 0xc0, 4, 0, 3,
    0xc0, 32, 0, 2, 0, 0, 0, b'c', b'l', b'i', b'p', b'r', b'd', b'r', 0, 0, 0, 0, 0, b'r', b'd', b'p', b'd',
    b'r', 0, 0, 0, 0, 0, 0, 0,
];
/// A Connect Response that gives them the channels 1004 and 1005.
const CONNECT_RESPONSE: &[u8] = &[
    3, 0, 0, 57, 2, 0xf0, 0x80, 0x7f, 0x66, 47, 10, 1, 0, 2, 1, 0, 0x30, 0, 4, 37, 0, 5, 0, 0x14, 0x7c, 0, 1, 42,
    0x14, 0x76, 10, 1, 1, 0, 1, 0xc0, 0, b'M', b'c', b'D', b'n', 14, 3, 12, 12, 0, 0xeb, 3, 2, 0, 0xec, 3, 0xed, 3,
    0, 0, 0,
];

fn credentials() -> Credentials {
    Credentials { account: "naru".to_owned(), one_time_password: "secret".to_owned().into() }
}

fuzz_target!(|input: (bool, bool, u8, u8, &[u8])| {
    let (copy_out, paste_in, stage, chunk_bytes, data) = input;
    let policy = ClipboardPolicy { copy_out, paste_in };
    let run = |chunk_bytes: usize| {
        let (mut client, mut server) = rdp::pair(policy, credentials());
        if stage % 2 == 1 {
            drop(pump::pump(&mut client, CONNECT_INITIAL, usize::MAX));
            drop(pump::pump(&mut server, CONNECT_RESPONSE, usize::MAX));
        }
        (pump::pump(&mut client, data, chunk_bytes), pump::pump(&mut server, data, chunk_bytes))
    };
    assert_eq!(run(usize::MAX), run(usize::from(chunk_bytes)));
    drop(rdp::mend_core_data(data));
    drop(rdp::rewrite_client_info(data, &credentials()));
});
