//! A server of its own process, somebody who is logged in there, and the time that it takes of the
//! cores.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Trouble;

/// Ticks of the kernel's clock in a second, by which it tells the time of processes.
const TICKS: f64 = 100.0;

/// A server that runs; it ends with this.
pub(crate) struct Served {
    child: Child,
    address: SocketAddr,
    token: String,
}

impl Served {
    /// On that database, at a free port of this machine.
    pub(crate) fn start(foretop: &str, database: &str, at: &Path) -> Result<Self, Trouble> {
        let home = at.join("home");
        fs_err::create_dir_all(&home)?;
        let of_ours = || {
            let mut command = Command::new(foretop);
            command.env_clear().env("HOME", &home).env("FORETOP_OFFLINE", "1");
            command
        };
        // Nobody else takes the port in the moment between.
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut serve = of_ours();
        serve.args(["serve", "--workers", "0", "--rate-limit", "0", "--database", database]);
        serve.args(["--listen", &address.to_string()]);
        // It logs each request, as it does by itself.
        let log = fs_err::File::create(at.join("log"))?.into_file();
        serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = serve.spawn()?;
        let mut told = BufReader::new(child.stdout.take().ok_or("it says nothing")?);
        let token = home.join("token");
        if !token.exists() || !database.starts_with("sqlite:") {
            let mut link = String::new();
            told.read_line(&mut link)?;
            let mut login = of_ours();
            login.args(["login", link.trim(), "-u", "ann", "--password-stdin"]);
            let mut login = login.stdin(Stdio::piped()).stderr(Stdio::null()).spawn()?;
            login.stdin.take().ok_or("it reads nothing")?.write_all(b"a green horse\n")?;
            if !login.wait()?.success() {
                return Err("nobody is let in".into());
            }
            let made = of_ours().args(["token", "create", "load", "--scope", "admin"]).output()?;
            let text = String::from_utf8(made.stdout)?;
            fs_err::write(&token, text.lines().next().unwrap_or_default())?;
        }
        let token = fs_err::read_to_string(token)?;
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Ok(Self { child, address, token })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of the cores that were taken, by whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cpu {
    ids: (u32, Option<u32>),
    pub(crate) server: f64,
    pub(crate) database: f64,
    pub(crate) us: f64,
}

impl Cpu {
    /// Of a server and of a database of these process ids.
    pub(crate) fn of(server: u32, database: Option<u32>) -> Self {
        Self { ids: (server, database), ..Self::default() }
    }

    /// Until now.
    pub(crate) fn spent(&self) -> Self {
        let all = processes();
        let one = |id: u32| all.get(&id).map_or(0.0, |it| it.seconds);
        let children = |parent: u32| -> f64 {
            all.values().filter(|it| it.parent == parent).map(|it| it.seconds).sum()
        };
        Self {
            ids: self.ids,
            server: one(self.ids.0),
            database: self.ids.1.map_or(0.0, children),
            us: one(std::process::id()),
        }
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            ids: self.ids,
            server: self.server - before.server,
            database: self.database - before.database,
            us: self.us - before.us,
        }
    }
}

struct Process {
    parent: u32,
    seconds: f64,
}

fn processes() -> HashMap<u32, Process> {
    let mut all = HashMap::new();
    for entry in fs_err::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|it| it.parse().ok()) else { continue };
        let Ok(text) = fs_err::read_to_string(entry.path().join("stat")) else { continue };
        // The name before may hold anything.
        let Some((_, rest)) = text.rsplit_once(") ") else { continue };
        let words: Vec<&str> = rest.split(' ').collect();
        let number = |at: usize| words.get(at).and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
        let seconds = (f64::from(number(11)) + f64::from(number(12))) / TICKS;
        all.insert(id, Process { parent: number(1), seconds });
    }
    all
}

/// How many want a core, on average over the last minute, ourselves included.
pub(crate) fn load_average() -> String {
    let text = fs_err::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}
