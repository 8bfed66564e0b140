//! The server does what its description says: schemathesis asks it everything that the document
//! allows, and everything that it does not.
//!
//! `cargo xtask test` installs it into `schemathesis` in the target directory. Without it this test
//! leaves itself out.

use std::path::Path;
use std::process::Command;

use crate::sandbox::Sandbox;
use crate::serving::Serving;

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
    let serving = Serving::start(&sandbox, "--rate-limit 0 --workers 0 --organization acme");
    let token = serving.settled(&sandbox, "it --scope admin");
    let said = sandbox.foretop("push archive://image.tar");
    assert!(said.starts_with("exit 0\n"), "{} {said}", archive.display());
    for name in ["production", "staging"] {
        let said = sandbox.foretop(&format!("env {name} acme/web:v1"));
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    let listed = sandbox.foretop("env production");
    let digest = listed.split('@').nth(1).unwrap().split_whitespace().next().unwrap();
    let settings = sandbox.file("schemathesis.toml", SETTINGS.replace("DIGEST", digest));
    let mut run = Command::new(&schemathesis);
    run.arg("--config-file").arg(settings);
    run.args([
        "run",
        &format!("{}/api/v1/openapi.json", serving.root),
        "--checks",
        "all",
        "--no-color",
    ]);
    run.args(["--max-examples", "10", "--max-time", "45", "--warnings", "off"]);
    run.args(["--header", &format!("Authorization: Bearer {token}")]);
    let output = run.current_dir(sandbox.path("tmp")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
}
