//! A full disk: refused changes say so and leave nothing, acknowledged ones stay, and space heals it.

use std::{fs, path::Path, process::Command};

use naru_store::{Db, Error, PLATFORM_STREAM, verify_stream};
use naru_testkit::skip;

use crate::support::{act, beside, change, names, put};

const DISK_BYTES: u64 = 4 * 1024 * 1024;
const BALLAST_BYTES: usize = 1024 * 1024;
const VALUE_BYTES: usize = 16 * 1024;
const WRITERS: u32 = 8;
const CHANGES_EACH_MAX: u32 = 400;

/// A small file system of its own; unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let size = format!("size={DISK_BYTES}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
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

/// Writes until the disk is full; gives the names that were acknowledged and those that were refused.
async fn fill(db: Db, writer: u32) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for number in 0..CHANGES_EACH_MAX {
        let name = format!("{writer}-{number}");
        let owned = name.clone();
        let result: Result<(), Error> = db
            .change(act(&name, None), move |tx| {
                Box::pin(async move { put(tx, &owned, &[7; VALUE_BYTES]).await })
            })
            .await;
        match result {
            Ok(()) => kept.push(name),
            Err(error) => {
                assert_eq!(error.kind(), naru_kernel::Kind::Unavailable, "{error:?}");
                refused.push(name);
                if refused.len() >= 10 {
                    break;
                }
            }
        }
    }
    (kept, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_heals() {
    let Some(disk) = SmallDisk::mount() else {
        skip(
            "store: a_full_disk_refuses_and_heals",
            "a small file system could not be mounted (needs root)",
        );
        return;
    };
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; BALLAST_BYTES]).unwrap();
    let url = format!("sqlite:{}", disk.path().join("naru.db").display());
    let db = Db::open(&url).await.unwrap();

    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| beside(fill(db.clone(), writer)))
        .collect();
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for writer in writers {
        let (of_kept, of_refused) = writer.await.unwrap();
        kept.extend(of_kept);
        refused.extend(of_refused);
    }
    assert!(
        !kept.is_empty() && !refused.is_empty(),
        "{} kept, {} refused",
        kept.len(),
        refused.len()
    );

    fs::remove_file(&ballast).unwrap();
    change(&db, "after").await.unwrap();
    let there = names(&db).await;
    for name in &kept {
        assert!(there.contains(name), "{name} was acknowledged and is not there");
    }
    for name in &refused {
        assert!(!there.contains(name), "{name} was refused and is there");
    }
    let entries = i64::try_from(there.len()).unwrap();
    assert_eq!(verify_stream(&db, PLATFORM_STREAM).await.unwrap(), Ok(entries));
    db.close().await;
}
