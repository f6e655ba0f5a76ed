//! `RDCleanPath`: how a browser, which cannot do the RDP server's TLS, asks a relay to do it.

use ironrdp_rdcleanpath::RDCleanPathPdu;
use naru_kernel::fleet::CloseReason;

use crate::Error;
use crate::ticket::TICKET_BYTES_MAX;

/// The longest request, in bytes: a ticket, a connection request and a little more.
pub const CLEAN_PATH_BYTES_MAX: usize = TICKET_BYTES_MAX + 4 * 1024;

/// What a browser asks: the first binary message on the RDP door. The destination and the connection
/// request in it are ignored: the ticket names the host, and the relay makes its own request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanPathRequest {
    /// The text of `proxy_auth`.
    pub ticket: String,
}

impl CleanPathRequest {
    /// Reads a whole request.
    ///
    /// # Errors
    /// [`Error::TooLong`] beyond [`CLEAN_PATH_BYTES_MAX`]; [`Error::Malformed`] when it is no request.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        const MALFORMED: Error = Error::Malformed("an RDCleanPath request");
        if bytes.len() > CLEAN_PATH_BYTES_MAX {
            return Err(Error::TooLong("an RDCleanPath request"));
        }
        let pdu = RDCleanPathPdu::from_der(bytes).map_err(|_| MALFORMED)?;
        let is_request = pdu.version == ironrdp_rdcleanpath::VERSION_1
            && pdu.error.is_none()
            && pdu.server_cert_chain.is_none()
            && pdu.x224_connection_pdu.is_some();
        match pdu.proxy_auth {
            Some(ticket) if is_request => Ok(Self { ticket }),
            Some(_) | None => Err(MALFORMED),
        }
    }
}

/// The answer once the RDP server's TLS stands: its X.224 confirm and its certificates (DER).
///
/// # Errors
/// [`Error::Malformed`] when the parts do not fit into the encoding.
pub fn clean_path_response(
    server_address: &str,
    connection_confirm: &[u8],
    certificates: impl IntoIterator<Item = Vec<u8>>,
) -> Result<Vec<u8>, Error> {
    const MALFORMED: Error = Error::Malformed("an RDCleanPath response");
    let pdu = RDCleanPathPdu::new_response(
        server_address.to_owned(),
        connection_confirm.to_vec(),
        certificates,
    )
    .map_err(|_| MALFORMED)?;
    pdu.to_der().map_err(|_| MALFORMED)
}

/// The answer when it cannot be.
///
/// The browser's client hides the WebSocket's close from its page but shows the HTTP status of this
/// answer, so the reason's close code stands there ([`CloseReason::close_code`]).
///
/// # Errors
/// [`Error::Malformed`] when it cannot be encoded.
pub fn clean_path_refusal(reason: CloseReason) -> Result<Vec<u8>, Error> {
    let pdu = RDCleanPathPdu::new_http_error(reason.close_code());
    pdu.to_der()
        .map_err(|_| Error::Malformed("an RDCleanPath refusal"))
}
