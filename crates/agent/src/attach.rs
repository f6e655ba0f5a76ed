//! The door for gateways: mutual TLS, one ticket per connection, then the desktop's own bytes.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use naru_kernel::fleet::{AttachAnswer, AttachReady, AttachRequest, NodeRole, Protocol};
use naru_relay::ticket::Claims;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

use crate::account::Account;
use crate::agent::Agent;
use crate::{Error, session};

/// Connections at once: a few per session, so that a storm of reconnects finds room.
const CONNECTIONS_MAX: usize = 2_048;
/// TLS handshake and request together may take this long.
const REQUEST_WAIT: Duration = Duration::from_secs(10);
/// An answer that the gateway does not take for this long ends the connection.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// How long xrdp may need until it listens.
const XRDP_WAIT: Duration = Duration::from_secs(5);
/// How often it is tried.
const XRDP_RETRY: Duration = Duration::from_millis(100);
/// One direction's buffer, in bytes.
const BUFFER_BYTES: usize = 32 * 1024;

type Tls = TlsStream<TcpStream>;

/// Takes connections until shutdown.
pub(crate) async fn listen(agent: Arc<Agent>, listener: TcpListener, acceptor: TlsAcceptor) {
    let shutdown = agent.tasks.shutdown();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.requested() => return,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                shutdown.sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(%address, "too many connections");
            continue;
        };
        let (agent, acceptor, shutdown) = (Arc::clone(&agent), acceptor.clone(), shutdown.clone());
        drop(agent.tasks.clone().spawn(async move {
            tokio::select! {
                served = serve_one(&agent, acceptor, stream) => if let Err(error) = served {
                    tracing::info!(%address, error = error.chain(), "a gateway was refused or left early");
                },
                () = shutdown.requested() => {}
            }
            drop(place);
        }));
    }
}

async fn serve_one(agent: &Arc<Agent>, acceptor: TlsAcceptor, stream: TcpStream) -> Result<(), Error> {
    let greeting = async {
        stream
            .set_nodelay(true)
            .map_err(Error::io("set up the connection"))?;
        let mut tls = acceptor.accept(stream).await.map_err(Error::io("shake hands"))?;
        check_gateway(&tls)?;
        let request = read_request(&mut tls).await?;
        Ok((tls, request))
    };
    let late = Err(Error::NotGateway {
        why: "it did not ask in time",
    });
    let (mut tls, request) = tokio::time::timeout(REQUEST_WAIT, greeting)
        .await
        .unwrap_or(late)?;
    let attached = attach(agent, &mut tls, &request).await;
    if let Err(error) = &attached {
        metrics::counter!("naru_host_refused_total", "reason" => error.close_reason().as_str()).increment(1);
        let refused = AttachAnswer::Refused {
            reason: error.close_reason(),
            detail: error.chain(),
        };
        answer(&mut tls, &refused).await?;
    }
    // A clean end, so that the gateway does not take it for a broken line; it may be gone already.
    drop(tokio::time::timeout(Duration::from_secs(1), tls.shutdown()).await);
    attached
}

