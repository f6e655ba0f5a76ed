//! The web application's files, from inside the program: built into a release, read from disk by a debug build.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use naru_kernel::Kind;
use naru_runtime::Problem;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

/// Files with a hash in their name never change.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The page itself is asked for each time.
const REVALIDATE: &str = "no-cache";

/// Answers what no route does: a file of the web application, or "no such thing".
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let readable = matches!(*request.method(), Method::GET | Method::HEAD);
    let name = if path.is_empty() { "index.html" } else { path };
    let file = if readable { Files::get(name) } else { None };
    let Some(file) = file else {
        return Problem::new(Kind::NotFound, "portal.no-such-page", "there is no such page").into_response();
    };
    let etag = format!(
        "\"{}\"",
        hex::encode(file.metadata.sha256_hash().get(..16).unwrap_or_default())
    );
    if request
        .headers()
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes())
    {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let kind = HeaderValue::from_str(file.metadata.mimetype())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let keep = if name.starts_with("assets/") {
        FOREVER
    } else {
        REVALIDATE
    };
    let mut response = file.data.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// Whether the web application was built into this program or lies where a debug build looks.
#[must_use]
pub fn are_there() -> bool {
    Files::get("index.html").is_some()
}
