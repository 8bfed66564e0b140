//! A PostgreSQL server of the test process's own, gone with it.
//!
//! A private cluster in a temporary folder, on a socket there and on no port. A shell holds it and
//! waits for its own input to end, which happens when the test process does, however that ends:
//! then it stops the server and deletes the folder.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    identity: Option<(u32, u32)>,
    databases: AtomicUsize,
    /// Its input stays open as long as we live.
    _keeper: Child,
}

/// Where Debian has the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

const KEEPER: &str = r#"
settings="-c listen_addresses='' -c unix_socket_directories='$2' -c max_connections=300"
settings="$settings -c fsync=off -c full_page_writes=off"
"$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >"$2/log" 2>&1 &&
"$1/pg_ctl" -D "$2/data" -l "$2/server" -w -t 60 -s -o "$settings" start >>"$2/log" 2>&1 &&
echo ready || { echo failed; tail -n 20 "$2/log" "$2/server" >&2; }
cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate -s stop >/dev/null 2>&1
rm -rf "$2"
"#;

impl Postgres {
    /// The server of this process, started by whoever asks first; none where it is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// The address of a new, empty database.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        let mut create = self.command("createdb");
        create.args(["-h", &self.socket(), "-U", "postgres", "-T", "template0", &name]);
        let output = create.output().expect("createdb is beside the server");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        format!("postgres://postgres@localhost/{name}?host={}", self.socket())
    }

    /// The number of its first process, which the others are children of.
    pub fn id(&self) -> Option<u32> {
        let text = fs_err::read_to_string(self.folder.join("data/postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// Stops the server at once, as a power cut would, and starts it again.
    pub fn restart(&self) {
        let data = self.folder.join("data");
        let server = self.folder.join("server");
        let mut restart = self.command("pg_ctl");
        restart.arg("-D").arg(data).arg("-l").arg(server);
        restart.args(["-m", "immediate", "-w", "-s", "restart"]).stdout(Stdio::null());
        assert!(restart.status().expect("pg_ctl is beside the server").success());
    }

    /// A server of one's own, to be stopped and started; it ends when it is dropped.
    pub fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("foretop-postgres-").tempdir().ok()?.keep();
        // The server refuses to run as root.
        let identity = if id(&["-u"])? == 0 {
            let user = ["postgres", "nobody"]
                .into_iter()
                .find_map(|it| Some((id(&["-u", it])?, id(&["-g", it])?)))?;
            std::os::unix::fs::chown(&folder, Some(user.0), Some(user.1)).ok()?;
            Some(user)
        } else {
            None
        };
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(&programs).arg(&folder).current_dir("/");
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped());
        // What ends us with a signal to all our group leaves time to clean up.
        keeper.process_group(0);
        if let Some((user, group)) = identity {
            keeper.uid(user).gid(group);
        }
        let mut keeper = keeper.spawn().ok()?;
        let mut line = String::new();
        BufReader::new(keeper.stdout.take()?).read_line(&mut line).ok()?;
        assert_eq!(line.trim(), "ready", "PostgreSQL is installed but does not start");
        Some(Self { folder, programs, identity, databases: AtomicUsize::new(0), _keeper: keeper })
    }

    fn socket(&self) -> String {
        self.folder.to_str().expect("a temporary folder has a plain name").to_owned()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir("/");
        if let Some((user, group)) = self.identity {
            command.uid(user).gid(group);
        }
        command
    }
}

/// The folder with the newest server's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs_err::read_dir(VERSIONS).into_iter().flatten().filter_map(Result::ok);
    let newest = versions
        .filter_map(|it| Some((it.file_name().to_str()?.parse::<u32>().ok()?, it.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, path)| path.join("initdb").is_file())
        .max();
    if let Some((_, path)) = newest {
        return Some(path);
    }
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    let path = Path::new(path.trim());
    path.join("initdb").is_file().then(|| path.to_owned())
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
