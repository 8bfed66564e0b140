//! People: users, members, sessions, tokens, invitations.

use model::{EventKind, Holder, Moment, OrganisationId, Role, Scope, Secret, User};

use super::kit::{at, rows};
use crate::{Caller, Error, EventSelection, NewSecret, NewToken, Newcomer, Page, Speaker, Store};

const SECRET: [u8; 32] = [7; 32];

async fn person(store: &Store, name: &str) -> User {
    store.create_user(&at(0), name, &Secret::new("$argon2id$…")).await.unwrap()
}

/// `acme`, which ann owns.
async fn owned(store: &Store) -> (OrganisationId, User) {
    let ann = person(store, "ann").await;
    let acme = store.create_organisation_owned(&at(0), "acme", &ann.id).await.unwrap().id;
    let taken = store.create_organisation_owned(&at(0), "acme", &ann.id).await.unwrap_err();
    assert!(matches!(taken, Error::Exists { .. }), "{taken}");
    (acme, ann)
}

fn token(number: u8, scope: Scope, expires: Option<Moment>) -> NewToken {
    let name = format!("token {number}");
    let prefix = "foretop_pat_abcdefghij".to_owned();
    NewToken { name, hash: [number; 32], prefix, scope, expires }
}

/// The kinds of event, first things first, with what they are about.
async fn happened(store: &Store, organisation: &OrganisationId) -> Vec<String> {
    let page = Page::first(1000);
    let events = store.events(organisation, &EventSelection::default(), &page).await.unwrap().rows;
    let tell = |it: &model::Event| format!("{} {}", it.kind.as_str(), it.about);
    events.iter().rev().map(tell).collect()
}

fn roles(caller: &Caller) -> Vec<(&str, Role)> {
    caller.memberships.iter().map(|it| (it.organisation.name.as_str(), it.role)).collect()
}

pub(super) async fn have_a_name_and_a_password(store: &Store) {
    assert!(store.first_start().await.unwrap());
    let ann = store.create_user(&at(1), " ann ", &Secret::new("a hash")).await.unwrap();
    assert!(!store.first_start().await.unwrap());
    assert_eq!((ann.name.as_str(), ann.created, ann.disabled), ("ann", at(1).at, None));
    assert_eq!(store.user("ann").await.unwrap(), ann);
    let again = store.create_user(&at(2), "ann", &Secret::new("")).await.unwrap_err();
    assert_eq!(again.to_string(), "user `ann`: there is one already");
    let none = store.user("bob").await.unwrap_err();
    assert_eq!(none.to_string(), "user `bob`: there is none");
    let (user, password) = store.credentials("ann").await.unwrap().unwrap();
    assert_eq!((user, password.expose()), (ann.clone(), "a hash"));
    assert_eq!(store.credentials("bob").await.unwrap(), None);
    store.change_password(&at(3), &ann.id, &Secret::new("another"), None).await.unwrap();
    assert_eq!(store.credentials("ann").await.unwrap().unwrap().1.expose(), "another");
    store.delete_user(&at(4), &ann.id).await.unwrap();
    let gone = store.change_password(&at(5), &ann.id, &Secret::new(""), None).await.unwrap_err();
    assert!(matches!(gone, Error::Gone("user")), "{gone}");
}

