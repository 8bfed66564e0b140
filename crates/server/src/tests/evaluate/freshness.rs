//! Feeds that grow old, and are renewed: told once, to those whom it concerns.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use almanac::{Builder, Manifest, PartState, Trust, Writer};
use axum::body::Body;
use axum::http::Request;
use engine::Engine;
use model::{Advisory, Affected, EventKind, Moment, Span};
use store::{EventSelection, Page, Store};
use tower::ServiceExt as _;

use super::House;
use crate::{Access, App, Reach, World, evaluate, freshness, health, jobs};

/// An almanac of these feeds, each with the day at which it was current: `osv npm 2026-11-20`.
fn install(house: &House, text: &str) {
    let writer = Writer::lock(&house.folder.path().join("almanac")).unwrap();
    let mut manifest = Manifest::new("2026-11-21T00:00:00Z");
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut builder = Builder::new(words[0], "all");
        let mut affected = Affected::new(words[1].into(), "anything");
        affected.spans.push(Span::before("1.0.0"));
        let mut advisory = Advisory { id: "CVE-1".to_owned(), ..Advisory::default() };
        advisory.affected.push(affected);
        builder.add(advisory);
        let compiled = builder.finish().unwrap();
        compiled.sheets.iter().for_each(|it| writer.put(it).unwrap());
        let state = PartState {
            feed: words[0].to_owned(),
            part: "all".to_owned(),
            current: words.get(2).map(|it| format!("{it}T00:00:00Z")),
            error: words.get(3).map(|it| (*it).to_owned()),
            ..PartState::default()
        };
        manifest.replace(state, &compiled);
    }
    writer.install(&manifest.to_bytes(), None, Trust::Local).unwrap();
}

/// A process whose clock is in our hands.
async fn app(house: &House, clock: &Arc<AtomicI64>) -> App {
    let world = World::new(Some(house.folder.path().join("almanac")));
    let world = world.keeping(house.folder.path().join("kept"));
    let reach = Reach {
        engine: Engine::default(),
        settings: Arc::new(image::Settings::default()),
        jobs: false,
        offline: true,
    };
    let clock = Arc::clone(clock);
    let now = Arc::new(move || Moment::from_micros(clock.load(Ordering::SeqCst)));
    let access = Access::Local { name: "ann".to_owned() };
    App::new(Store::open(&house.address).await.unwrap(), world, access, reach, now)
}

/// What an organisation was told, first things first.
async fn told(app: &App, company: &str) -> String {
    let company = app.store.organisation(company).await.unwrap().id;
    let kinds = vec![EventKind::AlmanacStale, EventKind::AlmanacFresh];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    let all = app.store.events(&company, &selection, &Page::first(100)).await.unwrap().rows;
    let line =
        |it: model::Event| format!("{} {} {}", it.kind.as_str(), it.about, it.detail["days"]);
    all.into_iter().rev().map(line).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn is_told_once_to_whom_it_concerns() {
    let house = House::new();
    let day = |it: &str| it.parse::<Moment>().unwrap().micros();
    let clock = Arc::new(AtomicI64::new(day("2026-11-21T10:00:00Z")));
    let almanac = "
        osv npm 2026-11-20
        alpine alpine:3.20 2026-01-01
        wolfi wolfi
    ";
    install(&house, almanac);
    house.company("acme", "production 1 npm/lodash@4.17.4\nstaging 2").await;
    house.company("empty", "").await;
    let app = app(&house, &clock).await;
    freshness::judge(&app).await.unwrap();
    assert_eq!(told(&app, "acme").await, "", "nobody has judged by it yet");
    evaluate(&app, false).await.unwrap();
    freshness::judge(&app).await.unwrap();
    assert_eq!(told(&app, "acme").await, "", "nothing of Alpine runs there");
    clock.store(day("2026-11-27T10:00:00Z"), Ordering::SeqCst);
    freshness::judge(&app).await.unwrap();
    assert_eq!(told(&app, "acme").await, "", "a week it may be");
    clock.store(day("2026-11-28T10:00:00Z"), Ordering::SeqCst);
    for _ in 0..3 {
        freshness::judge(&app).await.unwrap();
    }
    assert_eq!(told(&app, "acme").await, "almanac-stale osv 8");
    assert_eq!(told(&app, "empty").await, "", "it concerns them not");
    // That it was tried to renew it makes it no younger, nor does another almanac that nobody judges by.
    install(&house, "osv npm 2026-11-20 unreachable");
    let app = self::app(&house, &clock).await;
    jobs::do_once(&app, "judge_freshness").await.unwrap();
    jobs::do_once(&app, "rematch").await.unwrap();
    assert_eq!(told(&app, "acme").await, "almanac-stale osv 8");
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = health::paths().with_state(app).oneshot(request).await.unwrap();
    let text = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains("foretop_feed_age_days{feed=\"osv\"} 8"), "{text}");
    // It is back.
    install(&house, "osv npm 2026-11-28");
    let app = self::app(&house, &clock).await;
    jobs::do_once(&app, "rematch").await.unwrap();
    freshness::judge(&app).await.unwrap();
    assert_eq!(told(&app, "acme").await, "almanac-stale osv 8; almanac-fresh osv 0");
}
