//! What rules make of events, as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

use model::{Act, Deployment, Event, EventKind, Level, Moment, OrganisationId, Topic};
use serde_json::{Value as Json, json};
use store::{NewMessage, RuleRecord, Tiding, WaitingMessage};

use super::look::BURST;
use super::{Body, Brought, Heard, Look, Ruled, Running, Telling, Terms};

const NOW: &str = "2026-11-21T10:00:00Z";

fn now() -> Moment {
    NOW.parse().unwrap()
}

/// A rule that tells by `webhook ops`.
fn rule(name: &str, definition: Json) -> Ruled {
    let terms = Terms::of(&serde_json::from_value(definition.clone()).unwrap()).unwrap();
    let record = RuleRecord {
        id: name.to_owned(),
        organisation: OrganisationId("acme".to_owned()),
        name: name.to_owned(),
        integration: "i".to_owned(),
        kind: "webhook".to_owned(),
        channel: "ops".to_owned(),
        definition,
        created: now(),
        created_by: "ann".to_owned(),
        changed: now(),
        changed_by: "ann".to_owned(),
    };
    Ruled { record, terms, told: OnceLock::new(), waiting: 0, since: None }
}

fn event(number: usize, kind: EventKind, environment: &str, about: &str, detail: Json) -> Heard {
    let environment = (!environment.is_empty()).then(|| environment.to_owned());
    Heard::of(Tiding {
        event: Event {
            id: format!("{number:05}"),
            act: Act { who: "ann".to_owned(), origin: "ci/17".to_owned(), at: now() },
            kind,
            environment: environment.clone(),
            about: about.to_owned(),
            detail,
        },
        environment_now: environment,
    })
}

/// `kind environment flaw package version level fixed`, with `!` behind the level of what is known to be
/// exploited, and `-` for no fix.
fn finding(number: usize, line: &str) -> Heard {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [kind, environment, flaw, name, version, level, fixed] = words[..] else {
        panic!("{line}");
    };
    let exploited = level.ends_with('!');
    let state = |level: &str| json!({ "severity": level, "fixed": (fixed != "-").then_some(fixed), "exploited": exploited });
    let (former, level) =
        level.trim_end_matches('!').split_once('>').unwrap_or(("", level.trim_end_matches('!')));
    let detail = json!({
        "name": name, "version": version, "images": 1,
        "digests": [digest(name.len())],
        "aliases": ["GHSA-1"],
        "before": (!former.is_empty()).then(|| state(former)),
        "after": state(level),
    });
    event(number, EventKind::parse(kind).unwrap(), environment, flaw, detail)
}

fn digest(number: usize) -> String {
    model::Digest::from_sha256(&[u8::try_from(number).unwrap(); 32]).to_string()
}

fn looked(rules: &[Ruled], events: &[Heard]) -> (Vec<NewMessage>, Vec<store::Recollection>) {
    looked_with(rules, events, &Running::new(), &[])
}

fn looked_with(
    rules: &[Ruled],
    events: &[Heard],
    running: &Running,
    waiting: &[WaitingMessage],
) -> (Vec<NewMessage>, Vec<store::Recollection>) {
    let mut look = Look::new(rules);
    for it in events {
        let of = it.repositories(|_, digest| {
            let found = running.iter().filter(|it| it.0.1 == digest).flat_map(|it| it.1);
            found.map(|it| it.repository.clone()).collect()
        });
        look.hear(it, &of);
    }
    let decided = look.decide(now());
    let told = decided.told.clone();
    (decided.messages("acme", running, waiting), told)
}

/// Each message: its rule and title, its text, its facts.
fn shown(messages: &[NewMessage], running: &Running) -> String {
    let mut text = String::new();
    for it in messages {
        let body: Body = serde_json::from_value(it.body.clone()).unwrap();
        let telling = Telling { organisation: "acme", rule: &it.rule, in_use_only: false };
        let said = body.said(telling, running, now());
        let _ = write!(text, "{}: {}", it.rule, said.title);
        if it.ready != now() {
            let _ = write!(text, " [{}]", it.ready);
        }
        text.push('\n');
        if !said.text.is_empty() {
            let _ = writeln!(text, "  {}", said.text);
        }
        for fact in said.facts.iter().filter(|it| it.name != "Read on") {
            let _ = writeln!(text, "  {}: {}", fact.name, fact.lines.join("; "));
        }
    }
    text
}

