//! A person's seat: the WebSocket of a page to the gateway, over real TLS.

use std::time::Duration;

use fastwebsockets::{Frame, OpCode, Payload, WebSocket, handshake};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use naru_kernel::fleet::CloseReason;
use naru_runtime::{Tasks, clock::instant};
use serde_json::{Value, json};

use crate::{stage::Stage, wire::Door};

/// A desktop's first start takes a while on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Seat {
    socket: WebSocket<TokioIo<hyper::upgrade::Upgraded>>,
    _tasks: Tasks,
}

/// What a page hears.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Text(Value),
    Bytes(Vec<u8>),
    /// Code and word; `None` when the connection just ended.
    Closed(Option<(u16, String)>),
}

/// The goodbye for this reason.
pub(crate) fn goodbye(reason: CloseReason) -> Heard {
    Heard::Closed(Some((reason.close_code(), reason.as_str().to_owned())))
}

struct Spawn(Tasks);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Spawn {
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}

impl Seat {
    /// Opens the relay and shows the ticket.
    pub(crate) async fn take(stage: &Stage, ticket: &str) -> Self {
        let door = Door::new(stage.ports.gateway, "localhost", &stage.authority());
        let stream = door.connect().await.unwrap();
        let request = http::Request::get("/relay/v1/rfb")
            .header("Host", format!("localhost:{}", stage.ports.gateway))
            .header("Origin", stage.origin())
            .header("Upgrade", "websocket")
            .header("Connection", "upgrade")
            .header("Sec-WebSocket-Key", handshake::generate_key())
            .header("Sec-WebSocket-Version", "13")
            .body(Empty::<bytes::Bytes>::new())
            .unwrap();
        let tasks = Tasks::new();
        let (socket, _) = handshake::client(&Spawn(tasks.clone()), request, stream)
            .await
            .unwrap();
        let mut seat = Self {
            socket,
            _tasks: tasks,
        };
        let hello = json!({ "ticket": ticket, "width": 1280, "height": 800 }).to_string();
        let frame = Frame::text(Payload::Owned(hello.into_bytes()));
        seat.socket.write_frame(frame).await.unwrap();
        seat.socket.flush().await.unwrap();
        seat
    }

    /// Takes a seat and waits for the desktop's greeting (RFC 6143 §7.1.1).
    pub(crate) async fn with_desktop(stage: &Stage, ticket: &str) -> Self {
        let mut seat = Self::take(stage, ticket).await;
        let mut greeting = Vec::new();
        while greeting.len() < 12 {
            match seat.next().await {
                Heard::Text(message) => {
                    let is_known = message.get("step").is_some() || message == json!({ "ready": true });
                    assert!(is_known, "{message}");
                }
                Heard::Bytes(bytes) => greeting.extend(bytes),
                closed @ Heard::Closed(_) => panic!("{closed:?} instead of a desktop"),
            }
        }
        assert_eq!(greeting, b"RFB 003.008\n");
        seat
    }

    async fn next(&mut self) -> Heard {
        let next = async {
            loop {
                let Ok(frame) = self.socket.read_frame().await else {
                    return Heard::Closed(None);
                };
                match frame.opcode {
                    OpCode::Text => return Heard::Text(serde_json::from_slice(&frame.payload).unwrap()),
                    OpCode::Binary | OpCode::Continuation => return Heard::Bytes(frame.payload.to_vec()),
                    OpCode::Close => {
                        let (code, word) = frame.payload.split_first_chunk::<2>().unwrap();
                        let word = String::from_utf8(word.to_vec()).unwrap();
                        return Heard::Closed(Some((u16::from_be_bytes(*code), word)));
                    }
                    OpCode::Ping | OpCode::Pong => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("the page hears nothing")
    }

    /// What comes after everything else.
    pub(crate) async fn end(&mut self) -> Heard {
        loop {
            let heard = self.next().await;
            if matches!(heard, Heard::Closed(_)) {
                return heard;
            }
        }
    }

    /// The same, and after how many seconds.
    pub(crate) async fn end_timed(&mut self) -> (Heard, f64) {
        let started = instant();
        let heard = self.end().await;
        (heard, started.elapsed().as_secs_f64())
    }
}