pub(super) async fn have_roles_and_somebody_owns(store: &Store) {
    let (acme, ann) = owned(store).await;
    let bob = person(store, "bob").await;
    assert!(store.put_member(&acme, &at(1), &bob.id, Role::Member).await.unwrap());
    assert!(!store.put_member(&acme, &at(2), &bob.id, Role::Member).await.unwrap());
    for refused in [
        store.put_member(&acme, &at(3), &ann.id, Role::Editor).await.unwrap_err(),
        store.remove_member(&acme, &at(3), &ann.id).await.unwrap_err(),
        store.disable_user(&at(3), &ann.id, true).await.unwrap_err(),
        store.delete_user(&at(3), &ann.id).await.unwrap_err(),
    ] {
        assert_eq!(refused.to_string(), "user `ann`: nobody else owns `acme`");
        assert_eq!(refused.hint().as_deref(), Some("make somebody else an owner first"));
    }
    assert!(store.put_member(&acme, &at(4), &bob.id, Role::Owner).await.unwrap());
    assert!(store.disable_user(&at(5), &bob.id, true).await.unwrap());
    // Whoever may not log in does not count.
    assert!(store.remove_member(&acme, &at(6), &ann.id).await.is_err());
    assert!(store.disable_user(&at(7), &bob.id, false).await.unwrap());
    assert!(!store.disable_user(&at(7), &bob.id, false).await.unwrap());
    store.remove_member(&acme, &at(8), &ann.id).await.unwrap();
    let none = store.remove_member(&acme, &at(9), &ann.id).await.unwrap_err();
    assert_eq!(none.to_string(), "member `ann`: there is none");
    assert_eq!(
        happened(store, &acme).await,
        [
            "organisation-created acme",
            "member-added ann",
            "member-added bob",
            "member-changed bob",
            "user-disabled bob",
            "user-enabled bob",
            "member-removed ann",
        ]
    );
    for name in ["cid", "dan"] {
        let user = person(store, name).await;
        store.put_member(&acme, &at(10), &user.id, Role::Editor).await.unwrap();
    }
    let first = store.members(&acme, &Page::first(2)).await.unwrap();
    let names = |rows: &[model::Member]| -> Vec<(String, Role)> {
        rows.iter().map(|it| (it.user.name.clone(), it.role)).collect()
    };
    let expect = [("bob".to_owned(), Role::Owner), ("cid".to_owned(), Role::Editor)];
    assert_eq!(names(&first.rows), expect);
    let second = store.members(&acme, &Page { after: first.next, limit: 2 }).await.unwrap();
    assert_eq!(names(&second.rows), [("dan".to_owned(), Role::Editor)]);
    assert_eq!(second.next, None);
}

pub(super) async fn sessions_lead_to_whom_they_are_of(store: &Store) {
    let (acme, ann) = owned(store).await;
    let end = at(60).at;
    let made = store.start_session(&at(1), &ann.id, &SECRET, end).await.unwrap();
    let caller = store.session_caller(&SECRET, at(2).at).await.unwrap().unwrap();
    assert_eq!(caller.name(), "ann");
    assert_eq!(roles(&caller), [("acme", Role::Owner)]);
    assert_eq!(caller.role_in(&acme), Some(Role::Owner));
    assert_eq!(caller.role_in(&OrganisationId("other".to_owned())), None);
    assert_eq!(store.session_caller(&[8; 32], at(2).at).await.unwrap(), None);
    assert_eq!(store.session_caller(&SECRET, end).await.unwrap(), None, "it ran out");

    // It is noted once a minute that it was used, and never that it was used earlier.
    let used = async |seconds: i64| {
        let now = at(2).at.plus_seconds(seconds);
        store.session_caller(&SECRET, now).await.unwrap().unwrap();
        store.sessions(&ann.id, now).await.unwrap()[0].last_used
    };
    for (seconds, noted) in [(59, 0), (60, 60), (90, 60), (-90, 60), (121, 121)] {
        assert_eq!(used(seconds).await, Some(at(2).at.plus_seconds(noted)), "{seconds}");
    }

    let other = store.start_session(&at(3), &ann.id, &[9; 32], end).await.unwrap();
    store.change_password(&at(4), &ann.id, &Secret::new("x"), Some(&other.id)).await.unwrap();
    assert_eq!(store.session_caller(&SECRET, at(4).at).await.unwrap(), None);
    assert!(store.session_caller(&[9; 32], at(4).at).await.unwrap().is_some());
    assert!(!store.end_session(&at(5), &ann.id, &made.id).await.unwrap());
    assert!(store.end_session(&at(5), &ann.id, &other.id).await.unwrap());
    assert_eq!(rows(store, "sessions").await, 0);
    let happened = happened(store, &acme).await;
    let expect =
        ["session-started ann", "session-started ann", "password-changed ann", "session-ended ann"];
    assert_eq!(happened[2..], expect);
}

