//! The pages of `docs` and the README: what stands in their examples is typed, and what stands below it
//! is what is said. What they refer to is there.

use std::path::{Path, PathBuf};

use testkit::{RealRegistry, Running, SysdigStandIn, Vendor, VendorStandIn};

use crate::place::{Memory, Place};
use crate::story::{log4j, npm, service};

/// A line that somebody is to type, and what is to come of it.
pub(crate) struct Step {
    line: usize,
    typed: String,
    exit: i32,
    said: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn page(name: &str) -> String {
    fs_err::read_to_string(root().join(name)).unwrap()
}

/// The steps of all examples. A comment behind a line may say `exit code 1`.
pub(crate) fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (at, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
            continue;
        }
        if !inside {
            continue;
        }
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(typed), _) => {
                let exit =
                    typed.rsplit_once("exit code ").and_then(|(_, it)| it.trim().parse().ok());
                let typed = typed.to_owned();
                steps.push(Step { line: at + 1, typed, exit: exit.unwrap_or(0), said: Vec::new() });
            }
            (None, Some(step)) => step.said.push(line.to_owned()),
            (None, None) => {}
        }
    }
    steps
}

/// Is that the line? `…` is whatever stands there, and blanks are as wide as they are.
fn is_said(expected: &str, line: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (expected, line) = (words(expected), words(line));
    let mut parts = expected.split('…');
    let mut rest = line.as_str();
    match parts.next().and_then(|first| rest.strip_prefix(first)) {
        Some(behind) => rest = behind,
        None => return false,
    }
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part.trim()) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last.trim_start())
}

#[test]
fn what_stands_for_what() {
    assert!(is_said("a … c", "a b c"));
    assert!(is_said("web:v1@sha256:…", "  web:v1@sha256:12ab"));
    assert!(is_said("…", ""));
    assert!(is_said("a  b", "a\tb"));
    assert!(is_said("20…  now", "2026-11-21T10:00:00Z now"));
    assert!(!is_said("a … c", "a b cd"));
    assert!(!is_said("web:v1@sha256:…", "web:v2@sha256:12ab"));
    assert!(!is_said("a", "a b"));
}

/// Types all of them, one after the other.
#[track_caller]
pub(crate) fn walk(place: &Place, name: &str, steps: &[Step], put: impl Fn(&str) -> String) {
    for step in steps {
        let (code, said) = place.shell(&step.typed);
        let here = format!("{name}:{}: $ {}\n{said}", step.line, step.typed);
        assert_eq!(code, step.exit, "{here}");
        let mut lines = said.lines();
        for expected in &step.said {
            let expected = put(expected);
            assert!(lines.any(|it| is_said(&expected, it)), "{here}\nis missing: {expected}");
        }
    }
}

/// Images that people have, as `docker save` writes them, and files beside them.
fn furnish(place: &Place, repository: &str) -> Vec<String> {
    let one = |name: &str, version: &str| npm(testkit::layer(), name, version);
    let jar = |version| testkit::layer().file("app/log4j-core.jar", log4j(version));
    let images = [
        ("myorg/myapp:v1.2.0", one("lodash", "4.17.11")),
        ("myorg/myapp:v1.2.3", one("lodash", "4.17.21")),
        ("myorg/myapp:latest", npm(one("lodash", "4.17.21"), "minimist", "1.2.5")),
        ("myorg/webapp:3.1", one("lodash", "4.17.11")),
        ("myorg/webapp:latest", one("lodash", "4.17.20")),
        ("myorg/frontend:v2.1.0", one("left-pad", "1.2.0")),
        ("myorg/api:v3.4.2", jar("2.14.1")),
        ("myorg/worker:v1.8.0", one("left-pad", "1.3.0")),
        ("myorg/worker:v2.0.0", one("left-pad", "1.3.1")),
        ("acme/web:v1.2", jar("2.14.1")),
        ("acme/web:v1.3", jar("2.17.1")),
        ("acme/web:latest", jar("2.17.1")),
        ("acme/web:pr-7", jar("2.17.0")),
        ("acme/jobs:v4", one("lodash", "4.17.20")),
        ("myorg/late:v1", one("minimist", "1.2.5")),
    ];
    let mut files = Vec::new();
    for (name, layer) in images.into_iter().filter(|(name, _)| name.starts_with(repository)) {
        let file = format!("{}.tar", name.replace(['/', ':'], "-"));
        place.sandbox.file(&file, service(layer).docker_archive(name));
        files.push(file);
    }
    let compose = "services:\n  frontend: {image: \"myorg/frontend:v2.1.0\"}\n  \
                   worker: {image: \"myorg/worker:${WORKER:-v1.8.0}\"}\n";
    place.sandbox.file("compose.yaml", compose);
    let shop = "services:\n  web: {image: \"acme/web:${TAG:-v1.3}\"}\n  \
                jobs: {image: acme/jobs:v4}\n";
    place.sandbox.file("shop.yaml", shop);
    let manifest = "kind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  template:\n    \
                    spec: {containers: [{name: app, image: \"acme/web:v1.2\"}]}\n";
    place.sandbox.file("k8s.yaml", manifest);
    files
}

