//! Sysdig, asked: what runs, page by page, and everything that may go wrong with it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use integration::{Integration, Observed, Outcome, Ways, find};
use testkit::{FakeRegistry, Fault, Listing, Running, SysdigStandIn};

use super::{party, ways};

fn id(letter: &str) -> String {
    format!("sha256:{}", letter.repeat(64))
}

fn running(workload: &str, letter: &str, loaded: &[(&str, &str, &str)]) -> Running {
    let owned = |it: &(&str, &str, &str)| (it.0.to_owned(), it.1.to_owned(), it.2.to_owned());
    Running {
        namespace: "shop".to_owned(),
        workload: workload.to_owned(),
        container: "app".to_owned(),
        image_id: id(letter),
        pulled: format!("r.example/acme/{workload}:v1"),
        manifest: format!("sha256:{}", letter.repeat(63) + "f"),
        loaded: Some(loaded.iter().map(owned).collect()).filter(|it: &Vec<_>| !it.is_empty()),
        idle: vec![("zlib1g".to_owned(), "1.2".to_owned(), "os".to_owned())],
    }
}

/// Two clusters, of which one runs three workloads.
fn stand_in() -> SysdigStandIn {
    let stand_in = SysdigStandIn::start();
    stand_in.runs(
        "prod-eu",
        &[
            running("web", "a", &[("openssl", "3.0.11-1", "os"), ("log4j", "2.14.1", "java")]),
            running("api", "b", &[("flask", "2.0", "python")]),
            running("job", "c", &[]),
        ],
    );
    stand_in.runs("prod-us", &[]);
    stand_in
}

fn sysdig(stand_in: &SysdigStandIn, more: &[(&str, &str)]) -> Box<dyn Integration> {
    let url = stand_in.url();
    let mut settings =
        vec![("token", SysdigStandIn::TOKEN), ("url", url.as_str()), ("cluster", "prod-eu")];
    settings.retain(|(key, _)| !more.iter().any(|it| it.0 == *key));
    settings.extend(more.iter().filter(|it| !it.1.is_empty()));
    party("sysdig", &settings)
}

/// What is observed, a line each, with digests cut short; else why nothing is.
async fn observed(party: &dyn Integration) -> String {
    match party.runtime().unwrap().running().await {
        Ok(observed) => told(&observed),
        Err(failure) => {
            let wait = failure.wait.map(|it| format!(" [wait {}]", it.as_secs()));
            let hint = failure.error.hint().unwrap_or("no hint");
            format!("failed: {failure} ({hint}){}", wait.unwrap_or_default())
        }
    }
}

fn told(observed: &Observed) -> String {
    let mut text = String::new();
    let short = |it: &str| it.get(7..9).unwrap_or_default().to_owned() + &it[70..];
    for it in &observed.containers {
        let image = it.image.as_deref().unwrap_or("-");
        let digest = short(&it.digest);
        let place = format!("{}/{} {}/{}", it.namespace, it.kind, it.workload, it.name);
        let _ = writeln!(text, "{place} {digest} {image}");
    }
    for (digest, profile) in &observed.loaded {
        let names: Vec<&str> = profile.packages.iter().map(|it| it.name.as_str()).collect();
        let whole = if profile.is_whole { "" } else { " and more" };
        let _ = writeln!(text, "{} loads {}{whole}", short(digest), names.join(" "));
    }
    for gap in observed.gaps.iter().chain(&observed.unclear) {
        let _ = writeln!(text, "gap: {gap}");
    }
    text
}

const ALL: &str = "shop/deployment api/app bbb -\n\
                   shop/deployment job/app ccc -\n\
                   shop/deployment web/app aaa -\n\
                   aaa loads log4j openssl\n\
                   bbb loads flask\n";

/// The same by the vulnerability results, which know what was pulled.
const RESULTS: &str = "shop/deployment api/app bbf r.example/acme/api:v1\n\
                       shop/deployment job/app ccf r.example/acme/job:v1\n\
                       shop/deployment web/app aaf r.example/acme/web:v1\n\
                       aaf loads log4j openssl\n\
                       bbf loads flask\n";

/// The checks, a line each.
async fn checked(party: &dyn Integration, host: &str) -> String {
    let checks = party.runtime().unwrap().checks().await.into_iter();
    let lines = checks.map(|check| match check.outcome {
        Outcome::Ok { detail } => format!("ok {}: {detail}\n", check.what),
        Outcome::Warned { why, hint } => format!("warned {}: {why} ({hint})\n", check.what),
        Outcome::Failed { why, hint } => {
            format!("failed {}: {why} ({})\n", check.what, hint.unwrap_or_default())
        }
    });
    lines.collect::<String>().replace(host, "HOST")
}

