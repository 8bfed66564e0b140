//! `foretop action`, on a runner of ours, with a stand-in for GitHub.

mod comments;
mod definition;
mod limits;

use std::path::Path;
use std::process::Output;

use serde_json::json;
use testkit::FakeRegistry;
use testkit::github::GithubStandIn;

use crate::bases;
use crate::sandbox::Sandbox;
use crate::teahouse::open;

pub(crate) use definition::deploy;

pub(crate) const TOKEN: &str = "ghs_not_to_be_told_16";

/// What a runner does around a step: variables, files, and a log whose lines it obeys.
pub(crate) struct Runner {
    pub(crate) sandbox: Sandbox,
    pub(crate) github: GithubStandIn,
    set: Vec<(String, String)>,
}

/// What came of a step.
pub(crate) struct Step {
    pub(crate) code: i32,
    /// The log, as people see it.
    pub(crate) log: String,
    /// Lines that the runner obeyed: masks are left out.
    pub(crate) commands: Vec<String>,
    pub(crate) summary: String,
    /// The file of outputs.
    file: String,
}

impl Runner {
    /// On pull request 7 of `acme/tea`, in the teahouse.
    pub(crate) fn new() -> Self {
        Self::around(open())
    }

    pub(crate) fn around(sandbox: Sandbox) -> Self {
        let github = GithubStandIn::start(TOKEN);
        let event = json!({
            "number": 7,
            "pull_request": {
                "number": 7,
                "head": {"repo": {"full_name": "acme/tea"}},
                "base": {"repo": {"full_name": "acme/tea"}},
            },
        });
        let event = sandbox.file("runner/event.json", event.to_string());
        let root = github.root();
        let runner = Self { sandbox, github, set: Vec::new() };
        let file =
            |name: &str| runner.sandbox.path(&format!("runner/{name}")).display().to_string();
        let (output, summary) = (file("output"), file("summary"));
        runner
            .with("GITHUB_ACTIONS", "true")
            .with("GITHUB_API_URL", &root)
            .with("GITHUB_GRAPHQL_URL", &format!("{root}/graphql"))
            .with("GITHUB_SERVER_URL", "https://github.com")
            .with("GITHUB_REPOSITORY", "acme/tea")
            .with("GITHUB_RUN_ID", "42")
            .with("GITHUB_WORKFLOW", "CI")
            .with("GITHUB_JOB", "scan")
            .with("GITHUB_ACTION", "__self")
            .with("GITHUB_EVENT_NAME", "pull_request")
            .with("GITHUB_EVENT_PATH", &event.display().to_string())
            .with("GITHUB_REF", "refs/pull/7/merge")
            .with("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567")
            .with("GITHUB_OUTPUT", &output)
            .with("GITHUB_STEP_SUMMARY", &summary)
            .with("INPUT_GITHUB-TOKEN", TOKEN)
    }

    /// With a variable; an empty one is not set.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set.retain(|(it, _)| it != name);
        self.set.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs `foretop action` with these inputs.
    pub(crate) fn step(&self, inputs: &[(&str, &str)]) -> Step {
        let mut command = self.sandbox.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        command.arg("action");
        for (name, value) in inputs {
            command.env(format!("INPUT_{}", name.to_uppercase()), value);
        }
        self.run(command)
    }

    /// Runs it as a step, with fresh files.
    pub(crate) fn run(&self, mut command: std::process::Command) -> Step {
        for name in ["output", "summary"] {
            self.sandbox.file(&format!("runner/{name}"), "");
        }
        let set = self.set.iter().filter(|(_, value)| !value.is_empty());
        let output = command.envs(set.map(|(name, value)| (name, value))).output().unwrap();
        let text = |name: &str| {
            fs_err::read_to_string(self.sandbox.path(&format!("runner/{name}"))).unwrap()
        };
        Step::of(&output, text("summary"), text("output"))
    }
}

