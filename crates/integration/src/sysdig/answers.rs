//! What Sysdig's answers say. Pure: whatever is in them, what cannot be read is a gap.

use std::collections::{BTreeMap, BTreeSet};

use model::{Gap, Loaded, Profile};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::contract::{Container, Observed};
use crate::shared::asked::gap;
use crate::shared::said::shown;

/// Containers of one cluster.
pub(super) const CONTAINERS_LIMIT: usize = 20_000;
/// Packages of one container.
const PACKAGES_LIMIT: usize = 10_000;
/// Bytes of the packages of all images together, which may be a million of them.
const ALL_PACKAGES_LIMIT: usize = if cfg!(test) { 64 << 10 } else { 128 << 20 };
/// Clusters of one account.
const CLUSTERS_LIMIT: usize = 1000;
/// Bytes of a word: names, versions.
const WORD_LIMIT: usize = 1024;
/// Bytes of what leads to the next page.
const CURSOR_LIMIT: usize = 4096;

/// What one page of images says, or one of vulnerability results, whichever it is; for those who want
/// to know what becomes of any bytes at all. Never fails: what cannot be read is a gap.
pub fn read(body: &[u8]) -> Observed {
    let mut observed = Observed::default();
    if let Err(why) = clusters(body) {
        observed.unclear.push(Gap::new("clusters", why));
    }
    let mut profiles = Profiles::default();
    match Page::read(body) {
        Ok(page) => {
            observed.gaps.extend(page.gaps);
            for entry in &page.entries {
                observed.containers.extend(image(entry, &mut observed.gaps, &mut profiles));
            }
            let results = page.entries.iter().filter_map(|it| result(it, &mut observed.gaps));
            observed.containers.extend(results.collect::<Vec<_>>().into_iter().map(|it| it.runs));
        }
        Err(why) => observed.gaps.push(Gap::new("the page", why)),
    }
    if let Ok(detail) = Detail::read(body) {
        profiles.add("detail", detail.loaded);
    }
    (observed.loaded, observed.unclear) = profiles.ended();
    observed.containers.sort();
    observed.containers.dedup();
    observed
}

/// The names of clusters, in whichever of the forms that are seen: a list of names or of objects with
/// a name, by itself or under `data` or `clusters`.
pub(super) fn clusters(body: &[u8]) -> Result<(Vec<String>, Vec<Gap>), String> {
    const WHAT: &str = "the clusters";
    let value = crate::shared::asked::json(body)?;
    let list = match &value {
        Value::Array(list) => Some(list),
        Value::Object(fields) => {
            let named = ["data", "clusters"].into_iter().find_map(|it| fields.get(it));
            match named {
                Some(Value::Array(list)) => Some(list),
                // `{"data": {"clusters": […]}}`
                Some(Value::Object(inner)) => inner.get("clusters").and_then(Value::as_array),
                Some(Value::Null) => return Ok((Vec::new(), Vec::new())),
                _ => None,
            }
        }
        _ => None,
    };
    let list = list.ok_or("the answer has no list of clusters")?;
    let (mut names, mut gaps) = (BTreeSet::new(), Vec::new());
    for entry in list {
        let keys = ["clusterName", "name", "cluster"];
        let name = entry.as_str().or_else(|| keys.iter().find_map(|it| entry.get(it)?.as_str()));
        match name.and_then(word) {
            None => gap(&mut gaps, WHAT, "one has no name".to_owned()),
            Some(_) if names.len() >= CLUSTERS_LIMIT => {
                gap(&mut gaps, WHAT, format!("there are more than {CLUSTERS_LIMIT}"));
                break;
            }
            Some(name) => {
                names.insert(name);
            }
        }
    }
    Ok((names.into_iter().collect(), gaps))
}

/// A page whose entries are still to be read.
pub(super) struct Page<'a> {
    pub(super) entries: Vec<&'a RawValue>,
    /// What the next page is asked for with.
    pub(super) next: Option<String>,
    /// Entries of all pages, where that is told.
    pub(super) total: Option<u64>,
    pub(super) gaps: Vec<Gap>,
}

