//! Single sign-on: an application that nobody here wrote, and a person who is signed in.

use axum::http::{Method, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_testkit::{Answer, Browser};
use serde_json::json;

use super::{Call, Scene, applications::client, encoded};
use crate::world::text;

/// Where the application hears the code.
pub(super) const REDIRECT: &str = "https://app.example.go.kr/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The S256 of the verifier (RFC 7636, appendix B).
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application with its secret.
struct Client {
    id: String,
    secret: String,
}

impl Client {
    fn request(&self) -> Vec<(&str, &str)> {
        vec![
            ("client_id", &self.id),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
    }

    fn proof(&self) -> Vec<(&str, &str)> {
        vec![("client_id", &self.id), ("client_secret", &self.secret)]
    }
}

fn handle_of(answer: &Answer) -> String {
    let location = answer.headers.get(header::LOCATION);
    let location = location.unwrap_or_else(|| panic!("no redirect: {} {:?}", answer.status, answer.body));
    let (_, handle) = location.to_str().unwrap().rsplit_once('/').unwrap();
    handle.to_owned()
}

impl Scene {
    async fn client(&mut self) -> Client {
        let id = self.add_application(&client("결재")).await;
        let made = self
            .admin
            .post(&format!("/api/v1/applications/{id}/secret"), &json!({}))
            .await;
        Client {
            secret: text(&made.body["secret"]),
            id,
        }
    }

    /// A request that waits for a person; gives its handle.
    async fn begun(&self, client: &Client) -> String {
        let query = encoded(&client.request());
        let answer = self.world.browser().get(&format!("/sso/authorize?{query}")).await;
        handle_of(&answer)
    }

    /// The person went on to the application; gives the code.
    async fn code(&self, client: &Client, person: &mut Browser) -> String {
        let handle = self.begun(client).await;
        let step = person.post(&format!("/api/v1/sso/{handle}"), &json!({})).await;
        assert_eq!(step.body["next"], "go", "{:?}", step.body);
        let url = url::Url::parse(&text(&step.body["url"])).unwrap();
        let code = url.query_pairs().find(|(name, _)| name == "code");
        code.unwrap_or_else(|| panic!("no code: {url}")).1.into_owned()
    }

    async fn access_token(&self, client: &Client, person: &mut Browser) -> String {
        let code = self.code(client, person).await;
        let call = self.redeem(client, &code);
        let tokens = call.make(Method::POST).await;
        text(&tokens.body["access_token"])
    }

    fn redeem(&self, client: &Client, code: &str) -> Call {
        let mut fields = client.proof();
        fields.extend([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ]);
        Call::form(self.world.browser(), "/sso/token", &fields)
    }

    pub(super) async fn prepare_sign_on(&mut self, path: &str) -> Call {
        let client = self.client().await;
        let mut person = self.worker().await.browser;
        let program = self.world.browser();
        match path {
            "/sso/authorize" => Call::form(program, path, &client.request()),
            "/sso/par" => {
                let mut fields = client.request();
                fields.push(("client_secret", &client.secret));
                Call::form(program, path, &fields)
            }
            "/sso/token" => {
                let code = self.code(&client, &mut person).await;
                self.redeem(&client, &code)
            }
            "/sso/introspect" | "/sso/revoke" => {
                let token = self.access_token(&client, &mut person).await;
                let mut fields = client.proof();
                fields.push(("token", &token));
                Call::form(program, path, &fields)
            }
            "/sso/userinfo" => {
                let token = self.access_token(&client, &mut person).await;
                Call::form(program, path, &[("access_token", &token)])
            }
            "/sso/device" => {
                let mut fields = client.proof();
                fields.push(("scope", "openid"));
                Call::form(program, path, &fields)
            }
            "/sso/logout" => Call::form(program, path, &[("client_id", &client.id)]),
            "/sso/saml/sign-on" | "/sso/saml/logout" => self.prepare_saml(path).await,
            "/api/v1/sso/{handle}" => {
                let handle = self.begun(&client).await;
                Call::new(person, path.replace("{handle}", &handle), &json!({}))
            }
            "/api/v1/sso/{handle}/refuse" => {
                let handle = self.begun(&client).await;
                Call::new(person, path.replace("{handle}", &handle), &json!({}))
            }
            "/api/v1/sso/{handle}/consent" => {
                // Only people of other ministries are asked.
                let id = self.add_application(&everyones()).await;
                let made = self
                    .admin
                    .post(&format!("/api/v1/applications/{id}/secret"), &json!({}))
                    .await;
                let client = Client {
                    secret: text(&made.body["secret"]),
                    id,
                };
                let mut foreigner = self
                    .world
                    .member(crate::world::Side::Platform, &[naru_kernel::Role::Worker])
                    .await
                    .browser;
                let handle = self.begun(&client).await;
                let step = foreigner.post(&format!("/api/v1/sso/{handle}"), &json!({})).await;
                assert_eq!(step.body["next"], "consent", "{:?}", step.body);
                let answer = json!({ "agree": true, "remember": true });
                Call::new(foreigner, path.replace("{handle}", &handle), &answer)
            }
            "/api/v1/sso/device/{user_code}" => {
                let mut fields = client.proof();
                fields.push(("scope", "openid"));
                let waiting = Call::form(program, "/sso/device", &fields)
                    .make(Method::POST)
                    .await;
                let code = text(&waiting.body["user_code"]);
                Call::new(
                    person,
                    path.replace("{user_code}", &code),
                    &json!({ "agree": true }),
                )
            }
            "/api/v1/sso/saml/leave" => Call::bare(person, path),
            "/api/v1/me/applications/{application}" => {
                self.access_token(&client, &mut person).await;
                Call::bare(person, path.replace("{application}", &client.id))
            }
            other => panic!("say here how {other} succeeds"),
        }
    }

    async fn prepare_saml(&mut self, path: &str) -> Call {
        let number = self.world.entries().await;
        let entity = format!("urn:sp:{number}");
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let mut form = super::applications::link("자료실");
        form["protocol"] = json!({
            "kind": "saml",
            "entity_id": entity,
            "assertion_consumers": [{ "url": "https://sp.example.go.kr/acs" }],
            "signing_certificates": [STANDARD.encode(certificate.der())],
        });
        self.add_application(&form).await;
        let (at, here) = (self.instant(), format!("{}{path}", self.world.config.origin()));
        let (name, address, rest) = if path.ends_with("logout") {
            (
                "LogoutRequest",
                String::new(),
                "<saml:NameID>nobody</saml:NameID>",
            )
        } else {
            let address = r#" AssertionConsumerServiceURL="https://sp.example.go.kr/acs""#;
            ("AuthnRequest", address.to_owned(), "")
        };
        let xml = format!(
            r#"<samlp:{name} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_n{number}" Version="2.0" IssueInstant="{at}" Destination="{here}"{address}><saml:Issuer>{entity}</saml:Issuer>{rest}</samlp:{name}>"#
        );
        // POST-SimpleSign: the signature stands beside the message, over the values themselves.
        let algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
        let octets = format!("SAMLRequest={xml}&SigAlg={algorithm}");
        let signature = STANDARD.encode(rcgen::SigningKey::sign(&key, octets.as_bytes()).unwrap());
        let message = STANDARD.encode(xml);
        let fields = [
            ("SAMLRequest", message.as_str()),
            ("SigAlg", algorithm),
            ("Signature", signature.as_str()),
        ];
        Call::form(self.world.browser(), path, &fields)
    }
}

/// A client that is offered to every ministry.
fn everyones() -> serde_json::Value {
    let mut form = client("모두의 결재");
    form["audience"] = json!({ "kind": "platform" });
    form
}
