//! A real TigerVNC behind the gateway: every encoding it has, and the clipboard in each direction.

use std::{
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use naru_kernel::fleet::{ClipboardPolicy, CloseReason};

use crate::{
    browser::{Browser, Heard},
    host::{Desk, Host, RFB_ANSWER},
    stage::{PATIENCE, Stage},
};

const PIXEL_FORMAT: &[u8] = &[
    0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0,
];
const EXTENDED_CLIPBOARD: i32 = i32::from_be_bytes([0xc0, 0xa1, 0xe5, 0xce]);
/// What noVNC 1.7 asks for besides the encodings of pictures.
const EXTENSIONS: [i32; 14] = [
    1,
    -26,
    -254,
    -223,
    -224,
    -258,
    -261,
    -308,
    -309,
    -312,
    -313,
    -307,
    EXTENDED_CLIPBOARD,
    0x574d_5664,
];

/// Whether these programs are here; says so when they are not.
#[expect(clippy::print_stderr, reason = "a skipped test says that it was skipped")]
pub(crate) fn can_run(test: &str, programs: &[&str]) -> bool {
    let is_there = |name: &str| {
        ["/usr/bin", "/usr/sbin", "/bin"]
            .iter()
            .any(|folder| std::path::Path::new(folder).join(name).exists())
    };
    match programs.iter().find(|program| !is_there(program)) {
        Some(missing) => {
            eprintln!("skipped: {test}: {missing} is not installed");
            false
        }
        None => true,
    }
}

static NEXT_DISPLAY: AtomicU32 = AtomicU32::new(0);

struct Desktop {
    server: Child,
    display: String,
    place: tempfile::TempDir,
    programs: Vec<Child>,
}

impl Desktop {
    fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        let socket = place.path().join("rfb.sock");
        let offset = NEXT_DISPLAY.fetch_add(1, Ordering::Relaxed);
        let display = format!(":{}", 200 + (std::process::id() % 500) * 20 + offset);
        let server = Command::new("Xtigervnc")
            .args([
                &display,
                "-rfbport=-1",
                "-SecurityTypes",
                "None",
                "-rfbunixmode",
                "0600",
                "-noreset",
            ])
            .args([
                "-geometry",
                "1280x800",
                "-depth",
                "24",
                "-nolisten",
                "tcp",
                "-AlwaysShared",
            ])
            .arg("-rfbunixpath")
            .arg(&socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..200 {
            if std::os::unix::net::UnixStream::connect(&socket).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            server,
            display,
            place,
            programs: Vec::new(),
        }
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("DISPLAY", &self.display)
            .env("HOME", self.place.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn run(&mut self, program: &str, arguments: &[&str]) {
        let child = self.command(program, arguments).spawn().unwrap();
        self.programs.push(child);
    }

    fn desk(&self) -> Desk {
        Desk::Rfb(self.place.path().join("rfb.sock"))
    }

    fn copy(&mut self, text: &str) {
        let mut xclip = self
            .command("xclip", &["-i", "-selection", "clipboard"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        xclip.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        xclip.wait().unwrap();
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in self.programs.iter_mut().chain([&mut self.server]) {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn encodings(list: &[i32]) -> Vec<u8> {
    let count = u16::try_from(list.len()).unwrap();
    let mut bytes = vec![2, 0];
    bytes.extend(count.to_be_bytes());
    bytes.extend(list.iter().flat_map(|encoding| encoding.to_be_bytes()));
    bytes
}

/// Through the handshake, up to the desktop's name.
async fn greet(browser: &mut Browser) -> String {
    assert_eq!(browser.exactly(12).await, b"RFB 003.008\n");
    browser.bytes(RFB_ANSWER).await;
    let security = browser.exactly(2 + 4).await;
    assert_eq!(security, [1, 1, 0, 0, 0, 0]);
    let init = browser.exactly(24).await;
    let length = u32::from_be_bytes(*init.last_chunk().unwrap());
    browser.bytes(PIXEL_FORMAT).await;
    String::from_utf8(browser.exactly(usize::try_from(length).unwrap()).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_a_real_server_draws_can_be_framed() {
    let needed = [
        "Xtigervnc",
        "xsetroot",
        "xfce4-terminal",
        "dbus-run-session",
        "xdotool",
    ];
    if !can_run("everything_a_real_server_draws_can_be_framed", &needed) {
        return;
    }
    let mut desktop = Desktop::start();
    let paint = "while :; do xsetroot -mod 9 5 -fg red -bg navy; xsetroot -solid gray; xsetroot -cursor_name \
                 watch; xdotool mousemove 300 300; sleep 0.1; xsetroot -cursor_name left_ptr; sleep 0.1; done";
    desktop.run("sh", &["-c", paint]);
    let list = "while :; do ls -la --color=always /usr/lib/*/ /usr/bin; sleep 0.3; done";
    desktop.run(
        "dbus-run-session",
        &["xfce4-terminal", "--disable-server", "-x", "sh", "-c", list],
    );
    let stage = Stage::new().await;
    let host = Host::start(&stage, desktop.desk()).await;
    for preferred in [7, 16, 5, 2, 0, -260] {
        let mut browser = Browser::desktop(&stage, &host.claims(&stage, 1)).await;
        assert!(!greet(&mut browser).await.is_empty());
        browser
            .bytes(&encodings(&[&[preferred], EXTENSIONS.as_slice()].concat()))
            .await;
        let mut watcher = Watcher {
            browser,
            seen: 0,
            tail: Vec::new(),
            agreed: false,
        };
        watcher.watch(Duration::from_secs(3)).await;
        assert!(
            watcher.seen > 20_000,
            "encoding {preferred}: only {} bytes",
            watcher.seen
        );
        watcher.agree().await;
    }
}

/// A browser that watches the screen as noVNC does.
struct Watcher {
    browser: Browser,
    seen: usize,
    tail: Vec<u8>,
    agreed: bool,
}

/// What is in a fence of ours, and in its answer.
const OUR_FENCE: [u8; 6] = [0xf3, 0x5c, 0x11, 0x7a, 0x9d, 0x42];

impl Watcher {
    const FENCE_BYTES: usize = 9;

    /// Reads once and answers the fences in it.
    async fn read(&mut self) {
        match self.browser.next().await {
            Heard::Bytes(bytes) => {
                self.seen += bytes.len();
                self.tail.extend(bytes);
            }
            other => panic!("{other:?} instead of pictures"),
        }
        self.agreed |= self
            .tail
            .windows(OUR_FENCE.len())
            .any(|window| window == OUR_FENCE);
        // Every one, or TigerVNC takes the way for congested.
        while let Some(at) = self
            .tail
            .windows(Self::FENCE_BYTES)
            .position(|window| window.starts_with(&[248, 0, 0, 0, 0x80, 0, 0]))
        {
            let payload_at = at + Self::FENCE_BYTES;
            let (flags, length) = (self.tail[payload_at - 2] & 3, self.tail[payload_at - 1]);
            let end = payload_at + usize::from(length);
            let Some(payload) = self.tail.get(payload_at..end) else {
                return;
            };
            self.browser
                .bytes(&[&[248, 0, 0, 0, 0, 0, 0, flags, length], payload].concat())
                .await;
            self.tail.drain(..end);
        }
        let old = self.tail.len().saturating_sub(200);
        self.tail.drain(..old);
    }

    /// Lets the host send as it likes, asks for whole pictures now and then, and resizes once.
    async fn watch(&mut self, length: Duration) {
        let (width, height) = ([5, 0x14], [3, 0x20]);
        let screen = [[0; 8].as_slice(), &width, &height, &[0; 4]].concat();
        let resize = [&[251, 0], width.as_slice(), &height, &[1, 0], &screen].concat();
        self.browser.bytes(&[150, 1, 0, 0, 0, 0, 5, 0x14, 3, 0x20]).await;
        let end = tokio::time::Instant::now() + length;
        for turn in 0_u32.. {
            if turn % 16 == 0 {
                self.browser.bytes(&[3, 0, 0, 0, 0, 0, 5, 0, 3, 32]).await;
            }
            if turn == 10 {
                self.browser.bytes(&resize).await;
            }
            self.read().await;
            if tokio::time::Instant::now() > end {
                break;
            }
        }
    }

    /// The answer to a fence of ours shows that, after all that, both ends agree where messages begin.
    async fn agree(&mut self) {
        let head = [248, 0, 0, 0, 0x80, 0, 0, 0, 6];
        self.browser.bytes(&[head.as_slice(), &OUR_FENCE].concat()).await;
        while !self.agreed {
            self.read().await;
        }
    }
}

const CAPS: u32 = 1 << 24;
const REQUEST: u32 = 1 << 25;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;
const TEXT: u32 = 1;

/// An extended clipboard message of the browser.
fn clip(flags: u32, content: &[u8]) -> Vec<u8> {
    let length = -4 - i32::try_from(content.len()).unwrap();
    [
        &[6, 0, 0, 0],
        length.to_be_bytes().as_slice(),
        &flags.to_be_bytes(),
        content,
    ]
    .concat()
}

/// Action, and the text if it carries one.
async fn clip_heard(browser: &mut Browser) -> (u32, String) {
    let header = browser.exactly(8).await;
    assert_eq!(header[0], 3, "only clipboard messages are asked for");
    let length = i32::from_be_bytes(*header.last_chunk().unwrap());
    assert!(length < 0, "the extended clipboard was agreed");
    let message = browser.exactly(usize::try_from(-length).unwrap()).await;
    let (flags, content) = message.split_first_chunk::<4>().unwrap();
    let action = u32::from_be_bytes(*flags) & 0xff00_0000;
    let mut text = Vec::new();
    if action == PROVIDE {
        // The stream has no end mark: it stops where the message does.
        drop(flate2::read::ZlibDecoder::new(content).read_to_end(&mut text));
        text.drain(..4);
    }
    (action, String::from_utf8(text).unwrap())
}

async fn clipboard_browser(stage: &Stage, host: &Host, policy: ClipboardPolicy) -> Browser {
    let mut claims = host.claims(stage, 1);
    claims.clipboard = policy;
    let mut browser = Browser::desktop(stage, &claims).await;
    greet(&mut browser).await;
    browser.bytes(&encodings(&[0, EXTENDED_CLIPBOARD])).await;
    let (action, _) = clip_heard(&mut browser).await;
    assert_eq!(action & CAPS, CAPS, "capabilities pass whatever the policy");
    browser
        .bytes(&clip(CAPS | REQUEST | NOTIFY | PROVIDE | TEXT, &[0; 4]))
        .await;
    browser
}

/// Copies in the desktop and looks whether the text reaches the browser.
async fn copies_out(desktop: &mut Desktop, browser: &mut Browser, text: &str) -> bool {
    desktop.copy(text);
    let told = async { while clip_heard(browser).await.0 != NOTIFY {} };
    let is_told = tokio::time::timeout(Duration::from_secs(2), told).await.is_ok();
    // Also without being told: a page might just ask.
    browser.bytes(&clip(REQUEST | TEXT, &[])).await;
    let provided = async {
        loop {
            if let (PROVIDE, text) = clip_heard(browser).await {
                return text;
            }
        }
    };
    match tokio::time::timeout(Duration::from_secs(2), provided).await {
        Ok(provided) => {
            assert!(is_told);
            assert_eq!(provided.trim_end_matches('\0'), text);
            true
        }
        Err(_) => {
            assert!(!is_told);
            false
        }
    }
}

/// Offers a text in the browser and looks whether a program of the desktop gets it.
async fn pastes_in(desktop: &Desktop, browser: &mut Browser, text: &str) -> bool {
    browser.bytes(&clip(NOTIFY | TEXT, &[])).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut xclip = desktop.command("timeout", &["4", "xclip", "-o", "-selection", "clipboard"]);
    let pasted = tokio::task::spawn_blocking(move || xclip.stdout(Stdio::piped()).output().unwrap());
    let asked = async { while clip_heard(browser).await.0 != REQUEST {} };
    if tokio::time::timeout(Duration::from_secs(2), asked).await.is_ok() {
        let content = format!("{text}\0");
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        deflated
            .write_all(&[length.as_slice(), content.as_bytes()].concat())
            .unwrap();
        browser
            .bytes(&clip(PROVIDE | TEXT, &deflated.finish().unwrap()))
            .await;
    }
    let pasted = tokio::time::timeout(PATIENCE, pasted).await.unwrap().unwrap();
    pasted.stdout == text.as_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_clipboard_crosses_only_where_the_policy_allows() {
    let needed = ["Xtigervnc", "xclip", "timeout"];
    if !can_run("a_real_clipboard_crosses_only_where_the_policy_allows", &needed) {
        return;
    }
    for (copy_out, paste_in) in [(true, true), (false, true), (true, false), (false, false)] {
        let mut desktop = Desktop::start();
        let stage = Stage::new().await;
        let host = Host::start(&stage, desktop.desk()).await;
        let mut browser = clipboard_browser(&stage, &host, ClipboardPolicy { copy_out, paste_in }).await;
        let out = copies_out(&mut desktop, &mut browser, "나가는 글").await;
        assert_eq!(out, copy_out, "copy out under {copy_out} {paste_in}");
        let inward = pastes_in(&desktop, &mut browser, "들어오는 글").await;
        assert_eq!(inward, paste_in, "paste in under {copy_out} {paste_in}");
        browser.leave().await;
        let report = stage.reported(|relay| relay.closed.is_some()).await;
        assert_eq!(report.closed, Some(CloseReason::Left));
    }
}
