//! The dashboard as browsers meet it: every page, as whoever may look at it and as whoever may not.

mod bases;
mod flaws;
mod joining;
mod policies;
mod settings;
mod trouble;
mod wizards;

use std::collections::BTreeSet;

use ::dashboard::{ALL, Found};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use engine::Engine;
use model::Moment;
use serde_json::{Value as Json, json};
use store::Store;
use tower::ServiceExt as _;

use super::{digest, inventory};
use crate::{Access, App, Limits, People, Reach, World, first_start, front};

const PASSWORD: &str = "a green horse";
/// What somebody writes who wants to be more than a name.
const HOSTILE: &str = "<script>alert('x')</script>\"&";

/// A server with two organisations.
struct House {
    router: Router,
    app: App,
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
    }
}

/// A browser with the session of somebody.
#[derive(Clone, Default)]
struct Browser {
    cookie: String,
}

impl House {
    async fn new(local: bool) -> Self {
        Self::with(local, true).await
    }

    async fn with(local: bool, offline: bool) -> Self {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let store = store.with_keys(store::Keyring::new(&[1; 32], &[]));
        let settings = image::Settings { retries: 0, ..image::Settings::default() };
        let reach = Reach {
            engine: Engine::default(),
            settings: std::sync::Arc::new(settings),
            jobs: false,
            offline,
        };
        let access = if local {
            Access::Local { name: "ann".to_owned() }
        } else {
            Access::People(People::new(false))
        };
        let now = || "2026-11-21T10:00:00Z".parse::<Moment>().unwrap();
        let app = App::new(store, World::new(None), access, reach, std::sync::Arc::new(now));
        let router = front(app.clone(), Limits { rate: None, ..Limits::default() });
        Self { router, app }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let text = String::from_utf8(body).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// Types an address.
    async fn look(&self, browser: &Browser, path: &str) -> Answer {
        let request = Request::get(path)
            .header(header::HOST, "foretop.example")
            .header("sec-fetch-site", "none")
            .header(header::COOKIE, &browser.cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form from a page of `site`.
    async fn fill_in(
        &self,
        browser: &Browser,
        site: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> Answer {
        let request = Request::post(path)
            .header(header::HOST, "foretop.example")
            .header("sec-fetch-site", site)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, &browser.cookie);
        let body = serde_urlencoded::to_string(form).unwrap();
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Logs in by the page for it.
    async fn log_in(&self, name: &str) -> Browser {
        let form = [("name", name), ("password", PASSWORD), ("next", "/")];
        let answer = self.fill_in(&Browser::default(), "same-origin", "/login", &form).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Browser { cookie }
    }

    /// Asks the API.
    async fn api(&self, browser: &Browser, line: &str, body: Json) -> Json {
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request::builder()
            .method(method.parse::<Method>().unwrap())
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, "foretop.example")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::COOKIE, &browser.cookie);
        let answer = self.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert!(answer.status < 300, "{line}: {} {}", answer.status, answer.text);
        serde_json::from_str(&answer.text).unwrap_or(Json::Null)
    }

    async fn join(&self, secret: &str, name: &str) {
        let body = json!({ "name": name, "password": PASSWORD });
        self.api(&Browser::default(), &format!("POST /invitations/{secret}"), body).await;
    }

    /// Somebody new, whom `owner` invited, logged in.
    async fn somebody(
        &self,
        owner: &Browser,
        name: &str,
        organisation: &str,
        role: &str,
    ) -> Browser {
        let line = format!("POST /orgs/{organisation}/invitations");
        let made = self.api(owner, &line, json!({ "role": role })).await;
        self.join(made["secret"].as_str().unwrap(), name).await;
        self.log_in(name).await
    }

    /// The first owner, ann, of `acme`, logged in.
    async fn settled(&self) -> Browser {
        let link = first_start(&self.app, "http://x", "acme").await.unwrap().unwrap();
        self.join(link.rsplit('/').next().unwrap(), "ann").await;
        self.log_in("ann").await
    }

    /// Two environments, of which one is called as nobody should call it, with something in them.
    async fn lived_in(&self, owner: &Browser) {
        for name in ["staging", HOSTILE] {
            self.api(owner, "POST /orgs/acme/environments", json!({ "name": name })).await;
        }
        let mut known = inventory(&["pkg:npm/lodash@4.17.20", "pkg:npm/%3Cb%3Ebold@1.0.0"]);
        known.gaps.push(model::Gap::new(HOSTILE, HOSTILE));
        let push = json!({ "image": "acme/web:v1", "inventory": known });
        let line = format!("PUT /orgs/acme/images/{}", digest('1'));
        self.api(owner, &line, push).await;
        let recordings = json!([
            { "image": "acme/web:v1", "digest": digest('1'), "application": HOSTILE },
            { "image": "acme/api:v2", "digest": digest('2') },
        ]);
        let line = "POST /orgs/acme/environments/staging/deployments";
        self.api(owner, line, json!({ "recordings": recordings })).await;
        let excepting = json!({
            "flaws": ["CVE-2021-23337"], "kind": "accepted-risk", "note": HOSTILE,
        });
        self.api(owner, "PUT /orgs/acme/exceptions/old", excepting).await;
        let told = json!({ "parameters": { "url": "https://hooks.example/services/x" } });
        self.api(owner, "PUT /orgs/acme/integrations/slack/team", told).await;
        let scope = json!({ "name": HOSTILE, "scope": "read" });
        self.api(owner, "POST /orgs/acme/tokens", scope).await;
        let organisation = self.app.store().organisation("acme").await.unwrap().id;
        self.app.count(&organisation).await.unwrap();
    }
}

/// The address of each page, of that organisation, but for those that somebody has to be given.
fn addresses(organisation: &str) -> Vec<(&'static str, String)> {
    let address = |path: &str| {
        path.replace("{org}", organisation)
            .replace("{env}", "staging")
            .replace("{digest}", &digest('1'))
            .replace("{base}", "unknown")
            .replace("{repository}", "docker%2Eio%2Facme%2Fweb")
            .replace("{flaw}", "CVE-2021-23337")
            .replace("{about}", "CVE-2021-23337")
            .replace("packages/{kind}/{package}", "packages/npm/lodash")
            .replace("{kind}", "slack")
            .replace("{name}", "team")
    };
    let given = |path: &str| path.contains("{secret}");
    ALL.iter().filter(|it| !given(it.path)).map(|it| (it.id, address(it.path))).collect()
}

/// Where the links of a page lead, within the server.
fn links(html: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in html.split("href=\"").skip(1) {
        let link = part.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        if link.starts_with('/') {
            found.insert(link);
        }
    }
    found
}

fn is_dressed(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy");
    for it in
        ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"]
    {
        assert!(policy.contains(it), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "same-origin", "{what}");
    assert_eq!(answer.header("cache-control"), "private, no-store", "{what}");
}

#[tokio::test]
async fn every_page_is_for_members_and_every_link_leads_somewhere() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    house.lived_in(&ann).await;
    let bob = house.somebody(&ann, "bob", "acme", "member").await;
    let mut seen = BTreeSet::new();
    for (who, browser) in [("ann", &ann), ("bob", &bob)] {
        let mut waiting: BTreeSet<String> =
            addresses("acme").into_iter().map(|(_, address)| address).collect();
        for extra in [
            "/o/acme/environments/staging?history=1",
            "/o/acme/environments/staging?stale=1",
            "/o/acme/compare?from=staging&to=staging",
            "/o/acme/vulnerabilities?q=lodash",
            "/o/acme/vulnerabilities?q=%3Cscript%3E",
            "/?all=1",
        ] {
            waiting.insert(extra.to_owned());
        }
        for view in ["packages", "layers", "policies", "where"] {
            waiting.insert(format!("/o/acme/images/{}?view={view}", digest('1')));
        }
        while let Some(path) = waiting.pop_first() {
            let answer = house.look(browser, &path).await;
            assert!(
                matches!(answer.status, 200 | 303),
                "{who} {path}: {} {}",
                answer.status,
                answer.text
            );
            seen.insert(path.clone());
            let kind = answer.header("content-type").to_owned();
            if answer.status == 303 || !kind.starts_with("text/html") {
                continue;
            }
            is_dressed(&answer, &path);
            let text = &answer.text;
            assert!(!text.contains("<script>"), "{path}: {text}");
            assert!(!text.contains("<b>bold"), "{path}: {text}");
            for inline in [" style=", " onclick=", " onload=", "javascript:", "<style"] {
                assert!(!text.contains(inline), "{path}: {inline}");
            }
            for secret in ["fts_", "fti_", PASSWORD] {
                assert!(!text.contains(secret), "{path}: {secret}");
            }
            assert_eq!(text.matches("<h1>").count(), 1, "{path}");
            assert!(text.contains("<html lang=\"en\">") && text.contains("<title>"), "{path}");
            // A member sees nothing that only an owner may send.
            if who == "bob" && path != "/logout" {
                let forms = text.matches("method=\"post\"").count();
                assert_eq!(forms, text.matches("action=\"/logout\"").count(), "{path}: {text}");
            }
            waiting.extend(links(text).into_iter().filter(|it| !seen.contains(it)));
        }
        if who == "ann" {
            seen.clear();
        }
    }
    assert!(seen.len() > 60, "{}", seen.len());
}

#[tokio::test]
async fn strangers_hear_that_there_is_nothing_and_nobody_is_asked_to_log_in() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    house.lived_in(&ann).await;
    house.api(&ann, "POST /orgs", json!({ "name": "other" })).await;
    let eve = house.somebody(&ann, "eve", "other", "owner").await;
    for (id, path) in addresses("acme") {
        let page = ALL.iter().find(|it| it.id == id).unwrap();
        let nobody = house.look(&Browser::default(), &path).await;
        is_dressed(&nobody, &path);
        if page.found == Found::ByAll {
            assert_eq!(nobody.status, 200, "{path}");
        } else {
            assert_eq!(nobody.status, 303, "{path}");
            let next = serde_urlencoded::to_string([("next", &path)]).unwrap();
            assert_eq!(nobody.header("location"), format!("/login?{next}"));
        }
        if !page.is_of_an_organisation() {
            continue;
        }
        let stranger = house.look(&eve, &path).await;
        let nowhere = house.look(&eve, &path.replace("/acme", "/nowhere")).await;
        assert_eq!((stranger.status, nowhere.status), (404, 404), "{path}");
        // What is there and what is not are told in the same words.
        assert_eq!(stranger.text.replace("acme", "nowhere"), nowhere.text, "{path}");
        is_dressed(&stranger, &path);
    }
    assert_eq!(house.look(&ann, "/o/acme/no/such/page").await.status, 404);
    assert_eq!(house.look(&Browser::default(), "/o/acme/no/such/page").await.status, 303);
    assert_eq!(house.look(&eve, "/o/other").await.status, 200);
}

#[tokio::test]
async fn forms_are_taken_from_our_own_pages_and_from_whoever_may() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    house.lived_in(&ann).await;
    let bob = house.somebody(&ann, "bob", "acme", "member").await;
    let form = [("name", "new"), ("flaws", "CVE-2026-1, CVE-2026-2"), ("kind", "accepted-risk")];
    let path = "/o/acme/exceptions";
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(house.fill_in(&ann, site, path, &form).await.status, 403, "{site}");
    }
    let forged = house.fill_in(&bob, "same-origin", path, &form).await;
    assert_eq!(forged.status, 403);
    assert!(forged.text.contains("only an owner may"), "{}", forged.text);
    assert_eq!(house.api(&ann, "GET /orgs/acme/exceptions/old", Json::Null).await["name"], "old");
    let kept = house.fill_in(&ann, "same-origin", path, &form).await;
    assert_eq!((kept.status, kept.header("location")), (303, path), "{}", kept.text);
    let new = house.api(&ann, "GET /orgs/acme/exceptions/new", Json::Null).await;
    assert_eq!(new["definition"]["flaws"], json!(["CVE-2026-1", "CVE-2026-2"]));
    let gone = [("do", "remove"), ("name", "new")];
    assert_eq!(house.fill_in(&ann, "same-origin", path, &gone).await.status, 303);
    let text = house.look(&ann, path).await.text;
    assert!(!text.contains("CVE-2026-2"), "{text}");
    // Without a session it is the way to one, and nothing is done.
    let nobody = house.fill_in(&Browser::default(), "same-origin", path, &form).await;
    assert_eq!(nobody.status, 303);
    assert!(nobody.header("location").starts_with("/login"));
    let enable = [("repository", "acme/web"), ("enabled", "yes")];
    let settings = "/o/acme/settings";
    assert_eq!(house.fill_in(&bob, "same-origin", settings, &enable).await.status, 403);
    assert_eq!(house.fill_in(&ann, "same-origin", settings, &enable).await.status, 303);
    // What is no form is none.
    let odd = Request::post(path)
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, &ann.cookie)
        .header(header::CONTENT_TYPE, "application/json");
    assert_eq!(house.send(odd.body(Body::from("{}")).unwrap()).await.status, 415);
}

