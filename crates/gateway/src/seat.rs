//! A seat: the browser's end of a relay, as a WebSocket in two halves.

use std::time::Duration;

use fastwebsockets::{Frame, OpCode, Payload, WebSocket, WebSocketError, WebSocketRead, WebSocketWrite};
use hyper_util::rt::TokioIo;
use naru_kernel::fleet::CloseReason;
use naru_relay::rdp::CLEAN_PATH_BYTES_MAX;
use tokio::{
    io::{ReadHalf, WriteHalf},
    sync::{OwnedSemaphorePermit, mpsc},
};

type Io = TokioIo<hyper::upgrade::Upgraded>;

/// The largest message a browser may send before it has shown a ticket.
const FIRST_BYTES_MAX: usize = CLEAN_PATH_BYTES_MAX + 1;
/// The largest message a browser may send after it.
const MESSAGE_BYTES_MAX: usize = 512 * 1024;
/// The first message must come within this.
const FIRST_SECONDS_MAX: u64 = 10;
/// A browser that takes none of its bytes for this long is given up.
const WRITE_SECONDS_MAX: u64 = 30;
/// How long a browser has to answer a goodbye. Closing before it answers may lose the goodbye: the system
/// resets a connection whose last bytes were not read.
pub(crate) const GOODBYE_SECONDS_MAX: u64 = 1;
/// Control answers (pongs) waiting for the writing half; more are dropped, as RFC 6455 §5.5.3 allows.
const PONGS_MAX: usize = 4;

/// Both halves.
pub(crate) struct Seat {
    pub(crate) reading: SeatReader,
    pub(crate) writing: SeatWriter,
    waiting: Option<OwnedSemaphorePermit>,
}

/// From the browser.
pub(crate) struct SeatReader {
    socket: WebSocketRead<ReadHalf<Io>>,
    pongs: mpsc::Sender<Vec<u8>>,
}

/// To the browser.
pub(crate) struct SeatWriter {
    socket: WebSocketWrite<WriteHalf<Io>>,
    pub(crate) pongs: mpsc::Receiver<Vec<u8>>,
}

/// What a browser sends.
pub(crate) enum Heard {
    Text(String),
    Bytes(bytes::BytesMut),
    Pong(Vec<u8>),
    Closed,
}

impl Seat {
    /// A seat that has shown no ticket yet and holds its place among those that wait.
    pub(crate) fn new(mut socket: WebSocket<Io>, waiting: OwnedSemaphorePermit) -> Self {
        // TLS joins a frame's head and its bytes in one record, without a copy of its own.
        socket.set_writev(true);
        socket.set_max_message_size(FIRST_BYTES_MAX);
        socket.set_auto_close(false);
        let (read, write) = socket.split(tokio::io::split);
        let (sender, pongs) = mpsc::channel(PONGS_MAX);
        Self {
            reading: SeatReader {
                socket: read,
                pongs: sender,
            },
            writing: SeatWriter { socket: write, pongs },
            waiting: Some(waiting),
        }
    }

    /// Its ticket was good: it no longer waits and may send longer messages.
    pub(crate) fn admit(&mut self) {
        self.waiting = None;
        self.reading.socket.set_max_message_size(MESSAGE_BYTES_MAX);
    }

    /// Says goodbye and why.
    pub(crate) async fn close(mut self, reason: CloseReason) {
        self.writing.close(reason).await;
        let limit = Duration::from_secs(GOODBYE_SECONDS_MAX);
        let answered = tokio::time::timeout(limit, self.reading.discard()).await.is_ok();
        tracing::trace!(answered, "said goodbye");
    }
}

impl SeatReader {
    /// The first message, which must come soon.
    pub(crate) async fn first(&mut self) -> Option<Heard> {
        let limit = Duration::from_secs(FIRST_SECONDS_MAX);
        tokio::time::timeout(limit, self.next()).await.ok()?.ok()
    }

    /// Reads until the browser has closed.
    pub(crate) async fn discard(&mut self) {
        while !matches!(self.next().await, Ok(Heard::Closed) | Err(_)) {}
    }

    /// The next message or part of one: a byte stream does not care where messages end. Not to be cancelled midway.
    pub(crate) async fn next(&mut self) -> Result<Heard, WebSocketError> {
        let pongs = &self.pongs;
        let mut answer = |frame: Frame<'_>| {
            if frame.opcode == OpCode::Pong {
                // A full queue means that the browser does not read: it will not miss a pong.
                drop(pongs.try_send(frame.payload.to_vec()));
            }
            std::future::ready(Ok::<(), std::convert::Infallible>(()))
        };
        let frame = self.socket.read_frame(&mut answer).await?;
        Ok(match frame.opcode {
            OpCode::Text => Heard::Text(String::from_utf8(frame.payload.to_vec()).unwrap_or_default()),
            OpCode::Binary | OpCode::Continuation => Heard::Bytes(match frame.payload {
                Payload::Bytes(bytes) => bytes,
                Payload::Owned(bytes) => bytes.as_slice().into(),
                Payload::Borrowed(bytes) => bytes.into(),
                Payload::BorrowedMut(bytes) => (&*bytes).into(),
            }),
            OpCode::Pong => Heard::Pong(frame.payload.to_vec()),
            OpCode::Close => Heard::Closed,
            OpCode::Ping => Heard::Bytes(bytes::BytesMut::new()),
        })
    }
}

impl SeatWriter {
    async fn write(&mut self, frame: Frame<'_>) -> Result<(), CloseReason> {
        let written = async {
            self.socket.write_frame(frame).await?;
            self.socket.flush().await
        };
        match tokio::time::timeout(Duration::from_secs(WRITE_SECONDS_MAX), written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(CloseReason::Left),
            Err(_) => Err(CloseReason::TooSlow),
        }
    }

    pub(crate) async fn bytes(&mut self, bytes: &[u8]) -> Result<(), CloseReason> {
        self.write(Frame::binary(Payload::Borrowed(bytes))).await
    }

    pub(crate) async fn json(&mut self, message: &serde_json::Value) -> Result<(), CloseReason> {
        self.write(Frame::text(Payload::Owned(message.to_string().into_bytes())))
            .await
    }

    pub(crate) async fn ping(&mut self, payload: &[u8]) -> Result<(), CloseReason> {
        self.write(Frame::new(true, OpCode::Ping, None, Payload::Borrowed(payload)))
            .await
    }

    pub(crate) async fn pong(&mut self, payload: Vec<u8>) -> Result<(), CloseReason> {
        self.write(Frame::pong(Payload::Owned(payload))).await
    }

    /// Must not follow a frame that was written in part only.
    pub(crate) async fn close(&mut self, reason: CloseReason) {
        let frame = Frame::close(reason.close_code(), reason.as_str().as_bytes());
        let goodbye = tokio::time::timeout(Duration::from_secs(GOODBYE_SECONDS_MAX), self.write(frame)).await;
        if !matches!(goodbye, Ok(Ok(()))) {
            tracing::debug!(reason = reason.as_str(), "the browser did not take a goodbye");
        }
    }
}
