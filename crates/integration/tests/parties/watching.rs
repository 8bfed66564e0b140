//! Watching: what is found, once, in whatever order and however often it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use integration::filter::Filter;
use integration::watch::{Backfill, Found, Hands, Lost, Memory, Options, Report, Watch};
use integration::{Action, Check, Directory, Failure, Listed, Notice, Repository, Tagged};
use model::Digest;
use testkit::{FakeRegistry, Fault, Vendor, VendorStandIn, image, layer};

use super::{VENDORS, name, party, party_at, registry};

/// What was seen, for as long as a test runs.
#[derive(Default)]
pub(crate) struct Kept {
    begun: Mutex<bool>,
    /// Repositories that were there before, and whether they were met.
    met: Mutex<BTreeMap<(String, String), bool>>,
    tags: Mutex<BTreeMap<(String, String), BTreeMap<String, Digest>>>,
    done: Mutex<BTreeSet<Digest>>,
    log: Mutex<Vec<String>>,
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
async fn only_what_is_pushed_from_now_on() {
    let registry = registry();
    let party = party("oci", &[("registry", &registry.host())]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let first = kept.look(directory, Backfill::None).await;
    assert_eq!((first.repositories, first.tags, first.left, first.analyzed), (3, 4, 4, 0));
    assert_eq!(kept.told(), "");
    push(&registry, "team/app", "3", "three");
    push(&registry, "team/app", "2", "two anew");
    push(&registry, "new/one", "1", "one");
    registry.untag("team/web", "latest");
    kept.look(directory, Backfill::None).await;
    assert_eq!(
        kept.told(),
        "gone team/web:latest\npushed new/one:1\npushed team/app:3\nretagged team/app:2"
    );
    let third = kept.look(directory, Backfill::None).await;
    assert_eq!(kept.told(), "");
    assert!(third.is_whole() && third.analyzed == 0);
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
        kept.told();
        assert_eq!(kept.look(directory, Backfill::All).await.analyzed, 0);
        assert_eq!(kept.told(), "", "{kind}");
    }
}

#[tokio::test]
async fn the_newest_of_each_repository() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Azure, &registry.host());
    stand_in.changed("team/app", "1", "2026-11-22T10:00:00Z");
    let party = party_at(&stand_in, Vendor::Azure, &[]);
    let kept = Kept::default();
    let report = kept.look(party.directory().unwrap(), Backfill::Newest).await;
    assert_eq!(kept.told(), "pushed library/base:12\npushed team/app:1\npushed team/web:latest");
    assert_eq!(report.left, 1);
    // All of them, later.
    kept.look(party.directory().unwrap(), Backfill::All).await;
    assert_eq!(kept.told(), "pushed team/app:2");
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
    registry.plan("library/base/tags", 1, Fault::status(404));
    let report = kept.look(directory, Backfill::All).await;
    assert_eq!(kept.told(), "");
    assert_eq!((report.repositories, report.gone, report.gaps.len()), (3, 0, 1));
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
    let filter = Filter::of(&settled).with_tags(["^[0-9]$"]).unwrap();
    let kept = Kept::default();
    kept.look_with(party.directory().unwrap(), Backfill::All, filter).await;
    assert_eq!(kept.told(), "pushed team/app:1\npushed team/app:2");
}

fn notice(registry: &str, action: Action, tag: Option<&str>, digest: Option<&str>) -> Notice {
    Notice {
        id: "1".to_owned(),
        is_unique: true,
        action,
        registry: registry.to_owned(),
        repository: "team/app".to_owned(),
        tag: tag.map(str::to_owned),
        digest: digest.map(|it| it.parse().unwrap()),
        media_type: None,
        at: None,
        is_signed: false,
    }
}

