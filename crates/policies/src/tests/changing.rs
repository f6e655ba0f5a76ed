//! Making, editing and switching rules.

use naru_kernel::access::Label;
use naru_runtime::Fails as _;
use serde_json::json;

use super::world::{OTHER, OWN, PLATFORM, World, administrator, application, code, form, question};
use crate::{EDIT, Error, ListQuery, TURN_OFF, model::Origin, rules::Refusal};

const NOBODY: &str = "forbid (principal, action, resource);";
const ALL: &str = "permit (principal, action, resource);";

#[tokio::test]
async fn a_rule_that_forbids_is_weakened_by_two() {
    let world = World::new().await;
    let admin = administrator(100, OWN);
    let rule = world.rule(OWN, "닫음", NOBODY).await;
    let asked = question(OWN, application(1, OWN, Label::O));
    assert!(!world.decide(asked.clone()).await.0);
    let (action, _, detail) = world.newest(OWN).await;
    assert_eq!(
        (action.as_str(), &detail["before"]),
        ("policies.create", &json!(null))
    );
    assert_eq!(detail["after"]["text"], NOBODY);

    let off = world
        .policies
        .turn_off(&admin, rule, &world.client)
        .await
        .unwrap();
    assert!(!off.done && off.approval.is_some());
    assert_eq!(world.newest(OWN).await.0, "policies.ask-to-turn-off");
    assert!(!world.decide(asked.clone()).await.0, "only asked");
    let again = world.policies.turn_off(&admin, rule, &world.client).await;
    assert_eq!(code(again), "policies.already-asked");
    let (action, outcome, detail) = world.newest(OWN).await;
    assert_eq!(
        (action.as_str(), outcome.as_str()),
        ("policies.ask-to-turn-off", "refused")
    );
    assert!(detail.to_string().contains("policies.already-asked"), "{detail}");
    assert!(world.agree().await);
    assert!(world.decide(asked.clone()).await.0);
    let (_, _, detail) = world.newest(OWN).await;
    assert_eq!(
        (&detail["before"]["on"], &detail["after"]["on"]),
        (&json!(true), &json!(false))
    );

    // While it is off nobody is kept out: it is edited and switched on at once.
    let mut edit = form("다시 닫음", NOBODY);
    edit.version = Some(2);
    assert!(
        world
            .policies
            .edit(&admin, rule, &edit, &world.client)
            .await
            .unwrap()
            .done
    );
    assert!(
        world
            .policies
            .turn_on(&admin, rule, &world.client)
            .await
            .unwrap()
            .done
    );
    assert_eq!(
        code(world.policies.turn_on(&admin, rule, &world.client).await),
        "policies.already-so"
    );
    assert!(!world.decide(asked.clone()).await.0);

    edit.text = "forbid (principal, action, resource) when { context.hour == 3 };".to_owned();
    assert_eq!(
        code(world.policies.edit(&admin, rule, &edit, &world.client).await),
        "policies.changed-meanwhile"
    );
    edit.version = Some(4);
    let asked_to_edit = world
        .policies
        .edit(&admin, rule, &edit, &world.client)
        .await
        .unwrap();
    assert!(!asked_to_edit.done);
    assert_eq!(world.pretend.asked.lock().unwrap().last().unwrap().kind, EDIT);
    assert!(world.agree().await);
    assert!(world.decide(asked).await.0);

    let detail = world.policies.look(&admin, rule).await.unwrap();
    let versions: Vec<_> = detail
        .versions
        .iter()
        .map(|one| (one.version, one.on, one.agreed_by.is_some()))
        .collect();
    assert_eq!(
        versions,
        [
            (5, true, true),
            (4, true, false),
            (3, false, false),
            (2, false, true),
            (1, true, false)
        ]
    );
}

#[tokio::test]
async fn what_was_asked_of_another_version_is_not_done() {
    let world = World::new().await;
    let admin = administrator(100, OWN);
    let rule = world.rule(OWN, "닫음", NOBODY).await;
    world
        .policies
        .turn_off(&admin, rule, &world.client)
        .await
        .unwrap();
    let mut edit = form("다르게 닫음", NOBODY);
    edit.version = Some(1);
    world
        .policies
        .edit(&admin, rule, &edit, &world.client)
        .await
        .unwrap();
    assert!(world.agree().await, "the edit");
    assert_eq!(world.pretend.asked.lock().unwrap().last().unwrap().kind, TURN_OFF);
    assert!(!world.agree().await, "the rule is no longer what it was");
    assert!(!world.decide(question(OWN, application(1, OWN, Label::O))).await.0);
}

