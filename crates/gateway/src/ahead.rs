//! Reading far ahead without holding memory for it: a busy desktop is read in large pieces, a silent one keeps no
//! buffer at all. The pieces come from a few that each worker thread keeps, so they are warm in its cache.

use std::{
    cell::Cell,
    io,
    ops::{Deref, DerefMut},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read at a time. Each read tells the other end that it may send more, so small reads cost it and us
/// many small packets; this is as far as fewer of them still pay.
pub(crate) const CHUNK_BYTES: usize = 128 * 1024;
/// Chunks that a thread keeps for the next reader.
const FREE_CHUNKS_MAX: usize = 4;

thread_local! {
    static FREE: Cell<Vec<Box<[u8]>>> = const { Cell::new(Vec::new()) };
}

/// A buffer of [`CHUNK_BYTES`], given back to the thread that drops it. It may show what another relay of this
/// gateway left in it: only what was filled since may be read.
pub(crate) struct Chunk(Box<[u8]>);

impl Chunk {
    pub(crate) fn take() -> Self {
        let kept = FREE.try_with(|free| {
            let mut list = free.take();
            let chunk = list.pop();
            free.set(list);
            chunk
        });
        Self(
            kept.ok()
                .flatten()
                .unwrap_or_else(|| vec![0; CHUNK_BYTES].into_boxed_slice()),
        )
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let chunk = std::mem::take(&mut self.0);
        let kept = FREE.try_with(|free| {
            let mut list = free.take();
            if list.len() < FREE_CHUNKS_MAX {
                list.push(chunk);
            }
            free.set(list);
        });
        // Where a thread is ending its chunks end with it.
        kept.unwrap_or_default();
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Chunk {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Reads what has come at once, however little is asked for at a time (TLS asks for 4 KiB).
pub(crate) struct ReadAhead<S> {
    inner: S,
    /// What was read and not yet asked for: from the first number to the second. Never empty.
    ahead: Option<(Chunk, usize, usize)>,
}

impl<S> ReadAhead<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self { inner, ahead: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (chunk, from, until) = if let Some(ahead) = this.ahead.take() {
            ahead
        } else {
            let mut chunk = Chunk::take();
            let mut into = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut into))?;
            let filled = into.filled().len();
            (chunk, 0, filled)
        };
        let next = until.min(from.saturating_add(buffer.remaining()));
        buffer.put_slice(chunk.get(from..next).unwrap_or_default());
        if next < until {
            this.ahead = Some((chunk, next, until));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::{CHUNK_BYTES, ReadAhead};

    #[tokio::test]
    async fn what_was_read_ahead_comes_in_order_and_nothing_is_held_after_it() {
        let (mut far, near) = tokio::io::duplex(4 * CHUNK_BYTES);
        let sent: Vec<u8> = (0..3 * CHUNK_BYTES)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        far.write_all(&sent).await.unwrap();
        let mut near = ReadAhead::new(near);
        let mut got = vec![0; sent.len()];
        for piece in got.chunks_mut(4_093) {
            near.read_exact(piece).await.unwrap();
        }
        assert!(got == sent, "the bytes differ");
        assert!(near.ahead.is_none(), "a buffer is held while nothing is there");
        drop(far);
        assert_eq!(near.read(&mut got).await.unwrap(), 0, "the end shows");
    }
}
