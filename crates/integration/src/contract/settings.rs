//! Settings as data: forms, help and parameters are made from what is said here.

use std::collections::BTreeMap;

use model::Secret;
use serde::Serialize;

use super::Kind;

/// One thing that a party wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Kebab case: `webhook-secret`.
    pub key: &'static str,
    /// Other spellings of it that are understood.
    pub also: &'static [&'static str],
    /// What a form shows.
    pub label: &'static str,
    /// What may stand there.
    pub kind: SettingKind,
    /// Must it be told?
    pub required: bool,
    /// What holds where nothing is told.
    pub default: Option<&'static str>,
    /// One sentence for people.
    pub help: &'static str,
    /// A value as an example.
    pub example: &'static str,
    /// Environment variables that tell it where nothing else does, the first one first.
    pub variables: &'static [&'static str],
    /// Does it make sense for a process of its own alone (`watch`)?
    pub watch_only: bool,
}

/// What may stand in a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "choices", rename_all = "kebab-case")]
pub enum SettingKind {
    /// Never shown again.
    Secret,
    /// Headers, one a line (`x-key: value`), never shown again.
    Headers,
    /// Any one line.
    Text,
    /// A host, with its port if need be: `registry.example:5000`.
    Host,
    /// An http or https URL without user and password.
    Url,
    /// A port number; 0 is any that is free.
    Port,
    /// Whole minutes, from 5 to a day of them.
    Minutes,
    /// `true` or `false`.
    Switch,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Words, with commas between them.
    Words,
    /// Globs, with commas between them.
    Patterns,
    /// Regular expressions, one a line.
    Expressions,
    /// A template of any number of lines.
    Template,
}

impl SettingKind {
    /// May there be more than one?
    pub fn is_list(self) -> bool {
        matches!(self, Self::Words | Self::Patterns | Self::Expressions)
    }

    /// Is it never shown again?
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Headers)
    }

    /// Bytes of one value.
    fn longest(self) -> usize {
        if matches!(self, Self::Template | Self::Headers) { 16 << 10 } else { LONGEST }
    }
}

impl Setting {
    /// A setting that need not be told, which the fields after it change.
    pub(crate) const NONE: Self = Self {
        key: "",
        also: &[],
        label: "",
        kind: SettingKind::Text,
        required: false,
        default: None,
        help: "",
        example: "",
        variables: &[],
        watch_only: false,
    };

    fn is_called(&self, name: &str) -> bool {
        self.key == name || self.also.contains(&name)
    }
}

/// A key and a value, as somebody wrote them.
pub type Given = (String, String);

/// What is wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct BadSetting {
    /// Which.
    pub key: String,
    /// What is wrong. It never quotes a secret.
    pub why: String,
    /// What to do.
    pub hint: Option<String>,
}

impl BadSetting {
    pub(crate) fn new(key: &str, why: impl Into<String>) -> Self {
        Self { key: key.chars().take(100).collect(), why: why.into(), hint: None }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// The settings of one party, each checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    texts: BTreeMap<&'static str, Vec<String>>,
    secrets: BTreeMap<&'static str, Secret>,
}

impl Settings {
    /// What was told, as one line; a list's first entry.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key)?.first().map(String::as_str)
    }

    /// Every entry of a list.
    pub fn all(&self, key: &str) -> &[String] {
        self.texts.get(key).map_or(&[], Vec::as_slice)
    }

    /// A secret.
    pub fn secret(&self, key: &str) -> Option<&Secret> {
        self.secrets.get(key)
    }

    /// Every key that is told, and those that hold by default.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.texts.keys().chain(self.secrets.keys()).copied()
    }

    /// User and password; a password without a user is an access token.
    pub(crate) fn credentials(&self) -> Option<image::Credentials> {
        let password = self.secret("password")?.clone();
        Some(match self.text("user") {
            Some(user) => image::Credentials::Basic { user: user.to_owned(), password },
            None => image::Credentials::Bearer(password),
        })
    }
}

/// Bytes of one value.
const LONGEST: usize = 4096;
/// Minutes between one look and the next.
const MINUTES: std::ops::RangeInclusive<u16> = 5..=1440;
/// Entries of one list.
const MOST: usize = 1000;

