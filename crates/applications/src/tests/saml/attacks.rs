//! Attacks by name: each is refused, with its code in the record, and nothing goes to the address in the message.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::Seconds;
use naru_sso::saml::{Incoming, format_instant};

use super::{Provider, refusal};
use crate::{Refusal, tests::world::World};

/// Whether a refusal for this reason stands in a record: the ministry's, or the platform's where nobody is known.
async fn recorded(world: &World, why: &str) -> bool {
    let lines = world
        .lines("SELECT detail AS line FROM audit WHERE outcome = 'refused'")
        .await;
    lines.iter().any(|line| {
        let detail: serde_json::Value = serde_json::from_str(line).unwrap();
        detail["why"] == why
    })
}

async fn post(world: &World, xml: &str) -> Refusal {
    let form = format!(
        "SAMLRequest={}",
        STANDARD.encode(xml).replace('+', "%2B").replace('=', "%3D")
    );
    refusal(
        world
            .applications
            .saml_begin(Incoming::from_post(&form), &world.client)
            .await,
    )
}

#[tokio::test]
async fn replay() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let request = sp.request("", "");
    sp.send(&request).await.unwrap();
    assert_eq!(refusal(sp.send(&request).await), Refusal::SamlReplayed);
    assert!(recorded(&world, "message-replayed").await);
    // The same number of another service provider is another message.
    let other = Provider::new(&world, "other.example", |_| ()).await;
    other
        .send(&request.replace(&sp.entity_id, &other.entity_id))
        .await
        .unwrap();
}

#[tokio::test]
async fn open_redirect() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let request = sp.request("AssertionConsumerServiceURL=\"https://evil.example/acs\"", "");
    assert_eq!(refusal(sp.send(&request).await), Refusal::SamlAddress);
    assert!(recorded(&world, "answer-address-unknown").await);
}

#[tokio::test]
async fn wrong_issuer_and_wrong_audience() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let unknown = sp
        .request("", "")
        .replace(&sp.entity_id, "https://nobody.example/metadata");
    assert_eq!(refusal(sp.send(&unknown).await), Refusal::SamlUnknown);
    assert!(recorded(&world, "issuer-unknown").await);
    let elsewhere = sp.request("", "").replace("/sso/saml/sign-on", "/sso/saml/other");
    assert_eq!(refusal(sp.send(&elsewhere).await), Refusal::SamlMessage);
    assert!(recorded(&world, "destination-other").await);
}

#[tokio::test]
async fn clock_off_by_ten_minutes() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let now = format_instant(world.now());
    for minutes in [-10, 10] {
        let off = format_instant(world.now() + Seconds::minutes(minutes));
        assert_eq!(
            refusal(sp.send(&sp.request("", "").replace(&now, &off)).await),
            Refusal::SamlTime
        );
        assert!(recorded(&world, "message-time").await);
    }
}

#[tokio::test]
async fn external_entities_and_expansion() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let xml = sp.request("", "");
    let external = format!("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{xml}");
    assert_eq!(post(&world, &external).await, Refusal::SamlMessage);
    assert!(recorded(&world, "message-document-type").await);
    let entity = xml.replace(&sp.entity_id, "&lol9;");
    assert_eq!(post(&world, &entity).await, Refusal::SamlMessage);
    assert!(recorded(&world, "message-entity").await);
}

#[tokio::test]
async fn signature_wrapping_and_stripping() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |settings| {
        settings.requires_signed_requests = true
    })
    .await;
    // Signed inside, whatever that signature is worth: it is not looked at, so the request is unsigned.
    let wrapped = sp.request(
        "",
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:Object>x</ds:Object></ds:Signature>",
    );
    assert_eq!(post(&world, &wrapped).await, Refusal::SamlSignature);
    assert!(recorded(&world, "message-unsigned").await);
    sp.send(&sp.request("", "")).await.unwrap();
}

#[tokio::test]
async fn comment_in_a_name() {
    let world = World::new().await;
    let sp = Provider::new(&world, "sp.example", |_| ()).await;
    let cut = sp
        .request("", "")
        .replace(".example/metadata", ".example<!-- -->/metadata");
    assert_eq!(post(&world, &cut).await, Refusal::SamlMessage);
    assert!(recorded(&world, "message-comment").await);
}

#[tokio::test]
async fn strangers_do_not_fill_the_record() {
    let world = World::new().await;
    for _ in 0..30 {
        post(&world, "<a/>").await;
    }
    let refused = world
        .lines("SELECT detail AS line FROM audit WHERE outcome = 'refused'")
        .await;
    assert!((1..=10).contains(&refused.len()), "{}", refused.len());
}