/// The authority has been checked by TLS; that it is a gateway and not some other node is checked here.
fn check_gateway(tls: &Tls) -> Result<(), Error> {
    let certificates = tls.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(|chain| chain.first());
    match certificate.and_then(naru_runtime::tls::node_of) {
        Some((NodeRole::Gateway, _)) => Ok(()),
        Some((NodeRole::Host, _)) => Err(Error::NotGateway {
            why: "its certificate is a host's",
        }),
        None => Err(Error::NotGateway {
            why: "its certificate names no node",
        }),
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Result<AttachRequest, Error> {
    let length = stream.read_u32().await.map_err(Error::io("read the request"))?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > AttachRequest::MESSAGE_BYTES_MAX {
        return Err(Error::NotGateway {
            why: "its request is too long",
        });
    }
    let mut message = vec![0; length];
    stream
        .read_exact(&mut message)
        .await
        .map_err(Error::io("read the request"))?;
    serde_json::from_slice(&message).map_err(|_| Error::NotGateway {
        why: "its request is malformed",
    })
}

async fn answer(stream: &mut (impl AsyncWrite + Unpin), answer: &AttachAnswer) -> Result<(), Error> {
    let what = "answer the gateway";
    let mut json = serde_json::to_vec(answer).map_err(|error| Error::io(what)(error.into()))?;
    if let (AttachAnswer::Refused { reason, .. }, true) =
        (answer, json.len() > AttachRequest::MESSAGE_BYTES_MAX)
    {
        let short = AttachAnswer::Refused {
            reason: *reason,
            detail: String::new(),
        };
        json = serde_json::to_vec(&short).map_err(|error| Error::io(what)(error.into()))?;
    }
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    let mut message = length.to_be_bytes().to_vec();
    message.append(&mut json);
    let write = async {
        stream.write_all(&message).await?;
        stream.flush().await
    };
    match tokio::time::timeout(ANSWER_WAIT, write).await {
        Ok(written) => written.map_err(Error::io(what)),
        Err(_) => Err(Error::NotGateway {
            why: "it does not take its answer",
        }),
    }
}

async fn attach(agent: &Arc<Agent>, tls: &mut Tls, request: &AttachRequest) -> Result<(), Error> {
    let claims = agent.accept(&request.ticket)?;
    let size = session::geometry(request.width, request.height);
    let (steps, mut told) = mpsc::channel(4);
    // A task of its own: a gateway that leaves meanwhile does not leave half a session behind.
    let mut opening = agent
        .tasks
        .spawn(Arc::clone(agent).open(claims.clone(), size, steps));
    let account = loop {
        tokio::select! {
            Some(step) = told.recv() => answer(tls, &AttachAnswer::Progress(step)).await?,
            opened = &mut opening => match opened {
                Ok(opened) => break opened?,
                Err(_) => return Err(Error::StartFailed { detail: "the agent stops".to_owned() }),
            },
        }
    };
    match claims.protocol {
        Protocol::Rfb => attach_rfb(agent, tls, &claims, &account).await,
        Protocol::Rdp => attach_rdp(agent, tls, &claims, &account).await,
    }
}

async fn attach_rfb(
    agent: &Arc<Agent>,
    tls: &mut Tls,
    claims: &Claims,
    account: &Account,
) -> Result<(), Error> {
    let what = "connect to the desktop";
    let mut desktop = UnixStream::connect(agent.layout.socket(claims.desktop))
        .await
        .map_err(Error::io(what))?;
    // The socket lies in the person's own directory: they could put another in its place, such as one
    // that only root may open. What answers must run as the person.
    let peer = desktop.peer_cred().map_err(Error::io(what))?;
    if peer.uid() != account.uid {
        return Err(Error::ForeignSocket);
    }
    let attachment = Attachment::new(agent, claims)?;
    answer(tls, &AttachAnswer::Ready(AttachReady::Rfb)).await?;
    attachment.carry(tls, &mut desktop).await;
    Ok(())
}

async fn attach_rdp(
    agent: &Arc<Agent>,
    tls: &mut Tls,
    claims: &Claims,
    account: &Account,
) -> Result<(), Error> {
    let place = agent.logon_place().await?;
    let attachment = Attachment::new(agent, claims)?;
    let mut desktop = connect_xrdp(agent.config.rdp.port).await?;
    desktop.set_nodelay(true).map_err(Error::io("connect to xrdp"))?;
    let now = agent.now();
    let issued = agent
        .state()
        .passwords
        .issue(&account.name, now, &*agent.machine.entropy);
    let one_time_password = issued.ok_or(Error::Busy)?;
    let ready = AttachReady::Rdp {
        account: account.name.clone(),
        one_time_password,
    };
    answer(tls, &AttachAnswer::Ready(ready)).await?;
    let (waiting, owner, desktop_id) = (Arc::clone(agent), account.clone(), claims.desktop);
    let (cut, closed) = (attachment.cut.clone(), CancellationToken::new());
    let left = closed.clone().drop_guard();
    drop(agent.tasks.spawn(async move {
        let shutdown = waiting.tasks.shutdown();
        tokio::select! {
            started = waiting.await_rdp(desktop_id, &owner, place, closed) => if !started {
                cut.cancel();
            },
            () = shutdown.requested() => {}
        }
    }));
    attachment.carry(tls, &mut desktop).await;
    drop(left);
    Ok(())
}

/// xrdp may still be starting, or starting again.
async fn connect_xrdp(port: u16) -> Result<TcpStream, Error> {
    let connect = async {
        loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                Ok(stream) => return stream,
                Err(error) => tracing::debug!(%error, "xrdp does not listen yet"),
            }
            tokio::time::sleep(XRDP_RETRY).await;
        }
    };
    tokio::time::timeout(XRDP_WAIT, connect)
        .await
        .map_err(|late| Error::io("connect to xrdp")(late.into()))
}

