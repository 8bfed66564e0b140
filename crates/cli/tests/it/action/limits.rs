//! What is too long for GitHub, and names that are not to be trusted.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Runner, Step, TEA};
use crate::sandbox::Sandbox;

/// Letters without a pattern, always the same ones.
fn noise(length: usize, seed: &mut u64) -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-.";
    (0..length)
        .map(|_| {
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            char::from(letters[(*seed >> 58) as usize])
        })
        .collect()
}

/// One package with so many flaws, each with so many words about it.
fn flawed(flaws: usize, words: usize) -> Sandbox {
    let sandbox = Sandbox::new().with("SOURCE_DATE_EPOCH", "1717200000").with("LANG", "C.UTF-8");
    let mut tracker = "{\"teapot\": {".to_owned();
    let mut seed = 7;
    for number in 0..flaws {
        let urgency = if number % 2 == 0 { "high" } else { "low" };
        let _ = write!(
            tracker,
            "{}\"CVE-2024-{number:05}\": {{\"description\": \"{}\", \"releases\": {{\"jessie\": \
             {{\"status\": \"open\", \"repositories\": {{\"jessie\": \"1.2-1\"}}, \
             \"urgency\": \"{urgency}\"}}}}}}",
            if number == 0 { "" } else { "," },
            noise(words, &mut seed),
        );
    }
    tracker.push_str("}}");
    sandbox.file("feeds/debian/tracker.json", tracker);
    let status = "Package: teapot\nStatus: install ok installed\nVersion: 1.2-1\n\
                  Architecture: amd64\nMaintainer: Tea\nDescription: tea\n\n";
    let layer = testkit::layer()
        .file("etc/os-release", "ID=debian\nVERSION_ID=\"8\"\n")
        .file("var/lib/dpkg/status", status);
    sandbox.file("tea.tar", testkit::image().layer(layer).docker_archive("example/tea:1"));
    sandbox.file(
        "none.tar",
        testkit::image().layer(testkit::layer().file("a", "b")).docker_archive("example/none:1"),
    );
    let built = sandbox.foretop("almanac build --from feeds");
    assert!(built.starts_with("exit 0\n"), "{built}");
    sandbox
}

#[track_caller]
fn closed(text: &str) {
    for tag in ["details", "table", "blockquote", "ul", "code", "summary"] {
        let (open, closed) = (format!("<{tag}"), format!("</{tag}>"));
        assert_eq!(text.matches(&open).count(), text.matches(&closed).count(), "{tag}");
    }
}

#[test]
fn a_comment_that_is_too_long_is_cut() {
    let runner = Runner::around(flawed(2000, 40));
    let step =
        runner.step(&[("command", "quickview,cves,compare"), TEA, ("to", "archive://none.tar")]);
    assert_eq!(step.code, 0, "{}", step.log);
    let whole: usize = step.outputs().iter().map(|it| it.1.chars().count()).sum();
    assert!(whole > 65_536, "{whole}");
    let comments = runner.github.comments();
    let [comment] = comments.as_slice() else { panic!("{:?}: {}", step.commands, comments.len()) };
    let length = comment.body.chars().count();
    assert!((60_000..=65_536).contains(&length), "{length}");
    closed(&comment.body);
    // Each command has its say, and what is left out is told, with the way to it.
    for said in [
        ":mag: <code>tea.tar</code></h2>",
        ":mag: Vulnerabilities of",
        "compared to",
        ":scissors:",
        "<a href=\"https://github.com/acme/tea/actions/runs/42\">the page of this run</a>",
    ] {
        assert!(comment.body.contains(said), "{said}");
    }
    assert!(step.summary.len() > 65_536 && !step.summary.contains("the page of this run"));
}

