//! Revocation lists: whose they are, what they cover, how old they may be.

use super::{ENTROPY, HOUR, NOW, QUICK, code, hong, quick};
use crate::{
    Error, Profile, Reason, Refusal, RevocationRule, RevocationState, Trust, WhenMissing, asn1,
    demo::{DemoAuthority, DemoKey, DemoPki, KeyKind, Revoked, issue},
    oid, verify_certificate, write,
};

fn bare(pki: &DemoPki) -> Trust {
    Trust::new(&[pki.profile()], |_| None).unwrap()
}

fn person(pki: &DemoPki) -> &[u8] {
    &pki.people[0].sign.certificate
}

#[test]
fn without_a_list_nothing_is_known() {
    let pki = quick();
    let mut trust = bare(&pki);
    assert_eq!(
        verify_certificate(&[person(&pki)], &trust, NOW),
        Err(Refusal::RevocationUnknown)
    );
    let [of_authorities, of_people] = pki.crls(NOW).unwrap();
    trust.load_crl(&of_authorities).unwrap();
    assert_eq!(
        verify_certificate(&[person(&pki)], &trust, NOW),
        Err(Refusal::RevocationUnknown)
    );
    let facts = trust.load_crl(&of_people).unwrap();
    assert_eq!(
        (facts.entries, facts.this_update, facts.next_update),
        (0, NOW, NOW + HOUR_48)
    );
    assert_eq!(facts.issuer, "cn=ca131000099,ou=gpki,o=government of korea,c=kr");
    assert_eq!(code(verify_certificate(&[person(&pki)], &trust, NOW)), "accepted");
    assert_eq!(trust.crl_facts().len(), 2);

    let mut only_people = bare(&pki);
    only_people.load_crl(&of_people).unwrap();
    assert_eq!(
        verify_certificate(&[person(&pki)], &only_people, NOW),
        Err(Refusal::RevocationUnknown)
    );
    let rule = RevocationRule {
        check_authorities: false,
        ..RevocationRule::default()
    };
    let mut relaxed = Trust::new(
        &[Profile {
            revocation: rule,
            ..pki.profile()
        }],
        |_| None,
    )
    .unwrap();
    relaxed.load_crl(&of_people).unwrap();
    assert_eq!(
        code(verify_certificate(&[person(&pki)], &relaxed, NOW)),
        "accepted"
    );
    let rule = RevocationRule {
        when_missing: WhenMissing::Accept,
        ..RevocationRule::default()
    };
    let open = Trust::new(
        &[Profile {
            revocation: rule,
            ..pki.profile()
        }],
        |_| None,
    )
    .unwrap();
    let verified = verify_certificate(&[person(&pki)], &open, NOW).unwrap();
    assert_eq!(verified.revocation, RevocationState::Unchecked);
}

const HOUR_48: naru_kernel::Seconds = naru_kernel::Seconds::hours(48);

#[test]
fn a_list_grows_old() {
    let mut pki = quick();
    let trust = pki.trust(NOW).unwrap();
    let due = NOW + HOUR_48;
    let at = |now| verify_certificate(&[person(&pki)], &trust, now).map(|verified| verified.revocation);
    assert_eq!(at(due), Ok(RevocationState::Current));
    assert_eq!(at(due + HOUR), Ok(RevocationState::Stale));
    let grace = naru_kernel::Seconds::hours(24);
    assert_eq!(at(due + grace), Ok(RevocationState::Stale));
    assert_eq!(at(due + grace + naru_kernel::Seconds(1)), Err(Refusal::CrlStale));
    // A list from the future is not used yet.
    assert_eq!(
        at(NOW - naru_kernel::Seconds::minutes(4)),
        Ok(RevocationState::Current)
    );
    let serial = pki.people[0].sign.serial();
    pki.revoke(&serial, NOW, Reason::CertificateHold);
    let revoking = pki.trust(NOW).unwrap();
    // What is revoked stays revoked, however old the list.
    let refused = verify_certificate(&[person(&pki)], &revoking, due + grace + HOUR);
    assert_eq!(
        refused,
        Err(Refusal::Revoked {
            at: NOW,
            reason: Reason::CertificateHold
        })
    );
}

#[test]
fn a_newer_list_takes_the_place_of_an_older_one_and_never_the_reverse() {
    let mut pki = quick();
    let [_, old] = pki.crls(NOW).unwrap();
    let serial = pki.people[0].sign.serial();
    pki.revoke(&serial, NOW, Reason::KeyCompromise);
    let mut trust = pki.trust(NOW + HOUR).unwrap();
    assert_eq!(trust.load_crl(&old), Err(Error::CrlOlder));
    let later = NOW + HOUR;
    assert_eq!(
        code(verify_certificate(&[person(&pki)], &trust, later)),
        "certificate-revoked"
    );
    assert_eq!(trust.crl_facts().len(), 2);
}

