//! Lists of people: judged line by line, added together or not at all.

use axum::http::Method;
use naru_kernel::{PersonId, Role};
use naru_testkit::{Answer, Browser};

use super::World;

async fn send(browser: &mut Browser, query: &str, file: &str) -> Answer {
    let path = format!("/api/v1/people/import{query}");
    browser
        .send(Method::POST, &path, "text/csv", Some(file.as_bytes().to_vec()))
        .await
}

const GOOD: &str = "name,subject_name,roles,language\n\
                    김하나,\"CN=085김하나001,O=Government of Korea,C=KR\",worker,ko\n\
                    이두리,\"CN=085이두리001,O=Government of Korea,C=KR\",worker auditor,en\n";

#[tokio::test]
async fn a_list_is_only_judged_unless_it_is_to_be_applied() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let looked = send(&mut admin, "", GOOD).await;
    assert_eq!(
        (looked.body["valid"].as_i64(), looked.body["imported"].as_i64()),
        (Some(2), Some(0))
    );
    assert_eq!(world.count("people").await, 1);
    let applied = send(&mut admin, "?apply=true", GOOD).await;
    assert_eq!(applied.body["imported"], 2);
    assert_eq!(world.record("identity.import-people").await.len(), 1);
    let again = send(&mut admin, "?apply=true", GOOD).await;
    assert_eq!(
        (again.body["valid"].as_i64(), again.body["imported"].as_i64()),
        (Some(0), Some(0))
    );
    assert_eq!(again.body["errors"][0]["line"], 2);
    assert_eq!(again.body["errors"][0]["field"], "subject_name");
    let found = admin.get("/api/v1/people?search=이두리").await;
    assert_eq!(found.body["items"][0]["roles"], serde_json::json!(["worker"]));
    // What is more than a worker waits for a second administrator.
    world.agree(PersonId::from_bits(1)).await.unwrap();
    let found = admin.get("/api/v1/people?search=이두리").await;
    assert_eq!(
        found.body["items"][0]["roles"],
        serde_json::json!(["worker", "auditor"])
    );
}

#[tokio::test]
async fn one_broken_line_holds_all_back_unless_it_is_skipped() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let file = format!("{GOOD}박세찌,nonsense,worker,ko\n");
    let held = send(&mut admin, "?apply=true", &file).await;
    assert_eq!(
        (held.body["valid"].as_i64(), held.body["imported"].as_i64()),
        (Some(2), Some(0))
    );
    assert_eq!(world.count("people").await, 1);
    let skipped = send(&mut admin, "?apply=true&skip_broken=true", &file).await;
    assert_eq!(skipped.body["imported"], 2);
    assert_eq!(skipped.body["errors"][0]["line"], 4);
}

#[tokio::test]
async fn ten_megabytes_with_broken_lines_are_reported_and_nothing_is_imported() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let mut file = "name,subject_name,roles,language\n".to_owned();
    let mut lines = 0_usize;
    while file.len() < 10 * 1024 * 1024 {
        lines += 1;
        let line = match lines % 10 {
            3 => "이름만\n".to_owned(),
            5 => format!("사람,\"CN=bad{lines}\",king,ko\n"),
            7 => "사람,\"CN=twice\",worker,ko\n".to_owned(),
            _ => format!(
                "사람{lines},\"CN=085사람{lines}001,OU=people,OU=행정안전부,O=Government of Korea,C=KR\",worker,ko\n"
            ),
        };
        file.push_str(&line);
    }
    let answer = send(&mut admin, "?apply=true", &file).await;
    assert_eq!(answer.body["rows"].as_u64(), u64::try_from(lines).ok());
    let broken = lines / 10 * 3;
    let valid = answer.body["valid"].as_u64().unwrap();
    // The first of the lines that stand twice is good.
    assert!(
        valid.abs_diff(u64::try_from(lines - broken).unwrap()) <= 4,
        "{valid} of {lines}"
    );
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 1_000);
    assert_eq!(answer.body["errors"][0]["line"], 4);
    assert_eq!(answer.body["imported"], 0);
    assert_eq!(world.count("people").await, 1);
}

#[tokio::test]
async fn too_large_too_odd_and_empty_files_are_refused() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let large = "x".repeat(12 * 1024 * 1024 + 1);
    assert_eq!(send(&mut admin, "", &large).await.status.as_u16(), 413);
    assert_eq!(send(&mut admin, "", "").await.body["field"], "head");
    assert_eq!(send(&mut admin, "", "a,b\n").await.body["field"], "head");
    assert_eq!(
        send(&mut admin, "?aply=true", GOOD).await.code(),
        "runtime.malformed-query"
    );
}

#[tokio::test]
async fn many_people_come_in_one_transaction() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let mut file = "name,subject_name\n".to_owned();
    for number in 0..3_000 {
        file.push_str(&format!("사람{number},\"CN=n{number}\"\n"));
    }
    let answer = send(&mut admin, "?apply=true", &file).await;
    assert_eq!(answer.body["imported"], 3_000, "{:?}", answer.body["errors"][0]);
    assert_eq!(world.count("people").await, 3_001);
}
