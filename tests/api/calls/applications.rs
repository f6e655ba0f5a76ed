//! Applications, tiles.

use naru_runtime::RouteEntry;
use serde_json::{Value, json};

use super::{Call, Scene};
use crate::world::text;

/// A link, offered to its own ministry.
pub(crate) fn link(name: &str) -> Value {
    json!({
        "name": { "ko": name },
        "label": "S",
        "audience": { "kind": "ministry" },
        "state": "active",
        "protocol": { "kind": "link", "url": "https://board.example.go.kr/" },
    })
}

/// A client that proves itself by a secret.
pub(super) fn client(name: &str) -> Value {
    let mut form = link(name);
    form["protocol"] = json!({
        "kind": "oidc",
        "redirect_uris": [super::sign_on::REDIRECT],
        "client_proof": "client_secret_post",
        "scopes": ["openid", "profile", "offline_access"],
        "grant_types": ["authorization_code", "device_code", "token_exchange"],
    });
    form
}

const METADATA: &str = r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:sp">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService index="0" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="https://sp.example.go.kr/acs"/></md:SPSSODescriptor></md:EntityDescriptor>"#;

impl Scene {
    /// Adds an application to the ordinary ministry.
    pub(super) async fn add_application(&mut self, form: &Value) -> String {
        let added = self.admin.post("/api/v1/applications", form).await;
        assert!(added.status.is_success(), "{:?}", added.body);
        text(&added.body["id"])
    }

    pub(super) async fn prepare_applications(&mut self, route: &RouteEntry) -> Call {
        let path = route.path;
        let admin = self.admin.clone();
        match (route.method.as_str(), path) {
            ("POST", "/api/v1/applications") => return Call::new(admin, path, &link("게시판")),
            ("POST", "/api/v1/applications/read-metadata") => {
                return Call::new(admin, path, &json!({ "xml": METADATA }));
            }
            _ => {}
        }
        let form = if path.ends_with("/secret") {
            client("결재")
        } else {
            link("게시판")
        };
        let application = self.add_application(&form).await;
        let filled = path.replace("{application}", &application);
        match (route.method.as_str(), path) {
            ("PUT", "/api/v1/applications/{application}") => Call::new(admin, filled, &link("새 게시판")),
            ("DELETE", "/api/v1/applications/{application}")
            | ("POST", "/api/v1/applications/{application}/secret") => Call::bare(admin, filled),
            ("POST", "/api/v1/portal/favourites/{application}") => {
                Call::new(self.worker().await.browser, filled, &json!({ "favourite": true }))
            }
            ("POST", "/api/v1/portal/open/{application}") => Call::bare(self.worker().await.browser, filled),
            (method, other) => panic!("say here how {method} {other} succeeds"),
        }
    }
}
