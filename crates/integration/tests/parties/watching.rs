//! Watching: what is found, once, in whatever order and however often it is told.

mod first;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use integration::filter::Filter;
use integration::watch::{Backfill, Found, Hands, Lost, Memory, Options, Report, Watch};
use integration::{Action, Check, Directory, Failure, Listed, Notice, Repository, Tagged};
use model::Digest;
use testkit::{FakeRegistry, Fault, Vendor, VendorStandIn, image, layer};

use super::{party, party_at, registry};

/// What was seen, for as long as a test runs.
#[derive(Default)]
pub(crate) struct Kept {
    begun: Mutex<bool>,
    /// Repositories that were there before, and whether they were met.
    met: Mutex<BTreeMap<(String, String), bool>>,
    tags: Mutex<BTreeMap<(String, String), BTreeMap<String, Digest>>>,
    done: Mutex<BTreeSet<Digest>>,
    log: Mutex<Vec<String>>,
    /// Held by each tag that is moved, and by how many of them at most.
    moving: Arc<()>,
    most: AtomicUsize,
    /// How many images may be worked on before it fails.
    strength: Mutex<Option<usize>>,
    /// The image that nobody can work on.
    bad: Mutex<Option<String>>,
}

fn key(repository: &Repository) -> (String, String) {
    (repository.registry.clone(), repository.name.clone())
}

#[async_trait]
impl Memory for Kept {
    async fn has_begun(&self, _: &str) -> Result<bool, Lost> {
        Ok(*self.begun.lock().unwrap())
    }
    async fn begun(&self, _: &str) -> Result<(), Lost> {
        *self.begun.lock().unwrap() = true;
        Ok(())
    }
    async fn begin(&self, _: &str, repositories: &[Repository]) -> Result<(), Lost> {
        let mut met = self.met.lock().unwrap();
        for repository in repositories {
            met.entry(key(repository)).or_default();
        }
        Ok(())
    }
    async fn is_awaited(&self, _: &str, repository: &Repository) -> Result<bool, Lost> {
        let is_met = self.met.lock().unwrap().get(&key(repository)).copied();
        Ok(!is_met.unwrap_or(*self.begun.lock().unwrap()))
    }
    async fn met(&self, repository: &Repository) -> Result<(), Lost> {
        self.met.lock().unwrap().insert(key(repository), true);
        Ok(())
    }
    async fn repositories(&self, _: &str) -> Result<Vec<(String, String)>, Lost> {
        Ok(self.tags.lock().unwrap().keys().cloned().collect())
    }
    async fn tags(&self, repository: &Repository) -> Result<BTreeMap<String, Digest>, Lost> {
        Ok(self.tags.lock().unwrap().get(&key(repository)).cloned().unwrap_or_default())
    }
    async fn tag(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Lost> {
        Ok(self.tags(repository).await?.remove(tag))
    }
    async fn keep(&self, repository: &Repository, tag: &str, digest: &Digest) -> Result<(), Lost> {
        let mut tags = self.tags.lock().unwrap();
        tags.entry(key(repository)).or_default().insert(tag.to_owned(), digest.clone());
        Ok(())
    }
    async fn forget(&self, repository: &Repository, tag: &str) -> Result<(), Lost> {
        self.tags.lock().unwrap().entry(key(repository)).or_default().remove(tag);
        Ok(())
    }
    async fn is_done(&self, digest: &Digest) -> Result<bool, Lost> {
        Ok(self.done.lock().unwrap().contains(digest))
    }
}

#[async_trait]
impl Hands for Kept {
    async fn analyze(&self, found: &Found) -> Result<(), Failure> {
        // Others have their turn while somebody works.
        tokio::task::yield_now().await;
        if self.bad.lock().unwrap().as_deref() == Some(found.digest.as_str()) {
            self.note("tried", found);
            return Err(image::Error::corrupt("it", "it is broken").into());
        }
        if let Some(left) = self.strength.lock().unwrap().as_mut() {
            match left.checked_sub(1) {
                Some(fewer) => *left = fewer,
                None => return Err(image::Error::unavailable("it", "nobody has time").into()),
            }
        }
        assert!(self.done.lock().unwrap().insert(found.digest.clone()), "{found:?} twice");
        self.note(if found.action == Action::Retagged { "retagged" } else { "pushed" }, found);
        Ok(())
    }
    async fn moved(&self, found: &Found) -> Result<(), Failure> {
        let at_once = Arc::clone(&self.moving);
        self.most.fetch_max(Arc::strong_count(&at_once) - 1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.note("moved", found);
        Ok(())
    }
    async fn gone(&self, repository: &Repository, tag: &str) -> Result<(), Failure> {
        self.log.lock().unwrap().push(format!("gone {}:{tag}", repository.name));
        Ok(())
    }
}

impl Kept {
    /// Fails at every image after so many.
    pub(crate) fn able_to_do(images: usize) -> Self {
        Self { strength: Mutex::new(Some(images)), ..Self::default() }
    }

