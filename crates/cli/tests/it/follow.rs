//! `foretop events --follow`: what changes as it happens, each event once.

use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::environment::alone;
use crate::sandbox::Sandbox;
use crate::serving::Serving;

/// Somebody who follows, and ends with the test.
struct Following {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Following {
    fn start(sandbox: &Sandbox, line: &str) -> Self {
        let mut command = sandbox.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        command.args(["events", "--follow"]).args(line.split_whitespace());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> String {
        self.lines.next().expect("it goes on").unwrap()
    }

    /// What the next one is about; each is an object.
    fn about(&mut self) -> String {
        let event: serde_json::Value = serde_json::from_str(&self.next()).unwrap();
        format!("{} {}", event["kind"].as_str().unwrap(), event["about"].as_str().unwrap())
    }

    /// Interrupts it: its exit code, what else it told, and what it said beside that.
    fn interrupt(mut self) -> (Option<i32>, Vec<String>, String) {
        let told = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        assert!(told.unwrap().success());
        let rest = self.lines.by_ref().map(Result::unwrap).collect();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), rest, said)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn without_a_server_what_other_processes_change() {
    let sandbox = alone(Sandbox::new());
    sandbox.foretop("env create before");
    let mut following = Following::start(&sandbox, "--since 1d --kind environment-created");
    assert!(following.next().contains("before        environment-created  before"));
    for name in ["a", "b"] {
        sandbox.foretop(&format!("env create {name}"));
    }
    assert!(following.next().contains("a             environment-created  a"));
    assert!(following.next().contains("environment-created  b"));
    let (code, rest, said) = following.interrupt();
    assert_eq!((code, rest, said.as_str()), (Some(130), vec![], ""));
}

#[test]
fn who_reads_no_more_is_told_no_more() {
    let sandbox = alone(Sandbox::new());
    sandbox.foretop("env create before");
    let mut following = Following::start(&sandbox, "--limit 1");
    assert!(following.next().contains("environment-created"));
    // The reader goes away; the next event finds nobody.
    let Following { child, lines } = &mut following;
    *lines = BufReader::new(replaced(child)).lines();
    sandbox.foretop("env create after");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The end of a pipe that nobody writes to, in place of the one that is closed.
fn replaced(_: &Child) -> ChildStdout {
    let mut nothing = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
    nothing.wait().unwrap();
    nothing.stdout.take().unwrap()
}

#[test]
fn a_server_that_is_started_anew_misses_and_doubles_nothing() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn").with("FORETOP_OFFLINE", "1");
    let mut serving = Serving::start(&house, "--organization acme --workers 0");
    let ann = Sandbox::new();
    serving.settled(&ann, "ci --org acme --scope admin");
    let line = "--org acme --format json --since 1d --kind environment-created,environment-deleted";
    for name in ["one", "two"] {
        assert!(ann.foretop(&format!("env create {name} --org acme")).starts_with("exit 0\n"));
    }
    let mut following = Following::start(&ann, line);
    for name in ["one", "two"] {
        assert_eq!(following.about(), format!("environment-created {name}"));
    }
    for round in 0..3 {
        let (before, during) = (format!("before{round}"), format!("during{round}"));
        ann.foretop(&format!("env create {before} --org acme"));
        assert_eq!(following.about(), format!("environment-created {before}"));
        serving.kill();
        // What another process does meanwhile, on the same database.
        house.foretop(&format!("env create {during} --org acme"));
        house.foretop(&format!("env delete {before} --force --org acme"));
        serving.again(&house, 0);
        assert_eq!(following.about(), format!("environment-created {during}"));
        assert_eq!(following.about(), format!("environment-deleted {before}"));
    }
    let (code, rest, said) = following.interrupt();
    assert_eq!((code, rest), (Some(130), vec![]));
    assert_eq!(said.matches("The connection is lost").count(), 3, "{said}");
    assert_eq!(said.matches("Listening again; nothing was missed").count(), 3, "{said}");

    // Whoever may not listen any more is told so, and is not kept waiting.
    let mut following = Following::start(&ann, line);
    for _ in 0..11 {
        following.next();
    }
    assert!(ann.foretop("session end --others").starts_with("exit 0\n"));
    let id = ann.foretop("session list");
    let id = id.lines().find(|it| it.contains("this one")).unwrap().to_owned();
    let id = id.split_whitespace().rev().nth(2).unwrap();
    assert!(ann.foretop(&format!("session end {id}")).starts_with("exit 0\n"));
    assert!(following.lines.next().is_none());
    assert_eq!(following.child.wait().unwrap().code(), Some(1));
}