#[derive(Deserialize)]
struct PageJson<'a> {
    #[serde(borrow)]
    page: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl<'a> Page<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, String> {
        let page: PageJson<'a> = serde_json::from_slice(body).map_err(|why| {
            let place = format!("line {}, column {}", why.line(), why.column());
            if why.is_data() {
                format!("the answer is no page: at {place}")
            } else {
                format!("the answer is no JSON: at {place}")
            }
        })?;
        if page.page.is_none() && page.data.is_none() {
            return Err("the answer has neither `page` nor `data`".to_owned());
        }
        let mut gaps = Vec::new();
        let mut lost = |why: String| gap(&mut gaps, "a page", why);
        let entries: Vec<&'a RawValue> = match page.data {
            None => Vec::new(),
            Some(data) => match serde_json::from_str::<Option<Vec<&'a RawValue>>>(data.get()) {
                Ok(entries) => entries.unwrap_or_default(),
                Err(_) => return Err("its `data` is no list".to_owned()),
            },
        };
        let about = page.page.and_then(|it| serde_json::from_str::<Value>(it.get()).ok());
        let (mut next, mut total) = (None, None);
        match about {
            Some(Value::Object(about)) => {
                match about.get("next") {
                    None | Some(Value::Null) => {}
                    Some(Value::String(cursor)) if cursor.is_empty() => {}
                    Some(Value::String(cursor)) if cursor.len() <= CURSOR_LIMIT => {
                        next = Some(cursor.clone());
                    }
                    Some(_) => lost("where the next one is cannot be read".to_owned()),
                }
                total = about.get("total").and_then(Value::as_u64);
                let returned = about.get("returned").and_then(Value::as_u64);
                if let Some(returned) = returned.filter(|it| *it > entries.len() as u64) {
                    let there = entries.len();
                    lost(format!("it says that it has {returned} entries, and has {there}"));
                }
            }
            _ => lost("it does not say whether there is another one".to_owned()),
        }
        Ok(Self { entries, next, total, gaps })
    }
}

/// The container that an entry of Risk Spotlight's list is about, while what it loads goes to
/// `profiles`.
pub(super) fn image(
    entry: &RawValue,
    gaps: &mut Vec<Gap>,
    profiles: &mut Profiles,
) -> Option<Container> {
    const WHAT: &str = "an image that runs";
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(entry.get()) else {
        gap(gaps, WHAT, "it is no object".to_owned());
        return None;
    };
    let mut text = |key: &str| part(fields.get(key), WHAT, key, gaps);
    let mut container = Container {
        namespace: text("namespace"),
        kind: text("workloadKind").to_ascii_lowercase(),
        workload: text("workloadName"),
        name: text("container"),
        ..Container::default()
    };
    let told = fields.get("imageID").and_then(Value::as_str).unwrap_or_default();
    let Some((image, digest)) = image_id(told) else {
        gap(gaps, WHAT, format!("`{}` is no digest", shown(told)));
        return None;
    };
    container.image = image;
    profiles.add(&digest, packages(fields.get("packages")));
    container.digest = digest;
    Some(container)
}

/// A word that says where something runs; one that is not told is empty.
fn part(value: Option<&Value>, what: &str, key: &str, gaps: &mut Vec<Gap>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.is_empty() => String::new(),
        Some(value) => value.as_str().and_then(word).unwrap_or_else(|| {
            gap(gaps, what, format!("its `{key}` cannot be read"));
            String::new()
        }),
    }
}

/// A word from outside that stays what it is: neither too long nor with control characters in it.
fn word(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= WORD_LIMIT && !text.contains(char::is_control);
    fits.then(|| text.to_owned())
}

