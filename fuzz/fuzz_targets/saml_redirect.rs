//! Queries and forms that carry SAML messages: raw, and around a message that is not deflated or encoded right. What is
//! taken goes to a registered address, and nothing unsigned is taken for signed.
#![no_main]

#[path = "../shared/saml.rs"]
mod saml;

use libfuzzer_sys::fuzz_target;
use naru_sso::saml::{AuthnRequest, Expectation, Incoming, LogoutRequest, LogoutResponse, check_request};
use saml::{HERE, NOW, PROVIDER, query};

fn read(incoming: Incoming) {
    drop(LogoutRequest::read(&incoming));
    drop(LogoutResponse::read(&incoming));
    let Ok(request) = AuthnRequest::read(&incoming) else {
        return;
    };
    let expected = Expectation {
        service_provider: &PROVIDER,
        here: HERE,
        now: NOW,
    };
    if let Ok(taken) = check_request(&incoming, &request, &expected) {
        assert!(!taken.signed, "nobody here has the key");
        assert!(PROVIDER.answer_addresses.iter().any(|address| address.url == taken.answer_url));
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for incoming in [Incoming::from_redirect(&text), Incoming::from_post(&text), Incoming::from_redirect(&query(data))] {
        if let Ok(incoming) = incoming {
            read(incoming);
        }
    }
});
