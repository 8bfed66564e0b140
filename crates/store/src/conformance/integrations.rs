//! Integrations: what is kept of them, and whether they work.

use model::{OrganisationId, Secret};

use super::inbox::{hear, notice};
use super::kit::{acme, at, digest, rows};
use crate::integrations::PARTS;
use crate::{
    Error, EventSelection, IntegrationRecord, IntegrationState, Keyring, NewIntegration, Page,
    Refused, Store,
};

pub(super) fn sealed(store: &Store) -> Store {
    store.clone().with_keys(Keyring::new(&[1; 32], &[]))
}

pub(super) fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// By these it is reached.
const ADDRESS: [&str; 2] = ["registry", "api"];

/// One that watches `registry`, with these secrets; an empty one is let go of.
pub(super) async fn put(
    store: &Store,
    whose: &OrganisationId,
    minute: i64,
    registry: &str,
    secrets: &[(&str, &str)],
) -> Result<(IntegrationRecord, bool), Error> {
    put_with(store, whose, minute, &[("registry", registry), ("include", "a*")], secrets).await
}

/// The same, with these settings.
pub(super) async fn put_with(
    store: &Store,
    whose: &OrganisationId,
    minute: i64,
    settings: &[(&str, &str)],
    secrets: &[(&str, &str)],
) -> Result<(IntegrationRecord, bool), Error> {
    let (unset, secrets): (Vec<_>, Vec<_>) =
        owned(secrets).into_iter().partition(|(_, secret)| secret.is_empty());
    let unset: Vec<String> = unset.into_iter().map(|it| it.0).collect();
    let secrets: Vec<(String, Secret)> =
        secrets.into_iter().map(|(key, secret)| (key, Secret::new(secret))).collect();
    let new = NewIntegration {
        kind: "harbor",
        name: "ours",
        settings: &owned(settings),
        secrets: &secrets,
        unset: &unset,
        address: &ADDRESS,
        scope: &["include"],
        proof: Some("webhook-auth"),
        hook: (&[7; 32], &Secret::new("in the path")),
    };
    store.put_integration(whose, &at(minute), &new).await
}

pub(super) async fn one(store: &Store) -> (Store, OrganisationId, IntegrationRecord) {
    let store = sealed(store);
    let acme = acme(&store).await;
    let (record, new) = put(&store, &acme, 1, "h.example", &[]).await.unwrap();
    assert!(new);
    (store, acme, record)
}

pub(super) async fn told(store: &Store, whose: &OrganisationId) -> Vec<String> {
    let page = Page::first(100);
    let events = store.events(whose, &EventSelection::default(), &page).await.unwrap().rows;
    let ours = events.iter().rev().filter(|it| it.kind.as_str().starts_with("integration-"));
    ours.map(|it| format!("{} {} {}", it.kind.as_str(), it.about, it.detail)).collect()
}

pub(super) async fn are_kept_and_replaced(store: &Store) {
    let (store, acme, first) = one(store).await;
    assert_eq!(first.settings, owned(&[("registry", "h.example"), ("include", "a*")]));
    assert_eq!((&first.state, first.created), (&IntegrationState::Pending, at(1).at));
    let (second, new) = put(&store, &acme, 2, "other.example", &[]).await.unwrap();
    assert!(!new);
    assert_eq!((&second.id, second.created), (&first.id, first.created));
    assert_eq!(second.settings.first().unwrap().1, "other.example");
    assert_eq!(store.integrations(&acme).await.unwrap(), std::slice::from_ref(&second));
    assert_eq!((first.revision, second.revision), (0, 1));
    let found = store.integration(&acme, "harbor", " ours ").await.unwrap();
    assert_eq!(found.as_ref(), Some(&second));
    assert_eq!(store.integration(&acme, "nexus", "ours").await.unwrap(), None);
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert!(store.integrations(&other).await.unwrap().is_empty());
    assert_eq!(store.integration(&other, "harbor", "ours").await.unwrap(), None);
    let events = told(&store, &acme).await;
    assert_eq!(events.len(), 2);
    assert!(events[0].starts_with("integration-configured harbor ours {"), "{events:?}");
}

/// Minutes in one.
const WEEK: i64 = 7 * 24 * 60;

/// The secrets of an integration, those before, and the path.
async fn shown(store: &Store, record: &IntegrationRecord, minute: i64) -> String {
    let record = store.integration_by_id(&record.id).await.unwrap().unwrap();
    let it = store.integration_secrets(&record, at(minute).at).await.unwrap();
    let all = |secrets: Vec<(String, Secret)>| {
        let words: Vec<String> =
            secrets.iter().map(|(key, it)| format!("{key}={}", it.expose())).collect();
        words.join(" ")
    };
    let hook = it.hook.map(|it| it.expose().to_owned()).unwrap_or_default();
    format!("{} | {} | {hook}", all(it.new), all(it.old))
}