pub(super) async fn tokens_may_what_their_scope_says(store: &Store) {
    let (acme, ann) = owned(store).await;
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    store.put_member(&other, &at(0), &ann.id, Role::Member).await.unwrap();
    let mine = Holder::User(ann.id.clone());
    let made = store.create_token(&at(1), &mine, &token(1, Scope::Write, None)).await.unwrap();
    assert_eq!(made.prefix, "foretop_pat_abcd");
    let caller = store.token_caller(&[1; 32], at(2).at).await.unwrap().unwrap();
    assert_eq!(roles(&caller), [("acme", Role::Editor), ("other", Role::Member)]);
    assert_eq!((caller.name().as_str(), caller.most), ("ann", Role::Editor));
    // It is less as soon as its owner is.
    let bob = person(store, "bob").await;
    store.put_member(&acme, &at(3), &bob.id, Role::Owner).await.unwrap();
    store.put_member(&acme, &at(3), &ann.id, Role::Member).await.unwrap();
    let caller = store.token_caller(&[1; 32], at(4).at).await.unwrap().unwrap();
    assert_eq!(caller.role_in(&acme), Some(Role::Member));
    let refused = store.create_token(&at(4), &mine, &token(2, Scope::Admin, None)).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "token with the scope `admin`: its owner is no more than member anywhere"
    );
    assert_eq!(refused.hint().as_deref(), Some("it may have: read"));

    let ours = Holder::Organisation(acme.clone());
    let until = Some(at(10).at);
    store.create_token(&at(5), &ours, &token(3, Scope::Read, until)).await.unwrap();
    let caller = store.token_caller(&[3; 32], at(6).at).await.unwrap().unwrap();
    assert_eq!(roles(&caller), [("acme", Role::Member)]);
    assert_eq!((caller.name().as_str(), caller.user), ("token token 3", None));
    assert_eq!(store.token_caller(&[3; 32], at(10).at).await.unwrap(), None, "it ran out");

    assert!(!store.revoke_token(&at(7), &ours, &made.id).await.unwrap(), "it is not theirs");
    assert!(store.revoke_token(&at(7), &mine, &made.id).await.unwrap());
    assert!(!store.revoke_token(&at(8), &mine, &made.id).await.unwrap());
    assert_eq!(store.token_caller(&[1; 32], at(8).at).await.unwrap(), None);
    let listed = store.tokens(&mine, &Page::first(9)).await.unwrap().rows;
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].revoked, listed[0].last_used), (Some(at(7).at), Some(at(4).at)));
    assert!(happened(store, &other).await.contains(&"token-revoked token 1".to_owned()));
    assert_eq!(store.forget_ended(at(9).at).await.unwrap(), 1);
    assert_eq!(rows(store, "tokens").await, 1);
}

pub(super) async fn tokens_are_used_without_writing_each_time(store: &Store) {
    let (acme, _) = owned(store).await;
    let ours = Holder::Organisation(acme);
    store.create_token(&at(0), &ours, &token(1, Scope::Admin, None)).await.unwrap();
    for (second, noted) in [(0, 0), (1, 0), (59, 0), (60, 60)] {
        let now = at(1).at.plus_seconds(second);
        let caller = store.token_caller(&[1; 32], now).await.unwrap().unwrap();
        let Speaker::Token(token) = caller.speaker else { panic!("it is a token") };
        assert_eq!(token.last_used, Some(at(1).at.plus_seconds(noted)));
        let listed = store.tokens(&ours, &Page::first(1)).await.unwrap().rows;
        assert_eq!(listed[0], token);
    }
}

