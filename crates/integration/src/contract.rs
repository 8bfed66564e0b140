//! The contract: what a party is before anyone connects, and what can be asked of it then.

mod directory;
mod inbox;
mod notifier;
mod runtime;
mod settings;

use std::sync::Arc;

use model::Secret;
use serde::Serialize;

use crate::shared::asked::escaped;

pub(crate) use directory::is_no;
pub use directory::{Change, Check, Directory, Failure, Listed, Outcome, Repository, Tagged};
pub use inbox::{
    Action, Age, Answer, Delivery, Heard, How, Inbox, Notice, Received, Refusal, Secrets, Sender,
    receive,
};
pub use notifier::{Fact, Message, Notifier, Remedy, Untold};
pub use runtime::{Container, Observed, Runtime};
pub use settings::{BadSetting, Given, Setting, SettingKind, Settings, host};

/// Gets ready to speak to a party.
pub type Connect = fn(&Settings, &Ways) -> Result<Box<dyn Integration>, image::Error>;

/// A kind of party: a value that can be shown before anyone connects, in JSON, too.
#[derive(Serialize)]
pub struct Kind {
    /// Kebab case, and the file's name: `artifactory`.
    pub id: &'static str,
    /// Other names that people give it.
    pub also: &'static [&'static str],
    /// What people call it: "JFrog Artifactory".
    pub title: &'static str,
    /// What it is to us.
    pub role: Role,
    /// Where a reader learns how it speaks.
    pub about: &'static str,
    /// What must and may be told before it can be spoken to.
    pub settings: &'static [Setting],
    /// Of a repository's name, is the first part that of a project, which may be meant as a whole?
    pub has_projects: bool,
    /// The setting with what its webhooks are to prove; none where it has no webhooks.
    pub webhook_secret: Option<&'static str>,
    /// The word in the query of their address that says it; none where their sender has a place of
    /// its own for it.
    pub secret_in_address: Option<&'static str>,
    /// What its side can be made from, each in another language.
    pub templates: &'static [Template],
    /// What stays with it when we let go of it, to be deleted by hand.
    pub leftovers: &'static [Leftover],
    /// Gets ready to speak to it. Nothing is asked yet.
    #[serde(skip)]
    pub connect: Connect,
}

/// What a party is to us: which of the abilities it has, so that it can be asked before anyone connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It holds images: it has a directory, and maybe an inbox.
    Registry,
    /// It knows what runs.
    Runtime,
    /// It tells somebody.
    Notifier,
}

/// A secret of fewer characters can be guessed by whoever has seen one signature.
const SHORT_SECRET: usize = 32;

impl Kind {
    /// The address that its webhooks are sent to: with the secret in it, where that is its only place.
    pub fn address(&self, address: &str, secret: Option<&Secret>) -> String {
        match self.secret_in_address.zip(secret.filter(|it| !it.expose().is_empty())) {
            Some((word, secret)) => format!("{address}?{word}={}", escaped(secret.expose())),
            None => address.to_owned(),
        }
    }

    /// Is what its webhooks prove themselves with worth the name? `None`: it has no webhooks.
    pub fn check_webhooks(&self, settings: &Settings) -> Option<Check> {
        const WHAT: &str = "webhooks prove who sends them";
        const HINT: &str = "set a secret of 64 to 128 characters by chance";
        let secret = settings.secret(self.webhook_secret?);
        Some(match secret.map(|it| it.expose().chars().count()) {
            None => {
                let why = "no secret is set, so whoever knows their address can send some";
                Check::warned(WHAT, why, HINT)
            }
            Some(length) if length < SHORT_SECRET => {
                Check::warned(WHAT, format!("the secret has only {length} characters"), HINT)
            }
            Some(length) => Check::ok(WHAT, format!("a secret of {length} characters")),
        })
    }
}

/// A document that a party makes its side of an integration from.
#[derive(Serialize)]
pub struct Template {
    /// In which language: `json`.
    pub format: &'static str,
    /// Its media type.
    pub media: &'static str,
    /// What a file of it is called.
    pub file: &'static str,
    /// The document, with the address that webhooks go to, whole, and what the integration is told.
    #[serde(skip)]
    pub fill: fn(webhook: &str, settings: &Settings) -> String,
}

/// Something that was made at a party's, for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// What it is, in its party's words.
    pub what: &'static str,
    /// Its name there.
    pub name: &'static str,
}

/// How others are reached.
#[derive(Clone)]
pub struct Ways {
    /// Proxies, authorities, patience.
    pub settings: Arc<image::Settings>,
    /// Who watches.
    pub progress: Arc<dyn image::Progress>,
}

impl Ways {
    /// Which hosts that somebody named may be spoken to: those of the list, where there is one.
    pub(crate) fn outgoing(&self) -> Arc<image::Outgoing> {
        self.settings.outgoing.clone().unwrap_or_default()
    }

    /// How images of a party's registry are reached: as it is itself, with its user and password.
    pub fn of(&self, settings: &Settings) -> Arc<image::Settings> {
        match settings.credentials() {
            None => Arc::clone(&self.settings),
            Some(credentials) => Arc::new(image::Settings {
                credentials: Some(credentials),
                ..self.settings.as_ref().clone()
            }),
        }
    }
}

/// A registry whose lists are read, and that tells itself what changes.
pub(crate) struct Both<D, I> {
    pub(crate) directory: D,
    pub(crate) inbox: I,
}

impl<D: Directory, I: Inbox> Integration for Both<D, I> {
    fn directory(&self) -> Option<&dyn Directory> {
        Some(&self.directory)
    }

    fn inbox(&self) -> Option<&dyn Inbox> {
        Some(&self.inbox)
    }
}

/// Somebody who is told something, and nothing else.
pub(crate) struct Notifies<N>(pub(crate) N);

impl<N: Notifier> Integration for Notifies<N> {
    fn notifier(&self) -> Option<&dyn Notifier> {
        Some(&self.0)
    }
}

/// A party that can be spoken to, and its abilities, asked for by name.
pub trait Integration: Send + Sync {
    /// Lists what it holds.
    fn directory(&self) -> Option<&dyn Directory> {
        None
    }
    /// Turns what it tells into events, once it is known who tells it.
    fn inbox(&self) -> Option<&dyn Inbox> {
        None
    }
    /// Tells what runs, now.
    fn runtime(&self) -> Option<&dyn Runtime> {
        None
    }
    /// Tells somebody.
    fn notifier(&self) -> Option<&dyn Notifier> {
        None
    }
}
