//! What was seen of registries that integrations watch.

use super::inbox::{deal, hear, notice};
use super::integrations::{one, owned, put, put_with};
use super::kit::{at, digest, rows};
use crate::{DueLook, Error, IntegrationRecord, Store};

pub(super) async fn remember_what_was_seen(store: &Store) {
    let (store, acme, record) = one(store).await;
    let it = &record;
    assert!(!store.watch_has_begun(it).await.unwrap());
    let awaited =
        async |repository: &str| store.is_awaited(it, "h.example", repository).await.unwrap();
    store.watch_begins(it, &[("h.example", "app"), ("h.example", "web")]).await.unwrap();
    store.awaited_no_more(it, "h.example", "app").await.unwrap();
    store.awaited_no_more(it, "h.example", "late").await.unwrap();
    // Until the first look is over, whatever turns up was there before.
    assert!(!awaited("app").await && !awaited("late").await);
    assert!(awaited("new").await && awaited("web").await);
    store.watch_begins(it, &[("h.example", "app"), ("h.example", "web")]).await.unwrap();
    assert!(!awaited("app").await && awaited("web").await);
    store.watch_begun(it, at(2).at).await.unwrap();
    assert!(store.watch_has_begun(it).await.unwrap());
    assert!(!awaited("app").await && !awaited("late").await && !awaited("new").await);
    assert!(awaited("web").await);
    assert_eq!(rows(&store, "awaited_repositories").await, 1);
    for (repository, tag, number) in
        [("app", "1", 1), ("app", "2", 2), ("app", "1", 3), ("web", "1", 1)]
    {
        store.watched(it, "h.example", repository, tag, &digest(number)).await.unwrap();
    }
    store.unwatched(it, "h.example", "app", "2").await.unwrap();
    let tags = store.watched_tags(it, "h.example", "app").await.unwrap();
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("1".to_owned(), digest(3))]);
    assert!(store.watched_tags(it, "other.example", "app").await.unwrap().is_empty());
    let repositories = store.watched_repositories(it).await.unwrap();
    assert_eq!(repositories, owned(&[("h.example", "app"), ("h.example", "web")]));
    store.watched_image(it, &digest(1)).await.unwrap();
    store.watched_image(it, &digest(1)).await.unwrap();
    assert!(store.is_watched_image(it, &digest(1)).await.unwrap());
    assert!(!store.is_watched_image(it, &digest(2)).await.unwrap());
    // It is looked at when that is due, and at once when somebody says something new.
    assert_eq!(
        store.due_looks(at(1).at).await.unwrap(),
        [DueLook { id: record.id.clone(), organisation: acme.clone(), kind: record.kind.clone() }]
    );
    store.look_again(it, at(1).at, at(9).at).await.unwrap();
    assert!(store.due_looks(at(8).at).await.unwrap().is_empty());
    assert_eq!(store.look_due(it, at(8).at).await.unwrap(), None);
    assert_eq!(store.look_due(it, at(9).at).await.unwrap(), Some(at(9).at));
    // What waits is looked into, also where whoever was to do so died.
    hear(&store, &record, 2, &[notice("a", true)]).await;
    assert_eq!(store.due_looks(at(1).at).await.unwrap(), []);
    assert_eq!(
        store.due_looks(at(2).at).await.unwrap(),
        [DueLook { id: record.id.clone(), organisation: acme.clone(), kind: record.kind.clone() }]
    );
    assert_eq!(store.look_due(it, at(2).at).await.unwrap(), None);
    deal(&store, &record, 3).await;
    assert_eq!(store.due_looks(at(3).at).await.unwrap(), []);
    // Other secrets change nothing of that.
    let (it, _) = put(&store, &acme, 3, "h.example", &[("password", "x")]).await.unwrap();
    assert_eq!(store.watched_tags(&it, "h.example", "app").await.unwrap().len(), 1);
    assert!(store.watch_has_begun(&it).await.unwrap());
    assert_eq!(store.look_due(&it, at(3).at).await.unwrap(), Some(at(3).at));
    store.look_again(&it, at(2).at, at(9).at).await.unwrap();
    assert!(store.look_due(&it, at(3).at).await.unwrap().is_some(), "it was said after that began");
    store.look_again(&record, at(3).at, at(9).at).await.unwrap();
    assert!(store.look_due(&it, at(3).at).await.unwrap().is_some(), "nor does a former one count");
    // Where something else of it is watched, nobody knows what was there before.
    store.awaited_no_more(&it, "h.example", "web").await.unwrap();
    let wider = [("registry", "h.example")];
    let (it, _) = put_with(&store, &acme, 4, &wider, &[]).await.unwrap();
    assert_eq!(store.watched_tags(&it, "h.example", "app").await.unwrap().len(), 1);
    assert!(!store.watch_has_begun(&it).await.unwrap());
    assert!(store.is_awaited(&it, "h.example", "web").await.unwrap());
    assert_eq!(rows(&store, "awaited_repositories").await, 0);
    // Another registry changes all of it.
    let (it, _) = put(&store, &acme, 5, "other.example", &[]).await.unwrap();
    assert_eq!((rows(&store, "watched_tags").await, rows(&store, "watched_images").await), (0, 0));
    assert!(!store.watch_has_begun(&it).await.unwrap());
    assert!(store.watched_repositories(&it).await.unwrap().is_empty());
}