impl Step {
    /// Reads the log as the runner does: lines that begin with `::`, blanks before it or not, are
    /// commands, and so is what stands behind `##[`.
    fn of(output: &Output, summary: String, file: String) -> Self {
        let mut log = String::new();
        let mut commands = Vec::new();
        let mut masks: Vec<String> = Vec::new();
        for bytes in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(bytes);
            for line in text.split(['\n', '\r']) {
                let command = line.trim_start();
                if let Some(secret) = command.strip_prefix("::add-mask::") {
                    masks.push(secret.to_owned());
                } else if command.starts_with("::") || command.contains("##[") {
                    commands.push(command.to_owned());
                } else {
                    log.push_str(line);
                    log.push('\n');
                }
            }
        }
        // Nobody relies on a mask: what is told, is told without the secret.
        for text in commands.iter().chain([&log, &summary, &file]) {
            assert!(!text.contains(TOKEN), "{text}");
        }
        Self { code: output.status.code().unwrap_or(-1), log, commands, summary, file }
    }

    /// The outputs, as the runner reads them.
    pub(crate) fn outputs(&self) -> Vec<(String, String)> {
        let mut outputs = Vec::new();
        let mut lines = self.file.lines();
        while let Some(line) = lines.next() {
            let Some((name, mark)) = line.split_once("<<") else {
                let (name, value) = line.split_once('=').unwrap();
                outputs.push((name.to_owned(), value.to_owned()));
                continue;
            };
            let value: Vec<&str> = lines.by_ref().take_while(|it| *it != mark).collect();
            outputs.push((name.to_owned(), value.join("\n")));
        }
        outputs
    }

    pub(crate) fn output(&self, name: &str) -> String {
        let found = self.outputs().into_iter().find(|it| it.0 == name);
        found.unwrap_or_else(|| panic!("no output {name}: {}", self.log)).1
    }
}

const TEA: (&str, &str) = ("image", "archive://tea.tar");

#[test]
fn each_command() {
    let runner = Runner::new();
    let step = runner.step(&[
        ("command", "quickview, cves,compare,sbom"),
        TEA,
        ("to", "archive://alpine.tar"),
        ("sarif-file", "tea.sarif"),
        ("output", "tea.json"),
        ("only-severities", "critical,high"),
    ]);
    assert_eq!(step.code, 0, "{}", step.log);
    let names: Vec<String> = step.outputs().into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["quickview", "cves", "compare", "sbom"]);
    assert!(step.output("quickview").starts_with("<h2>:mag: <code>tea.tar</code></h2>"));
    assert!(step.output("cves").contains("CVE-2024-0001"), "{}", step.output("cves"));
    assert!(!step.output("cves").contains("CVE-2024-0002"), "of a low severity");
    assert!(step.output("compare").contains("compared to"), "{}", step.output("compare"));
    assert!(step.output("sbom").contains("tea.json"));
    for (name, text) in step.outputs() {
        assert!(step.summary.contains(&text), "{name} is not in the summary");
    }
    // The log has the reports for people, each in a group.
    assert_eq!(
        step.commands,
        [
            "::group::foretop quickview archive://tea.tar",
            "::endgroup::",
            "::group::foretop cves archive://tea.tar",
            "::endgroup::",
            "::group::foretop compare archive://tea.tar",
            "::endgroup::",
            "::group::foretop sbom archive://tea.tar",
            "::endgroup::",
        ]
    );
    assert!(step.log.contains("## Packages and Vulnerabilities"), "{}", step.log);
    let sarif = fs_err::read(runner.sandbox.path("tea.sarif")).unwrap();
    let sarif: serde_json::Value = serde_json::from_slice(&sarif).unwrap();
    assert_eq!(sarif["runs"][0]["automationDetails"]["id"], "foretop/tea.tar/");
    assert!(runner.sandbox.path("tea.json").is_file());
    // One comment of the step, with all that is for comments.
    let comments = runner.github.comments();
    let [comment] = comments.as_slice() else { panic!("{comments:?}") };
    assert!(comment.body.starts_with("<!-- foretop:CI/scan/__self "), "{}", comment.body);
    assert!(comment.body.contains("compared to") && !comment.body.contains("SBOM of"));
}

