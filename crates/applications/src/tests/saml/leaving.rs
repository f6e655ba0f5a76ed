//! Logging out: from the service provider, from the portal, and by a revocation.

use naru_kernel::{Actor, Seconds};
use naru_runtime::Caller;
use naru_sso::saml::{
    Answer, Incoming, LogoutRequest, MessageKind, NameId, NameIdFormat, OutgoingLogoutRequest,
    OutgoingLogoutResponse, Status, redirect_address,
};
use naru_testkit::SeededEntropy;

use super::{KEY, Provider, element, refusal};
use crate::{
    Closed, Refusal,
    model::SsoStep,
    service::saml::Onward,
    tests::world::{ORIGIN, World},
};

fn at(url: &str) -> Result<Incoming, naru_sso::saml::Refusal> {
    Incoming::from_redirect(url.split_once('?').unwrap().1)
}

impl Provider<'_> {
    fn here(&self) -> Answer<'_> {
        Answer {
            issuer: &self.entity_id,
            destination: LOGOUT,
            in_response_to: None,
            at: self.world.now(),
        }
    }

    /// Asks the portal to end the session of this answer.
    async fn ask(&self, xml: &str) -> Result<Onward, crate::Error> {
        let name = NameId {
            format: NameIdFormat::Persistent,
            value: element(xml, "NameID").to_owned(),
            for_service_provider: Some(self.entity_id.clone()),
        };
        let index = xml
            .split_once("SessionIndex=\"")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0
            .to_owned();
        let request = OutgoingLogoutRequest {
            answer: self.here(),
            name_id: &name,
            session_indexes: &[index],
            not_after: self.world.now() + Seconds(60),
        };
        let (_, xml) = request.unsigned(&SeededEntropy::new(self.world.now().as_micros().unsigned_abs()));
        let url = redirect_address("https://x/", MessageKind::Request, &xml, Some("back"), &KEY.key).unwrap();
        self.world
            .applications
            .saml_logout(at(&url), &self.world.client)
            .await
    }

    /// Answers a request of the portal.
    async fn left(&self, request: &str, failure: Option<Status>) -> Result<Onward, crate::Error> {
        let incoming = at(request).unwrap();
        let read = LogoutRequest::read(&incoming).unwrap();
        let response = OutgoingLogoutResponse {
            answer: Answer {
                in_response_to: Some(read.id()),
                ..self.here()
            },
            failure,
        };
        let xml = response.unsigned(&SeededEntropy::new(5));
        let url = redirect_address(
            "https://x/",
            MessageKind::Response,
            &xml,
            incoming.relay_state(),
            &KEY.key,
        );
        self.world
            .applications
            .saml_logout(at(&url.unwrap()), &self.world.client)
            .await
    }
}

const LOGOUT: &str = "https://portal.example.go.kr/sso/saml/logout";

async fn log_off(world: &World, actor: &Actor) {
    let act = naru_store::Act {
        at: world.now(),
        action: "identity.log-off",
        by: naru_store::By::Person(actor.person, actor.logon),
        ministry: Some(actor.ministry),
        subject: String::new(),
        address: None,
    };
    let (applications, logon, now) = (
        std::sync::Arc::clone(&world.applications),
        actor.logon,
        world.now(),
    );
    let ended = world
        .database
        .db
        .change::<_, naru_store::Error, _>(act, move |tx| {
            Box::pin(async move { applications.logon_ended_in(tx, Closed::Logon(logon), now).await })
        });
    ended.await.unwrap();
}

/// A step of the browser, with the cookie it was given.
async fn go(world: &World, url: &str, cookie: &mut Option<String>) -> Result<Onward, crate::Error> {
    let handle = url
        .strip_prefix("/sso/saml/logout/")
        .unwrap_or_else(|| panic!("{url}"));
    let (onward, fresh) = world
        .applications
        .saml_leave_on(handle, cookie.as_deref())
        .await?;
    if fresh.is_some() {
        *cookie = fresh;
    }
    Ok(onward)
}

fn to(onward: Onward) -> String {
    match onward {
        Onward::To(url) => url,
        Onward::Partial(names) => panic!("{names:?}"),
    }
}

async fn states(world: &World) -> Vec<String> {
    world
        .lines("SELECT state AS line FROM saml_sessions ORDER BY state")
        .await
}

