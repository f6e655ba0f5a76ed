//! Whole log-ons: what is accepted, and every way to be refused.

mod bytes;
mod crls;
mod logons;
mod openssl;
mod paths;

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use naru_kernel::{Entropy, Seconds, Timestamp};

use crate::{
    ChallengeKey, Refusal, Trust, VerifiedLogon,
    challenge::{self, Issued},
    demo::{self, DemoCertificate, DemoOptions, DemoPerson, DemoPki, KeyKind},
    verify_cms,
};

const ORIGIN: &str = "https://localhost:8443";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Different bytes at every call, the same in every run.
struct Counted(AtomicU64);

static ENTROPY: Counted = Counted(AtomicU64::new(1));

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let count = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (count ^ count >> 29)
                .wrapping_mul(0xbf58_476d_1ce4_e5b9)
                .to_be_bytes()[0];
        }
    }
}

fn hong() -> DemoPerson {
    DemoPerson {
        ministry: "행정안전부".to_owned(),
        agency_code: "085".to_owned(),
        name: "홍길동".to_owned(),
        sequence: 1,
        password: "비밀 pass 1!".to_owned(),
    }
}

const QUICK: DemoOptions = DemoOptions {
    keys: KeyKind::P256,
    critical_policies: false,
    person_days: 730,
    crl_hours: 48,
};

/// With P-256 keys, made at once.
fn quick() -> DemoPki {
    demo::make(NOW, &ENTROPY, &[hong()], QUICK).unwrap()
}

/// With RSA keys, made once for all tests.
static RSA: LazyLock<DemoPki> = LazyLock::new(|| {
    let options = DemoOptions {
        keys: KeyKind::Rsa2048,
        critical_policies: true,
        ..QUICK
    };
    demo::make(NOW, &ENTROPY, &[hong()], options).unwrap()
});

fn key() -> ChallengeKey {
    ChallengeKey::new("first", &[9; 32])
}

fn fresh() -> Issued {
    challenge::issue(&key(), ORIGIN, NOW, &ENTROPY)
}

fn signed(content: &[u8], certificate: &DemoCertificate) -> Vec<u8> {
    demo::sign_cms(content, &certificate.certificate, &[], &certificate.key, NOW).unwrap()
}

fn log_on(cms: &[u8], trust: &Trust) -> Result<VerifiedLogon, Refusal> {
    verify_cms(cms, &[key()], ORIGIN, trust, NOW)
}

fn code<T>(result: Result<T, Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "accepted")
}

const HOUR: Seconds = Seconds::hours(1);
