//! Applications of a ministry: made, listed, changed, taken away, by its own administrators only.

use naru_kernel::{ApplicationId, Role};
use serde_json::json;

use super::world::{World, form, link, ministry};
use crate::{
    Error, Refusal,
    answers::ListQuery,
    model::{AudienceKind, ClientProof, OidcSettings, Protocol, SamlEndpoint, SamlSettings},
    rules::form::{ApplicationForm, AudienceForm},
};

fn oidc(settings: OidcSettings) -> Protocol {
    Protocol::Oidc(Box::new(OidcSettings {
        redirect_uris: vec!["https://app.example.go.kr/cb".to_owned()],
        ..settings
    }))
}

fn saml(entity_id: &str) -> Protocol {
    Protocol::Saml(Box::new(
        serde_json::from_value::<SamlSettings>(json!({
            "entity_id": entity_id,
            "assertion_consumers": [{ "url": "https://sp.example.go.kr/acs" }],
        }))
        .unwrap(),
    ))
}

fn refusal<T>(result: Result<T, Error>) -> Refusal {
    match result {
        Ok(_) => panic!("it was to be refused"),
        Err(Error::Refused(refusal)) => refusal,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_application_is_made_changed_and_taken_away_and_each_is_in_the_record() {
    let world = World::new().await;
    let admin = world.admin(1).await;
    let (apps, client) = (&world.applications, &world.client);
    let made = apps.create(&admin, link("게시판"), client).await.unwrap();
    assert_eq!(made.name.ko, "게시판");
    assert_eq!(made.endpoints.issuer, super::world::ORIGIN);

    let changed = ApplicationForm {
        place: 7,
        ..link("새 게시판")
    };
    let changed = apps.change(&admin, made.id, changed, client).await.unwrap();
    assert_eq!((changed.name.ko.as_str(), changed.place), ("새 게시판", 7));
    let (action, outcome, detail) = world.record(1).await.remove(0);
    assert_eq!(
        (action.as_str(), outcome.as_str()),
        ("applications.change-application", "done")
    );
    assert_eq!(
        detail["before"],
        json!({ "name": { "ko": "게시판" }, "place": 0 })
    );
    assert_eq!(
        detail["after"],
        json!({ "name": { "ko": "새 게시판" }, "place": 7 })
    );

    apps.remove(&admin, made.id, client).await.unwrap();
    let gone = refusal(apps.application(&admin, made.id).await);
    assert_eq!(gone, Refusal::NoSuchApplication);
    assert_eq!(world.record(1).await[0].0, "applications.remove-application");
}

#[tokio::test]
async fn another_ministrys_administrator_finds_nothing_there() {
    let world = World::new().await;
    let (ours, theirs) = (world.admin(1).await, world.admin(2).await);
    let (apps, client) = (&world.applications, &world.client);
    let everyones = ApplicationForm {
        audience: AudienceForm {
            kind: AudienceKind::Platform,
            ministries: Vec::new(),
        },
        ..link("게시판")
    };
    let id = apps.create(&ours, everyones, client).await.unwrap().id;
    let nothing = Refusal::NoSuchApplication;
    assert_eq!(refusal(apps.application(&theirs, id).await), nothing);
    assert_eq!(
        refusal(apps.change(&theirs, id, link("뺏음"), client).await),
        nothing
    );
    assert_eq!(refusal(apps.remove(&theirs, id, client).await), nothing);
    assert_eq!(refusal(apps.make_secret(&theirs, id, client).await), nothing);
    assert_eq!(apps.list(&theirs, &ListQuery::default()).await.unwrap().total, 0);
    assert_eq!(apps.application(&ours, id).await.unwrap().name.ko, "게시판");
    for role in [Role::Worker, Role::Operator, Role::Auditor] {
        let other = world.person(1, &[role]).await;
        assert_eq!(
            refusal(apps.application(&other, id).await),
            Refusal::Denied,
            "{role}"
        );
        assert_eq!(
            refusal(apps.create(&other, link("x"), client).await),
            Refusal::Denied,
            "{role}"
        );
    }
}

#[tokio::test]
async fn lists_are_searched_sorted_and_paged_in_the_tables() {
    let world = World::new().await;
    let admin = world.admin(1).await;
    let apps = &world.applications;
    for number in 0..12 {
        let name = format!("업무 {number:02}");
        apps.create(&admin, link(&name), &world.client).await.unwrap();
        world.clock.advance(naru_kernel::Seconds(1));
    }
    apps.create(&admin, form("문서_100%", saml("urn:documents")), &world.client)
        .await
        .unwrap();
    for (sort, first) in [
        ("name", "문서_100%"),
        ("-name", "업무 11"),
        ("changed", "업무 00"),
        ("-changed", "문서_100%"),
    ] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let query = ListQuery {
                limit: Some(5),
                after: after.clone(),
                sort: Some(sort.to_owned()),
                ..ListQuery::default()
            };
            let page = apps.list(&admin, &query).await.unwrap();
            assert_eq!(page.total, 13);
            seen.extend(page.items.into_iter().map(|row| row.name.ko));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen[0], first, "{sort}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 13, "{sort} shows each once");
    }
    let search = |text: &str| ListQuery {
        search: Some(text.to_owned()),
        ..ListQuery::default()
    };
    assert_eq!(apps.list(&admin, &search("_100%")).await.unwrap().total, 1);
    assert_eq!(apps.list(&admin, &search("업무 1")).await.unwrap().total, 2);
    let only = ListQuery {
        kind: Some(crate::model::ApplicationSort::Saml),
        ..ListQuery::default()
    };
    assert_eq!(apps.list(&admin, &only).await.unwrap().total, 1);
    let unknown = ListQuery {
        sort: Some("size".to_owned()),
        ..ListQuery::default()
    };
    assert!(matches!(
        refusal(apps.list(&admin, &unknown).await),
        Refusal::Field { field: "sort", .. }
    ));
}

#[tokio::test]
async fn a_secret_is_shown_once_and_only_its_hash_is_kept() {
    let world = World::new().await;
    let admin = world.admin(1).await;
    let (apps, client) = (&world.applications, &world.client);
    let id = apps
        .create(&admin, form("결재", oidc(OidcSettings::default())), client)
        .await
        .unwrap()
        .id;
    assert!(!apps.application(&admin, id).await.unwrap().has_secret);
    let first = apps.make_secret(&admin, id, client).await.unwrap().secret;
    let second = apps.make_secret(&admin, id, client).await.unwrap().secret;
    assert_ne!(first, second);
    assert_eq!(first.len(), 43, "256 random bits");
    let known = crate::store::applications::application_by_client_id(&world.database.db, &id.to_string())
        .await
        .unwrap()
        .unwrap();
    let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, second.as_bytes());
    assert_eq!(known.secret_sha256.as_deref(), Some(sha256.as_ref()));
    for sql in [
        "SELECT settings AS line FROM applications",
        "SELECT detail AS line FROM audit",
    ] {
        let all = world.lines(sql).await.join("\n");
        assert!(!all.contains(&first) && !all.contains(&second), "{sql}");
    }
    // A client that needs no secret any more has none.
    let public = oidc(OidcSettings {
        client_proof: ClientProof::None,
        ..OidcSettings::default()
    });
    let changed = apps
        .change(&admin, id, form("결재", public), client)
        .await
        .unwrap();
    assert!(!changed.has_secret);
    assert_eq!(
        refusal(apps.make_secret(&admin, id, client).await),
        Refusal::NoSecret
    );
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_its_field_and_recorded() {
    let world = World::new().await;
    let admin = world.admin(1).await;
    let (apps, client) = (&world.applications, &world.client);
    let redirect = |uri: &str| {
        let Protocol::Oidc(mut settings) = oidc(OidcSettings::default()) else {
            panic!("it is such a client");
        };
        settings.redirect_uris = vec![uri.to_owned()];
        form("결재", Protocol::Oidc(settings))
    };
    for uri in [
        "http://app.example.go.kr/cb",
        "https://app.example.go.kr/cb#here",
        "https://*.example.go.kr/cb",
        "javascript:alert(1)",
    ] {
        assert!(
            matches!(
                refusal(apps.create(&admin, redirect(uri), client).await),
                Refusal::Field {
                    field: "redirect_uris",
                    ..
                }
            ),
            "{uri}"
        );
    }
    apps.create(&admin, redirect("http://127.0.0.1:8080/cb"), client)
        .await
        .unwrap();
    let unlisted = ApplicationForm {
        audience: AudienceForm {
            kind: AudienceKind::Listed,
            ministries: vec![ministry(77)],
        },
        ..link("게시판")
    };
    assert_eq!(
        refusal(apps.create(&admin, unlisted, client).await),
        Refusal::NoSuchMinistry
    );
    let (action, outcome, detail) = world.record(1).await.remove(0);
    assert_eq!(
        (action.as_str(), outcome.as_str()),
        ("applications.create-application", "refused")
    );
    assert_eq!(detail["code"], "applications.no-such-ministry");
}

#[tokio::test]
async fn an_entity_identifier_is_one_applications_only() {
    let world = World::new().await;
    let (ours, theirs) = (world.admin(1).await, world.admin(2).await);
    let (apps, client) = (&world.applications, &world.client);
    let first = apps
        .create(&ours, form("하나", saml("https://sp.example.go.kr")), client)
        .await
        .unwrap();
    // Nor another ministry's: whoever had it first would get the other's assertions.
    let taken = refusal(
        apps.create(&theirs, form("둘", saml("https://sp.example.go.kr")), client)
            .await,
    );
    assert_eq!(taken, Refusal::EntityTaken);
    let other = apps
        .create(&theirs, form("둘", saml("https://other.example.go.kr")), client)
        .await
        .unwrap();
    let taken = refusal(
        apps.change(
            &theirs,
            other.id,
            form("둘", saml("https://sp.example.go.kr")),
            client,
        )
        .await,
    );
    assert_eq!(taken, Refusal::EntityTaken);
    let found =
        crate::store::applications::application_by_entity_id(&world.database.db, "https://sp.example.go.kr");
    assert_eq!(found.await.unwrap().unwrap().id, first.id);
    let kind = refusal(apps.change(&ours, first.id, link("하나"), client).await);
    assert_eq!(kind, Refusal::KindStays);
}

#[test]
fn a_service_provider_is_checked() {
    use crate::rules::form::Draft;
    let check = |change: fn(&mut SamlSettings)| {
        let Protocol::Saml(mut settings) = saml("urn:sp") else {
            panic!("it is one");
        };
        change(&mut settings);
        Draft::of(form("하나", Protocol::Saml(settings)), ministry(1))
            .map(drop)
            .map_err(|wrong| wrong.field)
    };
    assert_eq!(check(|_| ()), Ok(()));
    assert_eq!(check(|sp| sp.entity_id = "a b".to_owned()), Err("entity_id"));
    assert_eq!(
        check(|sp| sp.assertion_consumers.clear()),
        Err("assertion_consumers")
    );
    assert_eq!(
        check(|sp| sp.assertion_consumers.push(SamlEndpoint {
            url: "http://sp.example.go.kr/acs".to_owned(),
            index: 1
        })),
        Err("assertion_consumers")
    );
    assert_eq!(
        check(|sp| sp.wants_encrypted = true),
        Err("encryption_certificate")
    );
    assert_eq!(
        check(|sp| sp.requires_signed_requests = true),
        Err("signing_certificates")
    );
    assert_eq!(
        check(|sp| sp.signing_certificates = vec!["not base64!".to_owned()]),
        Err("signing_certificates")
    );
}

#[test]
fn a_client_identifier_is_the_applications_own() {
    let id = ApplicationId::from_bits(5);
    assert_eq!(crate::model::application_of_client(&id.to_string()), Some(id));
    for other in ["", "application_", "person_00000000000000000000000000000005"] {
        assert_eq!(crate::model::application_of_client(other), None);
    }
    assert_eq!(crate::model::application_of_client(&"a".repeat(1_000_000)), None);
}
