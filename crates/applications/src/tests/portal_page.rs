//! The person's portal page.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::{
    Actor, ApplicationId, Seconds, Zone,
    access::{AccessDecision, Assurance, Resource},
    fleet,
};

use super::world::{World, form, link, ministry};
use crate::{
    Error, Refusal,
    answers::PortalPage,
    model::{ApplicationState, AudienceKind, DesktopSettings, OidcSettings, Protocol, Words},
    rules::form::{ApplicationForm, AudienceForm, IconForm},
};

/// A one-pixel PNG.
fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(13_u32.to_be_bytes());
    bytes.extend(b"IHDR");
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0, 0, 0, 0]);
    bytes.extend(b"IEND");
    bytes.extend([0; 4]);
    bytes
}

async fn add(world: &World, admin: &Actor, form: ApplicationForm) -> ApplicationId {
    world
        .applications
        .create(admin, form, &world.client)
        .await
        .unwrap()
        .id
}

fn offered(name: &str, kind: AudienceKind, to: &[u128]) -> ApplicationForm {
    ApplicationForm {
        audience: AudienceForm {
            kind,
            ministries: to.iter().map(|number| ministry(*number)).collect(),
        },
        ..link(name)
    }
}

fn grouped(name: &str, group: &str, place: i64) -> ApplicationForm {
    ApplicationForm {
        group: Words {
            ko: group.to_owned(),
            en: String::new(),
        },
        place,
        ..link(name)
    }
}

fn names(page: &PortalPage) -> Vec<String> {
    let tiles = page.groups.iter().flat_map(|group| &group.tiles);
    tiles.map(|tile| tile.name.clone()).collect()
}

async fn page(world: &World, actor: &Actor) -> PortalPage {
    world.applications.portal_page(actor, None).await.unwrap()
}

#[tokio::test]
async fn an_application_is_seen_by_those_it_is_offered_to_and_no_one_else() {
    let world = World::new().await;
    world.add_ministry(3).await;
    let admin = world.admin(1).await;
    let own = add(&world, &admin, offered("우리만", AudienceKind::Ministry, &[])).await;
    let all = add(&world, &admin, offered("모두", AudienceKind::Platform, &[])).await;
    let listed = add(&world, &admin, offered("둘에게", AudienceKind::Listed, &[2])).await;
    let people = [
        world.worker(1).await,
        world.worker(2).await,
        world.worker(3).await,
    ];
    let expected: [&[&str]; 3] = [&["둘에게", "모두", "우리만"], &["둘에게", "모두"], &["모두"]];
    for (person, expected) in people.iter().zip(expected) {
        let page = page(&world, person).await;
        assert_eq!(names(&page), expected, "{}", person.ministry);
        for id in [own, all, listed] {
            let seen = page
                .groups
                .iter()
                .any(|group| group.tiles.iter().any(|tile| tile.application == id));
            let opened = world.applications.open(person, id, &world.client).await;
            let marked = world
                .applications
                .set_favourite(person, id, true, &world.client)
                .await;
            assert_eq!(opened.is_ok(), seen, "what is not offered cannot be opened");
            assert_eq!(marked.is_ok(), seen, "nor marked");
            assert_eq!(world.applications.icon(person, id).await.is_ok(), seen);
        }
    }
    // Whose it is stands there for others only.
    let foreign = page(&world, &people[1]).await;
    assert_eq!(
        foreign.groups[0].tiles[0].ministry_name.as_deref(),
        Some("부처 1")
    );
    let at_home = page(&world, &people[0]).await;
    assert_eq!(at_home.groups[0].tiles[0].ministry_name, None);
    // An offer that is taken back is gone at once.
    let back = offered("둘에게", AudienceKind::Ministry, &[]);
    world
        .applications
        .change(&admin, listed, back, &world.client)
        .await
        .unwrap();
    assert_eq!(names(&page(&world, &people[1]).await), ["모두"]);
}

#[tokio::test]
async fn tiles_stand_under_their_headings_with_favourites_and_recent() {
    let world = World::new().await;
    let admin = world.admin(1).await;
    let mail = add(&world, &admin, grouped("메일", "소통", 2)).await;
    let sign = add(&world, &admin, grouped("결재", "업무", 1)).await;
    add(&world, &admin, grouped("일정", "소통", 3)).await;
    let paused = ApplicationForm {
        state: ApplicationState::Paused,
        ..grouped("옛 일정", "소통", 4)
    };
    let paused = add(&world, &admin, paused).await;
    let worker = world.worker(1).await;
    let apps = &world.applications;
    let before = page(&world, &worker).await;
    let headings: Vec<_> = before.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(headings, ["업무", "소통"]);
    assert_eq!(names(&before), ["결재", "메일", "일정"]);
    assert!(before.favourites.is_empty() && before.recent.is_empty());

    apps.set_favourite(&worker, mail, true, &world.client)
        .await
        .unwrap();
    for id in [mail, sign] {
        world.clock.advance(Seconds(1));
        let way = apps.open(&worker, id, &world.client).await.unwrap();
        assert_eq!(way.url, "https://board.example.go.kr/");
    }
    let after = page(&world, &worker).await;
    assert_eq!(after.favourites, [mail]);
    let recent: Vec<_> = after.recent.iter().map(|tile| tile.name.as_str()).collect();
    assert_eq!(recent, ["결재", "메일"]);
    // It is this person's alone.
    let colleague = page(&world, &world.worker(1).await).await;
    assert!(colleague.favourites.is_empty() && colleague.recent.is_empty());

    let found = apps.portal_page(&worker, Some("메")).await.unwrap();
    assert_eq!(names(&found), ["메일"]);
    apps.set_favourite(&worker, mail, false, &world.client)
        .await
        .unwrap();
    assert!(page(&world, &worker).await.favourites.is_empty());
    let refused = apps.open(&worker, paused, &world.client).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Paused))));
    assert_eq!(world.record(1).await[0].1, "refused");
    // Removing an application takes tiles and marks along.
    apps.remove(&admin, mail, &world.client).await.unwrap();
    assert_eq!(names(&page(&world, &worker).await), ["결재", "일정"]);
}

