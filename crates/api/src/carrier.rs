//! Who carries a request to whoever answers it.

use async_trait::async_trait;

/// Carries requests: over a network, or to a router in this very process.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// Carries one there and its answer back, whole.
    async fn carry(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Trouble>;
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
    /// Bytes of the largest answer that is read.
    most: usize,
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
        Ok(Self { client, root, token, most: 1 << 30 })
    }
}

#[async_trait]
impl Carrier for Https {
    async fn carry(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Trouble> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let url = format!("{}{path}", self.root);
        let mut asked = self.client.request(parts.method, &url).headers(parts.headers).body(body);
        if let Some(token) = &self.token {
            asked = asked.bearer_auth(token.expose());
        }
        let failed = |error: reqwest::Error| {
            // The innermost cause says what is wrong; those around it, where it was noticed.
            let error = error.without_url();
            let mut inner: &dyn std::error::Error = &error;
            while let Some(cause) = inner.source() {
                inner = cause;
            }
            Trouble(format!("{}: {inner}", self.root))
        };
        let mut answer = asked.send().await.map_err(failed)?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = answer.headers().clone();
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > self.most {
                return Err(Trouble(format!("{}: its answer is too large", self.root)));
            }
            bytes.extend_from_slice(&chunk);
        }
        response.body(bytes).map_err(|error| Trouble(error.to_string()))
    }
}
