//! What Sysdig's vulnerability scans are asked, where a token is not for Risk Spotlight: which
//! workloads were looked at, and of each what it was pulled as and what it loads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use image::{Error, Failure};
use model::Gap;

use super::Sysdig;
use super::answers::{self, Detail, Found, Profiles};
use super::asked::{bounded, onward, worded};
use crate::contract::{Listed, Observed};
use crate::shared::asked::{escaped, gap};
use crate::shared::pages;
use crate::shared::said::shown;

/// Entries of one page.
const PER_PAGE: usize = 1000;
/// Results that are asked for in detail, one for each container of each workload.
const DETAILS_LIMIT: usize = 5000;
/// Of them at once.
const AT_ONCE: usize = 4;
const SCANS: &str = "/secure/vulnerability/v1";

impl Sysdig {
    /// The clusters that there are scans of. There is no list of them: they are those of the results.
    pub(super) async fn results_clusters(&self) -> Result<Vec<String>, Failure> {
        let listed = self.results_of("the results", r#"asset.type="workload""#).await?;
        let names: BTreeSet<String> = listed.all.into_iter().filter_map(|it| it.cluster).collect();
        Ok(names.into_iter().collect())
    }

    /// One result, to see whether any may be had: whether it is looked at what it loads, if there is one.
    pub(super) async fn results_try(&self, cluster: &str) -> Result<Option<bool>, Failure> {
        let body = self.ask(&first(&about(cluster)?, 1)).await?;
        let page = answers::Page::read(&body).map_err(|why| self.strange(&why))?;
        let entry = page.entries.first();
        Ok(entry.and_then(|it| answers::result(it, &mut Vec::new())).map(|it| it.is_profiled))
    }

    /// What runs in a cluster, as its scans tell it.
    pub(super) async fn results(&self, cluster: &str) -> Result<Observed, Failure> {
        let what = format!("the results of {cluster}");
        let listed = self.results_of(&what, &about(cluster)?).await?;
        let mut gaps = listed.gaps;
        let mut found = listed.all;
        // Whoever does not heed the filter tells of others, too.
        found.retain(|it| it.cluster.as_deref().is_none_or(|it| it == cluster));
        // One of each image first: without it nobody knows what it was pulled as.
        let mut images = BTreeSet::new();
        found.sort_by(|one, other| one.runs.cmp(&other.runs));
        let mut firsts: Vec<usize> = Vec::new();
        let mut others: Vec<usize> = Vec::new();
        for (place, it) in found.iter().enumerate() {
            let is_first = images.insert(it.runs.digest.clone());
            if is_first {
                firsts.push(place);
            } else if it.is_profiled {
                others.push(place);
            }
        }
        let wanted: Vec<usize> = firsts.into_iter().chain(others).take(DETAILS_LIMIT).collect();
        let details = self.details(&found, &wanted, &mut gaps).await?;
        Ok(together(found, details, images.len(), gaps))
    }

    /// Every result that this filter lets through.
    async fn results_of(&self, what: &str, filter: &str) -> Result<Listed<Found>, Failure> {
        let start = first(filter, PER_PAGE);
        let (count, told) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let id = |it: &Found| it.id.clone();
        let listed = pages::all(&self.desk, what, start.clone(), id, |_, reply| {
            let page = answers::Page::read(&reply.body)?;
            let mut gaps = page.gaps;
            let entries = page.entries.iter();
            let here = page.entries.len();
            let told = told.fetch_add(here, Ordering::Relaxed) + here;
            let total = page.total.filter(|it| page.next.is_none() && *it > told as u64);
            if let Some(total) = total {
                let why = format!("it says that there are {total}, and tells of {told}");
                gap(&mut gaps, what, why);
            }
            let all: Vec<Found> = entries.filter_map(|it| answers::result(it, &mut gaps)).collect();
            let before = count.fetch_add(all.len(), Ordering::Relaxed);
            Ok(bounded(what, before, all, gaps, onward(&start, page.next)))
        });
        listed.await.map_err(worded)
    }

    /// More of each of these, by their places, a few at once. Whoever is to wait asks no more.
    async fn details(
        &self,
        found: &[Found],
        wanted: &[usize],
        gaps: &mut Vec<Gap>,
    ) -> Result<BTreeMap<usize, Detail>, Failure> {
        let mut asked = Vec::new();
        for place in wanted {
            let Some(it) = found.get(*place) else { continue };
            asked.push(self.detail(*place, format!("{SCANS}/results/{}", escaped(&it.id))));
        }
        let mut asking = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
        let mut details = BTreeMap::new();
        while let Some((place, detail)) = asking.next().await {
            match detail {
                Ok(detail) => {
                    details.insert(place, detail);
                }
                Err(failure) if failure.wait.is_some() => return Err(failure),
                Err(failure) => {
                    let name = found.get(place).map(|it| shown(&it.runs.workload));
                    let what = format!("the result of {}", name.unwrap_or_default());
                    gap(gaps, &what, failure.error.why().to_owned());
                }
            }
        }
        Ok(details)
    }

    async fn detail(&self, place: usize, path: String) -> (usize, Result<Detail, Failure>) {
        let read = |body: Vec<u8>| Detail::read(&body).map_err(|why| self.strange(&why));
        (place, self.ask(&path).await.and_then(read))
    }
}

/// Results and what is known of their images.
fn together(
    found: Vec<Found>,
    details: BTreeMap<usize, Detail>,
    images: usize,
    mut gaps: Vec<Gap>,
) -> Observed {
    if images > DETAILS_LIMIT {
        gap(&mut gaps, "the results", format!("they are of more than {DETAILS_LIMIT} images"));
    }
    // What an image was pulled as, by what its results call it.
    let mut pulled: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    for (place, detail) in &details {
        let Some(it) = found.get(*place) else { continue };
        let known = pulled.entry(it.runs.digest.clone()).or_default();
        known.0 = known.0.take().or_else(|| detail.digest.clone());
        known.1 = known.1.take().or_else(|| detail.image.clone());
    }
    let mut profiles = Profiles::default();
    let mut details = details;
    let mut containers = Vec::new();
    for (place, mut it) in found.into_iter().enumerate() {
        if let Some((digest, image)) = pulled.get(&it.runs.digest) {
            it.runs.image = image.clone().or(it.runs.image);
            it.runs.digest = digest.clone().unwrap_or(it.runs.digest);
        }
        let loaded = details.remove(&place).and_then(|it| it.loaded);
        profiles.add(&it.runs.digest, loaded.filter(|_| it.is_profiled));
        containers.push(it.runs);
    }
    containers.sort();
    containers.dedup();
    let (loaded, unclear) = profiles.ended();
    Observed { containers, gaps, loaded, unclear }
}

/// The filter for one cluster.
fn about(cluster: &str) -> Result<String, Failure> {
    if cluster.contains(['"', '\\']) {
        let why = "the vulnerability interface cannot be asked about a name with quotes in it";
        return Err(Error::unsupported(cluster, why).into());
    }
    Ok(format!(r#"kubernetes.cluster.name="{cluster}" and asset.type="workload""#))
}

fn first(filter: &str, limit: usize) -> String {
    format!("{SCANS}/runtime-results?limit={limit}&filter={}", escaped(filter))
}
