//! `foretop events`, and what an almanac that is put into place says of what runs.

use crate::environment::pushed;

#[test]
fn another_almanac_says_what_it_changes() {
    let sandbox = pushed();
    let recorded = sandbox.foretop("env production myorg/myapp:v1.2.0");
    assert!(recorded.starts_with("exit 0\n"), "{recorded}");
    let path = sandbox.path("feeds/kev.json");
    let exploited = fs_err::read_to_string(&path).unwrap();
    fs_err::remove_file(&path).unwrap();
    let build = "almanac build --from feeds";
    let said = sandbox.foretop(build);
    assert!(!said.contains("foretop events"), "nothing is worse than it was: {said}");
    sandbox.file("feeds/kev.json", exploited);
    let said = sandbox.foretop(build);
    let line = "known to be exploited in production: foretop events --kind finding";
    assert!(said.contains(line), "{said}");
    let said = sandbox.foretop(build);
    assert!(!said.contains("foretop events"), "it is told once: {said}");

    let said = sandbox.foretop("events --kind finding --env production");
    assert!(said.contains("  production  finding-exploited  CVE-"), "{said}");
    assert!(said.contains(", in 1 image\n"), "{said}");
    let all = sandbox.foretop("events --limit 1");
    assert!(all.contains("finding-exploited") && all.contains("--limit asks for more"), "{all}");
    let json = sandbox.foretop("events --kind deployment-started --format json");
    assert!(json.contains(r#""kind": "deployment-started""#), "{json}");
    let none = sandbox.foretop("events --kind finding --until 2020-01-01");
    assert!(none.contains("Nothing of that sort happened"), "{none}");
    let unknown = sandbox.foretop("events --kind finding-old");
    assert!(unknown.contains("there is no such kind; there are finding, "), "{unknown}");
}
