//! Signing on, from both sides.

use naru_kernel::{
    Seconds,
    access::{AccessDecision, Assurance},
};
use naru_runtime::Caller;

use super::{Provider, element, refusal};
use crate::{
    LogonMethod, Refusal,
    model::{NameIdFormat, SsoStep, StepUpReason},
    service::step::ConsentAnswer,
    tests::world::World,
};

#[tokio::test]
async fn an_assertion_says_who_for_whom_and_what_the_rule_releases() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let worker = world.worker(1).await;
    let request = sp.request("", "");
    let handle = sp.send(&request).await.unwrap();
    let step = sp.step(&handle, None).await.unwrap();
    assert!(matches!(step, SsoStep::SignOn { .. }), "{step:?}");
    let xml = sp.answer(sp.step(&handle, Some(&worker)).await.unwrap()).await;
    assert_eq!(element(&xml, "Audience"), "https://sp.example/metadata");
    assert_eq!(element(&xml, "AttributeValue"), "홍길동");
    assert!(
        xml.contains("gildong") && !xml.contains("전자결재"),
        "only what the rule releases: {xml}"
    );
    let id = request.split_once("ID=\"").unwrap().1.split_once('"').unwrap().0;
    assert_eq!(xml.matches(&format!("InResponseTo=\"{id}\"")).count(), 2);
    assert_eq!(xml.matches("https://sp.example/acs").count(), 2);
    assert!(element(&xml, "AuthnContextClassRef").ends_with(":SoftwarePKI"));
    // One request, one answer.
    assert_eq!(
        refusal(sp.step(&handle, Some(&worker)).await),
        Refusal::NoSuchRequest
    );
    let (action, outcome, detail) = world.record(1).await.remove(0);
    assert_eq!(
        (action.as_str(), outcome.as_str()),
        ("applications.saml-sign-on", "done")
    );
    assert_eq!(
        detail["attributes"],
        serde_json::json!(["displayName", "urn:oid:1.2"])
    );
}

#[tokio::test]
async fn names_last_and_do_not_tell_two_applications_of_one_person() {
    let world = World::new().await;
    let one = Provider::new(&world, "one.example", |_| ()).await;
    let two = Provider::new(&world, "two.example", |_| ()).await;
    let worker = world.worker(1).await;
    let name = |xml: &str| element(xml, "NameID").to_owned();
    let first = name(&one.sign_on(&worker).await);
    assert_eq!(name(&one.sign_on(&worker).await), first);
    assert_ne!(name(&two.sign_on(&worker).await), first);
    assert_ne!(name(&one.sign_on(&world.worker(1).await).await), first);
    // A transient one is another each time.
    let brief = Provider::new(&world, "brief.example", |settings| {
        settings.name_id = NameIdFormat::Transient
    })
    .await;
    assert_ne!(
        name(&brief.sign_on(&worker).await),
        name(&brief.sign_on(&worker).await)
    );
    let mail = Provider::new(&world, "mail.example", |settings| {
        settings.name_id = NameIdFormat::Email
    })
    .await;
    assert!(name(&mail.sign_on(&worker).await).ends_with("@example.go.kr"));
}

#[tokio::test]
async fn a_lasting_name_is_not_made_for_who_says_so() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let worker = world.worker(1).await;
    let policy = |allow: &str| {
        format!(
            "<samlp:NameIDPolicy Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" AllowCreate=\"{allow}\"/>"
        )
    };
    for (allow, good) in [("false", false), ("true", true), ("false", true)] {
        let handle = sp.send(&sp.request("", &policy(allow))).await.unwrap();
        let xml = sp.answer(sp.step(&handle, Some(&worker)).await.unwrap()).await;
        assert_eq!(xml.contains(":InvalidNameIDPolicy"), !good, "{allow}: {xml}");
        assert_eq!(xml.contains("<saml:Assertion"), good);
    }
}

#[tokio::test]
async fn what_a_request_asks_of_the_log_on_is_asked_of_the_person() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let worker = world.worker(1).await;
    let handle = sp.send(&sp.request("ForceAuthn=\"true\"", "")).await.unwrap();
    world.logon(&worker, |logon| {
        logon.authenticated_at = logon.authenticated_at - Seconds(60)
    });
    let step = sp.step(&handle, Some(&worker)).await.unwrap();
    assert!(
        matches!(
            step,
            SsoStep::StepUp {
                reason: StepUpReason::Login,
                ..
            }
        ),
        "{step:?}"
    );
    let now = world.now();
    world.logon(&worker, |logon| logon.authenticated_at = now);
    sp.answer(sp.step(&handle, Some(&worker)).await.unwrap()).await;

    let context = |class: &str| {
        format!(
            "<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>{class}</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
        )
    };
    let passkey = Assurance::CertificatePasskey.acr();
    let handle = sp.send(&sp.request("", &context(passkey))).await.unwrap();
    let step = sp.step(&handle, Some(&worker)).await.unwrap();
    let wanted = SsoStep::StepUp {
        assurance: Assurance::CertificatePasskey,
        reason: StepUpReason::Acr,
    };
    assert_eq!(step, wanted);
    world.logon(&worker, |logon| logon.assurance = Assurance::CertificatePasskey);
    let xml = sp.answer(sp.step(&handle, Some(&worker)).await.unwrap()).await;
    assert_eq!(element(&xml, "AuthnContextClassRef"), passkey);

    let card = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI";
    let handle = sp.send(&sp.request("", &context(card))).await.unwrap();
    let xml = sp.answer(sp.step(&handle, Some(&worker)).await.unwrap()).await;
    assert!(
        xml.contains("status:NoAuthnContext") && !xml.contains("<saml:Assertion"),
        "{xml}"
    );
    world.logon(&worker, |logon| logon.method = LogonMethod::Tls);
    let handle = sp.send(&sp.request("", &context(card))).await.unwrap();
    let xml = sp.answer(sp.step(&handle, Some(&worker)).await.unwrap()).await;
    assert_eq!(element(&xml, "AuthnContextClassRef"), card);
}

