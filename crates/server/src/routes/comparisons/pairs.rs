//! Who meets whom: applications that go by one name on both sides, else images of one repository.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::Deployment;

use super::Known;
use crate::refusal::Refusal;

/// What is to be held against what.
pub(super) enum Met {
    /// An application of two environments: as it is looked at, and what it is held against.
    Application(Option<Deployment>, Option<Deployment>),
    /// An image and what runs of its repository; is the image what is looked at?
    Image(Known, Option<Deployment>, bool),
    /// Two images.
    Images(Known, Known),
}

/// Where a pair stands among all: they are told in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    application: String,
    platform: String,
    deployment: String,
}

impl Place {
    /// As whoever goes on behind it writes it.
    pub(super) fn written(&self) -> String {
        let Self { application, platform, deployment } = self;
        let text = serde_json::json!([application, platform, deployment]).to_string();
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let refuse = || Refusal::malformed("after", "it is no `next` of a former part");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| refuse())?;
        let [application, platform, deployment] =
            serde_json::from_slice(&bytes).map_err(|_| refuse())?;
        Ok(Self { application, platform, deployment })
    }
}

impl Met {
    /// Where it stands; what is not of an environment is alone.
    pub(super) fn place(&self) -> Place {
        let Self::Application(from, to) = self else { return Place::default() };
        from.as_ref().or(to.as_ref()).map_or_else(Place::default, place)
    }
}

fn place(it: &Deployment) -> Place {
    Place {
        application: it.application.clone(),
        platform: it.platform.to_string(),
        deployment: it.id.clone(),
    }
}

/// Applications by name and platform; what has no such partner, by repository and platform, the newest
/// with the newest. Sorted by name.
pub(super) fn pair(from: Vec<Deployment>, to: Vec<Deployment>) -> Vec<Met> {
    let mut partners: BTreeMap<(String, String), Vec<Deployment>> = BTreeMap::new();
    for it in to {
        partners.entry((it.application.clone(), it.platform.to_string())).or_default().push(it);
    }
    let mut pairs: Vec<(Option<Deployment>, Option<Deployment>)> = Vec::new();
    let mut left: BTreeMap<(String, String), Vec<Deployment>> = BTreeMap::new();
    for it in from {
        let key = (it.application.clone(), it.platform.to_string());
        match partners.get_mut(&key).and_then(Vec::pop) {
            Some(partner) => pairs.push((Some(it), Some(partner))),
            None => left.entry(alike(&it)).or_default().push(it),
        }
    }
    let mut right: BTreeMap<(String, String), Vec<Deployment>> = BTreeMap::new();
    for it in partners.into_values().flatten() {
        right.entry(alike(&it)).or_default().push(it);
    }
    for all in left.values_mut().chain(right.values_mut()) {
        all.sort_by(|one, other| (one.from, &one.id).cmp(&(other.from, &other.id)));
    }
    for (key, mut froms) in left {
        while let Some(it) = froms.pop() {
            pairs.push((Some(it), right.get_mut(&key).and_then(Vec::pop)));
        }
    }
    pairs.extend(right.into_values().flatten().map(|it| (None, Some(it))));
    let mut all: Vec<Met> =
        pairs.into_iter().map(|(from, to)| Met::Application(from, to)).collect();
    all.sort_by_cached_key(Met::place);
    all
}

fn alike(it: &Deployment) -> (String, String) {
    (it.repository.clone(), it.platform.to_string())
}

#[cfg(test)]
mod tests {
    use model::{Digest, Moment, Platform, Source};

    use super::*;

    /// `application repository minute`.
    fn deployment(text: &str) -> Deployment {
        let mut words = text.split(' ');
        let mut next = || words.next().unwrap();
        let (application, repository, at) = (next(), next(), next());
        Deployment {
            id: text.to_owned(),
            environment: String::new(),
            application: application.to_owned(),
            platform: Platform::new("linux", "amd64", None),
            repository: repository.to_owned(),
            tag: None,
            digest: Digest::from_sha256(&[1; 32]),
            source: Source::Cli,
            recorded_by: String::new(),
            recorded_from: String::new(),
            from: Moment::from_micros(at.parse().unwrap()),
            until: None,
            pending: false,
        }
    }

    #[track_caller]
    fn check(from: &[&str], to: &[&str], expect: &[&str]) {
        let all = |texts: &[&str]| texts.iter().map(|it| deployment(it)).collect();
        let shown: Vec<String> = pair(all(from), all(to))
            .into_iter()
            .map(|it| {
                let Met::Application(from, to) = it else { return String::new() };
                let shown = |it: Option<Deployment>| it.map_or("-".to_owned(), |it| it.id);
                format!("{} | {}", shown(from), shown(to))
            })
            .collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn by_name_then_by_repository() {
        check(&["web a 1"], &["web b 2"], &["web a 1 | web b 2"]);
        check(&["web a 1"], &["site a 2"], &["web a 1 | site a 2"]);
        check(
            &["one a 1", "two a 3", "three b 1"],
            &["four a 5", "six c 1"],
            &["one a 1 | -", "- | six c 1", "three b 1 | -", "two a 3 | four a 5"],
        );
        check(&[], &[], &[]);
    }
}
