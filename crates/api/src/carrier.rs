//! Who carries a request to whoever answers it.

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

/// Takes a part of an answer, or says why it cannot.
pub type Take<'a> = dyn FnMut(&[u8]) -> Result<(), Trouble> + Send + 'a;

/// Bytes of the largest answer that is held as a whole.
const MOST: usize = 1 << 30;

/// Carries requests: over a network, or to a router in this very process.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// Carries one there and hands on what is in its answer as it comes. An answer that is no success
    /// comes back whole.
    async fn carry_in_parts(
        &self,
        request: http::Request<Vec<u8>>,
        take: &mut Take<'_>,
    ) -> Result<http::Response<Vec<u8>>, Trouble>;

    /// Carries one there, and its answer back piece by piece, as it comes.
    async fn listen(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Pieces>, Trouble>;
}

/// An answer, piece by piece.
pub type Pieces = BoxStream<'static, Result<Vec<u8>, Trouble>>;

/// Adds a part to an answer that is held as a whole.
pub fn add(bytes: &mut Vec<u8>, part: &[u8]) -> Result<(), Trouble> {
    if bytes.len().saturating_add(part.len()) > MOST {
        return Err(Trouble("its answer is too large".to_owned()));
    }
    bytes.extend_from_slice(part);
    Ok(())
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

/// A server, by HTTP or HTTPS.
pub struct Https {
    client: reqwest::Client,
    root: String,
    token: Option<model::Secret>,
}

impl Https {
    /// The server at `root` (`https://foretop.example`), where `token` says who is asking.
    pub fn new(
        client: reqwest::Client,
        root: &str,
        token: Option<model::Secret>,
    ) -> Result<Self, Trouble> {
        let url: reqwest::Url =
            root.parse().map_err(|error| Trouble(format!("{root}: it is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(Trouble(format!("{root}: it is not the URL of a server")));
        }
        let root = root.trim_end_matches('/').to_owned();
        Ok(Self { client, root, token })
    }
}

#[async_trait]
impl Carrier for Https {
    async fn carry_in_parts(
        &self,
        request: http::Request<Vec<u8>>,
        take: &mut Take<'_>,
    ) -> Result<http::Response<Vec<u8>>, Trouble> {
        let mut answer = self.ask(request).await?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = answer.headers().clone();
        }
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|it| self.failed(it))? {
            let taken =
                if answer.status().is_success() { take(&part) } else { add(&mut bytes, &part) };
            taken.map_err(|it| Trouble(format!("{}: {it}", self.root)))?;
        }
        response.body(bytes).map_err(|error| Trouble(error.to_string()))
    }

    async fn listen(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Pieces>, Trouble> {
        let answer = self.ask(request).await?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = answer.headers().clone();
        }
        let root = self.root.clone();
        let pieces = answer.bytes_stream().map(move |piece| match piece {
            Ok(piece) => Ok(piece.to_vec()),
            Err(error) => Err(failed(&root, error)),
        });
        response.body(pieces.boxed()).map_err(|error| Trouble(error.to_string()))
    }
}

impl Https {
    async fn ask(&self, request: http::Request<Vec<u8>>) -> Result<reqwest::Response, Trouble> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let url = format!("{}{path}", self.root);
        let mut asked = self.client.request(parts.method, &url).headers(parts.headers).body(body);
        if let Some(token) = &self.token {
            asked = asked.bearer_auth(token.expose());
        }
        asked.send().await.map_err(|it| self.failed(it))
    }

    fn failed(&self, error: reqwest::Error) -> Trouble {
        failed(&self.root, error)
    }
}

/// The innermost cause says what is wrong; those around it, where it was noticed.
fn failed(root: &str, error: reqwest::Error) -> Trouble {
    let error = error.without_url();
    let mut inner: &dyn std::error::Error = &error;
    while let Some(cause) = inner.source() {
        inner = cause;
    }
    Trouble(format!("{root}: {inner}"))
}
