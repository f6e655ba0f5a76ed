//! Revocation lists: missing, stale, forged, refreshed, kept.

use naru_kernel::{Clock as _, Seconds};
use naru_pki::{
    Reason,
    demo::{self, KeyKind},
};
use naru_runtime::Fails as _;

use super::{World, client, demo_person};

#[tokio::test]
async fn a_certificate_revoked_by_its_authority_is_out_with_the_next_list() {
    let mut world = World::new().await;
    let hong = world.person("홍길동").await;
    assert_eq!(
        world
            .log_on(&mut world.browser(), &hong.identity)
            .await
            .status
            .as_u16(),
        200
    );
    let now = world.clock.now();
    world
        .pki
        .revoke(&hong.identity.sign.serial(), now, Reason::KeyCompromise);
    world.clock.advance(Seconds(60));
    world.publish_lists().await;
    let answer = world.log_on(&mut world.browser(), &hong.identity).await;
    assert_eq!(answer.code(), "identity.certificate-revoked");
}

#[tokio::test]
async fn who_came_in_before_the_list_is_out_with_it_and_nobody_else() {
    let mut world = World::new().await;
    let (hong, kim) = (world.person("홍길동").await, world.person("김철수").await);
    let (mut his, mut hers) = (world.browser(), world.browser());
    world.enrol(&mut his, &hong).await;
    world.enrol(&mut hers, &kim).await;
    let now = world.clock.now();
    world
        .pki
        .revoke(&hong.identity.sign.serial(), now, Reason::KeyCompromise);
    world.clock.advance(Seconds(60));
    world.publish_lists().await;
    assert_eq!(his.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(hers.get("/api/v1/me").await.body["name"], "김철수");
    assert_eq!(world.desktops.closed().len(), 1);
    assert_eq!(world.record("identity.end-revoked").await.len(), 1);
    // Reading the same list again finds nothing more to end.
    world.publish_lists().await;
    assert_eq!(world.record("identity.end-revoked").await.len(), 1);
}

#[tokio::test]
async fn a_stale_list_is_used_for_its_grace_and_then_refused() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    // A week until nextUpdate, and a day of grace.
    world.clock.advance(Seconds::hours(24 * 7 + 23));
    assert_eq!(
        world
            .log_on(&mut world.browser(), &hong.identity)
            .await
            .status
            .as_u16(),
        200
    );
    world.clock.advance(Seconds::hours(2));
    let answer = world.log_on(&mut world.browser(), &hong.identity).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (503, "identity.crl-stale")
    );
    world.publish_lists().await;
    assert_eq!(
        world
            .log_on(&mut world.browser(), &hong.identity)
            .await
            .status
            .as_u16(),
        200
    );
}

#[tokio::test]
async fn without_a_list_nobody_logs_on_and_a_stored_one_survives_a_restart() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    for name in ["root.crl", "people.crl"] {
        std::fs::remove_file(world.lists.path().join(name)).unwrap();
    }
    world.identity.refresh_revocations().await.unwrap();
    assert!(
        world
            .identity
            .list_status()
            .iter()
            .all(|list| list.error.is_some() && list.next_update.is_some())
    );
    assert_eq!(
        world
            .log_on(&mut world.browser(), &hong.identity)
            .await
            .status
            .as_u16(),
        200
    );
    // Another portal on the same database has what this one stored.
    let config = World::config(&world.pki, &world.lists);
    let second = world.portal(config, &world.database.db, &world.entropy).await;
    assert_eq!(second.trust().crl_facts().len(), 2);
    // A database that never saw one has none.
    let empty = World::new().await;
    let config = World::config(&empty.pki, &world.lists);
    let fresh = naru_testkit::TestDatabase::open().await;
    let bare = empty.portal(config, &fresh.db, &empty.entropy).await;
    let person = empty
        .pki
        .issue(&demo_person("홍"), empty.clock.now(), empty.entropy.as_ref())
        .unwrap();
    let issued = bare.challenge().unwrap();
    let (sign, issuing) = (&person.sign, empty.pki.issuing.certificate.as_slice());
    let signed = demo::sign_cms(
        &issued.bytes,
        &sign.certificate,
        &[issuing],
        &sign.key,
        empty.clock.now(),
    );
    let refused = bare.log_on(&signed.unwrap(), &client().into()).await.unwrap_err();
    assert_eq!(naru_runtime::Fails::code(&refused), "identity.revocation-unknown");
}

