//! What the provider can do, for programs (`OpenID` Connect Discovery 1.0, 3; RFC 8414).

use naru_kernel::access::Assurance;
use serde_json::{Value, json};

use super::{claims, scope, token};
use crate::jose::Algorithm;

/// The metadata; `certificate_door` is the origin that asks for client certificates (RFC 8705 5).
#[must_use]
pub fn metadata(issuer: &str, certificate_door: Option<&str>) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let ours = [
        "sub",
        "iss",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "sid",
        "at_hash",
    ];
    let claims: Vec<&str> = ours.into_iter().chain(claims::known()).collect();
    let proofs = [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "tls_client_auth",
        "none",
    ];
    let algorithms: Vec<&str> = Algorithm::ALL
        .iter()
        .map(|algorithm| algorithm.as_str())
        .collect();
    let assurances: Vec<&str> = Assurance::ALL.iter().map(|assurance| assurance.acr()).collect();
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/sso/authorize"),
        "pushed_authorization_request_endpoint": at("/sso/par"),
        "token_endpoint": at("/sso/token"),
        "userinfo_endpoint": at("/sso/userinfo"),
        "jwks_uri": at("/sso/jwks"),
        "introspection_endpoint": at("/sso/introspect"),
        "revocation_endpoint": at("/sso/revoke"),
        "device_authorization_endpoint": at("/sso/device"),
        "end_session_endpoint": at("/sso/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "scopes_supported": scope::KNOWN,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", token::DEVICE, token::EXCHANGE],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "token_endpoint_auth_methods_supported": proofs,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": proofs,
        "revocation_endpoint_auth_methods_supported": proofs,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": algorithms,
        "acr_values_supported": assurances,
        "claims_supported": claims,
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
        "authorization_response_iss_parameter_supported": true,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["ko", "en"],
        "claim_types_supported": ["normal"],
    });
    if let (Some(door), Some(map)) = (certificate_door, metadata.as_object_mut()) {
        let aliases = json!({
            "token_endpoint": format!("{door}/sso/token"),
            "introspection_endpoint": format!("{door}/sso/introspect"),
            "revocation_endpoint": format!("{door}/sso/revoke"),
            "pushed_authorization_request_endpoint": format!("{door}/sso/par"),
            "device_authorization_endpoint": format!("{door}/sso/device"),
        });
        map.insert("mtls_endpoint_aliases".to_owned(), aliases);
    }
    metadata
}
