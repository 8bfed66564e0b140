//! Base images: found in four ways, told apart, and better ones recommended.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use testkit::{FakeRegistry, Fault, ImageBuilder, LayerBuilder, image, index, layer};

use crate::pages::{page, steps, walk};
use crate::place::{Memory, Place};
use crate::sandbox::Sandbox;
use crate::story::npm;
use crate::teahouse::DOCUMENTS;

/// In what the base brings.
const KETTLE: &str = "CVE-2024-0011";
/// In what stands on it.
const LEAVES: &str = "CVE-2024-0021";

pub(crate) fn house() -> Sandbox {
    let house = Sandbox::new().with("SOURCE_DATE_EPOCH", "1717200000");
    for (path, text) in DOCUMENTS {
        house.file(&format!("feeds/{path}"), text);
    }
    house.done("almanac build --from feeds");
    house
}

pub(crate) fn kettle(version: &str, also: &str) -> LayerBuilder {
    let installed = format!("P:kettle\nV:{version}\nA:x86_64\n\n{also}");
    layer()
        .file("etc/os-release", "ID=alpine\nVERSION_ID=3.11.1\n")
        .file("lib/apk/db/installed", installed)
}

/// With a flaw, and more in it than is needed.
pub(crate) fn tea() -> ImageBuilder {
    image().layer(kettle("1.0-r0", "P:spoon\nV:1-r0\nA:x86_64\n\n"))
}

pub(crate) fn web(base: ImageBuilder) -> ImageBuilder {
    base.layer(npm(layer(), "tea-leaves", "1.2.0"))
}

fn kept(house: &Sandbox, file: &str, image: &ImageBuilder, name: &str) {
    house.file(file, image.docker_archive(name));
}

#[test]
fn bases_are_taught_and_what_they_bring_is_told_apart() {
    let house = house().with("FORETOP_OFFLINE", "1");
    kept(&house, "tea.tar", &tea(), "acme/tea:1.0");
    kept(&house, "web.tar", &web(tea()), "acme/web:v1");
    kept(&house, "web2.tar", &web(tea()).layer(npm(layer(), "steeper", "1")), "acme/web:v2");
    // What nobody can tell is an error, never an answer about less.
    let said = house.done("quickview archive://web.tar");
    assert!(said.contains("Base image") && said.contains("not known"), "{said}");
    for line in ["--ignore-base", "--only-base"] {
        let said = house.exits(1, &format!("cves archive://web.tar {line}"));
        assert!(said.contains("cannot tell what its base image brought"), "{said}");
        assert!(said.contains("foretop base learn"), "{said}");
    }
    house.exits(1, "compare archive://web2.tar --to archive://web.tar --ignore-base");
    house.exits(1, "recommendations archive://web.tar");

    let said = house.done("base learn archive://tea.tar");
    assert!(said.contains("Base docker.io/acme/tea:1.0 is learned: linux/amd64"), "{said}");
    let said = house.done("base learn archive://tea.tar");
    assert!(said.contains("is known already"), "{said}");
    let said = house.done("base list");
    assert!(said.contains("docker.io/acme/tea:1.0  linux/amd64"), "{said}");

    let said = house.done("cves archive://web.tar --ignore-base");
    let expect = "Ignoring packages and vulnerabilities from base image acme/tea:1.0";
    assert!(said.contains(expect), "{said}");
    assert!(said.contains(LEAVES) && !said.contains(KETTLE) && !said.contains("kettle"), "{said}");
    let said = house.done("cves archive://web.tar --only-base");
    assert!(said.contains(KETTLE) && !said.contains(LEAVES), "{said}");
    let said = house.done("quickview archive://web.tar");
    assert!(said.contains("acme/tea:1.0") && said.contains("was taught"), "{said}");
    let markdown = house.done("quickview archive://web.tar --format markdown");
    assert!(markdown.contains("<td>base image</td>"), "{markdown}");
    // Both sides without theirs; policies hear of it, too.
    let line = "compare archive://web2.tar --to archive://web.tar --ignore-base --hide-policies";
    let compared = house.json(&format!("{line} --format json"));
    assert!(!compared.to_string().contains("kettle"), "{compared}");
    assert!(compared.to_string().contains("steeper"), "{compared}");
    let judged = house.json("policy archive://web.tar --format json");
    let policies = judged["policies"].as_array().unwrap();
    let approved = policies.iter().find(|it| it["id"] == "approved-base-images").unwrap();
    assert_ne!(approved["state"], "unknown", "{approved}");
    // The base stands on nothing that is known, and is not its own.
    let said = house.exits(1, "cves archive://tea.tar --only-base");
    assert!(said.contains("cannot tell what its base image brought"), "{said}");
    let squashed = image().layer(npm(kettle("1.0-r0", ""), "tea-leaves", "1.2.0"));
    kept(&house, "squashed.tar", &squashed, "acme/squashed:v1");
    house.exits(1, "cves archive://squashed.tar --ignore-base");
    let said = house.exits(1, "cves fs://feeds --ignore-base");
    assert!(said.contains("this is no image"), "{said}");
    let said = house.exits(1, "recommendations archive://web.tar");
    assert!(said.contains("no registry is asked while FORETOP_OFFLINE is set"), "{said}");
    let said = house.done("quickview archive://web.tar --better-base");
    assert!(said.contains("better base images not known: "), "{said}");
    assert!(said.contains("no registry is asked while FORETOP_OFFLINE is set"), "{said}");

    house.done("base forget acme/tea:1.0");
    house.exits(1, "base forget acme/tea:1.0");
    house.exits(1, "cves archive://web.tar --ignore-base");
    for (line, expect) in [
        ("base learn fs://feeds", "names no image that others stand on"),
        ("base learn archive://nothing.tar", "nothing.tar"),
        ("base learn archive://tea.tar --name UPPER", "lower case"),
        ("base learn archive://tea.tar archive://web.tar --name x", "--name"),
    ] {
        let said = house.exits(1, line);
        assert!(said.contains(expect) && said.contains("hint: "), "{line}: {said}");
    }
}