#[tokio::test]
async fn logging_in_and_out() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    let wrong = [("name", "ann"), ("password", "wrong"), ("next", "/o/acme/images")];
    let answer = house.fill_in(&Browser::default(), "same-origin", "/login", &wrong).await;
    assert_eq!(answer.status, 401);
    assert!(answer.text.contains("the name or the password is wrong"), "{}", answer.text);
    assert!(answer.text.contains("value=\"/o/acme/images\""), "{}", answer.text);
    assert!(!answer.headers.contains_key("set-cookie"));
    let right = [("name", "ann"), ("password", PASSWORD), ("next", "//evil.example")];
    let foreign = house.fill_in(&Browser::default(), "cross-site", "/login", &right).await;
    assert_eq!(foreign.status, 403);
    let answer = house.fill_in(&Browser::default(), "same-origin", "/login", &right).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    assert!(answer.header("set-cookie").contains("HttpOnly"));
    assert!(answer.text.is_empty());
    assert_eq!(house.look(&ann, "/").await.header("location"), "/o/acme");
    assert_eq!(
        house.look(&ann, "/login?next=/o/acme/images").await.header("location"),
        "/o/acme/images"
    );
    let out = house.fill_in(&ann, "same-origin", "/logout", &[]).await;
    assert_eq!((out.status, out.header("location")), (303, "/login"));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(house.look(&ann, "/o/acme").await.status, 303);
}

