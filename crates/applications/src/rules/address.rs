//! Which addresses an administrator may give: where browsers, codes, assertions and log-out messages go.

use url::{Host, Url};

/// Longer addresses are refused.
pub const ADDRESS_BYTES_MAX: usize = 1_024;

/// Whether codes or messages may be sent there.
///
/// `https://`, or `http://` to this machine alone; no fragment, no credentials, no wildcard, and written the way a browser writes it, so that it can be compared letter by letter
/// (RFC 9700, 2.1 and 4.1).
#[must_use]
pub fn is_acceptable(address: &str) -> bool {
    if address.len() > ADDRESS_BYTES_MAX || address.contains(['*', '#', '\\']) {
        return false;
    }
    if address
        .chars()
        .any(|letter| letter.is_whitespace() || letter.is_control())
    {
        return false;
    }
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let is_safe = match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => is_this_machine(&host),
        _ => false,
    };
    // `https:host` and other spellings that parse are not taken: only what says its scheme in full.
    is_plain
        && is_safe
        && address
            .get(url.scheme().len()..)
            .is_some_and(|rest| rest.starts_with("://"))
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_acceptable;

    proptest::proptest! {
        #[test]
        fn what_is_taken_is_safe(text in "(https?://)?[a-z*@#:/\\\\.0-9\\[\\] ]{0,40}") {
            if is_acceptable(&text) {
                proptest::prop_assert!(text.starts_with("https://") || text.starts_with("http://"));
                proptest::prop_assert!(!text.contains(['*', '#', '\\', ' ']));
                let url = url::Url::parse(&text).unwrap();
                proptest::prop_assert!(url.username().is_empty() && url.host().is_some());
            }
        }
    }

    #[test]
    fn addresses_are_safe_or_ours() {
        for good in [
            "https://app.example.go.kr/cb",
            "https://app.example.go.kr:8443/cb?tenant=1",
            "http://localhost:3000/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:9/cb",
        ] {
            assert!(is_acceptable(good), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "http://app.example.go.kr/cb",
            "http://localhost.example.go.kr/cb",
            "https://app.example.go.kr/cb#part",
            "https://*.example.go.kr/cb",
            "https://user@app.example.go.kr/cb",
            "https://app.example.go.kr\\@evil.example/cb",
            "https:app.example.go.kr/cb",
            "https://app.example.go.kr/a b",
            "javascript:alert(1)",
            "data:text/html,x",
            "custom-scheme://cb",
        ] {
            assert!(!is_acceptable(bad), "{bad}");
        }
        assert!(!is_acceptable(&format!(
            "https://a.example/{}",
            "x".repeat(1_024)
        )));
    }
}
