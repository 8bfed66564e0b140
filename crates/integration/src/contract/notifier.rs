//! A notifier: it tells somebody what happened.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Check;

/// Tells somebody.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Whom it tells, without what is secret of it: `hooks.slack.com`.
    fn receiver(&self) -> &str;

    /// Says it, once, and what was answered, in a line. `key` is the same each time the same is said
    /// again, for receivers that can tell. What the receiver answers is quoted without our secrets.
    async fn say(&self, message: &Message, key: &str) -> Result<String, Untold>;

    /// The same, for who only wants to know that it was heard.
    async fn tell(&self, message: &Message, key: &str) -> Result<(), Untold> {
        self.say(message, key).await.map(|_| ())
    }

    /// How long saying it may take. Who waits for less may have somebody told twice.
    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Tries what can be tried without telling anybody anything: is there such a host, and may it be
    /// spoken to?
    async fn checks(&self) -> Vec<Check>;
}

/// What is said, whoever it is said to. Each notifier puts it in its receiver's form, and leaves out
/// what does not fit, saying how much that is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What happened: the kind of an event (`finding-new`), `digest`, or `test`.
    pub kind: String,
    /// In one line: "CVE-2021-44228 (critical) runs in production".
    pub title: String,
    /// One or two sentences more, where there is more to say than facts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// `critical`, `high`, `medium`, `low`, `unspecified`: the worst of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Where it runs, who brought it there, what mends it: in the order in which they are read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// The environments it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Where to read on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The organisation it is told for.
    pub organisation: String,
    /// When it happened.
    pub at: String,
    /// The same for programs: what it is about, and the events that it was made from.
    #[serde(default)]
    pub detail: Json,
}

/// One thing to know about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// "Runs in", "Brought by", "Fixed in".
    pub name: String,
    /// Each in a line of its own.
    pub lines: Vec<String>,
}

/// Why somebody was not told. It never quotes a secret, nor the address where that is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Untold {
    /// What went wrong, in a line.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What that means for what is to be told.
    pub remedy: Remedy,
}

impl Untold {
    /// For this reason.
    pub fn new(why: impl Into<String>, remedy: Remedy) -> Self {
        Self { why: why.into(), hint: None, remedy }
    }

    /// The same, with advice.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// What to do with what could not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Say it again later, and not before that time has gone by, where the receiver said so.
    Later(Option<Duration>),
    /// This message is not taken, however often it is said; others may be.
    Drop,
    /// The receiver takes nothing any more until somebody has mended it: the channel is gone, the
    /// password is wrong.
    Close,
    /// The same, as far as its answer tells; but somebody who stands before it may have given that, for a
    /// while. So it is said again later, and what goes on being answered so is believed.
    CloseAtLast,
}

impl Message {
    /// What is said when somebody wants to see whether anything arrives.
    pub fn test(organisation: &str, at: &str) -> Self {
        Self {
            kind: "test".to_owned(),
            title: "This is a test of Foretop".to_owned(),
            text: "Whoever reads this is told what happens in the images that run.".to_owned(),
            organisation: organisation.to_owned(),
            at: at.to_owned(),
            ..Self::default()
        }
    }
}
