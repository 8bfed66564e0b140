//! Being a Docker CLI plugin: `docker scout …` and `docker foretop …`.
//!
//! `docker` hands over its own command line as it was typed, its own flags in front of our name.
//! <https://github.com/docker/cli/blob/master/cli-plugins/metadata/metadata.go>

mod complete;
pub(crate) mod socket;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::version::VERSION;

pub(crate) use socket::die_with_docker;

/// The names under which `docker` knows us.
pub(crate) const NAMES: [&str; 2] = ["scout", "foretop"];

/// What is wanted of this process.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A command of ours.
    Run {
        /// What people type to get here: `foretop`, `docker scout`.
        title: &'static str,
        /// For clap: a name, then our own words.
        words: Vec<OsString>,
        /// What `docker` was told.
        docker: DockerFlags,
    },
    /// A question of `docker` or of a shell, and the answer.
    Answer(String),
}

/// Docker's own flags, in front of the plugin's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DockerFlags {
    /// `docker` runs us.
    pub(crate) called_by_docker: bool,
    /// `--config`.
    pub(crate) config: Option<PathBuf>,
    /// `--context`.
    pub(crate) context: Option<String>,
    /// `--host`.
    pub(crate) host: Option<String>,
    /// `--debug`, or `--log-level debug`.
    pub(crate) debug: bool,
    /// `--tls` or `--tlsverify`; without checking whom we speak to is nothing we do.
    pub(crate) tls: bool,
    /// `--tlscacert`.
    pub(crate) tls_ca: Option<PathBuf>,
    /// `--tlscert`.
    pub(crate) tls_cert: Option<PathBuf>,
    /// `--tlskey`.
    pub(crate) tls_key: Option<PathBuf>,
}

/// Tells a plain command line from docker's.
pub(crate) fn called(argv: Vec<OsString>) -> Call {
    let program = argv.first().map(PathBuf::from).unwrap_or_default();
    let stem = program.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    let plugin = stem.strip_prefix("docker-").filter(|it| NAMES.contains(it));
    let mut words: Vec<OsString> = argv.into_iter().skip(1).collect();
    if words.first().is_some_and(|it| it == "docker-cli-plugin-metadata") {
        return Call::Answer(metadata());
    }
    let mut docker = DockerFlags::default();
    let mut title = "foretop";
    if let Some(name) = plugin {
        // By itself, `docker-scout sbom` works as well; with the name, `docker` was there.
        title = if name == "scout" { "docker scout" } else { "docker foretop" };
        words = docker.take(words);
        let at = words.iter().take(2).position(|it| it == name);
        let in_front = words.first().and_then(|it| it.to_str()).unwrap_or_default();
        let asks = ["help", "__complete", "__completeNoDesc"].contains(&in_front);
        if let Some(at) = at.filter(|at| *at == 0 || asks) {
            words.remove(at);
            docker.called_by_docker = true;
        }
    }
    match words.first().and_then(|it| it.to_str()) {
        Some("__complete") => {
            Call::Answer(complete::complete(&crate::tree(title), &words[1..], true))
        }
        Some("__completeNoDesc") => {
            Call::Answer(complete::complete(&crate::tree(title), &words[1..], false))
        }
        // Asked after `docker build` and `docker pull`, by those who set hooks: nothing to add.
        Some("docker-cli-plugin-hooks") if plugin.is_some() => {
            Call::Answer("{\"Type\":0,\"Template\":\"\"}\n".to_owned())
        }
        _ => {
            words.insert(0, title.into());
            Call::Run { title, words, docker }
        }
    }
}

/// docker shows the vendor behind the description.
fn metadata() -> String {
    let value = json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "Foretop",
        "Version": format!("v{VERSION}"),
        "ShortDescription": crate::ABOUT,
    });
    format!("{value}\n")
}

impl DockerFlags {
    /// Takes docker's flags from the front of `words` and leaves the rest. A flag that is not
    /// docker's is left too, for clap to judge.
    fn take(&mut self, words: Vec<OsString>) -> Vec<OsString> {
        let mut rest = words.into_iter().peekable();
        while let Some(word) = rest.peek().and_then(|it| it.to_str()).map(str::to_owned) {
            let Some(flag) = word.strip_prefix('-').filter(|it| !it.is_empty()) else { break };
            let (name, glued) = parts(flag);
            let on = glued != Some("false");
            match name {
                "D" | "debug" if glued.is_none_or(|it| ["true", "false"].contains(&it)) => {
                    self.debug |= on;
                }
                // A cluster, `-DH tcp://…`: one letter is taken, the rest read again.
                "D" => {
                    self.debug = true;
                    let others = format!("-{}", glued.unwrap_or_default());
                    let mut again = vec![others.into()];
                    again.extend(rest.skip(1));
                    return self.take(again);
                }
                "tls" | "tlsverify" => self.tls |= on,
                "c" | "context" | "H" | "host" | "config" | "l" | "log-level" | "tlscacert"
                | "tlscert" | "tlskey" => {
                    let name = name.to_owned();
                    let glued = glued.map(OsString::from);
                    rest.next();
                    // docker itself has refused a flag without its value.
                    let Some(value) = glued.or_else(|| rest.next()) else { break };
                    self.set(&name, value);
                    continue;
                }
                _ => break,
            }
            rest.next();
        }
        rest.collect()
    }

    fn set(&mut self, name: &str, value: OsString) {
        let text = || value.to_string_lossy().into_owned();
        match name {
            "c" | "context" => self.context = Some(text()),
            // docker takes several and uses the first.
            "H" | "host" => self.host = self.host.take().or_else(|| Some(text())),
            "l" | "log-level" => self.debug |= value == "debug",
            "config" => self.config = Some(value.into()),
            "tlscacert" => self.tls_ca = Some(value.into()),
            "tlscert" => self.tls_cert = Some(value.into()),
            _ => self.tls_key = Some(value.into()),
        }
    }
}

/// The name of a flag without its first dash, and the value written in one with it:
/// `-config=x`, `-tls`, `Dc`, `Hx`, `H=x`.
fn parts(flag: &str) -> (&str, Option<&str>) {
    if let Some(long) = flag.strip_prefix('-') {
        return long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
    }
    let (name, value) = flag.split_at(flag.chars().next().map_or(0, char::len_utf8));
    let value = value.strip_prefix('=').unwrap_or(value);
    (name, (!value.is_empty()).then_some(value))
}

/// Is the file at `path` one that `foretop plugin install` put there?
pub(crate) fn is_ours(path: &Path) -> bool {
    if let Ok(target) = fs_err::read_link(path)
        && target.file_stem().is_some_and(|it| it == "foretop")
    {
        return true;
    }
    // A copy: our binaries say this sentence, and these instructions are where they have it from.
    let bytes = fs_err::read(path).unwrap_or_default();
    let sentence = b"foretop is a Docker CLI plugin as well";
    bytes.windows(sentence.len()).any(|it| it == sentence)
}

#[cfg(test)]
mod tests;