#[tokio::test]
async fn what_nobody_can_tell_is_no_nought() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    for name in ["staging", "new"] {
        house.api(&ann, "POST /orgs/acme/environments", json!({ "name": name })).await;
    }
    let overview = house.look(&ann, "/o/acme").await.text;
    assert_eq!(overview.matches("Its findings are not counted yet").count(), 2, "{overview}");
    let recording = json!([{ "image": "acme/api:v2", "digest": digest('2') }]);
    let line = "POST /orgs/acme/environments/staging/deployments";
    house.api(&ann, line, json!({ "recordings": recording })).await;
    let organisation = house.app.store().organisation("acme").await.unwrap().id;
    house.app.count(&organisation).await.unwrap();
    let overview = house.look(&ann, "/o/acme").await.text;
    assert!(overview.contains("1 of 1 image is not analysed."), "{overview}");
    // It runs, and nobody has sent it: that it is not remembered is no reason to say nothing.
    let image = format!("/o/acme/images/{}?of=docker.io%2Facme%2Fapi", digest('2'));
    assert!(overview.contains(&image), "{overview}");
    let image = house.look(&ann, &image).await.text;
    assert!(image.contains("nobody can tell what is in it"), "{image}");
    assert!(!image.contains("No known flaw"), "{image}");
    let other = format!("/o/acme/images/{}?of=acme%2Fapi", digest('3'));
    assert_eq!(house.look(&ann, &other).await.status, 404);
    let where_it_is = house.look(&ann, "/o/acme/vulnerabilities/CVE-2021-44228").await.text;
    assert!(where_it_is.contains("1 image that runs is not analysed"), "{where_it_is}");
    let compared = house.look(&ann, "/o/acme/compare?from=staging&to=new").await.text;
    assert!(compared.contains("cannot tell</span> an image is not analysed"), "{compared}");
}

