//! Messages by the examples of the standards, and by what attackers send.

use std::collections::BTreeMap;

use naru_kernel::{LogonId, MinistryId, PersonId, Seconds, Timestamp, access::Assurance};
use proptest::prelude::*;
use serde_json::{Map, json};

use super::{
    Code, Params, assertion,
    assertion::Shown,
    authorize::{self, Sender},
    claims::{self, ClaimsRequest},
    device, discovery, dpop, pkce,
    redirect::{self, ResponseMode},
    scope::Scopes,
    subject::SubjectKey,
    token::{self, TokenRequest},
    tokens,
};

fn params(pairs: &[(&str, &str)]) -> Params {
    let encoded = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    Params::parse(encoded.as_bytes()).unwrap()
}

const REQUEST: &[(&str, &str)] = &[
    ("response_type", "code"),
    ("scope", "openid"),
    ("client_id", "c"),
    ("redirect_uri", "https://a/b"),
];

fn parsed(more: &[(&str, &str)]) -> Result<authorize::AuthorizationRequest, Code> {
    authorize::parse(&params(&[REQUEST, more].concat()), "https://a/b").map_err(|wrong| wrong.code)
}

#[test]
fn parameters_come_once_and_within_bounds() {
    let twice = Params::parse(b"a=1&a=2&b=").unwrap();
    assert!(twice.get("a").is_err() && twice.has_repeated());
    // RFC 6749 3.1: without a value it is as if it were not there.
    assert_eq!(twice.get("b"), Ok(None));
    let many: String = (0..65).map(|number| format!("p{number}=1&")).collect();
    assert!(Params::parse(many.as_bytes()).is_err());
    assert!(Params::parse(format!("a={}", "x".repeat(16 * 1024 + 1)).as_bytes()).is_err());
    assert!(Params::parse(&vec![b'a'; 64 * 1024 + 1]).is_err());
    assert_eq!(
        Params::parse("가=나".as_bytes()).unwrap().get("가"),
        Ok(Some("나"))
    );
}

#[test]
fn requests_are_read_as_the_standard_says() {
    let request = parsed(&[
        ("prompt", "login consent"),
        ("max_age", "300"),
        ("acr_values", "urn:naru:assurance:certificate-passkey x"),
        ("ui_locales", "fr ko-KR en"),
        ("response_mode", "form_post"),
    ])
    .unwrap();
    assert!(request.prompt.login && request.prompt.consent && !request.prompt.none);
    assert_eq!(request.max_age(), Some(Seconds(300)));
    assert_eq!(request.acr_values, [Assurance::CertificatePasskey]);
    assert_eq!(request.language.as_deref(), Some("ko"));
    assert_eq!(request.response_mode, ResponseMode::FormPost);
    for (more, code) in [
        ([("response_type", "code token")], Code::UnsupportedResponseType),
        ([("scope", "profile")], Code::InvalidScope),
        ([("scope", "openid \u{7}")], Code::InvalidScope),
        ([("prompt", "none login")], Code::InvalidRequest),
        ([("prompt", "loud")], Code::InvalidRequest),
        ([("max_age", "-1")], Code::InvalidRequest),
        ([("max_age", "soon")], Code::InvalidRequest),
        ([("response_mode", "fragment")], Code::InvalidRequest),
        ([("request", "x")], Code::RequestNotSupported),
        ([("request_uri", "https://x/")], Code::RequestUriNotSupported),
        ([("claims", "[")], Code::InvalidRequest),
        ([("registration", "{}")], Code::InvalidRequest),
    ] {
        let mut pairs: BTreeMap<&str, &str> = REQUEST.iter().copied().collect();
        pairs.extend(more);
        let pairs: Vec<_> = pairs.into_iter().collect();
        let refused = authorize::parse(&params(&pairs), "https://a/b").unwrap_err();
        assert_eq!(refused.code, code, "{more:?}");
    }
    assert!(Sender::parse(&params(&[("client_id", "c")])).is_err());
    assert_eq!(
        authorize::way_back(&params(&[("state", "s"), ("response_mode", "x")])),
        (Some("s".to_owned()), ResponseMode::Query)
    );
}

