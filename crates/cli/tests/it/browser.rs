//! The dashboard of a demo in a real browser: every page and every form, by mouse and by keyboard, in light
//! and dark, at a desk and on a phone, with and without JavaScript; and whether everybody can use them.
//!
//! `cargo xtask test` installs what it needs into `browser` in the target directory. Without it, or without
//! Chromium, these tests leave themselves out.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::sandbox::Sandbox;

/// A demo that ends with the test.
struct Demo {
    child: Child,
    link: String,
    sandbox: Sandbox,
}

impl Demo {
    fn start(line: &str) -> Self {
        let sandbox = Sandbox::new().with("FORETOP_LOG", "warn");
        let mut serve = sandbox.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        serve.args(["serve", "--demo", "--listen", "127.0.0.1:0", "--rate-limit", "0"]);
        serve.args(line.split_whitespace());
        let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut link = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut link).unwrap();
        let link = link.trim().to_owned();
        assert!(link.contains("/visit/"), "it prints its link: {link}");
        Self { child, link, sandbox }
    }

    /// Ends it, as Ctrl-C does.
    fn end(mut self) -> Sandbox {
        let told = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        assert!(told.unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        std::mem::replace(&mut self.sandbox, Sandbox::new())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Python with what drives the browser, where there are both.
fn python() -> Option<PathBuf> {
    let bin = Path::new(env!("CARGO_BIN_EXE_foretop"));
    // …/target/debug/foretop
    let python = bin.ancestors().nth(2).unwrap().join("browser/bin/python");
    let is_there = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().any(is_there);
    if !python.is_file() || !chromium {
        println!("left out: a browser and what drives it are installed by `cargo xtask test`");
        return None;
    }
    Some(python)
}

/// Runs one of the programs beside this, on a demo of its own.
#[track_caller]
fn looks(program: &str, with_pages: bool) {
    let Some(python) = python() else { return };
    let demo = Demo::start("");
    let pages: Vec<_> = dashboard::ALL
        .iter()
        .map(|it| serde_json::json!({"id": it.id, "path": it.path, "title": it.title}))
        .collect();
    let pages = demo.sandbox.file("pages.json", serde_json::to_vec(&pages).unwrap());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let mut looking = Command::new(python);
    looking.env("PYTHONDONTWRITEBYTECODE", "1").arg(folder.join(program)).arg(&demo.link);
    if with_pages {
        looking.arg(pages);
    }
    let output = looking.output().unwrap();
    let (said, why) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    assert!(output.status.success(), "{program}: {said}\n{why}");
}

#[test]
fn every_page_is_walked() {
    looks("walk.py", true);
}

#[test]
fn every_form_is_filled_in() {
    looks("fill.py", true);
}

#[test]
fn the_three_questions() {
    looks("ask.py", false);
}

#[test]
fn a_demo_is_of_this_machine_alone_and_leaves_nothing() {
    let house = Sandbox::new();
    let said = house.exits(1, "serve --demo --listen 0.0.0.0:0");
    assert!(said.contains("--demo is for this machine alone"), "{said}");
    let said = house.exits(1, "serve --demo --database sqlite://mine.db");
    assert!(said.contains("--demo") && !house.path("mine.db").exists(), "{said}");
    house.file("mine/precious", "it is");
    let said = house.exits(1, "serve --demo --listen 127.0.0.1:0 --data-dir mine");
    assert!(said.contains("there is something in it that is no demo"), "{said}");
    assert_eq!(fs_err::read_dir(house.path("mine")).unwrap().count(), 1);
    let sandbox = Demo::start("").end();
    assert_eq!(fs_err::read_dir(sandbox.path("tmp")).unwrap().count(), 0);
    assert_eq!(fs_err::read_dir(sandbox.path("home")).unwrap().count(), 0);
}

#[test]
fn a_demo_goes_on_where_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let kept = format!("--data-dir {}", folder.path().join("kept").display());
    let first = Demo::start(&kept);
    let link = first.link.clone();
    first.end();
    let again = Demo::start(&kept);
    assert_ne!(link.rsplit('/').next(), again.link.rsplit('/').next(), "each start has its own");
    again.end();
}