/// Everything that somebody may write who looks at a registry; none of it is.
async fn writes_nothing(store: &Store, former: &IntegrationRecord) {
    for late in [
        store.watch_begins(former, &[("h.example", "app")]).await,
        store.watch_begun(former, at(9).at).await,
        store.awaited_no_more(former, "h.example", "app").await,
        store.watched(former, "h.example", "app", "1", &digest(1)).await,
        store.unwatched(former, "h.example", "app", "1").await,
        store.watched_image(former, &digest(1)).await,
    ] {
        assert!(matches!(late, Err(Error::Gone(_)) | Ok(())), "{late:?}");
    }
    for table in ["watched_tags", "watched_images", "awaited_repositories"] {
        assert_eq!(rows(store, table).await, 0, "{table}");
    }
}

/// What somebody finds out who looks with former settings says nothing of the present ones.
pub(super) async fn know_nothing_of_former_looks(store: &Store) {
    let (store, acme, former) = one(store).await;
    let (now, _) = put(&store, &acme, 2, "other.example", &[]).await.unwrap();
    writes_nothing(&store, &former).await;
    assert!(!store.watch_has_begun(&now).await.unwrap());
    store.delete_integration(&acme, &at(5), "harbor", "ours").await.unwrap();
    writes_nothing(&store, &now).await;
}

/// Of a repository that is deleted nothing is left, not even its name.
pub(super) async fn forget_a_repository(store: &Store) {
    let (store, acme, record) = one(store).await;
    let deleted =
        crate::NewNotice { repository: Some("h.example/team/app".to_owned()), ..notice("a", true) };
    hear(&store, &record, 1, &[deleted, notice("b", true)]).await;
    store.watch_begins(&record, &[("h.example", "team/app"), ("h.example", "web")]).await.unwrap();
    for repository in ["team/app", "web"] {
        store.watched(&record, "h.example", repository, "1", &digest(1)).await.unwrap();
    }
    store.enable_repository(&acme, &at(1), "h.example/team/app", true).await.unwrap();
    store.delete_repository(&acme, &at(2), "h.example/team/app", false).await.unwrap();
    let seen = store.watched_repositories(&record).await.unwrap();
    assert_eq!(seen, owned(&[("h.example", "web")]));
    assert_eq!((rows(&store, "notices").await, rows(&store, "awaited_repositories").await), (1, 1));
    let counts = store.count_notices(&acme).await.unwrap();
    assert_eq!(counts[&record.id].waiting, 1);
}