#[tokio::test]
async fn a_service_provider_logs_the_person_out_of_the_others() {
    let world = World::new().await;
    assert!(LOGOUT.starts_with(ORIGIN));
    let one = Provider::new(&world, "one.example", |_| ()).await;
    let two = Provider::new(&world, "two.example", |_| ()).await;
    let worker = world.worker(1).await;
    let xml = one.sign_on(&worker).await;
    two.sign_on(&worker).await;
    let page = to(one.ask(&xml).await.unwrap());
    let handle = page.strip_prefix("/#/sso/").unwrap();
    // Who knows the handle, as the service provider does, cannot go on with it.
    let page = format!("/sso/saml/logout/{handle}");
    assert_eq!(
        refusal(go(&world, &page, &mut None).await.map(to)),
        Refusal::NoSuchRequest
    );
    // In another's browser nothing is logged off, and nothing is told of others.
    let other = world.worker(1).await;
    let step = one.step(handle, Some(&other)).await.unwrap();
    let SsoStep::Go { url } = step else {
        panic!("{step:?}");
    };
    let straight = to(go(&world, &url, &mut None).await.unwrap());
    assert!(
        straight.starts_with("https://one.example/logout?SAMLResponse="),
        "{straight}"
    );
    let step = one.step(handle, Some(&worker)).await.unwrap();
    let SsoStep::LogOut { ask, url, .. } = step else {
        panic!("{step:?}");
    };
    assert!(!ask);
    log_off(&world, &worker).await;
    let mut cookie = None;
    let next = to(go(&world, &url, &mut cookie).await.unwrap());
    assert!(
        next.starts_with("https://two.example/logout?SAMLRequest="),
        "{next}"
    );
    let back = to(two.left(&next, None).await.unwrap());
    assert_eq!(back, url);
    // Two saw the handle as the relay state, but has not the browser's cookie.
    for thief in [None, Some("x".to_owned())] {
        assert_eq!(
            refusal(go(&world, &url, &mut thief.clone()).await.map(to)),
            Refusal::NoSuchRequest
        );
    }
    let done = to(go(&world, &back, &mut cookie).await.unwrap());
    assert!(
        done.starts_with("https://one.example/logout?SAMLResponse=") && done.contains("RelayState=back"),
        "{done}"
    );
    assert_eq!(states(&world).await, ["told", "told"]);
    // An answer once more, and the chain once more: over.
    assert_eq!(
        refusal(two.left(&next, None).await.map(to)),
        Refusal::NoSuchRequest
    );
    assert_eq!(
        refusal(go(&world, &url, &mut cookie).await.map(to)),
        Refusal::NoSuchRequest
    );
}

#[tokio::test]
async fn a_logout_that_is_not_whole_says_so() {
    let world = World::new().await;
    let one = Provider::new(&world, "one.example", |_| ()).await;
    let mute = Provider::new(&world, "mute.example", |settings| {
        settings.logout_endpoints.clear()
    })
    .await;
    let worker = world.worker(1).await;
    one.sign_on(&worker).await;
    mute.sign_on(&worker).await;
    let url = world.applications.saml_leave(&worker).await.unwrap().unwrap();
    log_off(&world, &worker).await;
    let mut cookie = None;
    let next = to(go(&world, &url, &mut cookie).await.unwrap());
    assert!(next.starts_with("https://one.example/logout?"), "{next}");
    let back = to(one.left(&next, Some(Status::RequestDenied)).await.unwrap());
    match go(&world, &back, &mut cookie).await.unwrap() {
        Onward::Partial(names) => {
            let korean: Vec<&str> = names.iter().map(|[korean, _]| korean.as_str()).collect();
            assert_eq!(korean, ["one.example", "mute.example"]);
        }
        Onward::To(url) => panic!("{url}"),
    }
    assert_eq!(states(&world).await, ["untold", "untold"]);
}

#[tokio::test]
async fn nobody_ends_the_sessions_of_another_service_provider() {
    let world = World::new().await;
    let one = Provider::new(&world, "one.example", |_| ()).await;
    let two = Provider::new(&world, "two.example", |_| ()).await;
    let worker = world.worker(1).await;
    let xml = one.sign_on(&worker).await;
    // Two knows one's name for the person and the session's index, and signs with a key that one and two share.
    let page = to(two.ask(&xml).await.unwrap());
    assert_eq!(states(&world).await, ["open"]);
    let handle = page.strip_prefix("/#/sso/").unwrap();
    let step = two.step(handle, Some(&worker)).await.unwrap();
    assert!(
        matches!(step, SsoStep::Go { .. }),
        "the portal's session stays: {step:?}"
    );
}

#[tokio::test]
async fn an_unsolicited_answer_is_refused() {
    let world = World::new().await;
    let one = Provider::new(&world, "one.example", |_| ()).await;
    let worker = world.worker(1).await;
    one.sign_on(&worker).await;
    let response = OutgoingLogoutResponse {
        answer: Answer {
            in_response_to: Some("_nothing"),
            ..one.here()
        },
        failure: None,
    };
    let xml = response.unsigned(&SeededEntropy::new(5));
    for relay in [None, Some("no-such-handle")] {
        let url = redirect_address("https://x/", MessageKind::Response, &xml, relay, &KEY.key).unwrap();
        let answer = world.applications.saml_logout(at(&url), &world.client).await;
        assert_eq!(refusal(answer.map(to)), Refusal::NoSuchRequest);
    }
    // One for a chain that waits for another answer.
    let url = world.applications.saml_leave(&worker).await.unwrap().unwrap();
    let handle = url.strip_prefix("/sso/saml/logout/").unwrap();
    to(go(&world, &url, &mut None).await.unwrap());
    let url = redirect_address("https://x/", MessageKind::Response, &xml, Some(handle), &KEY.key).unwrap();
    let answer = world.applications.saml_logout(at(&url), &world.client).await;
    assert_eq!(refusal(answer.map(to)), Refusal::NoSuchRequest);
    assert_eq!(states(&world).await, ["open"]);
}

#[tokio::test]
async fn a_revocation_ends_what_is_open_and_nothing_new_begins() {
    let world = World::new().await;
    let one = Provider::new(&world, "one.example", |_| ()).await;
    let worker = world.worker(1).await;
    one.sign_on(&worker).await;
    let handle = one.send(&one.request("", "")).await.unwrap();
    log_off(&world, &worker).await;
    world.logon(&worker, |logon| logon.alive = false);
    assert_eq!(states(&world).await, ["ending"]);
    assert_eq!(refusal(one.step(&handle, Some(&worker)).await), Refusal::Denied);
    let caller = Caller::Anyone;
    let step = world
        .applications
        .step(&handle, &caller, &world.client)
        .await
        .unwrap();
    assert!(matches!(step, SsoStep::SignOn { .. }), "{step:?}");
}
