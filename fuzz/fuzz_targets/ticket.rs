//! Ticket texts: no text verifies without the key, none panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use naru_kernel::Timestamp;
use naru_relay::ticket::{PublicKey, verify};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = core::str::from_utf8(data) {
        let keys = [PublicKey::from_bytes([7; 32]), PublicKey::from_bytes([9; 32])];
        assert!(verify(text, &keys, Timestamp::from_seconds(1_800_000_000)).is_err());
        assert!(PublicKey::from_hex(text).is_err() || text.len() == 64);
    }
});