pub(super) async fn invitations_are_used_once(store: &Store) {
    let acme = store.create_organisation(&at(0), "acme").await.unwrap().id;
    let end = at(60).at;
    let id = store.invite(&acme, &at(1), &SECRET, Role::Owner, end).await.unwrap();
    let shown = store.invitation(&SECRET, at(2).at).await.unwrap().unwrap();
    assert_eq!((shown.id.as_str(), shown.organisation.name.as_str()), (id.as_str(), "acme"));
    assert_eq!(store.invitations(&acme, at(2).at).await.unwrap(), [shown]);
    assert_eq!(store.invitation(&SECRET, end).await.unwrap(), None);
    let new = |name: &str| Newcomer::New { name: name.to_owned(), password: Secret::new("x") };
    person(store, "bob").await;
    let taken = store.use_invitation(&at(3), &SECRET, &new("bob")).await.unwrap_err();
    assert!(matches!(taken, Error::Exists { what: "user", .. }), "{taken}");
    let ann = store.use_invitation(&at(4), &SECRET, &new("ann")).await.unwrap();
    let used = store.use_invitation(&at(5), &SECRET, &new("cid")).await.unwrap_err();
    assert_eq!(used.to_string(), "invitation: it was used, or revoked, or has run out");
    assert_eq!(store.memberships(&ann.id).await.unwrap()[0].role, Role::Owner);

    // Somebody who is more already does not become less, and nothing is left over.
    store.invite(&acme, &at(6), &SECRET, Role::Member, end).await.unwrap();
    let known = Newcomer::Known(ann.id.clone());
    let late = model::Act { at: end, ..at(0) };
    assert!(store.use_invitation(&late, &SECRET, &known).await.is_err(), "it ran out");
    store.use_invitation(&at(7), &SECRET, &known).await.unwrap();
    assert_eq!(store.memberships(&ann.id).await.unwrap()[0].role, Role::Owner);
    let id = store.invite(&acme, &at(8), &SECRET, Role::Member, end).await.unwrap();
    assert!(store.revoke_invitation(&acme, &at(9), &id).await.unwrap());
    assert!(!store.revoke_invitation(&acme, &at(9), &id).await.unwrap());
    assert_eq!(rows(store, "invitations").await, 0);
    let kinds = vec![EventKind::InvitationUsed];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    let events = store.events(&acme, &selection, &Page::first(9)).await.unwrap().rows;
    assert_eq!(events.len(), 2);
    assert_eq!((&events[1].detail["new"], &events[0].detail["new"]), (&true.into(), &false.into()));
}

/// Twenty use one invitation at once: one of them is in.
pub(super) async fn of_many_one_uses_an_invitation(store: &Store) {
    let acme = store.create_organisation(&at(0), "acme").await.unwrap().id;
    store.invite(&acme, &at(1), &SECRET, Role::Owner, at(60).at).await.unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let name = format!("user {number}");
                let newcomer = Newcomer::New { name, password: Secret::new("x") };
                store.use_invitation(&at(2), &SECRET, &newcomer).await.is_ok()
            })
        })
        .collect();
    let mut joined = 0;
    for task in tasks {
        joined += i64::from(task.await.unwrap());
    }
    assert_eq!((joined, rows(store, "users").await, rows(store, "members").await), (1, 1, 1));
}

/// Two owners who remove each other at once do not leave an organisation to nobody.
pub(super) async fn owners_do_not_remove_each_other(store: &Store) {
    let (acme, ann) = owned(store).await;
    let bob = person(store, "bob").await;
    for minute in 1..8 {
        for user in [&ann, &bob] {
            store.put_member(&acme, &at(minute), &user.id, Role::Owner).await.unwrap();
        }
        let act = at(minute);
        let removed = tokio::join!(
            store.remove_member(&acme, &act, &ann.id),
            store.remove_member(&acme, &act, &bob.id),
        );
        assert!(removed.0.is_ok() != removed.1.is_ok());
    }
}

pub(super) async fn leave_nothing_behind(store: &Store) {
    let (acme, ann) = owned(store).await;
    store.start_session(&at(1), &ann.id, &SECRET, at(60).at).await.unwrap();
    store.invite(&acme, &at(1), &SECRET, Role::Member, at(60).at).await.unwrap();
    for (number, holder) in
        [Holder::User(ann.id.clone()), Holder::Organisation(acme.clone())].into_iter().enumerate()
    {
        let token = token(u8::try_from(number).unwrap(), Scope::Read, None);
        store.create_token(&at(1), &holder, &token).await.unwrap();
    }
    store.delete_organisation(&acme).await.unwrap();
    for (table, left) in [("members", 0), ("invitations", 0), ("tokens", 1), ("sessions", 1)] {
        assert_eq!(rows(store, table).await, left, "{table}");
    }
    // Nobody is kept from going by what is gone.
    store.delete_user(&at(2), &ann.id).await.unwrap();
    for table in ["users", "tokens", "sessions"] {
        assert_eq!(rows(store, table).await, 0, "{table}");
    }
}

