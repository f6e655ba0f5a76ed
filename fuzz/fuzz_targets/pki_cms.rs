//! Signed challenges: raw bytes, and a good message edited. Whoever gets in is the person who signed.
#![no_main]

#[path = "../shared/authority.rs"]
mod authority;

use std::sync::LazyLock;

use authority::{AUTHORITY, ENTROPY, NOW, ORIGIN, edited};
use libfuzzer_sys::fuzz_target;
use naru_pki::{challenge, demo, verify_cms};

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let issued = challenge::issue(&AUTHORITY.key, ORIGIN, NOW, &ENTROPY);
    let sign = &AUTHORITY.pki.people[0].sign;
    let chain = [AUTHORITY.pki.issuing.certificate.as_slice()];
    demo::sign_cms(&issued.bytes, &sign.certificate, &chain, &sign.key, NOW).expect("a good key signs")
});

fuzz_target!(|data: &[u8]| {
    let keys = std::slice::from_ref(&AUTHORITY.key);
    assert!(verify_cms(data, keys, ORIGIN, &AUTHORITY.trust, NOW).is_err());
    if let Ok(verified) = verify_cms(&edited(&GOOD, data), keys, ORIGIN, &AUTHORITY.trust, NOW) {
        assert_eq!(
            verified.certificate.certificate,
            AUTHORITY.pki.people[0].sign.certificate
        );
    }
    drop(challenge::check(data, keys, ORIGIN, NOW));
});
