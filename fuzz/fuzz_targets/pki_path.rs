//! Certificate paths: raw and edited certificates, and all sorts of certificates in any order.
#![no_main]

#[path = "../shared/authority.rs"]
mod authority;

use std::sync::LazyLock;

use authority::{AUTHORITY, ENTROPY, NOW, edited, person};
use libfuzzer_sys::fuzz_target;
use naru_pki::{demo::Flaw, name, verify_certificate};

/// Good and bad ones, authorities of this and of another tree. The first is the only one to be let in.
static POOL: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let pki = &AUTHORITY.pki;
    let mut pool = vec![
        pki.people[0].sign.certificate.clone(),
        pki.people[0].envelope.certificate.clone(),
        pki.issuing.certificate.clone(),
        pki.root.certificate.clone(),
    ];
    let mut other =
        naru_pki::demo::make(NOW, &ENTROPY, &[person()], pki.options).expect("a twin can be made");
    pool.extend([other.root.certificate.clone(), other.issuing.certificate.clone()]);
    for flaw in Flaw::ALL {
        let flawed = other
            .flawed(&person(), flaw, NOW, &ENTROPY)
            .expect("a flaw can be made");
        pool.push(flawed.sign.certificate);
    }
    pool
});

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let pool = &*POOL;
    assert!(verify_certificate(&[rest], &AUTHORITY.trust, NOW).is_err());
    let chosen = &pool[usize::from(*first) % pool.len()];
    if let Ok(verified) = verify_certificate(&[&edited(chosen, rest)], &AUTHORITY.trust, NOW) {
        assert_eq!(verified.certificate, pool[0]);
        assert_eq!(name::fold_text(&verified.subject), Some(verified.subject_key));
    }
    let chain: Vec<&[u8]> = data
        .iter()
        .take(9)
        .map(|byte| pool[usize::from(*byte) % pool.len()].as_slice())
        .collect();
    if let Ok(verified) = verify_certificate(&chain, &AUTHORITY.trust, NOW) {
        assert_eq!(verified.certificate, pool[0]);
    }
    if let Ok(text) = std::str::from_utf8(rest)
        && let Some(folded) = name::fold_text(text)
    {
        assert_eq!(
            name::fold_text(&folded),
            Some(folded.clone()),
            "folding twice is folding once"
        );
    }
});
