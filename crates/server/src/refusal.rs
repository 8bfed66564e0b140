//! Why a request is not answered as it wished: every error becomes a problem.

use api::{PROBLEM, Problem, Sort};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// After so many seconds one may ask again for what cannot be had now.
const AGAIN: u64 = 2;

/// An answer that is a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) Box<Problem>);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl Refusal {
    /// There is no such thing, or it is not for who is asking: nobody can tell which.
    pub(crate) fn no_such(what: &str, name: &str) -> Self {
        let name: String = name.chars().take(200).collect();
        Sort::NotFound.because(format!("{what} `{name}`: there is none")).into()
    }

    /// The same as the store says, but that there is no such thing without naming others, which may be
    /// many, or not for everybody.
    pub(crate) fn alone(error: store::Error, what: &str, name: &str) -> Self {
        match error {
            store::Error::NotFound { .. } => Self::no_such(what, name),
            other => other.into(),
        }
    }

    /// What was sent makes no sense.
    pub(crate) fn malformed(what: &str, why: impl std::fmt::Display) -> Self {
        Sort::Malformed.because(format!("{what}: {why}")).into()
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        let sort = match &error {
            store::Error::NotFound { .. } => Sort::NotFound,
            store::Error::Refused { .. } => Sort::Refused,
            store::Error::Exists { .. } | store::Error::InUse { .. } | store::Error::Gone(_) => {
                Sort::Conflict
            }
            store::Error::Unavailable { .. }
            | store::Error::Newer { .. }
            | store::Error::Full { .. } => Sort::Unavailable,
            store::Error::Corrupt { .. } => Sort::Failed,
        };
        // What the database says is for who runs the server, not for who asks it.
        let detail = match &error {
            store::Error::Newer { .. } => {
                tracing::error!(%error, hint = error.hint(), "nothing is written any more");
                "this server is older than its database, and waits to be restarted".to_owned()
            }
            store::Error::Unavailable { .. } => {
                tracing::error!(%error, "the database failed");
                "the database does not answer".to_owned()
            }
            store::Error::Full { .. } => {
                tracing::error!(%error, "the database takes nothing more");
                error.to_string()
            }
            store::Error::Corrupt { .. } => {
                tracing::error!(%error, "the database holds what makes no sense");
                "what the database holds makes no sense".to_owned()
            }
            other => other.to_string(),
        };
        let mut problem = sort.because(detail);
        problem.hint = match sort {
            Sort::Unavailable if !matches!(error, store::Error::Full { .. }) => {
                Some("try again in a moment; the server's log says why".to_owned())
            }
            Sort::Failed => Some("the server's log says what".to_owned()),
            // Which others there are is not for everybody.
            _ if matches!(error, store::Error::NotFound { what: "organization", .. }) => {
                Some("`foretop enroll NAME` makes one".to_owned())
            }
            _ => error.hint(),
        };
        problem.into()
    }
}

impl From<almanac::Error> for Refusal {
    fn from(error: almanac::Error) -> Self {
        let mut problem = Sort::Unavailable.because(error.to_string());
        problem.hint = error.hint().map(str::to_owned);
        problem.into()
    }
}

impl From<engine::Error> for Refusal {
    fn from(error: engine::Error) -> Self {
        let sort = match &error {
            engine::Error::Image(image::Error::Unavailable { .. }) => Sort::Unavailable,
            _ => Sort::Refused,
        };
        let mut problem = sort.because(error.to_string());
        problem.hint = error.hint().map(str::to_owned);
        problem.into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&*self.0).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM))];
        let mut response = (status, kind, body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer realm=\"Foretop\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(AGAIN));
        }
        response
    }
}
