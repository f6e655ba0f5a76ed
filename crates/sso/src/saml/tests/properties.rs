//! Properties: no bytes make a reader panic, and what the writer takes the reader gives back.

use naru_kernel::Timestamp;
use proptest::prelude::*;

use super::request;
use crate::saml::{
    AuthnRequest, Incoming, LogoutRequest, LogoutResponse,
    canonical::{Canonical, Space},
    format_instant, logout_status_from_soap, parse_instant, read_service_provider,
    xml::{self, Comments},
};

fn read_all(incoming: &Incoming) {
    drop(AuthnRequest::read(incoming));
    drop(LogoutRequest::read(incoming));
    drop(LogoutResponse::read(incoming));
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), text in ".{0,400}") {
        for input in [String::from_utf8_lossy(&bytes).into_owned(), text, super::post_form(&String::from_utf8_lossy(&bytes))] {
            if let Ok(incoming) = Incoming::from_redirect(&input) {
                read_all(&incoming);
            }
            if let Ok(incoming) = Incoming::from_post(&input) {
                read_all(&incoming);
            }
        }
        drop(read_service_provider(&bytes));
        prop_assert!(logout_status_from_soap(&bytes, "_").is_err());
    }

    #[test]
    fn edited_requests_are_read_or_refused(at in 0..400_usize, with in "[<>&;!\\[\\]\"'= a-z:/]{0,6}") {
        let whole = request("ForceAuthn=\"true\"", "<samlp:NameIDPolicy AllowCreate=\"true\"/>");
        let at = (0..=at.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
        let (head, tail) = whole.split_at(at);
        let edited = format!("{head}{with}{tail}");
        read_all(&super::by_post(&edited));
    }

    #[test]
    fn texts_and_attributes_come_back(text in any::<String>(), value in any::<String>()) {
        let mut out = Canonical::new();
        out.leaf(Space::Assertion, "Issuer", &[("Format", &value)], &text);
        let written = out.finish();
        let read = xml::read(written.as_bytes(), 1 << 20, Comments::Refuse).unwrap();
        let carried = |text: &str| -> String {
            text.chars().map(|letter| if xml::is_character(letter) { letter } else { '\u{fffd}' }).collect()
        };
        prop_assert_eq!(read.text().map(str::to_owned), Some(carried(&text).trim().to_owned()));
        prop_assert_eq!(read.attribute("Format").map(str::to_owned), Some(carried(&value)));
    }

    #[test]
    fn times_come_back(seconds in 0_i64..32_503_680_000) {
        let at = Timestamp::from_seconds(seconds);
        prop_assert_eq!(parse_instant(&format_instant(at)), Some(at));
    }

    #[test]
    fn no_text_makes_the_time_reader_panic(text in "[0-9TZ:.-]{0,30}") {
        if let Some(at) = parse_instant(&text) {
            prop_assert!(at.as_micros() >= 0);
        }
    }
}

#[test]
fn times_are_read_as_others_write_them() {
    let at = |text: &str| parse_instant(text).map(Timestamp::as_micros);
    assert_eq!(at("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(at("2026-11-23T09:00:00Z"), Some(1_795_424_400_000_000));
    assert_eq!(at("2026-11-23T09:00:00.1234567Z"), Some(1_795_424_400_123_456));
    assert_eq!(at("2024-02-29T00:00:00Z"), Some(1_709_164_800_000_000));
    for wrong in [
        "2026-02-29T00:00:00Z",
        "2026-11-23T09:00:00",
        "2026-11-23T09:00:00+09:00",
        "2026-13-01T00:00:00Z",
        "2026-1-01T00:00:00Z",
        "2026-11-23 09:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T09:00:00.Z",
        "",
    ] {
        assert_eq!(at(wrong), None, "{wrong}");
    }
}
