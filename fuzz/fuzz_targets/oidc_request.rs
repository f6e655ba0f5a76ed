//! What browsers and programs send to the OpenID Connect endpoints: nothing is fatal, and nothing leaves for an address that
//! was not registered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use naru_kernel::Timestamp;
use naru_sso::oidc::{
    Params, assertion,
    authorize::{self, Sender},
    claims::ClaimsRequest,
    device, dpop,
    redirect, token,
};

fuzz_target!(|data: &[u8]| {
    let Ok(params) = Params::parse(data) else { return };
    let registered = ["https://app.example/cb".to_owned(), "http://127.0.0.1/cb".to_owned()];
    if let Ok(sender) = Sender::parse(&params) {
        if redirect::is_registered(&registered, sender.redirect_uri, true) {
            let url = url::Url::parse(sender.redirect_uri).expect("a registered address");
            assert!(["app.example", "127.0.0.1"].contains(&url.host_str().unwrap_or_default()));
            let sent = redirect::with_query(sender.redirect_uri, &[("state", "x")]);
            assert!(url::Url::parse(&sent).expect("an address").origin() == url.origin());
        }
        if let Ok(request) = authorize::parse(&params, sender.redirect_uri) {
            assert!(request.scopes().has("openid"));
            let kept = serde_json::to_string(&request).expect("a request that can be kept");
            let read: authorize::AuthorizationRequest = serde_json::from_str(&kept).expect("what was kept");
            assert!(read == request);
            drop(redirect::form_page(sender.redirect_uri, &[("state", request.state.as_deref().unwrap_or_default())]));
        }
    }
    drop(token::parse(&params));
    if let Ok(text) = core::str::from_utf8(data) {
        drop(assertion::claimed(Some(text), &params));
        drop(ClaimsRequest::parse(text));
        drop(device::typed(text));
        let request = dpop::Request {
            method: "POST",
            address: "https://portal.example/sso/token",
            token: None,
            now: Timestamp::from_seconds(1_800_000_000),
        };
        drop(dpop::check(text, request));
    }
});