/// Being attached to a desktop; over when dropped.
struct Attachment<'a> {
    agent: &'a Agent,
    claims: &'a Claims,
    number: u64,
    cut: CancellationToken,
}

impl<'a> Attachment<'a> {
    fn new(agent: &'a Agent, claims: &'a Claims) -> Result<Self, Error> {
        let (number, cut) = agent.state().table.attach(claims)?;
        metrics::counter!("naru_host_attached_total").increment(1);
        tracing::info!(desktop = %claims.desktop, person = %claims.person, "attached");
        Ok(Self {
            agent,
            claims,
            number,
            cut,
        })
    }

    async fn carry(&self, tls: &mut Tls, desktop: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        let carried = tokio::select! {
            carried = tokio::io::copy_bidirectional_with_sizes(tls, desktop, BUFFER_BYTES, BUFFER_BYTES) => carried,
            () = self.cut.cancelled() => {
                tracing::info!(desktop = %self.claims.desktop, "cut");
                return;
            }
        };
        match carried {
            Ok((bytes_in, bytes_out)) => {
                metrics::counter!("naru_host_bytes_in_total").increment(bytes_in);
                metrics::counter!("naru_host_bytes_out_total").increment(bytes_out);
                tracing::info!(desktop = %self.claims.desktop, bytes_in, bytes_out, "detached");
            }
            Err(error) => tracing::info!(desktop = %self.claims.desktop, %error, "detached"),
        }
    }
}

impl Drop for Attachment<'_> {
    fn drop(&mut self) {
        self.agent.state().table.detach(self.claims.desktop, self.number);
    }
}

#[cfg(test)]
mod tests {
    use naru_kernel::fleet::CloseReason;

    use super::*;

    #[tokio::test]
    async fn requests_are_bounded_and_strict() {
        let read = async |bytes: &[u8]| read_request(&mut &*bytes).await;
        let json = br#"{"ticket":"t","width":1,"height":2}"#;
        let mut good = u32::try_from(json.len()).unwrap().to_be_bytes().to_vec();
        good.extend_from_slice(json);
        assert_eq!(read(&good).await.unwrap().width, 1);
        assert!(matches!(
            read(&[0, 0, 0x20, 1]).await,
            Err(Error::NotGateway { .. })
        ));
        assert!(matches!(read(&[0xFF; 4]).await, Err(Error::NotGateway { .. })));
        assert!(matches!(
            read(&[0, 0, 0, 1, b'{']).await,
            Err(Error::NotGateway { .. })
        ));
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_refusal_too_long_for_a_message_loses_its_detail_not_its_reason() {
        let mut wire = Vec::new();
        let long = AttachAnswer::Refused {
            reason: CloseReason::HostFull,
            detail: "x".repeat(9_000),
        };
        answer(&mut wire, &long).await.unwrap();
        assert!(wire.len() < AttachRequest::MESSAGE_BYTES_MAX);
        let told: AttachAnswer = serde_json::from_slice(&wire[4..]).unwrap();
        assert!(matches!(
            told,
            AttachAnswer::Refused {
                reason: CloseReason::HostFull,
                ..
            }
        ));
    }
}
