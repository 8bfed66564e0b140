//! Whoever is connected has to ask: a connection on which nobody asked anything for a while is closed,
//! and so is one on which an answer is not taken.
//!
//! What counts are requests, and what is sent within them, as seen above TLS: a handshake is no
//! request, nor is a ping of HTTP/2.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use axum_server::accept::Accept;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tower::Service;

/// What is not longer than this is no part of an answer: a ping, or that one was heard.
const SIGN: usize = 64;

/// For how long whoever is connected is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// Until they ask for the first time.
    pub(crate) first: Duration,
    /// Between two requests.
    pub(crate) between: Duration,
    /// Until more of a request comes, or more of an answer is taken.
    pub(crate) within: Duration,
}

/// Lets in whom `inner` lets in, and watches what they do.
#[derive(Clone, Debug)]
pub(crate) struct Watching<A> {
    inner: A,
    waits: Waits,
}

impl<A> Watching<A> {
    pub(crate) fn new(inner: A, waits: Waits) -> Self {
        Self { inner, waits }
    }
}

impl<A, I, S> Accept<I, S> for Watching<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
    A::Stream: Send,
    A::Service: Send,
{
    type Stream = Watched<A::Stream>;
    type Service = Counting<A::Service>;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepting, waits) = (self.inner.accept(stream, service), self.waits);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            let now = Instant::now();
            let doings = Doings { asked: false, under_way: 0, last: now };
            let doings = Arc::new(Mutex::new(doings));
            let timer = Box::pin(tokio::time::sleep_until(now + waits.first));
            let watched = Watched { stream, waits, doings: Arc::clone(&doings), timer };
            Ok((watched, Counting { service, doings }))
        })
    }
}

/// What is done on a connection.
struct Doings {
    /// Was anything asked yet?
    asked: bool,
    /// Requests that are not answered to their end.
    under_way: usize,
    /// When something was done last.
    last: Instant,
}

type Shared = Arc<Mutex<Doings>>;

fn change(shared: &Shared, change: impl FnOnce(&mut Doings)) {
    let mut doings = shared.lock().unwrap_or_else(PoisonError::into_inner);
    change(&mut doings);
    doings.last = Instant::now();
}

/// A connection that is watched.
pub(crate) struct Watched<I> {
    stream: I,
    waits: Waits,
    doings: Shared,
    timer: Pin<Box<Sleep>>,
}

impl<I> Watched<I> {
    /// Ready when nobody is waited for any more.
    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let by = {
                let doings = self.doings.lock().unwrap_or_else(PoisonError::into_inner);
                let wait = match (doings.under_way, doings.asked) {
                    (0, false) => self.waits.first,
                    (0, true) => self.waits.between,
                    _ => self.waits.within,
                };
                doings.last + wait
            };
            let now = Instant::now();
            if by <= now {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            // What is under way may end before that.
            self.timer.as_mut().reset(by.min(now + self.waits.between));
        }
    }

    /// Whoever takes more of an answer goes on, though all of it was handed out long ago.
    fn took(&self, polled: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(length)) = polled
            && *length > SIGN
        {
            change(&self.doings, |_| {});
        }
    }

    fn unless_over<T>(
        &mut self,
        polled: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if polled.is_pending()
            && let Poll::Ready(error) = self.poll_over(context)
        {
            return Poll::Ready(Err(error));
        }
        polled
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.unless_over(polled, context)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.took(&polled);
        self.unless_over(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.took(&polled);
        self.unless_over(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.unless_over(polled, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.unless_over(polled, context)
    }
}

/// Answers the requests of a connection, and tells what is done.
#[derive(Clone)]
pub(crate) struct Counting<S> {
    service: S,
    doings: Shared,
}

impl<S, B> Service<axum::http::Request<B>> for Counting<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: axum::http::Request<B>) -> Self::Future {
        let under_way = Arc::new(UnderWay::new(&self.doings));
        let coming = Arc::clone(&under_way);
        let request = request.map(|body| Body::new(Told { body, under_way: coming }));
        let answering = self.service.call(request);
        Box::pin(async move {
            let response = answering.await?;
            Ok(response.map(|body| Body::new(Told { body, under_way })))
        })
    }
}

/// A request that is not answered to its end.
struct UnderWay(Shared);

impl UnderWay {
    fn new(doings: &Shared) -> Self {
        change(doings, |it| {
            it.asked = true;
            it.under_way = it.under_way.saturating_add(1);
        });
        Self(Arc::clone(doings))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        change(&self.0, |it| it.under_way = it.under_way.saturating_sub(1));
    }
}

/// What is sent, either way, and told part by part.
struct Told<B> {
    body: B,
    under_way: Arc<UnderWay>,
}

impl<B: HttpBody + Unpin> HttpBody for Told<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<B::Data>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        change(&self.under_way.0, |_| {});
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
