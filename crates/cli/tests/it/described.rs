//! The server does what its description says: schemathesis asks it everything that the document
//! allows, and everything that it does not.
//!
//! `cargo xtask test` installs it into `schemathesis` in the target directory. Without it this test
//! leaves itself out.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::sandbox::Sandbox;

/// An organisation that is not the one we own may be deleted; a list that never ends is not read.
const SETTINGS: &str = r#"
[parameters]
org = "acme"
environment = "production"
digest = "DIGEST"

# Which images and packages there are, no document can say.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 422, 429, 503]

[[operations]]
include-name = "DELETE /api/v1/orgs/{org}"
parameters = { org = "nobody" }

[[operations]]
include-path = "/api/v1/orgs/{org}/environments/{environment}"
parameters = { environment = "staging" }

[[operations]]
include-path = "/api/v1/orgs/{org}/events/live"
enabled = false
"#;

#[test]
fn as_described() {
    let binary = Path::new(env!("CARGO_BIN_EXE_foretop"));
    let target = binary.parent().and_then(Path::parent).unwrap();
    let schemathesis = target.join("schemathesis/bin/schemathesis");
    if !schemathesis.exists() {
        println!("left out: {} is missing (cargo xtask test)", schemathesis.display());
        return;
    }
    let sandbox = Sandbox::new().with("FORETOP_OFFLINE", "yes").with("FORETOP_LOG", "warn");
    let image = testkit::image().layer(
        testkit::layer()
            .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n")
            .file("lib/apk/db/installed", "P:cup\nV:1.0-r0\nA:x86_64\n\n"),
    );
    let archive = sandbox.file("image.tar", image.docker_archive("acme/web:v1"));
    let mut serve = sandbox.command(binary);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0", "--workers", "0"]);
    serve.args(["--organization", "acme"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = serve.spawn().unwrap();
    let mut link = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut link).unwrap();
    let said =
        sandbox.fed(&format!("login {} -u ann --password-stdin", link.trim()), b"a green horse\n");
    assert!(said.starts_with("exit 0\n"), "{said}");
    let said = sandbox.foretop("push archive://image.tar");
    assert!(said.starts_with("exit 0\n"), "{} {said}", archive.display());
    for name in ["production", "staging"] {
        let said = sandbox.foretop(&format!("env {name} acme/web:v1"));
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    let made = sandbox.output("token create ci --scope admin");
    let token = String::from_utf8(made.stdout).unwrap();
    let listed = sandbox.foretop("env production");
    let digest = listed.split('@').nth(1).unwrap().split_whitespace().next().unwrap();
    let settings = sandbox.file("schemathesis.toml", SETTINGS.replace("DIGEST", digest));
    let (root, _) = link.split_once("/first/").unwrap();
    let mut run = Command::new(&schemathesis);
    run.arg("--config-file").arg(settings);
    run.args(["run", &format!("{root}/api/v1/openapi.json"), "--checks", "all", "--no-color"]);
    run.args(["--max-examples", "15", "--max-time", "60", "--warnings", "off"]);
    run.args(["--header", &format!("Authorization: Bearer {}", token.lines().next().unwrap())]);
    let output = run.current_dir(sandbox.path("tmp")).output().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
}
