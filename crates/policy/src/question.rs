//! What a policy asks of the world: the caller answers, while no policy runs.

use regorus::Value;
use serde::Deserialize as _;
use serde_json::Value as Json;

use crate::contract::Outside;

/// One question, and with that its own key. Values are JSON in text, sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    ImageDigest(String),
    Index(String, String),
    ReferrerIndex(String, String),
    ReferrerByDigest(String, String),
    VerifyDsse(String, String),
    VerifyImage(String, String),
    VerifyCommit(String),
    BaseImage,
    Newest(String, Vec<String>),
}

/// The answer, or why there is none.
pub(crate) type Answer = Result<Value, String>;

impl Question {
    /// In words, for whoever reads why there is no answer.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::ImageDigest(reference) => format!("cannot tell the digest of `{reference}`"),
            Self::Index(reference, _) => format!("cannot tell the index of `{reference}`"),
            Self::ReferrerIndex(reference, _) | Self::ReferrerByDigest(reference, _) => {
                format!("cannot tell what refers to `{reference}`")
            }
            Self::VerifyDsse(..) => "cannot verify an envelope".to_owned(),
            Self::VerifyImage(reference, _) => format!("cannot verify `{reference}`"),
            Self::VerifyCommit(_) => "cannot verify a commit".to_owned(),
            Self::BaseImage => "cannot tell the base image".to_owned(),
            Self::Newest(purl, _) => format!("cannot tell which version mends `{purl}`"),
        }
    }

    /// Asks it.
    pub(crate) fn put(&self, outside: &dyn Outside) -> Answer {
        let maybe = |it: Option<Json>| it.unwrap_or(Json::Null);
        let answer = match self {
            Self::ImageDigest(reference) => {
                outside.image_digest(reference).map(|it| it.map_or(Json::Null, Json::String))
            }
            Self::Index(reference, digest) => outside.index(reference, digest).map(maybe),
            Self::ReferrerIndex(reference, digest) => {
                outside.referrer_index(reference, digest).map(maybe)
            }
            Self::ReferrerByDigest(reference, digest) => {
                outside.referrer_by_digest(reference, digest).map(maybe)
            }
            Self::VerifyDsse(envelope, options) => {
                outside.verify_dsse(&json(envelope), &json(options))
            }
            Self::VerifyImage(reference, options) => {
                outside.verify_image(reference, &json(options))
            }
            Self::VerifyCommit(arguments) => match json(arguments) {
                Json::Array(arguments) => outside.verify_commit(&arguments),
                _ => Err("its arguments are not a list".to_owned()),
            },
            Self::BaseImage => outside.base_image().map(maybe),
            Self::Newest(purl, versions) => outside.newest(purl, versions).map(Json::String),
        };
        answer.and_then(|it| Value::deserialize(it).map_err(|error| error.to_string()))
    }
}

/// What was written as JSON by us.
fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or(Json::Null)
}