    /// Fails no more.
    pub(crate) fn rest(&self) {
        *self.strength.lock().unwrap() = None;
    }

    fn note(&self, what: &str, found: &Found) {
        let tag = found.tag.as_deref().unwrap_or("-");
        self.log.lock().unwrap().push(format!("{what} {}:{tag}", found.repository.name));
    }

    /// What happened since the last time, in an order that does not depend on chance.
    pub(crate) fn told(&self) -> String {
        let mut log = std::mem::take(&mut *self.log.lock().unwrap());
        log.sort();
        log.join("\n")
    }

    pub(crate) async fn look(&self, directory: &dyn Directory, backfill: Backfill) -> Report {
        self.look_with(directory, backfill, Filter::default()).await
    }

    async fn look_with(
        &self,
        directory: &dyn Directory,
        backfill: Backfill,
        filter: Filter,
    ) -> Report {
        let options = Options { filter, backfill, workers: 3 };
        let watch = Watch::new(directory, self, self, options);
        let listed = watch.repositories().await.unwrap();
        watch.look(&listed).await.unwrap()
    }

    pub(crate) async fn hear(&self, directory: &dyn Directory, event: &Notice) -> Report {
        self.hear_with(directory, event, Filter::default()).await
    }

    async fn hear_with(&self, directory: &dyn Directory, event: &Notice, filter: Filter) -> Report {
        let options = Options { filter, workers: 3, ..Options::default() };
        Watch::new(directory, self, self, options).told(event).await.unwrap()
    }
}

fn push(registry: &FakeRegistry, repository: &str, tag: &str, content: &str) {
    registry.push(repository, tag, &image().layer(layer().file("etc/name", content)));
}

#[tokio::test]
async fn every_digest_once_however_often_it_is_seen() {
    let registry = FakeRegistry::start();
    for number in 0..40 {
        // Five contents under forty tags of four repositories.
        let content = format!("content {}", number % 5);
        push(&registry, &format!("team/app{}", number % 4), &format!("v{number}"), &content);
    }
    for (vendor, kind) in
        [(None, "oci"), (Some(Vendor::Harbor), "harbor"), (Some(Vendor::Nexus), "nexus")]
    {
        let stand_in = vendor.map(|it| VendorStandIn::start(it, &registry.host()));
        let party = match (&stand_in, vendor) {
            (Some(stand_in), Some(vendor)) => party_at(stand_in, vendor, &[]),
            _ => party("oci", &[("registry", &registry.host())]),
        };
        let (directory, kept) = (party.directory().unwrap(), Kept::default());
        let before = registry.seen().len();
        let report = kept.look(directory, Backfill::All).await;
        assert_eq!((report.tags, report.analyzed, report.moved), (40, 5, 35), "{kind}: {report:?}");
        // Where the list tells digests nobody is asked for them, and nowhere for a manifest.
        assert_eq!(report.asked, if vendor.is_none() { 40 } else { 0 }, "{kind}");
        let seen = registry.seen();
        let gets =
            seen[before..].iter().filter(|it| it.method == "GET" && it.path.contains("manifests"));
        assert_eq!(gets.count(), 0, "{kind}");
        // The workers' number holds for those that lead to the same, too.
        assert!(kept.most.load(Ordering::SeqCst) <= 3, "{:?}", kept.most);
        kept.told();
        assert_eq!(kept.look(directory, Backfill::All).await.analyzed, 0);
        assert_eq!(kept.told(), "", "{kind}");
    }
}

#[tokio::test]
async fn whoever_is_stopped_goes_on() {
    let registry = FakeRegistry::start();
    for number in 0..30 {
        push(
            &registry,
            &format!("team/app{}", number % 3),
            &format!("v{number}"),
            &format!("{number}"),
        );
    }
    let party = party("oci", &[("registry", &registry.host())]);
    let directory = party.directory().unwrap();
    let kept = Kept::able_to_do(12);
    let first = kept.look(directory, Backfill::All).await;
    assert_eq!((first.analyzed, first.gaps.len()), (12, 18));
    assert!(first.gaps[0].why == "nobody has time", "{:?}", first.gaps[0]);
    kept.rest();
    let second = kept.look(directory, Backfill::All).await;
    assert_eq!((second.analyzed, second.gaps.len()), (18, 0));
}

/// An image that cannot be read is tried once a look, however many tags lead to it.
#[tokio::test]
async fn a_bad_image_holds_nobody_up() {
    let registry = registry();
    for number in 0..20 {
        push(&registry, "bad/one", &format!("v{number}"), "bad");
    }
    let party = party("oci", &[("registry", &registry.host())]);
    let directory = party.directory().unwrap();
    let kept = Kept::default();
    *kept.bad.lock().unwrap() = registry.tag("bad/one", "v0");
    for _ in 0..2 {
        let report = kept.look(directory, Backfill::All).await;
        assert_eq!(report.gaps.len(), 20);
        let told = kept.told();
        assert_eq!(told.lines().filter(|it| it.starts_with("tried bad/one")).count(), 1, "{told}");
    }
    assert_eq!(kept.done.lock().unwrap().len(), 4);
    // Whoever goes on looking does not fetch it anew each time, and says each time what is wrong.
    let options = Options { backfill: Backfill::All, ..Options::default() };
    let watch = Watch::new(directory, &kept, &kept, options);
    for tries in [1, 0, 0] {
        let report = watch.look(&watch.repositories().await.unwrap()).await.unwrap();
        assert_eq!(report.gaps.len(), 20);
        let told = kept.told();
        let tried = told.lines().filter(|it| it.starts_with("tried bad/one")).count();
        assert_eq!(tried, tries, "{told}");
    }
}

#[tokio::test]
async fn what_is_not_listed_is_not_gone() {
    let registry = registry();
    let party = party("oci", &[("registry", &registry.host())]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    kept.look(directory, Backfill::All).await;
    kept.told();
    // A list with a hole, a catalog that forgot somebody, a list that is not there.
    let list = |body: &str| Fault::Status(200, Vec::new(), body.to_owned());
    registry.plan("team/app/tags", 1, list(r#"{"tags":["1","A B"]}"#));
    registry.plan("_catalog", 1, list(r#"{"repositories":["team/app"]}"#));
    registry.plan("team/web/tags", 1, list(r#"{"tags":[]}"#));
    registry.plan("library/base/tags", 1, Fault::unknown("NAME_UNKNOWN"));
    let report = kept.look(directory, Backfill::All).await;
    assert_eq!(kept.told(), "");
    assert_eq!((report.repositories, report.gone, report.gaps.len()), (3, 0, 1));
    // A proxy that is there while its registry is not says in its own words that nothing is there.
    for says in ["404 page not found\n", "default backend - 404", ""] {
        for path in ["/tags/list", "/manifests/"] {
            registry.plan(path, 10_000, Fault::Status(404, Vec::new(), says.to_owned()));
        }
        let report = kept.look(directory, Backfill::All).await;
        assert_eq!((kept.told().as_str(), report.gone), ("", 0));
        let why = "answered 404, and not as a registry does";
        assert!(report.gaps.iter().all(|it| it.why.contains(why)), "{report:?}");
        assert!(!report.gaps.is_empty());
        registry.forgive();
    }
    registry.untag("team/app", "1");
    assert_eq!(kept.look(directory, Backfill::All).await.gone, 1);
}

#[tokio::test]
async fn a_registry_is_left_alone_when_it_asks_for_that() {
    let registry = registry();
    let party = party("oci", &[("registry", &registry.host())]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    registry.plan("tags/list", 1, Fault::retry_after(429, "900"));
    let report = kept.look(directory, Backfill::All).await;
    assert!(report.wait.is_some_and(|it| it.as_secs() <= 900), "{report:?}");
    assert!(!report.is_whole());
    let asked = registry.seen().len();
    let watch = Watch::new(directory, &kept, &kept, Options::default());
    assert!(watch.repositories().await.is_err());
    assert_eq!(registry.seen().len(), asked, "nobody was asked");
}

#[tokio::test]
async fn filters_hold() {
    let registry = registry();
    let settings = [("registry", registry.host()), ("exclude", "library/*".to_owned())];
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(key, it)| (*key, it.as_str())).collect();
    let party = party("oci", &settings);
    let given: Vec<_> = settings.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let settled = integration::find("oci").unwrap().settle(&given, &|_| None).unwrap();
    let filter =
        Filter::of(integration::find("oci").unwrap(), &settled).with_tags(["^[0-9]$"]).unwrap();
    let kept = Kept::default();
    kept.look_with(party.directory().unwrap(), Backfill::All, filter).await;
    assert_eq!(kept.told(), "pushed team/app:1\npushed team/app:2");
}

/// A directory whose list of tags is old by the time that it comes.
struct Slow<'a> {
    directory: &'a dyn Directory,
    tagged: Tagged,
    meanwhile: &'a (dyn Fn() + Send + Sync),
}

#[async_trait]
impl Directory for Slow<'_> {
    fn registry(&self) -> &str {
        self.directory.registry()
    }
    async fn repositories(&self, known: &[String]) -> Result<Listed<Repository>, Failure> {
        self.directory.repositories(known).await
    }
    async fn tags(&self, _: &Repository) -> Result<Listed<Tagged>, Failure> {
        (self.meanwhile)();
        Ok(vec![self.tagged.clone()].into())
    }
    async fn digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Failure> {
        self.directory.digest(repository, tag).await
    }
    async fn checks(&self) -> Vec<Check> {
        Vec::new()
    }
}

#[tokio::test]
async fn what_a_look_found_before_does_not_undo_what_was_told_since() {
    let registry = registry();
    let party = party("oci", &[("registry", &registry.host())]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let app = directory.repository(directory.registry(), "team/app");
    let digest = |tag: &str| -> Digest { registry.tag("team/app", tag).unwrap().parse().unwrap() };
    let (old, new) = (digest("1"), digest("2"));
    // The list says where the tag led; by now it leads elsewhere, and that is dealt with.
    push(&registry, "team/app", "1", "team/app:2");
    assert_eq!(digest("1"), new);
    let meanwhile = || {
        kept.done.lock().unwrap().insert(new.clone());
        let mut tags = kept.tags.lock().unwrap();
        tags.entry(key(&app)).or_default().insert("1".to_owned(), new.clone());
    };
    let tagged = Tagged { tag: "1".to_owned(), digest: Some(old), at: None };
    let slow = Slow { directory, tagged, meanwhile: &meanwhile };
    for backfill in [Backfill::All, Backfill::None] {
        let watch = Watch::new(&slow, &kept, &kept, Options { backfill, ..Options::default() });
        kept.tags.lock().unwrap().clear();
        kept.begin(directory.registry(), std::slice::from_ref(&app)).await.unwrap();
        let report = watch.look(&vec![app.clone()].into()).await.unwrap();
        assert_eq!((report.asked, report.analyzed, report.left), (1, 0, 0));
        assert_eq!(kept.tag(&app, "1").await.unwrap(), Some(new.clone()));
    }
    assert_eq!(kept.told(), "");
}

#[tokio::test]
async fn what_changed_is_found_without_a_list() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Artifactory, &registry.host());
    let party = party_at(&stand_in, Vendor::Artifactory, &[]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    kept.look(directory, Backfill::None).await;
    push(&registry, "team/app", "2", "two anew");
    push(&registry, "team/new", "1", "new");
    stand_in.changed("team/app", "2", "2026-11-22T10:00:00.000Z");
    stand_in.changed("team/new", "1", "2026-11-22T11:00:00.000Z");
    let watch = Watch::new(directory, &kept, &kept, Options::default());
    let since = "2026-11-22T00:00:00Z".parse().unwrap();
    let report = watch.look_since(since).await.unwrap().unwrap();
    assert_eq!((report.tags, report.asked, report.analyzed), (2, 0, 2));
    assert_eq!(kept.told(), "pushed docker-local/team/new:1\nretagged docker-local/team/app:2");
    // Others cannot tell.
    let plain = super::party("oci", &[("registry", &registry.host())]);
    let watch = Watch::new(plain.directory().unwrap(), &kept, &kept, Options::default());
    assert!(watch.look_since(since).await.unwrap().is_none());
}

/// Where several keys make one name, it is looked at once, and what it leads to is what is pulled under
/// it.
#[tokio::test]
async fn a_name_that_several_keys_make_is_one() {
    let (first, second) = (registry(), FakeRegistry::start());
    push(&second, "team/app", "2", "another");
    push(&second, "team/app", "3", "three");
    for (vendor, other, more) in [
        (
            Vendor::Artifactory,
            "docker-prod",
            &[("repository", "docker-local,docker-prod"), ("virtual-repository", "docker")][..],
        ),
        (Vendor::Nexus, "docker-proxy", &[]),
        (Vendor::Nexus, "docker-proxy", &[("repository", "docker-hosted,docker-proxy")]),
    ] {
        let stand_in = VendorStandIn::start(vendor, &first.host()).with_key(other, &second.host());
        let party = party_at(&stand_in, vendor, more);
        let (directory, kept) = (party.directory().unwrap(), Kept::default());
        let report = kept.look(directory, Backfill::All).await;
        assert_eq!((report.repositories, report.tags, report.analyzed), (3, 5, 5), "{report:?}");
        let told = kept.told();
        assert!(told.contains("team/app:3") && told.matches("team/app:2").count() == 1, "{told}");
        let name = if vendor == Vendor::Nexus { "team/app" } else { "docker/team/app" };
        let app = directory.repository(&stand_in.host(), name);
        let digest = kept.tag(&app, "2").await.unwrap().map(|it| it.to_string());
        assert_eq!(digest, first.tag("team/app", "2"));
        // What was seen is all of it, by whichever key.
        let again = kept.look(directory, Backfill::All).await;
        assert_eq!((again.tags, kept.told().as_str()), (5, ""), "{again:?}");
        assert!(again.is_whole());
    }
    // Where nothing says which of them is pulled, that is no way to watch.
    let settings = [("registry", "r.example"), ("api", "https://r.example/artifactory")];
    let given = settings.into_iter().chain([("repository", "a,b"), ("layout", "port")]);
    let given: Vec<_> = given.map(|(key, it)| (key.to_owned(), it.to_owned())).collect();
    let kind = integration::find("artifactory").unwrap();
    let settled = kind.settle(&given, &|_| None).unwrap();
    let why = (kind.connect)(&settled, &super::ways()).err().unwrap();
    assert_eq!(why.to_string(), "repository: images of several keys would have the same names");
}
