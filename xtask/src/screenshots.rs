//! `cargo xtask screenshots`: the pictures of `docs/pictures`, taken anew from a demo in Chromium.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::needs;
use crate::run::{has, root, run, target};

/// Where they lie.
const FOLDER: &str = "docs/pictures";

/// A demo that ends with us.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn screenshots(_: &[String]) -> anyhow::Result<()> {
    looked_at("shots.py", &[FOLDER])
}

/// Has a program of `crates/cli/tests/browser` look at a demo, with these words behind its link.
pub(crate) fn looked_at(program: &str, words: &[&str]) -> anyhow::Result<()> {
    if !has("chromium") {
        bail!("there is no chromium: `apt-get install chromium` brings it");
    }
    needs::browser()?;
    run("cargo", &["build", "--release", "--locked", "--package", "cli"])?;
    let folder = target().join("demo");
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    let mut serve = Command::new(target().join("release/foretop"));
    serve.args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&folder);
    let serve = serve.env("FORETOP_LOG", "warn").stdout(Stdio::piped());
    let mut demo = Demo(serve.spawn().context("cannot run foretop")?);
    let said = demo.0.stdout.take().context("its output is a pipe")?;
    let mut link = String::new();
    BufReader::new(said).read_line(&mut link)?;
    let program = root().join("crates/cli/tests/browser").join(program);
    let program = program.to_str().context("the workspace's name is not UTF-8")?;
    let python = target().join("browser/bin/python");
    let python = python.to_str().context("the target directory's name is not UTF-8")?;
    let link = link.trim();
    let words = [&["-B", program, link], words].concat();
    run(python, &words)
}
