//! A desktop host's stand-in: speaks RFB (RFC 6143) and sends a picture as fast as it is taken.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use naru_kernel::fleet::{AttachAnswer, AttachReady, AttachRequest};
use naru_runtime::Tasks;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A rectangle of this size, in pixels of 4 bytes, is what an editor or a page changes while one scrolls.
const RECTANGLE: (u16, u16) = (128, 64);
/// Rectangles of one update.
const RECTANGLES_PER_UPDATE: u16 = 4;
/// A word that was typed: about what Tight makes of a line that scrolled, too.
const SMALL_RECTANGLE: (u16, u16) = (64, 16);
/// Between small updates, on each connection.
const PACE: Duration = Duration::from_millis(4);
/// Paced, only this part of the bytes is moved: it takes its time.
pub(super) const PACED_SHARE: u64 = 10;

/// What hosts send.
#[derive(Clone, Default)]
pub(super) struct Load(Arc<AtomicBool>);

impl Load {
    /// From now on: small updates at a steady pace, as while somebody types and scrolls; or all that is taken.
    pub(super) fn set_paced(&self, paced: bool) {
        self.0.store(paced, Ordering::Release);
    }

    fn is_paced(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Opens a door; `attach` says whether callers first ask as our gateway does (`docs/fleet.md`).
pub(super) async fn open(
    config: Arc<ServerConfig>,
    attach: bool,
    (load, bytes_each): (Load, u64),
    tasks: &Tasks,
) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let acceptor = TlsAcceptor::from(config);
    let inner = tasks.clone();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, load) = (acceptor.clone(), load.clone());
            inner.spawn(async move {
                // An error here is a connection that ended, as all of them do.
                drop(serve(stream, acceptor, attach, (load, bytes_each)).await);
            });
        }
    });
    Ok(address)
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    attach: bool,
    (load, bytes_each): (Load, u64),
) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = acceptor.accept(stream).await?;
    if attach {
        answer_attach(&mut stream).await?;
    }
    greet(&mut stream).await?;
    // A browser that wants pictures asks; an idle one never does.
    until_request(&mut stream).await?;
    let paced = load.is_paced();
    let (update, bytes) = if paced {
        (update(SMALL_RECTANGLE, 1), bytes_each / PACED_SHARE)
    } else {
        (update(RECTANGLE, RECTANGLES_PER_UPDATE), bytes_each)
    };
    let mut tick = tokio::time::interval(PACE);
    let mut sent = 0;
    while sent < bytes {
        if paced {
            tick.tick().await;
        }
        stream.write_all(&update).await?;
        stream.flush().await?;
        sent += u64::try_from(update.len())?;
    }
    stream.flush().await?;
    // Stays until the other end goes.
    let mut rest = [0; 64];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

async fn answer_attach(stream: &mut TlsStream<TcpStream>) -> Result<()> {
    let length = usize::try_from(stream.read_u32().await?)?;
    ensure!(length <= AttachRequest::MESSAGE_BYTES_MAX, "too long");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    serde_json::from_slice::<AttachRequest>(&body)?;
    let answer = serde_json::to_vec(&AttachAnswer::Ready(AttachReady::Rfb))?;
    stream.write_u32(u32::try_from(answer.len())?).await?;
    stream.write_all(&answer).await?;
    Ok(stream.flush().await?)
}

/// Versions, no security, `ServerInit` (RFC 6143 §7.1 to §7.3).
async fn greet(stream: &mut TlsStream<TcpStream>) -> Result<()> {
    stream.write_all(b"RFB 003.008\n").await?;
    let mut version = [0; 12];
    stream.read_exact(&mut version).await?;
    stream.write_all(&[1, 1]).await?;
    ensure!(stream.read_u8().await? == 1, "security type None was expected");
    stream.write_all(&[0, 0, 0, 0]).await?;
    stream.read_u8().await?;
    let mut init = Vec::new();
    init.extend(1440_u16.to_be_bytes());
    init.extend(900_u16.to_be_bytes());
    init.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    init.extend(4_u32.to_be_bytes());
    init.extend(b"naru");
    stream.write_all(&init).await?;
    Ok(stream.flush().await?)
}

/// Reads the pixel format and the encodings, up to the first request of a picture (RFC 6143 §7.5).
async fn until_request(stream: &mut TlsStream<TcpStream>) -> Result<()> {
    loop {
        let rest = match stream.read_u8().await? {
            0 => 19,
            2 => {
                stream.read_u8().await?;
                4 * usize::from(stream.read_u16().await?)
            }
            3 => 9,
            other => anyhow::bail!("message {other} was not expected"),
        };
        let mut body = vec![0; rest];
        stream.read_exact(&mut body).await?;
        if rest == 9 {
            return Ok(());
        }
    }
}

/// One `FramebufferUpdate` (RFC 6143 §7.6.1).
fn update((width, height): (u16, u16), rectangles: u16) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(rectangles.to_be_bytes());
    for rectangle in 0..rectangles {
        for number in [rectangle * width, 0, width, height] {
            bytes.extend(number.to_be_bytes());
        }
        // Raw encoding: the relay's work does not depend on what the pixels are.
        bytes.extend(0_i32.to_be_bytes());
        let pixels = 0..u32::from(width) * u32::from(height);
        bytes.extend(pixels.flat_map(|pixel| pixel.wrapping_mul(2_654_435_761).to_le_bytes()));
    }
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_update_has_the_length_it_says() {
        assert_eq!(super::update((128, 64), 4).len(), 4 + 4 * (12 + 128 * 64 * 4));
    }
}