#[test]
fn an_image_that_is_known_is_a_base_of_others() {
    let house = house().with("FORETOP_OFFLINE", "1");
    kept(&house, "tea.tar", &tea(), "acme/tea:1.0");
    kept(&house, "web.tar", &web(tea()), "acme/web:v1");
    house.done("push archive://tea.tar");
    let said = house.done("cves archive://web.tar --ignore-base");
    assert!(said.contains("from base image acme/tea:1.0"), "{said}");
    let said = house.done("quickview archive://web.tar");
    assert!(said.contains("its layers begin as those of a known image do"), "{said}");
    // So it is with what runs; of what nobody can tell, nothing is left out.
    kept(
        &house,
        "alone.tar",
        &image().layer(npm(kettle("1.0-r0", ""), "tea-leaves", "1.2.0")),
        "acme/alone:v1",
    );
    house.done("push archive://web.tar --tag acme/web:v1");
    house.done("push archive://alone.tar --tag acme/alone:v1");
    house.done("env production acme/web:v1");
    let said = house.done("cves --env production --ignore-base");
    assert!(said.contains("without what base image acme/tea:1.0 brought"), "{said}");
    assert!(said.contains(LEAVES) && !said.contains(KETTLE), "{said}");
    let said = house.done("cves --env production --only-base");
    assert!(said.contains(KETTLE) && !said.contains(LEAVES), "{said}");
    house.done("env production acme/alone:v1");
    let said = house.done("cves --env production acme/alone --ignore-base");
    assert!(said.contains("is not known, so all is told"), "{said}");
    assert!(said.contains(LEAVES) && said.contains(KETTLE), "{said}");
    // The same layers under another name are no base, for nobody can tell which of the two stands on the
    // other.
    kept(&house, "again.tar", &tea().platform("linux", "arm64"), "acme/again:1.0");
    house.exits(1, "cves archive://again.tar --ignore-base");
    // However many layers there are, there is an answer.
    let deep = (0..900).fold(tea(), |it, _| it.layer(layer()));
    kept(&house, "deep.tar", &deep, "acme/deep:v1");
    let said = house.done("cves archive://deep.tar --only-base");
    assert!(said.contains(KETTLE), "{said}");
}