#[track_caller]
fn check(definition: Json, lines: &[&str], expect: &str) {
    let rules = [rule("r", definition)];
    let events: Vec<Heard> =
        lines.iter().enumerate().map(|(number, it)| finding(number, it)).collect();
    let (messages, _) = looked(&rules, &events);
    let strip = |text: &str| {
        let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
        lines.join("\n")
    };
    assert_eq!(strip(&shown(&messages, &Running::new())), strip(expect));
}

#[test]
fn one_message_is_about_one_flaw() {
    check(
        json!({ "on": ["new-finding"] }),
        &[
            "finding-new production CVE-1 openssl 3.0.1 high 3.0.2",
            "finding-new production CVE-1 libssl3 3.0.1 critical -",
            "finding-new staging CVE-1 openssl 3.0.1 high 3.0.2",
            "finding-new staging CVE-2 zlib 1.2 low! -",
            "finding-gone staging CVE-3 zlib 1.2 low -",
        ],
        "r: CVE-1 (critical) is new in production, staging
           In: libssl3 3.0.1; openssl 3.0.1
           Runs in: production: what had it runs there no more; staging: what had it runs there no more
           Fixed in: libssl3: there is no fix yet; openssl 3.0.2
         r: CVE-2 (low, known to be exploited) is new in staging
           In: zlib 1.2
           Runs in: staging: what had it runs there no more
           Fixed in: zlib: there is no fix yet",
    );
}

#[test]
fn a_rule_tells_of_what_it_asks_for() {
    let events = [
        "finding-new production CVE-1 a 1 high -",
        "finding-new production CVE-2 a 1 low! -",
        "finding-exploited production CVE-3 a 1 medium! -",
        "finding-severity-changed production CVE-4 a 1 low>high -",
        "finding-severity-changed production CVE-5 a 1 high>low -",
        "finding-fix-available production CVE-6 a 1 high 2",
        "finding-gone production CVE-7 a 1 high -",
        "finding-new staging CVE-8 a 1 critical -",
    ];
    let check = |definition: Json, expect: &str| {
        let rules = [rule("r", definition)];
        let events: Vec<Heard> =
            events.iter().enumerate().map(|(number, it)| finding(number, it)).collect();
        let (messages, _) = looked(&rules, &events);
        let titles = shown(&messages, &Running::new());
        let titles: Vec<&str> = titles.lines().filter_map(|it| it.strip_prefix("r: ")).collect();
        assert_eq!(titles.join("\n"), expect);
    };
    check(
        json!({ "on": ["known-exploited"] }),
        "CVE-2 (low) is known to be exploited, and runs in production\n\
         CVE-3 (medium) is known to be exploited, and runs in production",
    );
    check(
        json!({ "on": ["severity-up", "fix-available", "finding-gone"] }),
        "CVE-4 is high by now, and was low: it runs in production\n\
         CVE-6 (high) can be mended by now in production\n\
         CVE-7 (high) is gone from production",
    );
    check(
        json!({ "on": ["new-finding"], "environments": ["stag*"] }),
        "CVE-8 (critical) is new in staging",
    );
    check(
        json!({ "on": ["new-finding"], "severities": ["critical", "high"] }),
        "CVE-1 (high) is new in production\nCVE-8 (critical) is new in staging",
    );
    check(json!({ "on": ["new-finding"], "environments": ["prod"] }), "");
}

/// What an image brings to production.
fn brought(image: &str, found: &[(&str, u64)], exploited: bool) -> Brought {
    let levels: BTreeMap<&str, u64> = found.iter().copied().collect();
    Brought {
        environment: "production".to_owned(),
        about: image.to_owned(),
        level: found.iter().filter_map(|it| Level::parse(it.0)).max(),
        exploited,
        digest: Some(digest(image.len())),
        detail: json!({
            "found": levels, "repository": "docker.io/acme/web", "former": "docker.io/acme/web:v1",
            "is_former_known": true,
            "worst": [{ "id": "CVE-1", "package": "lodash", "version": "4.17.4", "fix": "4.17.21" }],
        }),
    }
}