/// A place where those of them were pushed whose names begin like this, and no registry is asked.
pub(crate) fn furnished(memory: Memory, repository: &str) -> Option<Place> {
    let place = Place::new(memory, true)?;
    for file in furnish(&place, repository) {
        // Whoever is late is late.
        if !file.contains("-late-") {
            place.foretop(&format!("push archive://{file}"));
        }
    }
    Some(place)
}

/// The steps below a heading and above another.
fn between(page: &str, from: Option<&str>, to: Option<&str>) -> Vec<Step> {
    let line = |heading: &str| page.lines().position(|it| it == heading).unwrap();
    let (from, to) = (from.map_or(0, line), to.map_or(usize::MAX, line));
    let steps: Vec<Step> =
        steps(page).into_iter().filter(|it| (from..to).contains(&it.line)).collect();
    assert!(steps.len() > 5, "{}", steps.len());
    steps
}

/// From there on a registry is asked.
const MOVING: &str = "## Tags that move";
const ARTIFACTORY: &str = "## Watching Artifactory";
const AZURE: &str = "## An integration of Azure";

#[test]
fn the_guides_without_a_registry() {
    let text = page("docs/guides.md");
    let steps = between(&text, None, Some(MOVING));
    for memory in Memory::ALL {
        let Some(place) = furnished(memory, "myorg/") else { continue };
        let board = testkit::FakeRegistry::start();
        let place = place.with("SLACK_WEBHOOK", &format!("http://{}/hook", board.host()));
        let (code, _) = place.shell("curl --version");
        let steps = steps.iter().filter(|it| code == 0 || !it.typed.contains("curl"));
        for step in steps {
            walk(
                &place,
                &format!("{memory:?}: guides.md"),
                std::slice::from_ref(step),
                str::to_owned,
            );
        }
        assert_eq!(
            board.seen().iter().filter(|it| it.path == "/hook").count(),
            usize::from(code == 0)
        );
        if code != 0 {
            println!("left out: curl is missing");
        }
    }
}

#[test]
fn the_guides_with_a_registry() {
    let text = page("docs/guides.md");
    let steps = between(&text, Some(MOVING), Some(ARTIFACTORY));
    for memory in Memory::ALL {
        let Some(registry) = RealRegistry::start() else { return };
        let Some(place) = Place::new(memory, false) else { continue };
        for (version, leaf) in [("1", "1.2.0"), ("2", "1.3.0")] {
            let image = service(npm(testkit::layer(), "left-pad", leaf));
            let file = format!("web-{version}.tar");
            place.sandbox.file(&file, image.docker_archive("myorg/web:stable"));
        }
        let host = registry.host().to_owned();
        let put = |text: &str| text.replace("$REGISTRY", &host);
        registry.push(&place.sandbox.path("web-1.tar"), "myorg/web:stable");
        let place = place.with("REGISTRY", &host);
        walk(&place, &format!("{memory:?}: guides.md"), &steps, put);
    }
}

/// A real registry with an image that is flawed, and one that is not, beside whoever types.
fn with_a_registry(memory: Memory, flawed: &str, good: &str) -> Option<(Place, RealRegistry)> {
    let registry = RealRegistry::start()?;
    let place = Place::new(memory, false)?;
    for (file, name, version) in [("old.tar", flawed, "4.17.11"), ("new.tar", good, "4.17.21")] {
        let image = service(npm(testkit::layer(), "lodash", version));
        place.sandbox.file(file, image.docker_archive("acme/it:1"));
        if !name.is_empty() {
            registry.push(&place.sandbox.path(file), name);
        }
    }
    let host = registry.host().to_owned();
    Some((place.with("REGISTRY", &host), registry))
}

