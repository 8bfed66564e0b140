//! The server does what its description says: schemathesis asks it everything that the document
//! allows, and everything that it does not.
//!
//! `cargo xtask test` installs it into `schemathesis` in the target directory. Without it this test
//! leaves itself out.

use std::fmt::Write as _;
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

# What is described is taken. Which things there are already, and who may, no document can say.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 429, 503]

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

/// What it asks is the same each time, on any machine: it goes once through all there is to ask, and no
/// clock ends it.
const SEED: &str = "20261121";

/// What no schema can say, of these operations alone: they may be refused, too.
const UNTOLD: &[(&str, &str)] = &[
    ("GET /api/v1/orgs/{org}/deployments", "a time and all of it; where a page of it ended"),
    ("GET /api/v1/orgs/{org}/where", "a flaw or a package, and what a purl is"),
    ("DELETE /api/v1/orgs/{org}/environments/{environment}/deployments", "one of three at least"),
    ("POST /api/v1/orgs/{org}/bases", "how many images there are at most"),
    ("POST /api/v1/orgs/{org}/environments/{environment}/deployments", "no registry is asked"),
    ("PUT /api/v1/orgs/{org}/environments/{environment}/runtimes/{runtime}", "nor here"),
    ("PUT /api/v1/orgs/{org}/exceptions/{exception}", "what a purl is, and a time that is to come"),
    ("PUT /api/v1/orgs/{org}/policies", "what Rego is, and which policies there are"),
    ("PUT /api/v1/orgs/{org}/environments/{environment}/policies", "the same"),
    ("POST /api/v1/orgs/{org}/policies/trials", "the same"),
    ("PUT /api/v1/orgs/{org}/repositories/{repository}", "a repository's name in a path"),
    ("GET /api/v1/orgs/{org}/resolved", "nor here"),
    ("PUT /api/v1/orgs/{org}/rules/{rule}", "which topics and channels there are"),
    ("PUT /api/v1/orgs/{org}/runtimes/{runtime}", "who reports, what runs, and a name in a path"),
    ("POST /api/v1/orgs/{org}/runtimes/{runtime}/heartbeats", "a name in a path"),
    ("GET /api/v1/orgs/{org}/runtimes/{runtime}", "the same"),
    ("DELETE /api/v1/orgs/{org}/runtimes/{runtime}", "the same"),
    ("PUT /api/v1/orgs/{org}/schedules/{schedule}", "when something is due"),
    ("PUT /api/v1/orgs/{org}/tags", "a tag, and one image a platform"),
    ("POST /api/v1/orgs/{org}/tags/looks", "nor here"),
    ("PUT /api/v1/orgs/{org}/images/{digest}", "what an inventory is"),
    ("POST /api/v1/orgs/{org}/analysis", "what an inventory is"),
    ("POST /api/v1/orgs/{org}/images/{digest}/analysis", "what a statement is"),
    ("POST /api/v1/orgs/{org}/where", "the same, and a flaw or a package"),
    ("POST /api/v1/orgs/{org}/environments/{environment}/export", "the same"),
    ("POST /api/v1/orgs/{org}/comparisons", "the same"),
    ("POST /api/v1/invitations/{secret}", "a password of several letters"),
    ("POST /api/v1/me/tokens", "a time that is to come"),
    ("POST /api/v1/me/tokens/{token}/rotations", "the same"),
    ("POST /api/v1/orgs/{org}/tokens", "the same"),
    ("POST /api/v1/orgs/{org}/tokens/{token}/rotations", "the same"),
];

fn settings(digest: &str) -> String {
    let mut settings = SETTINGS.replace("DIGEST", digest);
    for (operation, why) in UNTOLD {
        let _ = write!(
            settings,
            "\n# {why}\n[[operations]]\ninclude-name = \"{operation}\"\n\
             [operations.checks.positive_data_acceptance]\n\
             expected-statuses = [\"2xx\", \"3xx\", 400, 401, 403, 404, 409, 422, 429, 503]\n"
        );
    }
    settings
}

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
    let settings = sandbox.file("schemathesis.toml", settings(digest));
    let mut run = Command::new(&schemathesis);
    run.arg("--config-file").arg(settings);
    run.args([
        "run",
        &format!("{}/api/v1/openapi.json", serving.root),
        "--checks",
        "all",
        "--no-color",
    ]);
    run.args(["--max-examples", "10", "--warnings", "off"]);
    run.args(["--seed", SEED]);
    run.args(["--header", &format!("Authorization: Bearer {token}")]);
    let output = run.current_dir(sandbox.path("tmp")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "seed {SEED}: {said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{said}");
}
