//! The section `[identity]` of the configuration.

use naru_kernel::Seconds;
use naru_pki::Profile;
use serde::Deserialize;

/// What a site decides about log-on.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// What the platform calls itself.
    pub platform_name: String,
    /// The portal's origin, such as `https://portal.example.go.kr`: challenges and passkeys are bound to it.
    pub origin: String,
    /// The door that asks for client certificates, such as `https://cert.portal.example.go.kr`.
    pub certificate_door: String,
    /// Where browsers reach a gateway, such as `wss://gateway.example.go.kr`.
    pub gateway_url: String,
    /// Whether this is a demonstration, with made-up people.
    pub demo: bool,
    /// Which certificates are accepted.
    pub profiles: Vec<Profile>,
    /// Revocation lists: files, or `http://` addresses. A list is signed, so plain HTTP is enough.
    pub revocation_lists: Vec<String>,
    /// How often they are read again, in seconds.
    pub revocation_refresh_seconds: i64,
    /// A session that is not used for so many seconds ends.
    pub idle_seconds: i64,
    /// So many seconds before that, the page asks whether to go on.
    pub warn_seconds: i64,
    /// A session ends after so many seconds however much it is used.
    pub session_seconds_max: i64,
    /// The cookie's token is replaced after so many seconds of use.
    pub rotation_seconds: i64,
    /// Where networks are, for what people see of their log-ons and for the alarm about impossible journeys.
    pub places: Vec<crate::rules::PlaceConfig>,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            platform_name: "나루".to_owned(),
            origin: "https://localhost:8443".to_owned(),
            certificate_door: "https://cert.localhost:8443".to_owned(),
            gateway_url: "wss://localhost:8444".to_owned(),
            demo: false,
            profiles: Vec::new(),
            revocation_lists: Vec::new(),
            revocation_refresh_seconds: 600,
            idle_seconds: 600,
            warn_seconds: 120,
            session_seconds_max: 12 * 3_600,
            rotation_seconds: 600,
            places: Vec::new(),
        }
    }
}

impl IdentityConfig {
    pub(crate) const fn lifetimes(&self) -> crate::rules::Lifetimes {
        crate::rules::Lifetimes {
            idle: Seconds(self.idle_seconds),
            longest: Seconds(self.session_seconds_max),
            rotation: Seconds(self.rotation_seconds),
        }
    }
}
