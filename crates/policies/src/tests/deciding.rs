//! Who may open what.

use naru_kernel::{
    ApplicationId, MinistryId, PersonId, Role, Timestamp, Zone,
    access::{Assurance, Device, Label, Resource},
};
use naru_runtime::Fails as _;

use super::world::{MONDAY_TEN, OTHER, OWN, PLATFORM, World, administrator, application, code, question};
use crate::TryForm;

const NIGHT: &str = r#"forbid (principal, action == Action::"open", resource is Application)
when { context.hour < 8 || context.hour >= 20 }
unless { principal in Group::"당직" };"#;

#[tokio::test]
async fn built_in_rules_hold_without_any_other() {
    let world = World::new().await;
    let own = application(1, OWN, Label::S);
    assert_eq!(
        world.decide(question(OWN, own.clone())).await,
        (
            true,
            "부처에 제공된 것은 열 수 있음 · What is offered to the ministry may be opened (base.offered)"
                .to_owned(),
            None
        )
    );
    world.offer(2, OTHER, Label::S, &[OWN]);
    world.offer(3, OTHER, Label::S, &[]);
    assert!(
        world
            .decide(question(OWN, application(2, OTHER, Label::S)))
            .await
            .0
    );
    let foreign = world.decide(question(OWN, application(3, OTHER, Label::S))).await;
    assert!(
        !foreign.0 && foreign.1.contains("base.not-offered"),
        "{foreign:?}"
    );
    let nowhere = world.decide(question(OWN, application(4, OTHER, Label::S))).await;
    assert!(!nowhere.0, "{nowhere:?}");

    let secret = application(1, OWN, Label::C);
    let mut asked = question(OWN, secret);
    let weak = world.decide(asked.clone()).await;
    assert_eq!((weak.0, weak.2), (false, Some(Assurance::CertificatePasskey)));
    assert!(weak.1.contains("base.classified-needs-passkey"), "{weak:?}");
    asked.assurance = Assurance::CertificatePasskey;
    assert!(world.decide(asked.clone()).await.0);
    asked.zone = Some(Zone::internet());
    let internet = world.decide(asked.clone()).await;
    assert_eq!((internet.0, internet.2), (false, None));
    assert!(
        internet.1.contains("base.classified-not-by-internet"),
        "{internet:?}"
    );

    let desktop = Resource::Desktop {
        zone: Zone::business(),
        label: Label::S,
    };
    let mut asked = question(OWN, desktop);
    assert!(world.decide(asked.clone()).await.0);
    asked.actor.roles.remove(&Role::Worker);
    assert_eq!(
        world.decide(asked).await,
        (false, String::new(), None),
        "no rule allows it"
    );
}

#[tokio::test]
async fn hours_groups_and_versions() {
    let world = World::new().await;
    let other_portal = world.another_portal();
    let mut asked = question(OWN, application(1, OWN, Label::O));
    assert!(super::world::told(other_portal.decide(asked.clone()).await.unwrap()).0);
    let rule = world.rule(OWN, "야간 금지", NIGHT).await;
    assert!(world.decide(asked.clone()).await.0, "it is ten");
    asked.at = Timestamp::from_seconds(MONDAY_TEN + 11 * 3_600);
    assert!(world.decide(asked.clone()).await.0, "they are on duty");
    asked.groups.clear();
    let night = world.decide(asked.clone()).await;
    assert_eq!(night, (false, format!("야간 금지 ({rule} v1)"), None));
    let elsewhere = super::world::told(other_portal.decide(asked.clone()).await.unwrap());
    assert_eq!(elsewhere, night, "another portal hears of it at once");
    let mut foreign = asked.clone();
    foreign.actor.ministry = MinistryId::from_bits(OTHER);
    foreign.resource = application(7, OTHER, Label::O);
    assert!(
        world.decide(foreign).await.0,
        "the rules of one ministry are no other's"
    );
}

