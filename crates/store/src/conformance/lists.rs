//! Lists: the same whole and in parts, and no dearer for what is not on the page.

use std::collections::BTreeSet;

use model::{Deployment, Event, EventKind, ImageState, OrganisationId, Recording, Source};

use super::kit::{acme, amd64, at, digest, inventory, within, workload};
use crate::{EventSelection, ImageSelection, Page, Paged, RunsAs, Selection, Store, When};

const CLI: &Source = &Source::Cli;

/// All pages of a list, of so many rows each.
async fn paged<T>(limit: u32, ask: impl AsyncFn(Page) -> Paged<T>) -> Vec<T> {
    let mut page = Page::first(limit);
    let mut all = Vec::new();
    loop {
        let part = ask(page.clone()).await;
        assert!(part.rows.len() <= limit as usize);
        all.extend(part.rows);
        match part.next {
            Some(next) => page.after = Some(next),
            None => return all,
        }
    }
}

/// Services that run in several environments, with history, some by a runtime, some of images that
/// are analysed; a tag of each leads elsewhere by now.
async fn filled(store: &Store, services: u8) -> OrganisationId {
    let acme = acme(store).await;
    store.create_environment(&acme, &at(0), "test").await.unwrap();
    for (minute, number) in [(1, 1), (2, 2)] {
        for (environment, shift) in [("production", 0), ("staging", 1), ("test", 2)] {
            let recordings: Vec<Recording> = (0..services)
                .filter(|it| it % 3 != shift || minute == 1)
                .map(|it| {
                    let name = format!("acme/service-{}:v1", it % 4);
                    workload(&format!("app {it}"), &name, number + it % 2)
                })
                .collect();
            let act = at(minute);
            store.record_all(&acme, &act, environment, CLI, &recordings).await.unwrap();
            store.report(&acme, &act, environment, "east", &recordings).await.unwrap();
        }
    }
    for number in [1, 3, 2] {
        for service in 0..4 {
            let repository = format!("docker.io/acme/service-{service}");
            let kept = inventory(number, &["pkg:deb/debian/zlib1g@1"], &[]);
            let repository = repository.as_str();
            store
                .keep_inventory(&acme, &at(3), &digest(number), &amd64(), Some(repository), &kept)
                .await
                .unwrap();
            store
                .point_tag(&acme, &at(4), repository, "v1", &amd64(), &digest(number))
                .await
                .unwrap();
        }
    }
    acme
}

/// Is it what is selected?
fn fits(it: &Deployment, selection: &Selection) -> bool {
    selection.environment.as_ref().is_none_or(|wanted| it.environment == *wanted)
        && selection.application.as_ref().is_none_or(|wanted| it.application == *wanted)
        && selection.repository.as_ref().is_none_or(|wanted| it.repository == *wanted)
        && selection.digest.as_ref().is_none_or(|wanted| it.digest == *wanted)
}

