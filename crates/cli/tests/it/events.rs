//! `foretop events`, and what an almanac that is put into place says of what runs.

use crate::environment::pushed;

#[test]
fn what_happened_is_told_by_name() {
    let sandbox = pushed();
    let digit = |digit: char| format!("sha256:{}", digit.to_string().repeat(64));
    for line in [
        "env production myorg/myapp:v1.2.0".to_owned(),
        format!("env production myorg/myapp:v2@{} --app docker.io/myorg/myapp", digit('2')),
        format!("env production debian@{} --app base --platform linux/arm64", digit('3')),
        "env remove production base".to_owned(),
        "env rename production live".to_owned(),
    ] {
        let done = sandbox.foretop(&line);
        assert!(done.starts_with("exit 0\n"), "{line}: {done}");
    }
    let told = sandbox.foretop("events --limit 9");
    // However wide the columns are.
    let in_words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
    let told: String = told.lines().map(in_words).collect();
    let images = sandbox.foretop("image list myorg/myapp");
    let image = images.lines().find(|it| it.contains("7 packages")).unwrap();
    let digest = image.strip_prefix("sha256:").unwrap().get(..12).unwrap();
    let first = format!("myorg/myapp:v1.2.0@{digest}");
    for expect in [
        format!(" production deployment-started {first}, by "),
        format!("deployment-replaced myorg/myapp:v2@222222222222 in place of {first}, by "),
        "deployment-started debian@333333333333 as base for linux/arm64, by ".to_owned(),
        "deployment-ended debian@333333333333 as base for linux/arm64, by ".to_owned(),
        "environment-renamed live: production → live, by ".to_owned(),
        format!(" - image-analysed myorg/myapp@{digest}: "),
    ] {
        assert!(told.contains(&expect), "{expect} {told}");
    }
    assert_eq!(told.matches(" through cli\n").count(), 3, "{told}");
    let json = sandbox.foretop("events --kind deployment-replaced --format json");
    let image = format!(r#""image": "myorg/myapp:v2@{}""#, digit('2'));
    let former = format!(r#""replaced": "myorg/myapp:v1.2.0@sha256:{digest}"#);
    assert!(json.contains(&image) && json.contains(&former), "{json}");
}

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
