//! Examples of the standards, and what attackers try.

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair},
};
use naru_kernel::{Seconds, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// RFC 7515 A.3.
const ES256_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.\
    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
    DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
/// RFC 7638 3.1.
const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn es256_key() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

fn rsa_key() -> Value {
    json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" })
}

fn own(algorithm: Algorithm) -> SigningKey {
    let pkcs8 = match algorithm {
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            pair.to_pkcs8v1().unwrap().as_ref().to_vec()
        }
        Algorithm::Rs256 | Algorithm::Ps256 => RsaKeyPair::generate(KeySize::Rsa2048)
            .unwrap()
            .as_der()
            .unwrap()
            .as_ref()
            .to_vec(),
    };
    SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap()
}

fn claims() -> Map<String, Value> {
    json!({ "iss": "us", "aud": ["them"], "exp": 1_060, "iat": 1_000, "sub": "someone" })
        .as_object()
        .unwrap()
        .clone()
}

#[test]
fn the_example_of_rfc_7515_verifies() {
    let keys = PublicKeys::new(vec![PublicKey::parse(&es256_key()).unwrap()]);
    let token = Unverified::parse(ES256_TOKEN).unwrap();
    let claims = token.verified_by(&keys, &[Algorithm::Es256]).unwrap();
    assert_eq!(claims["iss"], "joe");
}