/// `Dockerfile`, and what went into the build.
pub(crate) fn provenance(dockerfile: &str, images: &[(&str, &str)]) -> String {
    let material = |(name, digest): &(&str, &str)| {
        let (name, tag) = name.rsplit_once(':').unwrap();
        let uri = format!("pkg:docker/{name}@{tag}?platform=linux%2Famd64");
        json!({"uri": uri, "digest": {"sha256": digest.trim_start_matches("sha256:")}})
    };
    json!({
        "builder": {"id": "https://ci.example/1"},
        "buildType": "https://mobyproject.org/buildkit@v1",
        "materials": images.iter().map(material).collect::<Vec<_>>(),
        "invocation": {
            "configSource": {"entryPoint": "Dockerfile"},
            "parameters": {"frontend": "dockerfile.v0", "args": {}, "locals": []},
            "environment": {"platform": "linux/amd64"},
        },
        "buildConfig": {"llbDefinition": [{"id": "step0"}]},
        "metadata": {
            "buildStartedOn": "2026-11-22T10:00:00Z",
            "https://mobyproject.org/buildkit@v1#metadata": {"source": {
                "locations": {"step0": {}},
                "infos": [{
                    "filename": "Dockerfile", "language": "Dockerfile",
                    "data": STANDARD.encode(dockerfile),
                }],
            }},
        },
    })
    .to_string()
}

pub(crate) fn state(house: &Sandbox, image: &str, provenance: &str) {
    house.file("provenance.json", provenance);
    let kind = "--predicate-type https://slsa.dev/provenance/v0.2";
    house.done(&format!("attestation add --file provenance.json {kind} {image}"));
}