#[tokio::test]
async fn the_sites_rules_are_asked_with_all_that_is_known_and_obeyed() {
    let world = World::new().await;
    let admin = world.admin(1).await;
    let id = add(&world, &admin, link("게시판")).await;
    let worker = world.worker(1).await;
    let apps = &world.applications;
    world.rules_say(AccessDecision::Denied {
        because: vec!["휴일에는 닫는다".to_owned()],
        step_up: None,
    });
    let refused = apps.open(&worker, id, &world.client).await;
    assert!(matches!(
        refused,
        Err(Error::Refused(Refusal::Forbidden { because })) if because == ["휴일에는 닫는다"]
    ));
    let (action, outcome, detail) = world.record(1).await.remove(0);
    assert_eq!(
        (action.as_str(), outcome.as_str()),
        ("applications.open", "refused")
    );
    assert_eq!(detail["because"][0], "휴일에는 닫는다");
    let question = world.asked().remove(0);
    assert_eq!(question.assurance, Assurance::CertificateTotp);
    assert_eq!(question.unit, "기획조정실/정보화담당관");
    assert_eq!(question.address, "192.0.2.7");
    assert!(question.groups.contains("전자결재"));
    assert!(matches!(question.resource, Resource::Application { id: asked, .. } if asked == id));

    world.rules_say(AccessDecision::Denied {
        because: Vec::new(),
        step_up: Some(Assurance::CertificatePasskey),
    });
    let refused = apps.open(&worker, id, &world.client).await;
    assert!(matches!(
        refused,
        Err(Error::Refused(Refusal::StepUp(Assurance::CertificatePasskey)))
    ));
    assert!(page(&world, &worker).await.recent.is_empty());

    world.rules_say(AccessDecision::Allowed { because: Vec::new() });
    world.logon(&worker, |logon| logon.alive = false);
    let over = apps.open(&worker, id, &world.client).await;
    assert!(matches!(over, Err(Error::Refused(Refusal::Denied))));
}

#[tokio::test]
async fn each_kind_leads_where_it_should() {
    let world = World::new().await;
    let admin = world.admin(1).await;
    let worker = world.worker(1).await;
    let desktop = Protocol::Desktop(DesktopSettings {
        zone: Zone::business(),
        protocol: fleet::Protocol::Rfb,
    });
    let desktop = add(&world, &admin, form("데스크톱", desktop)).await;
    let settings = |start: Option<&str>| {
        Protocol::Oidc(Box::new(OidcSettings {
            redirect_uris: vec!["https://app.example.go.kr/cb".to_owned()],
            initiate_login_uri: start.map(str::to_owned),
            ..OidcSettings::default()
        }))
    };
    let start = settings(Some("https://app.example.go.kr/start?tenant=1"));
    let begins = add(&world, &admin, form("결재", start)).await;
    let does_not = add(&world, &admin, form("회계", settings(None))).await;
    let apps = &world.applications;
    let way = apps.open(&worker, desktop, &world.client).await.unwrap();
    assert_eq!(way.url, "#/desktop?zone=business&protocol=rfb");
    let way = apps.open(&worker, begins, &world.client).await.unwrap();
    assert_eq!(
        way.url,
        "https://app.example.go.kr/start?tenant=1&iss=https%3A%2F%2Fportal.example.go.kr"
    );
    let refused = apps.open(&worker, does_not, &world.client).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::NotOpenable))));
    let page = page(&world, &worker).await;
    let tiles: Vec<_> = page.groups.iter().flat_map(|group| &group.tiles).collect();
    // Addresses of clients are not the page's business: opening asks the rules.
    let urls: Vec<_> = tiles.iter().filter_map(|tile| tile.url.as_deref()).collect();
    assert_eq!(urls, ["#/desktop?zone=business&protocol=rfb"]);
}

#[tokio::test]
async fn a_tiles_own_picture_is_checked_and_served() {
    let world = World::new().await;
    let admin = world.admin(1).await;
    let worker = world.worker(1).await;
    let with = |icon: IconForm| ApplicationForm {
        icon,
        ..link("게시판")
    };
    let id = add(&world, &admin, with(IconForm::Png(STANDARD.encode(png())))).await;
    assert_eq!(world.applications.icon(&worker, id).await.unwrap(), Some(png()));
    let tile = page(&world, &worker).await.groups.remove(0).tiles.remove(0);
    assert!(
        tile.icon
            .unwrap()
            .starts_with(&format!("/api/v1/portal/icons/{id}?at="))
    );
    let kept = world
        .applications
        .change(&admin, id, with(IconForm::Keep), &world.client)
        .await
        .unwrap();
    assert!(kept.icon.starts_with("/api/"));
    for wrong in ["<svg/>", "GIF89a"] {
        let refused = world
            .applications
            .create(&admin, with(IconForm::Png(STANDARD.encode(wrong))), &world.client)
            .await;
        assert!(matches!(
            refused,
            Err(Error::Refused(Refusal::Field { field: "icon", .. }))
        ));
    }
    let named = world
        .applications
        .change(&admin, id, with(IconForm::Name("mail".to_owned())), &world.client)
        .await
        .unwrap();
    assert_eq!(named.icon, "mail");
    assert_eq!(world.applications.icon(&worker, id).await.unwrap(), None);
}
