//! The contract: what a party is before anyone connects, and what can be asked of it then.

mod directory;
mod inbox;
mod settings;

use std::sync::Arc;

use serde::Serialize;

pub(crate) use directory::is_no;
pub use directory::{Change, Check, Directory, Failure, Listed, Outcome, Repository, Tagged};
pub use inbox::{
    Action, Age, Answer, Delivery, Heard, How, Inbox, Notice, Received, Refusal, Secrets, Sender,
    receive,
};
pub use settings::{BadSetting, Given, Setting, SettingKind, Settings};

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
    /// Where a reader learns how it speaks.
    pub about: &'static str,
    /// What must and may be told before it can be spoken to.
    pub settings: &'static [Setting],
    /// The setting with what its webhooks are to prove; none where it has no webhooks.
    pub webhook_secret: Option<&'static str>,
    /// What its side can be made from, each in another language.
    pub templates: &'static [Template],
    /// What stays with it when we let go of it, to be deleted by hand.
    pub leftovers: &'static [Leftover],
    /// Gets ready to speak to it. Nothing is asked yet.
    #[serde(skip)]
    pub connect: Connect,
}

/// A secret of fewer characters can be guessed by whoever has seen one signature.
const SHORT_SECRET: usize = 32;

impl Kind {
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
    /// The document, with the address that webhooks go to, and what the integration is told.
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
}
