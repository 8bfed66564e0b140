//! So much of an answer is taken and no more: whoever answers for a cluster cannot fill our memory.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::{Body, Frame};
use tower::{BoxError, Layer, Service};

/// How many bytes of an answer are taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Of a part of a list, and of any other answer.
    pub(super) answer: usize,
    /// Of an event of a watch, which goes on for as long as it likes.
    pub(super) event: usize,
}

/// Holds whatever a client is answered to these bounds.
#[derive(Clone)]
pub(super) struct Bounded<S> {
    inner: S,
    bounds: Bounds,
}

impl<S> Layer<S> for Bounds {
    type Service = Bounded<S>;

    fn layer(&self, inner: S) -> Bounded<S> {
        Bounded { inner, bounds: *self }
    }
}

impl<S, B, A> Service<Request<B>> for Bounded<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response<Measured<A>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_watch = is_watch(request.uri().query().unwrap_or_default());
        let most = if is_watch { self.bounds.event } else { self.bounds.answer };
        let answer = self.inner.call(request);
        let measured = move |body| Measured { body, most, by_lines: is_watch, taken: 0 };
        async move { answer.await.map(|it| it.map(measured)) }.boxed()
    }
}

fn is_watch(query: &str) -> bool {
    query.split('&').any(|it| matches!(it, "watch=true" | "watch=1"))
}

/// An answer of which so many bytes are taken; of one that is lines, of each.
pub(super) struct Measured<B> {
    body: B,
    most: usize,
    by_lines: bool,
    /// Since the last line began.
    taken: usize,
}

impl<B> Measured<B> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), BoxError> {
        // Each line that is whole is looked at, so that none passes between two others.
        let mut rest = bytes;
        while self.by_lines
            && let Some(end) = rest.iter().position(|it| *it == b'\n')
        {
            self.add(end)?;
            self.taken = 0;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        self.add(rest.len())
    }

    fn add(&mut self, bytes: usize) -> Result<(), BoxError> {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken <= self.most {
            return Ok(());
        }
        let what = if self.by_lines { "an event" } else { "an answer" };
        Err(format!("{what} of the cluster is longer than {} bytes", self.most).into())
    }
}

impl<B> Body for Measured<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None => return Poll::Ready(None),
            Some(frame) => frame.map_err(Into::into),
        };
        Poll::Ready(Some(frame.and_then(|frame| {
            frame.data_ref().map_or(Ok(()), |it| self.take(it))?;
            Ok(frame)
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(by_lines: bool, parts: &[&str], is_fine: bool) {
        let mut measured = Measured { body: (), most: 5, by_lines, taken: 0 };
        let taken = parts.iter().try_for_each(|it| measured.take(it.as_bytes()));
        assert_eq!(taken.is_ok(), is_fine, "{parts:?}");
    }

    #[test]
    fn an_answer_as_a_whole_and_a_watch_by_its_events() {
        check(false, &["123", "45"], true);
        check(false, &["123", "456"], false);
        check(false, &["1\n2\n3\n"], false);
        check(true, &["123", "45\n", "12345\n12345\n1", "2345"], true);
        check(true, &["123", "456\n"], false);
        check(true, &["1\n123456\n1"], false);
        check(true, &["\n\n\n\n\n\n\n123456"], false);
        assert!(is_watch("&watch=true&timeoutSeconds=60") && is_watch("watch=1"));
        assert!(!is_watch("limit=250&labelSelector=watch") && !is_watch(""));
    }
}
