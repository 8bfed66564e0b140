//! Where people type: a home in which programs are found as they are found in theirs, without a
//! server or logged in to one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::sandbox::Sandbox;
use crate::serving::Serving;

/// Who remembers what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// A database of one's own.
    Alone,
    /// A server, on SQLite.
    Sqlite,
    /// A server, on PostgreSQL.
    Postgres,
}

impl Memory {
    pub(crate) const ALL: [Self; 3] = [Self::Alone, Self::Sqlite, Self::Postgres];
}

/// Ann's home.
pub(crate) struct Place {
    pub(crate) sandbox: Sandbox,
    path: String,
    serving: Option<Serving>,
    /// The server's.
    pub(crate) house: Sandbox,
}

impl Place {
    /// A home without anything in it; none where the machine has no such memory. Whoever is `offline`
    /// asks no registry, and neither does the server.
    pub(crate) fn new(memory: Memory, offline: bool) -> Option<Self> {
        Self::of(memory, "local", offline)
    }

    /// The same, where the server's organisation has another name.
    pub(crate) fn of(memory: Memory, organisation: &str, offline: bool) -> Option<Self> {
        let settled = |sandbox: Sandbox| {
            if offline { sandbox.with("FORETOP_OFFLINE", "1") } else { sandbox }
        };
        let house = settled(Sandbox::new().with("FORETOP_LOG", "warn"));
        // A database of one's own has a key beside it, any other is told one.
        let house = match memory {
            Memory::Postgres => house.with("FORETOP_KEY", &"01".repeat(32)),
            _ => house,
        };
        let line = format!("--workers 1 --organization {organisation} --rate-limit 0");
        let serving = match memory {
            Memory::Alone => None,
            Memory::Sqlite => Some(Serving::start(&house, &line)),
            Memory::Postgres => {
                let Some(postgres) = testkit::Postgres::shared() else {
                    println!("left out: PostgreSQL is not installed");
                    return None;
                };
                let line = format!("{line} --database {}", postgres.database());
                Some(Serving::start(&house, &line))
            }
        };
        let sandbox = settled(Sandbox::new().with("USER", "ann").with("LANG", "C.UTF-8"));
        let path = programs(&sandbox);
        let place = Self { sandbox, path, serving, house };
        place.foretop("plugin install");
        if let Some(serving) = &place.serving {
            place.log_in(serving);
        }
        Some(place)
    }

    /// A home beside a server that nobody has used yet, whose people ask no registry.
    pub(crate) fn beside(house: Sandbox, serving: Serving) -> Self {
        let sandbox = Sandbox::new().with("FORETOP_OFFLINE", "1").with("LANG", "C.UTF-8");
        let path = programs(&sandbox);
        serving.settled(&sandbox, "it --scope admin");
        Self { sandbox, path, serving: Some(serving), house }
    }

    /// By the real client, where there is one.
    fn log_in(&self, serving: &Serving) {
        let secret = serving.settled(&self.house, "laptop --scope admin");
        let root = &serving.root;
        self.foretop(&format!("config server {root}"));
        let line = match crate::docker::client() {
            Some(_) => format!("docker login {} -u ann -p {secret} 2>&1", serving.host()),
            None => format!("echo {secret} | foretop login {root} --token-stdin"),
        };
        let (code, said) = self.shell(&line);
        assert_eq!(code, 0, "{line}: {said}");
    }

    /// With a variable of the shell.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        Self { sandbox: self.sandbox.with(name, value), ..self }
    }

    /// Runs a line of the shell: its exit code, and what a terminal shows.
    pub(crate) fn shell(&self, line: &str) -> (i32, String) {
        let output = self.bash().args(["-c", &format!("exec 2>&1\n{line}")]).output().unwrap();
        shown(&output)
    }

    /// Runs a script from a file, with these words.
    pub(crate) fn script(&self, file: &Path, words: &[&str]) -> (i32, String) {
        let mut bash = self.bash();
        bash.args(["-c", "exec 2>&1; exec bash \"$0\" \"$@\""]).arg(file).args(words);
        shown(&bash.output().unwrap())
    }

    /// Runs `foretop`, which has to work.
    pub(crate) fn foretop(&self, line: &str) {
        let (code, said) = self.shell(&format!("foretop {line}"));
        assert_eq!(code, 0, "foretop {line}: {said}");
    }

    fn bash(&self) -> Command {
        let mut bash = self.sandbox.command(Path::new("/bin/bash"));
        bash.env("PATH", &self.path);
        bash
    }
}

fn shown(output: &Output) -> (i32, String) {
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[expect(clippy::disallowed_methods, reason = "a test looks for programs as a shell does")]
/// Where programs are: ours first. Where docker is missing, a script of its name calls us as it would.
fn programs(sandbox: &Sandbox) -> String {
    let folder: PathBuf = sandbox.path("programs");
    fs_err::create_dir(&folder).unwrap();
    let ours = env!("CARGO_BIN_EXE_foretop");
    let link = |name: &str| {
        std::os::unix::fs::symlink(ours, folder.join(name)).unwrap();
    };
    link("foretop");
    if crate::docker::client().is_none() {
        link("docker-scout");
        let script = "#!/bin/sh\nplugin=$1\nshift\nexec \"docker-$plugin\" \"$@\"\n";
        let file = sandbox.file("programs/docker", script);
        let rights = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(file, rights).unwrap();
    }
    let theirs = std::env::var("PATH").unwrap_or_default();
    format!("{}:{theirs}", folder.display())
}