#[test]
fn what_an_image_brings_is_one_message() {
    let came = event(1, EventKind::DeploymentReplaced, "production", "web", json!({}));
    let bringing = |found: &[(&str, u64)], exploited: bool| {
        came.bringing(brought("docker.io/acme/web:v2", found, exploited))
    };
    let told = |definition: Json, heard: &[Heard]| {
        shown(&looked(&[rule("r", definition)], heard).0, &Running::new())
    };
    let high = [came.clone(), bringing(&[("high", 2), ("low", 1)], false)];
    let expect = "r: docker.io/acme/web:v2 brings new findings to production: high at worst [2026-11-21T10:01:00Z]
  2 high, 1 low: CVE-1 in lodash 4.17.4, mended in 4.17.21; docker.io/acme/web:v1 ran before it, and \
                  had none of them
  Runs in: production: what had it runs there no more
";
    assert_eq!(told(json!({ "on": ["new-finding"] }), &high), expect);
    assert_eq!(told(json!({ "on": ["new-finding"], "severities": ["low"] }), &high), expect);
    for silent in [
        json!({ "on": ["new-finding"], "severities": ["critical"] }),
        json!({ "on": ["new-finding"], "environments": ["staging"] }),
        json!({ "on": ["new-finding"], "repositories": ["docker.io/others/*"] }),
        json!({ "on": ["known-exploited", "severity-up"] }),
    ] {
        assert_eq!(told(silent, &high), "");
    }
    let exploited = bringing(&[("medium", 1)], true);
    let text = told(json!({ "on": ["known-exploited"] }), &[exploited]);
    assert!(text.contains("to production: medium at worst, known to be exploited"), "{text}");
    // Where nobody could look, whoever asks is told that, whatever they ask for.
    let left = Brought { about: "what 3 deployments bring".to_owned(), ..brought("", &[], false) };
    let left = Brought { digest: None, detail: json!({}), ..left };
    for on in ["new-finding", "known-exploited"] {
        let narrow = json!({ "on": [on], "severities": ["critical"] });
        assert_eq!(
            told(narrow, &[came.bringing(left.clone())]),
            "r: what 3 deployments bring to production could not be told [2026-11-21T10:01:00Z]\n"
        );
    }
    // What comes within a minute is told together.
    let burst: Vec<Heard> = (0..30)
        .map(|it| {
            came.bringing(brought(&format!("i{it:02}{}", "x".repeat(it)), &[("low", 1)], false))
        })
        .collect();
    let text = told(json!({ "on": ["new-finding"] }), &burst);
    assert!(text.starts_with("r: 30 images bring new findings: 30 low in production"), "{text}");
}

#[test]
fn a_burst_is_one_message() {
    let mut lines = Vec::new();
    for number in 0..10_000 {
        let level = ["critical", "high", "medium", "low"][number % 4];
        let environment = ["production", "staging"][number % 2];
        lines.push(format!("finding-new {environment} CVE-{number:05} openssl 3 {level} -"));
    }
    lines.push("finding-new production CVE-99999 log4j 2 critical! -".to_owned());
    let rules = [
        rule("all", json!({ "on": ["all"] })),
        rule("worst", json!({ "on": ["known-exploited"] })),
    ];
    let events: Vec<Heard> =
        lines.iter().enumerate().map(|(number, it)| finding(number, it)).collect();
    let (messages, told) = looked(&rules, &events);
    assert_eq!((messages.len(), told.len()), (2, 10_002));
    let text = shown(&messages, &Running::new());
    let lines: Vec<&str> = text.lines().collect();
    let expect = "all: 10001 new findings: 2501 critical, 2500 high, 2500 medium, 2500 low in \
                  production, staging";
    assert_eq!(lines[0], expect);
    let worst =
        "  The worst: CVE-99999 (critical, known to be exploited) is new in production: log4j 2";
    assert!(lines[1].starts_with(worst) && lines[1].ends_with("; and 9993 more"), "{}", lines[1]);
    assert_eq!(lines[2], "  Where: production: 5001; staging: 5000");
    assert_eq!(
        lines[3],
        "worst: CVE-99999 (critical) is known to be exploited, and runs in production"
    );
    let bytes = messages[0].body.to_string().len();
    assert!(bytes < 20_000, "{bytes} bytes");
    // As many as are told by themselves.
    let (messages, _) = looked(&rules[..1], &events[..BURST]);
    assert_eq!(messages.len(), BURST);
    assert_eq!(looked(&rules[..1], &events[..=BURST]).0.len(), 1);
}

