//! The message and the person: every flaw named in one table, every style of signing.

use super::{ENTROPY, NOW, ORIGIN, QUICK, RSA, code, fresh, hong, key, log_on, quick, signed};
use crate::{
    RevocationState, asn1,
    challenge::{self, CHALLENGE_LIFETIME},
    demo::{self, DemoKey, DemoOptions, Flaw, KeyKind, SignStyle},
    logon::CMS_BYTES_MAX,
    name, verify_certificate, verify_cms, write,
};

#[test]
fn a_good_certificate_logs_on_and_says_whose_it_is() {
    let issued = fresh();
    let sign = &RSA.people[0].sign;
    let verified = log_on(&signed(&issued.bytes, sign), &RSA.trust(NOW).unwrap()).unwrap();
    assert_eq!(verified.nonce, issued.nonce);
    assert_eq!(verified.nonce_expires_at, issued.expires_at);
    let who = verified.certificate;
    assert_eq!(
        who.subject,
        "CN=085홍길동001,OU=people,OU=행정안전부,O=Government of Korea,C=KR"
    );
    assert_eq!(who.subject, hong().subject());
    assert_eq!(name::fold_text(&who.subject), Some(who.subject_key));
    assert_eq!(who.issuer, "CN=CA131000099,OU=GPKI,O=Government of Korea,C=KR");
    assert_eq!(who.serial, sign.serial());
    assert_eq!(who.serial.len(), 40);
    assert_eq!(who.certificate, sign.certificate);
    assert_eq!(
        (who.agency_code.as_deref(), who.person_name.as_str()),
        (Some("085"), "홍길동")
    );
    assert_eq!(
        (who.profile.as_str(), who.policy.as_deref()),
        ("demo", Some(demo::CIVIL_SERVANT_POLICY))
    );
    assert_eq!(who.revocation, RevocationState::Current);
}

#[test]
fn every_flaw_is_refused_for_its_own_cause() {
    for critical_policies in [false, true] {
        let options = DemoOptions {
            critical_policies,
            ..QUICK
        };
        let mut pki = demo::make(NOW, &ENTROPY, &[hong()], options).unwrap();
        for flaw in Flaw::ALL {
            let identity = pki.flawed(&hong(), flaw, NOW, &ENTROPY).unwrap();
            let trust = pki.trust(NOW).unwrap();
            let mut sign = identity.sign;
            let over_tls = code(verify_certificate(&[&sign.certificate], &trust, NOW));
            if flaw == Flaw::WeakKey {
                // The library signs with no key that short; the refusal comes before the signature is looked at.
                sign.key = DemoKey::generate(KeyKind::P256).unwrap();
            }
            let with_cms = code(log_on(&signed(&fresh().bytes, &sign), &trust));
            assert_eq!(with_cms, flaw.expected(), "{flaw:?}");
            // TLS itself proves that the key is the certificate's.
            let expected = if flaw == Flaw::AnotherKey {
                "accepted"
            } else {
                flaw.expected()
            };
            assert_eq!(over_tls, expected, "{flaw:?}");
        }
        let good = &pki.people[0];
        let trust = pki.trust(NOW).unwrap();
        assert_eq!(
            code(log_on(&signed(&fresh().bytes, &good.sign), &trust)),
            "accepted"
        );
        assert_eq!(
            code(log_on(&signed(&fresh().bytes, &good.envelope), &trust)),
            "certificate-wrong-usage"
        );
    }
}

#[test]
fn a_twin_with_the_same_names_is_a_forgery() {
    let (pki, twin) = (quick(), quick());
    let cms = signed(&fresh().bytes, &twin.people[0].sign);
    assert_eq!(
        code(log_on(&cms, &pki.trust(NOW).unwrap())),
        "certificate-forged-issuer"
    );
    // Not even when the twin's own authority is sent along.
    let chain = [
        twin.issuing.certificate.as_slice(),
        twin.root.certificate.as_slice(),
    ];
    let sign = &twin.people[0].sign;
    let cms = demo::sign_cms(&fresh().bytes, &sign.certificate, &chain, &sign.key, NOW).unwrap();
    assert_eq!(
        code(log_on(&cms, &pki.trust(NOW).unwrap())),
        "certificate-forged-issuer"
    );
}

