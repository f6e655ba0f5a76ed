//! What an operator runs: `doctor` and `audit verify`.

use naru_store::testing::raw;

use crate::stage::Stage;

#[test]
fn the_doctor_names_what_is_wrong() {
    let stage = Stage::new();
    let output = stage.run(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("ok       the database answers"), "{said}");
    assert!(said.contains("is free"), "{said}");
    let is_wrong = said.lines().any(|line| line.starts_with("  wrong"));
    assert_eq!(output.status.code(), Some(i32::from(is_wrong)), "{said}");

    let taken = std::net::TcpListener::bind(("127.0.0.1", stage.ports.portal)).unwrap();
    let mut command = stage.command(&stage.path("portal"), stage.ports.spare_operation);
    let output = command
        .arg("doctor")
        .env("NARU__STORE__URL", "sqlite:/nowhere/at/all/naru.db")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("wrong    the database cannot be opened"), "{said}");
    assert!(said.contains("→ check `store.url`"), "{said}");
    assert!(
        said.contains(&format!("portal: 127.0.0.1:{} is in use", stage.ports.portal)),
        "{said}"
    );
    drop(taken);
}

#[test]
fn a_wrong_configuration_is_named_and_nothing_starts() {
    let stage = Stage::new();
    let mut command = stage.command(&stage.path("portal"), stage.ports.spare_operation);
    let output = command
        .arg("portal")
        .env("NARU__PORTAL__PROT", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("prot"), "{said}");
    assert!(!stage.path("portal/naru.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_byte_in_the_record_is_found() {
    let stage = Stage::new();
    stage.ministry();
    stage.person(&["worker"]);
    stage.person(&["worker"]);
    let output = stage.run(&["audit", "verify"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("whole   platform"), "{said}");
    let url = stage.store_url();
    raw(&url, "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete")
        .await
        .unwrap();
    for column in ["action", "outcome", "actor", "subject", "address", "detail"] {
        let value = if column == "outcome" {
            "'refused'"
        } else {
            "'x' || substr(V, 2)"
        };
        let value = value.replace('V', column);
        let row = "rowid = (SELECT MIN(rowid) + 1 FROM audit)";
        raw(
            &url,
            &format!("CREATE TABLE kept AS SELECT {column} AS was FROM audit WHERE {row}"),
        )
        .await
        .unwrap();
        raw(&url, &format!("UPDATE audit SET {column} = {value} WHERE {row}"))
            .await
            .unwrap();
        let output = stage.run(&["audit", "verify"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{column}: {said}");
        assert!(said.contains("BROKEN"), "{column}: {said}");
        let heal = format!("UPDATE audit SET {column} = (SELECT was FROM kept) WHERE {row}; DROP TABLE kept");
        raw(&url, &heal).await.unwrap();
        assert!(stage.record_is_whole(), "{column} healed");
    }
    raw(
        &url,
        "DELETE FROM audit WHERE rowid = (SELECT MAX(rowid) FROM audit)",
    )
    .await
    .unwrap();
    assert!(!stage.record_is_whole(), "the last entry is gone");
}