/// A digest, and the image's name where it stands before it: `sha256:…`, its digits alone,
/// `docker-pullable://registry.example/app@sha256:…`.
pub(super) fn image_id(text: &str) -> Option<(Option<String>, String)> {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (name, digest) = match text.rsplit_once('@') {
        Some((name, digest)) => (Some(name), digest),
        None => (None, text),
    };
    let is_bare = digest.len() == 64 && digest.bytes().all(|it| it.is_ascii_hexdigit());
    let digest = if is_bare { format!("sha256:{digest}") } else { digest.to_owned() };
    let digest: model::Digest = digest.to_ascii_lowercase().parse().ok()?;
    let name = name.and_then(word).filter(|it| it.parse::<model::Reference>().is_ok());
    Some((name, digest.to_string()))
}

/// The packages of an image; none, where nothing is said of them. What is empty says nothing: what
/// runs loads something, so it was not looked at yet.
fn packages(list: Option<&Value>) -> Option<Profile> {
    let list = list?.as_array().filter(|it| !it.is_empty())?;
    let mut profile = Profile { is_whole: list.len() <= PACKAGES_LIMIT, ..Profile::default() };
    for entry in list.iter().take(PACKAGES_LIMIT) {
        match package(entry) {
            Some(package) => {
                profile.packages.insert(package);
            }
            None => profile.is_whole = false,
        }
    }
    Some(profile)
}

fn package(entry: &Value) -> Option<Loaded> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).and_then(word);
    let kind = text("type").map(|it| it.to_ascii_lowercase());
    let is_os = entry.get("osFamily").is_some() || kind.as_deref() == Some("os");
    Some(Loaded {
        name: text("name")?,
        version: text("version")?,
        purl: text("purl").filter(|it| it.starts_with("pkg:")),
        kind,
        is_system: is_os,
    })
}

/// What images load, put together of what their containers load.
#[derive(Default)]
pub(super) struct Profiles {
    all: BTreeMap<String, Profile>,
    /// Images with a container of which nothing is said.
    dim: BTreeSet<String>,
    bytes: usize,
    unclear: Vec<Gap>,
}

impl Profiles {
    /// One more container of this image loads these.
    pub(super) fn add(&mut self, digest: &str, profile: Option<Profile>) {
        let Some(profile) = profile else {
            self.dim.insert(digest.to_owned());
            return;
        };
        if !profile.is_whole {
            let why = format!("some of {digest} cannot be read");
            gap(&mut self.unclear, "loaded packages", why);
        }
        let fresh = Profile { is_whole: true, ..Profile::default() };
        let known = self.all.entry(digest.to_owned()).or_insert(fresh);
        known.is_whole &= profile.is_whole;
        for package in profile.packages {
            let bytes = size(&package);
            if self.bytes + bytes > ALL_PACKAGES_LIMIT {
                known.is_whole = false;
                gap(&mut self.unclear, "loaded packages", "there are too many".to_owned());
                break;
            }
            if known.packages.insert(package) {
                self.bytes += bytes;
            }
        }
    }

    /// All of them, and what is unclear.
    pub(super) fn ended(self) -> (BTreeMap<String, Profile>, Vec<Gap>) {
        let Self { mut all, dim, unclear, .. } = self;
        for digest in dim {
            if let Some(profile) = all.get_mut(&digest) {
                profile.is_whole = false;
            }
        }
        (all, unclear)
    }
}

/// Bytes that a package takes, about.
fn size(package: &Loaded) -> usize {
    let words = [Some(&package.name), Some(&package.version)];
    let words = words.into_iter().chain([package.purl.as_ref(), package.kind.as_ref()]);
    size_of::<Loaded>() + words.flatten().map(String::len).sum::<usize>()
}

/// What a vulnerability result is about.
pub(super) struct Found {
    /// Its id, by which more of it is asked for.
    pub(super) id: String,
    /// The cluster that it runs in, where that is told.
    pub(super) cluster: Option<String>,
    /// The container, with the digest that is known so far.
    pub(super) runs: Container,
    /// Is it looked at which packages it loads?
    pub(super) is_profiled: bool,
}