#[test]
fn pkce_is_s256_and_nothing_less() {
    // RFC 7636 B.
    let (verifier, challenge) = (
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    );
    assert!(pkce::is_answered(Some(challenge), Some(verifier)));
    assert!(!pkce::is_answered(Some(challenge), Some(challenge)));
    assert!(!pkce::is_answered(Some(challenge), None));
    assert!(!pkce::is_answered(None, Some(verifier)));
    assert!(pkce::is_answered(None, None));
    let read = |pairs: &[(&str, &str)]| pkce::challenge(&params(pairs));
    assert_eq!(
        read(&[("code_challenge", challenge), ("code_challenge_method", "S256")]),
        Ok(Some(challenge.to_owned()))
    );
    assert_eq!(read(&[]), Ok(None));
    for wrong in [
        vec![("code_challenge", challenge)],
        vec![("code_challenge", challenge), ("code_challenge_method", "plain")],
        vec![("code_challenge_method", "S256")],
        vec![("code_challenge", "short"), ("code_challenge_method", "S256")],
    ] {
        assert!(read(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn addresses_are_compared_letter_by_letter() {
    for good in [
        "https://a.example/cb",
        "https://a.example",
        "http://localhost:8080/x?y=z",
        "http://127.0.0.1/",
        "http://[::1]:9/",
    ] {
        assert!(redirect::is_acceptable(good), "{good}");
        assert!(redirect::is_registered(&[good.to_owned()], good, false));
    }
    for bad in [
        "http://a.example/",
        "https://a.example/#x",
        "https://u@a.example/",
        "https://u:p@a.example/",
        "javascript:alert(1)",
        "https://",
        "/cb",
        "https://a.example/\\x",
        "https://A.example/",
        "https://a.example:443/",
        "https://a.example/a/../b",
        "https://a.example/가",
        "https://a.example/ x",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "myapp://cb",
    ] {
        assert!(!redirect::is_acceptable(bad), "{bad}");
    }
    let own = ["http://127.0.0.1/cb".to_owned(), "http://localhost/cb".to_owned()];
    assert!(redirect::is_registered(&own, "http://127.0.0.1:5000/cb", true));
    // A name may be made to stand for another machine; a public program's only.
    assert!(!redirect::is_registered(&own, "http://localhost:5000/cb", true));
    assert!(!redirect::is_registered(&own, "http://127.0.0.1:5000/cb", false));
    assert!(!redirect::is_registered(
        &own,
        "http://127.0.0.1:5000/cb/..",
        true
    ));
    assert!(!redirect::is_registered(&own, "http://127.0.0.2:5000/cb", true));
    assert_eq!(
        redirect::with_query("https://a/?x=1", &[("code", "a b")]),
        "https://a/?x=1&code=a+b"
    );
    assert_eq!(redirect::with_query("https://a/b", &[]), "https://a/b");
    let page = redirect::form_page("https://a/\"><", &[("state", "'\"><script>")]);
    assert!(!page.contains("'\"><script>") && page.contains("&#39;&quot;&gt;&lt;script&gt;"));
    assert_eq!(redirect::form_script_hash().len(), 44);
}

#[test]
fn clients_show_one_proof() {
    let claimed = |header: Option<&str>, pairs: &[(&str, &str)]| assertion::claimed(header, &params(pairs));
    // RFC 6749 2.3.1: both halves are form-encoded.
    let basic = claimed(Some("Basic YSUyQmI6YyUzQWQ="), &[]).unwrap();
    assert_eq!(
        (basic.client_id.as_str(), basic.shown),
        ("a+b", Shown::Basic("c:d".to_owned()))
    );
    assert_eq!(
        claimed(None, &[("client_id", "c")]).unwrap().shown,
        Shown::Nothing
    );
    for (header, pairs) in [
        (Some("Basic YTpi"), vec![("client_secret", "x")]),
        (Some("Basic YTpi"), vec![("client_id", "other")]),
        (Some("Basic !"), vec![]),
        (Some("Basic YWI="), vec![]),
        (None, vec![]),
        (None, vec![("client_assertion", "x")]),
        (
            None,
            vec![
                ("client_assertion_type", assertion::TYPE),
                ("client_assertion", "a.b.c"),
            ],
        ),
    ] {
        assert!(claimed(header, &pairs).is_err(), "{header:?} {pairs:?}");
    }
    assert!(assertion::is_secret("x", &crate::jose::sha256(b"x")));
    assert!(!assertion::is_secret("y", &crate::jose::sha256(b"x")));
}

#[test]
fn claims_are_asked_for_by_name_and_within_scopes() {
    let wishes = ClaimsRequest::parse(
        r#"{"userinfo":{"name":{"essential":true},"email":null},"id_token":{"acr":{"essential":true,"values":["urn:naru:assurance:certificate-totp","x"]},"sub":{"value":"s"}}}"#,
    )
    .unwrap();
    assert_eq!(wishes.acr(), Some((vec![Assurance::CertificateTotp], true)));
    assert_eq!(wishes.subject(), Some("s"));
    let all: Map<_, _> = json!({ "name": "n", "email": "e", "groups": [], "secret": 1 })
        .as_object()
        .unwrap()
        .clone();
    let allowed = Scopes::of(["openid", "profile"]);
    let released = claims::released(
        &all,
        &Scopes::of(["openid", "groups"]),
        &allowed,
        &wishes.userinfo,
    );
    // `email` is asked for by name, and its scope is not the application's to have.
    assert_eq!(json!(released), json!({ "name": "n", "groups": [] }));
    let many: String = (0..65).map(|number| format!("\"c{number}\":null,")).collect();
    for wrong in [
        format!("{{\"userinfo\":{{{}}}}}", many.trim_end_matches(',')),
        "{\"userinfo\":[]}".to_owned(),
        "{\"id_token\":{\"acr\":1}}".to_owned(),
        "{\"id_token\":{\"acr\":{\"essential\":1}}}".to_owned(),
        "{\"id_token\":{\"acr\":{\"value\":1,\"values\":[]}}}".to_owned(),
        format!("{{\"x\":\"{}\"}}", "x".repeat(9_000)),
    ] {
        assert!(ClaimsRequest::parse(&wrong).is_err(), "{wrong:.60}");
    }
}

#[test]
fn token_requests_are_of_four_kinds() {
    let read = |pairs: &[(&str, &str)]| token::parse(&params(pairs)).map_err(|wrong| wrong.code);
    let code = read(&[("grant_type", "authorization_code"), ("code", "c")]).unwrap();
    assert_eq!(
        code,
        TokenRequest::Code {
            code: "c".to_owned(),
            redirect_uri: None,
            verifier: None
        }
    );
    assert_eq!(
        read(&[("grant_type", "password")]),
        Err(Code::UnsupportedGrantType)
    );
    assert_eq!(read(&[]), Err(Code::InvalidRequest));
    assert_eq!(
        read(&[("grant_type", "refresh_token")]),
        Err(Code::InvalidRequest)
    );
    let long = "x".repeat(600);
    assert_eq!(
        read(&[("grant_type", "refresh_token"), ("refresh_token", &long)]),
        Err(Code::InvalidGrant)
    );
    let exchange = [
        ("grant_type", token::EXCHANGE),
        ("subject_token", "t"),
        ("subject_token_type", token::ACCESS_TOKEN),
        ("audience", "a"),
    ];
    assert!(read(&exchange).is_ok());
    assert_eq!(
        read(&[&exchange[..], &[("actor_token", "t")]].concat()),
        Err(Code::InvalidRequest)
    );
    assert_eq!(read(&exchange[..3]), Err(Code::InvalidRequest));
}

#[test]
fn subjects_differ_between_ministries_and_are_the_same_within_one() {
    let key = SubjectKey::new(&[7; 32]);
    let (one, other) = (MinistryId::from_bits(1), MinistryId::from_bits(2));
    let person = PersonId::from_bits(3);
    assert_eq!(key.subject(one, person), key.subject(one, person));
    assert_ne!(key.subject(one, person), key.subject(other, person));
    assert_ne!(key.subject(one, person), key.subject(one, PersonId::from_bits(4)));
    assert_ne!(
        key.subject(one, person),
        SubjectKey::new(&[8; 32]).subject(one, person)
    );
    assert_ne!(
        key.session(one, LogonId::from_bits(3)),
        key.session(other, LogonId::from_bits(3))
    );
    assert_eq!(key.subject(one, person).len(), 43);
}

#[test]
fn device_codes_are_read_as_people_type_them() {
    let code = device::user_code(&[0, 1, 2, 3, 250, 4, 5, 6, 7]).unwrap();
    assert_eq!(code, "BCDFGHJK");
    assert_eq!(device::shown(&code), "BCDF-GHJK");
    for text in ["bcdf-ghjk", "BCDFGHJK", " b c d f g h j k"] {
        assert_eq!(device::typed(text).as_deref(), Some("BCDFGHJK"), "{text}");
    }
    assert_eq!(device::typed("BCDF-GHJ"), None);
    assert_eq!(device::typed("BCDF-GHJA"), None);
    assert_eq!(device::user_code(&[255; 64]), None);
}

#[test]
fn the_hash_of_an_access_token_is_as_in_the_standard() {
    // OpenID Connect Core A.3: at_hash of `jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y`.
    assert_eq!(
        tokens::half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
}

#[test]
fn what_discovery_says_is_what_is_done() {
    let metadata = discovery::metadata("https://p", None);
    assert_eq!(metadata["issuer"], "https://p");
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert!(metadata.get("mtls_endpoint_aliases").is_none());
    let metadata = discovery::metadata("https://p", Some("https://c"));
    assert_eq!(
        metadata["mtls_endpoint_aliases"]["token_endpoint"],
        "https://c/sso/token"
    );
}

proptest! {
    #[test]
    fn nothing_that_comes_in_is_fatal(text in ".{0,400}", other in ".{0,100}") {
        if let Ok(params) = Params::parse(text.as_bytes()) {
            drop(authorize::parse(&params, "https://a/b"));
            drop(token::parse(&params));
            drop(assertion::claimed(Some(&other), &params));
            drop(authorize::way_back(&params));
        }
        drop(ClaimsRequest::parse(&text));
        drop(Scopes::parse(&text));
        drop(device::typed(&text));
        let request = dpop::Request { method: "POST", address: "https://p/t", token: None, now: Timestamp::from_seconds(0) };
        prop_assert!(dpop::check(&text, request).is_err());
    }

    #[test]
    fn an_address_that_is_not_registered_never_fits(path in "[a-z/.?#@:\\\\%]{0,20}") {
        let own = ["https://app.example/cb".to_owned()];
        let asked = format!("https://app.example{path}");
        prop_assert_eq!(redirect::is_registered(&own, &asked, true), asked == own[0]);
        if redirect::is_acceptable(&asked) {
            let url = url::Url::parse(&asked).unwrap();
            prop_assert_eq!(url.host_str().map(|host| host.starts_with("app.example")), Some(true));
        }
    }

    #[test]
    fn a_form_page_holds_what_it_was_given(value in ".{0,60}") {
        let page = redirect::form_page("https://a/", &[("state", &value)]);
        let fields = page.split("<input").nth(1).unwrap();
        let quoted = fields.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
        let plain = quoted.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
        prop_assert_eq!(plain, value);
    }
}