#[test]
fn every_style_of_signing_is_accepted_with_its_kind_of_key() {
    let rsa = (&RSA.people[0].sign, RSA.trust(NOW).unwrap());
    let pki = quick();
    let ec = (&pki.people[0].sign, pki.trust(NOW).unwrap());
    let styles = [
        (SignStyle::RsaSha256, &rsa),
        (SignStyle::RsaSha512, &rsa),
        (SignStyle::RsaPssSha256, &rsa),
        (SignStyle::EcdsaSha256, &ec),
    ];
    for (style, (sign, trust)) in styles {
        let bytes = fresh().bytes;
        let cms = demo::sign_cms_as(style, &bytes, (&sign.certificate, &[]), &sign.key, NOW).unwrap();
        assert_eq!(code(log_on(&cms, trust)), "accepted", "{style:?}");
    }
}

#[test]
fn challenges_of_others_and_of_yesterday_are_refused() {
    let pki = quick();
    let trust = pki.trust(NOW).unwrap();
    let sign = &pki.people[0].sign;
    let cms = signed(&fresh().bytes, sign);
    let late = NOW + CHALLENGE_LIFETIME + naru_kernel::Seconds(1);
    assert_eq!(
        code(verify_cms(&cms, &[key()], ORIGIN, &trust, late)),
        "challenge-expired"
    );
    let elsewhere = "https://phishing.example";
    assert_eq!(
        code(verify_cms(&cms, &[key()], elsewhere, &trust, NOW)),
        "challenge-audience"
    );
    let other = crate::ChallengeKey::new("first", &[8; 32]);
    assert_eq!(
        code(verify_cms(
            &cms,
            core::slice::from_ref(&other),
            ORIGIN,
            &trust,
            NOW
        )),
        "challenge-altered"
    );
    let relayed = challenge::issue(&key(), elsewhere, NOW, &ENTROPY);
    assert_eq!(
        code(log_on(&signed(&relayed.bytes, sign), &trust)),
        "challenge-audience"
    );
    assert_eq!(
        code(log_on(&signed(b"I owe you 1,000 won", sign), &trust)),
        "challenge-foreign"
    );
    assert_eq!(code(log_on(&signed(b"", sign), &trust)), "challenge-foreign");
}

/// The parts of a `SignedData`: version, digests, content, certificates, signers.
fn parts(cms: &[u8]) -> Vec<Vec<u8>> {
    let mut outer = asn1::single(cms, asn1::SEQUENCE).unwrap().inside();
    outer.next().unwrap();
    let body = outer.next().unwrap();
    let mut inside = asn1::single(body.value, asn1::SEQUENCE).unwrap().inside();
    let mut out = Vec::new();
    while !inside.is_empty() {
        out.push(inside.next().unwrap().whole.to_vec());
    }
    assert_eq!(out.len(), 5);
    out
}

