//! Which registries are meant, and what they are to be told.

use std::collections::BTreeMap;

use integration::filter::Filter;
use integration::{BadSetting, Given, Kind, Settings, registry_string};
use model::{Platform, Reference};
use sha2::{Digest as _, Sha256};

use super::journal::Scope;
use crate::Context;
use crate::asking::Asking;
use crate::failure::Failure;

/// A registry to watch.
pub(super) struct Party {
    /// What it is.
    pub(super) kind: &'static Kind,
    /// What it is told.
    pub(super) settings: Settings,
}

/// The registry of `registry`, or those of the repositories.
pub(super) fn named(
    registry: Option<&str>,
    repositories: &[String],
    context: &Context,
) -> anyhow::Result<Vec<Party>> {
    let mut parties = Vec::new();
    for (kind, given) in told(registry, repositories)? {
        let is_named = given.iter().any(|it| it.0 == "user");
        let variable = |name: &str| context.environment.watched_setting(name, is_named);
        let settings = kind.settle(&given, &variable).map_err(|faults| {
            let hint = faults.iter().find_map(|it| it.hint.clone());
            let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
            refused(&all.join("; "), hint)
        })?;
        parties.push(Party { kind, settings });
    }
    Ok(parties)
}

const HINT: &str = "name a registry, --registry registry.example, or repositories with their host, \
                    --repository registry.example/team/app";

fn told(
    registry: Option<&str>,
    repositories: &[String],
) -> anyhow::Result<Vec<(&'static Kind, Vec<Given>)>> {
    let repository = |name: &str| ("repository".to_owned(), name.to_owned());
    if let Some(text) = registry {
        let bad = |fault: BadSetting| refused(&fault.to_string(), fault.hint);
        let (kind, mut given) = registry_string::parse(text).map_err(bad)?;
        let host = given.iter().find(|it| it.0 == "registry").map(|it| format!("{}/", it.1));
        // People name them with their host, too.
        let plain = |name: &'_ String| {
            let bare = host.as_deref().and_then(|it| name.strip_prefix(it));
            repository(bare.unwrap_or(name))
        };
        given.extend(repositories.iter().map(plain));
        return Ok(vec![(kind, given)]);
    }
    let mut hosts: BTreeMap<String, Vec<Given>> = BTreeMap::new();
    for text in repositories {
        let refuse = |why: String| Failure::error(format!("--repository: {why}"), HINT);
        let reference: Reference = text.parse().map_err(|error| refuse(format!("{error}")))?;
        if text.contains('@') || text.rsplit('/').next().is_some_and(|it| it.contains(':')) {
            return Err(Failure::error(
                format!("--repository {text}: it names one image, not a repository"),
                "leave out the tag; --tag says which tags to take",
            ));
        }
        hosts.entry(reference.host).or_default().push(repository(&reference.repository));
    }
    if hosts.is_empty() {
        return Err(Failure::error("nothing to watch: no registry is named", HINT));
    }
    let kind = integration::find("oci").ok_or_else(|| anyhow::anyhow!("there is no type oci"))?;
    let with_host = |(host, mut given): (String, Vec<Given>)| {
        given.push(("registry".to_owned(), host));
        (kind, given)
    };
    Ok(hosts.into_iter().map(with_host).collect())
}

fn refused(why: &str, hint: Option<String>) -> anyhow::Error {
    let hint = hint.unwrap_or_else(|| "see `foretop watch --help`".to_owned());
    Failure::error(format!("--registry: {why}"), hint)
}

impl Party {
    /// What is taken of it.
    pub(super) fn filter(&self, tags: &[String]) -> anyhow::Result<Filter> {
        let filter = Filter::of(&self.settings).with_tags(tags.iter().map(String::as_str));
        filter.map_err(|why| {
            Failure::error(format!("--tag: {why}"), "write it like this: --tag '^v[0-9]+'")
        })
    }

    /// The host that people know it by.
    pub(super) fn host(&self) -> &str {
        self.settings.text("registry").unwrap_or(self.kind.id)
    }

    /// By which what was seen of it is told from what was seen elsewhere, or for somebody else: by where
    /// it is. What else is said of it may change meanwhile.
    pub(super) fn key(&self, asking: &Asking, context: &Context) -> anyhow::Result<String> {
        let whose = match &asking.server {
            Some(server) => server.clone(),
            None => context.environment.database()?.0,
        };
        let mut words = vec![whose.as_str(), &asking.organisation, self.kind.id];
        words.extend(["registry", "api"].into_iter().flat_map(|it| self.words(it)));
        Ok(format!("{}-{}", self.kind.id, sum(&words)))
    }

