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

#[tokio::test]
async fn a_list_of_everybody_makes_joiners_movers_and_leavers() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let (stays, _) = world.signed_in("남는이", &[Role::Worker]).await;
    let (leaves, mut browser) = world.signed_in("떠나는이", &[Role::Worker]).await;
    admin
        .post("/api/v1/groups", &serde_json::json!({ "name": "결재자" }))
        .await;
    world.desktops.running.lock().unwrap().insert(leaves.id, 2);
    let file = format!(
        "name,subject_name,unit,groups\n남는 이,\"{}\",인사과,결재자\n새로온이,\"CN=새로온이,C=KR\",,\n",
        stays.identity.person.subject()
    );
    let looked = send(&mut admin, "?mode=sync", &file).await;
    let effect = &looked.body["effect"];
    assert_eq!(
        (&effect["joiners"], &effect["movers"], &effect["leavers"]),
        (
            &serde_json::json!(1),
            &serde_json::json!(1),
            &serde_json::json!(1)
        ),
        "{:?}",
        looked.body
    );
    assert_eq!(effect["leaver_names"], serde_json::json!(["떠나는이"]));
    assert_eq!(
        (&effect["sessions"], &effect["desktops"]),
        (&serde_json::json!(1), &serde_json::json!(2))
    );
    // Only looked at: nothing happened.
    assert_eq!(browser.get("/api/v1/me").await.status.as_u16(), 200);
    let done = send(&mut admin, "?mode=sync&apply=true", &file).await;
    assert_eq!(done.body["imported"], 2, "{:?}", done.body);
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(world.desktops.ended(), [crate::Leaver::Everywhere(leaves.id)]);
    let known = world
        .identity
        .known_person(world.ministry, stays.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (known.name.as_str(), known.unit.as_str(), known.groups),
        ("남는 이", "인사과", vec!["결재자".to_owned()])
    );
    // The same list again changes nothing; whoever sent it never leaves by it.
    let again = send(&mut admin, "?mode=sync&apply=true", &file).await;
    assert_eq!(
        (&again.body["imported"], &again.body["effect"]["leavers"]),
        (&serde_json::json!(0), &serde_json::json!(0))
    );
    let entry = world.record("identity.import-people").await.remove(0);
    assert!(entry.detail.contains("\"leavers\""), "{}", entry.detail);
}

#[tokio::test]
async fn many_leavers_have_to_be_confirmed() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let mut file = "name,subject_name\n".to_owned();
    for number in 0..20 {
        file.push_str(&format!("사람{number},\"CN=n{number}\"\n"));
    }
    assert_eq!(send(&mut admin, "?apply=true", &file).await.body["imported"], 20);
    let few: String = file.lines().take(11).map(|line| format!("{line}\n")).collect();
    let refused = send(&mut admin, "?mode=sync&apply=true", &few).await;
    assert_eq!(refused.code(), "identity.too-many-leavers");
    assert_eq!(admin.get("/api/v1/people?state=active").await.body["total"], 21);
    let looked = send(&mut admin, "?mode=sync", &few).await;
    assert_eq!(looked.body["effect"]["needs_confirmation"], true);
    let done = send(&mut admin, "?mode=sync&apply=true&confirm_leavers=true", &few).await;
    assert_eq!(done.body["effect"]["leavers"], 10, "{:?}", done.body);
    assert_eq!(admin.get("/api/v1/people?state=active").await.body["total"], 11);
    let missing = send(&mut admin, "", "name,subject_name,groups\n가,CN=a,없는 무리\n").await;
    assert_eq!(missing.body["errors"][0]["field"], "groups");
}
