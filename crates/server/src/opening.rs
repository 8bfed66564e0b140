//! Whoever connects has to begin: a connection on which nobody says anything is closed, and so is one
//! for which there is no room.
//!
//! Which version of HTTP is spoken is read off the first bytes, and whoever reads them waits for ever.

mod share;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use api::{PROBLEM, Sort};
use axum_server::accept::Accept;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

use self::share::Share;
pub(crate) use self::share::Shares;

/// The first bytes of HTTP/2, which tell it from HTTP/1; fewer of them may tell nothing.
const TELLING: usize = 24;
/// The first byte of TLS, which no HTTP begins with.
const HANDSHAKE: u8 = 0x16;
/// How long whoever is not let in is listened to.
const MOMENT: Duration = Duration::from_millis(100);

/// Lets connections in.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// How long one may take for the first bytes.
    pub(crate) patience: Duration,
    /// For how many there is room.
    pub(crate) room: Arc<Semaphore>,
    /// How much of it each address has.
    pub(crate) shares: Arc<Shares>,
    /// Do they speak TLS?
    pub(crate) tls: bool,
}

impl<S: Send + 'static> Accept<TcpStream, S> for Opening {
    type Stream = Hurried<TcpStream>;
    type Service = S;
    type Future = BoxFuture<'static, io::Result<(Hurried<TcpStream>, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Self { patience, room, shares, tls } = self.clone();
        Box::pin(async move {
            let place = shares.take(stream.peer_addr()?.ip()).map_err(|_| Sort::TooMany);
            let place = place.and_then(|share| {
                let place = room.try_acquire_owned().map_err(|_| Sort::Unavailable)?;
                Ok((share, place))
            });
            let place = match place {
                Ok(place) => place,
                Err(sort) => {
                    if !tls {
                        let _ = tokio::time::timeout(MOMENT, refuse(stream, sort)).await;
                    }
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
            };
            if tls {
                let mut first = [0];
                tokio::time::timeout(patience, stream.peek(&mut first)).await??;
                if first.first() != Some(&HANDSHAKE) {
                    let _ = tokio::time::timeout(MOMENT, refuse(stream, Sort::Malformed)).await;
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
            Ok((Hurried::new(stream, patience, Some(place)), service))
        })
    }
}

/// Tells why somebody is not let in. What they sent is read, or our word is lost with it.
async fn refuse(mut stream: TcpStream, sort: Sort) -> io::Result<()> {
    stream.write_all(&told(sort)).await?;
    stream.shutdown().await?;
    while stream.read(&mut [0; 4096]).await? > 0 {}
    Ok(())
}

/// What is told to whoever is not let in.
fn told(sort: Sort) -> Vec<u8> {
    let (line, problem) = match sort {
        Sort::Unavailable => {
            let problem = sort.because("connection: there are as many as there is room for");
            let problem = problem.with_hint("try again in a moment");
            ("503 Service Unavailable\r\nretry-after: 2", problem)
        }
        Sort::TooMany => {
            let problem = sort.because("connection: your address has as many as one may have");
            let hint = "close some first; a proxy is named to the server by --trusted-proxy";
            ("429 Too Many Requests\r\nretry-after: 2", problem.with_hint(hint))
        }
        _ => {
            let problem = sort.because("connection: HTTPS is spoken here, and this is plain HTTP");
            let problem = problem.with_hint("write https:// before the server's name");
            ("400 Bad Request", problem)
        }
    };
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let length = body.len();
    let head = format!("content-type: {PROBLEM}\r\ncontent-length: {length}\r\nconnection: close");
    format!("HTTP/1.1 {line}\r\n{head}\r\n\r\n{body}").into_bytes()
}

/// A connection whose first bytes are waited for only so long.
pub(crate) struct Hurried<I> {
    stream: I,
    read: usize,
    /// None when enough was read.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Room is made when it ends.
    _place: Option<(Share, OwnedSemaphorePermit)>,
}

impl<I> Hurried<I> {
    fn new(stream: I, patience: Duration, place: Option<(Share, OwnedSemaphorePermit)>) -> Self {
        let deadline = Some(Box::pin(tokio::time::sleep(patience)));
        Self { stream, read: 0, deadline, _place: place }
    }
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
    use super::*;

    fn hurried() -> (Hurried<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(100);
        (Hurried::new(ours, Duration::from_millis(20), None), theirs)
    }

    #[tokio::test]
    async fn who_says_nothing_or_too_little_is_not_waited_for() {
        for said in [&b""[..], b"PRI * HTTP/2.0"] {
            let (mut stream, mut theirs) = hurried();
            theirs.write_all(said).await.unwrap();
            let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[tokio::test]
    async fn who_has_begun_may_think() {
        let (mut stream, mut theirs) = hurried();
        theirs.write_all(&[b'a'; TELLING]).await.unwrap();
        let mut read = vec![0; TELLING + 1];
        let more = stream.read_exact(&mut read);
        let waited = tokio::time::timeout(Duration::from_millis(60), more).await;
        assert!(waited.is_err(), "it waits on: {waited:?}");
    }

    /// Whoever connects, says something and listens hears that.
    async fn heard(opening: &Opening, said: &[u8]) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        theirs.write_all(said).await.unwrap();
        let (ours, _) = listener.accept().await.unwrap();
        ours.readable().await.unwrap();
        match opening.accept(ours, ()).await {
            Ok(_) => "let in".to_owned(),
            Err(error) => {
                let mut text = String::new();
                let _ = theirs.read_to_string(&mut text).await;
                format!("{error}: {text}")
            }
        }
    }

    fn opening(room: usize, share: usize, tls: bool) -> Opening {
        let (room, shares) = (Arc::new(Semaphore::new(room)), Arc::new(Shares::for_all(share)));
        Opening { patience: Duration::from_secs(9), room, shares, tls }
    }

    #[tokio::test]
    async fn one_address_has_a_share() {
        let opening = opening(9, 1, false);
        let held = opening.shares.take("127.0.0.1".parse().unwrap()).unwrap();
        let enough = heard(&opening, b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(
            enough.contains("HTTP/1.1 429 Too Many Requests\r\nretry-after: 2\r\n"),
            "{enough}"
        );
        assert_eq!(opening.room.available_permits(), 9, "others have all the room");
        drop(held);
        for _ in 0..2 {
            assert_eq!(heard(&opening, b"GET / HTTP/1.1\r\n\r\n").await, "let in");
        }
    }

    #[tokio::test]
    async fn there_is_room_for_so_many() {
        let opening = opening(1, 9, false);
        let held = Arc::clone(&opening.room).try_acquire_owned().unwrap();
        let full = heard(&opening, b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(full.contains("HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\n"), "{full}");
        assert!(full.contains(r#""hint":"try again in a moment""#), "{full}");
        drop(held);
        assert_eq!(heard(&opening, b"GET / HTTP/1.1\r\n\r\n").await, "let in");
        assert_eq!(opening.room.available_permits(), 1, "and there is room again");
    }

    #[tokio::test]
    async fn plain_words_where_tls_is_spoken_are_answered_plainly() {
        let opening = opening(1, 9, true);
        let told = heard(&opening, b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(told.contains("HTTP/1.1 400 Bad Request\r\n"), "{told}");
        assert!(told.contains(r#""hint":"write https:// before the server's name""#), "{told}");
        assert_eq!(heard(&opening, b"\x16\x03\x01").await, "let in");
    }
}
