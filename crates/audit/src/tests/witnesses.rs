//! Witnesses: a file, syslog, and another installation over TLS.

use std::sync::Arc;

use naru_kernel::{Role, Seconds};
use naru_runtime::{
    Client, Tasks,
    tls::{self, Credentials},
};
use tokio::net::{TcpListener, UdpSocket};

use super::{Scene, config, ministry};
use crate::{Checkpoint, Note, NoteKey, Signer, WitnessAnswer, WitnessConfig, witness_routes};

fn told(name: &str, address: String) -> WitnessConfig {
    WitnessConfig {
        name: name.to_owned(),
        address,
        key: String::new(),
        authority_file: None,
    }
}

fn nobody() -> Client {
    Client {
        address: "192.0.2.1".to_owned(),
        user_agent: String::new(),
    }
}

#[tokio::test]
async fn a_file_and_syslog_are_told_and_their_notes_verify() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoints");
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut config = config();
    config.witnesses = vec![
        told("disk", format!("file:{}", path.display())),
        told("log", format!("syslog+udp://{}", socket.local_addr().unwrap())),
        told(
            "gone",
            format!("file:{}/no/such/place", directory.path().display()),
        ),
    ];
    let scene = Scene::with(config).await;
    scene.write_many(2, 5).await;
    scene.note(&ministry(2)).await;
    assert_eq!(scene.audit.tell_witnesses().await.unwrap(), 2);
    assert_eq!(scene.audit.tell_witnesses().await.unwrap(), 0, "nothing is new");
    scene.write_many(2, 5).await;
    scene.note(&ministry(2)).await;
    scene.clock.advance(Seconds(10));
    assert_eq!(scene.audit.tell_witnesses().await.unwrap(), 2);
    let mut datagram = vec![0; 4_096];
    let length = socket.recv(&mut datagram).await.unwrap();
    let line = String::from_utf8(datagram[..length].to_vec()).unwrap();
    assert!(line.starts_with("<109>1 - - naru - checkpoint - "), "{line}");
    let notes = [
        Note::all_in(&std::fs::read_to_string(&path).unwrap()),
        Note::all_in(&line),
    ]
    .concat();
    assert_eq!(notes.len(), 3);
    assert!(scene.verified(notes.clone()).await.ok);
    scene.vandalise("DELETE FROM audit WHERE sequence > 7").await;
    let verification = scene.verified(notes).await;
    assert_eq!(
        verification.broken.map(|broken| (broken.sequence, broken.last)),
        Some((8, 10))
    );
    let status = scene
        .browser(Role::Auditor, 2)
        .get("/api/v1/audit/witnesses")
        .await;
    let items = status.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert_eq!((&items[0]["size"], &items[0]["newest"]), (&10.into(), &10.into()));
    assert_eq!(items[2]["size"], 0);
    assert_eq!(items[2]["failures"], 2);
    assert!(!items[2]["problem"].as_str().unwrap().is_empty());
}