#[tokio::test]
async fn the_platforms_rules_hold_for_all_and_an_owners_for_its_applications() {
    let world = World::new().await;
    let devices = r#"forbid (principal, action, resource) when { context.device != "managed" };"#;
    let rule = world.rule(PLATFORM, "관리 기기만", devices).await;
    for ministry in [OWN, OTHER, PLATFORM] {
        let mut asked = question(ministry, application(1, ministry, Label::O));
        let refused = world.decide(asked.clone()).await;
        assert!(!refused.0 && refused.1.contains(&rule.to_string()), "{refused:?}");
        asked.device = Device::Managed;
        assert!(world.decide(asked).await.0);
    }
    // A group is a word of the ministry that made it: another cannot make itself an exception.
    let duty =
        r#"forbid (principal, action, resource is Application) unless { principal in Group::"당직" };"#;
    world.rule(OTHER, "당직만", duty).await;
    world.offer(2, OTHER, Label::O, &[OWN]);
    let mut asked = question(OWN, application(2, OTHER, Label::O));
    asked.device = Device::Managed;
    let refused = world.decide(asked.clone()).await;
    assert!(!refused.0 && refused.1.contains("당직만"), "{refused:?}");
    asked.resource = application(1, OWN, Label::O);
    assert!(
        world.decide(asked.clone()).await.0,
        "it is the owner's rule, for what is theirs"
    );
    asked.actor.ministry = MinistryId::from_bits(OTHER);
    asked.resource = application(2, OTHER, Label::O);
    assert!(
        world.decide(asked).await.0,
        "their own people are in their own group"
    );
}

#[tokio::test]
async fn what_cannot_be_judged_or_read_is_refused() {
    let world = World::new().await;
    let overflow = "permit (principal, action, resource) when { context.hour + 9223372036854775807 > 0 };";
    world.rule(OWN, "넘침", overflow).await;
    let asked = question(OWN, application(1, OWN, Label::O));
    assert_eq!(world.decide(asked.clone()).await, (false, String::new(), None));

    let world = World::new().await;
    world.rule(OWN, "망가짐", NIGHT).await;
    assert!(world.decide(asked.clone()).await.0);
    let broken = "UPDATE policies SET text = 'forbid nothing'; UPDATE policy_sets SET version = 99";
    naru_store::testing::raw(&world.database.url, broken)
        .await
        .unwrap();
    let refused = world.decide(asked).await;
    assert!(
        !refused.0 && refused.1.contains("policies.language"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_dry_run_tells_why_and_is_recorded() {
    let world = World::new().await;
    world.rule(OWN, "야간 금지", NIGHT).await;
    world.offer(1, OWN, Label::S, &[]);
    world.offer(3, OTHER, Label::S, &[]);
    let admin = administrator(100, OWN);
    let form = TryForm {
        person: PersonId::from_bits(5),
        application: Some(ApplicationId::from_bits(1)),
        zone: None,
        via_zone: None,
        at: Some(Timestamp::from_seconds(MONDAY_TEN + 12 * 3_600)),
        device: Device::Unknown,
        address: String::new(),
        assurance: None,
        draft: None,
    };
    let tried = world
        .policies
        .try_out(&admin, &form, &world.client)
        .await
        .unwrap();
    assert!(tried.allowed, "they are on duty: {tried:?}");
    assert_eq!(
        (tried.hour, tried.weekday, tried.person.name.as_str()),
        (22, 1, "홍길동")
    );
    let (action, outcome, detail) = world.newest(OWN).await;
    assert_eq!((action.as_str(), outcome.as_str()), ("policies.try", "done"));
    assert_eq!(detail["allowed"], true);

    let draft = r#"forbid (principal, action, resource) when { principal.unit like "감사단/*" };"#;
    let with_draft = TryForm {
        draft: Some(draft.to_owned()),
        ..form.clone()
    };
    let tried = world
        .policies
        .try_out(&admin, &with_draft, &world.client)
        .await
        .unwrap();
    assert!(
        !tried.allowed && tried.because.iter().any(|one| one.name.ko == "초안"),
        "{tried:?}"
    );

    let (policies, admin, client) = (&world.policies, &admin, &world.client);
    let tries = |form: TryForm| async move { code(policies.try_out(admin, &form, client).await) };
    let stranger = TryForm {
        person: PersonId::from_bits(6),
        ..form.clone()
    };
    assert_eq!(tries(stranger).await, "policies.no-such-person");
    let foreign = TryForm {
        application: Some(ApplicationId::from_bits(3)),
        ..form.clone()
    };
    assert_eq!(tries(foreign).await, "policies.no-such-resource");
    let neither = TryForm {
        application: None,
        ..form.clone()
    };
    assert_eq!(tries(neither).await, "policies.malformed-field");
    let desktop = TryForm {
        application: None,
        zone: Some(Zone::business()),
        ..form.clone()
    };
    assert!(
        world
            .policies
            .try_out(admin, &desktop, client)
            .await
            .unwrap()
            .allowed
    );
    let worker = question(OWN, application(1, OWN, Label::O)).actor;
    let denied = world.policies.try_out(&worker, &form, &world.client).await;
    assert_eq!(denied.unwrap_err().code(), "policies.denied");
}
