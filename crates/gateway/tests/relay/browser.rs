//! A browser: TLS, WebSocket, and what the page hears.

use std::sync::Arc;

use fastwebsockets::{Frame, OpCode, Payload, WebSocket, WebSocketError, handshake};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use naru_kernel::fleet::CloseReason;
use naru_relay::ticket::Claims;
use naru_runtime::{Tasks, tls};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::stage::{ORIGIN, PATIENCE, Stage};

#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Text(serde_json::Value),
    Bytes(Vec<u8>),
    /// With its code and word; `None` when the connection just ended.
    Closed(Option<(u16, String)>),
}

/// A goodbye for this reason.
pub(crate) fn goodbye(reason: CloseReason) -> Heard {
    Heard::Closed(Some((reason.close_code(), reason.as_str().to_owned())))
}

pub(crate) struct Browser {
    socket: WebSocket<TokioIo<hyper::upgrade::Upgraded>>,
    ahead: Vec<u8>,
}

struct Spawn(Tasks);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Spawn {
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}

impl Browser {
    /// Opens a WebSocket; the HTTP status when it is refused.
    pub(crate) async fn connect(stage: &Stage, path: &str, origin: Option<&str>) -> Result<Self, u16> {
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(tls::roots(&stage.authority.pem).unwrap())
            .with_no_client_auth();
        let stream = TcpStream::connect(stage.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap();
        let mut request = http::Request::get(path)
            .header("Host", "localhost")
            .header("Upgrade", "websocket")
            .header("Connection", "upgrade")
            .header("Sec-WebSocket-Key", handshake::generate_key())
            .header("Sec-WebSocket-Version", "13");
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        match handshake::client(&Spawn(stage.tasks.clone()), request, stream).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                ahead: Vec::new(),
            }),
            Err(WebSocketError::InvalidStatusCode(status)) => Err(status),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens the RFB door with a ticket.
    pub(crate) async fn rfb(stage: &Stage, ticket: &str) -> Self {
        let mut browser = Self::connect(stage, "/relay/v1/rfb", Some(ORIGIN)).await.unwrap();
        let hello = serde_json::json!({ "ticket": ticket, "width": 1440, "height": 900 });
        browser.text(&hello.to_string()).await;
        browser
    }

    /// Opens a desktop by RFB and waits until it is ready.
    pub(crate) async fn desktop(stage: &Stage, claims: &Claims) -> Self {
        let mut browser = Self::rfb(stage, &stage.sign(claims)).await;
        loop {
            match browser.next().await {
                Heard::Text(message) if message == serde_json::json!({ "ready": true }) => return browser,
                Heard::Text(message) => assert!(message.get("step").is_some(), "{message}"),
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn text(&mut self, text: &str) {
        let frame = Frame::text(Payload::Owned(text.as_bytes().to_vec()));
        self.socket.write_frame(frame).await.unwrap();
        self.socket.flush().await.unwrap();
    }

    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        let frame = Frame::binary(Payload::Owned(bytes.to_vec()));
        self.socket.write_frame(frame).await.unwrap();
        self.socket.flush().await.unwrap();
    }

    /// Leaves as a page does.
    pub(crate) async fn leave(mut self) {
        self.socket.write_frame(Frame::close(1000, b"")).await.unwrap();
        self.socket.flush().await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Heard {
        let next = async {
            loop {
                let frame = match self.socket.read_frame().await {
                    Ok(frame) => frame,
                    Err(_) => return Heard::Closed(None),
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
            .expect("the browser hears nothing")
    }

    /// What comes after all other messages.
    pub(crate) async fn end(&mut self) -> Heard {
        loop {
            let heard = self.next().await;
            if matches!(heard, Heard::Closed(_)) {
                return heard;
            }
        }
    }

    /// Exactly so many bytes of the stream, wherever messages are cut.
    pub(crate) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.ahead.len() < count {
            match self.next().await {
                Heard::Bytes(bytes) => self.ahead.extend(bytes),
                other => panic!("{other:?} instead of bytes"),
            }
        }
        self.ahead.drain(..count).collect()
    }
}
