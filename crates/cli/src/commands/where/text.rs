//! Where something runs, for people: by environment, what was recorded last first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use api::{Deployment, Flaw, Sighted, Sighting, Whereabouts};

use crate::messages::count;
use crate::table::plain;

/// How often something was seen.
pub(super) struct Seen {
    pub(super) environments: u64,
    pub(super) deployments: u64,
    pub(super) images: u64,
    /// Deployments in which statements take all of it out of the way.
    pub(super) suppressed: u64,
}

impl Seen {
    pub(super) fn of(answer: &Whereabouts) -> Self {
        let running =
            || answer.found.iter().flat_map(|it| &it.deployments).map(|it| &it.deployment);
        let environments: BTreeSet<&str> =
            answer.found.iter().flat_map(|it| it.environments.iter().map(|it| &*it.name)).collect();
        let deployments: BTreeSet<&str> = running().map(|it| &*it.id).collect();
        let sightings = answer.found.iter().flat_map(|it| &it.deployments);
        let open = sightings.filter(|it| it.statement.is_none());
        let open: BTreeSet<&str> = open.map(|it| &*it.deployment.id).collect();
        let images: BTreeSet<&str> = running().map(|it| &*it.digest).collect();
        Self {
            environments: environments.len() as u64,
            deployments: deployments.len() as u64,
            images: images.len() as u64,
            suppressed: (deployments.len() - open.len()) as u64,
        }
    }
}

/// What of it is in something that runs.
type Inside<'a> = Vec<(&'a Sighted, &'a Sighting)>;

pub(super) fn text(answer: &Whereabouts) -> String {
    let mut by_environment: BTreeMap<&str, BTreeMap<&str, (&Deployment, Inside<'_>)>> =
        BTreeMap::new();
    for sighted in &answer.found {
        for it in &sighted.deployments {
            let there = by_environment.entry(&it.deployment.environment).or_default();
            let entry = there.entry(&it.deployment.id);
            let (_, inside) = entry.or_insert_with(|| (&it.deployment, Vec::new()));
            inside.push((sighted, it));
        }
    }
    let mut out = String::new();
    for (environment, deployments) in by_environment {
        let mut deployments: Vec<_> = deployments.into_values().collect();
        deployments.sort_by(|one, other| {
            (&other.0.from, &one.0.application).cmp(&(&one.0.from, &other.0.application))
        });
        let number = count(deployments.len() as u64, "deployment", "deployments");
        let _ = writeln!(out, "{environment} ({number})");
        for (deployment, inside) in deployments {
            deployed(&mut out, deployment, &inside);
        }
        out.push('\n');
    }
    for it in answer.found.iter().filter(|it| it.more) {
        let _ = writeln!(out, "… and more deployments with {}", it.purls.join(", "));
    }
    // That it is somewhere and does not run is worth a line.
    for it in answer.found.iter().filter(|it| it.environments.is_empty()) {
        let images = count(it.images, "image that does", "images that do");
        let _ = writeln!(out, "In {images} not run there: {}", named(it));
    }
    for (title, mark, all) in
        [("Not known", '?', &answer.gaps), ("Left aside", '-', &answer.refused)]
    {
        if !all.is_empty() {
            let _ = writeln!(out, "{title}");
        }
        for it in all {
            let _ = writeln!(out, "  {mark} {}: {}", it.at, it.why);
        }
    }
    // Images name their files and instructions as they like.
    plain(&out)
}

fn deployed(out: &mut String, it: &Deployment, inside: &Inside<'_>) {
    let _ = writeln!(out, "  {}", it.image);
    let from = match &*it.recorded_from {
        "" => String::new(),
        place => format!(" ({place})"),
    };
    let _ = writeln!(
        out,
        "    as {} for {} since {}, recorded by {}{from}",
        it.application, it.platform, it.from, it.recorded_by
    );
    for (sighted, sighting) in inside {
        let _ = writeln!(out, "    {}", named(sighted));
        if let Some(it) = &sighting.statement {
            let _ = writeln!(out, "      out of the way: {}", format::whole_statement(it));
        }
        for place in &sighting.places {
            let mut line = place.path.clone();
            if let Some(layer) = place.layer {
                let _ = write!(line, " in layer {layer}");
            }
            if let Some(instruction) = &place.created_by {
                let instruction: String = instruction.chars().take(100).collect();
                let _ = write!(line, ": {instruction}");
            }
            let _ = writeln!(out, "      {line}");
        }
    }
}

/// `pkg:maven/…@2.14.1: CVE-2021-44228 CRITICAL, fixed in 2.15.0`.
fn named(it: &Sighted) -> String {
    let mut text = it.purls.join(", ");
    if let Some(Flaw { id, severity, fixed, exploited, .. }) = &it.flaw {
        let _ = write!(text, ": {id} {}", severity.to_uppercase());
        if *exploited {
            text.push_str(", known to be exploited");
        }
        match fixed {
            Some(version) => {
                let _ = write!(text, ", fixed in {version}");
            }
            None => text.push_str(", no fix"),
        }
    }
    text
}
