//! What auditors read, and as what.

use std::collections::BTreeSet;

use naru_kernel::{Clock as _, MinistryId, PersonId, Role};

use super::{Scene, ministry};

#[tokio::test]
async fn an_auditor_reads_the_own_ministry_and_the_platforms_auditor_all() {
    let scene = Scene::filled().await;
    let own = scene.browser(Role::Auditor, 2).get("/api/v1/audit").await;
    assert_eq!(own.body["total"], 6);
    let stream = MinistryId::from_bits(2).to_string();
    assert!(
        own.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["stream"] == stream.as_str())
    );
    let all = scene.browser(Role::Auditor, 1).get("/api/v1/audit").await;
    assert_eq!(all.body["total"], 11);
    // Names are looked up, not kept: each auditor gets those they may know of.
    let named = |body: &serde_json::Value| {
        let rows = body["items"].as_array().unwrap();
        let names: BTreeSet<String> = rows
            .iter()
            .filter_map(|row| row["actor_name"].as_str())
            .map(str::to_owned)
            .collect();
        names
    };
    assert_eq!(named(&own.body), BTreeSet::from(["성춘향".to_owned()]));
    assert_eq!(
        named(&all.body),
        BTreeSet::from(["성춘향".to_owned(), "홍길동".to_owned()])
    );
    let stranger = scene.browser(Role::Auditor, 3).get("/api/v1/audit").await;
    assert_eq!(stranger.body["total"], 0);
    for role in [Role::Worker, Role::MinistryAdmin, Role::Operator] {
        for path in ["/api/v1/audit", "/api/v1/audit/verify", "/api/v1/audit.csv"] {
            assert_eq!(
                scene.browser(role, 2).get(path).await.code(),
                "runtime.role-needed"
            );
        }
    }
}

