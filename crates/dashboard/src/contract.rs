//! What a page is, and who brings its questions to the API.

use std::sync::Arc;

use api::Carrier;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::request::Parts;
use model::Moment;

use crate::refused::Refused;
use crate::visit::{Form, Visit};

/// What comes of a visit.
pub(crate) type Shown = BoxFuture<'static, Result<Response, Refused>>;

/// A page: where it is, what it is for, and how it is made.
pub struct Page {
    /// The name of its file: `environments`.
    pub id: &'static str,
    /// Where it is: `/o/{org}/environments`.
    pub path: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it answers, in one sentence.
    pub about: &'static str,
    /// Who finds it without a link to it.
    pub found: Found,
    /// Makes it.
    pub(crate) show: fn(Visit) -> Shown,
    /// Takes what was filled in there; none has nothing to fill in.
    pub(crate) take: Option<fn(Visit, Form) -> Shown>,
}

impl Page {
    /// Is it about one organisation?
    pub fn is_of_an_organisation(&self) -> bool {
        self.path.starts_with("/o/{org}")
    }
}

/// Who finds a page without a link to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Everybody, in the menu of an organisation.
    InMenu,
    /// Whoever comes from another page.
    ByLink,
    /// Also who has not logged in.
    ByAll,
}

/// Brings the questions of pages to the API, and says what time it is.
pub trait Door: Send + Sync {
    /// Carries questions in the name of whoever sent this request, from where they are. Who they say
    /// they are is added to each question; all else that is known of them is the door's to hand on.
    fn open(&self, parts: &Parts) -> Arc<dyn Carrier>;

    /// What time it is.
    fn now(&self) -> Moment;

    /// What everybody is to know about this server, on every page.
    fn notice(&self) -> Option<&'static str> {
        None
    }
}