#[test]
fn the_guide_of_artifactory() {
    let text = page("docs/guides.md");
    let steps = between(&text, Some(ARTIFACTORY), Some(AZURE));
    for memory in Memory::ALL {
        let Some((place, registry)) = with_a_registry(memory, "team/frontend:v1", "") else {
            continue;
        };
        registry.push(&place.sandbox.path("new.tar"), "team/legacy/frontend:v1");
        registry.push(&place.sandbox.path("new.tar"), "team/other:v1");
        let stand_in = VendorStandIn::start(Vendor::Artifactory, registry.host());
        let host = stand_in.host();
        let place = place
            .with("ARTIFACTORY", &host)
            // Any that is free.
            .with("PORT", "0")
            .with("DOCKER_SCOUT_ARTIFACTORY_API_USER", "reader")
            .with("DOCKER_SCOUT_ARTIFACTORY_API_PASSWORD", "pass")
            .with("DOCKER_SCOUT_ARTIFACTORY_WEBHOOK_SECRET", &"0123456789abcdef".repeat(4));
        let put = |text: &str| text.replace("$ARTIFACTORY", &host);
        walk(&place, &format!("{memory:?}: guides.md"), &steps, put);
    }
}

#[test]
fn the_guide_of_azure() {
    let text = page("docs/guides.md");
    let steps = between(&text, Some(AZURE), None);
    for memory in [Memory::Sqlite, Memory::Postgres] {
        let Some((place, registry)) = with_a_registry(memory, "team/web:old", "team/web:new")
        else {
            continue;
        };
        let stand_in = VendorStandIn::start(Vendor::Azure, registry.host());
        stand_in.changed("team/web", "old", "2026-11-20T10:00:00Z");
        stand_in.changed("team/web", "new", "2026-11-21T10:00:00Z");
        let host = stand_in.host();
        let place = place.with("AZURE", &host);
        let put = |text: &str| text.replace("$AZURE", &host);
        walk(&place, &format!("{memory:?}: guides.md"), &steps, put);
    }
}

/// What a server knows of a cluster, set up by hand, against a stand-in.
#[test]
fn the_page_of_sysdig() {
    let text = page("docs/sysdig.md");
    let steps = steps(&text);
    assert!(steps.len() > 10, "{}", steps.len());
    for memory in [Memory::Sqlite, Memory::Postgres] {
        let Some(place) = Place::new(memory, false) else { continue };
        let layer = npm(npm(testkit::layer(), "lodash", "4.17.11"), "minimist", "1.2.5");
        place.sandbox.file("web.tar", service(layer).docker_archive("acme/web:v1"));
        let (code, digest) = place.shell("foretop push archive://web.tar 2> /dev/null");
        assert_eq!(code, 0, "{digest}");
        let digest = digest.trim().rsplit_once('@').map_or(digest.trim(), |it| it.1).to_owned();
        let sysdig = SysdigStandIn::start();
        let loaded = ("lodash".to_owned(), "4.17.11".to_owned(), "javascript".to_owned());
        let web = Running {
            namespace: "shop".to_owned(),
            workload: "web".to_owned(),
            container: "app".to_owned(),
            image_id: digest,
            loaded: Some(vec![loaded]),
            ..Running::default()
        };
        sysdig.runs("prod-eu", &[web]);
        sysdig.runs("prod-us", &[]);
        let place = place.with("SYSDIG", &sysdig.url()).with("TOKEN", SysdigStandIn::TOKEN);
        walk(&place, &format!("{memory:?}: sysdig.md"), &steps, str::to_owned);
    }
}

#[test]
fn continuous_integration() {
    let text = page("docs/ci.md");
    let steps = steps(&text);
    assert!(steps.len() > 4, "{}", steps.len());
    let Some(place) = furnished(Memory::Alone, "myorg/myapp:v1.2") else { return };
    walk(&place, "ci.md", &steps, str::to_owned);
}

