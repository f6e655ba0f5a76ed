//! Tokens and keys of others: no text verifies without the private key, none is fatal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use naru_sso::jose::{Algorithm, PublicKey, PublicKeys, Unverified};

const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
/// The one text that key ever signed (RFC 7515 A.3).
const SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";

fuzz_target!(|data: &[u8]| {
    if let Ok(keys) = PublicKeys::parse(data) {
        let again = keys.to_json().to_string();
        assert!(PublicKeys::parse(again.as_bytes()).expect("what we wrote") == keys);
    }
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(json) = serde_json::from_str(text)
        && let Ok(key) = PublicKey::parse(&json)
    {
        assert!(!key.to_json().to_string().contains("\"d\""));
        assert!(key.thumbprint().len() == 43);
    }
    let keys = PublicKeys::parse(KEYS.as_bytes()).expect("the key of the standard");
    if let Ok(token) = Unverified::parse(text)
        && token.verified_by(&keys, &Algorithm::ALL).is_ok()
    {
        assert!(text.starts_with(SIGNED));
    }
    if let Ok(token) = Unverified::parse(text) {
        drop(token.verified_by_own_key(&Algorithm::ALL));
    }
});
