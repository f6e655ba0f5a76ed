//! The portal's disk is full: it says so, goes on running, and works again once there is space.

use std::{io::Write as _, path::Path, process::Command};

use naru_testkit::skip;
use serde_json::json;

use crate::stage::Stage;

const DISK_BYTES: u64 = 6 * 1024 * 1024;
const CHANGES_MAX: usize = 200;

/// A small file system; unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={DISK_BYTES}"), "tmpfs"])
            .arg(directory.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(self.0.path()).output());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_survived() {
    let Some(disk) = SmallDisk::mount() else {
        return skip(
            "a_full_disk_is_said_and_survived",
            "no file system can be mounted here",
        );
    };
    let stage = Stage::with_state(disk.path());
    stage.ministry();
    let admin = stage.person(&["ministry_admin"]);
    let visitor = stage.person(&["worker"]);
    let mut portal = stage.portal().await;
    let mut admin = stage.sign_in(&admin).await;
    let form = |number: usize| {
        let subject = format!("cn=085성춘향{number:03},ou=people,ou=행정안전부,o=Government of Korea,c=KR");
        json!({ "name": "성춘향", "subject_name": subject, "roles": ["worker"] })
    };

    let mut ballast = std::fs::File::create(disk.path().join("ballast")).unwrap();
    while ballast.write_all(&[0; 4_096]).is_ok() {}
    let (mut added, mut refused) = (0, 0);
    for number in 0..CHANGES_MAX {
        let answer = admin.post("/api/v1/people", &form(number)).await;
        if answer.status.is_success() {
            // The log still had room in pages it owned before.
            added += 1;
            continue;
        }
        assert_eq!(answer.status, 503, "{:?}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(!answer.code().is_empty());
        refused += 1;
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the disk never was full: {added} people added");
    assert!(portal.runs());
    let mut turned_away = stage.browser();
    let shown = stage.show(&mut turned_away, &visitor).await;
    assert_eq!(shown.status, 503, "{:?}", shown.body);
    assert!(turned_away.cookie("__Host-naru").is_none(), "no half a session");
    let list = admin.get("/api/v1/people").await;
    assert!(
        list.status.is_success(),
        "reading needs no space: {:?}",
        list.body
    );
    assert_eq!(
        list.body["total"],
        added + 2,
        "a refused person is not half there"
    );

    drop(ballast);
    std::fs::remove_file(disk.path().join("ballast")).unwrap();
    let answer = admin.post("/api/v1/people", &form(900)).await;
    assert!(answer.status.is_success(), "{:?}", answer.body);
    assert_eq!(admin.get("/api/v1/people").await.body["total"], added + 3);
    let shown = stage.show(&mut turned_away, &visitor).await;
    assert_eq!(
        shown.body["next"], "activate",
        "{} {:?}",
        shown.status, shown.body
    );
    assert_eq!(portal.stop().await.code(), Some(0));
    assert!(stage.record_is_whole());
}