pub(super) async fn tokens_are_replaced(store: &Store) {
    let (acme, ann) = owned(store).await;
    let ours = Holder::Organisation(acme.clone());
    let until = Some(at(100).at);
    let first = store.create_token(&at(0), &ours, &token(1, Scope::Write, until)).await.unwrap();
    let secret =
        |number: u8| NewSecret { hash: [number; 32], prefix: "n".to_owned(), expires: None };
    let mine = Holder::User(ann.id.clone());
    let not = store.rotate_token(&at(1), &mine, &first.id, &secret(2), at(1).at).await.unwrap();
    assert_eq!(not, None, "it is not theirs");
    let second = store.rotate_token(&at(10), &ours, &first.id, &secret(2), at(20).at).await;
    let second = second.unwrap().unwrap();
    assert_eq!((second.name.as_str(), second.scope), ("token 1", Scope::Write));
    assert_eq!(second.expires, Some(at(110).at), "for as long as the former");
    for (hash, minute, good) in [(1, 19, true), (1, 20, false), (2, 19, true), (2, 110, false)] {
        let caller = store.token_caller(&[hash; 32], at(minute).at).await.unwrap();
        assert_eq!(caller.is_some(), good, "{hash} at {minute}");
    }
    // At once, and nothing that is over is replaced.
    let third = store.rotate_token(&at(11), &ours, &second.id, &secret(3), at(11).at).await;
    assert!(third.unwrap().is_some());
    assert!(store.token_caller(&[2; 32], at(12).at).await.unwrap().is_none());
    let over = store.rotate_token(&at(12), &ours, &second.id, &secret(4), at(12).at).await.unwrap();
    assert_eq!(over, None);
    // An end that comes sooner stays.
    let soon = token(5, Scope::Read, Some(at(30).at));
    let soon = store.create_token(&at(20), &ours, &soon).await.unwrap();
    store.rotate_token(&at(21), &ours, &soon.id, &secret(6), at(60).at).await.unwrap().unwrap();
    assert!(store.token_caller(&[5; 32], at(30).at).await.unwrap().is_none());
    let told = happened(store, &acme).await;
    assert_eq!(told.iter().filter(|it| it.starts_with("token-revoked")).count(), 3);
}

pub(super) async fn who_forgot_a_password_chooses_another(store: &Store) {
    let (acme, ann) = owned(store).await;
    store.start_session(&at(1), &ann.id, &SECRET, at(90).at).await.unwrap();
    store.offer_reset(&at(1), &ann.id, &[1; 32], at(60).at).await.unwrap();
    store.offer_reset(&at(2), &ann.id, &[2; 32], at(60).at).await.unwrap();
    assert_eq!(store.reset(&[1; 32], at(3).at).await.unwrap(), None, "another was made");
    assert_eq!(store.reset(&[2; 32], at(60).at).await.unwrap(), None, "it has run out");
    assert_eq!(store.reset(&[2; 32], at(3).at).await.unwrap(), Some(ann.clone()));
    let late = model::Act { at: at(60).at, ..at(0) };
    assert!(store.use_reset(&late, &[2; 32], &Secret::new("late")).await.is_err());
    let user = store.use_reset(&at(4), &[2; 32], &Secret::new("another")).await.unwrap();
    assert_eq!(user.name, "ann");
    assert_eq!(store.credentials("ann").await.unwrap().unwrap().1.expose(), "another");
    assert_eq!(rows(store, "sessions").await, 0, "nobody is logged in as them any more");
    let used = store.use_reset(&at(5), &[2; 32], &Secret::new("x")).await.unwrap_err();
    let why = "address: it was used, or another was made, or it has run out";
    assert_eq!(used.to_string(), why);
    // Whoever changes their password needs none any more; who may not log in uses none.
    store.offer_reset(&at(6), &ann.id, &[3; 32], at(60).at).await.unwrap();
    store.change_password(&at(7), &ann.id, &Secret::new("known"), None).await.unwrap();
    assert_eq!(store.reset(&[3; 32], at(8).at).await.unwrap(), None);
    let bob = person(store, "bob").await;
    store.put_member(&acme, &at(8), &bob.id, Role::Owner).await.unwrap();
    store.offer_reset(&at(9), &bob.id, &[4; 32], at(60).at).await.unwrap();
    store.disable_user(&at(10), &bob.id, true).await.unwrap();
    assert_eq!(store.reset(&[4; 32], at(11).at).await.unwrap(), None);
    assert!(happened(store, &acme).await.contains(&"password-reset-offered bob".to_owned()));
    let all = store.users(&Page::first(1)).await.unwrap();
    assert_eq!((all.rows[0].name.as_str(), all.next.as_deref()), ("ann", Some("ann")));
    assert_eq!(store.forget_ended(at(90).at).await.unwrap(), 1);
    assert_eq!(rows(store, "resets").await, 0);
}
