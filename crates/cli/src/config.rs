//! What the user has settled for all commands: a small file of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::Output;

/// What can be settled, and what it means.
pub(crate) const KEYS: [(&str, &str); 3] = [
    ("organization", "the organization that commands act for"),
    ("sbom-trust", "whose attested SBOM is taken in place of an image's layers"),
    ("server", "the server that they ask"),
];

/// Bytes of the largest file that is one of ours.
const LARGEST: u64 = 1 << 20;

/// The file, read.
pub(crate) struct Config {
    path: PathBuf,
    /// What a newer version has settled stays in it.
    values: BTreeMap<String, String>,
}

impl Config {
    /// Reads it. Without a file, nothing is settled.
    pub(crate) fn read(environment: &Environment) -> anyhow::Result<Self> {
        let path = environment.config_file()?;
        let values = match fs_err::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error.into()),
            Ok(about) if about.len() > LARGEST => return Err(damaged(&path, "it is too large")),
            Ok(_) => serde_json::from_slice(&fs_err::read(&path)?)
                .map_err(|error| damaged(&path, &error.to_string()))?,
        };
        Ok(Self { path, values })
    }

    /// What is settled for `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Settles it, or takes that back.
    pub(crate) fn set(&mut self, key: &str, value: Option<String>) -> anyhow::Result<()> {
        match value {
            Some(value) => self.values.insert(key.to_owned(), value),
            None => self.values.remove(key),
        };
        if let Some(folder) = self.path.parent() {
            place(folder)?;
        }
        let text = serde_json::to_string_pretty(&self.values)?;
        Output::to(&self.path)?.write(|out| writeln!(out, "{text}"))
    }
}

/// What is settled for `key`, where there can be a file at all.
pub(crate) fn settled(environment: &Environment, key: &str) -> anyhow::Result<Option<String>> {
    if environment.config_file().is_err() {
        return Ok(None);
    }
    Ok(Config::read(environment)?.get(key).map(str::to_owned))
}

/// Makes the directory of what is settled.
pub(crate) fn place(folder: &Path) -> anyhow::Result<()> {
    fs_err::create_dir_all(folder)
        .map_err(|error| Failure::error(error.to_string(), "XDG_CONFIG_HOME names another place"))
}

fn damaged(path: &Path, why: &str) -> anyhow::Error {
    Failure::error(
        format!("configuration {}: {why}", path.display()),
        "mend it, or remove it and settle everything anew: foretop config KEY VALUE",
    )
}