#[tokio::test]
async fn what_only_permits_is_changed_at_once() {
    let world = World::new().await;
    let admin = administrator(100, OWN);
    let rule = world.rule(OWN, "엶", ALL).await;
    assert!(
        world
            .policies
            .turn_off(&admin, rule, &world.client)
            .await
            .unwrap()
            .done
    );
    assert_eq!(world.newest(OWN).await.0, "policies.turn-off");
}

#[tokio::test]
async fn bad_forms_are_refused_and_recorded() {
    let world = World::new().await;
    let admin = administrator(100, OWN);
    let made = world
        .policies
        .create(
            &admin,
            &form(
                "틀림",
                "forbid (principal, action, resource) when { context.our > 3 };",
            ),
            &world.client,
        )
        .await;
    let Err(Error::Refused(Refusal::Text(mistakes))) = made else {
        panic!("{made:?}")
    };
    assert!(mistakes.first().unwrap().message.contains("our"), "{mistakes:?}");
    let (action, outcome, detail) = world.newest(OWN).await;
    assert_eq!(
        (action.as_str(), outcome.as_str()),
        ("policies.create", "refused")
    );
    assert!(detail.to_string().contains("policies.mistakes"), "{detail}");
    let nameless = world
        .policies
        .create(&admin, &form(" ", ALL), &world.client)
        .await;
    assert_eq!(code(nameless), "policies.malformed-field");
    let long = world
        .policies
        .create(&admin, &form(&"가".repeat(101), ALL), &world.client)
        .await;
    assert_eq!(code(long), "policies.malformed-field");
    let platform = administrator(100, PLATFORM);
    let permits = world
        .policies
        .create(&platform, &form("엶", ALL), &world.client)
        .await;
    assert_eq!(code(permits), "policies.platform-permits");
    let mut worker = admin.clone();
    worker.grants.clear();
    assert_eq!(
        code(
            world
                .policies
                .create(&worker, &form("엶", ALL), &world.client)
                .await
        ),
        "policies.denied"
    );
    assert!(world.policies.check(&admin, ALL).unwrap().is_empty());
    assert_eq!(world.policies.check(&admin, "permit").unwrap().len(), 1);
}

#[tokio::test]
async fn another_ministry_sees_and_changes_nothing() {
    let world = World::new().await;
    let rule = world.rule(OWN, "닫음", NOBODY).await;
    let theirs = world
        .rule(
            PLATFORM,
            "모두에게",
            "forbid (principal, action, resource) when { context.hour == 4 };",
        )
        .await;
    let other = administrator(200, OTHER);
    let list = world.policies.list(&other, &ListQuery::default()).await.unwrap();
    assert_eq!((list.items.len(), list.total), (0, 0));
    assert_eq!(list.built_in.len(), crate::cedar::base::BASE.len());
    let shown: Vec<_> = list
        .platform
        .iter()
        .map(|row| (row.id.clone(), row.origin, row.changed_by))
        .collect();
    assert_eq!(shown, [(theirs.to_string(), Origin::Platform, None)]);
    assert_eq!(
        world.policies.look(&other, rule).await.unwrap_err().code(),
        "policies.no-such-policy"
    );
    assert_eq!(
        code(world.policies.turn_off(&other, rule, &world.client).await),
        "policies.no-such-policy"
    );
    assert_eq!(
        code(world.policies.turn_on(&other, theirs, &world.client).await),
        "policies.no-such-policy"
    );
    let mut edit = form("뺏음", ALL);
    edit.version = Some(1);
    assert_eq!(
        code(world.policies.edit(&other, rule, &edit, &world.client).await),
        "policies.no-such-policy"
    );
}

#[tokio::test]
async fn lists_are_paged_and_searched() {
    let world = World::new().await;
    let admin = administrator(100, OWN);
    for number in 0..5 {
        world.rule(OWN, &format!("규칙 {number}% Rule"), ALL).await;
    }
    let query = ListQuery {
        limit: Some(2),
        ..ListQuery::default()
    };
    let page = world.policies.list(&admin, &query).await.unwrap();
    assert_eq!((page.items.len(), page.total), (2, 5));
    let after = page.next.unwrap().parse().unwrap();
    let query = ListQuery {
        limit: Some(200),
        after: Some(after),
        ..ListQuery::default()
    };
    let page = world.policies.list(&admin, &query).await.unwrap();
    assert_eq!((page.items.len(), page.next), (3, None));
    for (search, found) in [("3% rULE", 1), ("%", 5), ("_", 0), ("없음", 0)] {
        let query = ListQuery {
            search: Some(search.to_owned()),
            ..ListQuery::default()
        };
        assert_eq!(
            world.policies.list(&admin, &query).await.unwrap().total,
            found,
            "{search}"
        );
    }
}

#[tokio::test]
async fn every_statement_is_understood() {
    let world = World::new().await;
    for statement in crate::statements() {
        world.database.db.prepare(statement).await.unwrap();
    }
}