pub(super) async fn show_no_secret_elsewhere(store: &Store) {
    let (store, acme, record) = one(store).await;
    let secrets = [("password", "p1"), ("webhook-auth", "w1")];
    put(&store, &acme, 2, "h.example", &secrets).await.unwrap();
    put(&store, &acme, 3, "h.example", &[("webhook-auth", "w2")]).await.unwrap();
    put(&store, &acme, 4, "other.example", &[("webhook-auth", "w3")]).await.unwrap();
    assert_eq!(shown(&store, &record, 4).await, "webhook-auth=w3 |  | in the path");
    assert_eq!(rows(&store, "secrets").await, 2, "what is let go of is gone");
    let before = store.integration_secrets(&record, at(4).at).await;
    assert!(matches!(before, Err(Error::Gone(_))), "they are for another address than that one's");
}

pub(super) async fn have_another_path(store: &Store) {
    let (store, acme, record) = one(store).await;
    let other = Secret::new("another path");
    store.replace_hook(&record, &at(2), (&[8; 32], &other)).await.unwrap();
    assert_eq!(store.integration_by_hook(&[7; 32]).await.unwrap(), None);
    assert_eq!(store.integration_by_hook(&[8; 32]).await.unwrap(), Some(record.clone()));
    assert_eq!(shown(&store, &record, 2).await, " |  | another path");
    let last = told(&store, &acme).await.pop().unwrap();
    assert_eq!(last, r#"integration-configured harbor ours {"new":false,"path":"new"}"#);
    store.delete_integration(&acme, &at(3), "harbor", "ours").await.unwrap();
    let gone = store.replace_hook(&record, &at(4), (&[9; 32], &other)).await;
    assert!(matches!(gone, Err(Error::Gone("integration"))));
    assert_eq!(rows(&store, "secrets").await, 0);
}

pub(super) async fn have_secrets_that_are_sealed(store: &Store) {
    let keyless = store.clone();
    let (store, acme, record) = one(store).await;
    let shown = async |record: &IntegrationRecord, minute| shown(&store, record, minute).await;
    assert_eq!(shown(&record, 1).await, " |  | in the path");
    let secrets = [("password", "p1"), ("webhook-auth", "w1")];
    put(&store, &acme, 2, "h.example", &secrets).await.unwrap();
    assert_eq!(shown(&record, 2).await, "password=p1 webhook-auth=w1 |  | in the path");
    // What others prove themselves with holds until there is another; whoever names none changes none.
    let secrets = [("password", "p2"), ("webhook-auth", "w2")];
    put(&store, &acme, 3, "h.example", &secrets).await.unwrap();
    put(&store, &acme, 4, "h.example", &[("webhook-auth", "w2")]).await.unwrap();
    let both = "password=p2 webhook-auth=w2 | webhook-auth=w1 | in the path";
    assert_eq!(shown(&record, 4).await, both);
    // Nobody needs it after a week.
    assert_eq!(shown(&record, 2 + WEEK).await, both);
    assert_eq!(store.forget_former_secrets(at(2 + WEEK).at).await.unwrap(), 0);
    let alone = "password=p2 webhook-auth=w2 |  | in the path";
    assert_eq!(shown(&record, 3 + WEEK).await, alone);
    put(&store, &acme, 5, "h.example", &[("webhook-auth", "w3")]).await.unwrap();
    assert!(shown(&record, 5).await.contains("| webhook-auth=w2 |"));
    assert_eq!(store.forget_former_secrets(at(5 + WEEK).at).await.unwrap(), 1);
    assert_eq!(shown(&record, 5).await, "password=p2 webhook-auth=w3 |  | in the path");
    put(&store, &acme, 6, "h.example", &[("webhook-auth", "w4"), ("password", "")]).await.unwrap();
    assert_eq!(shown(&record, 6).await, "webhook-auth=w4 | webhook-auth=w3 | in the path");
    let named = store.told_secrets(&acme).await.unwrap();
    assert_eq!(named, [(record.id.clone(), vec!["webhook-auth".to_owned()])].into());
    put(&store, &acme, 7, "h.example", &[("webhook-auth", "")]).await.unwrap();
    assert_eq!(shown(&record, 7).await, " |  | in the path");
    assert!(told(&store, &acme).await.iter().all(|it| !it.contains("w1") && !it.contains("p1")));
    // Whoever has no key neither makes one nor opens one.
    let there = store.integration_by_id(&record.id).await.unwrap().unwrap();
    let closed = keyless.integration_secrets(&there, at(6).at).await.unwrap_err();
    assert!(matches!(closed, Error::Refused { .. }), "{closed}");
    let refused = put(&keyless, &acme, 8, "x.example", &[("password", "p2")]).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused}");
    let there = store.integration(&acme, "harbor", "ours").await.unwrap().unwrap();
    assert_eq!(there.settings.first().unwrap().1, "h.example", "all of it or nothing");
}

