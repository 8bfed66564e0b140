//! What went wrong, as RFC 9457 writes it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Which sort of problem, for programs.
    #[serde(rename = "type")]
    pub sort: Sort,
    /// The same, for people.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// `what failed: why`.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What to name to whoever runs the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// The sorts of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// What was sent makes no sense.
    Malformed,
    /// Nobody knows who is asking.
    Unauthenticated,
    /// Who is asking may not do this.
    Forbidden,
    /// There is no such thing, or it is not for who is asking.
    NotFound,
    /// This path does not take this method.
    MethodNotAllowed,
    /// It contradicts what is there.
    Conflict,
    /// It changed since it was looked at.
    Changed,
    /// It is more than is taken at once.
    TooLarge,
    /// It is not in a form that is understood here.
    UnsupportedMediaType,
    /// It is understood and cannot be done.
    Refused,
    /// Too many requests in too short a time.
    TooMany,
    /// The server cannot do it now.
    Unavailable,
    /// The server failed.
    Failed,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Changed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Refused,
        Self::TooMany,
        Self::Unavailable,
        Self::Failed,
    ];

    /// Its status and title.
    pub fn told(self) -> (u16, &'static str) {
        match self {
            Self::Malformed => (400, "What was sent makes no sense"),
            Self::Unauthenticated => (401, "Who are you?"),
            Self::Forbidden => (403, "You may not do this"),
            Self::NotFound => (404, "There is no such thing"),
            Self::MethodNotAllowed => (405, "This path does not take this method"),
            Self::Conflict => (409, "It contradicts what is there"),
            Self::Changed => (412, "It changed since you looked at it"),
            Self::TooLarge => (413, "It is more than is taken at once"),
            Self::UnsupportedMediaType => (415, "It is not in a form that is understood here"),
            Self::Refused => (422, "It cannot be done"),
            Self::TooMany => (429, "Too many requests"),
            Self::Unavailable => (503, "The server cannot do it now"),
            Self::Failed => (500, "The server failed"),
        }
    }

    /// The problem of this sort.
    pub fn because(self, detail: impl Into<String>) -> Problem {
        let (status, title) = self.told();
        Problem {
            sort: self,
            title: title.to_owned(),
            status,
            detail: detail.into(),
            hint: None,
            request: None,
        }
    }
}

impl Problem {
    /// The same, with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
