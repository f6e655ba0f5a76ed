//! Paths: what authorities may and may not do (RFC 5280 6).

use const_oid::ObjectIdentifier;

use super::{ENTROPY, HOUR, NOW, QUICK, code, hong, quick};
use crate::{
    Profile, RevocationRule, Trust, WhenMissing, asn1,
    certificate::{Certificate, name_der},
    demo::{
        CIVIL_SERVANT_POLICY, COMPUTER_POLICY, DemoAuthority, DemoKey, DemoPki, KeyKind,
        issue::{self, Body, authority_body, extension},
    },
    oid, verify_certificate, write,
};

/// Accepts without lists, because these tests are about paths.
fn lenient(pki: &DemoPki, intermediates: &[&DemoAuthority]) -> Profile {
    let revocation = RevocationRule {
        when_missing: WhenMissing::Accept,
        ..RevocationRule::default()
    };
    let pem = |authority: &&DemoAuthority| {
        der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &authority.certificate).unwrap()
    };
    Profile {
        intermediates: intermediates.iter().map(pem).collect(),
        revocation,
        ..pki.profile()
    }
}

fn trust(profile: Profile) -> Trust {
    Trust::new(&[profile], |_| None).unwrap()
}

fn authority(name: &str, issuer: &DemoAuthority, change: impl FnOnce(&mut Body)) -> DemoAuthority {
    let key = DemoKey::generate(KeyKind::P256).unwrap();
    let mut body = authority_body(name, None, NOW, QUICK);
    change(&mut body);
    let certificate = body.certificate(&key, issuer, &ENTROPY).unwrap();
    DemoAuthority { certificate, key }
}

fn person(issuer: &DemoAuthority, change: impl FnOnce(&mut Body)) -> Vec<u8> {
    let key = DemoKey::generate(KeyKind::P256).unwrap();
    let mut body = Body::person(&hong(), NOW, QUICK).unwrap();
    change(&mut body);
    body.certificate(&key, issuer, &ENTROPY).unwrap()
}

fn policies(numbers: &[&str]) -> Vec<u8> {
    let all: Vec<Vec<u8>> = numbers
        .iter()
        .map(|number| write::sequence(&[&write::oid(ObjectIdentifier::new(number).unwrap())]))
        .collect();
    let all = write::sequence(&all.iter().map(Vec::as_slice).collect::<Vec<_>>());
    extension(oid::CERTIFICATE_POLICIES, true, &all)
}

const ANY: &str = "2.5.29.32.0";

/// What happens to a good person under an authority changed so.
fn under(change: impl FnOnce(&mut Body)) -> &'static str {
    let pki = quick();
    let middle = authority("CA1", &pki.root, change);
    let trust = trust(lenient(&pki, &[&middle]));
    code(verify_certificate(&[&person(&middle, |_| {})], &trust, NOW))
}

/// What happens to a person changed so under a good authority.
fn with(change: impl FnOnce(&mut Body)) -> &'static str {
    let pki = quick();
    let trust = trust(lenient(&pki, &[&pki.issuing]));
    code(verify_certificate(&[&person(&pki.issuing, change)], &trust, NOW))
}

#[test]
fn policies_must_be_allowed_all_the_way_down() {
    assert_eq!(
        under(|body| body.more.push(policies(&[CIVIL_SERVANT_POLICY]))),
        "accepted"
    );
    assert_eq!(under(|body| body.more.push(policies(&[ANY]))), "accepted");
    assert_eq!(
        under(|body| body.more.push(policies(&[COMPUTER_POLICY]))),
        "certificate-wrong-policy"
    );
    assert_eq!(under(|_| {}), "certificate-wrong-policy");
    // anyPolicy in the person's own certificate says nothing about the person.
    assert_eq!(with(|body| body.policy = Some(ANY)), "certificate-wrong-policy");
    let mapping = ObjectIdentifier::new_unwrap("2.5.29.33");
    let mapped = |body: &mut Body| {
        body.more.push(policies(&[CIVIL_SERVANT_POLICY]));
        body.more.push(extension(mapping, true, &write::sequence(&[])));
    };
    // An authority that needs mappings cannot even be configured; sent along, it is refused.
    let pki = quick();
    let middle = authority("CA1", &pki.root, mapped);
    let refused = Trust::new(&[lenient(&pki, &[&middle])], |_| None);
    assert!(matches!(refused, Err(crate::Error::NotAnAuthority { .. })));
    let trust = trust(lenient(&pki, &[]));
    let chain = [person(&middle, |_| {}), middle.certificate];
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    assert_eq!(
        code(verify_certificate(&chain, &trust, NOW)),
        "certificate-critical-extension"
    );
}

