//! The way to a router in the same process.

use std::sync::Arc;

use api::{Carrier, Pieces, Take, Trouble};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use futures_util::StreamExt as _;
use http::Extensions;
use tower::ServiceExt as _;

/// Carries requests to `router`, which answers in this process.
pub fn here(router: Router) -> Arc<dyn Carrier> {
    Arc::new(Here(router, Extensions::new()))
}

/// The same, with what is known of whoever asks.
pub(crate) fn here_as(router: Router, known: Extensions) -> Arc<dyn Carrier> {
    Arc::new(Here(router, known))
}

struct Here(Router, Extensions);

impl Here {
    fn known(&self, request: http::Request<Vec<u8>>) -> http::Request<Body> {
        let mut request = request.map(Body::from);
        request.extensions_mut().extend(self.1.clone());
        request
    }
}

#[async_trait]
impl Carrier for Here {
    async fn carry_in_parts(
        &self,
        request: http::Request<Vec<u8>>,
        take: &mut Take<'_>,
    ) -> Result<http::Response<Vec<u8>>, Trouble> {
        let request = self.known(request);
        let response = match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let mut body = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(part) = body.next().await {
            let part = part.map_err(|error| Trouble(format!("the answer broke off: {error}")))?;
            if parts.status.is_success() { take(&part) } else { api::add(&mut bytes, &part) }?;
        }
        Ok(http::Response::from_parts(parts, bytes))
    }

    async fn listen(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Pieces>, Trouble> {
        let request = self.known(request);
        let response = match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let pieces = |body: Body| {
            let broke = |error| Trouble(format!("the answer broke off: {error}"));
            body.into_data_stream().map(move |it| it.map(Into::into).map_err(broke)).boxed()
        };
        Ok(response.map(pieces))
    }
}