#[test]
fn the_same_flaw_is_no_news_the_same_day() {
    let mut rules = [rule("r", json!({ "on": ["new-finding"] }))];
    let first = [finding(1, "finding-new production CVE-1 a 1 high -")];
    let (messages, told) = looked(&rules, &first);
    assert_eq!(messages.len(), 1);
    let told: BTreeMap<_, _> = told.into_iter().map(|it| (it.what, it.severity)).collect();
    rules[0].told = OnceLock::from(told);
    let again = |line: &str| looked(&rules, &[finding(2, line)]).0.len();
    assert_eq!(again("finding-new production CVE-1 b 2 high -"), 0);
    assert_eq!(again("finding-new production CVE-1 b 2 medium -"), 0);
    assert_eq!(again("finding-new production CVE-1 b 2 critical -"), 1, "it is worse");
    assert_eq!(again("finding-new production CVE-1 b 2 high! -"), 1, "it is worse");
    assert_eq!(again("finding-new staging CVE-1 a 1 high -"), 1, "it is elsewhere");
}

#[test]
fn what_is_gathered_is_gone_on_with() {
    let definition = json!({ "on": ["all"], "digest": { "every": "daily" } });
    let rules = [rule("r", definition)];
    let (messages, _) = looked(
        &rules,
        &[
            finding(1, "finding-new production CVE-1 a 1 high -"),
            finding(2, "finding-fix-available staging CVE-2 b 1 low 2"),
        ],
    );
    let [first] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(
        (first.about.as_str(), &first.instead_of),
        ("1 new-finding, 1 fix-available", &None)
    );
    let waiting = WaitingMessage {
        id: "m".to_owned(),
        rule: None,
        rule_id: Some("r".to_owned()),
        key: first.key.clone(),
        body: first.body.clone(),
        attempts: 0,
        due: first.ready,
    };
    let more = [
        finding(3, "finding-new staging CVE-1 a 1 critical -"),
        finding(4, "finding-new staging CVE-3 a 1 low -"),
    ];
    let (messages, _) = looked_with(&rules, &more, &Running::new(), &[waiting]);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].instead_of.as_ref().map(|it| it.0.as_str()), Some("m"));
    let expect = "r: digest: 3 things happened in production, staging [2026-11-22T08:00:00Z]
  What: 2 new findings: 1 critical, 1 low; 1 flaw can be mended: 1 low
  The worst: CVE-1 (critical) is new in production, staging: a 1; CVE-2 (low) can be mended by now in staging: b 1; CVE-3 (low) is new in staging: a 1
  Where: staging: 3; production: 1
";
    assert_eq!(shown(&messages, &Running::new()), expect);
}

#[test]
fn a_rule_with_much_waiting_tells_together() {
    let mut rules = [rule("r", json!({ "on": ["all"] }))];
    rules[0].waiting = 500;
    let events = [
        finding(1, "finding-new production CVE-1 a 1 high -"),
        finding(2, "finding-new production CVE-2 a 1 high -"),
    ];
    let (messages, _) = looked(&rules, &events);
    assert_eq!(messages.len(), 1);
    assert!(messages[0].key.starts_with("gathered many "));
}

fn runs(environment: &str, digest: &str, image: &str) -> Running {
    let (repository, tag) = image.split_once(':').unwrap();
    let deployment = Deployment {
        id: "d".to_owned(),
        environment: environment.to_owned(),
        application: repository.to_owned(),
        platform: "linux/amd64".parse().unwrap(),
        repository: repository.to_owned(),
        tag: Some(tag.to_owned()),
        digest: digest.parse().unwrap(),
        source: "cli".parse().unwrap(),
        recorded_by: "bob".to_owned(),
        recorded_from: "ci/4".to_owned(),
        from: now(),
        until: None,
        pending: false,
    };
    Running::from([((environment.to_owned(), digest.to_owned()), vec![deployment])])
}