#[test]
fn policy_constraints_and_inhibited_any_policy_are_kept() {
    let explicit = write::sequence(&[&write::element(asn1::context_simple(0), &[&[0]])]);
    let explicit = extension(oid::POLICY_CONSTRAINTS, true, &explicit);
    let outcome = |own_policy: Option<&'static str>, with_constraint: bool| {
        let pki = quick();
        let middle = authority("CA1", &pki.root, |body| {
            body.more.push(policies(&[ANY]));
            if with_constraint {
                body.more.push(explicit.clone());
            }
        });
        // A profile that asks for no policy: only the authority does.
        let trust = trust(Profile {
            policies: Vec::new(),
            ..lenient(&pki, &[&middle])
        });
        code(verify_certificate(
            &[&person(&middle, |body| body.policy = own_policy)],
            &trust,
            NOW,
        ))
    };
    assert_eq!(outcome(None, false), "accepted");
    assert_eq!(outcome(None, true), "certificate-wrong-policy");
    assert_eq!(outcome(Some(CIVIL_SERVANT_POLICY), true), "accepted");

    let inhibit = |skip: u32| extension(oid::INHIBIT_ANY_POLICY, true, &write::small(skip));
    let below = |skip: u32| {
        let pki = quick();
        let upper = authority("CA1", &pki.root, |body| {
            body.more.extend([policies(&[ANY]), inhibit(skip)]);
        });
        let lower = authority("CA2", &upper, |body| body.more.push(policies(&[ANY])));
        let trust = trust(lenient(&pki, &[&upper, &lower]));
        code(verify_certificate(&[&person(&lower, |_| {})], &trust, NOW))
    };
    assert_eq!(below(0), "certificate-wrong-policy");
    assert_eq!(below(1), "accepted");
}

#[test]
fn authorities_must_be_authorities_and_in_time() {
    let policy = || policies(&[CIVIL_SERVANT_POLICY]);
    let expired = |body: &mut Body| {
        body.more.push(policy());
        body.not_after = NOW - HOUR;
    };
    assert_eq!(under(expired), "issuer-expired");
    let future = |body: &mut Body| {
        body.more.push(policy());
        body.not_before = NOW + HOUR;
    };
    assert_eq!(under(future), "issuer-expired");

    // A person who issues to another.
    let pki = quick();
    let sign = &pki.people[0].sign;
    let person_as_authority = DemoAuthority {
        certificate: sign.certificate.clone(),
        key: sign.key.clone(),
    };
    let trust_in_root = trust(lenient(&pki, &[&pki.issuing]));
    let chain = [person(&person_as_authority, |_| {}), sign.certificate.clone()];
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    assert_eq!(
        code(verify_certificate(&chain, &trust_in_root, NOW)),
        "path-too-long"
    );
    // The same where no path length forbids it: the certificate itself does not allow it.
    let long = authority("CA1", &pki.root, |body| body.more.push(policy()));
    let key = DemoKey::generate(KeyKind::P256).unwrap();
    let body = Body::person(&hong(), NOW, QUICK).unwrap();
    let certificate = body.certificate(&key, &long, &ENTROPY).unwrap();
    let middleman = DemoAuthority { certificate, key };
    let chain = [
        person(&middleman, |_| {}),
        middleman.certificate.clone(),
        long.certificate,
    ];
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    assert_eq!(
        code(verify_certificate(&chain, &trust(lenient(&pki, &[])), NOW)),
        "issuer-not-authority"
    );
}

#[test]
fn path_lengths_are_kept() {
    let pki = quick();
    let policy = || policies(&[CIVIL_SERVANT_POLICY]);
    for (length, expected) in [
        (None, "accepted"),
        (Some(1), "accepted"),
        (Some(0), "path-too-long"),
    ] {
        let upper = authority("CA1", &pki.root, |body| {
            body.path_length = Some(length);
            body.more.push(policy());
        });
        let lower = authority("CA2", &upper, |body| body.more.push(policy()));
        let trust = trust(lenient(&pki, &[&upper, &lower]));
        let outcome = code(verify_certificate(&[&person(&lower, |_| {})], &trust, NOW));
        assert_eq!(outcome, expected, "{length:?}");
    }
    // Our own bound: root, four authorities, person.
    let mut chain = vec![pki.root.clone()];
    for (level, expected) in [
        (1, "accepted"),
        (2, "accepted"),
        (3, "accepted"),
        (4, "accepted"),
        (5, "path-too-long"),
    ] {
        let issuer = chain.last().unwrap();
        let next = authority(&format!("CA{level}"), issuer, |body| body.more.push(policy()));
        chain.push(next);
        let trust = trust(lenient(&pki, &[]));
        let person = person(chain.last().unwrap(), |_| {});
        let mut sent: Vec<&[u8]> = vec![&person];
        sent.extend(
            chain
                .iter()
                .skip(1)
                .map(|authority| authority.certificate.as_slice()),
        );
        assert_eq!(code(verify_certificate(&sent, &trust, NOW)), expected, "{level}");
    }
}

