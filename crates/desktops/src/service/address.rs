//! Where a node says it is.

use std::net::IpAddr;

use naru_kernel::fleet::{EnrolRequest, NodeRole, Protocol};
use url::Url;

use crate::Error;

/// The longest address of a node, in bytes; tickets carry no longer one.
const ADDRESS_BYTES_MAX: usize = 255;

/// Where a node is, as it is kept.
pub(super) struct Place {
    pub(super) address: String,
    pub(super) server_name: String,
    pub(super) protocols: Vec<Protocol>,
}

/// Checks what a node says of where it is.
pub(super) fn checked(request: &EnrolRequest) -> Result<Place, Error> {
    let wrong = |why| Error::Field {
        field: "address",
        why,
    };
    if request.address.len() > ADDRESS_BYTES_MAX {
        return Err(wrong("too long"));
    }
    match request.role {
        NodeRole::Host => {
            let server_name = host_name(&request.address).ok_or(wrong("a host's address is `name:port`"))?;
            let mut protocols = request.protocols.clone();
            protocols.sort_unstable();
            protocols.dedup();
            if protocols.is_empty() {
                return Err(Error::Field {
                    field: "protocols",
                    why: "a host serves at least one",
                });
            }
            Ok(Place {
                address: request.address.clone(),
                server_name,
                protocols,
            })
        }
        NodeRole::Gateway => {
            let (address, server_name) = gateway_url(&request.address).ok_or(wrong(
                "a gateway's address is the URL where browsers reach it: `wss://name:port`",
            ))?;
            Ok(Place {
                address,
                server_name,
                protocols: Vec::new(),
            })
        }
    }
}

/// The name of `name:port`, `1.2.3.4:port` or `[::1]:port`.
fn host_name(address: &str) -> Option<String> {
    let (name, port) = address.rsplit_once(':')?;
    port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let bracketed = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bracketed {
        Some(inner) => inner.parse::<IpAddr>().ok().map(|ip| ip.to_string()),
        None => is_host_name(name).then(|| name.to_owned()),
    }
}

fn is_host_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    !name.is_empty() && name.bytes().all(fits)
}

/// The URL a browser is sent to (always `wss`, no path) and its host.
fn gateway_url(address: &str) -> Option<(String, String)> {
    let url = Url::parse(address).ok()?;
    let is_bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "https" | "wss") || !is_bare || url.password().is_some() {
        return None;
    }
    let host = url.host_str()?;
    let port = url.port_or_known_default()?;
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some((format!("wss://{host}:{port}"), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_they_must_be() {
        assert_eq!(host_name("127.0.0.1:8446").as_deref(), Some("127.0.0.1"));
        assert_eq!(host_name("[::1]:8446").as_deref(), Some("::1"));
        assert_eq!(
            host_name("host-3.example:8446").as_deref(),
            Some("host-3.example")
        );
        for wrong in ["", "host", "host:0", "host:99999", ":8446", "ho st:1", "[host]:1"] {
            assert_eq!(host_name(wrong), None, "{wrong}");
        }
        let gateway = gateway_url("https://localhost:8444/").unwrap();
        assert_eq!(
            gateway,
            ("wss://localhost:8444".to_owned(), "localhost".to_owned())
        );
        assert_eq!(gateway_url("wss://[::1]:8444").unwrap().1, "::1");
        assert_eq!(
            gateway_url("wss://gate.example").unwrap().0,
            "wss://gate.example:443"
        );
        for wrong in ["", "http://a:1", "wss://a:1/b", "wss://u@a:1", "wss://a:1/?q"] {
            assert_eq!(gateway_url(wrong), None, "{wrong}");
        }
    }
}
