//! What both providers are asked, over one connection kept open: an application's sign-on of a person who is logged on.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::portal::USER_AGENT;

/// Long enough for RFC 7636, 4.1; a real application draws one for each sign-on, which is not what is measured.
const VERIFIER: &str = "a-code-verifier-of-the-bench-which-is-long-enough-43";
/// A person's first visit to the peer goes through its page once.
const REDIRECTS_MAX: usize = 6;

/// Where a provider is, and how its application proves itself.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) is_ours: bool,
    pub(super) port: u16,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) client: String,
    pub(super) secret: String,
    pub(super) redirect: String,
}

/// A browser and an application, on one connection.
pub(super) struct Caller {
    provider: Provider,
    connection: http1::SendRequest<Full<Bytes>>,
    cookies: BTreeMap<String, String>,
}

struct Reply {
    status: StatusCode,
    location: Option<String>,
    body: Bytes,
}

impl Caller {
    /// Connects; `cookie` is the session the browser has already.
    pub(super) async fn open(provider: Provider, cookie: Option<&str>) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", provider.port)).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::clone(&provider.tls))
            .connect(name, stream)
            .await?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
        #[expect(clippy::disallowed_methods, reason = "it ends with its connection")]
        let driver = tokio::spawn(driver);
        drop(driver);
        let cookies = cookie
            .and_then(|cookie| cookie.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self {
            provider,
            connection,
            cookies: cookies.into_iter().collect(),
        })
    }

    fn origin(&self) -> String {
        format!("https://localhost:{}", self.provider.port)
    }

    /// One sign-on: authorization, code, tokens, claims about the person.
    pub(super) async fn sign_on(&mut self) -> Result<()> {
        let back = self.authorize().await?;
        let back = url::Url::parse(&back)?;
        let code = back
            .query_pairs()
            .find(|(name, _)| name == "code")
            .map(|(_, code)| code.into_owned())
            .with_context(|| format!("a code in {back}"))?;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", &code)
            .append_pair("redirect_uri", &self.provider.redirect)
            .append_pair("code_verifier", VERIFIER)
            .finish();
        let proof = format!("{}:{}", self.provider.client, self.provider.secret);
        let path = if self.provider.is_ours {
            "/sso/token"
        } else {
            "/token"
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(proof)))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let reply = self.send(request, form.into()).await?;
        ensure!(
            reply.status == StatusCode::OK,
            "{}: {:?}",
            reply.status,
            reply.body
        );
        let tokens: Value = serde_json::from_slice(&reply.body)?;
        ensure!(tokens.get("id_token").is_some(), "an ID token");
        let access = tokens
            .get("access_token")
            .and_then(Value::as_str)
            .context("an access token")?;
        let path = if self.provider.is_ours {
            "/sso/userinfo"
        } else {
            "/me"
        };
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {access}"));
        let reply = self.send(request, Bytes::new()).await?;
        ensure!(
            reply.status == StatusCode::OK,
            "{}: {:?}",
            reply.status,
            reply.body
        );
        let claims: Value = serde_json::from_slice(&reply.body)?;
        ensure!(claims.get("sub").is_some(), "claims about the person");
        Ok(())
    }

    /// From the authorization request to the address with the code.
    async fn authorize(&mut self) -> Result<String> {
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.provider.client)
            .append_pair("redirect_uri", &self.provider.redirect)
            .append_pair("response_type", "code")
            .append_pair("scope", "openid profile")
            .append_pair("state", "state")
            .append_pair("nonce", "nonce")
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let path = if self.provider.is_ours {
            "/sso/authorize"
        } else {
            "/auth"
        };
        let reply = self.get(&format!("{path}?{query}")).await?;
        let mut location = reply
            .location
            .with_context(|| format!("{}: {:?}", reply.status, reply.body))?;
        if let Some(handle) = location.strip_prefix("/#/sso/") {
            let request = Request::builder()
                .method(Method::POST)
                .uri(format!("/api/v1/sso/{handle}"))
                .header("naru-request", "1")
                .header(header::ORIGIN, self.origin())
                .header(header::CONTENT_TYPE, "application/json");
            let reply = self.send(request, Bytes::from_static(b"{}")).await?;
            let step: Value = serde_json::from_slice(&reply.body)?;
            let url = step.get("url").and_then(Value::as_str);
            return Ok(url.with_context(|| format!("the way back in {step}"))?.to_owned());
        }
        for _ in 0..REDIRECTS_MAX {
            if location.starts_with(&self.provider.redirect) {
                return Ok(location);
            }
            let path = location
                .strip_prefix(&self.origin())
                .unwrap_or(&location)
                .to_owned();
            let reply = self.get(&path).await?;
            location = reply
                .location
                .with_context(|| format!("{} at {path}: {:?}", reply.status, reply.body))?;
        }
        anyhow::bail!("the peer sends the browser round in circles")
    }

    async fn get(&mut self, path: &str) -> Result<Reply> {
        self.send(Request::get(path), Bytes::new()).await
    }

    async fn send(&mut self, request: http::request::Builder, body: Bytes) -> Result<Reply> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = request
            .header(header::HOST, format!("localhost:{}", self.provider.port))
            .header(header::USER_AGENT, USER_AGENT);
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let answer = self
            .connection
            .send_request(request.body(Full::new(body))?)
            .await?;
        let (parts, body) = answer.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                if value.is_empty() {
                    self.cookies.remove(name);
                } else {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        let location = parts
            .headers
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok(Reply {
            status: parts.status,
            location,
            body: body.collect().await?.to_bytes(),
        })
    }
}
