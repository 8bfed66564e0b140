//! `foretop serve` as a process of its own: the way from its first words to `docker scout`, and how
//! it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::sandbox::Sandbox;

/// A server that ends with the test.
pub(crate) struct Serving {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) root: String,
    /// Where its first owner chooses name and password.
    link: String,
}

impl Serving {
    /// Starts one, with these words behind `serve`, that nobody has used yet.
    pub(crate) fn start(sandbox: &Sandbox, line: &str) -> Self {
        let mut serve = sandbox.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        serve.args(["serve", "--listen", "127.0.0.1:0"]).args(line.split_whitespace());
        let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut link = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut link).unwrap();
        let link = link.trim().to_owned();
        let root = link.split_once("/first/").unwrap().0.to_owned();
        Self { child, root, link }
    }

    /// The first owner comes, and has a token made by these words behind `token create`.
    pub(crate) fn settled(&self, home: &Sandbox, line: &str) -> String {
        let said =
            home.fed(&format!("login {} -u ann --password-stdin", self.link), b"a green horse\n");
        assert!(said.starts_with("exit 0\n"), "{said}");
        let made = home.output(&format!("token create {line}"));
        assert!(made.status.success(), "{}", home.shown(&made));
        String::from_utf8(made.stdout).unwrap().lines().next().unwrap().to_owned()
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it anew, where it was, with so many who do jobs, and waits until it listens.
    pub(crate) fn again(&mut self, sandbox: &Sandbox, workers: u16) {
        let mut serve = sandbox.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        serve.args(["serve", "--workers", &workers.to_string(), "--rate-limit", "0"]);
        serve.args(["--listen", self.host()]);
        let mut child = serve.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        listening(&mut child);
        self.child = child;
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> &str {
        self.root.strip_prefix("http://").unwrap()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }
}

/// Waits until a server listens whose stderr is a pipe, and says where: `http://127.0.0.1:PORT`.
pub(crate) fn listening(child: &mut Child) -> String {
    after(child, "Listening on ")
}

/// Waits until somebody whose stderr is a pipe says this, and tells what follows in that line.
pub(crate) fn after(child: &mut Child, words: &str) -> String {
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let rest = loop {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it says `{words}` before it ends");
        if let Some((_, rest)) = line.split_once(words) {
            break rest.trim().to_owned();
        }
    };
    // What it says later is read by somebody, so that it can be said.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    rest
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_service_manager_is_told_once_it_can_be_reached() {
    use std::os::unix::net::UnixDatagram;

    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("manager");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let house = Sandbox::new().with("NOTIFY_SOCKET", socket.to_str().unwrap());
    let serving = Serving::start(&house, "--workers 0");
    let mut told = [0; 64];
    let length = manager.recv(&mut told).unwrap();
    assert_eq!(&told[..length], b"READY=1");
    serving.connect();
}

#[test]
fn who_may_be_shown_the_password_for_every_registry_is_asked_at_the_start() {
    let house =
        Sandbox::new().with("FORETOP_REGISTRY_USER", "ann").with("FORETOP_REGISTRY_PASSWORD", "p");
    let check = |words: &str, expect: bool| {
        let mut serve = house.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        serve.args(["serve", "--listen", "127.0.0.1:0", "--workers", "0"]);
        let serve = serve.args(words.split_whitespace()).stdout(Stdio::null());
        let mut child = serve.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let before = said.by_ref().map(Result::unwrap).take_while(|it| !it.contains("Listening"));
        let before: Vec<String> = before.collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let warned = before.iter().any(|it| it.contains("! What is for every registry is shown"));
        assert_eq!(warned, expect, "{words}: {before:?}");
    };
    check("", true);
    check("--outgoing registry.example", false);
}

#[test]
fn from_the_first_start_to_docker_scout() {
    let Some(client) = crate::docker::client() else { return };
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 1");
    let ann = Sandbox::new();
    let secret = serving.settled(&ann, "ci --org acme --scope write");
    for name in ["staging", "production"] {
        let digest = "1".repeat(64);
        let line = format!("env {name} acme/web:v1@sha256:{digest}");
        let said = ann.foretop(&line);
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    // Somebody else's home, where only docker knows the token.
    let home = Sandbox::new();
    home.foretop("plugin install");
    let docker = |line: &str| crate::docker::docker(&home, &client, line);
    docker(&format!("scout config server {}", serving.root));
    assert!(docker("scout env").contains("nobody says who is asking"));
    let done = docker(&format!("login {} -u acme -p {secret}", serving.host()));
    assert!(done.contains("Login Succeeded"), "{done}");
    let all = docker("scout env");
    assert!(all.contains("exit 0\n--- stdout\nproduction\nstaging\n"), "{all}");
    let digest = "2".repeat(64);
    let recorded = docker(&format!("scout env staging acme/web:v2@sha256:{digest}"));
    assert!(recorded.contains("Successfully recorded acme/web:v2"), "{recorded}");
    let seen = ann.foretop("env staging");
    assert!(seen.contains("acme/web:v2@sha256:2222"), "{seen}");
    let history = ann.foretop("env staging --history");
    assert!(history.contains("token ci"), "{history}");
    let refused = docker(&format!("scout env qa acme/web:v2@sha256:{digest}"));
    assert!(refused.contains("only owners make environments"), "{refused}");
    docker(&format!("logout {}", serving.host()));
    assert!(docker("scout env").contains("nobody says who is asking"));
}

#[test]
fn it_ends_when_what_is_under_way_is_answered() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let mut serving = Serving::start(&house, "--organization acme --workers 1");
    let ann = Sandbox::new();
    let secret = serving.settled(&ann, "it --scope admin");
    let head = format!("Host: foretop\r\nAuthorization: Bearer {secret}\r\n");
    // One who listens for changes, one whose answer has begun to be asked for, and one who is idle.
    let mut listening = serving.connect();
    let line = "GET /api/v1/orgs/acme/events/live HTTP/1.1\r\n";
    listening.write_all(format!("{line}{head}\r\n").as_bytes()).unwrap();
    let mut first = [0; 12];
    listening.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let mut asking = serving.connect();
    let body = r#"{"name":"staging"}"#;
    let kind = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let line = "POST /api/v1/orgs/acme/environments HTTP/1.1\r\nExpect: 100-continue\r\n";
    asking.write_all(format!("{line}{head}{kind}\r\n").as_bytes()).unwrap();
    let mut go_on = [0; 25];
    asking.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let _idle = serving.connect();

    let told = Command::new("kill").arg("-TERM").arg(serving.child.id().to_string()).status();
    assert!(told.unwrap().success());
    let mut rest = String::new();
    listening.read_to_string(&mut rest).unwrap();
    asking.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    asking.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(serving.host()).is_err(), "nobody is there any more");
}

#[test]
fn what_is_no_request_is_refused() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--workers 0");
    let answer = |said: &[u8]| {
        let mut stream = serving.connect();
        // Who is refused early does not read to the end.
        let _ = stream.write_all(said);
        // What is cut short is never whole.
        if !said.ends_with(b"\r\n\r\n") {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let check = |said: &[u8], expect: &str| {
        let answer = answer(said);
        assert!(answer.starts_with(expect), "{expect}: {answer}");
    };
    // A connection that is closed on somebody who still writes may take the answer with it: what is
    // refused before it is read to the end is answered, or cut off.
    let check_refused = |said: &[u8], expect: &str| {
        let answer = answer(said);
        assert!(answer.is_empty() || answer.starts_with(expect), "{expect}: {answer}");
    };
    let post = "POST /api/v1/sessions HTTP/1.1\r\nHost: it\r\nContent-Type: application/json\r\n";
    check_refused(&[b'x'; 1000], "HTTP/1.1 400 ");
    check(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "HTTP/1.1 400 ");
    check(b"GET /\0 HTTP/1.1\r\nHost: it\r\n\r\n", "HTTP/1.1 400 ");
    let long = format!("GET /healthz HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    check_refused(long.as_bytes(), "HTTP/1.1 431 ");
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "X: x\r\n".repeat(2_000));
    check_refused(many.as_bytes(), "HTTP/1.1 431 ");
    check(format!("{post}Content-Length: 100\r\n\r\n{{").as_bytes(), "HTTP/1.1 400 ");
    check(
        format!("{post}Content-Length: 1\r\nContent-Length: 2\r\n\r\n").as_bytes(),
        "HTTP/1.1 400 ",
    );
    check(format!("{post}Content-Length: -1\r\n\r\n").as_bytes(), "HTTP/1.1 400 ");
    check(format!("{post}Transfer-Encoding: chunked\r\n\r\nZZ\r\n").as_bytes(), "HTTP/1.1 400 ");
    let deep = format!("{post}Content-Length: 10000\r\n\r\n{}", "[".repeat(10_000));
    check_refused(deep.as_bytes(), "HTTP/1.1 4");
    check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\0\0");
    let mut stream = serving.connect();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "it lives: {answer}");
}

#[test]
fn where_somebody_listens_nobody_else_does() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--workers 0");
    let said = house.foretop(&format!("serve --listen {}", serving.host()));
    assert!(said.starts_with("exit 1\n"), "{said}");
    let why = format!("error: cannot listen on {}: ", serving.host());
    assert!(said.contains(&why) && said.contains("hint: --listen 127.0.0.1:0"), "{said}");
}

#[test]
fn what_is_wrong_with_certificates_is_said_at_the_start() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/fixtures/tls");
    let check = |certificate: &str, key: &str, expect: &str| {
        let file = |name: &str| fixtures.join(name).display().to_string();
        let said = house.foretop(&format!(
            "serve --listen 127.0.0.1:0 --tls-certificate {} --tls-key {}",
            file(certificate),
            file(key)
        ));
        assert!(said.starts_with("exit 1\n"), "{said}");
        assert!(said.contains(expect) && said.contains("\nhint: "), "{said}");
    };
    check("certificate.pem", "another-key.pem", "another-key.pem: it is not the key of ");
    check("expired.pem", "key.pem", "expired.pem: the certificate expired at 2026-02-01T00:00:00Z");
    check("certificate.pem", "encrypted-key.pem", "encrypted-key.pem: the key is encrypted");
    check("key.pem", "certificate.pem", "key.pem: there is no certificate in it");
}