impl Kind {
    /// Checks what was told, and asks `variable` for what was not. Every fault is told, in the order
    /// in which the settings are declared.
    pub fn settle(
        &self,
        given: &[Given],
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Settings, Vec<BadSetting>> {
        let mut settled = Settings::default();
        let mut faults: Vec<BadSetting> = given
            .iter()
            .filter(|(key, _)| !self.settings.iter().any(|it| it.is_called(key)))
            .map(|(key, _)| self.unknown(key))
            .collect();
        for setting in self.settings {
            if let Err(fault) = settle_one(setting, given, variable, &mut settled) {
                faults.push(fault);
            }
        }
        if faults.is_empty() { Ok(settled) } else { Err(faults) }
    }

    fn unknown(&self, key: &str) -> BadSetting {
        let keys: Vec<&str> = self.settings.iter().map(|it| it.key).collect();
        BadSetting::new(key, format!("{} has no such setting", self.id))
            .with_hint(format!("it has {}", keys.join(", ")))
    }
}

fn settle_one(
    setting: &'static Setting,
    given: &[Given],
    variable: &dyn Fn(&str) -> Option<String>,
    settled: &mut Settings,
) -> Result<(), BadSetting> {
    let bad = |why: &str| BadSetting::new(setting.key, why);
    let mut told: Vec<String> =
        given.iter().filter(|(key, _)| setting.is_called(key)).map(|it| it.1.clone()).collect();
    // What is empty is not told: a form sends all of its fields.
    told.retain(|it| !it.trim().is_empty());
    if told.is_empty() {
        let named = setting.variables.iter().find_map(|it| variable(it));
        told.extend(named.filter(|it| !it.trim().is_empty()));
    }
    if told.is_empty() {
        told.extend(setting.default.map(str::to_owned));
    }
    if told.is_empty() {
        if !setting.required {
            return Ok(());
        }
        let fault = bad("it must be told");
        let named = setting.variables.first().map(|it| format!(", or {it}"));
        let hint =
            format!("{}, such as {}{}", setting.help, setting.example, named.unwrap_or_default());
        return Err(fault.with_hint(hint));
    }
    if told.iter().any(|it| it.len() > setting.kind.longest()) {
        return Err(bad("it is too long"));
    }
    if setting.kind.is_secret() {
        let [secret] = &told[..] else { return Err(bad("it is told more than once")) };
        // A line's end comes along when a secret is read from a file.
        let secret = secret.trim_end_matches(['\r', '\n']);
        let has_lines = setting.kind == SettingKind::Headers;
        if secret.contains(|it: char| it.is_control() && !(has_lines && it == '\n')) {
            return Err(bad("it has control characters in it"));
        }
        settled.secrets.insert(setting.key, Secret::new(secret));
        return Ok(());
    }
    let mut entries = Vec::new();
    for text in &told {
        let parted: Vec<&str> = match setting.kind {
            SettingKind::Words | SettingKind::Patterns => text.split(',').collect(),
            SettingKind::Expressions => text.lines().collect(),
            _ => vec![text],
        };
        for entry in parted.into_iter().map(str::trim).filter(|it| !it.is_empty()) {
            entries.push(check(setting, entry).map_err(|why| bad(&why).with_hint(setting.help))?);
        }
    }
    if entries.len() > if setting.kind.is_list() { MOST } else { 1 } {
        return Err(bad("it is told more than once"));
    }
    settled.texts.insert(setting.key, entries);
    Ok(())
}

/// The entry as it is kept, or why it makes no sense.
fn check(setting: &Setting, entry: &str) -> Result<String, String> {
    let shown: String = entry.chars().take(100).collect();
    let has_lines = setting.kind == SettingKind::Template;
    if entry
        .contains(|it: char| it.is_control() && !(has_lines && matches!(it, '\n' | '\r' | '\t')))
    {
        return Err("it has control characters in it".to_owned());
    }
    match setting.kind {
        SettingKind::Secret | SettingKind::Headers | SettingKind::Text | SettingKind::Template => {}
        SettingKind::Host => return host(entry).ok_or_else(|| format!("`{shown}` is no host")),
        SettingKind::Url => return url(entry).map_err(|why| format!("`{shown}` {why}")),
        SettingKind::Port => {
            if entry.parse::<u16>().is_err() {
                return Err(format!("`{shown}` is no port"));
            }
        }
        SettingKind::Minutes => {
            if !entry.parse::<u16>().is_ok_and(|it| MINUTES.contains(&it)) {
                let (least, most) = (MINUTES.start(), MINUTES.end());
                return Err(format!("`{shown}` is no number from {least} to {most}"));
            }
        }
        SettingKind::Switch => {
            return match entry.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok("true".to_owned()),
                "false" | "0" | "no" | "off" => Ok("false".to_owned()),
                _ => Err(format!("`{shown}` is neither true nor false")),
            };
        }
        SettingKind::Choice(choices) => {
            if !choices.contains(&entry) {
                return Err(format!("`{shown}` is none of {}", choices.join(", ")));
            }
        }
        SettingKind::Words => {
            if entry.contains(char::is_whitespace) {
                return Err(format!("`{shown}` is no single word"));
            }
        }
        SettingKind::Patterns => {
            crate::filter::glob(entry).map_err(|why| format!("`{shown}` is no pattern: {why}"))?;
        }
        SettingKind::Expressions => {
            crate::filter::expression(entry)
                .map_err(|why| format!("`{shown}` is no regular expression: {why}"))?;
        }
    }
    Ok(entry.to_owned())
}

/// `registry.example`, `localhost:5000`; people paste whole URLs.
pub fn host(text: &str) -> Option<String> {
    let text =
        text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let text = text.trim_end_matches('/').to_ascii_lowercase();
    let reference: model::Reference = format!("{text}/x/y").parse().ok()?;
    (reference.repository == "x/y").then_some(reference.host)
}

fn url(text: &str) -> Result<String, &'static str> {
    let uri: http::Uri = text.parse().map_err(|_| "is no URL")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("is no http or https URL");
    }
    if uri.authority().is_none_or(|it| it.as_str().contains('@') || it.host().is_empty()) {
        return Err("has a user in it, or no host");
    }
    if uri.query().is_some() {
        return Err("goes on after the path");
    }
    Ok(text.trim_end_matches('/').to_owned())
}