pub(super) async fn are_found_by_their_hook(store: &Store) {
    let (store, acme, record) = one(store).await;
    assert_eq!(store.integration_by_hook(&[7; 32]).await.unwrap(), Some(record.clone()));
    assert_eq!(store.integration_by_hook(&[8; 32]).await.unwrap(), None);
    assert_eq!(store.integration_by_id(&record.id).await.unwrap(), Some(record));
    store.delete_organisation(&acme).await.unwrap();
    assert_eq!(store.integration_by_hook(&[7; 32]).await.unwrap(), None);
}

pub(super) async fn tell_whether_they_work(store: &Store) {
    let (store, acme, record) = one(store).await;
    let failed = |why: &str| IntegrationState::Failed { why: why.to_owned() };
    let connected = |but: Option<&str>| IntegrationState::Connected { but: but.map(str::to_owned) };
    let says = async |minute, state: &IntegrationState| {
        let news = store.integration_is(&record, &at(minute), state).await.unwrap();
        let now = store.integration_by_id(&record.id).await.unwrap().unwrap();
        assert_eq!(now.state, *state);
        (news, now.state_since)
    };
    assert_eq!(says(2, &connected(None)).await, (true, at(2).at));
    assert_eq!(says(3, &connected(None)).await, (false, at(2).at));
    // What it is short of is seen, and is no news.
    assert_eq!(says(3, &connected(Some("one is closed"))).await, (false, at(2).at));
    assert_eq!(says(3, &connected(None)).await, (false, at(2).at));
    assert_eq!(says(4, &failed("it is away")).await, (true, at(4).at));
    assert_eq!(says(5, &failed("it is away")).await, (false, at(4).at));
    assert_eq!(says(6, &failed("it says no")).await, (true, at(6).at));
    // How long it is to be left alone differs each time, and is no news.
    assert_eq!(says(7, &failed("wait 3417 s")).await, (true, at(7).at));
    assert_eq!(says(8, &failed("wait 3117 s")).await, (false, at(7).at));
    let events = told(&store, &acme).await;
    assert_eq!(
        events[1..],
        [
            r#"integration-changed harbor ours {"state":"connected","why":null}"#,
            r#"integration-changed harbor ours {"state":"failed","why":"it is away"}"#,
            r#"integration-changed harbor ours {"state":"failed","why":"it says no"}"#,
            r#"integration-changed harbor ours {"state":"failed","why":"wait 3417 s"}"#,
        ]
    );
    // What was found out with former settings says nothing of the present ones.
    let (now, _) = put(&store, &acme, 7, "h.example", &[]).await.unwrap();
    assert!(!store.integration_is(&record, &at(8), &connected(None)).await.unwrap());
    let there = store.integration_by_id(&record.id).await.unwrap().unwrap();
    assert_eq!(there.state, IntegrationState::Pending);
    assert!(store.integration_is(&now, &at(8), &connected(Some("one is closed"))).await.unwrap());
    assert!(!store.integration_is(&record, &at(9), &connected(None)).await.unwrap());
    let there = store.integration_by_id(&record.id).await.unwrap().unwrap();
    assert_eq!(there.state, connected(Some("one is closed")));
}

pub(super) async fn are_gone_with_all_they_told(store: &Store) {
    let (store, acme, _) = one(store).await;
    let (record, _) = put(&store, &acme, 2, "h.example", &[("password", "x")]).await.unwrap();
    hear(&store, &record, 1, &[notice("a", true)]).await;
    store.watched(&record, "h.example", "app", "1", &digest(1)).await.unwrap();
    store.watched_image(&record, &digest(1)).await.unwrap();
    store.watch_begins(&record, &[("h.example", "app")]).await.unwrap();
    store.keep_secret(&acme, &at(2), "integration", &Secret::new("y")).await.unwrap();
    assert!(!store.delete_integration(&acme, &at(3), "harbor", "theirs").await.unwrap());
    assert!(store.delete_integration(&acme, &at(3), "harbor", "ours").await.unwrap());
    assert!(!store.delete_integration(&acme, &at(3), "harbor", "ours").await.unwrap());
    for table in PARTS.map(|it| it.0).into_iter().chain(["integrations", "jobs"]) {
        assert_eq!(rows(&store, table).await, 0, "{table}");
    }
    assert_eq!(rows(&store, "secrets").await, 1, "that of somebody else");
    assert_eq!(told(&store, &acme).await.last().unwrap(), "integration-deleted harbor ours {}");
}

