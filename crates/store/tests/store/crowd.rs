//! Many changes at once: group commit keeps the good ones, whatever the others do.

use naru_kernel::MinistryId;
use naru_store::{Db, Error, PLATFORM_STREAM, verify_stream};
use naru_testkit::TestDatabase;

use crate::support::{act, beside, change_in, entries, names, put};

const WRITERS: u32 = 64;
const CHANGES_EACH: u32 = 12;

/// What the n-th change of the mixed crowd does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Good,
    Fails,
    Clashes,
    Panics,
}

const fn fate(number: u32) -> Fate {
    match number % 7 {
        2 => Fate::Fails,
        4 => Fate::Clashes,
        6 => Fate::Panics,
        _ => Fate::Good,
    }
}

async fn attempt(db: Db, number: u32) -> bool {
    let name = format!("row-{number:03}");
    let result: Result<(), Error> = db
        .change(act(&name, None), move |tx| {
            Box::pin(async move {
                put(tx, &name, b"1").await?;
                match fate(number) {
                    Fate::Good => Ok(()),
                    Fate::Fails => Err(Error::NoRow),
                    Fate::Clashes => put(tx, &name, b"again").await,
                    Fate::Panics => panic!("a defect in change {number}"),
                }
            })
        })
        .await;
    result.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_changes_are_kept_when_their_neighbours_fail_or_panic() {
    let test = TestDatabase::open().await;
    let attempts: Vec<_> = (0..WRITERS * 3)
        .map(|number| (number, beside(attempt(test.db.clone(), number))))
        .collect();
    let mut expected = Vec::new();
    for (number, attempt) in attempts {
        // A panic is the caller's own on `PostgreSQL`.
        let kept = attempt.await.unwrap_or(false);
        assert_eq!(kept, fate(number) == Fate::Good, "change {number}");
        if kept {
            expected.push(format!("row-{number:03}"));
        }
    }
    assert_eq!(names(&test.db).await, expected);
    let kept = i64::try_from(expected.len()).unwrap();
    assert_eq!(verify_stream(&test.db, PLATFORM_STREAM).await.unwrap(), Ok(kept));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_leave_whole_chains() {
    let test = TestDatabase::open().await;
    let ministries: Vec<MinistryId> = (1..=3).map(MinistryId::from_bits).collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (db, ministries) = (test.db.clone(), ministries.clone());
            beside(async move {
                for number in 0..CHANGES_EACH {
                    let ministry = ministries
                        .get(usize::try_from((writer + number) % 4).unwrap())
                        .copied();
                    change_in(&db, &format!("{writer}-{number}"), ministry)
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut verified = 0;
    for stream in ministries
        .iter()
        .map(ToString::to_string)
        .chain([PLATFORM_STREAM.to_owned()])
    {
        verified += verify_stream(&test.db, &stream).await.unwrap().unwrap();
    }
    assert_eq!(verified, i64::from(WRITERS * CHANGES_EACH));
    assert_eq!(entries(&test.db).await, verified);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_walk_away_leave_no_half_changes() {
    let test = TestDatabase::open().await;
    let attempts: Vec<_> = (0..WRITERS)
        .map(|number| {
            let db = test.db.clone();
            beside(async move {
                let (one, two) = (format!("{number}-one"), format!("{number}-two"));
                let work = db.change::<_, Error, _>(act("pair", None), move |tx| {
                    Box::pin(async move {
                        put(tx, &one, b"1").await?;
                        tokio::task::yield_now().await;
                        put(tx, &two, b"2").await
                    })
                });
                let patience = std::time::Duration::from_micros(u64::from(number) * 150);
                tokio::time::timeout(patience, work).await.is_ok()
            })
        })
        .collect();
    let mut waited_for = 0;
    for attempt in attempts {
        waited_for += i64::from(attempt.await.unwrap());
    }
    // Whatever is still under way stands before this one, or was rolled back.
    change_in(&test.db, "last", None).await.unwrap();
    let pairs = i64::try_from(names(&test.db).await.len()).unwrap() - 1;
    assert_eq!(pairs % 2, 0, "half a change was kept");
    assert!(pairs / 2 >= waited_for, "an answered change was not kept");
    assert_eq!(
        verify_stream(&test.db, PLATFORM_STREAM).await.unwrap(),
        Ok(pairs / 2 + 1)
    );
}
