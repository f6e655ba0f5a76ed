//! Bytes that are not what they should be.

use proptest::prelude::*;

use super::{NOW, RSA, code, fresh, key, log_on, quick, signed};
use crate::{Refusal, logon, verify_certificate};

#[test]
fn a_message_truncated_at_any_byte_is_refused() {
    let pki = quick();
    let trust = pki.trust(NOW).unwrap();
    let cms = signed(&fresh().bytes, &pki.people[0].sign);
    for end in 0..cms.len() {
        assert_eq!(
            code(log_on(&cms[..end], &trust)),
            "signed-malformed",
            "{end} of {}",
            cms.len()
        );
    }
    let longer = [cms.as_slice(), &[0]].concat();
    assert_eq!(code(log_on(&longer, &trust)), "signed-malformed");
}

#[test]
fn a_flipped_bit_never_makes_another_person() {
    let sign = &RSA.people[0].sign;
    let trust = RSA.trust(NOW).unwrap();
    let cms = signed(&fresh().bytes, sign);
    let good = log_on(&cms, &trust).unwrap();
    let mut accepted = 0;
    for bit in 0..cms.len() * 8 {
        let mut altered = cms.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        if let Ok(verified) = log_on(&altered, &trust) {
            assert_eq!(verified, good, "bit {bit}");
            accepted += 1;
        }
    }
    // What is not signed: versions, the outer digest algorithm, unused parameters.
    assert!(accepted < 300, "{accepted} of {} flips accepted", cms.len() * 8);
}

#[test]
fn a_certificate_truncated_at_any_byte_is_refused() {
    let pki = quick();
    let trust = pki.trust(NOW).unwrap();
    let certificate = &pki.people[0].sign.certificate;
    for end in 0..certificate.len() {
        let refused = verify_certificate(&[&certificate[..end]], &trust, NOW);
        assert_eq!(refused, Err(Refusal::CertificateMalformed), "{end}");
    }
    assert_eq!(
        verify_certificate(&[], &trust, NOW),
        Err(Refusal::CertificateMissing)
    );
    let many = vec![certificate.as_slice(); 10];
    assert_eq!(verify_certificate(&many, &trust, NOW), Err(Refusal::PathTooLong));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_log_nobody_on(bytes in prop::collection::vec(0_u8.., 0..2_000)) {
        let trust = RSA.trust(NOW).unwrap();
        prop_assert!(logon::verify_cms(&bytes, &[key()], super::ORIGIN, &trust, NOW).is_err());
        prop_assert!(verify_certificate(&[&bytes], &trust, NOW).is_err());
        prop_assert!(crate::Trust::new(&[RSA.profile()], |_| None).unwrap().load_crl(&bytes).is_err());
    }

    #[test]
    fn random_changes_never_panic_nor_make_another_person(
        changes in prop::collection::vec((0_usize.., 0_u8..), 1..6),
        cut in 0_usize..3_000,
    ) {
        let trust = RSA.trust(NOW).unwrap();
        let mut cms = signed(&fresh().bytes, &RSA.people[0].sign);
        let length = cms.len();
        for (at, byte) in changes {
            cms[at % length] = byte;
        }
        cms.truncate(cut.max(length - 40));
        if let Ok(verified) = log_on(&cms, &trust) {
            prop_assert_eq!(verified.certificate.certificate, RSA.people[0].sign.certificate.clone());
        }
    }
}