#[tokio::test]
async fn a_list_that_is_forged_cut_or_older_changes_nothing() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let before = world.identity.trust().crl_facts();
    let [_, people] = world.pki.crls(world.clock.now() - Seconds(60)).unwrap();
    let mut forged = people.clone();
    *forged.last_mut().unwrap() ^= 1;
    for bytes in [
        forged,
        people[..people.len() / 2].to_vec(),
        b"nonsense".to_vec(),
        Vec::new(),
        people,
    ] {
        std::fs::write(world.lists.path().join("people.crl"), bytes).unwrap();
        world.identity.refresh_revocations().await.unwrap();
        assert_eq!(world.identity.trust().crl_facts(), before);
    }
    assert_eq!(
        world
            .log_on(&mut world.browser(), &hong.identity)
            .await
            .status
            .as_u16(),
        200
    );
}

#[tokio::test]
async fn a_list_is_fetched_over_http() {
    let world = World::new().await;
    let [root, people] = world.pki.crls(world.clock.now()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new()
        .route("/root.crl", axum::routing::get(move || async move { root }))
        .route("/people.crl", axum::routing::get(move || async move { people }));
    let server = naru_runtime::Tasks::new();
    let shutdown = server.shutdown();
    server.spawn(async move {
        let served =
            axum::serve(listener, router).with_graceful_shutdown(async move { shutdown.requested().await });
        drop(served.await);
    });
    let mut config = World::config(&world.pki, &world.lists);
    config.revocation_lists = ["root.crl", "people.crl", "missing.crl"]
        .iter()
        .map(|name| format!("http://{address}/{name}"))
        .chain(["ldap://localhost/x".to_owned()])
        .collect();
    let fresh = naru_testkit::TestDatabase::open().await;
    let identity = world.portal(config, &fresh.db, &world.entropy).await;
    identity.refresh_revocations().await.unwrap();
    assert_eq!(identity.trust().crl_facts().len(), 2);
    let failed: Vec<bool> = identity
        .list_status()
        .iter()
        .map(|list| list.error.is_some())
        .collect();
    assert_eq!(failed, [false, false, true, true]);
    assert!(server.stop().await);
}

#[tokio::test]
async fn another_accepted_authority_cannot_speak_for_a_person_known_by_the_first() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    world.log_on(&mut world.browser(), &hong.identity).await;
    // A second authority is accepted as well, and writes the same names: issuer, subject, everything.
    let now = world.clock.now();
    let options = demo::DemoOptions {
        keys: KeyKind::P256,
        ..demo::DemoOptions::default()
    };
    let other = demo::make(now, world.entropy.as_ref(), &[demo_person("홍길동")], options).unwrap();
    let mut config = World::config(&world.pki, &world.lists);
    config.profiles.push(naru_pki::Profile {
        name: "other".to_owned(),
        ..other.profile()
    });
    for (name, list) in ["other-root.crl", "other-people.crl"]
        .into_iter()
        .zip(other.crls(now).unwrap())
    {
        let path = world.lists.path().join(name);
        std::fs::write(&path, list).unwrap();
        config.revocation_lists.push(path.display().to_string());
    }
    let portal = world.portal(config, &world.database.db, &world.entropy).await;
    portal.refresh_revocations().await.unwrap();
    let log_on = async |identity: &demo::DemoIdentity, issuing: &[u8]| {
        let issued = portal.challenge().unwrap();
        let signed = demo::sign_cms(
            &issued.bytes,
            &identity.sign.certificate,
            &[issuing],
            &identity.sign.key,
            now,
        );
        portal.log_on(&signed.unwrap(), &client().into()).await
    };
    let refused = log_on(&other.people[0], &other.issuing.certificate)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "identity.other-authority");
    assert_eq!(
        world.record("identity.log-on").await.last().unwrap().outcome,
        "refused"
    );
    assert!(
        log_on(&hong.identity, &world.pki.issuing.certificate)
            .await
            .is_ok()
    );
}
