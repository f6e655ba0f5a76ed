//! TLS for log-on by client certificate: asks for one, checks that the browser holds its key, and leaves the judgement
//! of the chain to the log-on itself, which knows policies, usages and revocation.
//!
//! TLS 1.3 only: rustls' helper for 1.2 re-parses the certificate with a parser that refuses the critical policies
//! that Korean certificates carry.

use std::sync::Arc;

use naru_runtime::tls::{self, Credentials, TlsError};
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use x509_cert::der::{Decode as _, Encode as _};

#[derive(Debug)]
struct HoldsTheKey {
    algorithms: WebPkiSupportedAlgorithms,
    hints: Vec<DistinguishedName>,
}

impl ClientCertVerifier for HoldsTheKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        // Not the judgement: `identity` verifies chain, policy, usage and revocation before it means anything.
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 is needed here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let malformed = || rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding);
        let parsed = x509_cert::Certificate::from_der(certificate).map_err(|_| malformed())?;
        let key = parsed
            .tbs_certificate()
            .subject_public_key_info()
            .to_der()
            .map_err(|_| malformed())?;
        verify_tls13_signature_with_raw_key(
            message,
            &SubjectPublicKeyInfoDer::from(key),
            signature,
            &self.algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The door's TLS; `issuers` (DER names) help the browser offer the right certificates.
pub(crate) fn config(
    credentials: Credentials,
    issuers: impl Iterator<Item = Vec<u8>>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let verifier = HoldsTheKey {
        algorithms: tls::provider().signature_verification_algorithms,
        hints: issuers.map(DistinguishedName::from).collect(),
    };
    let mut config = ServerConfig::builder_with_provider(tls::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(credentials.chain, credentials.key)?;
    // No resumption: a resumed handshake would carry a certificate whose revocation nobody looked at since.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The subjects of the authorities that are accepted, in DER.
pub(crate) fn issuers(trust: &naru_pki::Trust) -> impl Iterator<Item = Vec<u8>> {
    trust.authority_certificates().into_iter().filter_map(|der| {
        x509_cert::Certificate::from_der(&der)
            .ok()?
            .tbs_certificate()
            .subject()
            .to_der()
            .ok()
    })
}