/// The workload that an entry of the vulnerability results is about; `None`: it is about something
/// else, or cannot be read, which is a gap.
pub(super) fn result(entry: &RawValue, gaps: &mut Vec<Gap>) -> Option<Found> {
    const WHAT: &str = "a workload";
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(entry.get()) else {
        gap(gaps, WHAT, "it is no object".to_owned());
        return None;
    };
    let scope = fields.get("scope").unwrap_or(&Value::Null);
    let kind = scope.get("asset.type").and_then(Value::as_str);
    if kind.is_some_and(|it| it != "workload") {
        return None;
    }
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    let Some(id) = text("resultId").and_then(word) else {
        gap(gaps, WHAT, "it has no `resultId`".to_owned());
        return None;
    };
    let told = text("resourceId").unwrap_or_default();
    let Some((_, digest)) = image_id(told) else {
        gap(gaps, WHAT, format!("`{}` is no digest", shown(told)));
        return None;
    };
    let mut about = |key: &str| part(scope.get(key), WHAT, key, gaps);
    let runs = Container {
        namespace: about("kubernetes.namespace.name"),
        kind: about("kubernetes.workload.type").to_ascii_lowercase(),
        workload: about("kubernetes.workload.name"),
        name: about("kubernetes.pod.container.name"),
        image: text("mainAssetName").and_then(named),
        digest,
    };
    let cluster = Some(about("kubernetes.cluster.name")).filter(|it| !it.is_empty());
    let is_profiled = fields.get("isRiskSpotlightEnabled").and_then(Value::as_bool) == Some(true);
    Some(Found { id, cluster, runs, is_profiled })
}

/// The name of an image, if it is one.
fn named(text: &str) -> Option<String> {
    word(text).filter(|it| it.parse::<model::Reference>().is_ok())
}

/// More of a vulnerability result.
#[derive(Default)]
pub(super) struct Detail {
    /// The digest that its image was pulled by, where that is told.
    pub(super) digest: Option<String>,
    /// What its image was pulled as.
    pub(super) image: Option<String>,
    /// What it loads.
    pub(super) loaded: Option<Profile>,
}

#[derive(Deserialize)]
struct DetailJson<'a> {
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    packages: Option<&'a RawValue>,
}

impl Detail {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let json: DetailJson<'_> = serde_json::from_slice(body).map_err(|why| {
            format!("the answer is no result: at line {}, column {}", why.line(), why.column())
        })?;
        let Some(metadata) = json.metadata else {
            return Err("the answer has no `metadata`".to_owned());
        };
        let metadata: Value = serde_json::from_str(metadata.get()).unwrap_or_default();
        let text = |key: &str| metadata.get(key).and_then(Value::as_str);
        let pulled = text("pullString").and_then(named);
        let digest = text("digest").and_then(image_id).map(|it| it.1);
        Ok(Self { digest, image: pulled, loaded: json.packages.and_then(running) })
    }
}

/// The packages that run, of all that are there; `None`, where of none of them is said whether it does.
fn running(packages: &RawValue) -> Option<Profile> {
    let all: Vec<&RawValue> =
        match serde_json::from_str::<BTreeMap<String, &RawValue>>(packages.get()) {
            Ok(all) => all.into_values().collect(),
            Err(_) => serde_json::from_str(packages.get()).ok()?,
        };
    let mut profile = Profile { is_whole: all.len() <= PACKAGES_LIMIT, ..Profile::default() };
    let mut is_told = false;
    for entry in all.into_iter().take(PACKAGES_LIMIT) {
        let entry: Value = serde_json::from_str(entry.get()).unwrap_or_default();
        match entry.get("isRunning").and_then(Value::as_bool) {
            None => profile.is_whole = false,
            Some(false) => is_told = true,
            Some(true) => {
                is_told = true;
                match package(&entry) {
                    Some(package) => {
                        profile.packages.insert(package);
                    }
                    None => profile.is_whole = false,
                }
            }
        }
    }
    // Whatever runs loads something: without that it was not looked at yet.
    (is_told && !profile.packages.is_empty()).then_some(profile)
}
