//! RDP through the gateway, with a scripted RDP server that ends its own TLS inside the tunnel.

use std::net::SocketAddr;

use ironrdp_rdcleanpath::RDCleanPathPdu;
use naru_kernel::fleet::{ClipboardPolicy, CloseReason, Protocol};
use naru_relay::{rdp::CONNECTION_REQUEST, ticket::Claims};
use naru_runtime::tls::{self, Credentials};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    browser::{Browser, Heard, goodbye},
    host::{Desk, Host},
    stage::{ORIGIN, PATIENCE, Stage, free_address, until},
};

const ACCOUNT: &str = "naru-hong";
const PASSWORD: &str = "once-Qx7";
const IO: u16 = 1003;
const CLIPBOARD: u16 = 1004;

/// A server's PDUs go in at one end and the browser's come out of the other.
struct Server {
    address: SocketAddr,
    heard: mpsc::Receiver<Vec<u8>>,
    says: mpsc::Sender<Vec<u8>>,
}

impl Server {
    async fn start(stage: &Stage) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (heard_sender, heard) = mpsc::channel(16);
        let (says, says_receiver) = mpsc::channel(16);
        stage.tasks.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            drop(serve(stream, &heard_sender, says_receiver).await);
        });
        Self { address, heard, says }
    }

    async fn heard(&mut self) -> Vec<u8> {
        tokio::time::timeout(PATIENCE, self.heard.recv())
            .await
            .unwrap()
            .unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    heard: &mpsc::Sender<Vec<u8>>,
    mut says: mpsc::Receiver<Vec<u8>>,
) -> std::io::Result<()> {
    let mut request = [0; 19];
    stream.read_exact(&mut request).await?;
    assert_eq!(request, CONNECTION_REQUEST);
    stream
        .write_all(&[3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 1, 0, 0, 0])
        .await?;
    let made = rcgen::generate_simple_self_signed(vec!["xrdp.naru.invalid".to_owned()]).unwrap();
    let credentials = Credentials::from_pem(&made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
    let server = tls::server(credentials, None, &[]).unwrap();
    let mut stream = TlsAcceptor::from(server).accept(stream).await?;
    loop {
        tokio::select! {
            pdu = read_pdu(&mut stream) => drop(heard.send(pdu?).await),
            Some(pdu) = says.recv() => {
                stream.write_all(&pdu).await?;
                stream.flush().await?;
            }
        }
    }
}

/// Cancelled only between PDUs: each is sent whole.
async fn read_pdu(stream: &mut TlsStream<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut pdu = vec![0; 4];
    stream.read_exact(&mut pdu).await?;
    let length = usize::from(u16::from_be_bytes([pdu[2], pdu[3]]));
    pdu.resize(length, 0);
    stream.read_exact(&mut pdu[4..]).await?;
    Ok(pdu)
}

pub(crate) fn tpkt(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(7 + body.len()).unwrap().to_be_bytes();
    [&[3, 0], length.as_slice(), &[2, 0xf0, 0x80], body].concat()
}

fn ber(tag: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [tag, &[0x82], &length, content].concat()
}

pub(crate) fn block(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + content.len()).unwrap();
    [kind.to_le_bytes().as_slice(), &length.to_le_bytes(), content].concat()
}

fn per(length: usize) -> [u8; 2] {
    (u16::try_from(length).unwrap() | 0x8000).to_be_bytes()
}

fn connect(tag: u8, before: &[u8], gcc: &[u8], key: &[u8], blocks: &[u8]) -> Vec<u8> {
    let inner = [gcc, key, &per(blocks.len()), blocks].concat();
    let user_data = [&[0, 5, 0, 0x14, 0x7c, 0, 1], per(inner.len()).as_slice(), &inner].concat();
    tpkt(&ber(&[0x7f, tag], &[before, &ber(&[4], &user_data)].concat()))
}

/// A connect initial with these core data and the channels `cliprdr` and `drdynvc`.
pub(crate) fn connect_initial_of(core: &[u8]) -> Vec<u8> {
    let channels = [
        &[2, 0, 0, 0],
        b"cliprdr\0\0\0\0\0".as_slice(),
        b"drdynvc\0\0\0\0\0",
    ]
    .concat();
    let blocks = [core, &block(0xc002, &[0; 8]), &block(0xc003, &channels)].concat();
    let before = [4, 1, 1, 4, 1, 1, 1, 1, 0xff, 0x30, 0, 0x30, 0, 0x30, 0];
    connect(0x65, &before, &[0, 8, 0, 0x10, 0, 1, 0xc0, 0], b"Duca", &blocks)
}

