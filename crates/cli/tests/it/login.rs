//! `foretop login`, `logout`, `whoami`, `token` and `member`, at a server and without one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use engine::Engine;
use model::Moment;
use server::{Access, App, Bound, Limits, Listening, People, Reach, World, first_start, front};
use store::Store;

use crate::sandbox::Sandbox;

const PASSWORD: &[u8] = b"a green horse\n";

/// A server that nobody has used yet.
struct Server {
    url: String,
    /// Where its first owner chooses name and password.
    link: String,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (url, link) = runtime.block_on(async {
            let store = Store::open("sqlite::memory:").await.unwrap();
            let reach = Reach {
                engine: Engine::default(),
                settings: Arc::new(image::Settings::default()),
                jobs: false,
                offline: true,
            };
            let access = Access::People(People::new(false));
            let clock = Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
            let app = App::new(store, World::new(None), access, reach, clock);
            let address = SocketAddr::from(([127, 0, 0, 1], 0));
            let bound = Bound::to(&Listening { address, tls: None, workers: 0 }).await.unwrap();
            let url = format!("http://{}", bound.address());
            let link = first_start(&app, &url, "acme").await.unwrap().unwrap();
            let router = front(app.clone(), Limits::default());
            tokio::spawn(bound.serve(app, router, std::future::pending()));
            (url, link)
        });
        Self { url, link, _runtime: runtime }
    }

    /// Without what differs from server to server.
    fn redact(&self, text: &str) -> String {
        text.replace(&self.url, "[SERVER]")
    }
}

/// A home whose owner has joined by an address.
fn joined(link: &str, name: &str) -> Sandbox {
    let home = Sandbox::new();
    let shown = home.fed(&format!("login {link} -u {name} --password-stdin"), PASSWORD);
    assert!(shown.starts_with("exit 0\n"), "{shown}");
    home
}

fn credentials(home: &Sandbox) -> PathBuf {
    home.path("home").join(".config/foretop/credentials.json")
}

/// The first line of stdout.
fn said(home: &Sandbox, line: &str) -> String {
    let output = home.output(line);
    assert!(output.status.success(), "{}", home.shown(&output));
    String::from_utf8(output.stdout).unwrap().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_first_owner_logs_in_and_out() {
    let server = Server::start();
    let home = Sandbox::new();
    let line = format!("login {} -u ann --password-stdin", server.link);
    assert_eq!(
        server.redact(&home.fed(&line, PASSWORD)),
        "exit 0\n--- stderr\n    i You are invited: owner of acme\n    \
         ✓ Successfully logged in to [SERVER] as ann\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs_err::metadata(credentials(&home)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let shown = server.redact(&home.foretop("whoami"));
    assert!(shown.starts_with("exit 0\n--- stdout\nServer        [SERVER]\nName          ann\n"));
    assert!(shown.ends_with("Organizations \n  acme (owner)\n"), "{shown}");
    let json = home.output("whoami --format json");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["name"], &json["by"]), (&"ann".into(), &"password".into()));
    assert_eq!(json["organisations"][0]["role"], "owner");
    // The organisation is the only one, so nobody needs to name it.
    assert_eq!(server.redact(&home.foretop("repo list")).lines().next(), Some("exit 0"));

    let token = fs_err::read_to_string(credentials(&home)).unwrap();
    let done = "exit 0\n--- stderr\n    ✓ Successfully logged out of [SERVER]\n";
    assert_eq!(server.redact(&home.foretop("logout")), done);
    let again = "exit 0\n--- stderr\n    i You are not logged in to [SERVER]\n";
    assert_eq!(server.redact(&home.foretop("logout")), again);
    fs_err::write(credentials(&home), token).unwrap();
    let over = home.foretop("whoami");
    assert!(over.contains("is good no more"), "the server was told: {over}");
    let used = home.fed(&line, PASSWORD);
    assert!(used.contains("error: invitation: it was used"), "{used}");
}

#[test]
fn wrong_words_at_the_door() {
    let server = Server::start();
    joined(&server.link, "ann");
    let home = Sandbox::new();
    let url = &server.url;
    let wrong = home.fed(&format!("login {url} -u ann --password-stdin"), b"a green house");
    assert!(wrong.starts_with("exit 1\n"), "{wrong}");
    assert!(wrong.contains("error: log-in: the name or the password is wrong"), "{wrong}");
    let nobody = home.fed(&format!("login {url} --password-stdin"), PASSWORD);
    assert!(nobody.contains("hint: -u NAME says it"), "{nobody}");
    let nothing = home.fed(&format!("login {url} -u ann --password-stdin"), b"\n");
    assert!(nothing.contains("there is no password on stdin"), "{nothing}");
    let blind = home.foretop(&format!("login {url} -u ann"));
    assert!(blind.contains("there is no terminal to ask for the password"), "{blind}");
    let forged = home.fed(&format!("login {url} --token-stdin"), b"ftp_x");
    assert!(forged.contains("what is shown is not good here"), "{forged}");
    assert!(!credentials(&home).exists());
}

