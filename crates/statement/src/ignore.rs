//! ignore: the team's own list of findings it lives with, a TOML file beside its code.

use model::{Product, Statement, StatementStatus};
use serde::Deserialize;

use crate::contract::{Document, Read, Unreadable};
use crate::room::{PRODUCT, Room, weight_of};
use crate::shared::{said, status};

/// The file's name, where nobody says another.
pub const IGNORE_FILE: &str = "foretop-ignore.toml";

pub(crate) struct Ignore;

impl Document for Ignore {
    fn id(&self) -> &'static str {
        "ignore"
    }

    fn title(&self) -> &'static str {
        "Foretop's ignore file: TOML, one [[ignore]] per decision"
    }

    fn claims(&self, bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes)
            .is_ok_and(|it| it.lines().any(|it| it.trim_start().starts_with("[[ignore]]")))
    }

    fn read(&self, origin: &str, bytes: &[u8]) -> Result<Read, Unreadable> {
        let text =
            std::str::from_utf8(bytes).map_err(|_| Unreadable("it is not UTF-8".to_owned()))?;
        let file: File = toml::from_str(text).map_err(|e| Unreadable(e.message().to_owned()))?;
        let mut read = Read::default();
        let mut room = Room::of(bytes);
        for (number, entry) in file.ignore.into_iter().enumerate() {
            let at = format!("{origin}, entry {}", number + 1);
            let entry = match entry.try_into::<Entry>() {
                Ok(entry) => entry,
                Err(e) => {
                    read.hole(at, format!("it does not count: {}", e.message()));
                    continue;
                }
            };
            match entry.statement(origin, &room) {
                Ok(Some(statement)) => room.tell(&mut read, statement),
                Ok(None) => room.leave_out(),
                Err(why) => read.hole(at, format!("it does not count: {why}")),
            }
        }
        room.end(&mut read, origin);
        Ok(read)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    ignore: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// One flaw, or several.
    id: Words,
    /// Purls or names of packages; without one, any.
    #[serde(default)]
    package: Option<Words>,
    /// Only these versions of them.
    #[serde(default)]
    versions: Option<String>,
    /// Only in these images: references, tags, digests.
    #[serde(default)]
    image: Option<Words>,
    reason: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    justification: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    expires: Option<toml::Value>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(it) => vec![it],
            Self::Many(all) => all,
        }
    }
}

impl Entry {
    /// `None`: there is no room for it.
    fn statement(self, origin: &str, room: &Room) -> Result<Option<Statement>, String> {
        if self.reason.trim().is_empty() {
            return Err("its reason is empty".to_owned());
        }
        let flaws = self.id.all();
        if flaws.is_empty() || flaws.iter().any(|it| it.trim().is_empty()) {
            return Err("it names no flaw".to_owned());
        }
        let status = match &self.status {
            None => StatementStatus::Accepted,
            Some(word) => status(word).filter(|it| it.suppresses()).ok_or_else(|| {
                format!("`{}` is none of accepted, not_affected, fixed", said(word))
            })?,
        };
        let expires = match self.expires {
            None => None,
            Some(toml::Value::Datetime(moment)) if moment.date.is_some() => {
                Some(moment.to_string())
            }
            Some(toml::Value::String(text)) if is_date(&text) => Some(text),
            Some(_) => return Err("`expires` is no date; 2027-01-31 is one".to_owned()),
        };
        let packages = self.package.map(Words::all);
        let versions = self.versions;
        let of = |names: Vec<String>, parts| Product { names, parts, versions: versions.clone() };
        let products = match (self.image.map(Words::all), packages) {
            (None, None) => vec![of(vec!["*".to_owned()], vec![])],
            (None, Some(packages)) => packages.into_iter().map(|it| of(vec![it], vec![])).collect(),
            (Some(images), None) => images.into_iter().map(|it| of(vec![it], vec![])).collect(),
            (Some(images), Some(packages)) => {
                let parts: Vec<Vec<String>> = packages.into_iter().map(|it| vec![it]).collect();
                // Each image has them.
                let weight = parts.iter().map(|it| weight_of(it) + PRODUCT).sum::<usize>();
                if !room.holds(weight.saturating_mul(images.len())) {
                    return Ok(None);
                }
                images.into_iter().map(|it| of(vec![it], parts.clone())).collect()
            }
        };
        Ok(Some(Statement {
            origin: origin.to_owned(),
            document: None,
            author: self.author,
            said: None,
            flaws,
            products,
            status,
            justification: self.justification,
            note: Some(self.reason),
            expires,
        }))
    }
}

/// `2027-01-31`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |at: usize, digits: usize| {
        parts.get(at).filter(|it| it.len() == digits).and_then(|it| it.parse::<u16>().ok())
    };
    parts.len() == 3
        && number(0, 4).is_some()
        && number(1, 2).is_some_and(|it| (1..=12).contains(&it))
        && number(2, 2).is_some_and(|it| (1..=31).contains(&it))
}