#[test]
fn environments() {
    let text = page("docs/environments.md");
    let steps = steps(&text);
    assert!(steps.len() > 20, "{}", steps.len());
    for memory in Memory::ALL {
        let Some(place) = furnished(memory, "acme/") else { continue };
        walk(&place, &format!("{memory:?}: environments.md"), &steps, str::to_owned);
    }
}

/// What people do is done at a server, and chores are done where its database is.
#[test]
fn servers() {
    let text = page("docs/server.md");
    let typed: Vec<Step> =
        steps(&text).into_iter().filter(|it| !it.typed.starts_with("foretop serve")).collect();
    let (chores, steps): (Vec<Step>, Vec<Step>) =
        typed.into_iter().partition(|it| it.typed.starts_with("foretop admin"));
    assert!(chores.len() > 2 && steps.len() > 3);
    for memory in [Memory::Sqlite, Memory::Postgres] {
        let Some(place) = Place::of(memory, "main", true) else { continue };
        walk(&place, &format!("{memory:?}: server.md"), &steps, str::to_owned);
        // At home of somebody who asks a server is another database.
        let (_, said) = place.shell("foretop admin doctor");
        assert!(said.contains("! This is about the database of this machine, not about"), "{said}");
    }
    let place = Place::new(Memory::Alone, true).unwrap();
    place.foretop("env create staging");
    walk(&place, "server.md", &chores, str::to_owned);
}

/// What stands in the README is typed as well, but for what needs a network, a toolchain, or a server.
#[test]
fn the_readme() {
    const ELSEWHERE: [&str; 10] = [
        "cargo ",
        "debian:12",
        "ghcr.io",
        "scout cves alpine",
        "almanac update",
        "/srv/advisories",
        "registry.example.com",
        "foretop serve",
        "foretop login",
        "docker login",
    ];
    let place = furnished(Memory::Alone, "").unwrap();
    let image = fs_err::read(place.sandbox.path("acme-web-v1.2.tar")).unwrap();
    place.sandbox.file("image.tar", image);
    let layer = npm(testkit::layer(), "lodash", "4.17.20");
    service(layer).write_layout(&place.sandbox.path("layout"), "latest");
    let text = page("README.md");
    let (left, typed): (Vec<Step>, Vec<Step>) = steps(&text)
        .into_iter()
        .partition(|it| ELSEWHERE.iter().any(|word| it.typed.contains(word)));
    assert!(left.len() < typed.len(), "{} of {}", typed.len(), left.len());
    walk(&place, "README.md", &typed, str::to_owned);
}

/// Each row of the guides is there once, and what is said to show it is there.
#[test]
fn each_row_is_shown_somewhere() {
    let text = page("docs/guides.md");
    let mut rows = Vec::new();
    for line in text
        .lines()
        .filter(|it| ["| E", "| T", "| A", "| Z", "| Y"].iter().any(|row| it.starts_with(row)))
    {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [row, _, shown] = cells.as_slice() else { panic!("{line}") };
        rows.push((*row).to_owned());
        let mut found = 0;
        for part in shown.split("](").skip(1) {
            let anchor = part.split(')').next().unwrap();
            let heading = |it: &str| it.to_lowercase().replace(' ', "-");
            let name = anchor.strip_prefix('#').unwrap();
            let mut headings = text.lines().filter_map(|it| it.strip_prefix("## "));
            assert!(headings.any(|it| heading(it) == name), "{row}: {anchor}");
            found += 1;
        }
        for part in shown.split('`').filter(|it| it.contains("::")) {
            let (file, test) = part.split_once("::").unwrap();
            let code = page(file);
            assert!(code.contains(&format!("fn {test}(")), "{row}: {part}");
            found += 1;
        }
        assert!(found > 0, "{row} is shown nowhere");
    }
    let numbered = |letter: &str, numbers: &[std::ops::RangeInclusive<u32>]| -> Vec<String> {
        numbers.iter().cloned().flatten().map(|it| format!("{letter}{it}")).collect()
    };
    let all = [
        numbered("E", &[1..=19]),
        numbered("T", &[1..=21]),
        numbered("A", &[1..=16]),
        numbered("Z", &[1..=12]),
        numbered("Y", &[1..=12]),
    ]
    .concat();
    assert_eq!(rows, all);
}
