//! The first look, and what is new from then on.

use integration::Listed;
use integration::watch::{Backfill, Memory as _, Options, Watch};
use testkit::{FakeRegistry, Fault, Vendor, VendorStandIn};

use super::super::{party, party_at, registry};
use super::{Kept, push};

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
