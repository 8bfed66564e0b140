//! The wire to a mail server: it brings so much and no more, and a line at a time.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::io::{AsyncRead as _, AsyncWrite as _};
use lettre::transport::smtp::client::{AsyncTokioStream, TlsParameters};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

#[expect(
    deprecated,
    reason = "it is the only way to TLS on a connection that was made elsewhere"
)]
use lettre::transport::smtp::client::AsyncNetworkStream as Secured;

/// Bytes that a server may say in a conversation, with its certificates; and lines, each of which
/// costs as much as all before it.
const MOST: usize = 48 << 10;
const LINES: usize = 600;
/// Bytes that are read at once.
const PIECE: usize = 4 << 10;

/// A connection that ends when too much is said.
///
/// What it hands out ends where a line ends. So nobody has read on when TLS begins, and what somebody
/// on the way said too early is not taken for what the server says in private.
#[derive(Debug)]
pub(super) struct Wire<S> {
    inner: S,
    read: Vec<u8>,
    left: usize,
    lines: usize,
}

impl<S> Wire<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, read: Vec::new(), left: MOST, lines: LINES }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.read.is_empty() {
            let mut piece = [0; PIECE];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut piece))?;
            let piece = piece.filled();
            this.left = this.left.checked_sub(piece.len()).ok_or(io::ErrorKind::FileTooLarge)?;
            this.read.extend_from_slice(piece);
        }
        let line =
            this.read.iter().position(|it| *it == b'\n').map_or(this.read.len(), |at| at + 1);
        let count = line.min(buffer.remaining());
        if count > 0 {
            this.lines = this.lines.checked_sub(1).ok_or(io::ErrorKind::FileTooLarge)?;
        }
        buffer.put_slice(this.read.get(..count).unwrap_or_default());
        this.read.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Wire<TcpStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }
}

/// A connection with TLS from its beginning.
pub(super) async fn secured(
    stream: TcpStream,
    parameters: TlsParameters,
) -> Result<Box<dyn AsyncTokioStream>, lettre::transport::smtp::Error> {
    #[expect(deprecated, reason = "see above")]
    let mut secured = Secured::use_existing_tokio1(Box::new(stream));
    secured.upgrade_tls(parameters).await?;
    Ok(Box::new(Wire::new(Private(secured))))
}

/// The same, as the others read and write.
#[derive(Debug)]
#[expect(deprecated, reason = "see above")]
struct Private(Secured);

impl AsyncRead for Private {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = ready!(Pin::new(&mut self.0).poll_read(context, buffer.initialize_unfilled()))?;
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Private {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(context)
    }
}

impl AsyncTokioStream for Wire<Private> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.0.peer_addr()
    }
}
