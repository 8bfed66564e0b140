//! What a registry or an integration holds, told from the names of repositories.

use api::Integration;
use integration::filter::Filter;
use integration::{BadSetting, Given, Kind, Repository, Ways, registry_string};
use model::{Reference, is_registry_at, registry_host};

use crate::asking::Asking;
use crate::failure::Failure;

/// What a registry holds, as far as somebody watches it.
pub(super) struct Held {
    registry: String,
    filter: Filter,
    party: Box<dyn integration::Integration>,
}

impl Held {
    /// By the text of `--registry`.
    pub(super) fn named(text: &str) -> anyhow::Result<Self> {
        let bad = |fault: BadSetting| refused("--registry", &[fault]);
        let (kind, given) = registry_string::parse(text).map_err(bad)?;
        Self::of("--registry", kind, &given)
    }

    /// By an integration: `azure`, or `azure/NAME` where there are several.
    pub(super) async fn by(asking: &Asking, which: &str) -> anyhow::Result<Self> {
        let (kind, name) = match which.split_once('/') {
            Some((kind, name)) => (kind, Some(name)),
            None => (which, None),
        };
        let id = integration::find(kind).map_or(kind, |it| it.id);
        let all = asking.client.integrations(&asking.organisation).await?.items;
        let is_meant = |it: &&Integration| it.kind == id && name.is_none_or(|name| name == it.name);
        let found: Vec<&Integration> = all.iter().filter(is_meant).collect();
        let [found] = found[..] else {
            let why = if found.is_empty() { "there is none" } else { "there are several" };
            let known: Vec<String> =
                all.iter().map(|it| format!("{}/{}", it.kind, it.name)).collect();
            let hint = match known.as_slice() {
                [] => "`foretop integration configure` makes one".to_owned(),
                known => format!("there are: {}", known.join(", ")),
            };
            return Err(Failure::error(format!("--integration {which}: {why}"), hint));
        };
        let kind = integration::find(&found.kind)
            .ok_or_else(|| anyhow::anyhow!("--integration: nobody here speaks with {which}"))?;
        let given: Vec<Given> =
            found.parameters.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        Self::of("--integration", kind, &given)
    }

    fn of(option: &str, kind: &Kind, given: &[Given]) -> anyhow::Result<Self> {
        // Nobody is asked, so nobody has to prove anything.
        let settings = kind.settle(given, &|_| None).map_err(|all| refused(option, &all))?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ways = Ways {
            settings: std::sync::Arc::new(image::Settings::default()),
            progress: std::sync::Arc::new(image::Silent),
        };
        let party = (kind.connect)(&settings, &ways)?;
        let registry = settings.text("registry").unwrap_or_default().to_owned();
        Ok(Self { registry, filter: Filter::of(kind, &settings), party })
    }

    /// The whole name of a repository that is named by itself, or with the host.
    pub(super) fn full(&self, name: &str) -> String {
        let host = name.split_once('/').map(|it| registry_host(it.0));
        let is_whole = host.is_some_and(|it| is_registry_at(&self.registry, it));
        if is_whole { name.to_owned() } else { format!("{}/{name}", self.registry) }
    }

    /// Is that a repository of it?
    pub(super) fn holds(&self, name: &str) -> bool {
        let Ok(reference) = name.parse::<Reference>() else { return false };
        let (host, path) = (&reference.host, &reference.repository);
        let plain = || Repository {
            registry: host.clone(),
            name: path.clone(),
            keys: Vec::new(),
            image: path.clone(),
        };
        let directory = self.party.directory();
        let repository = directory.map_or_else(plain, |it| it.repository(host, path));
        is_registry_at(&self.registry, host) && self.filter.takes(&repository)
    }
}

fn refused(option: &str, faults: &[BadSetting]) -> anyhow::Error {
    let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let hint = faults.iter().find_map(|it| it.hint.clone());
    let hint = hint.unwrap_or_else(|| "see `foretop repo enable --help`".to_owned());
    Failure::error(format!("{option}: {}", all.join("; ")), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(registry: &str, names: &[&str], expect: &str) {
        let shown = match Held::named(registry) {
            Ok(held) => {
                let held = names.iter().filter(|it| held.holds(it)).copied();
                held.collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn a_registry_holds_what_its_words_say() {
        let names = [
            "docker.io/acme/web",
            "r.example/team/app",
            "r.example/team/old/app",
            "r.example/docker/app",
            "docker.r.example/app",
            "xr.example/team/app",
        ];
        check("hub.docker.com", &names, names[0]);
        let all = names[1..5].join(" ");
        check("r.example", &names, &all);
        check("https://r.example/", &names, &all);
        check(
            "type=harbor,registry=r.example,api=https://r.example,repository=team,exclude=*/old/*",
            &names,
            "r.example/team/app",
        );
        let art = "type=artifactory,registry=r.example,api=https://r.example,repository=docker";
        check(art, &names, "r.example/docker/app");
        check(&format!("{art},subdomain-mode=true"), &names, "docker.r.example/app");
        check("type=oci", &names, "--registry: registry: it must be told");
        check("r.example/web", &names, "--registry: registry: `r.example/web` is no host");
        check("type=oci,registry=a,x=y", &names, "--registry: x: type=oci has no such key");
    }

    #[test]
    fn names_are_whole_or_not() {
        let held = Held::named("r.example:5000").unwrap();
        assert_eq!(held.full("team/app"), "r.example:5000/team/app");
        assert_eq!(held.full("r.example:5000/team/app"), "r.example:5000/team/app");
        assert_eq!(held.full("docker.r.example:5000/app"), "docker.r.example:5000/app");
        assert_eq!(Held::named("index.docker.io").unwrap().full("acme/web"), "docker.io/acme/web");
    }
}
