//! A place to run the binary in: an empty home, an empty environment, and words in place of what
//! differs from machine to machine.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A home of one's own.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Sandbox {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "tmp"] {
            fs_err::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder, variables: Vec::new() }
    }

    /// With an environment variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A path inside; it is also the working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file inside.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, content).unwrap();
        path
    }

    /// `program` with nothing of this machine around it.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("DOCKER_HOST", format!("unix://{}", self.path("no-engine.sock").display()))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs `foretop` with the words of `line`.
    pub(crate) fn foretop(&self, line: &str) -> String {
        self.shown(&self.output(line))
    }

    /// Runs `foretop`, which does what it is asked to.
    #[track_caller]
    pub(crate) fn done(&self, line: &str) -> String {
        self.exits(0, line)
    }

    /// Runs `foretop`, which ends with that code.
    #[track_caller]
    pub(crate) fn exits(&self, code: u8, line: &str) -> String {
        let said = self.foretop(line);
        assert!(said.starts_with(&format!("exit {code}\n")), "{line}: {said}");
        said
    }

    /// Runs `foretop`, which writes JSON.
    #[track_caller]
    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        let output = self.output(line);
        let read = serde_json::from_slice(&output.stdout);
        read.unwrap_or_else(|_| panic!("{line}: {}", self.shown(&output)))
    }

    /// A transcript of several.
    pub(crate) fn transcript(&self, lines: &[&str]) -> String {
        lines.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "# foretop {line}\n{}", self.foretop(line));
            text
        })
    }

    /// The same, as it is.
    pub(crate) fn output(&self, line: &str) -> Output {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        command.args(line.split_whitespace()).output().unwrap()
    }

    /// The same, with something to read.
    pub(crate) fn fed(&self, line: &str, stdin: &[u8]) -> String {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        command.args(line.split_whitespace()).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Whoever fails early does not read to the end.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        self.shown(&child.wait_with_output().unwrap())
    }

    /// What came of it, for a snapshot.
    pub(crate) fn shown(&self, output: &Output) -> String {
        let mut text = format!("exit {}\n", output.status.code().unwrap_or(-1));
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                let _ = write!(text, "--- {name}\n{}", String::from_utf8_lossy(bytes));
            }
        }
        self.redact(&text)
    }

    /// Words in place of what differs from machine to machine.
    pub(crate) fn redact(&self, text: &str) -> String {
        let program = fs_err::canonicalize(env!("CARGO_BIN_EXE_foretop")).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let mut text = text
            .replace(&program.display().to_string(), "[FORETOP]")
            .replace(&self.folder.path().display().to_string(), "[SANDBOX]");
        for before in ["v", "foretop ", "foretop-", "\"version\": \""] {
            text = text.replace(&format!("{before}{version}"), &format!("{before}[VERSION]"));
        }
        for (before, after, word) in
            [("git commit: ", "\n", "[COMMIT]"), ("(rust ", ")", "[RUST] - [PLATFORM]")]
        {
            if let Some((head, tail)) = text.split_once(before)
                && let Some(end) = tail.find(after)
            {
                text = format!("{head}{before}{word}{}", &tail[end..]);
            }
        }
        text
    }
}
