//! Key files: raw bytes, and good files of every format edited.
#![no_main]

#[path = "../shared/authority.rs"]
mod authority;

use std::sync::LazyLock;

use authority::{AUTHORITY, ENTROPY, edited};
use libfuzzer_sys::fuzz_target;
use naru_pki::{
    demo::DemoKey,
    keyfile::{self, KeyFileFormat},
};

const ITERATIONS_MAX: u32 = 64;

static GOOD: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let key = AUTHORITY.pki.people[0].sign.key.pkcs8();
    [
        KeyFileFormat::Pbes1Seed,
        KeyFileFormat::Pbes2Seed,
        KeyFileFormat::Pbes2Aes256,
    ]
    .map(|format| keyfile::encrypt(key, "password", format, 2, &ENTROPY).expect("a key can be encrypted"))
});

fuzz_target!(|data: &[u8]| {
    drop(keyfile::decrypt_within(data, "password", ITERATIONS_MAX));
    drop(DemoKey::from_pkcs8(data));
    for good in &*GOOD {
        if let Ok(opened) = keyfile::decrypt_within(&edited(good, data), "password", ITERATIONS_MAX) {
            drop(DemoKey::from_pkcs8(&opened));
        }
    }
});