#[test]
fn a_better_base_is_recommended() {
    let registry = FakeRegistry::start();
    let runner = Runner::around(bases::house());
    bases::teas(&registry);
    let host = registry.host();
    runner.sandbox.done(&format!("base learn {host}/tea:1.0"));
    let image = format!("registry://{host}/web:v1");
    let about = [("command", "quickview,recommendations"), ("image", image.as_str())];
    let step = runner.step(&about);
    assert_eq!(step.code, 0, "{}", step.log);
    let told = step.output("recommendations");
    assert!(told.contains("tea:1.1-slim") && told.contains("Refresh base image"), "{told}");
    assert!(step.summary.contains(&told), "{}", step.summary);
    let step = runner.step(&[&about[..], &[("only-update", "true")]].concat());
    let told = step.output("recommendations");
    assert!(told.contains("tea:1.1-slim") && !told.contains("Refresh base image"), "{told}");
    let step = runner.step(&[&about[..], &[("only-refresh", "true")]].concat());
    let told = step.output("recommendations");
    assert!(!told.contains("tea:1.1-slim") && told.contains("Refresh base image"), "{told}");
    // Each is another question, and has its comment, which the next run updates.
    assert_eq!(runner.github.comments().len(), 3);
    runner.step(&about);
    let comments = runner.github.comments();
    assert_eq!(comments.len(), 3, "{comments:?}");
    assert!(comments.iter().all(|it| it.body.contains("Recommended fixes")), "{comments:?}");
    let both = [("only-refresh", "true"), ("only-update", "true")];
    let step = runner.step(&[&about[..], &both].concat());
    assert_eq!(step.code, 1, "{}", step.log);
    assert!(step.log.contains("cannot be used with"), "{}", step.log);
}

#[test]
fn gates_end_the_step() {
    let runner = Runner::new();
    let step = runner.step(&[("command", "cves,quickview"), TEA, ("exit-code", "true")]);
    assert_eq!(step.code, 2, "{}", step.log);
    // What comes behind a gate is not done, and what was found is told.
    let names: Vec<String> = step.outputs().into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["cves"]);
    assert_eq!(runner.github.comments().len(), 1);
    let line = [("command", "compare"), TEA, ("to", "archive://alpine.tar")];
    let step = runner.step(&[&line[..], &[("exit-on", "vulnerability,package")]].concat());
    assert_eq!(step.code, 2, "{}", step.log);
    let policy = ("only-policy", "default-non-root-user");
    let step = runner.step(&[&line[..], &[("exit-on", "policy"), policy]].concat());
    assert_eq!(step.code, 0, "neither is met, and neither was: {}", step.log);
    assert!(step.log.contains("Policy status"), "{}", step.log);
    let step = runner.step(&[("command", "policy,cves"), TEA, policy, ("exit-code", "true")]);
    assert_eq!(step.code, 2, "{}", step.log);
    let names: Vec<String> = step.outputs().into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["policy"]);
}

#[test]
fn an_environment_is_recorded_and_looked_into() {
    let runner = Runner::new();
    runner.sandbox.foretop("push archive://tea.tar");
    let step = runner.step(&[
        ("command", "environment"),
        ("environment", "production"),
        ("image", "example/tea:1"),
        ("app", "pot"),
    ]);
    assert_eq!(step.code, 0, "{}", step.log);
    let told = step.output("environment");
    assert!(
        told.contains("<code>production</code>") && told.contains("<code>pot</code>"),
        "{told}"
    );
    assert!(runner.github.comments().is_empty(), "nobody asked for a comment");
    let history = runner.sandbox.foretop("env production --history");
    assert!(history.contains("https://github.com/acme/tea/actions/runs/42"), "{history}");
    let step = runner.step(&[("command", "environment")]);
    assert!(step.output("environment").contains("production"), "{}", step.log);
    let step = runner.step(&[("command", "quickview,cves"), ("env", "production")]);
    assert_eq!(step.code, 0, "{}", step.log);
    assert!(step.output("cves").contains("CVE-2024-0001"), "{}", step.log);
    let step = runner.step(&[("command", "cves"), ("env", "nowhere")]);
    assert_eq!(step.code, 1, "{}", step.log);
    let step = runner.step(&[
        ("command", "compare"),
        ("image", "example/tea:1"),
        ("to-env", "production"),
    ]);
    assert_eq!(step.code, 0, "{}", step.log);
    let step = runner.step(&[
        ("command", "compare"),
        ("image", "example/tea:1"),
        ("to-stream", "nowhere"),
    ]);
    assert_eq!(step.code, 1, "{}", step.log);
}