pub(super) async fn are_the_same_whole_and_in_parts(store: &Store) {
    let acme = filled(store, 12).await;
    let everything = Selection::default();
    let of = |name: &str| Selection {
        repository: Some(format!("docker.io/acme/{name}")),
        ..Selection::default()
    };
    let selections = [
        everything.clone(),
        within("staging"),
        of("service-1"),
        of("nothing"),
        Selection { environment: Some("test".to_owned()), ..of("service-2") },
        Selection { digest: Some(digest(2)), ..Selection::default() },
        Selection { digest: Some(digest(2)), ..within("staging") },
        Selection { application: Some("app 3".to_owned()), ..Selection::default() },
    ];
    for (when, rows) in [(When::Now, 60), (When::At(at(1).at), 72), (When::Ever, 120)] {
        let ask = async |page| store.deployments(&acme, &everything, when, &page).await.unwrap();
        let all = paged(1000, ask).await;
        assert_eq!(all.len(), rows, "{when:?}");
        for selection in &selections {
            let ask = async |page| store.deployments(&acme, selection, when, &page).await.unwrap();
            let fit: Vec<Deployment> =
                all.iter().filter(|it| fits(it, selection)).cloned().collect();
            for limit in [1, 5, 24, 1000] {
                assert_eq!(paged(limit, ask).await, fit, "{selection:?} {when:?} by {limit}");
            }
        }
    }
    for selection in &selections {
        let ask = async |page| store.running(&acme, selection, &page).await.unwrap();
        let stale = store.stale(&acme, selection.environment.as_deref()).await.unwrap();
        for it in paged(7, ask).await {
            let known = stale.iter().find(|stale| stale.deployment.id == it.deployment.id);
            let known = known.map(|it| (it.leads_to.clone(), it.since));
            assert_eq!(it.elsewhere.map(|it| (it.leads_to, it.since)), known);
        }
    }
    for selection in &selections {
        let there = Selection { environment: Some("staging".to_owned()), ..selection.clone() };
        let ask = async |page| store.deployments(&acme, &there, When::Now, &page).await.unwrap();
        let names = |it: Deployment| RunsAs {
            deployment: it.id,
            application: it.application,
            platform: it.platform,
            repository: it.repository,
            from: it.from,
        };
        let all: Vec<RunsAs> = paged(1000, ask).await.into_iter().map(names).collect();
        assert_eq!(store.runs_as(&acme, "staging", selection).await.unwrap(), all);
    }
    let ask = async |page| store.deployments(&acme, &everything, When::Ever, &page).await.unwrap();
    let mut ever = paged(1000, ask).await;
    ever.sort_by(|left, right| left.id.cmp(&right.id));
    let ids: Vec<String> = ever.iter().map(|it| it.id.clone()).collect();
    let mut known = store.deployments_by_id(&acme, &ids).await.unwrap();
    known.sort_by(|left, right| left.id.cmp(&right.id));
    assert_eq!(known, ever);
    let running = ever.iter().filter(|it| it.until.is_none());
    let repositories: BTreeSet<String> = running.map(|it| it.repository.clone()).collect();
    assert_eq!(store.running_repositories(&acme, &ids).await.unwrap(), repositories);
    let nobody = OrganisationId("nobody".to_owned());
    assert_eq!(store.running_repositories(&nobody, &ids).await.unwrap(), BTreeSet::new());
    assert_eq!(store.deployments_by_id(&nobody, &ids).await.unwrap(), []);
    let all = store.environments(&acme).await.unwrap();
    assert_eq!(all.iter().map(|it| it.running).collect::<Vec<_>>(), [20, 20, 20]);
    let ask = async |page| store.counted_environments(&acme, &page).await.unwrap();
    let parts = paged(2, ask).await;
    assert_eq!(parts.iter().map(|(it, _)| it.clone()).collect::<Vec<_>>(), all);
    for it in &all {
        let (one, counted) = store.counted_environment(&acme, &it.name).await.unwrap();
        assert_eq!((&one, counted), (it, None));
    }
    let error = store.counted_environment(&acme, "prod").await.unwrap_err();
    assert_eq!(error.to_string(), "environment `prod`: there is none");
    assert_eq!(error.hint().unwrap(), "there are: production, staging, test");
}

