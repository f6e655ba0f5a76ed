use proptest::prelude::{any, prop, proptest};

use super::*;
use naru_kernel::fleet::CloseReason;

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn keys() -> [PublicKey; 2] {
    [PublicKey::from_bytes([9; 32]), PublicKey::of(&pair()).unwrap()]
}

fn claims() -> Claims {
    Claims {
        version: VERSION,
        id: "00112233445566778899aabbccddeeff".to_owned(),
        desktop: DesktopId::from_bits(1),
        logon: LogonId::from_bits(2),
        person: PersonId::from_bits(3),
        ministry: MinistryId::from_bits(4),
        account: "naru-hong".to_owned(),
        display_name: "홍길동".to_owned(),
        host: HostId::from_bits(5),
        host_address: "127.0.0.1:8446".to_owned(),
        host_certificate: "ab".repeat(32),
        protocol: Protocol::Rfb,
        zone: Zone::business(),
        clipboard: ClipboardPolicy {
            copy_out: false,
            paste_in: true,
        },
        issued_at: now(),
        expires_at: now() + Seconds(60),
    }
}

#[test]
fn a_signed_ticket_verifies_with_any_of_the_keys() {
    let text = sign(&claims(), &pair()).unwrap();
    assert!(text.len() < 1_200, "{}", text.len());
    assert_eq!(verify(&text, &keys(), now()), Ok(claims()));
    assert_eq!(
        verify(&text, &keys()[..1], now()),
        Err(TicketRefusal::BadSignature)
    );
    assert_eq!(verify(&text, &[], now()), Err(TicketRefusal::BadSignature));
    let key = PublicKey::of(&pair()).unwrap();
    assert_eq!(PublicKey::from_hex(&key.to_hex()), Ok(key));
}

#[test]
fn time_is_kept_to_the_microsecond() {
    let text = sign(&claims(), &pair()).unwrap();
    let at = |micros: i64| verify(&text, &keys(), Timestamp::from_micros(now().as_micros() + micros)).err();
    assert_eq!(at(59_999_999), None);
    assert_eq!(at(60_000_000), Some(TicketRefusal::Expired));
    assert_eq!(at(-5_000_000), None);
    assert_eq!(at(-5_000_001), Some(TicketRefusal::IssuedInFuture));
}

/// Signs what [`sign`] would refuse to, as a broken signer might.
fn sign_anything(json: &serde_json::Value) -> String {
    let signed = URL_SAFE_NO_PAD.encode(json.to_string());
    let signature = pair().sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

#[test]
fn what_a_signer_should_not_have_signed_is_refused() {
    let cases = [
        ("version", serde_json::json!(2), TicketRefusal::WrongVersion),
        (
            "expires_at",
            serde_json::json!(now().as_micros() + 60_000_001),
            TicketRefusal::LifeTooLong,
        ),
        (
            "expires_at",
            serde_json::json!(now().as_micros()),
            TicketRefusal::LifeTooLong,
        ),
        (
            "expires_at",
            serde_json::json!(i64::MAX),
            TicketRefusal::LifeTooLong,
        ),
        (
            "issued_at",
            serde_json::json!(i64::MIN),
            TicketRefusal::LifeTooLong,
        ),
        (
            "id",
            serde_json::json!("00112233445566778899AABBCCDDEEFF"),
            TicketRefusal::Malformed,
        ),
        (
            "account",
            serde_json::json!("root; reboot"),
            TicketRefusal::Malformed,
        ),
        ("account", serde_json::json!(""), TicketRefusal::Malformed),
        (
            "display_name",
            serde_json::json!("a\nb"),
            TicketRefusal::Malformed,
        ),
        ("host_address", serde_json::json!(""), TicketRefusal::Malformed),
        (
            "host_certificate",
            serde_json::json!("00"),
            TicketRefusal::Malformed,
        ),
        ("surprise", serde_json::json!(1), TicketRefusal::Malformed),
    ];
    for (field, value, refusal) in cases {
        let mut json = serde_json::to_value(claims()).unwrap();
        json[field] = value;
        assert_eq!(
            verify(&sign_anything(&json), &keys(), now()),
            Err(refusal),
            "{field}"
        );
    }
    assert_eq!(
        sign(
            &Claims {
                account: "A".to_owned(),
                ..claims()
            },
            &pair()
        ),
        Err(TicketRefusal::Malformed)
    );
    let long = "a".repeat(TICKET_BYTES_MAX + 1);
    assert_eq!(verify(&long, &keys(), now()), Err(TicketRefusal::TooLong));
}

#[test]
fn a_ticket_is_good_once_and_the_memory_is_bounded() {
    let mut used = UsedTickets::default();
    assert_eq!(used.spend(&claims(), now()), Ok(()));
    assert_eq!(
        used.spend(&claims(), now() + Seconds(59)),
        Err(TicketRefusal::Used)
    );
    for index in 1..USED_TICKETS_MAX {
        let id = format!("{index:032x}");
        assert_eq!(used.spend(&Claims { id, ..claims() }, now()), Ok(()));
    }
    let one_more = Claims {
        id: "f".repeat(32),
        ..claims()
    };
    assert_eq!(used.spend(&one_more, now()), Err(TicketRefusal::MemoryFull));
    assert_eq!(used.len(), USED_TICKETS_MAX);
    assert_eq!(used.spend(&one_more, now() + Seconds(60)), Ok(()));
    assert_eq!(used.len(), 1);
}

#[test]
fn target_and_closures() {
    let claims = claims();
    assert_eq!(claims.check_target(HostId::from_bits(5), Protocol::Rfb), Ok(()));
    assert_eq!(
        claims.check_target(HostId::from_bits(6), Protocol::Rfb),
        Err(TicketRefusal::WrongHost)
    );
    assert_eq!(
        claims.check_target(HostId::from_bits(5), Protocol::Rdp),
        Err(TicketRefusal::WrongProtocol)
    );
    let closure = |target, at| Closure {
        sequence: 1,
        target,
        reason: CloseReason::Revoked,
        at,
    };
    assert!(claims.is_closed_by(&closure(ClosureTarget::Person(claims.person), now())));
    assert!(claims.is_closed_by(&closure(ClosureTarget::Logon(claims.logon), now())));
    assert!(claims.is_closed_by(&closure(ClosureTarget::Desktop(claims.desktop), now())));
    assert!(!claims.is_closed_by(&closure(ClosureTarget::Person(claims.person), now() - Seconds(1))));
    assert!(!claims.is_closed_by(&closure(ClosureTarget::Person(PersonId::from_bits(9)), now())));
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,300}") {
        assert!(verify(&text, &keys(), now()).is_err());
    }

    #[test]
    fn no_altered_ticket_verifies(at in any::<prop::sample::Index>(), bit in 0_u8..7) {
        let text = sign(&claims(), &pair()).unwrap();
        let mut bytes = text.into_bytes();
        let index = at.index(bytes.len());
        bytes[index] ^= 1 << bit;
        let altered = String::from_utf8(bytes).unwrap();
        assert!(verify(&altered, &keys(), now()).is_err(), "{altered}");
    }
}