#[test]
fn a_summary_that_is_too_long_is_cut() {
    let runner = Runner::around(flawed(2000, 40));
    // Many images run there, and each has a report of its own.
    for number in 0..20 {
        let label = format!("v{number}");
        let layer = testkit::layer()
            .file("etc/os-release", "ID=debian\nVERSION_ID=\"8\"\n")
            .file("label", &label)
            .file(
                "var/lib/dpkg/status",
                "Package: teapot\nStatus: install ok installed\nVersion: 1.2-1\n\
                 Architecture: amd64\nMaintainer: Tea\nDescription: tea\n\n",
            );
        let image = testkit::image().layer(layer).docker_archive(&format!("acme/tea{number}:1"));
        runner.sandbox.file(&format!("{number}.tar"), image);
        runner.sandbox.foretop(&format!("push archive://{number}.tar"));
        let said = runner.sandbox.foretop(&format!("env production acme/tea{number}:1"));
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    let step = runner.step(&[("command", "cves"), ("env", "production")]);
    assert_eq!(step.code, 0, "{}", step.log);
    assert!(step.summary.len() < 1 << 20, "{}", step.summary.len());
    assert!(step.summary.len() > 300_000, "{}", step.summary.len());
    assert!(step.summary.contains(":scissors: Cut here, since GitHub takes no more"));
    closed(&step.summary);
    let output = step.output("cves");
    assert!(output.len() < 1 << 20 && output.contains(":scissors: Cut here, since GitHub"));
    closed(&output);
}

fn sarif(runner: &Runner) -> Value {
    let text = fs_err::read(runner.sandbox.path("tea.sarif")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn sarif_above_the_limits_is_cut_and_taken() {
    let runner = Runner::around(flawed(26_000, 500));
    let inputs = [
        ("command", "cves"),
        TEA,
        ("sarif-file", "tea.sarif"),
        ("upload-sarif", "true"),
        ("write-comment", "false"),
    ];
    let step = runner.step(&inputs);
    assert_eq!(step.code, 0, "{}", step.log);
    let uploads = runner.github.scanned();
    let [upload] = uploads.as_slice() else { panic!("{:?}", step.commands) };
    assert_eq!(upload["sarif"], sarif(&runner));
    assert_eq!(upload["ref"], "refs/pull/7/merge");
    let run = &upload["sarif"]["runs"][0];
    let results = run["results"].as_array().unwrap();
    let told = run["invocations"][0]["toolExecutionNotifications"].to_string();
    // First by number, then by size; the least severe are those that go.
    assert!(told.contains("1000 more findings are left out"), "{told}");
    let left = 25_000 - results.len();
    assert!(left > 0 && told.contains(&format!("{left} findings are left out, the least severe")));
    let notes = results.iter().filter(|it| it["level"] == "note").count();
    let errors = results.iter().filter(|it| it["level"] == "error").count();
    assert!(errors == 13_000 || notes == 0, "{errors} {notes}");
    let warned = step.commands.iter().any(|it| it.contains("findings are left out"));
    assert!(warned, "{:?}", step.commands);
    assert!(step.summary.contains("findings are left out"));
}

#[test]
fn sarif_is_uploaded_or_somebody_is_told() {
    let runner = Runner::new();
    let inputs = [("command", "cves"), TEA, ("upload-sarif", "true")];
    let step = runner.step(&inputs);
    assert_eq!(step.code, 0, "{}", step.log);
    assert!(step.log.contains("SARIF is handed to code scanning as 47177e22"), "{}", step.log);
    // It was asked for, so that its absence is no good news.
    runner.github.be(testkit::github::Mood { reads_only: true, ..Default::default() });
    let step = runner.step(&inputs);
    assert_eq!(step.code, 1, "{}", step.log);
    assert!(step.log.contains("SARIF is not uploaded: GitHub answers 403"), "{}", step.log);
    assert!(step.summary.contains("SARIF is not uploaded"), "{}", step.summary);
    // Runs for forks never may.
    let event = r#"{"number": 7, "pull_request": {"number": 7,
        "head": {"repo": {"full_name": "mallory/tea"}}, "base": {"repo": {"full_name": "acme/tea"}}}}"#;
    // One that was deleted meanwhile is a fork, too.
    let gone = event.replace(r#"{"full_name": "mallory/tea"}"#, "null");
    let mut runner = runner;
    for event in [event, &gone] {
        let event = runner.sandbox.file("fork.json", event).display().to_string();
        runner = runner.with("GITHUB_EVENT_PATH", &event);
        let step = runner.step(&inputs);
        assert_eq!(step.code, 0, "{}", step.log);
        assert!(step.commands.iter().any(|it| it.contains("SARIF is not uploaded")));
    }
    let runner = runner.with("GITHUB_SHA", "");
    let step = runner.step(&inputs);
    assert!(step.commands.iter().any(|it| it.contains("GITHUB_SHA is not set")));
}

/// Nothing of it is obeyed, and nobody is called by it.
#[track_caller]
fn harmless(step: &Step, runner: &Runner) {
    for it in &step.commands {
        let ours =
            ["::group::", "::endgroup::", "::warning title=Foretop::", "::error title=Foretop::"];
        assert!(ours.iter().any(|ours| it.starts_with(ours)), "obeyed: {it}");
    }
    for comment in runner.github.comments() {
        let (mark, text) = comment.body.split_once('\n').unwrap();
        assert!(mark.ends_with(" -->") && mark.matches("-->").count() == 1, "{mark}");
        for bad in ["<script", "<b>evil"] {
            assert!(!text.contains(bad), "{bad}: {text}");
        }
        for line in text.lines().filter(|it| it.contains("@org")) {
            let before = line.split("@org").next().unwrap();
            let code = before.rfind("<code>") > before.rfind("</code>");
            assert!(code, "somebody is mentioned: {line}");
        }
        // Inside a block of HTML nothing is read as Markdown, and an empty line would end one.
        for block in text.split("\n\n").filter(|it| !it.trim().is_empty()) {
            assert!(block.trim_start().starts_with('<'), "{block}");
        }
    }
}

#[test]
fn names_are_not_to_be_trusted() {
    let evil = "::error::@org <b>evil</b> <!-- --> ##[error]x [x](http://evil) <script>1</script>";
    let sandbox = crate::teahouse::open();
    let package = serde_json::json!({"name": evil, "version": "1.0.0"}).to_string();
    let second = serde_json::json!({"name": "a\n::set-env name=A::b\r::stop-commands::x", "version": "1\n2"});
    let layer = testkit::layer()
        .file("app/node_modules/x/package.json", package)
        .file("app/node_modules/y/package.json", second.to_string())
        .file(
            "app/node_modules/tea-leaves/package.json",
            r#"{"name":"tea-leaves","version":"1.2.0"}"#,
        );
    let image = testkit::image().layer(layer);
    sandbox.file("evil.tar", image.docker_archive("example/tea:1"));
    let folder = "::error::@org<b>evil";
    sandbox.file(
        &format!("{folder}/node_modules/x/package.json"),
        r#"{"name":"tea-leaves","version":"1.2.0"}"#,
    );
    let runner = Runner::around(sandbox)
        .with("GITHUB_WORKFLOW", "--> @org <b>evil</b>\n::error::x")
        .with("GITHUB_JOB", "a/b::c");
    for image in [
        "archive://evil.tar",
        &format!("fs://{folder}"),
        "archive://::error::<b>evil@org\n::set-env name=A::b",
    ] {
        let step = runner.step(&[
            ("command", "sbom,quickview,cves,compare"),
            ("image", image),
            ("format", "list"),
            ("to", "archive://tea.tar"),
        ]);
        harmless(&step, &runner);
        // What is in an output cannot end it.
        for (name, _) in step.outputs() {
            assert!(["sbom", "quickview", "cves", "compare"].contains(&&*name), "{name}");
        }
    }
    let step = runner.step(&[("command", "cves\n::error::x"), TEA]);
    assert_eq!(step.code, 1);
    harmless(&step, &runner);
    for input in ["debug", "only-fixed", "platform", "exit-on", "only-severities", "vex-author"] {
        let step =
            runner.step(&[("command", "compare"), TEA, ("to", "x"), (input, "x\n::error::y")]);
        assert_eq!(step.code, 1, "{input}: {}", step.log);
        harmless(&step, &runner);
    }
}