/// A scene that witnesses the log of `key`, behind TLS: its address, its authority's certificate, its tasks.
async fn another(key: &NoteKey) -> (Scene, String, String, Tasks) {
    let mut config = config();
    config.name = "elsewhere.example".to_owned();
    config.witnessed = vec![key.to_string()];
    let scene = Scene::with(config).await;
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let credentials = Credentials::from_pem(&pair.cert.pem(), &pair.signing_key.serialize_pem()).unwrap();
    let server = tls::server(credentials, None, &[]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let (router, _) = witness_routes(Arc::clone(&scene.audit)).finish();
    let tasks = Tasks::new();
    let shutdown = tasks.shutdown();
    tasks.spawn(async move {
        tls::serve(listener, Arc::new(move |_| Arc::clone(&server)), router, shutdown).await;
    });
    (scene, address, pair.cert.pem(), tasks)
}

#[tokio::test]
async fn another_installation_cosigns_and_refuses_a_rewritten_record() {
    let directory = tempfile::tempdir().unwrap();
    // The key is known before the scene is: from its file.
    let key_file = directory.path().join("key");
    std::fs::write(&key_file, hex::encode([4; 32])).unwrap();
    let key = Signer::new("centre.example", &[4; 32]).unwrap().log_key();
    let (other, address, authority, tasks) = another(&key).await;
    let authority_file = directory.path().join("authority.pem");
    std::fs::write(&authority_file, authority).unwrap();
    let mut config = config();
    config.key_file = Some(key_file);
    config.witnesses = vec![WitnessConfig {
        name: "elsewhere".to_owned(),
        address: format!("https://{address}/witness/v1/checkpoint"),
        key: other.audit.witness_key().to_string(),
        authority_file: Some(authority_file),
    }];
    let scene = Scene::with(config).await;
    for count in [3, 300, 40] {
        scene.write_many(2, count).await;
        scene.note(&ministry(2)).await;
        assert_eq!(scene.audit.tell_witnesses().await.unwrap(), 1);
    }
    // A witness that was told without us knowing says where it stands.
    scene.vandalise("DELETE FROM audit_deliveries").await;
    scene.write_many(2, 1).await;
    scene.note(&ministry(2)).await;
    assert_eq!(scene.audit.tell_witnesses().await.unwrap(), 1);
    // The record is cut and grown anew: signed again, but the witness remembers.
    scene
        .vandalise(
            "DELETE FROM audit WHERE sequence > 300; \
             UPDATE audit_heads SET sequence = 300, hash = (SELECT hash FROM audit WHERE sequence = 300); \
             DELETE FROM audit_trees; DELETE FROM audit_nodes; DELETE FROM audit_checkpoints",
        )
        .await;
    scene.write_many(2, 60).await;
    scene.note(&ministry(2)).await;
    assert_eq!(scene.audit.tell_witnesses().await.unwrap(), 0);
    let status = scene
        .browser(Role::Auditor, 2)
        .get("/api/v1/audit/witnesses")
        .await;
    let problem = status.body["items"][0]["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("rewritten"), "{problem}");
    assert!(tasks.stop().await);
}

#[tokio::test]
async fn a_witness_judges_what_it_is_shown() {
    let log = Signer::new("centre.example", &[4; 32]).unwrap();
    let mut config = config();
    config.name = "elsewhere.example".to_owned();
    config.witnessed = vec![log.log_key().to_string()];
    let scene = Scene::with(config).await;
    let show = |old: u64, size: u64, root: u8, signer: &Signer, origin: &str| {
        let note = signer.sign(&Checkpoint {
            origin: origin.to_owned(),
            size,
            root: [root; 32],
        });
        format!("old {old}\n\n{note}")
    };
    let of = "centre.example/platform";
    let stranger = Signer::new("centre.example", &[5; 32]).unwrap();
    let judge = async |body: String| scene.audit.witness(&body, &nobody()).await.unwrap();
    assert_eq!(judge("old".to_owned()).await, WitnessAnswer::Malformed);
    assert_eq!(judge(show(6, 5, 1, &log, of)).await, WitnessAnswer::Malformed);
    assert_eq!(
        judge(show(0, 5, 1, &log, "other.example/platform")).await,
        WitnessAnswer::UnknownLog
    );
    assert_eq!(judge(show(0, 5, 1, &stranger, of)).await, WitnessAnswer::Unsigned);
    assert_eq!(judge(show(2, 5, 1, &log, of)).await, WitnessAnswer::Knows(0));
    let WitnessAnswer::Cosigned(line) = judge(show(0, 5, 1, &log, of)).await else {
        panic!("the first checkpoint is taken");
    };
    let note = show(0, 5, 1, &log, of).split_once("\n\n").unwrap().1.to_owned();
    let both = Note::read(&format!("{note}{line}")).unwrap();
    assert_eq!(scene.audit.witness_key().verify(&both), Ok(()));
    // The same again is fine; another of the same size is a fork, and kept.
    assert!(matches!(
        judge(show(5, 5, 1, &log, of)).await,
        WitnessAnswer::Cosigned(_)
    ));
    assert_eq!(judge(show(0, 5, 1, &log, of)).await, WitnessAnswer::Knows(5));
    assert_eq!(judge(show(5, 5, 2, &log, of)).await, WitnessAnswer::Inconsistent);
    assert_eq!(judge(show(5, 9, 2, &log, of)).await, WitnessAnswer::Inconsistent);
    let page = scene
        .browser(Role::Auditor, 1)
        .get("/api/v1/audit?action=audit.refuse-checkpoint")
        .await;
    assert_eq!(page.body["total"], 1);
    assert_eq!(page.body["items"][0]["subject"], of);
}