#[test]
fn what_cannot_be_done_is_said() {
    let runner = Runner::new();
    let check = |inputs: &[(&str, &str)], expect: &str| {
        let step = runner.step(inputs);
        assert_eq!(step.code, 1, "{inputs:?}: {}", step.log);
        assert!(step.log.contains(expect), "{inputs:?}: {}", step.log);
        let shown = step.commands.iter().any(|it| it.starts_with("::error title=Foretop::"));
        assert!(shown, "{:?}", step.commands);
    };
    check(&[], "error: command: it must be told");
    check(&[("command", "recommendations"), TEA], "image has no base image that is known");
    check(&[("command", "attestation-add"), TEA], "attestation-add: file is not told");
    let unknown = "cannot tell what its base image brought";
    check(&[("command", "cves"), TEA, ("ignore-base", "true")], unknown);
    check(&[("command", "sbom"), TEA, ("secrets", "true")], "secrets: not there yet");
    check(&[("command", "cves"), TEA, ("only-fixed", "perhaps")], "neither true nor false");
    check(&[("command", "cves"), TEA, ("only-severities", "dire")], "dire");
    check(&[("command", "compare"), TEA], "compare: nothing to compare with");
    check(&[("command", "cves"), TEA, ("sarif-file", "no/x.sarif")], "there is no directory no");
    check(&[("command", "cves"), ("image", "archive://missing.tar")], "missing.tar");
    check(&[("command", "cves"), TEA, ("registry-user", "me")], "FORETOP_REGISTRY_PASSWORD");
    // A step that failed says so where people look, in place of what an earlier run said.
    let step = runner.step(&[("command", "cves"), ("image", "archive://missing.tar")]);
    assert!(step.summary.contains("<code>foretop cves</code> failed"), "{}", step.summary);
    let comments = runner.github.comments();
    assert!(comments.iter().all(|it| it.body.contains("failed")), "{comments:?}");
    // What changes nothing is told, and no error.
    let step = runner.step(&[("command", "quickview"), TEA, ("only-fixed", "true"), ("tags", "a")]);
    assert_eq!(step.code, 0, "{}", step.log);
    let warned = |it: &str| step.commands.contains(&format!("::warning title=Foretop::{it}"));
    assert!(warned("only-fixed changes nothing: it is for cves, compare"), "{:?}", step.commands);
    assert!(warned("tags changes nothing: it is for attestation-add"), "{:?}", step.commands);
    let step = runner.step(&[("command", "help")]);
    assert!(step.log.contains("keep-previous-comments"), "{}", step.log);
}

#[test]
fn files_of_the_runner_may_be_missing() {
    let runner = Runner::new();
    let runner = runner.with("GITHUB_OUTPUT", "").with("GITHUB_STEP_SUMMARY", "");
    let step = runner.step(&[("command", "quickview"), TEA]);
    assert_eq!(step.code, 0, "{}", step.log);
    assert!(step.log.contains("No output quickview"), "{}", step.log);
    assert_eq!(runner.github.comments().len(), 1);
    let nowhere = runner.sandbox.path("nowhere/output").display().to_string();
    let runner = runner.with("GITHUB_OUTPUT", &nowhere);
    let step = runner.step(&[("command", "quickview"), TEA]);
    assert_eq!(step.code, 1, "{}", step.log);
    assert!(step.log.contains("cannot write the output quickview"), "{}", step.log);
    // Without an event, or with a torn one, nobody knows which pull request it is.
    let runner =
        runner.with("GITHUB_OUTPUT", "").with("GITHUB_EVENT_PATH", "").with("GITHUB_REF", "");
    let step = runner.step(&[("command", "quickview"), TEA]);
    assert_eq!(step.code, 0, "{}", step.log);
    let warned = step.commands.iter().any(|it| it.contains("which pull request"));
    assert!(warned, "{:?}", step.commands);
    let torn = runner.sandbox.file("torn.json", "{\"number\": 7");
    let runner = runner.with("GITHUB_EVENT_PATH", &torn.display().to_string());
    let step = runner.step(&[("command", "quickview"), TEA]);
    assert_eq!(step.code, 0, "{}", step.log);
    assert!(step.commands.iter().any(|it| it.contains("makes no sense")), "{:?}", step.commands);
    // Off GitHub, nothing is a command, and no secret is shown to be hidden.
    let runner = runner.with("GITHUB_ACTIONS", "").with("GITHUB_EVENT_NAME", "push");
    let step = runner.step(&[("command", "quickview"), TEA]);
    assert_eq!((step.code, step.commands), (0, vec![]), "{}", step.log);
}