    /// What is watched of it, as far as that says what was there before anybody watched.
    pub(super) fn scope(&self, tags: &[String], platforms: &[Platform], contents: bool) -> Scope {
        let mut tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        tags.extend(self.settings.all("tag").iter().map(String::as_str));
        tags.sort_unstable();
        tags.dedup();
        let tags = if tags.is_empty() { String::new() } else { sum(&tags) };
        let mut all = vec![tags.as_str()];
        all.extend(["repository", "include", "exclude"].into_iter().flat_map(|it| self.words(it)));
        let mut part: Vec<String> = platforms.iter().map(ToString::to_string).collect();
        part.sort();
        part.dedup();
        if !contents {
            part.push("without contents".to_owned());
        }
        Scope { all: sum(&all), part: part.join(" "), tags }
    }

    /// A setting, by its key and in an order of its own.
    fn words(&self, key: &'static str) -> Vec<&str> {
        let mut all: Vec<&str> = self.settings.all(key).iter().map(String::as_str).collect();
        all.sort_unstable();
        all.insert(0, key);
        all
    }
}

/// A short name for these words.
fn sum(words: &[&str]) -> String {
    let mut sum = Sha256::new();
    for word in words {
        sum.update((word.len() as u64).to_be_bytes());
        sum.update(word.as_bytes());
    }
    sum.finalize().iter().take(10).fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(registry: Option<&str>, repositories: &[&str], expect: &str) {
        let repositories: Vec<String> = repositories.iter().map(|&it| it.to_owned()).collect();
        let shown = match told(registry, &repositories) {
            Ok(all) => all
                .into_iter()
                .map(|(kind, given)| {
                    let given: Vec<String> =
                        given.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
                    format!("{} {}", kind.id, given.join(" "))
                })
                .collect::<Vec<_>>()
                .join("\n"),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn registries_are_named_in_several_ways() {
        check(Some("r.example"), &[], "oci registry=r.example");
        check(
            Some("r.example"),
            &["team/app", "r.example/team/web"],
            "oci registry=r.example repository=team/app repository=team/web",
        );
        check(
            Some("type=harbor,registry=h.example,api=https://h.example,\"include=a*,b*\""),
            &[],
            "harbor registry=h.example api=https://h.example include=a*,b*",
        );
        check(
            None,
            &["b.example/web", "a.example:5000/team/app", "b.example/api"],
            "oci repository=team/app registry=a.example:5000\n\
             oci repository=web repository=api registry=b.example",
        );
        check(None, &["acme/web"], "oci repository=acme/web registry=docker.io");
        check(None, &[], "nothing to watch: no registry is named");
        check(
            None,
            &["b.example/web:v1"],
            "--repository b.example/web:v1: it names one image, not a repository",
        );
        check(
            None,
            &["B!"],
            "--repository: `B!` is not an image reference: a repository's name is lower case",
        );
        check(
            Some("type=harbour,registry=h"),
            &[],
            "--registry: type: `harbour` is none of artifactory, azure, distribution, harbor, nexus, oci",
        );
        check(Some("type=nexus,port"), &[], "--registry: port: it has no value");
    }

    #[test]
    fn what_is_asked_for_is_told_apart() {
        let scope = |more: &str, tags: &[&str], platforms: &[&str], contents: bool| {
            let (kind, given) =
                registry_string::parse(&format!("type=oci,registry=r.example{more}")).unwrap();
            let settings = kind.settle(&given, &|_| None).unwrap();
            let tags: Vec<String> = tags.iter().map(|&it| it.to_owned()).collect();
            let platforms: Vec<Platform> = platforms.iter().map(|it| it.parse().unwrap()).collect();
            Party { kind, settings }.scope(&tags, &platforms, contents)
        };
        let usual = scope("", &[], &[], true);
        assert_eq!((usual.tags.as_str(), usual.part.as_str()), ("", ""));
        let check = |more: &str, tags: &[&str], is_all_other: bool, are_tags_other: bool| {
            let it = scope(more, tags, &[], true);
            assert_eq!(it.all != usual.all, is_all_other, "{more} {tags:?}");
            assert_eq!(it.tags != usual.tags, are_tags_other, "{more} {tags:?}");
        };
        check(",repository=team/app", &[], true, false);
        check(",include=team/app", &[], true, false);
        check(",exclude=team/app", &[], true, false);
        check(",user=ann", &[], false, false);
        check(",tag=^v", &[], true, true);
        check("", &["^v"], true, true);
        let one = scope(",\"repository=a,b\",tag=x", &["y"], &[], true);
        let other = scope(",\"repository=b,a\",tag=y", &["x", "y"], &[], true);
        assert_eq!((one.all, one.tags), (other.all, other.tags));
        assert_eq!(scope("", &[], &["linux/arm64"], true).part, "linux/arm64");
        let part = scope("", &[], &["linux/arm64", "linux/amd64"], false).part;
        assert_eq!(part, "linux/amd64 linux/arm64 without contents");
    }

    #[test]
    fn every_variable_is_on_the_page_of_variables() {
        let environment = crate::environment::ALL;
        for setting in integration::ALL.iter().flat_map(|it| it.settings) {
            for name in setting.variables {
                assert!(environment.iter().any(|it| it.names.contains(name)), "{name}");
            }
        }
    }
}
