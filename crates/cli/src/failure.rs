//! A failure: what failed, why, and what the user can do about it.

use std::fmt;

/// An error that comes with advice.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: String,
}

impl Failure {
    /// `message` reads `what failed: why`.
    pub(crate) fn error(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { message: message.into(), hint: hint.into() })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The advice that goes with `error`.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|it| {
        if let Some(it) = it.downcast_ref::<Failure>() {
            return Some(it.hint.clone());
        }
        if let Some(it) = it.downcast_ref::<engine::Error>() {
            return it.hint().map(str::to_owned);
        }
        if let Some(it) = it.downcast_ref::<api::Error>() {
            return it.hint().map(str::to_owned);
        }
        if let Some(it) = it.downcast_ref::<store::Error>() {
            return it.hint();
        }
        if let Some(it) = it.downcast_ref::<policy::Error>() {
            return it.hint().map(str::to_owned);
        }
        if let Some(it) = it.downcast_ref::<almanac::Error>() {
            return it.hint().map(str::to_owned);
        }
        if let Some(it) = it.downcast_ref::<feed::fetch::Error>() {
            return it.hint().map(str::to_owned);
        }
        if let Some(integration::watch::WatchError::Failed(it)) = it.downcast_ref() {
            return it.error.hint().map(str::to_owned);
        }
        if let Some(it) = it.downcast_ref::<image::Failure>() {
            return it.error.hint().map(str::to_owned);
        }
        it.downcast_ref::<image::Error>()?.hint().map(str::to_owned)
    })
}