#[tokio::test]
async fn what_runs_is_told_page_by_page() {
    let stand_in = stand_in();
    let party = sysdig(&stand_in, &[]);
    assert_eq!(observed(party.as_ref()).await, ALL);
    for entries in [1, 2] {
        stand_in.pages_of(entries);
        assert_eq!(observed(party.as_ref()).await, ALL, "{entries}");
    }
    let seen = stand_in.seen();
    assert!(
        seen.iter().all(|it| it.authorization.as_deref() == Some("Bearer 5d6c1e0a-risk-spotlight"))
    );
    assert!(
        seen[0].path.ends_with("runtimeimages?clusterName=prod-eu&limit=250"),
        "{}",
        seen[0].path
    );
    assert!(seen.iter().any(|it| it.path.ends_with("&limit=250&cursor=after%2F2")));
}

#[tokio::test]
async fn clusters_are_listed_in_every_form() {
    let stand_in = stand_in();
    for form in [Listing::Names, Listing::Objects, Listing::Clusters, Listing::Bare] {
        stand_in.lists(form);
        let party = sysdig(&stand_in, &[("cluster", "")]);
        let clusters = party.runtime().unwrap().clusters().await.unwrap();
        assert_eq!(clusters, ["prod-eu", "prod-us"], "{form:?}");
    }
}