#[test]
fn provenance_tells_the_base_and_the_stages_and_a_lie_is_told() {
    let house = house();
    let registry = FakeRegistry::start();
    let host = registry.host();
    let used = registry.push("tea", "1.0", &tea());
    let tools = image().layer(npm(layer(), "tea-leaves", "1.3.0"));
    let built_with = registry.push("tools", "1", &tools);
    registry.push("web", "v1", &web(tea()));
    let dockerfile = format!(
        "FROM {host}/tools:1 AS build\nRUN make\n\nFROM {host}/tea:1.0\nCOPY --from=build /app /app\n"
    );
    let (tea_name, tools_name) = (format!("{host}/tea:1.0"), format!("{host}/tools:1"));
    let images = [(tools_name.as_str(), &*built_with), (tea_name.as_str(), &*used)];
    let web_name = format!("registry://{host}/web:v1");
    let said = house.exits(1, &format!("cves {web_name} --multi-stage"));
    assert!(said.contains("the stages it was built in are not known"), "{said}");
    state(&house, &format!("{host}/web:v1"), &provenance(&dockerfile, &images));

    let said = house.done(&format!("cves {web_name} --ignore-base"));
    assert!(said.contains(&format!("from base image {tea_name}")), "{said}");
    assert!(said.contains(LEAVES) && !said.contains(KETTLE), "{said}");
    let said = house.done(&format!("quickview {web_name}"));
    assert!(said.contains("provenance: the Dockerfile names"), "{said}");

    let said = house.done(&format!("cves {web_name} --multi-stage"));
    assert!(said.contains(&format!("{tools_name} (stage build)")), "{said}");
    assert!(said.contains("tea-leaves 1.3.0") && said.contains("tea-leaves 1.2.0"), "{said}");
    let said = house.done(&format!("cves {web_name} --only-stage build"));
    assert!(said.contains("tea-leaves 1.3.0") && !said.contains("tea-leaves 1.2.0"), "{said}");
    let said = house.done(&format!("cves {web_name} --only-stage 1"));
    assert!(!said.contains("tea-leaves 1.3.0") && said.contains("tea-leaves 1.2.0"), "{said}");
    let said = house.exits(1, &format!("cves {web_name} --only-stage nobody"));
    assert!(said.contains("there is no stage `nobody`") && said.contains("build, 1"), "{said}");
    house.exits(2, &format!("cves {web_name} --only-stage build --exit-code"));

    // Who says that it stands on something else is not believed: the layers win.
    let other = registry.push("other", "1", &image().layer(kettle("9.0-r0", "")));
    registry.push("liar", "v1", &web(tea()));
    let other_name = format!("{host}/other:1");
    let lie = provenance(&format!("FROM {other_name}\n"), &[(other_name.as_str(), &*other)]);
    state(&house, &format!("{host}/liar:v1"), &lie);
    let liar = format!("registry://{host}/liar:v1");
    let said = house.exits(1, &format!("cves {liar} --ignore-base"));
    assert!(said.contains("but its layers are not the beginning of this image"), "{said}");
    house.done(&format!("base learn {host}/tea:1.0"));
    let said = house.done(&format!("cves {liar} --only-base"));
    assert!(said.contains("but its layers are not the beginning of this image"), "{said}");
    assert!(said.contains(&format!("from base image {tea_name}")), "{said}");
    assert!(said.contains(KETTLE), "{said}");
    // From scratch is not unknown.
    registry.push("bare", "v1", &image().layer(npm(layer(), "tea-leaves", "1.2.0")));
    state(&house, &format!("{host}/bare:v1"), &provenance("FROM scratch\nCOPY a b\n", &[]));
    let bare = format!("registry://{host}/bare:v1");
    let said = house.done(&format!("cves {bare} --ignore-base"));
    assert!(said.contains("built from scratch") && said.contains(LEAVES), "{said}");
    let said = house.exits(1, &format!("recommendations {bare}"));
    assert!(said.contains("image has no base image: it was built from scratch"), "{said}");
}