#[test]
fn it_says_where_it_runs_and_who_brought_it() {
    let rules = [rule("r", json!({ "on": ["all"], "repositories": ["docker.io/acme/*"] }))];
    let events = [finding(1, "finding-new production CVE-1 a 1 high 2")];
    let running = runs("production", &digest(1), "docker.io/acme/web:v1");
    let (messages, _) = looked_with(&rules, &events, &running, &[]);
    let expect = "r: CVE-1 (high) is new in production
  In: a 1
  Runs in: production: docker.io/acme/web:v1, since 2026-11-21
  Brought by: bob (ci/4)
  Fixed in: a 2
";
    assert_eq!(shown(&messages, &running), expect);
    // Others have it, too, but they are not asked for.
    let elsewhere = runs("production", &digest(1), "docker.io/others/web:v1");
    assert!(looked_with(&rules, &events, &elsewhere, &[]).0.is_empty());
    // Of images that nobody names it is not known: it is told, with that word.
    let mut many = events[0].clone();
    many.images = 30;
    let (messages, _) = looked_with(&rules, &[many], &elsewhere, &[]);
    let text = shown(&messages, &elsewhere);
    assert!(
        text.contains("it may be in none of the repositories") && text.contains("29 more images"),
        "{text}"
    );
}

#[test]
fn what_is_not_in_use_is_left_out_and_what_nobody_knows_is_told() {
    let rules = [rule("r", json!({ "on": ["all"], "in_use_only": true }))];
    let told = |in_use: Option<bool>| {
        let mut it = finding(1, "finding-new production CVE-1 a 1 high 2");
        it.in_use = in_use;
        let (messages, _) = looked(&rules, &[it]);
        let body: Option<Body> =
            messages.first().map(|it| serde_json::from_value(it.body.clone()).unwrap());
        let Some(Body::Message(message)) = body else { return None };
        let fact = message.facts.iter().find(|it| it.name == "In use");
        fact.map(|it| it.lines.join(";"))
    };
    assert_eq!(told(Some(true)), Some("yes".to_owned()));
    assert_eq!(told(Some(false)), None);
    assert_eq!(told(None), Some("nobody can tell".to_owned()));
}