#[test]
fn lists_of_others_are_refused() {
    let (pki, twin) = (quick(), quick());
    let [_, forged] = twin.crls(NOW).unwrap();
    assert_eq!(bare(&pki).load_crl(&forged), Err(Error::CrlForged));
    let stranger = issue::named_root("Another RootCA", NOW, &ENTROPY, QUICK).unwrap();
    let list = issue::crl(&stranger, &[], issue::Part::Authorities, NOW, NOW + HOUR).unwrap();
    assert_eq!(bare(&pki).load_crl(&list), Err(Error::CrlIssuerUnknown));
    let [_, mut altered] = pki.crls(NOW).unwrap();
    let end = altered.len() - 3;
    altered[end] ^= 1;
    assert_eq!(bare(&pki).load_crl(&altered), Err(Error::CrlForged));
    assert_eq!(
        bare(&pki).load_crl(&vec![0; Trust::CRL_BYTES_MAX + 1]),
        Err(Error::CrlTooLarge)
    );
}

#[test]
fn a_list_truncated_at_any_byte_is_refused() {
    let mut pki = quick();
    pki.revoke("40aa", NOW, Reason::Superseded);
    let [_, list] = pki.crls(NOW).unwrap();
    let mut trust = bare(&pki);
    for end in 0..list.len() {
        assert_eq!(trust.load_crl(&list[..end]), Err(Error::CrlMalformed), "{end}");
    }
    assert!(trust.load_crl(&list).is_ok());
}

/// A list with other extensions than the demo's, signed by its issuing authority.
fn list_with(pki: &DemoPki, extensions: &[Vec<u8>]) -> Vec<u8> {
    list_of(&pki.issuing, extensions, &[])
}

