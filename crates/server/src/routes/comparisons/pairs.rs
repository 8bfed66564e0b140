//! Who meets whom: applications that go by one name on both sides, else images of one repository.

use std::collections::BTreeMap;

use api::Sort;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::{Deployment, OrganisationId};
use store::RunsAs;

use super::Known;
use crate::app::App;
use crate::refusal::Refusal;

/// What runs, by its names: all that is needed to find what it meets.
pub(super) struct Stands {
    pub(super) by: RunsAs,
    /// All that is known of it, where the database has nothing of it.
    pub(super) lost: Option<Deployment>,
}

impl From<RunsAs> for Stands {
    fn from(by: RunsAs) -> Self {
        Self { by, lost: None }
    }
}

impl Stands {
    /// What no image is known of.
    pub(super) fn lost(it: Deployment) -> Self {
        let by = RunsAs {
            deployment: it.id.clone(),
            application: it.application.clone(),
            platform: it.platform.clone(),
            repository: it.repository.clone(),
            from: it.from,
        };
        Self { by, lost: Some(it) }
    }
}

/// What is to be held against what.
pub(super) enum Met<D = Deployment> {
    /// An application of two environments: as it is looked at, and what it is held against.
    Application(Option<D>, Option<D>),
    /// An image and what runs of its repository; is the image what is looked at?
    Image(Box<Known>, Option<D>, bool),
    /// Two images.
    Images(Box<[Known; 2]>),
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

impl Met<Stands> {
    /// Where it stands; what is not of an environment is alone.
    pub(super) fn place(&self) -> Place {
        let Self::Application(from, to) = self else { return Place::default() };
        from.as_ref().or(to.as_ref()).map_or_else(Place::default, place)
    }
}

/// All that is known of what meets there.
pub(super) async fn whole(
    app: &App,
    organisation: &OrganisationId,
    some: Vec<Met<Stands>>,
) -> Result<Vec<Met>, Refusal> {
    let sides = |it: &Met<Stands>| match it {
        Met::Application(from, to) => [from.as_ref(), to.as_ref()].map(name),
        Met::Image(_, other, _) => [name(other.as_ref()), None],
        Met::Images(_) => [None, None],
    };
    let ids: Vec<String> = some.iter().flat_map(sides).flatten().collect();
    let read = app.store.deployments_by_id(organisation, &ids).await?;
    let read: BTreeMap<String, Deployment> =
        read.into_iter().map(|it| (it.id.clone(), it)).collect();
    let of = |it: Option<Stands>| {
        let Some(Stands { by, lost }) = it else { return Ok(None) };
        let known = lost.or_else(|| read.get(&by.deployment).cloned());
        let gone = || {
            let why = format!("{} was deleted meanwhile", by.application);
            Refusal::from(Sort::Unavailable.because(why).with_hint("ask again"))
        };
        known.map(Some).ok_or_else(gone)
    };
    let whole = |it| match it {
        Met::Application(from, to) => Ok(Met::Application(of(from)?, of(to)?)),
        Met::Image(image, other, is_looked_at) => Ok(Met::Image(image, of(other)?, is_looked_at)),
        Met::Images(both) => Ok(Met::Images(both)),
    };
    some.into_iter().map(whole).collect()
}

/// By what the database knows it.
fn name(it: Option<&Stands>) -> Option<String> {
    it.filter(|it| it.lost.is_none()).map(|it| it.by.deployment.clone())
}

fn place(it: &Stands) -> Place {
    let RunsAs { deployment, application, platform, .. } = &it.by;
    Place {
        application: application.clone(),
        platform: platform.to_string(),
        deployment: deployment.clone(),
    }
}

/// Applications by name and platform; what has no such partner, by repository and platform, the newest
/// with the newest. Sorted by name.
pub(super) fn pair(from: Vec<Stands>, to: Vec<Stands>) -> Vec<Met<Stands>> {
    let named = |it: &Stands| (it.by.application.clone(), it.by.platform.to_string());
    let alike = |it: &Stands| (it.by.repository.clone(), it.by.platform.to_string());
    let mut partners: BTreeMap<(String, String), Vec<Stands>> = BTreeMap::new();
    for it in to {
        partners.entry(named(&it)).or_default().push(it);
    }
    let mut pairs: Vec<(Option<Stands>, Option<Stands>)> = Vec::new();
    let mut left: BTreeMap<(String, String), Vec<Stands>> = BTreeMap::new();
    for it in from {
        match partners.get_mut(&named(&it)).and_then(Vec::pop) {
            Some(partner) => pairs.push((Some(it), Some(partner))),
            None => left.entry(alike(&it)).or_default().push(it),
        }
    }
    let mut right: BTreeMap<(String, String), Vec<Stands>> = BTreeMap::new();
    for it in partners.into_values().flatten() {
        right.entry(alike(&it)).or_default().push(it);
    }
    for all in left.values_mut().chain(right.values_mut()) {
        all.sort_by(|one, other| {
            (one.by.from, &one.by.deployment).cmp(&(other.by.from, &other.by.deployment))
        });
    }
    for (key, mut froms) in left {
        while let Some(it) = froms.pop() {
            pairs.push((Some(it), right.get_mut(&key).and_then(Vec::pop)));
        }
    }
    pairs.extend(right.into_values().flatten().map(|it| (None, Some(it))));
    let mut all: Vec<Met<Stands>> =
        pairs.into_iter().map(|(from, to)| Met::Application(from, to)).collect();
    all.sort_by_cached_key(Met::place);
    all
}

#[cfg(test)]
mod tests {
    use model::{Moment, Platform};

    use super::*;

    /// `application repository minute`.
    fn stands(text: &str) -> Stands {
        let mut words = text.split(' ');
        let mut next = || words.next().unwrap();
        let (application, repository, at) = (next(), next(), next());
        Stands::from(RunsAs {
            deployment: text.to_owned(),
            application: application.to_owned(),
            platform: Platform::new("linux", "amd64", None),
            repository: repository.to_owned(),
            from: Moment::from_micros(at.parse().unwrap()),
        })
    }

    #[track_caller]
    fn check(from: &[&str], to: &[&str], expect: &[&str]) {
        let all = |texts: &[&str]| texts.iter().map(|it| stands(it)).collect();
        let shown: Vec<String> = pair(all(from), all(to))
            .into_iter()
            .map(|it| {
                let Met::Application(from, to) = it else { return String::new() };
                let shown = |it: Option<Stands>| it.map_or("-".to_owned(), |it| it.by.deployment);
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
