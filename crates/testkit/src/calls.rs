//! Calls to a router as a browser makes them: cookies kept, the portal's origin and header sent.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde_json::Value;
use tower::ServiceExt as _;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// JSON body, `Null` if there is none or it is no JSON.
    pub body: Value,
    /// The body's bytes.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The problem's code; empty if it is none.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body.get("code").and_then(Value::as_str).unwrap_or_default()
    }
}

/// A browser with its cookies, in front of a router.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    origin: Option<String>,
    is_marked: bool,
    cookies: BTreeMap<String, String>,
    user_agent: String,
    headers: BTreeMap<String, String>,
}

impl Browser {
    /// A browser without cookies on a page of `origin`.
    #[must_use]
    pub fn new(router: Router, origin: &str) -> Self {
        Self {
            router,
            origin: Some(origin.to_owned()),
            is_marked: true,
            cookies: BTreeMap::new(),
            user_agent: "naru-test".to_owned(),
            headers: BTreeMap::new(),
        }
    }

    /// Calls itself something else from now on.
    pub fn set_user_agent(&mut self, user_agent: &str) {
        user_agent.clone_into(&mut self.user_agent);
    }

    /// Sends this header from now on, as programs do.
    pub fn set_header(&mut self, name: &str, value: &str) {
        self.headers.insert(name.to_owned(), value.to_owned());
    }

    /// Is on a page of another origin from now on, or sends none.
    pub fn set_origin(&mut self, origin: Option<&str>) {
        self.origin = origin.map(str::to_owned);
    }

    /// Leaves out the header that only the portal's own pages send, or sends it again.
    pub fn set_marked(&mut self, is_marked: bool) {
        self.is_marked = is_marked;
    }

    /// Reads.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.call(Method::GET, path, None::<&()>).await
    }

    /// Does.
    pub async fn post(&mut self, path: &str, body: &(impl Serialize + Sync)) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Takes away.
    pub async fn delete(&mut self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None::<&()>).await
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Puts a cookie, as a thief would.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Any method.
    pub async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Answer {
        let bytes = body.map(|body| serde_json::to_vec(body).expect("a serialisable body"));
        self.send(method, path, "application/json", bytes).await
    }

    /// Any body.
    pub async fn send(&mut self, method: Method, path: &str, kind: &str, body: Option<Vec<u8>>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::USER_AGENT, &self.user_agent);
        if let Some(origin) = &self.origin {
            request = request.header(header::ORIGIN, origin);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if self.is_marked {
            request = request.header("naru-request", "1");
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let request = match body {
            Some(bytes) => request.header(header::CONTENT_TYPE, kind).body(Body::from(bytes)),
            None => request.body(Body::empty()),
        };
        let response = self
            .router
            .clone()
            .oneshot(request.expect("a well-formed request"))
            .await;
        let Ok(response) = response;
        self.keep_cookies(response.headers());
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            bytes,
        }
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap_or_default();
            let Some((name, rest)) = text.split_once('=') else {
                continue;
            };
            let value = rest.split(';').next().unwrap_or_default();
            if value.is_empty() || rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
