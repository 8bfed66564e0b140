//! What is told, looked into: the registry has the last word.

use std::time::Duration;

use integration::filter::Filter;
use integration::watch::{Backfill, Memory as _, Options, Watch};
use integration::{Action, Notice};
use model::Digest;
use testkit::{FakeRegistry, Fault, Vendor, VendorStandIn};

use super::super::{VENDORS, name, party, party_at, registry};
use super::{Kept, push};

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

/// However many tell of an image that is broken, and whoever looks, it is tried once for a while.
#[tokio::test]
async fn a_burst_on_a_bad_image_is_one_try() {
    let registry = registry();
    let host = registry.host();
    for number in 0..20 {
        push(&registry, "team/app", &format!("v{number}"), "bad");
    }
    let party = party("oci", &[("registry", &host)]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    *kept.bad.lock().unwrap() = registry.tag("team/app", "v0");
    let watch = Watch::new(directory, &kept, &kept, Options::default());
    for number in 0..20 {
        let tag = format!("v{number}");
        let report = watch.told(&notice(&host, Action::Pushed, Some(&tag), None)).await.unwrap();
        assert!(report.is_final());
    }
    assert_eq!(kept.told().lines().count(), 1);
    kept.begun(&host).await.unwrap();
    let report = watch.look(&watch.repositories().await.unwrap()).await.unwrap();
    assert!(!report.is_whole());
    assert_eq!(kept.told().matches("tried").count(), 0);
}
