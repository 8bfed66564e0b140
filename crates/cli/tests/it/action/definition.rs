//! `deploy/action`: that it says what `foretop action` reads, and that its steps do it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Answered, Sink};

use super::{Runner, Step, TEA};

pub(crate) fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name)
}

fn definition() -> Value {
    let text = fs_err::read_to_string(deploy("action/action.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// Each input, with its meaning and its default, as the program tells them.
fn told() -> BTreeMap<String, (String, String)> {
    let step = Runner::new().step(&[("command", "help")]);
    let (_, inputs) = step.log.split_once("Inputs:\n").unwrap();
    let inputs = inputs.lines().take_while(|it| it.starts_with("  "));
    inputs
        .map(|line| {
            let (name, meaning) = line.trim().split_once(' ').unwrap();
            let (meaning, default) = match meaning.trim().split_once(" [default: ") {
                Some((meaning, default)) => (meaning, default.trim_end_matches(']')),
                None => (meaning.trim(), ""),
            };
            (name.to_owned(), (meaning.to_owned(), default.to_owned()))
        })
        .collect()
}

/// What the step that fetches the program takes.
const OF_THE_INSTALLER: [&str; 3] = ["install-from", "sha256", "version"];

#[test]
fn it_says_what_the_program_reads() {
    let definition = definition();
    let written: BTreeMap<String, (String, String)> = definition["inputs"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| !OF_THE_INSTALLER.contains(&name.as_str()))
        .map(|(name, it)| {
            let text = |key: &str| it.get(key).and_then(Value::as_str).unwrap_or_default();
            let default = text("default").replace("${{ github.token }}", "");
            (name.clone(), (text("description").to_owned(), default))
        })
        .collect();
    let told = told();
    assert!(told.len() > 50, "{told:?}");
    assert_eq!(written, told);
    // So does its page.
    let page = fs_err::read_to_string(deploy("action/README.md")).unwrap();
    for (name, (meaning, default)) in &told {
        let default = match default.as_str() {
            "" if name == "github-token" => "the job's token".to_owned(),
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let row = format!("| `{name}` | {meaning} | {default} |");
        assert!(page.lines().any(|it| it == row), "deploy/action/README.md: {row}");
    }
    let steps = definition["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|it| it["id"] == "foretop").unwrap();
    let passed: BTreeMap<String, String> = step["env"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, value)| {
            let name = name.strip_prefix("INPUT_")?.to_lowercase();
            Some((name, value.as_str().unwrap().to_owned()))
        })
        .collect();
    let expect = told.keys().map(|it| (it.replace('-', "_"), format!("${{{{ inputs.{it} }}}}")));
    assert_eq!(passed, expect.collect());
    // Every command has an output of its name.
    let outputs: Vec<&String> = definition["outputs"].as_object().unwrap().keys().collect();
    let commands = &told["command"].0.split_once(": ").unwrap().1;
    let mut commands: Vec<&str> = commands.split(", ").filter(|it| *it != "help").collect();
    commands.sort_unstable();
    assert_eq!(outputs, commands);
}

/// Does the steps of the action as a runner does, with these inputs.
fn act(runner: &Runner, path: &str, inputs: &[(&str, &str)]) -> Step {
    let definition = definition();
    let mut values = BTreeMap::new();
    for (name, it) in definition["inputs"].as_object().unwrap() {
        let default = it.get("default").and_then(Value::as_str).unwrap_or_default();
        values.insert(format!("inputs.{name}"), default.to_owned());
    }
    for (name, value) in inputs {
        let before = values.insert(format!("inputs.{name}"), (*value).to_owned());
        assert!(before.is_some(), "{name} is no input");
    }
    values.insert("github.action_repository".to_owned(), "acme/foretop".to_owned());
    values.insert("github.action_ref".to_owned(), "v1".to_owned());
    values.insert("toJSON(matrix)".to_owned(), "null".to_owned());
    let mut said = String::new();
    for step in definition["runs"]["steps"].as_array().unwrap() {
        assert_eq!(step["shell"], "bash");
        let script = runner.sandbox.file("runner/step.sh", step["run"].as_str().unwrap());
        let mut bash = runner.sandbox.command(Path::new("/bin/bash"));
        bash.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(script);
        bash.env("PATH", path).env("GITHUB_ACTION_PATH", deploy("action"));
        bash.env("RUNNER_TEMP", runner.sandbox.path("tmp"));
        for (name, value) in step["env"].as_object().unwrap() {
            bash.env(name, replaced(value.as_str().unwrap(), &values));
        }
        let mut done = runner.run(bash);
        let _ = write!(said, "{}", done.log);
        if done.code != 0 || step["id"] == "foretop" {
            done.log = said;
            return done;
        }
        for (name, value) in done.outputs() {
            values.insert(format!("steps.{}.outputs.{name}", step["id"].as_str().unwrap()), value);
        }
    }
    panic!("the last step is foretop's");
}

/// The text with its expressions replaced; the token is told by the runner.
fn replaced(text: &str, values: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
    let (expression, behind) = rest.split_once("}}").unwrap();
    let value = match expression.trim() {
        "github.token" => super::TOKEN,
        name => values.get(name).unwrap_or_else(|| panic!("nobody knows {name}")),
    };
    format!("{before}{}{}", replaced(value, values), replaced(behind, values))
}

#[expect(clippy::disallowed_methods, reason = "a test looks for programs as a shell does")]
fn path() -> String {
    std::env::var("PATH").unwrap()
}

/// With `foretop` in it.
fn path_with_foretop() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_foretop"));
    format!("{}:{}", program.parent().unwrap().display(), path())
}

#[test]
fn its_steps_do_it() {
    let runner = Runner::new();
    let step = act(
        &runner,
        &path_with_foretop(),
        &[
            ("command", "quickview,cves"),
            TEA,
            ("only-severities", "critical,high"),
            ("exit-code", "true"),
            ("keep-previous-comments", "true"),
        ],
    );
    assert_eq!(step.code, 2, "{}", step.log);
    // Inputs with dashes have arrived.
    let cves = step.output("cves");
    assert!(cves.contains("CVE-2024-0001") && !cves.contains("CVE-2024-0002"), "{cves}");
    assert_eq!(runner.github.comments().len(), 1, "{:?}", step.commands);
}

fn sha256(bytes: &[u8]) -> String {
    testkit::digest(bytes).strip_prefix("sha256:").unwrap().to_owned()
}

/// What a tag of a clone becomes by `release.yaml`: the files of the release. The program in it is not
/// built once more; ours stands for it.
fn released(runner: &Runner) -> BTreeMap<String, Vec<u8>> {
    let program = env!("CARGO_BIN_EXE_foretop");
    let package = env!("CARGO_PKG_NAME");
    let programs = [
        ("rustup", "exit 0\n".to_owned()),
        (
            "cargo",
            format!(
                "[ \"$*\" = '+stable build --release --locked --package {package}' ] || exit 9\n\
                 mkdir -p target/release\n\
                 printf '#!/bin/sh\\nexec \"{program}\" \"$@\"\\n' >target/release/foretop\n\
                 chmod 755 target/release/foretop\n"
            ),
        ),
        (
            "gh",
            "[ \"$GH_TOKEN\" ] && [ \"$1 $3\" = 'release v1' ] || exit 9\n\
             case $2 in\n\
             view) exit 1 ;;\n\
             create) ;;\n\
             upload) shift 3; for it; do [ \"$it\" = --clobber ] || cp \"$it\" ../release; done ;;\n\
             *) exit 9 ;;\n\
             esac\n"
                .to_owned(),
        ),
    ];
    for (name, text) in programs {
        let file = runner.sandbox.file(&format!("ci/bin/{name}"), format!("#!/bin/sh\n{text}"));
        let rights = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(file, rights).unwrap();
    }
    for folder in ["ci/release", "ci/clone"] {
        fs_err::create_dir_all(runner.sandbox.path(folder)).unwrap();
    }
    let text = fs_err::read_to_string(deploy("../.github/workflows/release.yaml")).unwrap();
    let workflow: Value = serde_saphyr::from_str(&text).unwrap();
    let job = &workflow["jobs"]["release"];
    for leg in job["strategy"]["matrix"]["include"].as_array().unwrap() {
        let known =
            [("github.ref_name", "v1"), ("matrix.machine", leg["machine"].as_str().unwrap())];
        let known: BTreeMap<String, String> =
            known.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        for script in job["steps"].as_array().unwrap().iter().filter_map(|it| it["run"].as_str()) {
            let script = runner.sandbox.file("ci/step.sh", script);
            let mut bash = runner.sandbox.command(Path::new("/bin/bash"));
            bash.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(script);
            bash.current_dir(runner.sandbox.path("ci/clone"));
            bash.env("PATH", format!("{}:{}", runner.sandbox.path("ci/bin").display(), path()));
            for (name, value) in job["env"].as_object().unwrap() {
                bash.env(name, replaced(value.as_str().unwrap(), &known));
            }
            let output = bash.output().unwrap();
            assert!(output.status.success(), "{}", runner.sandbox.shown(&output));
        }
    }
    let files = fs_err::read_dir(runner.sandbox.path("ci/release")).unwrap();
    let files = files.map(|it| it.unwrap());
    files
        .map(|it| (it.file_name().into_string().unwrap(), fs_err::read(it.path()).unwrap()))
        .collect()
}

#[test]
fn the_program_is_fetched_and_checked() {
    let runner = Runner::new();
    let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_foretop"));
    let tar = testkit::layer().file("foretop", &script).tar();
    let archive = testkit::compress(&tar, testkit::Compression::Gzip);
    let (plain, packed) = (sha256(script.as_bytes()), sha256(&archive));
    let release = released(&runner);
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let ours = format!("foretop_linux_{machine}.tar.gz");
    let own = sha256(&release[&ours]);
    let sink = Sink::answering(move |hook| {
        let body = match hook.path.as_str() {
            "/foretop" => script.clone().into_bytes(),
            "/foretop.tar.gz" => archive.clone(),
            // Of a release that somebody has touched.
            path if path.ends_with(&format!("/v2/{ours}")) => archive.clone(),
            path => {
                let files = path.strip_prefix("/acme/foretop/releases/download/");
                let file = files.and_then(|it| it.split_once('/'));
                match file.and_then(|(tag, it)| release.get(it).filter(|_| tag != "v9")) {
                    Some(body) => body.clone(),
                    None => return Answered::status(404),
                }
            }
        };
        Answered { body, ..Answered::status(200) }
    });
    let root = format!("http://{}", sink.host());
    let runner = runner.with("GITHUB_SERVER_URL", &root);
    let check = |more: &[(&str, &str)], expect: Result<(), &str>| {
        let inputs = [&[("command", "quickview"), TEA][..], more].concat();
        let step = act(&runner, &path(), &inputs);
        match expect {
            Ok(()) => assert_eq!(step.code, 0, "{more:?}: {} {:?}", step.log, step.commands),
            Err(why) => {
                assert_ne!(step.code, 0, "{more:?}");
                let told = step
                    .commands
                    .iter()
                    .any(|it| it.starts_with("::error title=Foretop::") && it.contains(why));
                assert!(told, "{more:?}: {:?} {}", step.commands, step.log);
            }
        }
    };
    let from = |name: &str| format!("{root}/{name}");
    check(&[("install-from", &from("foretop")), ("sha256", &plain)], Ok(()));
    check(&[("install-from", &from("foretop.tar.gz")), ("sha256", &packed.to_uppercase())], Ok(()));
    check(&[("install-from", &from("foretop"))], Err("install-from needs sha256"));
    check(&[("install-from", &from("foretop")), ("sha256", &packed)], Err("is wanted"));
    check(&[("install-from", &from("none")), ("sha256", &packed)], Err("cannot be fetched"));
    check(&[("install-from", "http://example.com/x"), ("sha256", "0")], Err("but by https"));
    check(&[("install-from", "ftp://x\n::error::y"), ("sha256", "0")], Err("%0A::error::y"));
    // From the action's own releases: of its own version, or of the one that is named.
    check(&[], Ok(()));
    check(&[("version", "v1")], Ok(()));
    check(&[("version", "v1"), ("sha256", &own)], Ok(()));
    check(&[("version", "v1"), ("sha256", &plain)], Err("is wanted"));
    check(&[("version", "v2")], Err("is wanted"));
    check(&[("version", "v9")], Err("deploy/action/README.md tells how foretop gets there"));
}