#[test]
fn members_come_by_invitation_and_programs_by_token() {
    let server = Server::start();
    let ann = joined(&server.link, "ann");
    let link = said(&ann, "member invite --role editor");
    assert!(link.starts_with(&format!("{}/join/fti_", server.url)), "{link}");
    let bob = joined(&link, "bob");
    let members = ann.foretop("member list");
    let lines: Vec<&str> = members.lines().filter(|it| it.contains("202")).collect();
    assert!(lines[0].starts_with("ann   owner   "), "{members}");
    assert!(lines[1].starts_with("bob   editor  "), "{members}");
    let refused = bob.foretop("member remove ann");
    assert!(
        refused.contains("error: bob: only an owner may manage members, and you are an editor"),
        "{refused}"
    );
    assert!(refused.contains("hint: ask ann, who owns it"), "{refused}");

    let secret = said(&ann, "token create ci --org acme --scope write --days 30");
    let program = Sandbox::new().with("FORETOP_SERVER", &server.url).with("FORETOP_TOKEN", &secret);
    let me = program.foretop("whoami");
    assert!(me.contains("Name          token ci\nToken         it may write\n"), "{me}");
    let third = Sandbox::new();
    let shown = third.fed(&format!("login {} --token-stdin", server.url), secret.as_bytes());
    assert!(shown.contains("as token ci"), "{shown}");
    let listed = ann.foretop("token list --org acme");
    assert!(listed.contains(secret.get(..10).unwrap()), "{listed}");
    assert!(!listed.contains(&secret), "{listed}");
    let mine = ann.foretop("token list");
    assert!(!mine.contains("fto_"), "{mine}");
    let revoked = ann.foretop(&format!("token revoke {secret} --org acme"));
    assert!(revoked.contains("Successfully revoked token ci"), "{revoked}");
    assert!(program.foretop("whoami").starts_with("exit 1\n"));

    assert!(ann.foretop("member role bob --role member").starts_with("exit 0\n"));
    assert!(ann.foretop("member remove bob").starts_with("exit 0\n"));
    assert!(bob.foretop("whoami").ends_with("Organizations none\n"));
}

#[test]
fn whoever_docker_logged_in_is_known() {
    let Some(client) = crate::docker::client() else { return };
    let server = Server::start();
    let ann = joined(&server.link, "ann");
    let secret = said(&ann, "token create ci --org acme --scope write");
    let home = Sandbox::new();
    home.foretop("plugin install");
    home.foretop(&format!("config server {}", server.url));
    let docker = |line: &str| crate::docker::docker(&home, &client, line);
    let nobody = docker("scout environment");
    assert!(nobody.contains("error: request: nobody says who is asking"), "{nobody}");
    let host = server.url.strip_prefix("http://").unwrap();
    let refused = docker(&format!("login {host} -u bob -p {secret}"));
    assert!(!refused.contains("Login Succeeded"), "{refused}");
    let done = docker(&format!("login {host} -u acme -p {secret}"));
    assert!(done.contains("Login Succeeded"), "{done}");
    let me = docker("scout whoami");
    assert!(me.contains("Name          token ci\n"), "{me}");
    assert!(me.contains("  acme (editor)\n"), "{me}");
    let all = docker("scout environment");
    assert!(all.contains("exit 0\n"), "{all}");
}

#[test]
fn without_a_server_nobody_needs_to() {
    let home = Sandbox::new().with("USER", "ann");
    let shown = home.foretop("whoami");
    assert_eq!(
        shown,
        "exit 0\n--- stdout\nServer        none: everything is on this machine, and nobody needs \
         to log in\nName          ann\nOrganizations \n  local (owner)\n"
    );
    for (line, expect) in [
        ("login", "nobody needs to log in: there is no server"),
        ("logout", "nobody needs to log in: there is no server"),
        ("token list", "tokens: there is no server that asks for one"),
        ("member list", "members: there is no server, so there is nobody but you"),
    ] {
        let hint = "hint: foretop login SERVER uses one";
        assert_eq!(home.foretop(line), format!("exit 1\n--- stderr\nerror: {expect}\n{hint}\n"));
    }
}
