//! A browser's stand-in: TLS, WebSocket where the product speaks it, RFB, and then it takes what comes.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::lab::{Lab, Product};

/// Read at once.
const BUFFER_BYTES: usize = 256 * 1024;
/// The longest answer to an upgrade.
const HEAD_BYTES_MAX: usize = 4 * 1024;

/// One connection, ready to ask for pictures.
pub(super) struct Browser {
    stream: TlsStream<TcpStream>,
    web_socket: bool,
}

impl Browser {
    /// Connects, and gets as far as a desktop's first size.
    pub(super) async fn open(lab: &Lab, product: Product, port: u16, number: u32) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::clone(&lab.browser_tls))
            .connect(name, stream)
            .await?;
        let mut browser = Self {
            stream,
            web_socket: product.speaks_web_socket(),
        };
        if browser.web_socket {
            browser
                .upgrade(product.path())
                .await
                .context("the WebSocket upgrade")?;
        }
        if product == Product::Naru {
            let hello = serde_json::json!({ "ticket": lab.ticket(number)?, "width": 1440, "height": 900 });
            browser.send_frame(1, hello.to_string().as_bytes()).await?;
            while !browser
                .text()
                .await
                .context("the ticket's answer")?
                .contains("ready")
            {}
        }
        browser.greet().await.context("the RFB greeting")?;
        Ok(browser)
    }

    /// Asks for pictures and reads until this many bytes came; gives how many did.
    pub(super) async fn take_pictures(&mut self, bytes: u64) -> Result<u64> {
        // As noVNC does: its pixel format, its encodings (Raw here), then the whole picture.
        self.send(&[
            0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0,
        ])
        .await?;
        self.send(&[2, 0, 0, 1, 0, 0, 0, 0]).await?;
        self.send(&[3, 0, 0, 0, 0, 0, 5, 160, 3, 132]).await?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut taken = 0;
        while taken < bytes {
            let read = self.stream.read(&mut buffer).await?;
            ensure!(read > 0, "the relay closed after {taken} of {bytes} bytes");
            taken += u64::try_from(read)?;
        }
        Ok(taken)
    }

    async fn upgrade(&mut self, path: &str) -> Result<()> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost:8443\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: binary\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            ensure!(
                head.len() < HEAD_BYTES_MAX,
                "the answer to the upgrade is too long"
            );
            head.push(self.stream.read_u8().await?);
        }
        ensure!(
            head.starts_with(b"HTTP/1.1 101"),
            "{}",
            String::from_utf8_lossy(&head)
        );
        Ok(())
    }

    /// RFC 6143 §7.1 to §7.3, until `ServerInit`.
    async fn greet(&mut self) -> Result<()> {
        self.receive(12).await?;
        self.send(b"RFB 003.008\n").await?;
        self.receive(2).await?;
        self.send(&[1]).await?;
        self.receive(4).await?;
        self.send(&[1]).await?;
        self.receive(28).await.map(drop)
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        if self.web_socket {
            self.send_frame(2, bytes).await
        } else {
            self.stream.write_all(bytes).await?;
            Ok(self.stream.flush().await?)
        }
    }

    /// One masked frame (RFC 6455 §5.2); the mask is zero, which leaves the bytes as they are.
    async fn send_frame(&mut self, opcode: u8, bytes: &[u8]) -> Result<()> {
        let mut frame = vec![0x80 | opcode];
        match u16::try_from(bytes.len())? {
            short @ 0..=125 => frame.push(0x80 | u8::try_from(short)?),
            length => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(bytes);
        self.stream.write_all(&frame).await?;
        Ok(self.stream.flush().await?)
    }

    /// Exactly this many bytes of the desktop; control frames between them are skipped.
    async fn receive(&mut self, bytes: usize) -> Result<Vec<u8>> {
        if !self.web_socket {
            let mut got = vec![0; bytes];
            self.stream.read_exact(&mut got).await?;
            return Ok(got);
        }
        let mut got = Vec::new();
        while got.len() < bytes {
            let (opcode, payload) = self.frame().await?;
            if opcode <= 2 {
                got.extend(payload);
            }
        }
        ensure!(got.len() == bytes, "more came than was asked for");
        Ok(got)
    }

    async fn text(&mut self) -> Result<String> {
        loop {
            let (opcode, payload) = self.frame().await?;
            ensure!(
                opcode != 8,
                "closed: {}",
                String::from_utf8_lossy(payload.get(2..).unwrap_or_default())
            );
            if opcode == 1 {
                return Ok(String::from_utf8(payload)?);
            }
        }
    }

    async fn frame(&mut self) -> Result<(u8, Vec<u8>)> {
        let opcode = self.stream.read_u8().await? & 0x0f;
        let length = match self.stream.read_u8().await? & 0x7f {
            126 => usize::from(self.stream.read_u16().await?),
            127 => usize::try_from(self.stream.read_u64().await?)?,
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await?;
        Ok((opcode, payload))
    }
}
