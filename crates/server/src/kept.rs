//! Answers kept: as long as nothing is written to the database, by whichever process, the same
//! question has the same answer, which needs not be made again.
//!
//! Whether something was written the database is asked each time, and that is all it is asked. Who
//! may hear the answer is looked at before, each time, too.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use model::OrganisationId;
use serde::Serialize;

use crate::app::App;
use crate::refusal::Refusal;
use crate::tagged;

/// Bytes that are kept at most, of all answers and of one.
const MOST: usize = 32 << 20;
const LARGEST: usize = 2 << 20;
/// What an answer takes besides.
const BESIDES: usize = 500;

/// Answers to questions that were asked since something was written.
#[derive(Default)]
pub(crate) struct Answers(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    stamp: String,
    answers: HashMap<(OrganisationId, String), Answer>,
    bytes: usize,
}

#[derive(Clone)]
struct Answer {
    tag: HeaderValue,
    body: Bytes,
}

/// What somebody asks, and what they know already.
pub(crate) struct Asked {
    question: String,
    known: Option<HeaderValue>,
    /// They want it made again: `Cache-Control: no-cache`.
    anew: bool,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let question = parts.uri.path_and_query().map_or("", |it| it.as_str()).to_owned();
        let known = parts.headers.get(header::IF_NONE_MATCH).cloned();
        let mut wishes = parts.headers.get_all(header::CACHE_CONTROL).iter();
        let anew = wishes.any(|it| it.to_str().is_ok_and(|it| it.contains("no-cache")));
        Ok(Self { question, known, anew })
    }
}

impl Asked {
    /// The answer rests on these names, too, which change without anything being written.
    pub(crate) fn beside<'a>(mut self, names: impl Iterator<Item = &'a String>) -> Self {
        for name in names {
            self.question.push('\n');
            self.question.push_str(name);
        }
        self
    }

    /// The answer to a question about an organisation that whoever asks it may hear of: one that
    /// was made before, if it is still true, or what `make` comes to.
    pub(crate) async fn answer<T: Serialize>(
        self,
        app: &App,
        organisation: &OrganisationId,
        make: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<Response, Refusal> {
        // Before anything is read: what is written from here on makes another stamp.
        let stamp = if self.anew { None } else { app.store.stamp().await? };
        let key = (organisation.clone(), self.question);
        if let Some(stamp) = &stamp
            && let Some(answer) = app.answers.get(stamp, &key)
        {
            return Ok(answer.told(self.known.as_ref()));
        }
        let body = Bytes::from(written(&make.await?)?);
        let answer = Answer { tag: tagged::tag(&body), body };
        if let Some(stamp) = &stamp {
            app.answers.put(stamp, key, &answer);
        }
        Ok(answer.told(self.known.as_ref()))
    }
}

fn written<T: Serialize>(it: &T) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::with_capacity(16 << 10);
    serde_json::to_writer(&mut body, it).map_err(|error| {
        let what = "what the database holds".to_owned();
        Refusal::from(store::Error::Corrupt { what, why: error.to_string() })
    })?;
    Ok(body)
}

impl Answers {
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answers.len()
    }

    fn get(&self, stamp: &str, key: &(OrganisationId, String)) -> Option<Answer> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.stamp != stamp {
            *memory = Memory { stamp: stamp.to_owned(), ..Memory::default() };
        }
        memory.answers.get(key).cloned()
    }

    /// Keeps an answer, unless something was written while it was made.
    fn put(&self, stamp: &str, key: (OrganisationId, String), answer: &Answer) {
        let bytes = answer.body.len() + key.1.len() + BESIDES;
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.stamp != stamp || bytes > LARGEST {
            return;
        }
        if memory.bytes + bytes > MOST {
            memory.answers.clear();
            memory.bytes = 0;
        }
        if memory.answers.insert(key, answer.clone()).is_none() {
            memory.bytes += bytes;
        }
    }
}

impl Answer {
    fn told(self, known: Option<&HeaderValue>) -> Response {
        let same = known.is_some_and(|it| tagged::names(it, &self.tag));
        let mut response = if same {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let mut response = Response::new(Body::from(self.body));
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.tag);
        headers.insert(header::CACHE_CONTROL, tagged::LOOK_AGAIN);
        response
    }
}