fn list_of(authority: &DemoAuthority, extensions: &[Vec<u8>], entries: &[u8]) -> Vec<u8> {
    let parsed = crate::certificate::Certificate::read(&authority.certificate).unwrap();
    let algorithm = write::algorithm(oid::ECDSA_SHA256, &[]);
    let extensions = write::sequence(&extensions.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let body = write::sequence(&[
        &write::small(1),
        &algorithm,
        &crate::certificate::name_der(&parsed.subject),
        &write::time(NOW),
        &write::time(NOW + HOUR),
        entries,
        &write::element(asn1::context(0), &[&extensions]),
    ]);
    let signature = authority
        .key
        .sign(crate::demo::SignStyle::EcdsaSha256, &body)
        .unwrap();
    write::sequence(&[&body, &algorithm, &write::bits(&signature)])
}

fn point(address: &str, more: &[u8]) -> Vec<u8> {
    let value = write::sequence(&[&issue::part_name(address), more]);
    issue::extension(oid::ISSUING_DISTRIBUTION_POINT, true, &value)
}

#[test]
fn a_part_speaks_only_of_its_own() {
    let pki = quick();
    let rule = RevocationRule {
        check_authorities: false,
        ..RevocationRule::default()
    };
    let trust = Trust::new(
        &[Profile {
            revocation: rule,
            ..pki.profile()
        }],
        |_| None,
    )
    .unwrap();
    let own = issue::part_address("CA131000099");
    let outcome = |certificate: &[u8], extensions: &[Vec<u8>]| {
        let mut trust = trust.clone();
        trust.load_crl(&list_with(&pki, extensions)).unwrap();
        code(verify_certificate(&[certificate], &trust, NOW))
    };
    assert_eq!(outcome(person(&pki), &[point(&own, &[])]), "accepted");
    assert_eq!(outcome(person(&pki), &[]), "accepted");
    assert_eq!(
        outcome(person(&pki), &[point(&own.replace("dp1", "dp2"), &[])]),
        "revocation-unknown"
    );
    let authorities_only = write::element(asn1::context_simple(2), &[&[0xff]]);
    assert_eq!(
        outcome(person(&pki), &[point(&own, &authorities_only)]),
        "revocation-unknown"
    );

    // A certificate that names no part is not found in any one part, only in a whole list.
    let key = DemoKey::generate(KeyKind::P256).unwrap();
    let mut body = issue::Body::person(&hong(), NOW, QUICK).unwrap();
    body.distribution = None;
    let partless = body.certificate(&key, &pki.issuing, &ENTROPY).unwrap();
    assert_eq!(outcome(&partless, &[point(&own, &[])]), "revocation-unknown");
    assert_eq!(outcome(&partless, &[]), "accepted");
}

#[test]
fn kinds_of_lists_that_are_not_understood_are_refused() {
    let pki = quick();
    let mut trust = bare(&pki);
    let own = issue::part_address("CA131000099");
    let flag = |number| write::element(asn1::context_simple(number), &[&[0xff]]);
    let reasons = write::element(asn1::context_simple(3), &[&[1, 0b0100_0000]]);
    let delta = const_oid::ObjectIdentifier::new_unwrap("2.5.29.27");
    for (what, extensions) in [
        ("indirect", vec![point(&own, &flag(4))]),
        ("attribute certificates", vec![point(&own, &flag(5))]),
        ("some reasons", vec![point(&own, &reasons)]),
        ("delta", vec![issue::extension(delta, true, &write::small(1))]),
        ("two scopes", vec![point(&own, &[]), point(&own, &[])]),
    ] {
        assert_eq!(
            trust.load_crl(&list_with(&pki, &extensions)),
            Err(Error::CrlMalformed),
            "{what}"
        );
    }
    // certificateIssuer, which only indirect lists have.
    let number = const_oid::ObjectIdentifier::new_unwrap("2.5.29.29");
    let foreign = write::sequence(&[&issue::extension(number, true, &write::sequence(&[]))]);
    let entry = write::sequence(&[&write::small(7), &write::time(NOW), &foreign]);
    let list = list_of(&pki.issuing, &[], &write::sequence(&[&entry]));
    assert_eq!(trust.load_crl(&list), Err(Error::CrlMalformed));
}

#[test]
fn an_authority_can_be_revoked() {
    let pki = quick();
    let mut trust = pki.trust(NOW).unwrap();
    let issuing = crate::certificate::Certificate::read(&pki.issuing.certificate).unwrap();
    let entry = Revoked {
        serial: issuing.serial,
        at: NOW,
        reason: Reason::CaCompromise,
    };
    let later = NOW + HOUR;
    let list = issue::crl(&pki.root, &[entry], issue::Part::Authorities, later, later + HOUR).unwrap();
    trust.load_crl(&list).unwrap();
    assert_eq!(
        verify_certificate(&[person(&pki)], &trust, later),
        Err(Refusal::IssuerRevoked)
    );
}

#[test]
fn a_list_of_a_hundred_thousand_is_searched_and_not_walked() {
    let pki = quick();
    let revoked: Vec<Revoked> = (0..100_000_u32)
        .map(|number| Revoked {
            serial: [
                &[0x41],
                number.wrapping_mul(2_654_435_761).to_be_bytes().as_slice(),
                &[7; 15],
            ]
            .concat(),
            at: NOW,
            reason: Reason::Unspecified,
        })
        .collect();
    let list = issue::crl(&pki.issuing, &revoked, issue::Part::People, NOW, NOW + HOUR).unwrap();
    let mut trust = bare(&pki);
    assert_eq!(trust.load_crl(&list).unwrap().entries, 100_000);
    let key = DemoKey::generate(KeyKind::P256).unwrap();
    let body = issue::Body::person(&hong(), NOW, QUICK).unwrap();
    let issuer = crate::certificate::Certificate::read(&pki.issuing.certificate).unwrap();
    let name = crate::certificate::name_der(&issuer.subject);
    for (number, is_revoked) in [(0_usize, true), (77_777, true), (99_999, true)] {
        let serial = &revoked[number].serial;
        let certificate = body
            .signed(&key, (&name, None, &pki.issuing.key), serial)
            .unwrap();
        let outcome = code(verify_certificate(&[&certificate], &trust, NOW));
        assert_eq!(outcome == "certificate-revoked", is_revoked, "{outcome}");
    }
    assert_eq!(
        code(verify_certificate(&[person(&pki)], &trust, NOW)),
        "revocation-unknown"
    );
}

#[test]
fn serial_numbers_with_a_sign_byte_are_found() {
    let mut pki = quick();
    let issuer = crate::certificate::Certificate::read(&pki.issuing.certificate).unwrap();
    let name = crate::certificate::name_der(&issuer.subject);
    let key = DemoKey::generate(KeyKind::P256).unwrap();
    let body = issue::Body::person(&hong(), NOW, QUICK).unwrap();
    for serial in [vec![0x80], vec![0x7f], vec![0xff; 20], vec![1]] {
        let certificate = body
            .signed(&key, (&name, None, &pki.issuing.key), &serial)
            .unwrap();
        let trust = pki.trust(NOW).unwrap();
        let verified = verify_certificate(&[&certificate], &trust, NOW).unwrap();
        assert_eq!(verified.serial, hex::encode(&serial));
        pki.revoke(&verified.serial, NOW, Reason::Superseded);
        let trust = pki.trust(NOW).unwrap();
        assert_eq!(
            code(verify_certificate(&[&certificate], &trust, NOW)),
            "certificate-revoked"
        );
    }
}