/// The registry has the last word, whatever an event says.
#[tokio::test]
async fn events_lead_and_the_registry_decides() {
    let registry = registry();
    let host = registry.host();
    let party = party("oci", &[("registry", &host)]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let lie = format!("sha256:{}", "e".repeat(64));
    let real = registry.tag("team/app", "1").unwrap();
    let hear = |action, tag: Option<&str>, digest: Option<&str>| {
        let notice = notice(&host, action, tag, digest);
        let kept = &kept;
        async move {
            kept.hear(directory, &notice).await;
            kept.told()
        }
    };
    // A digest that is none of the tag's, a deletion that was none, a tag that is not there.
    assert_eq!(hear(Action::Pushed, Some("1"), Some(&lie)).await, "pushed team/app:1");
    assert_eq!(kept.done.lock().unwrap().iter().map(Digest::as_str).collect::<Vec<_>>(), [&real]);
    assert_eq!(hear(Action::Deleted, Some("1"), None).await, "");
    assert_eq!(hear(Action::Deleted, None, Some(&real)).await, "");
    assert_eq!(hear(Action::Pushed, Some("none"), None).await, "");
    assert_eq!(hear(Action::Pushed, None, Some(&lie)).await, "");
    // The same again, and a digest alone that is there.
    assert_eq!(hear(Action::Pushed, Some("1"), None).await, "");
    assert_eq!(hear(Action::Pushed, None, Some(&real)).await, "moved team/app:-");
    registry.untag("team/app", "1");
    assert_eq!(hear(Action::Deleted, None, Some(&real)).await, "gone team/app:1");
    assert_eq!(hear(Action::Deleted, None, Some(&real)).await, "");
}

/// Whoever looks and whoever listens at the same time do nothing twice: `analyze` would panic.
#[tokio::test]
async fn looks_and_notices_at_once() {
    let registry = FakeRegistry::start();
    for number in 0..30 {
        push(&registry, "team/app", &format!("v{number}"), &format!("content {}", number % 6));
    }
    let host = registry.host();
    let party = party("oci", &[("registry", &host)]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let options = Options { backfill: Backfill::All, workers: 4, ..Options::default() };
    let watch = Watch::new(directory, &kept, &kept, options);
    let repositories = watch.repositories().await.unwrap();
    let tags: Vec<String> = (0..30).map(|number| format!("v{number}")).collect();
    let notices = tags.iter().map(|tag| notice(&host, Action::Pushed, Some(tag), None));
    let notices: Vec<Notice> = notices.collect();
    let heard = futures_util::future::join_all(notices.iter().map(|it| watch.told(it)));
    let (looked, heard) = tokio::join!(watch.look(&repositories), heard);
    let reports = heard.into_iter().chain([looked]).map(Result::unwrap);
    assert_eq!(reports.map(|it| it.analyzed).sum::<usize>(), 6);
    assert_eq!(kept.done.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn a_repository_is_watched_from_now_on() {
    let registry = registry();
    let party = party("oci", &[("registry", &registry.host())]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let options = Options { backfill: Backfill::Newest, workers: 1, ..Options::default() };
    let watch = Watch::new(directory, &kept, &kept, options);
    let one = |name: &str| Listed::from(vec![directory.repository(directory.registry(), name)]);
    watch.look(&one("team/web")).await.unwrap();
    assert_eq!(kept.told(), "pushed team/web:latest");
    kept.begin(directory.registry(), &one("team/app").all).await.unwrap();
    let report = watch.look(&one("team/app")).await.unwrap();
    assert_eq!((report.analyzed, report.left), (1, 1));
    assert_eq!(kept.told(), "pushed team/app:2");
    // One that came to be since then is new as a whole.
    push(&registry, "new/one", "1", "1");
    push(&registry, "new/one", "2", "2");
    watch.look(&one("new/one")).await.unwrap();
    assert_eq!(kept.told(), "pushed new/one:1\npushed new/one:2");
}

/// What is pushed is found, whatever is wrong with others.
#[tokio::test]
async fn one_that_is_refused_keeps_no_other_waiting() {
    let registry = registry();
    push(&registry, "team/web", "old", "old");
    push(&registry, "team/app", "latest", "latest");
    registry.plan("team/web/tags", 2, Fault::status(403));
    let party = party("oci", &[("registry", &registry.host())]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let first = kept.look(directory, Backfill::Newest).await;
    assert_eq!((first.left, first.gaps.len(), first.is_final()), (2, 1, true));
    assert_eq!(kept.told(), "pushed library/base:12\npushed team/app:latest");
    push(&registry, "team/app", "v2", "v2");
    push(&registry, "new/one", "1", "1");
    push(&registry, "new/one", "2", "2");
    kept.look(directory, Backfill::Newest).await;
    assert_eq!(kept.told(), "pushed new/one:1\npushed new/one:2\npushed team/app:v2");
    // Once it may be seen, what is in it was there before, as far as anybody knows.
    let third = kept.look(directory, Backfill::Newest).await;
    assert_eq!(kept.told(), "pushed team/web:latest");
    assert_eq!(third.left, 1);
    push(&registry, "team/web", "new", "new");
    kept.look(directory, Backfill::Newest).await;
    assert_eq!(kept.told(), "pushed team/web:new");
}

#[tokio::test]
async fn one_that_cannot_be_read_keeps_no_other_waiting() {
    let registry = registry();
    push(&registry, "team/app", "latest", "latest");
    let party = party("oci", &[("registry", &registry.host())]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    *kept.bad.lock().unwrap() = registry.tag("team/app", "latest");
    let first = kept.look(directory, Backfill::Newest).await;
    assert_eq!((first.left, first.gaps.len()), (2, 1));
    kept.told();
    push(&registry, "team/app", "v2", "v2");
    kept.look(directory, Backfill::Newest).await;
    assert_eq!(kept.told(), "pushed team/app:v2\ntried team/app:latest");
}

/// A part of a list that is missing for now was there before, whenever it turns up: repositories as
/// well as tags. One that stays missing keeps nothing new waiting.
#[tokio::test]
async fn what_was_missing_for_now_is_not_new() {
    let registry = FakeRegistry::start();
    for number in 0..150 {
        push(&registry, &format!("team/app{number:03}"), "1", "the same");
    }
    for number in 0..1100 {
        push(&registry, "team/app000", &format!("v{number:04}"), "the same");
    }
    let lost = [("app000/tags/list?last", 2), ("_catalog?last", 1)];
    let party = party("oci", &[("registry", &registry.host())]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    for (path, looks) in lost {
        registry.plan(path, looks * 3, Fault::status(500));
    }
    let look = async || kept.look(directory, Backfill::None).await;
    let first = look().await;
    assert_eq!((first.repositories, first.left, first.gaps.len()), (100, 1099, 2));
    let second = look().await;
    assert_eq!((second.repositories, second.left, second.analyzed), (150, 50, 0));
    let third = look().await;
    assert_eq!((third.left, third.analyzed, third.moved), (101, 0, 0), "{third:?}");
    push(&registry, "team/app000", "new", "new");
    push(&registry, "team/other", "new", "other");
    look().await;
    assert_eq!(kept.told(), "pushed team/app000:new\npushed team/other:new");
}

#[tokio::test]
async fn a_catalog_that_is_never_told_ends_a_first_look() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Azure, &registry.host());
    stand_in.hide_catalog();
    let party = party_at(&stand_in, Vendor::Azure, &[]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let host = stand_in.host();
    let of = |name: &str| directory.repository(&host, name);
    // What is known of it was told by a webhook.
    kept.keep(&of("team/web"), "1", &registry.tag("team/web", "latest").unwrap().parse().unwrap())
        .await
        .unwrap();
    for _ in 0..2 {
        assert_eq!(kept.look(directory, Backfill::None).await.gaps.len(), 1);
    }
    assert!(!kept.is_awaited(&host, &of("new/one")).await.unwrap());
    push(&registry, "team/web", "new", "new");
    kept.look(directory, Backfill::None).await;
    assert!(kept.told().ends_with("pushed team/web:new"));
}

/// Where a registry wants to be left alone in the middle of the first look, what it did not tell was
/// still there before.
#[tokio::test]
async fn a_first_look_goes_on_as_one() {
    let registry = registry();
    push(&registry, "team/web", "old", "old");
    let ways = || party("oci", &[("registry", &registry.host())]);
    let kept = Kept::default();
    registry.plan("team/web/manifests", 1, Fault::retry_after(429, "900"));
    let first = kept.look(ways().directory().unwrap(), Backfill::None).await;
    assert!(first.wait.is_some() && first.analyzed == 0, "{first:?}");
    push(&registry, "new/one", "1", "1");
    kept.look(ways().directory().unwrap(), Backfill::None).await;
    assert_eq!(kept.told(), "pushed new/one:1");
    push(&registry, "team/web", "new", "new");
    kept.look(ways().directory().unwrap(), Backfill::None).await;
    assert_eq!(kept.told(), "pushed team/web:new");
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

/// Whoever wants some tags alone does not want what is pushed without any.
#[tokio::test]
async fn what_has_no_tag_is_none_of_those_that_are_wanted() {
    let registry = registry();
    let host = registry.host();
    let party = party("oci", &[("registry", &host)]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let bare = notice(&host, Action::Pushed, None, registry.tag("team/app", "1").as_deref());
    let filter = Filter::default().with_tags(["^2$"]).unwrap();
    kept.hear_with(directory, &bare, filter).await;
    assert_eq!(kept.told(), "");
    kept.hear(directory, &bare).await;
    assert_eq!(kept.told(), "pushed team/app:-");
}

/// What was just pushed is waited for; of what was told long ago is asked once whether it is there.
#[tokio::test]
async fn only_what_is_new_is_waited_for() {
    let registry = registry();
    let host = registry.host();
    let party = party("oci", &[("registry", &host)]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let watch = Watch::new(directory, &kept, &kept, Options::default());
    let gone = notice(&host, Action::Pushed, Some("gone"), None);
    let asked = async |ago: u64| {
        let before = registry.seen().len();
        let report = watch.told_before(&gone, Duration::from_millis(ago)).await.unwrap();
        assert!(report.is_whole());
        let seen = registry.seen();
        seen[before..].iter().filter(|it| it.method == "HEAD").count()
    };
    assert_eq!(asked(5000).await, 1);
    assert_eq!(asked(300).await, 3);
    assert_eq!(asked(0).await, 4);
}

#[tokio::test]
async fn some_troubles_stay() {
    let registry = registry();
    let host = registry.host();
    let party = party("oci", &[("registry", &host)]);
    let (directory, kept) = (party.directory().unwrap(), Kept::able_to_do(0));
    let told = notice(&host, Action::Pushed, Some("1"), None);
    let hear = async || {
        let report = kept.hear(directory, &told).await;
        (report.is_whole(), report.is_final())
    };
    assert_eq!(hear().await, (false, false), "nobody has time");
    registry.plan("manifests", 1, Fault::status(403));
    assert_eq!(hear().await, (false, true), "it is refused");
    *kept.bad.lock().unwrap() = registry.tag("team/app", "1");
    assert_eq!(hear().await, (false, true), "it is broken");
    (*kept.bad.lock().unwrap(), *kept.strength.lock().unwrap()) = (None, None);
    assert_eq!(hear().await, (true, false));
}

/// What was pushed just before somebody looked for the first time, or is pushed anew, is told of, and
/// was left alone by the look.
#[tokio::test]
async fn what_was_left_alone_is_worked_on_once_it_is_told_of() {
    let registry = registry();
    let host = registry.host();
    let party = party("oci", &[("registry", &host)]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    let report = kept.look(directory, Backfill::None).await;
    assert_eq!((report.left, report.analyzed), (4, 0));
    let hear = async |action| {
        let report = kept.hear(directory, &notice(&host, action, Some("1"), None)).await;
        (report.analyzed, kept.told())
    };
    assert_eq!(hear(Action::Deleted).await, (0, String::new()));
    assert_eq!(hear(Action::Pushed).await, (1, "pushed team/app:1".to_owned()));
    assert_eq!(hear(Action::Pushed).await, (0, String::new()));
    assert_eq!(kept.look(directory, Backfill::None).await.analyzed, 0);
}

/// Whatever hosts and URLs a body names, only the registry that was set up is asked.
#[tokio::test]
async fn no_address_in_a_body_is_asked() {
    let registry = registry();
    let trap = testkit::Sink::start();
    for form in testkit::Form::ALL {
        let vendor = VENDORS.into_iter().find(|it| name(*it) == form.vendor()).unwrap();
        let stand_in = VendorStandIn::start(vendor, &registry.host());
        let party = party_at(&stand_in, vendor, &[]);
        let told = testkit::Told {
            pushed: true,
            registry: trap.host(),
            repository: "team/app".to_owned(),
            tag: "1".to_owned(),
            digest: registry.tag("team/app", "1").unwrap(),
            id: "one".to_owned(),
            at: "2026-11-21T10:00:00Z".to_owned(),
            seconds: 1_795_255_200,
        };
        let hook = testkit::Hook::new(form, &told, "");
        let headers = http::HeaderMap::new();
        let delivery = integration::Delivery {
            method: &http::Method::POST,
            query: "",
            headers: &headers,
            body: &hook.body,
        };
        let heard = party.inbox().unwrap().read(&delivery);
        let kept = Kept::default();
        for notice in &heard.notices {
            kept.hear(party.directory().unwrap(), notice).await;
        }
        // Azure's body names its registry, and this is another.
        let expect = usize::from(vendor != Vendor::Azure);
        assert_eq!(kept.done.lock().unwrap().len(), expect, "{form:?}");
        assert_eq!(heard.gaps.len(), 1 - expect, "{form:?}");
    }
    assert!(trap.wait(|_| true).is_empty());
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
