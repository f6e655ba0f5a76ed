//! Pages of a few lines, without any script, that say what went wrong.

use aws_lc_rs::digest;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::Error;

const STYLE: &str = "body{font-family:sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem;line-height:1.6}\
                     a.button{font:inherit;padding:.6rem 1.4rem;border:1px solid #256ef4;border-radius:.4rem;\
                     background:#256ef4;color:#fff;text-decoration:none;display:inline-block}";

fn hash(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A page with a policy of its own: nothing is loaded, no script runs, nothing is posted.
fn page(status: StatusCode, body: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE)
    );
    let html = format!(
        "<!doctype html><html lang=\"ko\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>나루 · Naru</title>\
         <style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    );
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    (status, headers, Html(html)).into_response()
}

const BACK: &str = "<p><a class=\"button\" href=\"/\">나루로 · To Naru</a></p>";

/// Says why a message was not taken. Nothing of the message stands in the page.
pub(super) fn refused(error: Error) -> Response {
    let problem = error.into_problem();
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = format!(
        "<h1>로그인을 계속할 수 없습니다</h1><p>업무 시스템이 보낸 요청을 받아들일 수 없습니다. 업무 시스템에서 다시 시작해 보고, 계속되면 \
         그 담당자에게 아래 코드를 알려 주세요.</p><div lang=\"en\"><h2>The sign-on cannot go on</h2><p>What the application \
         sent is not accepted. Begin again at the application; if this stays, give its administrators this code.</p></div>\
         <p><code>{}</code></p>{BACK}",
        escape(&problem.code)
    );
    page(status, &body)
}

/// Tells which applications did not confirm a logout.
pub(super) fn partial_logout(names: &[[String; 2]]) -> Response {
    let list = |language: usize| -> String {
        names
            .iter()
            .filter_map(|name| name.get(language))
            .fold(String::new(), |list, name| {
                list + "<li>" + &escape(name) + "</li>"
            })
    };
    let body = format!(
        "<h1>모두 로그아웃되지는 않았습니다</h1><p>나루에서는 로그아웃했지만 다음 업무 시스템은 확인하지 않았습니다. 공용 PC라면 브라우저를 모두 \
         닫으세요.</p><ul>{}</ul><div lang=\"en\"><h2>Not everything is logged out</h2><p>You are logged out of Naru, but \
         these applications did not confirm. On a shared computer, close all browser windows.</p><ul>{}</ul></div>{BACK}",
        list(0),
        list(1)
    );
    page(StatusCode::OK, &body)
}
