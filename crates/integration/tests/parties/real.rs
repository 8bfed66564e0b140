//! The distribution project's own registry (Debian: `docker-registry`), filled by `skopeo`: what it
//! lists, what it tells, and the stand-ins before it.
//!
//! Where one of the two programs is missing these tests leave themselves out and say so.

use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use integration::watch::Backfill;
use integration::{Delivery, Integration, Notice, Received, Secrets, receive};
use model::{Moment, Secret};
use testkit::{Form, Hook, RealRegistry, Sink, Told, VendorStandIn, image, layer};

use super::watching::Kept;
use super::{VENDORS, listed, name, party, party_at};

/// One on a free port, which tells `sink` what happens in it.
fn start(sink: &Sink) -> Option<RealRegistry> {
    RealRegistry::telling(0, &format!("http://{}/", sink.host()), "Bearer of news")
}

/// Pushes an image of its own to `repository:tag`.
fn push(registry: &RealRegistry, repository: &str, tag: &str) {
    let name = format!("{repository}:{tag}");
    registry.push_image(&image().layer(layer().file("etc/name", &name)), &name);
}

fn headers(hook: &Hook) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &hook.headers {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// What comes of a hook.
fn received(party: &dyn Integration, hook: &Hook, secret: &str) -> Received {
    let headers = headers(hook);
    let delivery =
        Delivery { method: &Method::POST, query: "", headers: &headers, body: &hook.body };
    let secrets = Secrets::new(Some(Secret::new(secret)), None);
    let now: Moment = "2026-11-21T10:00:05Z".parse().unwrap();
    receive(party.inbox().unwrap(), &delivery, &secrets, now)
}

/// What a hook is read as, one line an event.
fn read(party: &dyn Integration, hook: &Hook, secret: &str) -> Vec<String> {
    match received(party, hook, secret) {
        Received::Heard { heard, .. } => {
            assert_eq!(heard.gaps, []);
            let told = heard.notices.iter().map(|it| {
                let tag = it.tag.as_deref().unwrap_or("-");
                let digest = it.digest.as_ref().map_or("-", |it| it.as_str());
                format!("{} {} {tag} {digest}", it.action.as_str(), it.repository)
            });
            told.collect()
        }
        other => vec![format!("{other:?}")],
    }
}

fn events(party: &dyn Integration, hook: &Hook) -> Vec<Notice> {
    match received(party, hook, "Bearer of news") {
        Received::Heard { heard, .. } => heard.notices,
        other => panic!("{other:?}"),
    }
}

/// What the registry told so far.
fn news(party: &dyn Integration, hooks: &[Hook]) -> Vec<String> {
    hooks.iter().flat_map(|it| read(party, it, "Bearer of news")).collect()
}

#[tokio::test]
async fn a_push_is_told_and_found() {
    let sink = Sink::start();
    let Some(registry) = start(&sink) else { return };
    let party = party("distribution", &[("registry", registry.host())]);
    push(&registry, "team/app", "1");
    let hooks = sink.wait(|hooks| news(party.as_ref(), hooks).len() == 1);
    let directory = party.directory().unwrap();
    let app = directory.repository(directory.registry(), "team/app");
    let digest = directory.digest(&app, "1").await.unwrap().unwrap();
    assert_eq!(news(party.as_ref(), &hooks), [format!("pushed team/app 1 {digest}")]);
    assert!(hooks.len() > 1, "blobs are told, too");
    let kind = hooks[0].headers.iter().find(|it| it.0 == "content-type").unwrap();
    assert_eq!(kind.1, "application/vnd.docker.distribution.events.v1+json");
    assert_eq!(read(party.as_ref(), &hooks[0], "another"), ["Refused(Wrong)"]);

    registry.delete("team/app:1");
    let hooks = sink.wait(|hooks| news(party.as_ref(), hooks).len() >= 2);
    let told = news(party.as_ref(), &hooks);
    assert!(told.contains(&format!("deleted team/app - {digest}")), "{told:?}");
    assert_eq!(directory.digest(&app, "1").await.unwrap(), None);
    assert_eq!(directory.tags(&app).await.unwrap().all, []);
}

/// What each vendor tells of a push and what it lists lead to the same digest.
#[tokio::test]
async fn stand_ins_tell_what_the_registry_holds() {
    let sink = Sink::start();
    let Some(registry) = start(&sink) else { return };
    push(&registry, "team/app", "1");
    push(&registry, "team/web", "latest");
    for vendor in VENDORS {
        let stand_in = VendorStandIn::start(vendor, registry.host());
        let party = party_at(&stand_in, vendor, &[]);
        let directory = party.directory().unwrap();
        assert_eq!(listed(directory).await, "team/app: 1\nteam/web: latest\n", "{}", name(vendor));
        for form in Form::ALL.into_iter().filter(|it| it.vendor() == name(vendor)) {
            let repositories = directory.repositories(&[]).await.unwrap().all;
            let app = repositories.iter().find(|it| it.name.ends_with("team/app")).unwrap();
            let digest = directory.digest(app, "1").await.unwrap().unwrap();
            let told = Told {
                pushed: true,
                registry: stand_in.host(),
                repository: "team/app".to_owned(),
                tag: "1".to_owned(),
                digest: digest.to_string(),
                id: "one".to_owned(),
                at: "2026-11-21T10:00:00Z".to_owned(),
                seconds: 1_795_255_200,
            };
            let hook = Hook::new(form, &told, "a secret of ours");
            let events = read(party.as_ref(), &hook, "a secret of ours");
            // Nexus tells no digest: it is asked for.
            let digest = if name(vendor) == "nexus" { "-" } else { digest.as_str() };
            assert_eq!(events, [format!("pushed {} 1 {digest}", app.name)], "{form:?}");
            assert_eq!(read(party.as_ref(), &hook, "another"), ["Refused(Wrong)"], "{form:?}");
            let bare = Hook::new(form, &told, "");
            assert_eq!(read(party.as_ref(), &bare, "x"), ["Refused(Missing)"], "{form:?}");
        }
    }
}

/// From a push to the work on it, over the registry's own notification; and a look at everything.
#[tokio::test]
async fn a_push_is_worked_on() {
    let sink = Sink::start();
    let Some(registry) = start(&sink) else { return };
    let party = party("distribution", &[("registry", registry.host())]);
    let (directory, kept) = (party.directory().unwrap(), Kept::default());
    push(&registry, "team/app", "1");
    kept.look(directory, Backfill::None).await;
    assert_eq!(kept.told(), "");
    push(&registry, "team/app", "2");
    let hooks = sink.wait(|hooks| news(party.as_ref(), hooks).len() == 2);
    for event in hooks.iter().flat_map(|it| events(party.as_ref(), it)) {
        kept.hear(directory, &event).await;
    }
    // What was there before was left alone, until its notification came, too.
    assert_eq!(kept.told(), "pushed team/app:1\npushed team/app:2");
    registry.delete("team/app:2");
    let hooks = sink.wait(|hooks| news(party.as_ref(), hooks).len() >= 3);
    for event in hooks.iter().flat_map(|it| events(party.as_ref(), it)) {
        kept.hear(directory, &event).await;
    }
    assert_eq!(kept.told(), "gone team/app:2");
    let report = kept.look(directory, Backfill::None).await;
    assert!(report.is_whole() && report.gone == 0, "{report:?}");
}

/// Many tags that share a few images: each image is worked on once, each tag costs one HEAD, and
/// whoever is stopped half-way goes on there.
#[tokio::test]
async fn many_tags_of_few_images() {
    const IMAGES: usize = 4;
    const TAGS: usize = 120;
    let sink = Sink::start();
    let Some(registry) = start(&sink) else { return };
    for image in 0..IMAGES {
        push(&registry, &format!("team/app{image}"), "first");
        for tag in 1..TAGS / IMAGES {
            registry.tag(&format!("team/app{image}"), "first", &format!("v{tag}"));
        }
    }
    for kind in ["distribution", "oci"] {
        let party = party(kind, &[("registry", registry.host())]);
        let (directory, kept) = (party.directory().unwrap(), Kept::able_to_do(2));
        let first = kept.look(directory, Backfill::All).await;
        assert_eq!((first.tags, first.asked, first.analyzed), (TAGS, TAGS, 2), "{kind}");
        kept.rest();
        let began = Instant::now();
        let second = kept.look(directory, Backfill::All).await;
        println!("{TAGS} tags looked at in {:?}", began.elapsed());
        assert_eq!((second.tags, second.analyzed, second.gaps.len()), (TAGS, 2, 0), "{kind}");
        let third = kept.look(directory, Backfill::All).await;
        assert_eq!((third.analyzed, third.moved), (0, 0), "{kind}");
    }
}
