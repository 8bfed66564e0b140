//! Parties, asked and listened to: stand-ins for the vendors, before a registry in this process, and
//! before the distribution project's own where that is installed.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod faults;
mod grid;
mod listing;
mod real;
mod sysdig;
mod watching;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use integration::{Directory, Integration, Outcome, Ways, find};
use testkit::{FakeRegistry, Vendor, VendorStandIn, image, layer};

fn ways() -> Ways {
    let settings =
        image::Settings { stall: Duration::from_mins(1), retries: 2, ..image::Settings::default() };
    Ways { settings: Arc::new(settings), progress: Arc::new(image::Silent) }
}

/// The party with these settings.
fn party(kind: &str, settings: &[(&str, &str)]) -> Box<dyn Integration> {
    let kind = find(kind).unwrap();
    let given: Vec<_> =
        settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let settled = kind.settle(&given, &|_| None).unwrap();
    (kind.connect)(&settled, &ways()).unwrap_or_else(|why| panic!("{why}"))
}

/// The party that a stand-in is, with user and password.
fn party_at(
    stand_in: &VendorStandIn,
    vendor: Vendor,
    more: &[(&str, &str)],
) -> Box<dyn Integration> {
    let host = stand_in.host();
    let api = match vendor {
        Vendor::Artifactory => format!("http://{host}/artifactory"),
        _ => format!("http://{host}"),
    };
    let mut settings = vec![("registry", host.as_str()), ("user", "reader"), ("password", "pass")];
    if vendor != Vendor::Azure {
        settings.push(("api", &api));
    }
    if vendor == Vendor::Artifactory {
        settings.push(("repository", "docker-local"));
    }
    settings.retain(|(key, _)| !more.iter().any(|it| it.0 == *key));
    settings.extend(more);
    party(name(vendor), &settings)
}

fn name(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Artifactory => "artifactory",
        Vendor::Azure => "azure",
        Vendor::Harbor => "harbor",
        Vendor::Nexus => "nexus",
    }
}

const VENDORS: [Vendor; 4] = [Vendor::Artifactory, Vendor::Azure, Vendor::Harbor, Vendor::Nexus];

/// A registry with a few images.
fn registry() -> FakeRegistry {
    let registry = FakeRegistry::start();
    for (repository, tag) in
        [("team/app", "1"), ("team/app", "2"), ("team/web", "latest"), ("library/base", "12")]
    {
        let built = image().layer(layer().file("etc/name", format!("{repository}:{tag}")));
        registry.push(repository, tag, &built);
    }
    registry
}

/// Everything that a directory lists, each tag with its digest's beginning and its time where told.
async fn listed(directory: &dyn Directory) -> String {
    let repositories = match directory.repositories(&[]).await {
        Ok(listed) => listed,
        Err(failure) => return format!("failed: {failure}"),
    };
    let mut text = String::new();
    for repository in repositories.all {
        let name = repository.name.trim_start_matches("docker-local/").to_owned();
        match directory.tags(&repository).await {
            Ok(listed) => {
                let mut tags: Vec<String> = listed.all.iter().map(|it| it.tag.clone()).collect();
                tags.sort();
                let _ = writeln!(text, "{name}: {}", tags.join(" "));
                for gap in listed.gaps {
                    let _ = writeln!(text, "gap: {gap}");
                }
            }
            Err(failure) => {
                let _ = writeln!(text, "{name}: failed: {failure}");
            }
        }
    }
    for gap in repositories.gaps {
        let _ = writeln!(text, "gap: {gap}");
    }
    text
}

/// What a connection test says, a line each, without what differs from run to run.
async fn checked(directory: &dyn Directory, host: &str) -> String {
    let checks = directory.checks().await.into_iter().map(|check| match check.outcome {
        Outcome::Ok { .. } => format!("ok {}\n", check.what),
        Outcome::Warned { why, hint } => format!("warned {}: {why} ({hint})\n", check.what),
        Outcome::Failed { why, hint } => {
            format!("failed {}: {why} ({})\n", check.what, hint.unwrap_or_default())
        }
    });
    checks.collect::<String>().replace(host, "HOST")
}