fn whole(parts: &[Vec<u8>]) -> Vec<u8> {
    let body = write::sequence(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let body = write::element(asn1::context(0), &[&body]);
    write::sequence(&[&write::oid(crate::oid::SIGNED_DATA), &body])
}

#[test]
fn messages_of_another_shape_are_refused() {
    let pki = quick();
    let trust = pki.trust(NOW).unwrap();
    let cms = signed(&fresh().bytes, &pki.people[0].sign);
    let good = parts(&cms);
    assert_eq!(whole(&good), cms);
    let refused = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut changed = good.clone();
        change(&mut changed);
        code(log_on(&whole(&changed), &trust))
    };
    let signer = asn1::single(&good[4], asn1::SET).unwrap().value.to_vec();
    let mut fields = asn1::single(&signer, asn1::SEQUENCE).unwrap().inside();
    let fields: Vec<&[u8]> = (0..6).map(|_| fields.next().unwrap().whole).collect();
    let with_signer = |fields: &[&[u8]]| {
        let signer = write::sequence(fields);
        refused(&|parts| parts[4] = write::element(asn1::SET, &[&signer]))
    };

    assert_eq!(
        refused(&|parts| parts[4] = write::element(asn1::SET, &[])),
        "signer-not-single"
    );
    let two = write::element(asn1::SET, &[&signer, &signer]);
    assert_eq!(refused(&|parts| parts[4] = two.clone()), "signer-not-single");
    assert_eq!(refused(&|parts| drop(parts.remove(3))), "certificate-missing");
    let other = &pki.issuing.certificate;
    assert_eq!(
        refused(&|parts| parts[3] = write::element(asn1::context(0), &[other])),
        "certificate-missing"
    );
    assert_eq!(
        refused(&|parts| parts[3] = write::element(asn1::context(0), &[&write::sequence(&[])])),
        "certificate-malformed"
    );
    let detached = write::sequence(&[&write::oid(crate::oid::DATA)]);
    assert_eq!(refused(&|parts| parts[2] = detached.clone()), "signed-malformed");
    let other_challenge = write::element(asn1::context(0), &[&write::octets(&fresh().bytes)]);
    let exchanged = write::sequence(&[&write::oid(crate::oid::DATA), &other_challenge]);
    assert_eq!(refused(&|parts| parts[2] = exchanged.clone()), "content-altered");

    let [version, id, digest, attributes, algorithm, signature] = fields.as_slice() else {
        panic!()
    };
    assert_eq!(
        with_signer(&[version, id, digest, attributes, algorithm, signature]),
        "accepted"
    );
    assert_eq!(
        with_signer(&[version, id, digest, algorithm, signature]),
        "signed-attributes-missing"
    );
    let empty = write::element(asn1::context(0), &[]);
    assert_eq!(
        with_signer(&[version, id, digest, &empty, algorithm, signature]),
        "signed-attributes-missing"
    );
    let sha1 = write::algorithm(
        const_oid::ObjectIdentifier::new_unwrap("1.3.14.3.2.26"),
        &write::null(),
    );
    assert_eq!(
        with_signer(&[version, id, &sha1, attributes, algorithm, signature]),
        "algorithm-refused"
    );
    let mismatch = write::algorithm(crate::oid::ECDSA_SHA512, &[]);
    assert_eq!(
        with_signer(&[version, id, digest, attributes, &mismatch, signature]),
        "algorithm-refused"
    );
    let nothing = write::octets(&[]);
    assert_eq!(
        with_signer(&[version, id, digest, attributes, algorithm, &nothing]),
        "signature-wrong"
    );
    let twice = asn1::single(attributes, asn1::context(0)).unwrap().value;
    let twice = write::element(asn1::context(0), &[twice, twice]);
    assert_eq!(
        with_signer(&[version, id, digest, &twice, algorithm, signature]),
        "signed-malformed"
    );
}

#[test]
fn what_browser_libraries_write_differently_is_accepted() {
    let pki = quick();
    let trust = pki.trust(NOW).unwrap();
    let sign = &pki.people[0].sign;
    let issued = fresh();
    let cms = signed(&issued.bytes, sign);
    // The content in pieces, as a constructed OCTET STRING.
    let (first, second) = issued.bytes.split_at(10);
    let pieces = write::element(
        asn1::OCTET_STRING | 0x20,
        &[&write::octets(first), &write::octets(second)],
    );
    let content = write::element(asn1::context(0), &[&pieces]);
    let mut changed = parts(&cms);
    changed[2] = write::sequence(&[&write::oid(crate::oid::DATA), &content]);
    assert_eq!(code(log_on(&whole(&changed), &trust)), "accepted");
    // The set of certificates in any order, with repetitions.
    for order in [
        vec![
            sign.certificate.as_slice(),
            pki.root.certificate.as_slice(),
            pki.issuing.certificate.as_slice(),
        ],
        vec![
            pki.issuing.certificate.as_slice(),
            sign.certificate.as_slice(),
            sign.certificate.as_slice(),
        ],
    ] {
        changed[3] = write::element(asn1::context(0), &order);
        assert_eq!(code(log_on(&whole(&changed), &trust)), "accepted");
    }
    changed[3] = write::element(asn1::context(0), &[pki.issuing.certificate.as_slice(); 1]);
    assert_eq!(code(log_on(&whole(&changed), &trust)), "certificate-missing");
}

