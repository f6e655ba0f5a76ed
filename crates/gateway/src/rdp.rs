//! A desktop by RDP: ticket in an `RDCleanPath` request, host, the RDP server's TLS, bytes (`docs/fleet.md`).

use std::{sync::Arc, time::Duration};

use naru_kernel::fleet::{AttachReady, AttachRequest, CloseReason, Protocol};
use naru_relay::rdp::{
    self, CONNECTION_REQUEST, CleanPathRequest, Credentials, check_connection_confirm, clean_path_refusal,
    clean_path_response,
};
use naru_runtime::tls;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::WebPkiSupportedAlgorithms,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    Gateway,
    host::HostStream,
    pipe::{self, told_to_close},
    seat::{Heard, Seat},
    state::Admitted,
};

/// X.224 and TLS with the RDP server.
const NEGOTIATION_SECONDS_MAX: u64 = 10;
/// The size of the picture is in the RDP handshake; the host ignores this one.
const NOMINAL_PIXELS: (u16, u16) = (1_280, 800);
/// More bytes than an X.224 confirm ever has.
const CONFIRM_BYTES_MAX: usize = 64;

/// Serves one seat from its first message to its last.
pub(crate) async fn relay(gateway: Arc<Gateway>, mut seat: Seat) {
    let Some(Heard::Bytes(message)) = seat.reading.first().await else {
        return seat.close(CloseReason::ProtocolError).await;
    };
    let Ok(CleanPathRequest { ticket }) = CleanPathRequest::parse(&message) else {
        return refuse(seat, CloseReason::ProtocolError).await;
    };
    drop(message);
    let mut admitted = match gateway.admit(&ticket, Protocol::Rdp) {
        Ok(admitted) => admitted,
        Err(_) => return refuse(seat, CloseReason::TicketRefused).await,
    };
    seat.admit();
    let (width, height) = NOMINAL_PIXELS;
    let request = AttachRequest {
        ticket,
        width,
        height,
    };
    let reason = match open(&mut admitted, &request, &mut seat).await {
        Ok((server, credentials)) => {
            let scanners = rdp::pair(admitted.relay.claims.clipboard, credentials);
            pipe::run(&admitted.relay, seat, server, &mut admitted.closing, scanners).await
        }
        Err(reason) => {
            refuse(seat, reason).await;
            reason
        }
    };
    admitted.end(reason);
}

type ServerStream = TlsStream<HostStream>;

/// From the ticket to the browser's go-ahead.
async fn open(
    admitted: &mut Admitted,
    request: &AttachRequest,
    seat: &mut Seat,
) -> Result<(ServerStream, Credentials), CloseReason> {
    let (host, ready) = admitted.attach(request, None).await?;
    let AttachReady::Rdp {
        account,
        one_time_password,
    } = ready
    else {
        return Err(CloseReason::HostLost);
    };
    let limit = Duration::from_secs(NEGOTIATION_SECONDS_MAX);
    let negotiated = tokio::select! {
        negotiated = tokio::time::timeout(limit, negotiate(host)) => negotiated,
        reason = told_to_close(&mut admitted.closing) => return Err(reason),
    };
    let claims = &admitted.relay.claims;
    let (server, response) = match negotiated {
        Ok(Ok(negotiated)) => negotiated,
        failed => {
            let detail = failed.map_or_else(
                |_| "it takes too long".to_owned(),
                |failed| failed.err().map(|error| error.to_string()).unwrap_or_default(),
            );
            tracing::warn!(desktop = %claims.desktop, host = %claims.host, detail, "the RDP server was not reached");
            return Err(CloseReason::HostLost);
        }
    };
    seat.writing.bytes(&response).await?;
    Ok((
        server,
        Credentials {
            account,
            one_time_password: one_time_password.into(),
        },
    ))
}

/// Why there is no TLS with the RDP server.
#[derive(Debug, thiserror::Error)]
enum NegotiationError {
    #[error(transparent)]
    Relay(#[from] naru_relay::Error),
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// X.224, then TLS inside the tunnel to the host; gives the answer for the browser too.
async fn negotiate(mut host: HostStream) -> Result<(ServerStream, Vec<u8>), NegotiationError> {
    host.write_all(&CONNECTION_REQUEST).await?;
    host.flush().await?;
    let mut confirm = Vec::with_capacity(CONFIRM_BYTES_MAX);
    while check_connection_confirm(&confirm)?.is_none() {
        if confirm.len() >= CONFIRM_BYTES_MAX {
            return Err(naru_relay::Error::TooLong("the host's X.224 answer").into());
        }
        // The server says nothing more before our TLS hello, so no byte of that can be taken here.
        confirm.push(host.read_u8().await?);
    }
    let algorithms = tls::provider().signature_verification_algorithms;
    let config = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(InsideTunnel(algorithms)))
        .with_no_client_auth();
    let name = ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into());
    let server = TlsConnector::from(Arc::new(config)).connect(name, host).await?;
    let chain = server.get_ref().1.peer_certificates().unwrap_or_default();
    let chain: Vec<Vec<u8>> = chain.iter().map(|certificate| certificate.to_vec()).collect();
    let response = clean_path_response("desktop", &confirm, chain)?;
    Ok((server, response))
}

/// Tells the page why in the one way the RDP client passes on, then closes.
async fn refuse(mut seat: Seat, reason: CloseReason) {
    if let Ok(answer) = clean_path_refusal(reason)
        && seat.writing.bytes(&answer).await.is_err()
    {
        tracing::debug!("the browser left before it was refused");
    }
    seat.close(reason).await;
}

/// Accepts any certificate of the RDP server: its bytes come through the tunnel to the host whose certificate the
/// ticket pins, so who it is has been proven already. Signatures are still checked.
#[derive(Debug)]
struct InsideTunnel(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for InsideTunnel {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