#[tokio::test]
async fn pages_are_newest_first_and_show_each_entry_once() {
    let scene = Scene::filled().await;
    let mut browser = scene.browser(Role::Auditor, 1);
    let mut seen = Vec::new();
    let mut path = "/api/v1/audit?limit=3".to_owned();
    loop {
        let page = browser.get(&path).await;
        for row in page.body["items"].as_array().unwrap() {
            seen.push((
                row["at"].as_i64().unwrap(),
                row["id"].as_str().unwrap().to_owned(),
            ));
        }
        match page.body["next"].as_str() {
            Some(next) => path = format!("/api/v1/audit?limit=3&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 11);
    assert!(seen.windows(2).all(|pair| pair[0].0 > pair[1].0));
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let scene = Scene::filled().await;
    let mut browser = scene.browser(Role::Auditor, 1);
    let now = scene.clock.now().as_micros();
    let person = PersonId::from_bits(2);
    for (query, expected) in [
        ("action=identity.".to_owned(), 7),
        ("action=desktops.open".to_owned(), 4),
        ("outcome=refused".to_owned(), 3),
        (format!("person={person}"), 1),
        (format!("from={now}"), 1),
        (format!("to={}", now - 1), 10),
        (format!("action=identity.&outcome=done&to={}", now - 1), 3),
    ] {
        let page = browser.get(&format!("/api/v1/audit?{query}")).await;
        assert_eq!(page.body["total"], expected, "{query}");
        assert_eq!(page.body["items"].as_array().unwrap().len(), expected, "{query}");
    }
    assert_eq!(
        browser.get("/api/v1/audit?outcome=maybe").await.body["field"],
        "outcome"
    );
}

#[tokio::test]
async fn the_file_has_every_row_and_no_formula_and_is_recorded() {
    let scene = Scene::filled().await;
    let mut browser = scene.browser(Role::Auditor, 2);
    let answer = browser.get("/api/v1/audit.csv").await;
    let text = String::from_utf8(answer.bytes).unwrap();
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    // Head, six entries, and the entry of the export itself.
    assert_eq!(text.lines().count(), 8);
    assert_eq!(text.matches("\"'=HYPERLINK(\"\"x\"\")\"").count(), 6);
    assert!(!text.contains("\"=HYPERLINK"));
    let exports = browser.get("/api/v1/audit?action=audit.export").await;
    assert_eq!(exports.body["total"], 1);
}

#[tokio::test]
async fn a_whole_record_verifies_for_each_reader() {
    let scene = Scene::filled().await;
    let own = scene.browser(Role::Auditor, 2).get("/api/v1/audit/verify").await;
    assert_eq!(
        (own.body["ok"].as_bool(), own.body["entries"].as_i64()),
        (Some(true), Some(6))
    );
    assert_eq!(own.body["head"].as_str().unwrap().len(), 64);
    let all = scene.browser(Role::Auditor, 1).get("/api/v1/audit/verify").await;
    assert_eq!(
        (all.body["ok"].as_bool(), all.body["entries"].as_i64()),
        (Some(true), Some(11))
    );
    assert_eq!(all.body["streams"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn text_addresses_and_ministries_narrow_the_list_and_it_turns_round() {
    let scene = Scene::filled().await;
    let mut browser = scene.browser(Role::Auditor, 1);
    for (query, expected) in [
        ("search=HYPERlink".to_owned(), 11),
        ("search=%ED%99%8D%EA%B8%B8%EB%8F%99".to_owned(), 11),
        ("search=code-WRONG".to_owned(), 3),
        ("search=sign-in".to_owned(), 6),
        // Signs of patterns mean themselves.
        ("search=%25".to_owned(), 0),
        ("search=sign_in".to_owned(), 0),
        ("address=127.0.0.1".to_owned(), 11),
        ("address=127.0.0.2".to_owned(), 0),
        (format!("ministry={}", ministry(2)), 6),
        ("ministry=platform&search=create".to_owned(), 1),
    ] {
        let page = browser.get(&format!("/api/v1/audit?{query}")).await;
        assert_eq!(page.body["total"], expected, "{query}");
    }
    let page = browser.get("/api/v1/audit?sort=at&limit=4").await;
    let next = page.body["next"].as_str().unwrap().to_owned();
    let second = browser
        .get(&format!("/api/v1/audit?sort=at&limit=7&after={next}"))
        .await;
    let at = |page: &serde_json::Value| -> Vec<i64> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["at"].as_i64().unwrap())
            .collect()
    };
    let all = [at(&page.body), at(&second.body)].concat();
    assert_eq!(all.len(), 11);
    assert!(all.is_sorted());
    // Another ministry is not there for who may not know of it.
    let mut other = scene.browser(Role::Auditor, 3);
    let foreign = other
        .get(&format!("/api/v1/audit?ministry={}", ministry(2)))
        .await;
    assert_eq!(foreign.code(), "audit.no-such-entry");
}

#[tokio::test]
async fn the_json_file_is_one_array_with_every_row() {
    let scene = Scene::filled().await;
    let mut browser = scene.browser(Role::Auditor, 2);
    let answer = browser.get("/api/v1/audit.json?sort=at&search=sign-in").await;
    assert_eq!(answer.headers["content-type"], "application/json");
    let rows = answer.body.as_array().unwrap();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0]["sequence"], 1);
    assert_eq!(rows[5]["detail"]["code"], "identity.code-wrong");
    let nothing = browser.get("/api/v1/audit.json?search=nowhere").await;
    assert_eq!(nothing.body, serde_json::json!([]));
    let exports = browser.get("/api/v1/audit?action=audit.export").await;
    assert_eq!(exports.body["total"], 2);
}

#[tokio::test]
async fn a_month_is_counted_signed_off_once_and_that_is_an_entry() {
    let scene = Scene::filled().await;
    for _ in 0..12 {
        scene
            .write(
                Some(2),
                "identity.sign-in",
                2,
                naru_store::Outcome::Refused("identity.code-wrong"),
            )
            .await;
    }
    scene
        .write(Some(2), "identity.grant-role", 2, naru_store::Outcome::Done)
        .await;
    let mut browser = scene.browser(Role::Auditor, 2);
    let open = browser.get("/api/v1/audit/reviews?month=2026-11").await;
    let counts = &open.body["items"][0]["counts"];
    assert_eq!(counts["entries"], 19, "{counts}");
    assert_eq!(counts["refused"], 15);
    assert_eq!(counts["role_changes"], 1);
    assert_eq!(counts["bursts"][0]["count"], 15);
    let wish = serde_json::json!({ "month": "2026-11", "note": "본 것" });
    let early = browser.post("/api/v1/audit/reviews", &wish).await;
    assert_eq!(early.code(), "audit.not-over");
    scene.clock.advance(naru_kernel::Seconds(10 * 86_400));
    let done = browser.post("/api/v1/audit/reviews", &wish).await;
    assert_eq!(done.body["note"], "본 것", "{:?}", done.body);
    assert_eq!(done.body["entries_then"], 19);
    assert_eq!(
        browser.post("/api/v1/audit/reviews", &wish).await.code(),
        "audit.reviewed"
    );
    let entry = browser.get("/api/v1/audit?action=audit.review").await;
    assert_eq!(entry.body["total"], 1);
    assert_eq!(entry.body["items"][0]["subject"], "2026-11");
    // Last month is what is shown without a word.
    let shown = browser.get("/api/v1/audit/reviews").await;
    assert_eq!(shown.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        shown.body["items"][0]["reviewed_by"],
        PersonId::from_bits(5).to_string()
    );
    let mut other = scene.browser(Role::Auditor, 3);
    let foreign = serde_json::json!({ "month": "2026-10", "stream": ministry(2) });
    assert_eq!(
        other.post("/api/v1/audit/reviews", &foreign).await.code(),
        "audit.no-such-entry"
    );
}