pub(super) async fn count_what_is_not_taken(store: &Store) {
    let (store, acme, record) = one(store).await;
    let counted = async || store.refused_webhooks(&acme).await.unwrap();
    assert!(counted().await.is_empty());
    let of = |count, minute, why: &str| Refused { count, last: at(minute).at, why: why.to_owned() };
    let (id, revision) = (&record.id, record.revision);
    store.webhooks_refused(id, revision, &of(3, 2, "no secret")).await.unwrap();
    store.webhooks_refused(id, revision, &of(4, 3, "a wrong secret")).await.unwrap();
    assert_eq!(counted().await.get(id), Some(&of(7, 3, "a wrong secret")));
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert!(store.refused_webhooks(&other).await.unwrap().is_empty());
    // Those from before it was told something else say nothing.
    let (record, _) = put(&store, &acme, 4, "h.example", &[("webhook-auth", "w1")]).await.unwrap();
    store.webhooks_refused(id, revision, &of(1, 4, "late")).await.unwrap();
    assert!(counted().await.is_empty());
    store.webhooks_refused(id, record.revision, &of(1, 5, "too long")).await.unwrap();
    assert_eq!(counted().await.get(id), Some(&of(1, 5, "too long")));
}

/// Whoever is in the middle of something while it is deleted does nothing more, however long the rest
/// of it takes.
pub(super) async fn are_gone_before_what_they_told(store: &Store) {
    let (store, acme, record) = one(store).await;
    store.watched(&record, "h.example", "app", "1", &digest(1)).await.unwrap();
    hear(&store, &record, 1, &[notice("a", true)]).await;
    // What was seen cannot be deleted for now.
    let (refuse, allow) = if store.db.is_file() {
        (
            "CREATE TRIGGER held BEFORE DELETE ON watched_tags BEGIN SELECT RAISE(ABORT, 'no'); END",
            "DROP TRIGGER held",
        )
    } else {
        (
            "CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION $$no$$; END';
             CREATE TRIGGER held BEFORE DELETE ON watched_tags
                 FOR EACH ROW EXECUTE FUNCTION held()",
            "DROP FUNCTION held CASCADE",
        )
    };
    batch(&store, refuse).await;
    store.delete_integration(&acme, &at(3), "harbor", "ours").await.unwrap_err();
    assert!(store.integrations(&acme).await.unwrap().is_empty());
    assert_eq!(store.integration_by_id(&record.id).await.unwrap(), None);
    assert_eq!(store.integration_by_hook(&[7; 32]).await.unwrap(), None);
    assert!(store.due_looks(at(9).at).await.unwrap().is_empty());
    let late = store.watched(&record, "h.example", "app", "2", &digest(2)).await;
    assert!(matches!(late, Err(Error::Gone(_))));
    assert_eq!(rows(&store, "secrets").await, 0);
    // Another one may have its name, and is another one.
    let (other, new) = put(&store, &acme, 4, "h.example", &[]).await.unwrap();
    assert!(new && other.id != record.id);
    batch(&store, allow).await;
    store.finish_deletions().await.unwrap();
    assert_eq!((rows(&store, "integrations").await, rows(&store, "watched_tags").await), (1, 0));
}

async fn batch(store: &Store, sql: &str) {
    let mut tx = store.db.write().await.unwrap();
    tx.define(sql).await.unwrap();
    tx.commit().await.unwrap();
}

/// Whatever table is of integrations is emptied a part at a time.
pub(super) async fn have_all_their_tables_in_parts(store: &Store) {
    if !store.db.is_file() {
        return;
    }
    let sql = "SELECT m.name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) k
               WHERE m.type = 'table' AND k.\"table\" = 'integrations' ORDER BY m.name";
    let rows = store.db.rows(sql, vec![]).await.unwrap();
    let tables: Vec<String> = rows.iter().map(|it| it.text("name").unwrap()).collect();
    let mut parts = PARTS.map(|it| it.0);
    parts.sort_unstable();
    assert_eq!(tables, parts);
}
