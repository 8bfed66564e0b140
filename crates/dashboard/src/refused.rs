//! What is shown in place of a page that cannot be: what failed, why, and what to do about it.

use api::Sort;
use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;

use crate::layout::{Layout, html};

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Nobody knows who is asking.
    LogIn,
    /// The API says why not.
    Because(Box<api::Problem>),
}

impl From<api::Error> for Refused {
    fn from(error: api::Error) -> Self {
        match error {
            api::Error::Problem(problem) if problem.sort == Sort::Unauthenticated => Self::LogIn,
            api::Error::Problem(problem) => Self::Because(problem),
            other => Self::Because(Box::new(Sort::Failed.because(other.to_string()))),
        }
    }
}

impl From<api::Problem> for Refused {
    fn from(problem: api::Problem) -> Self {
        Self::Because(Box::new(problem))
    }
}

impl Refused {
    /// There is no such page.
    pub(crate) fn nowhere(what: &str, name: &str) -> Self {
        Sort::NotFound.because(format!("{what} `{name}`: there is none")).into()
    }
}

/// The page that says so.
#[derive(Template)]
#[template(path = "refused.html")]
struct Shown<'a> {
    layout: &'a Layout,
    detail: &'a str,
    hint: Option<&'a str>,
    request: Option<&'a str>,
}

/// Where somebody logs in who wanted to go there.
pub(crate) fn log_in(next: &str) -> Response {
    let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
    Redirect::to(&format!("/login?{query}")).into_response()
}

/// Says why there is no page; `next` is what was asked for.
pub(crate) fn answer(refused: &Refused, layout: &Layout, next: &str) -> Response {
    let Refused::Because(problem) = refused else { return log_in(next) };
    let layout = Layout { title: problem.title.clone(), ..layout.clone() };
    let page = Shown {
        layout: &layout,
        detail: &problem.detail,
        hint: problem.hint.as_deref(),
        request: problem.request.as_deref(),
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = html(&page);
    *response.status_mut() = status;
    response
}