#[test]
fn labels_and_annotations_tell_the_base() {
    const NAME: &str = "org.opencontainers.image.base.name";
    const DIGEST: &str = "org.opencontainers.image.base.digest";
    let house = house();
    let registry = FakeRegistry::start();
    let host = registry.host();
    let used = registry.push("tea", "1.0", &tea());
    let name = format!("{host}/tea:1.0");
    registry.push("labelled", "1", &web(tea()).label(NAME, &name).label(DIGEST, &used));
    registry.push("annotated", "1", &web(tea()).annotation(NAME, &name).annotation(DIGEST, &used));
    registry.push("named", "1", &web(tea()).label(NAME, &name));
    for image in ["labelled", "annotated", "named"] {
        let said = house.done(&format!("quickview registry://{host}/{image}:1"));
        assert!(said.contains(&name), "{image}: {said}");
        assert!(said.contains("the image's own label says so"), "{image}: {said}");
        let said = house.done(&format!("cves registry://{host}/{image}:1 --ignore-base"));
        assert!(said.contains(LEAVES) && !said.contains(KETTLE), "{image}: {said}");
        let said = house.done(&format!("cves registry://{host}/{image}:1 --only-base"));
        assert!(said.contains(KETTLE) && !said.contains(LEAVES), "{image}: {said}");
    }
    // Both sides of a comparison tell theirs, as far as it is known.
    registry.push("bare", "1", &web(tea()));
    let line = format!("compare registry://{host}/labelled:1 --to registry://{host}/bare:1");
    let said = house.done(&line);
    let row = said.lines().find(|it| it.contains("Base image")).unwrap();
    assert!(row.contains(&name) && row.contains("not known"), "{said}");
    let compared = house.json(&format!("{line} --format json"));
    let (after, before) =
        (&compared["analyzed"]["stands_on"], &compared["comparison"]["stands_on"]);
    assert_eq!((&after["name"], &after["known"]), (&json!(name), &json!(true)), "{after}");
    assert_eq!(before["known"], json!(false), "{before}");
    let brought: u64 = after["vulnerabilities"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(serde_json::Value::as_u64)
        .sum();
    assert_eq!(brought, 1, "{after}");
    let said = house.done(&format!("{line} --format markdown"));
    assert!(said.contains("<td>base image</td>"), "{said}");
    // A label that lies, and one that the tag has left behind, are told and take nothing away.
    let other = registry.push("other", "1", &image().layer(kettle("9.0-r0", "")));
    let other_name = format!("{host}/other:1");
    registry.push("liar", "1", &web(tea()).label(NAME, &other_name).label(DIGEST, &other));
    registry.push("stale", "1", &web(tea()).label(NAME, &other_name));
    for (image, expect) in [
        ("liar", "but its layers are not the beginning of this image"),
        ("stale", "which leads to another image by now, and no digest"),
    ] {
        let said = house.exits(1, &format!("cves registry://{host}/{image}:1 --ignore-base"));
        assert!(said.contains(expect), "{image}: {said}");
        let said = house.done(&format!("quickview registry://{host}/{image}:1"));
        assert!(said.contains(expect), "{image}: {said}");
    }
    // What is no name, or one of an image that is gone, is no base that could be relied on.
    registry.push("junk", "1", &web(tea()).label(NAME, "NOT A NAME\u{1b}[2J"));
    house.exits(1, &format!("cves registry://{host}/junk:1 --ignore-base"));
    registry.push("gone", "1", &web(tea()).label(NAME, &format!("{host}/gone-base:1")));
    let said = house.exits(1, &format!("cves registry://{host}/gone:1 --ignore-base"));
    assert!(said.contains("could not be held against the layers"), "{said}");
}

#[test]
fn what_is_stated_is_asked_for_once() {
    let house = house().with("FORETOP_NO_CACHE", "1");
    let registry = FakeRegistry::start();
    let host = registry.host();
    let used = registry.push("tea", "1.0", &tea());
    registry.push("web", "v1", &web(tea()));
    let name = format!("{host}/tea:1.0");
    let stated = provenance(&format!("FROM {name}\n"), &[(name.as_str(), &*used)]);
    state(&house, &format!("{host}/web:v1"), &stated);
    let web = format!("registry://{host}/web:v1");
    for line in [
        format!("quickview {web}"),
        format!("policy {web} --only-policy approved-base-images"),
        format!("recommendations {web} --only-refresh"),
        format!("cves {web} --only-base"),
    ] {
        let before = registry.seen().len();
        let said = house.done(&line);
        assert!(said.contains(&name), "{line}: {said}");
        let asked = &registry.seen()[before..];
        let of_web = asked.iter().filter(|it| it.path.contains("/web/"));
        let mut paths: Vec<&str> = of_web.map(|it| it.path.as_str()).collect();
        paths.retain(|it| {
            it.contains("/referrers/") || it.contains("/blobs/") || it.contains(".att")
        });
        let all = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), all, "{line}: {paths:?}");
    }
}

#[test]
fn every_platform_of_a_base_is_taught() {
    let house = house();
    let registry = FakeRegistry::start();
    let host = registry.host();
    let arm = image().layer(kettle("1.0-r1", ""));
    let both = index().image("linux/amd64", tea()).image("linux/arm64", arm);
    registry.push_index("tea", "1.0", &both);
    let said = house.done(&format!("base learn {host}/tea:1.0"));
    assert!(said.contains("linux/amd64, linux/arm64"), "{said}");
    let all = house.json("base list --format json");
    assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
    // Nothing of it was read but what it says of itself.
    let layers = registry.seen().iter().filter(|it| it.path.contains("/blobs/")).count();
    assert_eq!(layers, 2, "configurations alone");
    let armed = web(image().layer(kettle("1.0-r1", ""))).platform("linux", "arm64");
    kept(&house, "web.tar", &armed, "acme/web:v1");
    let said = house.done("cves archive://web.tar --ignore-base");
    assert!(said.contains(&format!("from base image {host}/tea:1.0")), "{said}");
}