pub(super) async fn tell_what_waits_for_its_analysis(store: &Store) {
    let acme = acme(store).await;
    let pending = async || {
        let all = store.environments(&acme).await.unwrap();
        let page = Page::first(9);
        let listed = store.running(&acme, &Selection::default(), &page).await.unwrap().rows;
        let listed = listed.iter().filter(|it| it.deployment.pending).count();
        assert_eq!(all.iter().map(|it| it.pending).sum::<u64>(), listed as u64);
        listed
    };
    for (app, number) in [("one", 1), ("two", 2), ("three", 1)] {
        let recording = workload(app, "acme/web:v1", number);
        store.record(&acme, &at(1), "production", CLI, &recording).await.unwrap();
    }
    assert_eq!(pending().await, 3);
    let kept = inventory(1, &["pkg:deb/debian/zlib1g@1"], &[]);
    store.keep_inventory(&acme, &at(2), &digest(1), &amd64(), None, &kept).await.unwrap();
    assert_eq!(pending().await, 1);
    // Recorded when it is known already.
    store.record(&acme, &at(3), "staging", CLI, &workload("one", "acme/web:v1", 1)).await.unwrap();
    assert_eq!(pending().await, 1);
    store.image_failed(&acme, &at(4), &digest(2), "it is gone").await.unwrap();
    assert_eq!(pending().await, 1);
    // An image goes when nothing of it runs, and is known no more where it comes again.
    for name in ["production", "staging"] {
        let selection = Selection { digest: Some(digest(1)), ..Selection::default() };
        store.remove(&acme, &at(5), name, &selection).await.unwrap();
    }
    store.delete_image(&acme, &at(6), &digest(1)).await.unwrap();
    let ever = store.deployments(&acme, &within("staging"), When::Ever, &Page::first(9)).await;
    assert!(ever.unwrap().rows[0].pending);
    store.record(&acme, &at(7), "staging", CLI, &workload("one", "acme/web:v1", 1)).await.unwrap();
    assert_eq!(pending().await, 2);
}

pub(super) async fn stamps_tell_that_something_was_written(store: &Store) {
    let acme = acme(store).await;
    let stamp = async || store.stamp().await.unwrap().expect("it is no database in memory");
    let first = stamp().await;
    store.environments(&acme).await.unwrap();
    if store.db.is_file() {
        // PostgreSQL tells what others write on the same server, too.
        assert_eq!(stamp().await, first);
    }
    let mut seen = vec![first];
    for minute in 1..4 {
        let recording = workload("web", "acme/web:v1", u8::try_from(minute).unwrap());
        store.record(&acme, &at(minute), "staging", CLI, &recording).await.unwrap();
        seen.push(stamp().await);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4);
}

pub(super) async fn tell_what_happened_of_some_kinds(store: &Store) {
    let acme = filled(store, 6).await;
    let everything = EventSelection::default();
    let ask = async |page| store.events(&acme, &everything, &page).await.unwrap();
    let all: Vec<Event> = paged(1000, ask).await;
    let mut rows = 0;
    for kinds in [
        vec![EventKind::DeploymentReplaced],
        vec![EventKind::EnvironmentCreated, EventKind::DeploymentStarted],
        vec![EventKind::ImageAnalysed, EventKind::ImageAnalysed, EventKind::PolicyFlipped],
    ] {
        for (since, before) in [(None, None), (Some(1), None), (None, Some(2)), (Some(1), Some(2))]
        {
            let (since, before) = (since.map(|it| at(it).at), before.map(|it| at(it).at));
            let selection =
                EventSelection { kinds: kinds.clone(), since, before, ..EventSelection::default() };
            let fits = |it: &&Event| {
                kinds.contains(&it.kind)
                    && since.is_none_or(|since| it.act.at >= since)
                    && before.is_none_or(|before| it.act.at < before)
            };
            let fit: Vec<&str> = all.iter().filter(fits).map(|it| it.id.as_str()).collect();
            rows += fit.len();
            let ask = async |page| store.events(&acme, &selection, &page).await.unwrap();
            for limit in [1, 5, 1000] {
                let told = paged(limit, ask).await;
                let told: Vec<&str> = told.iter().map(|it| it.id.as_str()).collect();
                assert_eq!(told, fit, "{selection:?} by {limit}");
            }
        }
    }
    assert!(rows > 50, "{rows}");
}

/// On SQLite, where steps can be counted.
#[tokio::test]
async fn are_no_dearer_for_what_is_not_on_the_page() {
    let mut costs = Vec::new();
    for services in [24, 240] {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite://{}", folder.path().join("store.db").display());
        let store = Store::open(&address).await.unwrap();
        let acme = filled(&store, services).await;
        costs.push(cost(&store, &acme).await);
        store.close().await;
    }
    for ((list, small), (_, large)) in costs[0].iter().zip(&costs[1]) {
        assert!(*large <= small * 3 / 2, "{list}: {small} steps, and then {large}");
    }
}

