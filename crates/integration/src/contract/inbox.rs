//! An inbox: who says it, what it says, and what to answer.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method};
use model::{Digest, Gap, Moment, Secret};
use serde::{Deserialize, Serialize};

/// What a party's webhooks say. Pure: nothing is asked, no URL in a body is followed.
pub trait Inbox: Send + Sync {
    /// Bytes that a body may have.
    fn limit(&self) -> usize {
        1 << 20
    }
    /// Who says it? Constant in time, as far as secrets go.
    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Sender;
    /// The answer to a question of whether somebody is here at all. `None`: it is no such question.
    fn handshake(&self, _delivery: &Delivery<'_>) -> Option<Answer> {
        None
    }
    /// What it says. Never fails: what cannot be read is a gap. The same delivery reads the same
    /// always.
    fn read(&self, delivery: &Delivery<'_>) -> Heard;
    /// What is older than this, by a time that its sender signed, is a replay.
    fn window(&self) -> Option<Duration> {
        None
    }
}

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// `POST`.
    pub method: &'a Method,
    /// What follows the question mark, as it was written.
    pub query: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, as it came.
    pub body: &'a [u8],
}

impl Delivery<'_> {
    /// A header's bytes; `None` also where it comes more than once, for then nobody knows which.
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next()?;
        all.next().is_none().then_some(first.as_bytes())
    }

    /// A header, if it is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }

    /// The type of its body, in lower case, without parameters.
    pub(crate) fn content_type(&self) -> String {
        let whole = self.text("content-type").unwrap_or_default();
        whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// What senders prove themselves with. While the new one is being told to them, the old one holds.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The one that is told now.
    pub new: Option<Secret>,
    /// The one that was told before.
    pub old: Option<Secret>,
}

impl Secrets {
    /// These. An empty secret is none: it would prove everybody.
    pub fn new(new: Option<Secret>, old: Option<Secret>) -> Self {
        let given = |it: Option<Secret>| it.filter(|it| !it.expose().is_empty());
        Self { new: given(new), old: given(old) }
    }

    /// True when nobody agreed on any.
    pub fn is_empty(&self) -> bool {
        let given = |it: &Option<Secret>| it.as_ref().is_some_and(|it| !it.expose().is_empty());
        !given(&self.new) && !given(&self.old)
    }
}

/// Who says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Somebody who knows a secret.
    Verified {
        /// How they showed that.
        how: How,
        /// Which of the two it is.
        age: Age,
    },
    /// Nobody agreed on a secret.
    Unsigned,
    /// Nobody who knows it.
    Refused(Refusal),
}

/// How a secret is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// As a signature over the body, which therefore is theirs too.
    Signature,
    /// As it is, which says nothing of the body.
    Secret,
}

/// Which of two secrets it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Age {
    /// The one that is told now.
    New,
    /// The one that was told before: its sender should be told the new one.
    Old,
}

/// Why a delivery is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It shows no secret, and there is one.
    Missing,
    /// It shows another secret, or its signature is about another body.
    Wrong,
    /// It was signed too long ago, or has yet to be.
    Stale,
    /// It is too long.
    Large,
    /// It has too many events.
    Many,
    /// It is no POST.
    Method,
}

impl Refusal {
    /// The status to answer with.
    pub fn status(self) -> u16 {
        match self {
            Self::Missing | Self::Wrong | Self::Stale => 401,
            Self::Large | Self::Many => 413,
            Self::Method => 405,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it does not say who sends it",
            Self::Wrong => "it was not signed with our secret",
            Self::Stale => "it was signed at another time than now",
            Self::Large => "its body is too long",
            Self::Many => "it has more events than are taken at once",
            Self::Method => "it is no POST",
        })
    }
}

/// What to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// 200.
    pub status: u16,
    /// In lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

/// What was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// In the order of the body.
    pub notices: Vec<Notice>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// What was understood and is no concern of ours: a pull, a test.
    pub ignored: Vec<String>,
    /// It goes on, and nobody reads the rest.
    pub is_cut: bool,
}

/// Events of one delivery. Azure's batches have room for as many.
const NOTICES_LIMIT: usize = 5_000;
/// Gaps and remarks of one delivery.
const REMARKS_LIMIT: usize = 100;