#[tokio::test]
async fn a_connection_is_tried_step_by_step() {
    let stand_in = stand_in();
    let host = stand_in.host();
    let check = async |more: &[(&str, &str)], expect: &str| {
        assert_eq!(checked(sysdig(&stand_in, more).as_ref(), &host).await, expect, "{more:?}");
    };
    let start = "ok API reachable: HOST\nok token accepted: Risk Spotlight is asked\n\
                 ok clusters listed: prod-eu, prod-us\n";
    let all = "ok cluster known: prod-eu\nok running images listed: of prod-eu\n\
               ok loaded packages told: of the first that was asked for\n";
    check(&[], &format!("{start}{all}")).await;
    check(
        &[("cluster", "")],
        &format!(
            "{start}warned cluster known: none is chosen yet (choose a cluster: prod-eu, prod-us)\n"
        ),
    )
    .await;
    check(
        &[("cluster", "prod")],
        &format!("{start}failed cluster known: it knows of none called prod (choose a cluster: prod-eu, prod-us)\n"),
    )
    .await;
    check(
        &[("cluster", "prod-us")],
        &format!(
            "{start}ok cluster known: prod-us\nwarned running images listed: it tells of none yet \
             (enable profiling for Risk Spotlight integrations in Sysdig Secure, and give it time)\n"
        ),
    )
    .await;
    check(
        &[("token", "another")],
        "ok API reachable: HOST\nfailed token accepted: HOST does not give it to the given token: Bad \
         credentials; nor do its vulnerability results: HOST does not give it to the given token: Bad \
         credentials (is the token one for Risk Spotlight integrations, still valid, and of the region \
         that `region` says?)\n",
    )
    .await;
    check(
        &[("url", "http://127.0.0.1:1")],
        "failed API reachable: 127.0.0.1 cannot be reached: Connection refused (os error 111) (tried 3 \
         times) (is the name right, and the way there open?)\n",
    )
    .await;
    stand_in.plan("runtimeclusters", 1, Fault::Html(200));
    check(
        &[],
        "failed API reachable: HOST answered with HTML (is that the address of Sysdig Secure's \
         interface? `region` and `url` say it)\n",
    )
    .await;
    stand_in.plan("runtimeclusters", 1, Fault::Status(404, Vec::new(), "nothing here".to_owned()));
    check(
        &[],
        "failed API reachable: HOST answered 404 (is that the address of Sysdig Secure's interface? \
         `region` and `url` say it)\n",
    )
    .await;
    stand_in.plan("runtimeimages", 1, Fault::status(403));
    check(
        &[],
        &format!(
            "{start}ok cluster known: prod-eu\nfailed running images listed: HOST does not give it to \
             the given token (is the token one for Risk Spotlight integrations, still valid, and of \
             the region that `region` says?)\n"
        ),
    )
    .await;
    stand_in.plan("runtimeclusters", 1, Fault::Status(200, Vec::new(), r#"{"data":[]}"#.into()));
    check(
        &[],
        "ok API reachable: HOST\nok token accepted: Risk Spotlight is asked\nfailed clusters listed: \
         it knows of none (install Sysdig's agent in a cluster, and give it a few minutes)\n",
    )
    .await;
    // Of a cluster without any result nobody knows here.
    stand_in.refuse_spotlight();
    check(
        &[],
        &format!("{start}{all}")
            .replace("Risk Spotlight is", "vulnerability results are")
            .replace(", prod-us", ""),
    )
    .await;
}

/// A token that is not for Risk Spotlight may be one for vulnerability results.
#[tokio::test]
async fn results_are_asked_where_spotlight_says_no() {
    let stand_in = stand_in();
    assert_eq!(
        observed(sysdig(&stand_in, &[("source", "vulnerabilities")]).as_ref()).await,
        RESULTS
    );
    stand_in.refuse_spotlight();
    stand_in.pages_of(1);
    assert_eq!(observed(sysdig(&stand_in, &[]).as_ref()).await, RESULTS);
    let only = observed(sysdig(&stand_in, &[("source", "risk-spotlight")]).as_ref()).await;
    assert!(only.starts_with("failed: ") && only.contains("Access is denied"), "{only}");
    // Who is away for now has not said no.
    let stand_in = self::stand_in();
    stand_in.plan("runtimeimages", 9, Fault::status(500));
    let away = observed(sysdig(&stand_in, &[]).as_ref()).await;
    assert!(away.contains("answered 500 (tried 3 times)"), "{away}");
    assert!(!stand_in.seen().iter().any(|it| it.path.contains("vulnerability")));
}

/// What is not known of a result leaves a gap; nothing is left out silently.
#[tokio::test]
async fn results_without_their_details() {
    let stand_in = stand_in();
    let party = sysdig(&stand_in, &[("source", "vulnerabilities")]);
    stand_in.plan("results/prod-eu-0", 1, Fault::status(404));
    let expect = RESULTS.replace("aaf r.", "aaa r.").replace("aaf loads log4j openssl\n", "")
        + "gap: the result of web: HOST does not have it\n";
    assert_eq!(observed(party.as_ref()).await.replace(&stand_in.host(), "HOST"), expect);
    // A filter that is not heeded brings others' results, too.
    stand_in.runs("prod-us", &[running("web", "d", &[])]);
    let body = r#"{"page":{"total":1},"data":[{"resultId":"prod-us-0","resourceId":"D","scope":{"kubernetes.cluster.name":"prod-us"}}]}"#;
    let fault = Fault::Status(200, Vec::new(), body.replace('D', &id("d")));
    stand_in.plan("runtime-results", 1, fault);
    assert_eq!(observed(party.as_ref()).await, "");
    // Who says that there are more than it tells of has not told all of it.
    for (total, expect) in [
        (2, "gap: the results of prod-eu: it says that there are 2, and tells of 1\n"),
        (1, ""),
        (0, ""),
    ] {
        let body = body.replace("\"total\":1", &format!("\"total\":{total}"));
        let fault = Fault::Status(200, Vec::new(), body.replace('D', &id("d")));
        stand_in.plan("runtime-results", 1, fault);
        assert_eq!(observed(party.as_ref()).await, expect);
    }
    let quoted = sysdig(&stand_in, &[("source", "vulnerabilities"), ("cluster", "a\"b")]);
    let why = observed(quoted.as_ref()).await;
    assert!(why.contains("cannot be asked about a name with quotes"), "{why}");
}

#[tokio::test]
async fn whatever_is_lost_is_a_gap() {
    let stand_in = stand_in();
    let host = stand_in.host();
    let party = sysdig(&stand_in, &[]);
    let check = async |path: &str, times: usize, fault: Fault, expect: &str| {
        stand_in.mend();
        stand_in.plan(path, times, fault.clone());
        let shown = observed(party.as_ref()).await.replace(&host, "HOST");
        assert_eq!(shown, expect, "{path} {fault:?}");
    };
    let page = |body: &str| Fault::Status(200, Vec::new(), body.to_owned());
    let address = "(is that the address of Sysdig Secure's interface? `region` and `url` say it)";
    // The first page must be there.
    check("runtimeimages", 1, Fault::Truncate(40), "failed: HOST: the images of prod-eu: the answer is no JSON: at line 1, column 40 (no hint)").await;
    check(
        "runtimeimages",
        1,
        page(r#"{"data":7}"#),
        "failed: HOST: the images of prod-eu: its `data` is no list (no hint)",
    )
    .await;
    check(
        "runtimeimages",
        1,
        page(r#"{"message":"no"}"#),
        "failed: HOST: the images of prod-eu: the answer has neither `page` nor `data` (no hint)",
    )
    .await;
    check("runtimeimages", 1, Fault::status(410), "failed: HOST: HOST answered 410 (no hint)")
        .await;
    check(
        "runtimeimages",
        1,
        Fault::Status(404, Vec::new(), "nothing here".to_owned()),
        &format!("failed: HOST: HOST answered 404 {address}"),
    )
    .await;
    // An error without a gap is one that passed.
    check("runtimeimages", 1, Fault::status(500), ALL).await;
    check("runtimeimages", 1, Fault::retry_after(429, "0"), ALL).await;
    check("runtimeimages", 2, Fault::HangUp, ALL).await;
    // Out of order, twice, with what nobody knows: the same.
    stand_in.mend();
    stand_in.pages_of(1);
    let three = "shop/deployment api/app bbb -\nshop/deployment web/app aaa -\n\
                 aaa loads log4j openssl\nbbb loads flask\n";
    check(
        "cursor=after%2F2",
        1,
        Fault::status(410),
        &format!("{three}gap: the images of prod-eu: page 3: HOST answered 410\n"),
    )
    .await;
    check("cursor=after%2F2", 1, Fault::Truncate(9), &format!("{three}gap: the images of prod-eu: page 3: the images of prod-eu: the answer is no JSON: at line 1, column 9\n")).await;
    check(
        "cursor=after%2F2",
        1,
        page(r#"{"page":{"next":"after/1"},"data":[]}"#),
        &format!("{three}gap: the images of prod-eu: its pages lead in a circle\n"),
    )
    .await;
    let mut faults = 0..;
    stand_in.mend();
    for _ in 0..150 {
        let body = format!(r#"{{"page":{{"next":"n{}"}},"data":[]}}"#, faults.next().unwrap_or(0));
        stand_in.plan("runtimeimages", 1, page(&body));
    }
    assert_eq!(observed(party.as_ref()).await, "gap: the images of prod-eu: it has no end\n");
}

#[tokio::test]
async fn patience_is_kept() {
    let stand_in = stand_in();
    let party = sysdig(&stand_in, &[]);
    let later = std::time::SystemTime::now() + Duration::from_mins(50);
    let second = later.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let headers = vec![("x-ratelimit-reset".to_owned(), second.to_string())];
    stand_in.plan(
        "runtimeimages",
        1,
        Fault::Status(429, headers, r#"{"message":"slow down"}"#.into()),
    );
    let failure = party.runtime().unwrap().running().await.unwrap_err();
    assert!(failure.wait.unwrap() > Duration::from_secs(2900), "{failure}");
    assert!(failure.to_string().contains("too many requests: slow down"), "{failure}");
    let asked = stand_in.seen().len();
    assert!(party.runtime().unwrap().clusters().await.unwrap_err().wait.is_some());
    assert_eq!(stand_in.seen().len(), asked, "nobody was asked");
}

/// Nobody is believed without a certificate, and an authority of one's own is enough.
#[tokio::test]
async fn certificates_are_checked() {
    let server = FakeRegistry::start_with_tls();
    let url = format!("https://localhost:{}", server.host().rsplit(':').next().unwrap());
    let asked = async |ways: Ways| {
        let given = [("token", "t"), ("url", url.as_str()), ("cluster", "a")];
        let given: Vec<_> =
            given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let kind = find("sysdig").unwrap();
        let settings = kind.settle(&given, &|_| None).unwrap();
        let party = (kind.connect)(&settings, &ways).unwrap();
        party.runtime().unwrap().running().await.unwrap_err().to_string()
    };
    let why = asked(ways()).await;
    assert!(why.contains("localhost cannot prove who it is"), "{why}");
    assert_eq!(server.seen().len(), 0);
    let mine = image::Settings {
        certificate_authorities: vec![FakeRegistry::authority()],
        ..ways().settings.as_ref().clone()
    };
    let why = asked(Ways { settings: Arc::new(mine), ..ways() }).await;
    assert!(!why.contains("prove") && !server.seen().is_empty(), "{why}");
    let plain =
        [("token".to_owned(), "t".to_owned()), ("url".to_owned(), "http://a.example".to_owned())];
    let kind = find("sysdig").unwrap();
    let settings = kind.settle(&plain, &|_| None).unwrap();
    let why = (kind.connect)(&settings, &ways()).err().unwrap().to_string();
    assert_eq!(why, "http://a.example: it is without TLS");
}
