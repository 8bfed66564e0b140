//! Whoever connects has to begin: a connection on which nobody says anything is closed.
//!
//! Which version of HTTP is spoken is read off the first bytes, and whoever reads them waits for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// The first bytes of HTTP/2, which tell it from HTTP/1; fewer of them may tell nothing.
const TELLING: usize = 24;

/// How long one may take for the first bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening(pub(crate) Duration);

impl<I, S> Accept<I, S> for Opening {
    type Stream = Hurried<I>;
    type Service = S;
    type Future = std::future::Ready<io::Result<(Hurried<I>, S)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let deadline = Box::pin(tokio::time::sleep(self.0));
        std::future::ready(Ok((Hurried { stream, read: 0, deadline: Some(deadline) }, service)))
    }
}

/// A connection whose first bytes are waited for only so long.
pub(crate) struct Hurried<I> {
    stream: I,
    read: usize,
    /// None when enough was read.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Hurried<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read = self.read.saturating_add(buffer.filled().len().saturating_sub(before));
        if self.read >= TELLING {
            self.deadline = None;
        }
        if polled.is_pending()
            && let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Hurried<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn hurried() -> (Hurried<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(100);
        let (stream, ()) = Opening(Duration::from_millis(20)).accept(ours, ()).await.unwrap();
        (stream, theirs)
    }

    #[tokio::test]
    async fn who_says_nothing_or_too_little_is_not_waited_for() {
        for said in [&b""[..], b"PRI * HTTP/2.0"] {
            let (mut stream, mut theirs) = hurried().await;
            theirs.write_all(said).await.unwrap();
            let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[tokio::test]
    async fn who_has_begun_may_think() {
        let (mut stream, mut theirs) = hurried().await;
        theirs.write_all(&[b'a'; TELLING]).await.unwrap();
        let mut read = vec![0; TELLING + 1];
        let more = stream.read_exact(&mut read);
        let waited = tokio::time::timeout(Duration::from_millis(60), more).await;
        assert!(waited.is_err(), "it waits on: {waited:?}");
    }
}
