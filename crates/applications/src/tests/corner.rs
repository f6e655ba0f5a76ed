//! A ministry's name, look and notices.

use naru_kernel::Seconds;
use serde_json::json;

use super::world::World;
use crate::{
    Error, Refusal,
    answers::ListQuery,
    model::Words,
    rules::corner::{LogoForm, LookForm, NoticeForm},
};

fn notice(title: &str) -> NoticeForm {
    NoticeForm {
        title: Words {
            ko: title.to_owned(),
            en: String::new(),
        },
        body: Words::default(),
        urgent: false,
        shown_from: None,
        shown_until: None,
    }
}

fn look(name: &str) -> LookForm {
    LookForm {
        name: Words {
            ko: name.to_owned(),
            en: "A Ministry".to_owned(),
        },
        colour: Some("#1A5FB4".to_owned()),
        logo: LogoForm::Keep,
    }
}

#[tokio::test]
async fn a_ministry_changes_its_own_name_and_look() {
    let world = World::new().await;
    let (ours, theirs) = (world.admin(1).await, world.admin(2).await);
    let apps = &world.applications;
    let changed = apps
        .change_ministry(&ours, look("새 부처"), &world.client)
        .await
        .unwrap();
    assert_eq!(changed.name.ko, "새 부처");
    assert_eq!(changed.colour.as_deref(), Some("#1a5fb4"));
    assert_eq!(apps.ministry(&theirs).await.unwrap().name.ko, "부처 2");
    let (_, _, detail) = world.record(1).await.remove(0);
    assert_eq!(
        detail["before"]["name"],
        json!({ "ko": "부처 1", "en": "Ministry 1" })
    );
    assert_eq!(detail["after"]["colour"], "#1a5fb4");
    for wrong in [
        LookForm {
            colour: Some("red".to_owned()),
            ..look("이름")
        },
        LookForm {
            logo: LogoForm::Png("PHN2Zy8+".to_owned()),
            ..look("이름")
        },
        look(""),
    ] {
        let refused = apps.change_ministry(&ours, wrong, &world.client).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::Field { .. }))));
        assert_eq!(world.record(1).await[0].1, "refused");
    }
    let worker = world.worker(1).await;
    let refused = apps.change_ministry(&worker, look("이름"), &world.client).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Denied))));
}

#[tokio::test]
async fn notices_hang_in_their_time_on_their_own_board() {
    let world = World::new().await;
    let (admin, worker, other) = (world.admin(1).await, world.worker(1).await, world.worker(2).await);
    let apps = &world.applications;
    let now = world.now();
    let first = apps
        .hang_notice(&admin, notice("점검"), &world.client)
        .await
        .unwrap();
    let later = NoticeForm {
        shown_from: Some(now + Seconds(60)),
        ..notice("내일")
    };
    apps.hang_notice(&admin, later, &world.client).await.unwrap();
    let urgent = NoticeForm {
        urgent: true,
        shown_until: Some(now + Seconds(30)),
        ..notice("긴급")
    };
    apps.hang_notice(&admin, urgent, &world.client).await.unwrap();
    let titles = async |actor| {
        let page = apps.portal_page(actor, None).await.unwrap();
        page.notices
            .into_iter()
            .map(|notice| notice.title)
            .collect::<Vec<_>>()
    };
    assert_eq!(titles(&worker).await, ["긴급", "점검"]);
    assert!(titles(&other).await.is_empty());
    world.clock.advance(Seconds(60));
    assert_eq!(titles(&worker).await, ["내일", "점검"]);

    let page = apps.notices(&admin, &ListQuery::default()).await.unwrap();
    assert_eq!((page.total, page.items[0].title.ko.as_str()), (3, "내일"));
    let some = ListQuery {
        search: Some("긴".to_owned()),
        limit: Some(1),
        sort: Some("shown".to_owned()),
        ..ListQuery::default()
    };
    assert_eq!(apps.notices(&admin, &some).await.unwrap().total, 1);

    let changed = apps
        .change_notice(&admin, first.id, notice("점검 끝"), &world.client)
        .await
        .unwrap();
    assert_eq!(changed.shown_from, first.shown_from);
    let (_, _, detail) = world.record(1).await.remove(0);
    assert_eq!(detail["before"], json!({ "title": { "ko": "점검" } }));
    let foreign = world.admin(2).await;
    let refused = apps.take_notice_down(&foreign, first.id, &world.client).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::NoSuchNotice))));
    apps.take_notice_down(&admin, first.id, &world.client)
        .await
        .unwrap();
    assert_eq!(titles(&worker).await, ["내일"]);
}