impl Heard {
    pub(crate) fn notice(&mut self, notice: Notice) {
        self.is_cut |= self.notices.len() >= NOTICES_LIMIT;
        if !self.is_cut {
            self.notices.push(notice);
        }
    }

    pub(crate) fn gap(&mut self, at: impl Into<String>, why: impl Into<String>) {
        let gap = Gap::new(at, why);
        if self.gaps.len() < REMARKS_LIMIT && self.gaps.last() != Some(&gap) {
            self.gaps.push(gap);
        }
    }

    pub(crate) fn ignore(&mut self, what: impl Into<String>) {
        if self.ignored.len() < REMARKS_LIMIT {
            self.ignored.push(what.into());
        }
    }
}

/// Something changed in a registry, or so its sender says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for the same notice, however often it is sent.
    pub id: String,
    /// True when no other notice ever has this id: its sender gave it, or it says when it was.
    /// False: the same change may come again one day under the same id, so it tells duplicates only
    /// among what still waits.
    pub is_unique: bool,
    /// What.
    pub action: Action,
    /// The registry to ask about it: as it was set up, never as the body says.
    pub registry: String,
    /// The repository there.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest that it says. To be believed only where it is signed; the registry knows better.
    pub digest: Option<Digest>,
    /// What the digest is of, as a media type.
    pub media_type: Option<String>,
    /// When, as its sender says.
    pub at: Option<Moment>,
    /// Was the body signed by somebody who knows the secret?
    pub is_signed: bool,
}

impl Notice {
    /// Registry, repository and tag or digest: notices about the same lead to the same question.
    pub fn about(&self) -> (&str, &str, &str) {
        let digest = self.digest.as_ref().map_or("", Digest::as_str);
        (&self.registry, &self.repository, self.tag.as_deref().unwrap_or(digest))
    }
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// An image is there, or there anew.
    Pushed,
    /// An image or a tag is gone.
    Deleted,
    /// A tag that was there leads to something else.
    Retagged,
}

impl Action {
    /// `pushed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Deleted => "deleted",
            Self::Retagged => "retagged",
        }
    }
}

/// What comes of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Somebody asked whether we are here.
    Handshake(Answer),
    /// It is not taken.
    Refused(Refusal),
    /// It is taken. Once its notices are kept, 200 is the answer that everybody understands.
    Heard {
        /// What it says.
        heard: Heard,
        /// Who says it.
        sender: Sender,
    },
}

/// How far the clock of a sender may be ahead of ours.
const AHEAD: i64 = 600;

/// Takes a delivery: its length, who sends it, whether it only knocks, what it says.
pub fn receive(
    inbox: &dyn Inbox,
    delivery: &Delivery<'_>,
    secrets: &Secrets,
    now: Moment,
) -> Received {
    if delivery.body.len() > inbox.limit() {
        return Received::Refused(Refusal::Large);
    }
    let sender = inbox.verify(delivery, secrets);
    if sender == Sender::Refused(Refusal::Wrong) {
        return Received::Refused(Refusal::Wrong);
    }
    // Whoever knocks need not know the secret, for it is not always sent along. Nothing is told but
    // what they said themselves.
    if let Some(answer) = inbox.handshake(delivery) {
        return Received::Handshake(answer);
    }
    if *delivery.method != Method::POST {
        return Received::Refused(Refusal::Method);
    }
    if let Sender::Refused(why) = sender {
        return Received::Refused(why);
    }
    let mut heard = inbox.read(delivery);
    if heard.is_cut {
        return Received::Refused(Refusal::Many);
    }
    let is_signed = matches!(sender, Sender::Verified { how: How::Signature, .. });
    if let Some(window) = inbox.window().filter(|_| is_signed) {
        let window = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        let (first, last) = (now.plus_seconds(window.saturating_neg()), now.plus_seconds(AHEAD));
        let is_stale = |it: &Notice| it.at.is_some_and(|at| at < first || at > last);
        if heard.notices.iter().any(is_stale) {
            return Received::Refused(Refusal::Stale);
        }
    }
    for notice in &mut heard.notices {
        notice.is_signed = is_signed;
    }
    Received::Heard { heard, sender }
}