#[test]
fn other_things_are_told_in_a_line() {
    let rules = [rule("r", json!({ "on": ["all"] }))];
    let started = |number, image: &str, former: Option<&str>| {
        let named = |image: &str| {
            let (repository, tag) = image.split_once(':').unwrap();
            json!({ "repository": repository, "tag": tag, "digest": digest(1) })
        };
        let mut detail = named(image);
        if let Some(former) = former {
            detail["replaced"] = named(former);
        }
        let kind = if former.is_some() {
            EventKind::DeploymentReplaced
        } else {
            EventKind::DeploymentStarted
        };
        event(number, kind, "production", "docker.io/acme/web", detail)
    };
    let moved = json!({ "platform": "linux/amd64", "from": digest(1), "to": digest(2) });
    let tag = "docker.io/acme/web:v1";
    let why = json!({ "why": "the feed does not answer" });
    let failed = json!({
        "verdict": "failed", "found": { "critical": 1, "high": 0, "low": 2 },
        "worst": [
            { "id": "CVE-1", "package": "lodash", "version": "4.17.4", "fix": "4.17.21" },
            { "id": "CVE-2", "package": "zlib", "version": "1.2" },
        ],
    });
    let unknown = json!({ "verdict": "unknown", "why": "nothing is known of 1 image" });
    let events = [
        started(1, "docker.io/acme/web:v1", None),
        started(2, "docker.io/acme/web:v2", Some("docker.io/acme/web:v1")),
        event(3, EventKind::TagMoved, "", tag, moved.clone()),
        event(4, EventKind::TagMoved, "", tag, moved).within("staging"),
        event(
            5,
            EventKind::IntegrationChanged,
            "",
            "harbor ours",
            json!({ "state": "failed", "why": "401" }),
        ),
        event(6, EventKind::IntegrationChanged, "", "harbor ours", json!({ "state": "connected" })),
        // A channel is not told of itself.
        event(
            7,
            EventKind::IntegrationChanged,
            "",
            "webhook ops",
            json!({ "state": "failed", "why": "gone" }),
        ),
        event(8, EventKind::AlmanacStale, "", "osv", json!({ "days": 9, "why": "it is away" })),
        event(9, EventKind::CheckFailed, "production", "nightly", failed),
        event(14, EventKind::CheckFailed, "production", "weekly", unknown),
        event(15, EventKind::CheckPassed, "production", "monthly", json!({ "images": 3 })),
        event(10, EventKind::RuntimeSilent, "production", "kubernetes main", json!({})),
        event(11, EventKind::EvaluationIncomplete, "", "sha256:1", why),
        event(
            12,
            EventKind::EvaluationIncomplete,
            "production",
            "sha256:1",
            json!({ "why": "a hole" }),
        ),
        event(13, EventKind::UserDeleted, "", "bob", json!({})),
    ];
    let (messages, _) = looked(&rules, &events);
    let expect = "r: what a new almanac changes cannot be told of all that runs in production
  a hole
r: what a new almanac changes cannot be told of all that runs
  the feed does not answer
r: docker.io/acme/web:v1 leads to another image than what runs in staging
  leads to sha256:020202020202, and led to sha256:010101010101 (linux/amd64)
  Runs in: staging: what had it runs there no more
r: production has changed 2 times
  What: docker.io/acme/web:v1 runs, by ann (ci/17); docker.io/acme/web:v2 runs instead of v1, by ann (ci/17)
r: the integration harbor ours does not work
  401
r: what osv tells is out of date
  it is 9 days old; it is away
r: kubernetes main is not heard of any more in production: what runs there is as it was told last
r: the check monthly passed again in production
  nothing of what it looks for is in 3 images
r: the check nightly did not pass in production
  1 critical, 2 low: CVE-1 in lodash 4.17.4, mended in 4.17.21; CVE-2 in zlib 1.2
r: the check weekly did not pass in production
  nobody can tell: nothing is known of 1 image
";
    assert_eq!(shown(&messages, &Running::new()), expect);
}

#[test]
fn every_topic_has_words_of_its_own() {
    let rules = [rule("r", json!({ "on": ["all"] }))];
    for topic in Topic::ALL {
        for (number, kind) in topic.kinds.iter().enumerate() {
            let detail = json!({
                "state": "failed", "name": "a", "version": "1", "images": 1,
                "before": { "severity": "low" }, "after": { "severity": "high", "exploited": true },
            });
            let mut heard = event(number, *kind, "production", "x", detail);
            if topic.id == Topic::DEPLOYED {
                heard = heard.bringing(brought("docker.io/acme/web:v2", &[("high", 1)], false));
            }
            let (messages, _) = looked(&rules, &[heard]);
            let text = shown(&messages, &Running::new());
            assert!(!text.is_empty() && !text.contains(topic.id), "{}: {text}", topic.id);
        }
    }
}

proptest::proptest! {
    /// Whatever stands in an event, it is told or not, and nobody panics.
    #[test]
    fn junk_is_told_without_a_panic(kind in 0..EventKind::ALL.len(), about: String, words in proptest::collection::vec(".*", 8)) {
        let keys = ["name", "version", "why", "state", "tag", "repository", "severity", "fixed"];
        let mut detail = json!({});
        for (key, word) in keys.iter().zip(&words) {
            detail[*key] = json!(word);
        }
        detail["before"] = detail.clone();
        detail["after"] = json!(words);
        detail["digests"] = json!(words);
        let rules = [rule("r", json!({ "on": ["all"], "repositories": ["a*"] }))];
        let heard = event(1, EventKind::ALL[kind], "production", &about, detail);
        let (messages, _) = looked(&rules, &[heard]);
        shown(&messages, &Running::new());
    }
}
