//! Ways to tell somebody outside how the record stands: a file on another disk, syslog, another installation.

use std::{io::Write as _, path::PathBuf, time::Duration};

use naru_runtime::{http_client::HttpsClient, tls};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpStream, UdpSocket, UnixDatagram},
    sync::Mutex,
};

use crate::{Error, Note, NoteKey, WitnessConfig};

/// How long a witness has to answer.
const ANSWER_SECONDS_MAX: u64 = 10;
/// RFC 5424: facility log audit (13), severity notice (5).
const SYSLOG_PRIORITY: u8 = 13 * 8 + 5;
/// What we call ourselves in syslog.
const SYSLOG_NAME: &str = "naru";

/// One witness.
pub(crate) struct Driver {
    name: String,
    way: Way,
}

/// How it is told.
pub(crate) enum Way {
    File(PathBuf),
    Syslog(SyslogDoor),
    Https(Box<HttpsDoor>),
}

pub(crate) enum SyslogDoor {
    Udp(String),
    Tcp(String),
    Unix(PathBuf),
}

/// What became of telling it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has it; and, from a witness that signs, its line.
    Taken {
        cosignature: String,
    },
    /// It knows another size than was supposed.
    Knows(u64),
    Failed(String),
}

impl Outcome {
    fn of<E: ToString>(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Taken {
                cosignature: String::new(),
            },
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

impl Way {
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Syslog(_) => "syslog",
            Self::Https(_) => "https",
        }
    }
}

impl Driver {
    pub(crate) fn new(config: &WitnessConfig) -> Result<Self, Error> {
        let wrong = |problem: String| Error::Witness {
            name: config.name.clone(),
            problem,
        };
        if config.name.is_empty() {
            return Err(wrong("it needs a name".to_owned()));
        }
        let address = config.address.as_str();
        let way = if let Some(path) = address.strip_prefix("file:") {
            Way::File(PathBuf::from(path))
        } else if let Some(address) = address.strip_prefix("syslog+udp://") {
            Way::Syslog(SyslogDoor::Udp(address.to_owned()))
        } else if let Some(address) = address.strip_prefix("syslog+tcp://") {
            Way::Syslog(SyslogDoor::Tcp(address.to_owned()))
        } else if let Some(path) = address.strip_prefix("syslog+unix:") {
            Way::Syslog(SyslogDoor::Unix(PathBuf::from(path)))
        } else if let Some(rest) = address.strip_prefix("https://") {
            Way::Https(Box::new(HttpsDoor::new(config, rest).map_err(wrong)?))
        } else {
            return Err(wrong(
                "its address begins with file:, syslog+udp://, syslog+tcp://, syslog+unix: or https://"
                    .to_owned(),
            ));
        };
        Ok(Self {
            name: config.name.clone(),
            way,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn way(&self) -> &Way {
        &self.way
    }

    /// Hands a note over to who asks for no proof.
    pub(crate) async fn hand_over(&self, note: &Note) -> Outcome {
        let limit = Duration::from_secs(ANSWER_SECONDS_MAX);
        let done = match &self.way {
            Way::File(path) => append(path.clone(), note.whole()).await,
            Way::Syslog(door) => match tokio::time::timeout(limit, door.send(note)).await {
                Ok(done) => done,
                Err(_) => return Outcome::Failed("no answer in time".to_owned()),
            },
            Way::Https(_) => return Outcome::Failed("this witness asks for a proof".to_owned()),
        };
        Outcome::of(done)
    }
}

/// Appends a note and an empty line, and waits until they are on the disk.
async fn append(path: PathBuf, note: &str) -> std::io::Result<()> {
    let text = format!("{note}\n");
    let work = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    work.await.map_err(std::io::Error::other)?
}

impl SyslogDoor {
    async fn send(&self, note: &Note) -> std::io::Result<()> {
        let line = syslog_line(note);
        match self {
            Self::Udp(address) => {
                let socket = UdpSocket::bind(if address.starts_with('[') {
                    "[::]:0"
                } else {
                    "0.0.0.0:0"
                })
                .await?;
                socket.send_to(line.as_bytes(), address).await.map(drop)
            }
            Self::Tcp(address) => {
                let mut stream = TcpStream::connect(address).await?;
                // RFC 6587: the length in front.
                stream
                    .write_all(format!("{} {line}", line.len()).as_bytes())
                    .await?;
                stream.shutdown().await
            }
            Self::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.send_to(line.as_bytes(), path).await.map(drop)
            }
        }
    }
}

/// RFC 5424; the receiver puts its own time.
fn syslog_line(note: &Note) -> String {
    format!(
        "<{SYSLOG_PRIORITY}>1 - - {SYSLOG_NAME} - checkpoint - {}",
        note.in_one_line()
    )
}

/// Another installation's `POST /witness/v1/checkpoint`, or any witness that speaks C2SP tlog-witness.
pub(crate) struct HttpsDoor {
    client: Mutex<HttpsClient>,
    path: String,
    key: NoteKey,
}

impl HttpsDoor {
    fn new(config: &WitnessConfig, rest: &str) -> Result<Self, String> {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address = if host
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        {
            host.to_owned()
        } else {
            format!("{host}:443")
        };
        let key = NoteKey::read(&config.key).map_err(|error| error.to_string())?;
        let file = config
            .authority_file
            .as_ref()
            .ok_or("it needs authority_file, the authority of the witness's certificate")?;
        let pem = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let tls = tls::client(&pem).map_err(|error| error.to_string())?;
        let client = HttpsClient::new(&address, tls).map_err(|error| error.to_string())?;
        Ok(Self {
            client: Mutex::new(client),
            path: format!("/{path}"),
            key,
        })
    }

    /// Shows a checkpoint; checks the cosignature that comes back.
    pub(crate) async fn post(&self, body: String, note: &Note) -> Outcome {
        let limit = Duration::from_secs(ANSWER_SECONDS_MAX);
        let mut client = self.client.lock().await;
        let answer = client.post_text(&self.path, body, limit).await;
        drop(client);
        let (status, text) = match answer {
            Ok(answer) => answer,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        match status {
            200 => self.check(&text, note),
            409 => match text.trim().parse() {
                Ok(size) => Outcome::Knows(size),
                Err(_) => Outcome::Failed("the witness says neither yes nor what it knows".to_owned()),
            },
            404 => Outcome::Failed("the witness does not know this log".to_owned()),
            403 => Outcome::Failed("the witness knows another key of this log".to_owned()),
            422 => Outcome::Failed("the witness has seen another record: this one was rewritten".to_owned()),
            status => Outcome::Failed(format!("the witness answered with status {status}")),
        }
    }

    fn check(&self, line: &str, note: &Note) -> Outcome {
        let both = Note::read(&format!("{}{line}", note.whole()));
        match both.and_then(|both| self.key.verify(&both)) {
            Ok(()) => Outcome::Taken {
                cosignature: line.to_owned(),
            },
            Err(error) => Outcome::Failed(format!("the cosignature is not the witness's: {error}")),
        }
    }
}
