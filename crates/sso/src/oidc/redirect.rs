//! Addresses of applications: which may be registered, which request fits, and how an answer travels.

use url::{Host, Url};

/// Bytes of an address.
const ADDRESS_BYTES_MAX: usize = 1_024;

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether an address may be registered: `https://`, or `http://` to this machine alone; no fragment, no user name.
///
/// It must be written exactly as a browser would write it, so that comparing letter by letter is enough.
#[must_use]
pub fn is_acceptable(address: &str) -> bool {
    if address.len() > ADDRESS_BYTES_MAX || !address.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let is_safe = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(&url),
        _ => false,
    };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let as_written = url.as_str() == address || url.as_str().strip_suffix('/') == Some(address);
    is_safe && is_plain && as_written && !address.contains('\\')
}

/// Whether a request's address is one of those registered, letter by letter (`OpenID` Connect Core 3.1.2.1).
///
/// Programs on the person's own machine may choose the port of an address on `127.0.0.1` or `[::1]` (RFC 8252 7.3).
#[must_use]
pub fn is_registered(registered: &[String], asked: &str, is_public: bool) -> bool {
    if registered.iter().any(|own| own == asked) {
        return true;
    }
    is_public && registered.iter().any(|own| differs_in_port_only(own, asked))
}

fn differs_in_port_only(own: &str, asked: &str) -> bool {
    if !is_acceptable(asked) {
        return false;
    }
    let (Ok(mut own), Ok(mut asked)) = (Url::parse(own), Url::parse(asked)) else {
        return false;
    };
    let by_number = matches!(own.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)));
    own.scheme() == "http"
        && by_number
        && is_loopback(&own)
        && own.set_port(None).is_ok()
        && asked.set_port(None).is_ok()
        && own == asked
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the address.
    #[default]
    Query,
    /// In a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// The address with the answer in its query; what the address had in it stays.
#[must_use]
pub fn with_query(address: &str, answer: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse(address) else {
        return address.to_owned();
    };
    {
        let mut query = url.query_pairs_mut();
        for (name, value) in answer {
            query.append_pair(name, value);
        }
    }
    if url.query() == Some("") {
        url.set_query(None);
    }
    url.into()
}

/// The one script of the page below, which a browser runs only if the answer's policy names its hash.
pub const FORM_SCRIPT: &str = "document.forms[0].submit()";

/// A page that posts the answer to the application, by itself where scripts run, else by a button.
#[must_use]
pub fn form_page(address: &str, answer: &[(&str, &str)]) -> String {
    let mut fields = String::new();
    for (name, value) in answer {
        fields.push_str(&format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escape(name),
            escape(value)
        ));
    }
    format!(
        "<!doctype html><html lang=\"ko\"><head><meta charset=\"utf-8\"><title>나루</title></head><body>\
         <form method=\"post\" action=\"{}\">{fields}<noscript><button>계속 · Continue</button></noscript></form>\
         <script>{FORM_SCRIPT}</script></body></html>",
        escape(address)
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// The hash by which a policy names [`FORM_SCRIPT`] (CSP level 2, `sha256-…`).
#[must_use]
pub fn form_script_hash() -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(crate::jose::sha256(FORM_SCRIPT.as_bytes()))
}
