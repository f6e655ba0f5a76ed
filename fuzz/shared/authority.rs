//! A demo authority with P-256 keys, its lists loaded, and edits on good bytes.

use std::sync::{LazyLock, atomic};

use naru_kernel::{Entropy, Timestamp};
use naru_pki::{
    ChallengeKey, Trust,
    demo::{self, DemoOptions, DemoPerson, DemoPki, KeyKind},
};

pub const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub const ORIGIN: &str = "https://localhost:8443";

pub struct Counted(atomic::AtomicU8);

pub static ENTROPY: Counted = Counted(atomic::AtomicU8::new(1));

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, atomic::Ordering::Relaxed));
    }
}

pub fn person() -> DemoPerson {
    DemoPerson {
        ministry: "행정안전부".to_owned(),
        agency_code: "085".to_owned(),
        name: "홍길동".to_owned(),
        sequence: 1,
        password: "password".to_owned(),
    }
}

pub struct Authority {
    pub pki: DemoPki,
    pub trust: Trust,
    pub key: ChallengeKey,
}

pub static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let options = DemoOptions {
        keys: KeyKind::P256,
        critical_policies: true,
        ..DemoOptions::default()
    };
    let pki = demo::make(NOW, &ENTROPY, &[person()], options).expect("the demo can be made");
    let trust = pki.trust(NOW).expect("the demo trusts itself");
    Authority {
        pki,
        trust,
        key: ChallengeKey::new("a", &[7; 32]),
    }
});

/// Overwrites, inserts or removes bytes of `good`: three bytes of where and how, one of what.
pub fn edited(good: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut out = good.to_vec();
    for edit in edits.chunks_exact(4).take(16) {
        let at = (usize::from(edit[0]) << 8 | usize::from(edit[1])) % out.len().max(1);
        match edit[2] % 4 {
            0 if !out.is_empty() => out[at] = edit[3],
            1 => out.insert(at.min(out.len()), edit[3]),
            2 if !out.is_empty() => drop(out.remove(at)),
            _ => out.truncate(out.len().saturating_sub(usize::from(edit[3] % 8))),
        }
    }
    out
}
