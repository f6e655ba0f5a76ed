//! A real xrdp behind the gateway, up to its licence: it takes the mended handshake, and what it says passes the scanner.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use naru_kernel::fleet::{ClipboardPolicy, CloseReason, Protocol};

use crate::{
    browser::{Browser, Heard},
    host::{Desk, Host},
    rdp::{block, clean_path, client_info, connect_initial_of, tpkt},
    real_rfb::can_run,
    stage::{ORIGIN, Stage, free_address},
};

struct Xrdp {
    process: Child,
    address: SocketAddr,
    _place: tempfile::TempDir,
}

impl Xrdp {
    async fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["xrdp.naru.invalid".to_owned()]).unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let certificate = write("certificate.pem", &made.cert.pem());
        let key = write("key.pem", &made.signing_key.serialize_pem());
        let address = free_address();
        let log = place.path().join("xrdp.log");
        let config = write(
            "xrdp.ini",
            &format!(
                "[Globals]\nini_version=1\nfork=true\nport=tcp://{address}\nsecurity_layer=tls\ncrypt_level=high\n\
                 certificate={certificate}\nkey_file={key}\nssl_protocols=TLSv1.2, TLSv1.3\nautorun=Xorg\n\
                 allow_channels=true\nmax_bpp=32\nuse_fastpath=both\n[Logging]\nLogFile={}\nLogLevel=WARNING\n\
                 EnableSyslog=false\n[Channels]\ndrdynvc=true\ncliprdr=true\n[Xorg]\nname=Xorg\nlib=libxup.so\n\
                 username=ask\npassword=ask\nip=127.0.0.1\nport=-1\ncode=20\n",
                log.display()
            ),
        );
        let process = Command::new("xrdp")
            .args(["--nodaemon", "--config", &config])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self {
            process,
            address,
            _place: place,
        }
    }
}

impl Drop for Xrdp {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Core data of a client of 1024 x 768, otherwise as bare as IronRDP's web client has them.
fn core_data() -> Vec<u8> {
    let mut core = vec![0; 212];
    core[..8].copy_from_slice(&[4, 0, 8, 0, 0, 4, 0, 3]);
    // Secure access sequence; postBeta2ColorDepth; product; no error information; TLS was chosen.
    core[10..12].copy_from_slice(&[0x03, 0xaa]);
    core[128..132].copy_from_slice(&[1, 0xca, 1, 0]);
    core[208] = 1;
    block(0xc001, &core)
}

/// The next PDU, which must be on the slow path.
async fn pdu(browser: &mut Browser) -> Vec<u8> {
    let header = browser.exactly(4).await;
    assert_eq!(header[0], 3, "a slow-path PDU");
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    [header, browser.exactly(length - 4).await].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_xrdp_is_reached_and_takes_the_mended_handshake() {
    if !can_run("a_real_xrdp_is_reached_and_takes_the_mended_handshake", &["xrdp"]) {
        return;
    }
    let xrdp = Xrdp::start().await;
    let stage = Stage::new().await;
    let host = Host::start(
        &stage,
        Desk::Rdp(xrdp.address, "naru-hong".to_owned(), "once".to_owned()),
    )
    .await;
    let mut claims = host.claims(&stage, 1);
    claims.protocol = Protocol::Rdp;
    claims.clipboard = ClipboardPolicy {
        copy_out: false,
        paste_in: true,
    };
    let mut browser = Browser::connect(&stage, "/relay/v1/rdp", Some(ORIGIN))
        .await
        .unwrap();
    browser.bytes(&clean_path(&stage.sign(&claims))).await;
    let Heard::Bytes(response) = browser.next().await else {
        panic!("no response")
    };
    let response = ironrdp_rdcleanpath::RDCleanPathPdu::from_der(&response).unwrap();
    assert_eq!(
        (
            response.error,
            response.server_cert_chain.map(|chain| chain.len())
        ),
        (None, Some(1))
    );

    browser.bytes(&connect_initial_of(&core_data())).await;
    let answer = pdu(&mut browser).await;
    assert_eq!(answer[7..9], [0x7f, 0x66], "a connect response");
    browser.bytes(&tpkt(&[4, 1, 0, 1, 0])).await;
    browser.bytes(&tpkt(&[0x28])).await;
    let attached = pdu(&mut browser).await;
    assert_eq!(attached[7..9], [0x2e, 0], "attached");
    let user = [attached[9], attached[10]];
    let user_channel = (u16::from_be_bytes(user) + 1_001).to_be_bytes();
    for channel in [user_channel, [3, 0xeb], [3, 0xec], [3, 0xed]] {
        browser
            .bytes(&tpkt(&[&[0x38], user.as_slice(), &channel].concat()))
            .await;
        let joined = pdu(&mut browser).await;
        assert_eq!(joined[7..9], [0x3e, 0], "joined {channel:?}");
    }
    browser.bytes(&client_info()).await;
    // It took the account and asks for a licence (flag 0x80 in the security header).
    let licence = pdu(&mut browser).await;
    assert_eq!(licence[15] & 0x80, 0x80, "{licence:?}");
    browser.leave().await;
    let report = stage.reported(|relay| relay.closed.is_some()).await;
    assert_eq!(report.closed, Some(CloseReason::Left));
}
