//! A passkey in software: answers WebAuthn options as a browser with an authenticator does (ES256, no attestation).

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const CREDENTIAL_INCLUDED: u8 = 0x40;

/// One credential for one origin.
pub struct SoftwarePasskey {
    origin: String,
    id: Vec<u8>,
    key: EcdsaKeyPair,
    counter: u32,
    verifies_user: bool,
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

impl SoftwarePasskey {
    /// Answers creation options (`{"publicKey": …}`) on a page of `origin`: the passkey, and the credential to send.
    #[must_use]
    pub fn create(origin: &str, options: &Value) -> (Self, Value) {
        let options = &options["publicKey"];
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let mut id = vec![0; 32];
        aws_lc_rs::rand::fill(&mut id).expect("randomness");
        let passkey = Self {
            origin: origin.to_owned(),
            id,
            key,
            counter: 0,
            verifies_user: true,
        };
        let client = passkey.client_data("webauthn.create", &options["challenge"]);
        let rp_id = options["rp"]["id"].as_str().expect("an rp id");
        let mut data = passkey.authenticator_data(rp_id, CREDENTIAL_INCLUDED);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(passkey.id.len()).expect("a short id").to_be_bytes());
        data.extend_from_slice(&passkey.id);
        data.extend_from_slice(&passkey.cose_key());
        let credential = json!({
            "id": encode(&passkey.id), "rawId": encode(&passkey.id), "type": "public-key", "extensions": {},
            "response": { "attestationObject": encode(&attestation(&data)), "clientDataJSON": encode(&client) },
        });
        (passkey, credential)
    }

    /// From now on it does not say that it verified the person (PIN, fingerprint).
    pub fn stop_verifying_user(&mut self) {
        self.verifies_user = false;
    }

    /// Answers request options (`{"publicKey": …}`).
    #[must_use]
    pub fn answer(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        self.counter += 1;
        let client = self.client_data("webauthn.get", &options["challenge"]);
        let data = self.authenticator_data(options["rpId"].as_str().expect("an rp id"), 0);
        let signed = [data.as_slice(), &sha256(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        json!({
            "id": encode(&self.id), "rawId": encode(&self.id), "type": "public-key", "extensions": {},
            "response": {
                "authenticatorData": encode(&data), "clientDataJSON": encode(&client),
                "signature": encode(signature.as_ref()), "userHandle": null,
            },
        })
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        let data =
            json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false });
        data.to_string().into_bytes()
    }

    /// WebAuthn 6.1, without the attested credential.
    fn authenticator_data(&self, rp_id: &str, more_flags: u8) -> Vec<u8> {
        let verified = if self.verifies_user { USER_VERIFIED } else { 0 };
        let mut data = sha256(rp_id.as_bytes());
        data.push(USER_PRESENT | verified | more_flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    /// RFC 9053 7.1.1: kty EC2, alg ES256, crv P-256, x, y.
    fn cose_key(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        [
            &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20],
            x,
            &[0x22, 0x58, 0x20],
            y,
        ]
        .concat()
    }
}

/// CBOR of `{"fmt": "none", "attStmt": {}, "authData": data}`.
fn attestation(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0xa3, 0x63];
    out.extend_from_slice(b"fmt\x64none\x67attStmt\xa0\x68authData\x59");
    out.extend_from_slice(&u16::try_from(data.len()).expect("short data").to_be_bytes());
    out.extend_from_slice(data);
    out
}