#[test]
fn a_circle_of_authorities_comes_to_an_end() {
    let pki = quick();
    let other = authority("CA-A", &pki.root, |_| {});
    let names = ["CA-A", "CA-B"];
    let mut sent = Vec::new();
    // Each signs the other, in many renewals, and none is signed by a root we know.
    let mut last = other;
    for round in 0..7 {
        last = authority(names[round % 2], &last, |_| {});
        sent.push(last.certificate.clone());
    }
    let person = person(&last, |_| {});
    let mut chain: Vec<&[u8]> = vec![&person];
    chain.extend(sent.iter().map(Vec::as_slice));
    let refused = code(verify_certificate(&chain, &trust(lenient(&pki, &[])), NOW));
    assert!(
        ["path-too-long", "certificate-forged-issuer"].contains(&refused),
        "{refused}"
    );
}

fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    let list = |number, bases: &[Vec<u8>]| {
        if bases.is_empty() {
            return Vec::new();
        }
        let subtrees: Vec<Vec<u8>> = bases.iter().map(|base| write::sequence(&[base])).collect();
        write::element(
            asn1::context(number),
            &subtrees.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        )
    };
    let value = write::sequence(&[&list(0, permitted), &list(1, excluded)]);
    extension(oid::NAME_CONSTRAINTS, true, &value)
}

#[test]
fn name_constraints_are_kept() {
    let directory =
        |attributes: &[(&str, &str)]| write::element(asn1::context(4), &[&write::name(attributes)]);
    let korea = directory(&[("2.5.4.6", "KR")]);
    let government = directory(&[("2.5.4.6", "KR"), ("2.5.4.10", "GOVERNMENT of  Korea")]);
    let public = directory(&[("2.5.4.6", "KR"), ("2.5.4.10", "Public of Korea")]);
    let dns = write::element(asn1::context_simple(2), &[b"go.kr"]);
    let outcome = |permitted: &[Vec<u8>], excluded: &[Vec<u8>]| {
        under(|body| {
            body.more.push(policies(&[CIVIL_SERVANT_POLICY]));
            body.more.push(constraints(permitted, excluded));
        })
    };
    assert_eq!(outcome(core::slice::from_ref(&korea), &[]), "accepted");
    assert_eq!(outcome(&[public.clone(), government.clone()], &[]), "accepted");
    assert_eq!(
        outcome(core::slice::from_ref(&public), &[]),
        "certificate-name-constraint"
    );
    assert_eq!(outcome(&[], core::slice::from_ref(&public)), "accepted");
    assert_eq!(
        outcome(core::slice::from_ref(&korea), &[government]),
        "certificate-name-constraint"
    );
    // A form the person has no name of.
    assert_eq!(outcome(&[dns], &[]), "accepted");
}

#[test]
fn spellings_of_one_name_are_one_name() {
    let pki = quick();
    let trust = trust(lenient(&pki, &[&pki.issuing]));
    let key = DemoKey::generate(KeyKind::P256).unwrap();
    let body = Body::person(&hong(), NOW, QUICK).unwrap();
    let spelled = |tag: u8, organization: &str| {
        let rdn = |number: &str, tag: u8, value: &str| {
            let number = write::oid(ObjectIdentifier::new(number).unwrap());
            write::element(
                asn1::SET,
                &[&write::sequence(&[
                    &number,
                    &write::element(tag, &[value.as_bytes()]),
                ])],
            )
        };
        write::sequence(&[
            &rdn("2.5.4.6", asn1::PRINTABLE_STRING, "kr"),
            &rdn("2.5.4.10", tag, organization),
            &rdn("2.5.4.11", tag, "GPKI"),
            &rdn("2.5.4.3", tag, "ca131000099"),
        ])
    };
    for (tag, organization, expected) in [
        (asn1::PRINTABLE_STRING, "Government of Korea", "accepted"),
        (asn1::UTF8_STRING, " GOVERNMENT  OF KOREA", "accepted"),
        (
            asn1::UTF8_STRING,
            "Government of Corea",
            "certificate-unknown-root",
        ),
    ] {
        let issuer = spelled(tag, organization);
        let serial = issue::random_serial(&ENTROPY);
        let certificate = body
            .signed(&key, (&issuer, None, &pki.issuing.key), &serial)
            .unwrap();
        assert_eq!(
            code(verify_certificate(&[&certificate], &trust, NOW)),
            expected,
            "{organization}"
        );
    }
}

