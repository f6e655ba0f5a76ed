//! Revocation lists: raw bytes, and a good list edited. What is loaded is what the authority signed.
#![no_main]

#[path = "../shared/authority.rs"]
mod authority;

use std::sync::LazyLock;

use authority::{AUTHORITY, NOW, edited};
use libfuzzer_sys::fuzz_target;
use naru_kernel::Seconds;
use naru_pki::Reason;

static GOOD: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let mut pki = AUTHORITY.pki.clone();
    for serial in ["40", "4100", "7f00000000000000000000000000000000000001"] {
        pki.revoke(serial, NOW, Reason::KeyCompromise);
    }
    pki.crls(NOW + Seconds(1)).expect("a list can be signed")
});

fuzz_target!(|data: &[u8]| {
    let mut trust = AUTHORITY.trust.clone();
    assert!(trust.load_crl(data).is_err());
    for (good, entries) in GOOD.iter().zip([0, 3]) {
        if let Ok(facts) = trust.load_crl(&edited(good, data)) {
            assert_eq!((facts.entries, facts.this_update), (entries, NOW + Seconds(1)));
        }
    }
});
