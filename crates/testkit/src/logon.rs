//! A log-on as people make it: a signed challenge, an activation code, six digits.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::Timestamp;
use naru_pki::demo::{self, DemoIdentity};
use serde_json::{Value, json};

use crate::{Answer, Browser};

/// The first factor: asks for a challenge, signs it and gives it back, with the issuing authority's certificate (DER).
pub async fn show_certificate(
    browser: &mut Browser,
    identity: &DemoIdentity,
    issuing: &[u8],
    now: Timestamp,
) -> Answer {
    let challenge = browser.post("/api/v1/logon/challenge", &json!({})).await;
    let signed = sign_challenge(&challenge, identity, issuing, now);
    browser.post("/api/v1/logon/certificate", &signed).await
}

/// The body that answers a challenge.
#[must_use]
pub fn sign_challenge(challenge: &Answer, identity: &DemoIdentity, issuing: &[u8], now: Timestamp) -> Value {
    let challenge = challenge.body["challenge"].as_str().expect("a challenge");
    let content = STANDARD.decode(challenge).expect("a challenge in base64");
    let sign = &identity.sign;
    let message = demo::sign_cms(&content, &sign.certificate, &[issuing], &sign.key, now);
    json!({ "signed": STANDARD.encode(message.expect("a signature")) })
}

/// After the first factor: gives the activation code and enrols a TOTP key, which signs in; gives the key in base32.
pub async fn enrol_totp(browser: &mut Browser, code: &str, now: Timestamp) -> String {
    let activated = browser
        .post("/api/v1/logon/activation", &json!({ "code": code }))
        .await;
    assert_eq!(activated.body["next"], "enrol", "{:?}", activated.body);
    let offer = browser.post("/api/v1/logon/enrol/totp/start", &json!({})).await;
    let secret = offer.body["secret"].as_str().expect("a TOTP key").to_owned();
    let code = totp_digits(&secret, now);
    let done = browser
        .post("/api/v1/logon/enrol/totp/finish", &json!({ "code": code }))
        .await;
    assert_eq!(done.body["next"], "done", "{:?}", done.body);
    secret
}

/// The second factor, with a key enrolled before. A step's digits are good once.
pub async fn answer_totp(browser: &mut Browser, secret: &str, now: Timestamp) -> Answer {
    let code = totp_digits(secret, now);
    browser.post("/api/v1/logon/totp", &json!({ "code": code })).await
}

/// The six digits of a key (base32) at a time: RFC 6238, SHA-1, 30 s, as authenticator apps do.
#[must_use]
pub fn totp_digits(secret: &str, at: Timestamp) -> String {
    let key = totp_rs::Secret::try_from_base32(secret).expect("a key in base32");
    let totp = totp_rs::Builder::new()
        .with_secret(key)
        .build()
        .expect("a TOTP key of proper length");
    let seconds = u64::try_from(at.as_seconds()).expect("a time after 1970");
    totp.generate(seconds).to_string()
}
