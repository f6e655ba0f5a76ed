//! The XML of SAML messages: raw, and a good request or logout edited. What is taken goes to a registered address.
#![no_main]

#[path = "../shared/saml.rs"]
mod saml;

use libfuzzer_sys::fuzz_target;
use naru_sso::saml::{
    AuthnRequest, Expectation, Incoming, LogoutRequest, LogoutResponse, check_request, logout_status_from_soap,
};
use saml::{HERE, LOGOUT, NOW, PROVIDER, REQUEST, edited, form};

fuzz_target!(|data: &[u8]| {
    for xml in [data.to_vec(), edited(REQUEST.as_bytes(), data), edited(LOGOUT.as_bytes(), data)] {
        let _ = logout_status_from_soap(&xml, "_a");
        let Ok(incoming) = Incoming::from_post(&form(&xml)) else {
            continue;
        };
        if let Ok(request) = LogoutRequest::read(&incoming) {
            assert!(request.check(&incoming, &PROVIDER, HERE, NOW).is_err(), "it is not signed");
        }
        drop(LogoutResponse::read(&incoming));
        if let Ok(request) = AuthnRequest::read(&incoming) {
            let expected = Expectation {
                service_provider: &PROVIDER,
                here: HERE,
                now: NOW,
            };
            if let Ok(taken) = check_request(&incoming, &request, &expected) {
                assert_eq!(request.issuer(), PROVIDER.entity_id);
                assert!(PROVIDER.answer_addresses.iter().any(|address| address.url == taken.answer_url));
            }
        }
    }
});
