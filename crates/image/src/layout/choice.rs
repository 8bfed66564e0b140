//! Which of several images is meant: by name, digest or position.

use std::collections::BTreeSet;

use model::{Digest, Reference};

use crate::contract::Error;

/// An image that may be meant.
#[derive(Debug, Default)]
pub(super) struct Candidate {
    /// Names that lead to it.
    pub(super) names: BTreeSet<String>,
    /// What it is known by: digests of its manifest and its configuration.
    pub(super) digests: Vec<Digest>,
    /// What it is for, in words; empty when it does not say.
    pub(super) platform: String,
    /// True if it is a set of images for several platforms.
    pub(super) several: bool,
}

/// The positions of those that are meant; more than one only if their platforms tell them apart.
pub(super) fn choose(
    what: &str,
    candidates: &[&Candidate],
    wanted: Option<&str>,
) -> Result<Vec<usize>, Error> {
    let all: Vec<usize> = (0..candidates.len()).collect();
    let chosen = match wanted {
        Some(wanted) => by_reference(candidates, &all, wanted),
        None => all.clone(),
    };
    match (&chosen[..], wanted) {
        ([], Some(wanted)) => {
            let wanted: String = wanted.chars().take(200).collect();
            Err(Error::not_found(what, format!("it holds no image `{wanted}`"))
                .with_hint(format!("it holds {}", list(candidates, &all))))
        }
        ([], None) => Err(Error::invalid(what, "it holds no image")),
        ([_], _) => Ok(chosen),
        _ if told_apart(candidates, &chosen) => Ok(chosen),
        (_, Some(wanted)) => {
            let why = format!("`{wanted}` is more than one image: {}", list(candidates, &chosen));
            Err(Error::invalid(what, why).with_hint("choose one by its digest with --ref"))
        }
        (_, None) => {
            let why = format!("it holds several images: {}", list(candidates, &chosen));
            Err(Error::invalid(what, why).with_hint("choose one with --ref"))
        }
    }
}

/// The first way of reading `wanted` by which there is an image.
fn by_reference(candidates: &[&Candidate], all: &[usize], wanted: &str) -> Vec<usize> {
    let parsed: Option<String> = wanted.parse::<Reference>().ok().map(|it| it.to_string());
    let hex = wanted.strip_prefix("sha256:").unwrap_or(wanted);
    let is_hex = hex.len() >= 6 && hex.bytes().all(|it| it.is_ascii_hexdigit());
    let full = |name: &str| name.parse::<Reference>().ok().map(|it| it.to_string());
    let ways: [&dyn Fn(&Candidate) -> bool; 4] = [
        &|it| it.names.contains(wanted),
        &|it| parsed.is_some() && it.names.iter().any(|name| full(name) == parsed),
        &|it| is_hex && it.digests.iter().any(|digest| digest.hex().starts_with(hex)),
        &|it| it.names.iter().any(|name| tag_of(name) == Some(wanted)),
    ];
    for way in ways {
        let found: Vec<usize> = all.iter().copied().filter(|&at| way(candidates[at])).collect();
        if !found.is_empty() {
            return found;
        }
    }
    wanted.parse().ok().filter(|at| all.contains(at)).into_iter().collect()
}

/// `12` of `debian:12`; not the port of `localhost:5000/app`.
fn tag_of(name: &str) -> Option<&str> {
    name.rsplit_once(':').map(|(_, tag)| tag).filter(|it| !it.contains('/'))
}

/// True if these are one image, for different platforms.
fn told_apart(candidates: &[&Candidate], chosen: &[usize]) -> bool {
    let chosen: Vec<&Candidate> = chosen.iter().map(|&at| candidates[at]).collect();
    let platforms: BTreeSet<&str> = chosen.iter().map(|it| it.platform.as_str()).collect();
    let names: BTreeSet<_> = chosen.iter().map(|it| &it.names).collect();
    names.len() == 1 && platforms.len() == chosen.len() && !chosen.iter().any(|it| it.several)
}

fn list(candidates: &[&Candidate], which: &[usize]) -> String {
    const SHOWN: usize = 20;
    let mut parts: Vec<String> = which
        .iter()
        .take(SHOWN)
        .map(|&at| {
            let it = candidates[at];
            let name = match it.names.first() {
                Some(name) => name.chars().take(200).collect(),
                None => it.digests.first().map_or(format!("{at}"), Digest::to_string),
            };
            match it.platform.as_str() {
                "" => name,
                platform => format!("{name} ({platform})"),
            }
        })
        .collect();
    if which.len() > SHOWN {
        parts.push(format!("and {} more", which.len() - SHOWN));
    }
    parts.join(", ")
}