fn connect_initial() -> Vec<u8> {
    connect_initial_of(&block(0xc001, &[0; 212]))
}

fn connect_response() -> Vec<u8> {
    let blocks = [
        block(0x0c03, &[0xeb, 3, 2, 0, 0xec, 3, 0xed, 3]),
        block(0x0c02, &[0; 8]),
    ]
    .concat();
    let before = [10, 1, 0, 2, 1, 0, 0x30, 0];
    connect(
        0x66,
        &before,
        &[0x14, 0x76, 0x0a, 1, 1, 0, 1, 0xc0, 0],
        b"McDn",
        &blocks,
    )
}

fn data(choice: u8, channel: u16, user_data: &[u8]) -> Vec<u8> {
    let channel = channel.to_be_bytes();
    tpkt(
        &[
            &[choice << 2, 0, 6],
            channel.as_slice(),
            &[0x70],
            &per(user_data.len()),
            user_data,
        ]
        .concat(),
    )
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub(crate) fn client_info() -> Vec<u8> {
    let mut info = vec![0x40, 0, 0, 0, 0, 0, 0, 0, 0x33, 0, 0, 0];
    info.extend([0, 0, 6, 0, 2, 0, 0, 0, 0, 0]);
    for text in ["", "web", "x", "", ""] {
        info.extend(utf16(text));
        info.extend([0, 0]);
    }
    // Address family, address, directory, time zone, session, performance, no reconnect cookie.
    info.extend([2, 0, 2, 0, 0, 0, 2, 0, 0, 0]);
    info.extend([0; 172 + 4 + 4 + 2]);
    data(25, IO, &info)
}

fn formats(count: u32) -> Vec<u8> {
    let list = vec![13; usize::try_from(count).unwrap()];
    [
        &(8 + count).to_le_bytes(),
        [3, 0, 0, 0, 2, 0, 0, 0].as_slice(),
        &count.to_le_bytes(),
        &list,
    ]
    .concat()
}

pub(crate) fn clean_path(ticket: &str) -> Vec<u8> {
    let (destination, ticket) = ("elsewhere:3389".to_owned(), ticket.to_owned());
    let request = vec![3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0];
    RDCleanPathPdu::new_request(request, destination, ticket, None)
        .unwrap()
        .to_der()
        .unwrap()
}

async fn open(stage: &Stage, first: &[u8]) -> (Browser, Heard) {
    let mut browser = Browser::connect(stage, "/relay/v1/rdp", Some(ORIGIN))
        .await
        .unwrap();
    browser.bytes(first).await;
    let heard = browser.next().await;
    (browser, heard)
}

fn claims(stage: &Stage, host: &Host) -> Claims {
    let mut claims = host.claims(stage, 1);
    claims.protocol = Protocol::Rdp;
    claims.clipboard = ClipboardPolicy {
        copy_out: false,
        paste_in: true,
    };
    claims
}

fn desk(server: SocketAddr) -> Desk {
    Desk::Rdp(server, ACCOUNT.to_owned(), PASSWORD.to_owned())
}

#[tokio::test]
async fn the_mends_and_the_clipboard_policy_hold_over_real_sockets() {
    let stage = Stage::new().await;
    let mut server = Server::start(&stage).await;
    let host = Host::start(&stage, desk(server.address)).await;
    let (mut browser, heard) = open(&stage, &clean_path(&stage.sign(&claims(&stage, &host)))).await;
    let Heard::Bytes(response) = heard else {
        panic!("{heard:?}")
    };
    let response = RDCleanPathPdu::from_der(&response).unwrap();
    assert_eq!(response.error, None);
    assert_eq!(response.server_cert_chain.map(|chain| chain.len()), Some(1));

    browser.bytes(&connect_initial()).await;
    let mended = server.heard().await;
    assert_eq!(mended.len(), connect_initial().len());
    let korean_layout = mended
        .windows(8)
        .any(|window| window == [0x12, 4, 0, 0, 0xbb, 0x47, 0, 0]);
    assert!(korean_layout, "layout and build stand side by side");
    server.says.send(connect_response()).await.unwrap();
    assert_eq!(browser.next().await, Heard::Bytes(connect_response()));

    browser.bytes(&tpkt(&[4, 1, 0, 1, 0])).await;
    assert_eq!(server.heard().await, tpkt(&[4, 1, 0, 1, 0]));
    browser.bytes(&client_info()).await;
    let info = server.heard().await;
    for text in [ACCOUNT, PASSWORD] {
        let text = utf16(text);
        assert!(info.windows(text.len()).any(|window| window == text));
    }
    assert!(!info.windows(6).any(|window| window == utf16("web")));

    // Two PDUs in one piece, the first a bare Deactivate All: two messages, the first padded.
    let bare = data(26, IO, &[6, 0, 0x16, 0, 0xeb, 3]);
    let fast = vec![0, 6, 1, 2, 3, 4];
    server.says.send([bare, fast.clone()].concat()).await.unwrap();
    let padded = data(26, IO, &[13, 0, 0x16, 0, 0xeb, 3, 0, 0, 0, 0, 1, 0, 0]);
    let Heard::Bytes(first) = browser.next().await else {
        panic!("no PDU")
    };
    assert_eq!(first.last_chunk::<13>(), padded.last_chunk::<13>());
    assert_eq!(browser.next().await, Heard::Bytes(fast));

    // What is copied in the desktop is announced as nothing; what the person copies is announced whole.
    server.says.send(data(26, CLIPBOARD, &formats(36))).await.unwrap();
    let Heard::Bytes(emptied) = browser.next().await else {
        panic!("no PDU")
    };
    assert!(
        emptied.ends_with(&[8, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
        "{emptied:?}"
    );
    browser.bytes(&data(25, CLIPBOARD, &formats(36))).await;
    assert_eq!(server.heard().await, data(25, CLIPBOARD, &formats(36)));

    browser.bytes(b"GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(browser.end().await, goodbye(CloseReason::ProtocolError));
    let request = host.seen.requests.lock().unwrap()[0].clone();
    assert!(request.width > 0 && request.height > 0);
}

/// The page is told twice: in the way the RDP client passes on, and in the goodbye.
async fn refused(stage: &Stage, first: &[u8], reason: CloseReason) {
    let (mut browser, heard) = open(stage, first).await;
    let Heard::Bytes(answer) = heard else {
        panic!("{heard:?}")
    };
    let error = RDCleanPathPdu::from_der(&answer).unwrap().error.unwrap();
    assert_eq!(error.http_status_code, Some(reason.close_code()));
    assert_eq!(browser.next().await, goodbye(reason));
}

#[tokio::test]
async fn a_refusal_reaches_the_page_in_a_way_the_rdp_client_passes_on() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, desk(free_address())).await;
    refused(&stage, &clean_path("a.b"), CloseReason::TicketRefused).await;
    let mut rfb = claims(&stage, &host);
    rfb.protocol = Protocol::Rfb;
    refused(&stage, &clean_path(&stage.sign(&rfb)), CloseReason::TicketRefused).await;
    refused(
        &stage,
        &clean_path(&stage.sign(&claims(&stage, &host))),
        CloseReason::HostLost,
    )
    .await;
    let full = Host::start(&stage, Desk::Refuse(CloseReason::HostFull)).await;
    refused(
        &stage,
        &clean_path(&stage.sign(&claims(&stage, &full))),
        CloseReason::HostFull,
    )
    .await;
    let whole = clean_path(&stage.sign(&claims(&stage, &host)));
    for length in [0, 1, 2, 40, whole.len() - 1] {
        refused(&stage, &whole[..length], CloseReason::ProtocolError).await;
    }
    until("relays are forgotten", || stage.gateway.relays() == 0).await;
}

#[tokio::test]
async fn a_server_that_does_not_agree_to_tls_is_not_relayed() {
    let stage = Stage::new().await;
    // Refuses TLS; wants its own encryption; is no RDP server; says nothing more.
    let answers: [&'static [u8]; 3] = [
        &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 3, 0, 8, 0, 5, 0, 0, 0],
        &[3, 0, 0, 11, 6, 0xd0, 0, 0, 0, 0, 0],
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ];
    for answer in answers {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        stage.tasks.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(answer).await.unwrap();
            drop(stream.read_to_end(&mut Vec::new()).await);
        });
        let host = Host::start(&stage, desk(address)).await;
        refused(
            &stage,
            &clean_path(&stage.sign(&claims(&stage, &host))),
            CloseReason::HostLost,
        )
        .await;
    }
}
