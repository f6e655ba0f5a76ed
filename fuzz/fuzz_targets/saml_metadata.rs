//! Service providers' metadata: raw, and a good document edited. What is read has addresses we may send a browser to.
#![no_main]

#[path = "../shared/saml.rs"]
mod saml;

use libfuzzer_sys::fuzz_target;
use naru_sso::saml::read_service_provider;
use saml::{METADATA, edited};

fuzz_target!(|data: &[u8]| {
    for xml in [data.to_vec(), edited(METADATA.as_bytes(), data)] {
        let Ok(provider) = read_service_provider(&xml) else {
            continue;
        };
        assert!(!provider.answer_addresses.is_empty());
        let answers = provider.answer_addresses.iter().map(|address| &address.url);
        let logouts = provider.logout_addresses.iter().map(|address| &address.url);
        for url in answers.chain(logouts) {
            let parsed = url::Url::parse(url).expect("an address that was read is one");
            assert!(matches!(parsed.scheme(), "https" | "http"), "{url}");
        }
    }
});
