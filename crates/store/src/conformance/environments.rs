//! Environments and what runs in them.

use model::{EventKind, ImageState, Platform, Source, TagSpan};

use super::kit::{acme, amd64, at, digest, image, inventory, tell, told, within, workload};
use crate::{Change, Elsewhere, Error, EventSelection, Page, Selection, Stale, Store, When};

const CLI: &Source = &Source::Cli;

pub(super) async fn unknown_ones_are_errors_that_name_those_there_are(store: &Store) {
    let acme = acme(store).await;
    let web = image("acme/web:v1", 1);
    let error = store.record(&acme, &at(1), "prod", CLI, &web).await.unwrap_err();
    assert_eq!(error.to_string(), "environment `prod`: there is none");
    assert_eq!(error.hint().as_deref(), Some("there are: production, staging"));
    let page = Page::first(9);
    assert!(store.deployments(&acme, &within("prod"), When::Now, &page).await.is_err());
    assert!(store.stale(&acme, Some("prod")).await.is_err());
    assert!(store.report(&acme, &at(1), "prod", "sysdig", &[]).await.is_err());
    assert!(store.delete_environment(&acme, &at(1), "prod").await.is_err());
    let none = Selection::default();
    for (from, to) in [("prod", "staging"), ("staging", "prod")] {
        assert!(store.promote(&acme, &at(1), from, to, CLI, &none).await.is_err());
    }
    let error = store.create_environment(&acme, &at(1), "staging").await.unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
}

pub(super) async fn missing_ones_are_made_with_what_is_recorded(store: &Store) {
    let acme = acme(store).await;
    let there = async || {
        let all = store.environments(&acme).await.unwrap();
        all.into_iter().map(|it| it.name).collect::<Vec<_>>().join(" ")
    };
    let bad = [image("acme/web:v1", 1), workload("a\0b", "acme/web:v1", 1)];
    for name in ["qa", "a\0b"] {
        let recorded = store.record_all_anywhere(&acme, &at(1), name, CLI, &bad).await;
        assert!(matches!(recorded.unwrap_err(), Error::Refused { .. }));
    }
    let all = Selection::default();
    let nothing = store.promote_anywhere(&acme, &at(1), "staging", "qa", CLI, &all).await;
    assert_eq!(nothing.unwrap(), (Vec::new(), false));
    let nowhere = store.promote_anywhere(&acme, &at(1), "prod", "qa", CLI, &all).await;
    assert_eq!(nowhere.unwrap_err().to_string(), "environment `prod`: there is none");
    assert_eq!(there().await, "production staging", "none is made where nothing is recorded");
    for expect in [true, false] {
        let web = [image("acme/web:v1", 1)];
        let recorded = store.record_all_anywhere(&acme, &at(1), " qa", CLI, &web).await.unwrap();
        assert_eq!((recorded.0.len(), recorded.1), (1, expect));
        let promoted = store.promote_anywhere(&acme, &at(2), "qa", "live", CLI, &all).await;
        assert_eq!(promoted.unwrap().1, expect);
    }
    assert_eq!(there().await, "live production qa staging");
    assert_eq!(told(store, &acme, "live", When::Now).await, "web v1 01 00:02- cli pending");
    let of_many = (0..8).map(async |number| {
        let web = [workload(&format!("web{number}"), "acme/web:v1", 1)];
        store.record_all_anywhere(&acme, &at(3), "new", CLI, &web).await.unwrap().1
    });
    let made = futures_util::future::join_all(of_many).await;
    assert_eq!(made.iter().filter(|it| **it).count(), 1, "one of many makes it");
}

