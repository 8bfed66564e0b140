//! A real mail server, the one that Debian has as `python3-aiosmtpd`.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::registry::lock;

/// A running one, gone when it is dropped. Who is called `gone` has left, who is called `busy` comes
/// back later, and nobody may send as `nobody`; `spam` and `full` in a letter are refused.
pub struct MailServer {
    process: Child,
    port: u16,
    letters: Arc<(Mutex<Vec<Letter>>, Condvar)>,
    complaints: Arc<Mutex<VecDeque<String>>>,
}

/// Of what it complains of, so many lines are kept, the last ones, and so much of each.
const COMPLAINTS: usize = 60;
const COMPLAINT: u64 = 500;

/// A letter that it took.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Whom the server was told that it is from.
    pub from: String,
    /// And for.
    pub to: Vec<String>,
    /// The letter, headers and all.
    pub text: String,
    /// Did it come through TLS?
    pub tls: bool,
    /// Had somebody logged in?
    pub login: bool,
}

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// TLS begins when it was agreed upon, and nothing goes before.
    Agreed,
    /// At once.
    AtOnce,
    /// Never.
    Never,
}

impl MailServer {
    /// Who may log in.
    pub const USER: &'static str = "foretop";
    /// With this.
    pub const PASSWORD: &'static str = "s3cret-p4ssword";

    /// Starts one; none where it is not installed, which is said.
    #[expect(clippy::print_stdout, reason = "a test that leaves itself out says so")]
    pub fn start(tls: MailTls) -> Option<Self> {
        let has_it = |it: &&str| {
            let ran =
                Command::new(it).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
            ran.is_ok_and(|it| it.success())
        };
        let Some(python) = ["/usr/bin/python3", "python3"].iter().find(|it| has_it(it)) else {
            println!("left out: python3-aiosmtpd is missing");
            return None;
        };
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let mode = match tls {
            MailTls::Agreed => "starttls",
            MailTls::AtOnce => "tls",
            MailTls::Never => "none",
        };
        let mut process = Command::new(python)
            .arg(fixtures.join("smtp/server.py"))
            .arg(mode)
            .args([fixtures.join("tls/localhost.pem"), fixtures.join("tls/localhost.key")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it ran a moment ago");
        let complaints = Arc::default();
        let (said, kept) = (process.stderr.take().expect("it is a pipe"), Arc::clone(&complaints));
        std::thread::spawn(move || keep(said, &kept));
        let mut lines = BufReader::new(process.stdout.take().expect("it is a pipe")).lines();
        let port = lines.next().and_then(Result::ok).and_then(|it| it.parse().ok());
        let port = port.unwrap_or_else(|| panic!("it says no port: {:?}", lock(&complaints)));
        let letters: Arc<(Mutex<Vec<Letter>>, Condvar)> = Arc::default();
        let shared = Arc::clone(&letters);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(letter) = read(&line) {
                    lock(&shared.0).push(letter);
                    shared.1.notify_all();
                }
            }
        });
        Some(Self { process, port, letters, complaints })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The letters that it took, once there are so many; what there is after twenty seconds.
    pub fn letters(&self, count: usize) -> Vec<Letter> {
        let letters = lock(&self.letters.0);
        let patience = Duration::from_secs(20);
        let waited = self.letters.1.wait_timeout_while(letters, patience, |it| it.len() < count);
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

/// Keeps the end of what it complains of.
fn keep(said: impl Read, kept: &Mutex<VecDeque<String>>) {
    let mut said = BufReader::new(said);
    let mut line = Vec::new();
    while said.by_ref().take(COMPLAINT).read_until(b'\n', &mut line).is_ok_and(|it| it > 0) {
        let mut kept = lock(kept);
        if kept.len() >= COMPLAINTS {
            kept.pop_front();
        }
        kept.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
}

fn read(line: &str) -> Option<Letter> {
    let told: serde_json::Value = serde_json::from_str(line).ok()?;
    let to = told["to"].as_array()?.iter().filter_map(|it| Some(it.as_str()?.to_owned()));
    let letter = STANDARD.decode(told["letter"].as_str()?).ok()?;
    Some(Letter {
        from: told["from"].as_str()?.to_owned(),
        to: to.collect(),
        text: String::from_utf8_lossy(&letter).into_owned(),
        tls: told["tls"].as_bool()?,
        login: told["login"].as_bool()?,
    })
}

impl Drop for MailServer {
    #[expect(clippy::print_stdout, reason = "a test that fails shows what its server said")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for it in lock(&self.complaints).iter() {
                println!("mail server: {it}");
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