#[test]
fn the_thumbprints_of_rfc_7638_and_9449() {
    let thumbprint = PublicKey::parse(&rsa_key()).unwrap().thumbprint();
    assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let key = json!({
        "kty": "EC", "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    });
    let thumbprint = PublicKey::parse(&key).unwrap().thumbprint();
    assert_eq!(thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn what_is_signed_verifies_by_both_algorithms_and_by_no_other_key() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let (key, other) = (own(algorithm), own(algorithm));
        let token = sign(&key, "JWT", &claims()).unwrap();
        let keys = PublicKeys::parse(
            PublicKeys::new(vec![key.public().clone()])
                .to_json()
                .to_string()
                .as_bytes(),
        )
        .unwrap();
        let parsed = Unverified::parse(&token).unwrap();
        assert_eq!(parsed.header().key_name.as_deref(), Some(key.name()));
        assert_eq!(parsed.verified_by(&keys, &[algorithm]), Ok(claims()));
        let others = PublicKeys::new(vec![other.public().clone()]);
        let refused = Unverified::parse(&token)
            .unwrap()
            .verified_by(&others, &[algorithm]);
        assert_eq!(refused, Err(Refusal::NoKey));
    }
}

#[test]
fn the_kind_of_key_decides_never_the_message() {
    let (rsa, p256) = (own(Algorithm::Rs256), own(Algorithm::Es256));
    assert!(rsa.public().fits(Algorithm::Rs256) && !rsa.public().fits(Algorithm::Es256));
    // A key that names its algorithm is for that one.
    assert!(!rsa.public().fits(Algorithm::Ps256));
    assert!(
        PublicKey::parse(&json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB" }))
            .unwrap()
            .fits(Algorithm::Ps256)
    );
    let signature = p256.sign(b"x").unwrap();
    assert_eq!(
        rsa.public().verify(Algorithm::Es256, b"x", &signature),
        Err(Refusal::Algorithm)
    );
    let token = sign(&p256, "JWT", &claims()).unwrap();
    let keys = PublicKeys::new(vec![p256.public().clone()]);
    let refused = Unverified::parse(&token)
        .unwrap()
        .verified_by(&keys, &[Algorithm::Rs256]);
    assert_eq!(refused, Err(Refusal::Algorithm));
}

#[test]
fn headers_that_would_have_to_be_obeyed_are_refused() {
    let token = |header: Value| format!("{}.{}.", encode(header.to_string().as_bytes()), encode(b"{}"));
    for (header, refusal) in [
        (json!({ "alg": "none" }), Refusal::Algorithm),
        (json!({ "alg": "NONE" }), Refusal::Algorithm),
        (json!({ "alg": "HS256" }), Refusal::Algorithm),
        (json!({ "alg": "" }), Refusal::Algorithm),
        (json!({}), Refusal::Malformed),
        (json!({ "alg": ["ES256"] }), Refusal::Malformed),
        (json!({ "alg": "ES256", "kid": 1 }), Refusal::Malformed),
        (json!({ "alg": "ES256", "crit": [] }), Refusal::Critical),
        (json!({ "alg": "ES256", "b64": false }), Refusal::Critical),
        (json!({ "alg": "ES256", "zip": "DEF" }), Refusal::Critical),
    ] {
        assert_eq!(
            Unverified::parse(&token(header.clone())).unwrap_err(),
            refusal,
            "{header}"
        );
    }
    let long = "a".repeat(TOKEN_BYTES_MAX + 1);
    assert_eq!(Unverified::parse(&long).unwrap_err(), Refusal::TooLong);
    // A key that comes along is looked at only where it is asked for.
    let key = own(Algorithm::Es256);
    let header = json!({ "alg": "ES256", "jwk": key.public().to_json() });
    let signed = format!("{}.{}", encode(header.to_string().as_bytes()), encode(b"{}"));
    let token = format!("{signed}.{}", encode(&key.sign(signed.as_bytes()).unwrap()));
    let parsed = Unverified::parse(&token).unwrap();
    assert!(
        parsed
            .clone()
            .verified_by(&PublicKeys::default(), &Algorithm::ALL)
            .is_err()
    );
    assert!(parsed.verified_by_own_key(&Algorithm::ALL).is_ok());
}

#[test]
fn keys_that_weaken_are_refused() {
    let changed = |key: Value, name: &str, value: Value| {
        let mut key = key;
        key[name] = value;
        key
    };
    let short = encode(&[0x81; 255]);
    let huge = encode(&[0x81; 513]);
    let even = encode(&[0x80; 256]);
    for wrong in [
        changed(rsa_key(), "d", json!("AQAB")),
        changed(rsa_key(), "use", json!("enc")),
        changed(rsa_key(), "alg", json!("ES256")),
        changed(rsa_key(), "alg", json!("HS256")),
        changed(rsa_key(), "n", json!(short)),
        changed(rsa_key(), "n", json!(huge)),
        changed(rsa_key(), "n", json!(even)),
        changed(rsa_key(), "n", json!("!")),
        changed(rsa_key(), "e", json!("AQ")),
        changed(rsa_key(), "e", json!("Ag")),
        changed(rsa_key(), "e", json!("AAAAAAEAAQ")),
        changed(es256_key(), "crv", json!("P-521")),
        changed(es256_key(), "x", json!("AA")),
        changed(es256_key(), "kid", json!("k".repeat(200))),
        json!({ "kty": "oct", "k": "AAAA" }),
        json!("key"),
    ] {
        assert_eq!(PublicKey::parse(&wrong), Err(Refusal::Key), "{wrong}");
    }
    // A point that is not on the curve verifies nothing.
    let off = PublicKey::parse(&changed(es256_key(), "y", json!(encode(&[7; 32])))).unwrap();
    assert_eq!(
        off.verify(Algorithm::Es256, b"x", &[1; 64]),
        Err(Refusal::Signature)
    );
    let set = |keys: Vec<Value>| json!({ "keys": keys }).to_string();
    assert!(PublicKeys::parse(set(vec![es256_key()]).as_bytes()).is_ok());
    for wrong in [
        set(vec![]),
        set(vec![es256_key(); KEYS_MAX + 1]),
        "{}".to_owned(),
        "[".to_owned(),
    ] {
        assert!(PublicKeys::parse(wrong.as_bytes()).is_err());
    }
    assert_eq!(PublicKeys::parse(&vec![b' '; 65 * 1024]), Err(Refusal::TooLong));
}

#[test]
fn without_a_name_there_must_be_no_choice() {
    let (one, other) = (own(Algorithm::Es256), own(Algorithm::Es256));
    let keys = PublicKeys::new(vec![one.public().clone(), other.public().clone()]);
    assert_eq!(keys.find(None, Algorithm::Es256), Err(Refusal::NoKey));
    assert_eq!(keys.find(Some(one.name()), Algorithm::Es256), Ok(one.public()));
    assert_eq!(keys.find(Some("other"), Algorithm::Es256), Err(Refusal::NoKey));
}

#[test]
fn times_are_held_to_with_a_minute_for_clocks() {
    let at = |seconds| check_times(&claims(), Seconds(60), Timestamp::from_seconds(seconds));
    assert_eq!(at(1_000), Ok(()));
    assert_eq!(at(1_119), Ok(()));
    assert_eq!(at(1_120), Err(Refusal::Expired));
    assert_eq!(at(940), Ok(()));
    // Now is so early that it would live longer than allowed.
    assert_eq!(at(939), Err(Refusal::Expired));
    let mut future = claims();
    future.insert("nbf".to_owned(), json!(1_061));
    assert_eq!(
        check_times(&future, Seconds(60), Timestamp::from_seconds(1_000)),
        Err(Refusal::NotYet)
    );
    for wrong in [json!("soon"), json!(null), json!(1e300), json!([1])] {
        let mut claims = claims();
        claims.insert("exp".to_owned(), wrong);
        assert!(check_times(&claims, Seconds(60), Timestamp::from_seconds(1_000)).is_err());
    }
    let checks = Checks {
        issuer: "us",
        audiences: &["them"],
        life_max: Seconds(60),
        now: Timestamp::from_seconds(1_000),
    };
    assert_eq!(checks.check(&claims()), Ok(()));
    assert_eq!(
        Checks {
            issuer: "them",
            ..checks
        }
        .check(&claims()),
        Err(Refusal::Issuer)
    );
    assert_eq!(
        Checks {
            audiences: &["us"],
            ..checks
        }
        .check(&claims()),
        Err(Refusal::Audience)
    );
    let mut nobody = claims();
    nobody.remove("aud");
    assert_eq!(checks.check(&nobody), Err(Refusal::Claim));
}

proptest! {
    #[test]
    fn nothing_that_comes_in_is_fatal(text in ".{0,300}") {
        drop(Unverified::parse(&text));
        drop(PublicKeys::parse(text.as_bytes()));
        drop(decode(&text));
    }

    #[test]
    fn no_other_text_verifies(at in 0_usize..200, to in "[A-Za-z0-9_.-]") {
        let keys = PublicKeys::new(vec![PublicKey::parse(&es256_key()).unwrap()]);
        let mut token: Vec<char> = ES256_TOKEN.chars().collect();
        let at = at % token.len();
        let to = to.chars().next().unwrap();
        prop_assume!(token[at] != to);
        token[at] = to;
        let token: String = token.into_iter().collect();
        let verified = Unverified::parse(&token).and_then(|token| token.verified_by(&keys, &[Algorithm::Es256]));
        prop_assert!(verified.is_err());
    }

    #[test]
    fn base64url_is_read_as_it_is_written(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(decode(&encode(&bytes)), Ok(bytes));
    }
}