pub(super) async fn names_are_in_any_script(store: &Store) {
    let acme = acme(store).await;
    for name in ["生产", "Werk 2 / Halle B", "😀", "Zu\u{308}rich", "'; DROP TABLE jobs; --"] {
        store.create_environment(&acme, &at(1), name).await.unwrap();
        store.record(&acme, &at(1), name, CLI, &workload(name, "acme/web:v1", 1)).await.unwrap();
    }
    let there = store.environments(&acme).await.unwrap();
    let names: Vec<&str> = there.iter().map(|it| it.name.as_str()).collect();
    let expect = [
        "'; DROP TABLE jobs; --",
        "Werk 2 / Halle B",
        "Zürich",
        "production",
        "staging",
        "生产",
        "😀",
    ];
    assert_eq!(names, expect);
    assert_eq!(told(store, &acme, "Zürich", When::Now).await, "Zürich v1 01 00:01- cli pending");
    let application = Some(" Zu\u{308}rich".to_owned());
    let selection = Selection { application, ..within("Zu\u{308}rich") };
    let page = Page::first(9);
    let found = store.deployments(&acme, &selection, When::Now, &page).await.unwrap();
    assert_eq!(found.rows.len(), 1, "however it is spelt");
    for name in ["", "  ", "a\0b", &"x".repeat(201), "a\u{202e}b"] {
        let error = store.create_environment(&acme, &at(1), name).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
    store.create_environment(&acme, &at(1), &"字".repeat(200)).await.unwrap();
}

pub(super) async fn recording_again_supersedes_and_keeps_history(store: &Store) {
    let acme = acme(store).await;
    for (minute, tag, number) in [(1, "v1", 1), (5, "v2", 2), (9, "v1", 1)] {
        let web = image(&format!("acme/web:{tag}"), number);
        store.record(&acme, &at(minute), "production", CLI, &web).await.unwrap();
    }
    store.record(&acme, &at(6), "staging", CLI, &image("acme/web:v3", 3)).await.unwrap();
    assert_eq!(told(store, &acme, "production", When::Now).await, "web v1 01 00:09- cli pending");
    assert_eq!(
        told(store, &acme, "production", When::Ever).await,
        "web v1 01 00:09- cli pending\n\
         web v2 02 00:05-00:09 cli pending\n\
         web v1 01 00:01-00:05 cli pending"
    );
    for (minute, expect) in [
        (0, ""),
        (1, "web v1 01 00:01-00:05 cli pending"),
        (4, "web v1 01 00:01-00:05 cli pending"),
        (5, "web v2 02 00:05-00:09 cli pending"),
        (99, "web v1 01 00:09- cli pending"),
    ] {
        let shown = told(store, &acme, "production", When::At(at(minute).at)).await;
        assert_eq!(shown, expect, "minute {minute}");
    }
    let selection = EventSelection {
        environment: Some("production".to_owned()),
        since: Some(at(1).at),
        ..EventSelection::default()
    };
    let events = store.events(&acme, &selection, &Page::first(9)).await.unwrap().rows;
    let shown: Vec<String> = events
        .iter()
        .map(|it| {
            let former = it.detail.pointer("/replaced/tag").and_then(|it| it.as_str());
            let former = former.unwrap_or("-");
            format!("{} {} {} {former}", it.kind.as_str(), it.about, it.act.who)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "deployment-replaced docker.io/acme/web ann v2",
            "deployment-replaced docker.io/acme/web ann v1",
            "deployment-started docker.io/acme/web ann -",
        ]
    );
}

pub(super) async fn the_same_image_again_is_no_new_record(store: &Store) {
    let acme = acme(store).await;
    let web = image("acme/web:v1", 1);
    let first = store.record(&acme, &at(1), "production", CLI, &web).await.unwrap();
    assert_eq!(first.change, Change::Started);
    let again = store.record(&acme, &at(2), "production", &Source::Action, &web).await.unwrap();
    assert_eq!(again.change, Change::Unchanged);
    assert_eq!(again.deployment, first.deployment);
    let selection =
        EventSelection { kinds: vec![EventKind::DeploymentReplaced], ..EventSelection::default() };
    assert!(store.events(&acme, &selection, &Page::first(9)).await.unwrap().rows.is_empty());
    // The same image by another tag is another record: the tag is what is watched.
    let renamed = image("acme/web:latest", 1);
    let other = store.record(&acme, &at(3), "production", CLI, &renamed).await.unwrap();
    assert!(matches!(other.change, Change::Replaced(_)), "{other:?}");
}

pub(super) async fn platforms_and_applications_run_beside_each_other(store: &Store) {
    let acme = acme(store).await;
    let mut arm = image("acme/web:v1", 2);
    arm.platform = "linux/arm64/v8".parse().unwrap();
    let all =
        [image("acme/web:v1", 1), arm, workload("shop", "acme/web:v2", 3), image("acme/api:v1", 4)];
    for recording in &all {
        store.record(&acme, &at(1), "production", CLI, recording).await.unwrap();
    }
    assert_eq!(
        told(store, &acme, "production", When::Now).await,
        "api v1 04 00:01- cli pending\n\
         web v1 01 00:01- cli pending\n\
         web v1 02 00:01- cli pending\n\
         shop v2 03 00:01- cli pending"
    );
    let selection =
        Selection { repository: Some("docker.io/acme/web".to_owned()), ..Selection::default() };
    let page = Page::first(9);
    let found = store.deployments(&acme, &selection, When::Now, &page).await.unwrap();
    assert_eq!(found.rows.len(), 3);
    let mut odd = image("acme/web:v1", 1);
    odd.platform.os = "a b".to_owned();
    let error = store.record(&acme, &at(1), "production", CLI, &odd).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
}

pub(super) async fn a_runtime_replaces_what_it_reported(store: &Store) {
    let acme = acme(store).await;
    store.record(&acme, &at(1), "production", CLI, &image("acme/web:v1", 1)).await.unwrap();
    let first = [workload("pay", "acme/pay:v1", 2), image("acme/web:v2", 3)];
    store.report(&acme, &at(2), "production", "east", &first).await.unwrap();
    let other = [workload("pay", "acme/pay:v9", 9)];
    store.report(&acme, &at(2), "production", "west", &other).await.unwrap();
    let second = [workload("pay", "acme/pay:v2", 4), workload("mail", "acme/mail:v1", 5)];
    let reported = store.report(&acme, &at(3), "production", "east", &second).await.unwrap();
    assert_eq!(reported.ended.len(), 1);
    assert_eq!(tell(&reported.ended[0]), "web v2 03 00:02-00:03 runtime:east pending");
    let now = "web v1 01 00:01- cli pending\n\
               mail v1 05 00:03- runtime:east pending\n\
               pay v2 04 00:03- runtime:east pending\n\
               pay v9 09 00:02- runtime:west pending";
    assert_eq!(told(store, &acme, "production", When::Now).await, now);
    let again = store.report(&acme, &at(4), "production", "east", &second).await.unwrap();
    assert!(again.running.iter().all(|it| it.change == Change::Unchanged), "{again:?}");
    assert_eq!(told(store, &acme, "production", When::Now).await, now);
    let none = store.report(&acme, &at(5), "production", "east", &[]).await.unwrap();
    assert_eq!(none.ended.len(), 2);
    let source = Source::Runtime("east".to_owned());
    let error = store.record(&acme, &at(6), "production", &source, &second[0]).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
}

pub(super) async fn a_rollout_has_two_images_of_one_application(store: &Store) {
    let acme = acme(store).await;
    let (old, new) = (image("acme/web:v2", 0xaa), image("acme/web:v3", 0x11));
    for (minute, running) in
        [vec![old.clone()], vec![new.clone(), old.clone(), new.clone()], vec![new.clone()]]
            .iter()
            .enumerate()
    {
        let act = at(i64::try_from(minute).unwrap());
        store.report(&acme, &act, "production", "east", running).await.unwrap();
        if minute == 1 {
            assert_eq!(
                told(store, &acme, "production", When::Now).await,
                "web v2 aa 00:00- runtime:east pending\n\
                 web@111111111111 v3 11 00:01- runtime:east pending"
            );
        }
    }
    assert_eq!(
        told(store, &acme, "production", When::Now).await,
        "web v3 11 00:02- runtime:east pending"
    );
}

pub(super) async fn what_is_pending_is_shown_when_it_is_analysed(store: &Store) {
    let acme = acme(store).await;
    let web = image("acme/web:v1", 1);
    store.record(&acme, &at(1), "production", CLI, &web).await.unwrap();
    store.record(&acme, &at(1), "staging", CLI, &web).await.unwrap();
    assert!(store.hear_of_image(&acme, &at(1), &digest(1), &amd64(), None).await.unwrap());
    assert!(!store.hear_of_image(&acme, &at(2), &digest(1), &amd64(), None).await.unwrap());
    let there = store.environments(&acme).await.unwrap();
    assert_eq!((there[0].running, there[0].pending), (1, 1));
    let left: Vec<String> =
        store.unanalysed(&acme).await.unwrap().iter().map(|it| it.digest.to_string()).collect();
    assert_eq!(left, [digest(1).to_string()]);
    let kept = inventory(1, &["pkg:deb/debian/zlib1g@1.2"], &[]);
    store.keep_inventory(&acme, &at(3), &digest(1), &amd64(), None, &kept).await.unwrap();
    assert_eq!(told(store, &acme, "production", When::Now).await, "web v1 01 00:01- cli");
    let there = store.environments(&acme).await.unwrap();
    assert_eq!((there[0].running, there[0].pending), (1, 0));
    assert!(store.unanalysed(&acme).await.unwrap().is_empty());
}

pub(super) async fn a_clock_that_is_set_back_makes_no_false_history(store: &Store) {
    let acme = acme(store).await;
    for (minute, number) in [(10, 1), (5, 2), (7, 3)] {
        let web = image("acme/web:v1", number);
        store.record(&acme, &at(minute), "production", CLI, &web).await.unwrap();
    }
    store.remove(&acme, &at(1), "production", &Selection::default()).await.unwrap();
    store.record(&acme, &at(2), "production", CLI, &image("acme/web:v1", 4)).await.unwrap();
    let page = Page::first(9);
    let ever = store.deployments(&acme, &within("production"), When::Ever, &page).await.unwrap();
    let order: Vec<&str> = ever.rows.iter().map(|it| it.digest.hex().get(..2).unwrap()).collect();
    assert_eq!(order, ["04", "03", "02", "01"]);
    for pair in ever.rows.windows(2) {
        assert_eq!(pair[1].until, Some(pair[0].from), "{pair:?}");
    }
    // Tags alike.
    for (minute, number) in [(10, 1), (5, 2)] {
        store
            .point_tag(&acme, &at(minute), "docker.io/acme/web", "v1", &amd64(), &digest(number))
            .await
            .unwrap();
    }
    let tags = store.tags(&acme, "docker.io/acme/web", Some("v1")).await.unwrap();
    assert_eq!((tags[0].digest.clone(), tags[0].until), (digest(2), None));
    assert_eq!(tags[1].until, Some(tags[0].from));
}

pub(super) async fn removing_ends_what_is_selected(store: &Store) {
    let acme = acme(store).await;
    for (name, number) in [("acme/web:v1", 1), ("acme/api:v1", 2), ("acme/api:v1", 2)] {
        store.record(&acme, &at(1), "production", CLI, &image(name, number)).await.unwrap();
    }
    let api =
        Selection { repository: Some("docker.io/acme/api".to_owned()), ..Selection::default() };
    let ended = store.remove(&acme, &at(2), "production", &api).await.unwrap();
    assert_eq!(ended.len(), 1);
    assert_eq!(told(store, &acme, "production", When::Now).await, "web v1 01 00:01- cli pending");
    assert_eq!(
        told(store, &acme, "production", When::Ever).await.lines().next().unwrap(),
        "api v1 02 00:01-00:02 cli pending"
    );
    let error = store.remove(&acme, &at(3), "production", &api).await.unwrap_err();
    assert_eq!(error.to_string(), "deployment `docker.io/acme/api`: there is none");
    assert_eq!(error.hint().as_deref(), Some("there are: docker.io/acme/web"));
}

pub(super) async fn promotion_copies_what_runs(store: &Store) {
    let acme = acme(store).await;
    for (name, number) in [("acme/web:v2", 2), ("acme/api:v1", 3)] {
        store.record(&acme, &at(1), "staging", CLI, &image(name, number)).await.unwrap();
    }
    for (name, number) in [("acme/web:v1", 1), ("acme/old:v1", 9)] {
        store.record(&acme, &at(1), "production", CLI, &image(name, number)).await.unwrap();
    }
    // Told by a runtime later: that word counts.
    let seen = [image("acme/web:v3", 4)];
    store.report(&acme, &at(2), "staging", "east", &seen).await.unwrap();
    let none = Selection::default();
    let done = store.promote(&acme, &at(3), "staging", "production", CLI, &none).await.unwrap();
    assert_eq!(done.len(), 2);
    assert_eq!(
        told(store, &acme, "production", When::Now).await,
        "api v1 03 00:03- cli pending\n\
         old v1 09 00:01- cli pending\n\
         web v3 04 00:03- cli pending"
    );
    let again = store.promote(&acme, &at(4), "staging", "production", CLI, &none).await.unwrap();
    assert!(again.iter().all(|it| it.change == Change::Unchanged), "{again:?}");
}

pub(super) async fn renaming_keeps_the_history(store: &Store) {
    let acme = acme(store).await;
    store.record(&acme, &at(1), "staging", CLI, &image("acme/web:v1", 1)).await.unwrap();
    let error = store.rename_environment(&acme, &at(2), "staging", "production").await.unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
    store.rename_environment(&acme, &at(2), "staging", " Probe ").await.unwrap();
    assert_eq!(told(store, &acme, "Probe", When::Now).await, "web v1 01 00:01- cli pending");
    assert!(store.stale(&acme, Some("staging")).await.is_err());
    let selection =
        EventSelection { environment: Some("Probe".to_owned()), ..EventSelection::default() };
    let events = store.events(&acme, &selection, &Page::first(9)).await.unwrap().rows;
    let kinds: Vec<(&str, Option<&str>)> =
        events.iter().map(|it| (it.kind.as_str(), it.environment.as_deref())).collect();
    assert_eq!(
        kinds,
        [
            ("environment-renamed", Some("Probe")),
            ("deployment-started", Some("staging")),
            ("environment-created", Some("staging")),
        ]
    );
}

pub(super) async fn deleting_leaves_only_events(store: &Store) {
    let acme = acme(store).await;
    store.record(&acme, &at(1), "staging", CLI, &image("acme/web:v1", 1)).await.unwrap();
    store.delete_environment(&acme, &at(2), "staging").await.unwrap();
    assert_eq!(store.environments(&acme).await.unwrap().len(), 1);
    assert_eq!(super::kit::rows(store, "deployments").await, 0);
    let events = store.events(&acme, &EventSelection::default(), &Page::first(1)).await.unwrap();
    assert_eq!(events.rows[0].kind, EventKind::EnvironmentDeleted);
    assert_eq!(events.rows[0].detail["deployments"], 1);
    assert!(events.next.is_some());
    let of = async |name: &str| {
        let environment = Some(name.to_owned());
        let selection = EventSelection { environment, ..EventSelection::default() };
        store.events(&acme, &selection, &Page::first(9)).await.map(|it| it.rows.len())
    };
    let all = of("staging").await.unwrap();
    assert!(all >= 3, "made, deployed to and deleted: {all}");
    assert_eq!(of("stagin").await.unwrap_err().to_string(), "environment `stagin`: there is none");
    let asked = crate::events::FORMER.replace("$1", "'a'").replace("$2", "'b'");
    let plan = super::kit::plan(store, &asked).await;
    assert!(plan.contains("events_of_deleted"), "not along all events: {plan}");
    store.create_environment(&acme, &at(3), "staging").await.unwrap();
    assert_eq!(of("staging").await.unwrap(), 1, "one of the same name is another one");
    assert_eq!(told(store, &acme, "staging", When::Ever).await, "");
}

pub(super) async fn tags_that_moved_are_stale(store: &Store) {
    let acme = acme(store).await;
    let repository = "docker.io/acme/web";
    let point = async |minute, number| {
        store
            .point_tag(&acme, &at(minute), repository, "v1", &amd64(), &digest(number))
            .await
            .unwrap()
    };
    assert!(point(0, 1).await);
    store.record(&acme, &at(1), "production", CLI, &image("acme/web:v1", 1)).await.unwrap();
    assert!(!point(2, 1).await);
    assert!(store.stale(&acme, None).await.unwrap().is_empty());
    assert!(point(3, 2).await);
    let stale = store.stale(&acme, Some("production")).await.unwrap();
    assert_eq!(stale.len(), 1);
    assert_eq!((&stale[0].leads_to, stale[0].since), (&digest(2), at(3).at));
    for selection in [Selection::default(), within("production")] {
        let running = store.running(&acme, &selection, &Page::first(9)).await.unwrap().rows;
        let marked: Vec<Stale> = running
            .into_iter()
            .filter_map(|it| {
                let Elsewhere { leads_to, since } = it.elsewhere?;
                Some(Stale { deployment: it.deployment, leads_to, since })
            })
            .collect();
        assert_eq!(marked, stale);
    }
    assert!(store.stale(&acme, Some("staging")).await.unwrap().is_empty());
    let tags = async |environment| {
        store.deployed_tags(&acme, environment, &Page::first(9)).await.unwrap().rows
    };
    let deployed = [(repository.to_owned(), "v1".to_owned(), amd64())];
    assert_eq!(tags(None).await, deployed);
    assert_eq!(tags(Some("production")).await, deployed);
    assert_eq!(tags(Some("staging")).await, []);
    store.record(&acme, &at(4), "production", CLI, &image("acme/web:v1", 2)).await.unwrap();
    assert!(store.stale(&acme, None).await.unwrap().is_empty());
    let spans = store.tags(&acme, repository, None).await.unwrap();
    let current: Vec<TagSpan> = spans.iter().filter(|it| it.until.is_none()).cloned().collect();
    assert_eq!(store.current_tags(&acme, repository).await.unwrap(), current);
    assert_eq!(spans.len(), 2);
    assert_eq!((spans[1].from, spans[1].until), (at(0).at, Some(at(3).at)));
}

pub(super) async fn tags_lead_to_an_image_for_each_platform(store: &Store) {
    let acme = acme(store).await;
    let repository = "docker.io/acme/web";
    let arm64 = || Platform::new("linux", "arm64", None);
    let lead = async |minute, images: &[(Platform, u8)]| {
        let images: Vec<_> = images.iter().map(|it| (it.0.clone(), digest(it.1))).collect();
        let led = store.lead_tag(&acme, &at(minute), repository, "v1", &images, &[]).await.unwrap();
        (led.moved, led.ended)
    };
    let told = async || {
        let spans = store.tags(&acme, repository, None).await.unwrap();
        let now: Vec<String> = spans
            .into_iter()
            .filter(|it| it.until.is_none())
            .map(|it| format!("{} {}", it.platform, it.digest.short()))
            .collect();
        now.join(", ")
    };
    let short = |number| digest(number).short().to_owned();
    assert_eq!(lead(0, &[(amd64(), 1), (arm64(), 2)]).await, (2, 0));
    assert_eq!(told().await, format!("linux/amd64 {}, linux/arm64 {}", short(1), short(2)));
    assert_eq!(lead(1, &[(arm64(), 2), (amd64(), 1)]).await, (0, 0), "nothing is new");
    // The next one is for one platform alone.
    assert_eq!(lead(2, &[(amd64(), 3)]).await, (1, 1));
    assert_eq!(told().await, format!("linux/amd64 {}", short(3)));
    assert_eq!(lead(3, &[]).await, (0, 1));
    assert_eq!(lead(4, &[]).await, (0, 0), "it is gone once");
    assert_eq!(told().await, "");
    // It comes back as it was.
    assert_eq!(lead(5, &[(amd64(), 3)]).await, (1, 0));
    // Whoever looked for one platform alone says nothing of others.
    let some = [(arm64(), digest(2))];
    let led = store.lead_tag(&acme, &at(5), repository, "v1", &some, &[arm64()]).await.unwrap();
    assert_eq!((led.moved, led.ended), (1, 0));
    let led = store.lead_tag(&acme, &at(5), repository, "v1", &[], &[amd64()]).await.unwrap();
    assert_eq!((led.moved, led.ended), (0, 1));
    assert_eq!(told().await, format!("linux/arm64 {}", short(2)));
    let all = EventSelection::default();
    let events = store.events(&acme, &all, &Page::first(9)).await.unwrap().rows;
    let kinds = events.iter().rev().map(|it| it.kind.as_str());
    let kinds: Vec<&str> = kinds.filter(|it| it.starts_with("tag-")).collect();
    assert_eq!(kinds, ["tag-moved", "tag-gone", "tag-gone", "tag-gone"]);
    let image = store.image(&acme, &digest(2)).await.unwrap().unwrap();
    assert_eq!((image.state, image.repositories), (ImageState::Pending, vec![repository.into()]));
    let twice = [(amd64(), digest(1)), (amd64(), digest(2))];
    let refused = store.lead_tag(&acme, &at(6), repository, "v1", &twice, &[]).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "tag docker.io/acme/web:v1: it leads to one image for linux/amd64, not to several"
    );
    // Part by part it is the same.
    let other = [(amd64(), digest(3)), (arm64(), digest(3))];
    store.lead_tag(&acme, &at(7), repository, "v0", &other, &[]).await.unwrap();
    let all = store.tags(&acme, repository, None).await.unwrap();
    assert!(all.len() > 6, "{all:?}");
    for (tag, digest) in [(None, None), (Some("v1"), None), (None, Some(digest(3)))] {
        let meant = |it: &&TagSpan| {
            tag.is_none_or(|tag| it.tag == tag) && digest.as_ref().is_none_or(|of| it.digest == *of)
        };
        let expect: Vec<TagSpan> = all.iter().filter(meant).cloned().collect();
        for limit in 1..=4 {
            let (mut page, mut told) = (Page::first(limit), Vec::new());
            loop {
                let which = (repository, tag);
                let part = store.tags_of(&acme, which, digest.as_ref(), &page).await.unwrap();
                told.extend(part.rows);
                page.after = part.next;
                if page.after.is_none() {
                    break;
                }
            }
            assert_eq!(told, expect, "{tag:?} {digest:?} by {limit}");
        }
    }
    // Whatever somebody says it is after, it is.
    for (after, expect) in [("", all.len()), ("v0", all.len()), ("v1\nx\ny", 0), ("v2", 0)] {
        let page = Page { after: Some(after.to_owned()), limit: 99 };
        let part = store.tags_of(&acme, (repository, None), None, &page).await.unwrap();
        assert_eq!(part.rows.len(), expect, "{after}");
    }
}