#[tokio::test]
async fn a_passive_request_shows_nothing() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let worker = world.worker(1).await;
    for actor in [None, Some(&worker)] {
        let force = if actor.is_some() {
            "ForceAuthn=\"true\""
        } else {
            ""
        };
        let handle = sp
            .send(&sp.request(&format!("IsPassive=\"true\" {force}"), ""))
            .await
            .unwrap();
        world.logon(&worker, |logon| {
            logon.authenticated_at = logon.authenticated_at - Seconds(60)
        });
        let xml = sp.answer(sp.step(&handle, actor).await.unwrap()).await;
        assert!(
            xml.contains("status:NoPassive") && !xml.contains("<saml:Assertion"),
            "{xml}"
        );
    }
    let handle = sp.send(&sp.request("IsPassive=\"true\"", "")).await.unwrap();
    assert!(
        sp.answer(sp.step(&handle, Some(&worker)).await.unwrap())
            .await
            .contains("<saml:Assertion")
    );
}

#[tokio::test]
async fn the_rules_of_the_site_decide() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let worker = world.worker(1).await;
    let handle = sp.send(&sp.request("", "")).await.unwrap();
    world.rules_say(AccessDecision::Denied {
        because: vec!["night".to_owned()],
        step_up: Some(Assurance::CertificatePasskey),
    });
    assert!(matches!(
        sp.step(&handle, Some(&worker)).await.unwrap(),
        SsoStep::StepUp { .. }
    ));
    world.rules_say(AccessDecision::Denied {
        because: vec!["night".to_owned()],
        step_up: None,
    });
    let step = sp.step(&handle, Some(&worker)).await.unwrap();
    let SsoStep::Denied { because, application } = step else {
        panic!("{step:?}");
    };
    assert_eq!(
        (because, application.name.as_str()),
        (vec!["night".to_owned()], "sp.example")
    );
    let (_, outcome, detail) = world.record(1).await.remove(0);
    assert_eq!(
        (outcome.as_str(), &detail["code"]),
        ("refused", &"applications.forbidden".into())
    );
    let caller = Caller::SignedIn(worker);
    let refused = world
        .applications
        .refuse_request(&handle, &caller, &world.client)
        .await
        .unwrap();
    assert!(sp.answer(refused).await.contains("status:RequestDenied"));
}

#[tokio::test]
async fn another_ministrys_application_asks_first() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let other = world.worker(2).await;
    let handle = sp.send(&sp.request("", "")).await.unwrap();
    let step = sp.step(&handle, Some(&other)).await.unwrap();
    let SsoStep::Consent { application, scopes } = step else {
        panic!("{step:?}");
    };
    assert_eq!(application.ministry_name, "부처 1");
    assert_eq!(
        scopes.iter().map(|scope| scope.name.as_str()).collect::<Vec<_>>(),
        ["name", "email"]
    );
    let answer = |agree, remember| ConsentAnswer { agree, remember };
    let no = world
        .applications
        .consent(&handle, &other, answer(false, false), &world.client)
        .await
        .unwrap();
    assert!(sp.answer(no).await.contains("status:RequestDenied"));
    for remember in [false, true] {
        let handle = sp.send(&sp.request("", "")).await.unwrap();
        assert!(matches!(
            sp.step(&handle, Some(&other)).await.unwrap(),
            SsoStep::Consent { .. }
        ));
        let yes = world
            .applications
            .consent(&handle, &other, answer(true, remember), &world.client)
            .await;
        assert!(sp.answer(yes.unwrap()).await.contains("<saml:Assertion"));
    }
    assert!(sp.sign_on(&other).await.contains("<saml:Assertion"), "remembered");
}

#[tokio::test]
async fn a_tile_begins_where_the_application_takes_it() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |settings| {
        settings.relay_state = Some("/first".to_owned())
    })
    .await;
    let strict = Provider::new(&world, "strict.example", |settings| {
        settings.allows_unasked = false
    })
    .await;
    let worker = world.worker(1).await;
    let way = world
        .applications
        .open(&worker, sp.id, &world.client)
        .await
        .unwrap();
    let xml = sp.answer_at(&way.url).await;
    assert!(
        xml.contains("<saml:Assertion") && !xml.contains("InResponseTo"),
        "{xml}"
    );
    let refused = world.applications.open(&worker, strict.id, &world.client).await;
    assert_eq!(refusal(refused), Refusal::NotOpenable);
}

#[tokio::test]
async fn a_key_is_replaced_in_two_steps() {
    let world = World::new().await;
    let apps = &world.applications;
    let certificates = |metadata: String| metadata.matches("<ds:X509Certificate>").count();
    let first = apps.saml_metadata().await.unwrap();
    assert_eq!(certificates(first.clone()), 1);
    assert_eq!(apps.saml_metadata().await.unwrap(), first);
    assert_eq!(
        refusal(apps.finish_saml_key_rotation().await),
        Refusal::NoSuchRequest
    );
    apps.begin_saml_key_rotation().await.unwrap();
    assert_eq!(refusal(apps.begin_saml_key_rotation().await), Refusal::TooMany);
    let both = apps.saml_metadata().await.unwrap();
    assert_eq!(certificates(both), 2);
    apps.finish_saml_key_rotation().await.unwrap();
    let second = apps.saml_metadata().await.unwrap();
    assert_eq!(certificates(second.clone()), 1);
    assert_ne!(second, first);
}