/// A repository of teas.
pub(crate) fn teas(registry: &FakeRegistry) -> String {
    let used = registry.push("tea", "1.0", &tea());
    let spoon = "P:spoon\nV:1-r0\nA:x86_64\n\n";
    registry.push("tea", "1.1", &image().layer(kettle("2.0-r1", spoon)));
    registry.push("tea", "1.1-slim", &image().layer(kettle("2.0-r2", "")));
    // Newer, and no better.
    registry.push("tea", "2.0", &tea().layer(npm(layer(), "tea-leaves", "1.2.0")));
    registry.push("tea", "2.0-rc1", &image().layer(kettle("3.0-r1", "")));
    registry.push("web", "v1", &web(tea()));
    used
}

#[test]
fn better_bases_are_recommended() {
    let house = house();
    let registry = FakeRegistry::start();
    let host = registry.host();
    let used = teas(&registry);
    let tea_name = format!("{host}/tea:1.0");
    let dockerfile = format!("# ours\nFROM {tea_name}\nCOPY a b\n");
    let stated = provenance(&dockerfile, &[(tea_name.as_str(), &*used)]);
    state(&house, &format!("{host}/web:v1"), &stated);
    let line = format!("recommendations registry://{host}/web:v1");
    let told = house.json(&format!("{line} --format json"));
    assert_eq!(told["current"], true, "{told:#}");
    assert_eq!(told["refresh"], json!(null));
    let names = |told: &serde_json::Value| -> Vec<String> {
        let all = told["updates"].as_array().unwrap().iter();
        all.map(|it| it["name"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&told), ["1.1-slim", "1.1"], "{told:#}");
    assert_eq!(told["updates"][0]["change"]["to"], format!("FROM {host}/tea:1.1-slim"));
    assert_eq!(told["updates"][0]["change"]["line"], 2);
    assert_eq!(told["left_out"][0]["name"], format!("{host}/tea:2.0"));
    let said = house.done(&line);
    assert!(said.contains("This image version is up to date."), "{said}");
    assert!(said.contains("it introduces no vulnerability and removes 1"), "{said}");
    assert!(said.contains(&format!("- FROM {tea_name}")), "{said}");
    let said = house.done(&format!("{line} --format markdown"));
    assert!(said.contains("<h3>Change base image</h3>"), "{said}");
    let said = house.done(&format!("{line} --only-refresh"));
    assert!(!said.contains("Change base image"), "{said}");
    let said = house.done(&format!("{line} --only-update"));
    assert!(!said.contains("Refresh base image"), "{said}");
    // In few lines, beside others.
    let quick = format!("quickview registry://{host}/web:v1");
    let said = house.done(&quick);
    assert!(!said.contains("Updated base image"), "nobody asked: {said}");
    let said = house.done(&format!("{quick} --better-base"));
    let row = said.lines().find(|it| it.contains("Updated base image")).unwrap();
    assert!(row.contains("tea:1.1-slim"), "{said}");
    assert!(said.contains(&format!("base image: {tea_name} is up to date")), "{said}");

    // The same tag, built anew, is better by now.
    registry.push("tea", "1.0", &image().layer(kettle("2.0-r1", "P:spoon\nV:1-r0\nA:x86_64\n\n")));
    let told = house.json(&format!("{line} --format json"));
    assert_eq!(told["current"], false, "{told:#}");
    assert_eq!(told["refresh"]["name"], tea_name, "{told:#}");
    for form in ["text", "markdown"] {
        let said = house.done(&format!("{line} --only-refresh --format {form}"));
        let stays = ":2 stays as it is: build the image anew, with --pull";
        assert!(said.contains(stays) && !said.contains("+ FROM"), "{said}");
    }
    let said = house.done(&format!("{quick} --better-base"));
    let row = said.lines().find(|it| it.contains("Refreshed base image")).unwrap();
    assert!(row.contains(&tea_name), "{said}");
    let said = house.done(&format!("{quick} --better-base --format markdown"));
    assert!(said.contains("<td>refreshed base image</td>"), "{said}");
    assert_eq!(told["base"]["vulnerabilities"].as_object().unwrap().len(), 5);
    // As if another tag were used.
    let told = house.json(&format!("{line} --tag 1.1 --format json"));
    assert_eq!(names(&told), ["1.1-slim"], "{told:#}");
    let said = house.exits(1, &format!("{line} --tag a/b"));
    assert!(said.contains("it is no tag"), "{said}");
}

#[test]
fn a_registry_that_lists_without_end_is_asked_so_often() {
    let house = house();
    let registry = FakeRegistry::start();
    let host = registry.host();
    teas(&registry);
    house.done(&format!("base learn {host}/tea:1.0"));
    let mut tags: Vec<String> = (0..100_000).map(|it| format!("build-{it}")).collect();
    let odd =
        ["1.1", "1.1-slim", "", "a b", "é", "1.1\u{0}", "../1.2", &"9".repeat(200), "1.99.99.99"];
    tags.extend(odd.map(str::to_owned));
    let mut listed = json!({"name": "tea", "tags": tags});
    let list = listed["tags"].as_array_mut().unwrap();
    list.extend([json!(null), json!(7), json!({"a": 1})]);
    registry.put_page("/v2/tea/tags/list", "1", listed.to_string());
    let before = registry.seen().len();
    let line = format!("recommendations registry://{host}/web:v1 --format json");
    let told = house.json(&line);
    let updates = told["updates"].as_array().unwrap();
    assert_eq!(updates.len(), 2, "{told:#}");
    assert!(registry.seen().len() - before < 60, "{}", registry.seen().len() - before);
    // Pages that lead on and on are followed so far.
    registry.drop_page("/v2/tea/tags/list");
    let page = |number: usize| {
        let link = format!("</v2/tea/tags/list?n=1000&last={number}>; rel=\"next\"");
        let body = r#"{"name": "tea", "tags": ["1.1"]}"#;
        Fault::Status(200, vec![("Link".to_owned(), link)], body.to_owned())
    };
    (0..200).for_each(|it| registry.plan("/v2/tea/tags/list", 1, page(it)));
    let before = registry.seen().len();
    let told = house.json(&line);
    let asked = &registry.seen()[before..];
    let lists = asked.iter().filter(|it| it.path.contains("/tags/list")).count();
    assert_eq!(lists, 100);
    let gaps = told["gaps"].to_string();
    assert!(gaps.contains("there are more than are looked at"), "{gaps}");
    registry.forgive();
    // What is no list is an error.
    registry.put_page("/v2/tea/tags/list", "2", "[]");
    house.exits(1, &line);
}

#[test]
fn the_page() {
    let steps = steps(&page("docs/base-images.md"));
    assert!(steps.len() > 8, "{}", steps.len());
    for memory in [Memory::Alone, Memory::Sqlite] {
        let Some(place) = Place::new(memory, false) else { continue };
        let registry = FakeRegistry::start();
        let host = registry.host();
        for (path, text) in DOCUMENTS {
            place.sandbox.file(&format!("feeds/{path}"), text);
        }
        place.foretop("almanac build --from feeds");
        teas(&registry);
        kept(&place.sandbox, "web.tar", &web(tea()), "acme/web:v1");
        kept(&place.sandbox, "tea.tar", &tea(), "acme/tea:1.0");
        let place = place.with("REGISTRY", &host);
        walk(&place, "base-images.md", &steps, |text| text.replace("$REGISTRY", &host));
    }
}