#[tokio::test]
async fn tables_are_taken_away_as_files() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    house.lived_in(&ann).await;
    let path = "/o/acme/environments/staging?format=csv&table=deployments";
    let csv = house.look(&ann, path).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"foretop-deployments.csv\""
    );
    let lines: Vec<&str> = csv.text.lines().collect();
    let columns = "application,image,findings,critical,high,medium,low,unspecified,exploited,fixable,\
                   in_use,digest,platform,since,until,recorded_by,state";
    assert_eq!(lines[0], columns);
    assert_eq!(lines.len(), 3, "{}", csv.text);
    let path = "/o/acme/environments?format=json&table=environments";
    let json: Json = serde_json::from_str(&house.look(&ann, path).await.text).unwrap();
    let names: Vec<&str> =
        json.as_array().unwrap().iter().filter_map(|it| it["environment"].as_str()).collect();
    assert!(names.contains(&"staging") && names.contains(&HOSTILE), "{names:?}");
}

#[tokio::test]
async fn where_nobody_logs_in_pages_just_work() {
    let house = House::new(true).await;
    let nobody = Browser::default();
    house.api(&nobody, "POST /orgs", json!({ "name": "acme" })).await;
    house.lived_in_locally(&nobody).await;
    for (id, path) in addresses("acme") {
        let answer = house.look(&nobody, &path).await;
        let expect = match id {
            "organisations" | "search" | "log_in" => 303,
            // Who is alone has none.
            "integration" => 404,
            _ => 200,
        };
        assert_eq!(answer.status, expect, "{path}: {}", answer.text);
    }
    // Whoever's page it is that asks: without a cookie, the browser's word is all there is.
    let form = [("name", "new"), ("flaws", "CVE-2026-1"), ("kind", "accepted-risk")];
    let path = "/o/acme/exceptions";
    assert_eq!(house.fill_in(&nobody, "cross-site", path, &form).await.status, 403);
    assert_eq!(house.fill_in(&nobody, "same-origin", path, &form).await.status, 303);
}

impl House {
    async fn lived_in_locally(&self, nobody: &Browser) {
        self.api(nobody, "POST /orgs/acme/environments", json!({ "name": "staging" })).await;
        let known = inventory(&["pkg:npm/lodash@4.17.20"]);
        let push = json!({ "image": "acme/web:v1", "inventory": known });
        self.api(nobody, &format!("PUT /orgs/acme/images/{}", digest('1')), push).await;
    }
}

#[tokio::test]
async fn files_that_pages_are_drawn_with_are_kept_for_ever() {
    let house = House::new(false).await;
    let page = house.look(&Browser::default(), "/login").await.text;
    let files: Vec<String> =
        links(&page).into_iter().filter(|it| it.starts_with("/assets/")).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let answer = house.look(&Browser::default(), &file).await;
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    }
    let other = house.look(&Browser::default(), "/assets/dashboard-0000.css").await;
    assert_eq!(other.status, 404);
}
