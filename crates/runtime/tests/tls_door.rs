//! The door, the client and the node's name in its certificate, over real TLS on loopback.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{sync::Arc, time::Duration};

use naru_kernel::{HostId, fleet::NodeRole};
use naru_runtime::{
    Access, Json, NodeCaller, Route, Routes, Tasks,
    http_client::{ClientError, HttpsClient},
    tls::{self, Credentials},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::ClientConfig;

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let certificate = params.self_signed(&key).unwrap();
    Authority {
        pem: certificate.pem(),
        issuer: Issuer::new(params, key),
    }
}

fn issue(authority: &Authority, uri: Option<&str>) -> Credentials {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    if let Some(uri) = uri {
        params
            .subject_alt_names
            .push(SanType::URI(uri.try_into().unwrap()));
    }
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    Credentials::from_pem(&certificate.pem(), &key.serialize_pem()).unwrap()
}

fn client(authority: &Authority, credentials: Option<Credentials>) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(tls::roots(&authority.pem).unwrap());
    Arc::new(match credentials {
        Some(own) => builder.with_client_auth_cert(own.chain, own.key).unwrap(),
        None => builder.with_no_client_auth(),
    })
}

#[tokio::test]
async fn a_node_is_known_by_its_certificate_and_others_are_refused() {
    let ours = authority();
    let node = HostId::from_bits(42);
    let config = tls::server(
        issue(&ours, None),
        Some(tls::allow_client(&ours.pem).unwrap()),
        &["http/1.1"],
    )
    .unwrap();
    let (router, _) = Routes::new()
        .route(
            Route::post("/who", Access::Node, "who"),
            async |caller: NodeCaller, _: Json<()>| Json((caller.role, caller.node)),
        )
        .with_state(())
        .finish();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let tasks = Tasks::new();
    tasks.spawn(tls::serve(
        listener,
        Arc::new(move |_| Arc::clone(&config)),
        router,
        tasks.shutdown(),
    ));
    let limit = Duration::from_secs(10);

    let uri = tls::node_uri(NodeRole::Gateway, node);
    let mut known = HttpsClient::new(&address, client(&ours, Some(issue(&ours, Some(&uri))))).unwrap();
    for _ in 0..2 {
        let answer: (NodeRole, HostId) = known.post("/who", &(), limit).await.unwrap();
        assert_eq!(answer, (NodeRole::Gateway, node));
    }

    let mut nameless = HttpsClient::new(&address, client(&ours, None)).unwrap();
    let refused = nameless.post::<_, ()>("/who", &(), limit).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(problem) if problem.code == "runtime.not-a-node"));

    let theirs = authority();
    let mut forged = HttpsClient::new(&address, client(&ours, Some(issue(&theirs, Some(&uri))))).unwrap();
    assert!(matches!(
        forged.post::<_, ()>("/who", &(), limit).await,
        Err(ClientError::Unreachable { .. })
    ));

    drop((known, nameless, forged));
    assert!(tasks.stop().await, "the door closes in time");
}