/// Those who tell of the same platforms in another order wait for each other in one line.
pub(super) async fn tags_are_led_by_many_at_once(store: &Store) {
    let acme = acme(store).await;
    let arm64 = Platform::new("linux", "arm64", None);
    let both = [(amd64(), digest(1)), (arm64.clone(), digest(2))];
    let crossed = [(amd64(), digest(2)), (arm64.clone(), digest(1))];
    let leads =
        [both.to_vec(), vec![(arm64, digest(3))], crossed.to_vec(), vec![(amd64(), digest(4))]];
    let mut all = Vec::new();
    for round in 0..40 {
        let (store, acme) = (store.clone(), acme.clone());
        let images = leads[round % leads.len()].clone();
        let tag = if round % 3 == 0 { "v2" } else { "v1" };
        all.push(tokio::spawn(async move {
            let act = at(i64::try_from(round).unwrap());
            store.lead_tag(&acme, &act, "docker.io/acme/web", tag, &images, &[]).await
        }));
    }
    for one in all {
        one.await.unwrap().unwrap();
    }
}

pub(super) async fn lists_go_on_where_the_page_ended(store: &Store) {
    let acme = acme(store).await;
    for number in 0..7 {
        let web = image(&format!("acme/web{}:v1", number / 2), number);
        let act = at(i64::from(number / 3));
        store.record(&acme, &act, "production", CLI, &web).await.unwrap();
    }
    for when in [When::Now, When::Ever, When::At(at(1).at)] {
        let all = told(store, &acme, "production", when).await;
        let mut page = Page::first(2);
        let mut lines = Vec::new();
        loop {
            let selection = within("production");
            let part = store.deployments(&acme, &selection, when, &page).await.unwrap();
            assert!(part.rows.len() <= 2);
            lines.extend(part.rows.iter().map(tell));
            match part.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        assert_eq!(lines.join("\n"), all, "{when:?}");
    }
    let page = Page { after: Some("nonsense".to_owned()), limit: 1 };
    let error = store.deployments(&acme, &Selection::default(), When::Now, &page).await;
    assert!(matches!(error, Err(Error::Refused { .. })));
}

pub(super) async fn lists_go_on_from_environment_to_environment(store: &Store) {
    let acme = acme(store).await;
    for number in 0..9_u8 {
        let name = format!("place {number}");
        store.create_environment(&acme, &at(0), &name).await.unwrap();
        // Some are empty.
        for application in 0..number % 4 {
            let web = image(&format!("acme/web{application}:v1"), number);
            store.record(&acme, &at(1), &name, CLI, &web).await.unwrap();
        }
    }
    let none = Selection::default();
    for when in [When::Now, When::At(at(5).at)] {
        let all = store.deployments(&acme, &none, when, &Page::first(1000)).await.unwrap();
        assert_eq!((all.rows.len(), all.next), (12, None));
        assert!(all.rows.is_sorted_by_key(|it| (it.environment.clone(), it.application.clone())));
        for limit in 1..13 {
            let mut page = Page::first(limit);
            let mut rows = Vec::new();
            loop {
                let part = store.deployments(&acme, &none, when, &page).await.unwrap();
                assert!(part.rows.len() <= usize::try_from(limit).unwrap());
                rows.extend(part.rows);
                match part.next {
                    Some(next) => page.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(rows, all.rows, "{limit}");
        }
    }
    // One that got another name between two pages is where its new name puts it.
    let first = store.deployments(&acme, &none, When::Now, &Page::first(2)).await.unwrap();
    assert_eq!(first.rows[1].environment, "place 2");
    store.rename_environment(&acme, &at(6), "place 2", "place 20").await.unwrap();
    let page = Page { after: first.next, limit: 2 };
    let second = store.deployments(&acme, &none, When::Now, &page).await.unwrap();
    let names: Vec<_> = second.rows.iter().map(|it| it.environment.as_str()).collect();
    assert_eq!(names, ["place 20", "place 20"]);
}

pub(super) async fn several_are_recorded_or_none(store: &Store) {
    let acme = acme(store).await;
    let mut bad = image("acme/api:v1", 2);
    bad.repository = String::new();
    let all = [image("acme/web:v1", 1), bad];
    assert!(store.record_all(&acme, &at(1), "production", CLI, &all).await.is_err());
    assert_eq!(told(store, &acme, "production", When::Ever).await, "");
    let all = [image("acme/web:v1", 1), image("acme/api:v1", 2)];
    let done = store.record_all(&acme, &at(1), "production", CLI, &all).await.unwrap();
    assert_eq!(done.len(), 2);
    assert_eq!(told(store, &acme, "production", When::Now).await.lines().count(), 2);
}