/// One image that nobody has read, in fifteen places of an environment, by as many tags.
async fn unread(store: &Store, acme: &OrganisationId) {
    let recordings: Vec<Recording> = (0..30)
        .map(|it| workload(&format!("apart {it}"), &format!("acme/apart:v{it}"), 9))
        .collect();
    store.record_all(acme, &at(5), "production", CLI, &recordings[..15]).await.unwrap();
    store.record_all(acme, &at(5), "staging", CLI, &recordings[15..]).await.unwrap();
}

/// The steps that each list takes for a page of ten in its midst.
async fn cost(store: &Store, acme: &OrganisationId) -> Vec<(String, u64)> {
    unread(store, acme).await;
    let mut costs = Vec::new();
    let repository = Selection {
        repository: Some("docker.io/acme/service-1".to_owned()),
        ..Selection::default()
    };
    let image = Selection { digest: Some(digest(9)), ..Selection::default() };
    let there = Selection { digest: Some(digest(9)), ..within("staging") };
    for (list, selection) in [
        ("all", Selection::default()),
        ("one", within("staging")),
        ("repository", repository),
        ("image", image),
        ("image there", there),
    ] {
        for when in [When::Now, When::At(at(6).at), When::Ever] {
            if list == "repository" && matches!(when, When::At(_)) {
                // All that ever ran of the repository is looked through, and here it is a quarter.
                continue;
            }
            let first = store.deployments(acme, &selection, when, &Page::first(10)).await.unwrap();
            let page = Page { after: first.next, limit: 10 };
            let begin = store.db.steps();
            let rows = store.deployments(acme, &selection, when, &page).await.unwrap().rows.len();
            assert!(rows > 3, "{list}");
            costs.push((format!("{list} {when:?}"), store.db.steps() - begin));
        }
    }
    let mut count = |list: &str, begin: u64| {
        costs.push((list.to_owned(), store.db.steps() - begin));
    };
    let begin = store.db.steps();
    store.counted_environments(acme, &Page::first(10)).await.unwrap();
    count("environments", begin);
    let selection = EventSelection::default();
    let first = store.events(acme, &selection, &Page::first(10)).await.unwrap();
    let page = Page { after: first.next, limit: 10 };
    let begin = store.db.steps();
    store.events(acme, &selection, &page).await.unwrap();
    count("events", begin);
    // There are many of one kind, and none of the other.
    let kinds = vec![EventKind::DeploymentStarted, EventKind::PolicyFlipped];
    let selection = EventSelection { kinds, since: Some(at(0).at), ..EventSelection::default() };
    let begin = store.db.steps();
    store.events(acme, &selection, &Page::first(10)).await.unwrap();
    count("events of kinds", begin);
    let begin = store.db.steps();
    store.images(acme, &ImageSelection::default(), &Page::first(10)).await.unwrap();
    count("images", begin);
    let failed = Some(ImageState::Failed { why: String::new() });
    let selection = ImageSelection { state: failed, ..ImageSelection::default() };
    let begin = store.db.steps();
    store.images(acme, &selection, &Page::first(10)).await.unwrap();
    count("images that could not be read", begin);
    let begin = store.db.steps();
    assert_eq!(store.unanalysed(acme).await.unwrap().len(), 1);
    count("what is not read", begin);
    let first = store.running_images_after(Some(acme), "", 10).await.unwrap();
    let ids: Vec<String> = first.iter().map(|it| it.deployment.clone()).collect();
    let begin = store.db.steps();
    store.running_images_after(Some(acme), &ids[9], 10).await.unwrap();
    count("what runs", begin);
    let begin = store.db.steps();
    assert_eq!(store.still_running(acme, &ids).await.unwrap().len(), 10);
    count("what still runs", begin);
    for environment in [None, Some("staging")] {
        let first = store.deployed_tags(acme, environment, &Page::first(4)).await.unwrap();
        let page = Page { after: first.next, limit: 4 };
        let begin = store.db.steps();
        assert_eq!(store.deployed_tags(acme, environment, &page).await.unwrap().rows.len(), 4);
        count(&format!("tags {environment:?}"), begin);
    }
    costs
}