#[test]
fn a_message_of_a_megabyte_is_refused_unread() {
    let pki = quick();
    let trust = pki.trust(NOW).unwrap();
    let cms = signed(&vec![b' '; 1_024 * 1_024], &pki.people[0].sign);
    assert_eq!(code(log_on(&cms, &trust)), "signed-too-large");
    assert_eq!(
        code(log_on(&vec![0x30; CMS_BYTES_MAX + 1], &trust)),
        "signed-too-large"
    );
    let at_the_limit = signed(&vec![b' '; 60_000], &pki.people[0].sign);
    assert!(at_the_limit.len() <= CMS_BYTES_MAX);
    assert_eq!(code(log_on(&at_the_limit, &trust)), "challenge-foreign");
}

#[test]
fn the_authority_can_be_taken_up_again_with_its_revocations() {
    let mut pki = quick();
    let serial = pki.people[0].sign.serial();
    pki.revoke(&serial, NOW, crate::Reason::Superseded);
    pki.revoke(&serial, NOW, crate::Reason::KeyCompromise);
    let [_, crl] = pki.crls(NOW).unwrap();
    let root = (pki.root.certificate.as_slice(), pki.root.key.pkcs8());
    let issuing = (pki.issuing.certificate.as_slice(), pki.issuing.key.pkcs8());
    let again = demo::DemoPki::reopen(root, issuing, &crl, QUICK).unwrap();
    let trust = again.trust(NOW).unwrap();
    let revoked = log_on(&signed(&fresh().bytes, &pki.people[0].sign), &trust);
    let reason = crate::Reason::Superseded;
    assert_eq!(revoked, Err(crate::Refusal::Revoked { at: NOW, reason }));
    let newcomer = again.issue(&hong(), NOW, &ENTROPY).unwrap();
    assert_eq!(
        code(log_on(&signed(&fresh().bytes, &newcomer.sign), &trust)),
        "accepted"
    );
}

#[test]
fn people_who_fit_no_certificate_are_refused() {
    let pki = quick();
    let wrong = [
        demo::DemoPerson {
            name: String::new(),
            ..hong()
        },
        demo::DemoPerson {
            name: "../홍".to_owned(),
            ..hong()
        },
        demo::DemoPerson {
            ministry: "\n".to_owned(),
            ..hong()
        },
        demo::DemoPerson {
            agency_code: "85".to_owned(),
            ..hong()
        },
        demo::DemoPerson {
            sequence: 1_000,
            ..hong()
        },
    ];
    for person in wrong {
        assert!(
            matches!(pki.issue(&person, NOW, &ENTROPY), Err(crate::Error::DemoText(_))),
            "{person:?}"
        );
    }
}

#[test]
fn key_files_of_the_demo_open_with_the_persons_password() {
    let identity = &RSA.people[0];
    let opened = crate::keyfile::decrypt(&identity.sign.key_file, &hong().password).unwrap();
    let key = DemoKey::from_pkcs8(&opened).unwrap();
    assert_eq!(key.pkcs8(), identity.sign.key.pkcs8());
    assert!(opened.len() > key.pkcs8().len(), "the random number R is inside");
    let names: Vec<String> = RSA
        .files(NOW)
        .unwrap()
        .into_iter()
        .map(|file| file.path)
        .collect();
    assert!(names.contains(&"people/085홍길동001/GPKI/Certificate/class2/085홍길동001_sig.key".to_owned()));
    assert_eq!(names.len(), 11);
}

#[test]
fn nothing_secret_is_shown_by_debug() {
    let shown = format!("{:?} {:?} {:?}", hong(), key(), RSA.people[0].sign.key);
    assert!(
        !shown.contains(&hong().password) && !shown.contains("pkcs8"),
        "{shown}"
    );
}
