//! Scripts as people have them who track what runs where: two workflows and one that reads a compose file.

use serde_json::Value;

use crate::pages::furnished;
use crate::place::{Memory, Place};

fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/guides");
    fs_err::read_to_string(format!("{folder}/{name}")).unwrap()
}

/// What a runner of GitHub's does with a workflow's steps, but for those that use actions: each
/// script with its expressions replaced, by `bash -e`. Gives the last exit code and all that is said.
fn workflow(place: &Place, name: &str, expressions: &[(&str, &str)]) -> (i32, String) {
    let document: Value = serde_saphyr::from_str(&fixture(name)).unwrap();
    let jobs = document["jobs"].as_object().unwrap();
    let steps = jobs.values().flat_map(|it| it["steps"].as_array().unwrap());
    let mut said = String::new();
    for script in steps.filter_map(|it| it["run"].as_str()) {
        let script = expressions.iter().fold(script.to_owned(), |script, (expression, value)| {
            script.replace(&format!("${{{{ {expression} }}}}"), value)
        });
        assert!(!script.contains("${{"), "{script}");
        let file = place.sandbox.file("step.sh", format!("set -e\n{script}"));
        let (code, more) = place.script(&file, &[]);
        said += &more;
        if code != 0 {
            return (code, said);
        }
    }
    (0, said)
}

#[test]
fn a_workflow_records_what_it_deployed() {
    for memory in Memory::ALL {
        let Some(place) = furnished(memory, "myorg/myapp:v1.2.0") else { continue };
        let place = place.with("GITHUB_RUN_ID", "42").with("GITHUB_REPOSITORY", "myorg/shop");
        // An image is built for each commit, and has its tag.
        let commit = "3f2a9d1c";
        place.foretop(&format!("push archive://myorg-myapp-v1.2.0.tar --tag myorg/myapp:{commit}"));
        let run = |environment: &str, commit: &str| {
            let inputs = [("github.event.inputs.environment", environment), ("github.sha", commit)];
            workflow(&place, "deploy.yml", &inputs)
        };
        let (code, said) = run("production", commit);
        assert_eq!(code, 0, "{memory:?}: {said}");
        let line = "✓ Successfully recorded myorg/myapp:3f2a9d1c in environment production\n";
        assert!(said.contains(line), "{memory:?}: {said}");
        let (_, said) = place.shell("docker scout env production");
        assert!(said.starts_with("myorg/myapp:3f2a9d1c@sha256:"), "{memory:?}: {said}");
        let (_, said) = place.shell("docker scout env production --history");
        assert!(said.contains("(https://github.com/myorg/shop/actions/runs/42)"), "{said}");
        // What was never built is no deployment, and the workflow says so.
        let (code, said) = run("production", "00000000");
        assert_eq!(code, 1, "{memory:?}: {said}");
        assert!(said.contains("error: cannot tell which image myorg/myapp:00000000 is"), "{said}");
    }
}

#[test]
fn a_workflow_looks_every_morning() {
    for memory in Memory::ALL {
        let Some(place) = furnished(memory, "myorg/myapp:v1.2") else { continue };
        place.foretop("environment staging myorg/myapp:v1.2.3");
        place.foretop("environment production myorg/myapp:v1.2.0");
        let check = |environment: &str, found: bool| {
            let (code, said) =
                workflow(&place, "env-scan.yml", &[("matrix.environment", environment)]);
            assert_eq!(code, 0, "its script lets nothing fail: {said}");
            let told = said.contains(&format!("flawed: {environment}\n"));
            assert_eq!(told, found, "{memory:?}: {said}");
        };
        check("staging", false);
        check("production", true);
        // An environment that is not there is told as well, and never as one without flaws.
        check("nowhere", true);
        let line = "docker scout cves --only-severity critical,high --exit-code myorg/myapp --env";
        for (environment, expect) in [("staging", 0), ("production", 2), ("nowhere", 1)] {
            let (code, said) = place.shell(&format!("{line} {environment}"));
            assert_eq!(code, expect, "{memory:?}: {environment}: {said}");
        }
    }
}

const COMPOSE: &str = "services:
  frontend:
    image: myorg/frontend:v2.1.0
  api:
    image: \"myorg/api:v3.4.2\"
  worker:
    image: 'myorg/worker:v1.8.0' # the one with the queue
";

#[test]
fn a_script_reads_a_compose_file() {
    for memory in Memory::ALL {
        let Some(place) = furnished(memory, "myorg/") else { continue };
        let file = place.sandbox.file("update-scout-env.sh", fixture("update-scout-env.sh"));
        place.sandbox.file("docker-compose.yml", COMPOSE);
        let (code, said) = place.script(&file, &["staging", "docker-compose.yml"]);
        assert_eq!(code, 0, "{memory:?}: {said}");
        let (_, said) = place.shell("docker scout env staging");
        let names: Vec<&str> = said.lines().filter_map(|it| it.split('@').next()).collect();
        let expect = ["myorg/api:v3.4.2", "myorg/frontend:v2.1.0", "myorg/worker:v1.8.0"];
        assert_eq!(names, expect, "{memory:?}: {said}");
        // A file of compose's says more than its images, and `--compose` reads all of it.
        let (code, said) = place.shell("docker scout env other --compose docker-compose.yml");
        assert_eq!(code, 0, "{memory:?}: {said}");
        let (_, other) = place.shell("docker scout env other");
        assert_eq!(other.lines().count(), 3, "{memory:?}: {other}");
    }
}