#[test]
fn uses_other_than_a_persons_are_refused() {
    let usage = |number: &str| {
        let value = write::sequence(&[&write::oid(ObjectIdentifier::new(number).unwrap())]);
        extension(oid::EXTENDED_KEY_USAGE, true, &value)
    };
    assert_eq!(
        with(|body| body.more.push(usage("1.3.6.1.5.5.7.3.2"))),
        "accepted"
    );
    assert_eq!(
        with(|body| body.more.push(usage("1.3.6.1.5.5.7.3.1"))),
        "certificate-wrong-usage"
    );
    let twice = |body: &mut Body| body.more.extend([usage("2.5.29.37.0"), usage("2.5.29.37.0")]);
    assert_eq!(with(twice), "certificate-malformed");
    assert_eq!(
        with(|body| body.subject = write::name(&[("2.5.4.6", "KR")])),
        "subject-unreadable"
    );
}

#[test]
fn a_weak_signature_is_refused_and_said_so() {
    let pki = quick();
    let trust = trust(lenient(&pki, &[&pki.issuing]));
    let good = person(&pki.issuing, |_| {});
    // ecdsa-with-SHA256 becomes ecdsa-with-SHA1, inside and outside.
    let strong = write::oid(oid::ECDSA_SHA256);
    let weak = write::oid(ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"));
    let mut inside = asn1::single(&good, asn1::SEQUENCE).unwrap().inside();
    let (body, signature) = (inside.next().unwrap(), inside.nth(1));
    let at = body
        .value
        .windows(strong.len())
        .position(|bytes| bytes == strong)
        .unwrap();
    let changed = [
        &body.value[..at - 2],
        &write::sequence(&[&weak]),
        &body.value[at + strong.len()..],
    ]
    .concat();
    let changed = write::sequence(&[
        &write::sequence(&[&changed]),
        &write::sequence(&[&weak]),
        signature,
    ]);
    assert_eq!(
        code(verify_certificate(&[&changed], &trust, NOW)),
        "certificate-weak-signature"
    );
}

impl<'a> asn1::Reader<'a> {
    /// The element after `skip` others, whole.
    fn nth(mut self, skip: usize) -> &'a [u8] {
        for _ in 0..skip {
            self.next().unwrap();
        }
        self.next().unwrap().whole
    }
}

#[test]
fn two_profiles_under_one_root_are_told_apart() {
    let pki = quick();
    let computers = Profile {
        name: "computers".to_owned(),
        policies: vec![COMPUTER_POLICY.to_owned()],
        ..lenient(&pki, &[&pki.issuing])
    };
    let both = Trust::new(&[computers, lenient(&pki, &[&pki.issuing])], |_| None).unwrap();
    let verified = verify_certificate(&[&pki.people[0].sign.certificate], &both, NOW).unwrap();
    assert_eq!(verified.profile, "demo");
    let other = quick().people.remove(0).sign.certificate;
    assert_eq!(
        code(verify_certificate(&[&other], &both, NOW)),
        "certificate-forged-issuer"
    );
}

#[test]
fn profiles_that_would_let_anybody_in_are_refused() {
    let pki = quick();
    let refused = |profile: Profile| Trust::new(&[profile], |_| None).is_err();
    assert!(!refused(pki.profile()));
    assert!(refused(Profile {
        roots: Vec::new(),
        ..pki.profile()
    }));
    assert!(refused(Profile {
        key_usage: Vec::new(),
        ..pki.profile()
    }));
    assert!(refused(Profile {
        rsa_bits_min: 1_024,
        ..pki.profile()
    }));
    assert!(refused(Profile {
        policies: vec!["civil".to_owned()],
        ..pki.profile()
    }));
    assert!(refused(Profile {
        roots: vec!["nowhere.cer".to_owned()],
        ..pki.profile()
    }));
    let person = pki.people[0].sign.certificate.clone();
    let by_name = Profile {
        roots: vec!["person.cer".to_owned()],
        ..pki.profile()
    };
    assert!(Trust::new(&[by_name], |_| Some(person.clone())).is_err());
}

#[test]
fn the_subject_of_an_authority_is_read_as_written() {
    let pki = quick();
    let root = Certificate::read(&pki.root.certificate).unwrap();
    assert_eq!(name_der(&root.subject), issue::authority_name("Naru Demo RootCA"));
    assert!(root.extensions.authority_key_id.is_none());
}
