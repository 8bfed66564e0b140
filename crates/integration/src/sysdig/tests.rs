//! What Sysdig may say, and may be told.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::answers::{clusters, image_id};
use super::{CHOICES, CUSTOM, REGIONS, address, read};
use crate::{Given, Observed, Role, find, registry_string};

const SEEDS: [&[u8]; 4] = [
    include_bytes!("../../../../fuzz/seeds/runtimes/clusters.json"),
    include_bytes!("../../../../fuzz/seeds/runtimes/images.json"),
    include_bytes!("../../../../fuzz/seeds/runtimes/results.json"),
    include_bytes!("../../../../fuzz/seeds/runtimes/detail.json"),
];

/// What is observed, a line each, with digests cut short.
fn told(observed: &Observed) -> String {
    let mut text = String::new();
    for it in &observed.containers {
        let digest = it.digest.get(..10).unwrap_or(&it.digest);
        let _ = writeln!(
            text,
            "{}/{}/{}/{} {digest} {}",
            it.namespace,
            it.kind,
            it.workload,
            it.name,
            it.image.as_deref().unwrap_or("-")
        );
    }
    for (digest, profile) in &observed.loaded {
        let digest = digest.get(..10).unwrap_or(digest);
        let whole = if profile.is_whole { "all" } else { "some" };
        for it in &profile.packages {
            let purl = it.purl.as_deref().unwrap_or("-");
            let _ = writeln!(text, "{digest} loads {whole} {} {} {purl}", it.name, it.version);
        }
    }
    for gap in observed.gaps.iter().chain(&observed.unclear) {
        let _ = writeln!(text, "gap: {gap}");
    }
    text.replace(&"0".repeat(64), "000")
}

#[test]
fn clusters_in_every_form() {
    let check = |body: &str, expect: &str| {
        let shown = match clusters(body.as_bytes()) {
            Ok((names, gaps)) => format!("{} {}", names.join(","), gaps.len()),
            Err(why) => why,
        };
        assert_eq!(shown, expect, "{body}");
    };
    check(r#"{"data":["b","a"]}"#, "a,b 0");
    check(r#"{"data":[{"clusterName":"a"},{"name":"b"}],"page":{}}"#, "a,b 0");
    check(r#"{"clusters":[{"name":"a"}],"more":1}"#, "a 0");
    check(r#"{"data":{"clusters":["a"]}}"#, "a 0");
    check(r#"["a","a"]"#, "a 0");
    check(r#"{"data":null}"#, " 0");
    check(r#"[7,{"x":1},"","a\u0000b",null,"a"]"#, "a 5");
    check(r#"{"data":"a"}"#, "the answer has no list of clusters");
    check(r#"{"message":"no"}"#, "the answer has no list of clusters");
    check(r#"{"data":["a""#, "the answer is no JSON: at line 1, column 12");
}

#[test]
fn images_of_a_page() {
    assert_eq!(
        told(&read(SEEDS[1])),
        "/// sha256:000 r.example/acme/web\n\
         shop/deployment/web/app sha256:000 -\n\
         sha256:000 loads some log4j 2.14.1 pkg:maven/org.apache/log4j@2.14.1\n\
         sha256:000 loads some openssl 3.0.11-1 -\n\
         gap: an image that runs: its `namespace` cannot be read\n\
         gap: an image that runs: `latest` is no digest\n\
         gap: a workload: it has no `resultId`\n\
         gap: a workload: it has no `resultId`\n\
         gap: a workload: it has no `resultId`\n\
         gap: loaded packages: some of sha256:000 cannot be read\n"
    );
}

/// Whoever says less than there is leaves a gap.
#[test]
fn pages_that_are_not_whole() {
    let check = |body: &str, expect: &str| {
        let observed = read(body.as_bytes());
        let gaps: Vec<String> = observed.gaps.iter().map(ToString::to_string).collect();
        assert_eq!(gaps.join("; "), expect, "{body}");
    };
    check(r#"{"page":{"returned":0},"data":[]}"#, "");
    check(r#"{"page":{"returned":0}}"#, "");
    check(r#"{"page":{"returned":0,"next":""},"data":null}"#, "");
    check(
        r#"{"page":{"returned":2},"data":[]}"#,
        "a page: it says that it has 2 entries, and has 0",
    );
    check(r#"{"page":{"next":7},"data":[]}"#, "a page: where the next one is cannot be read");
    check(r#"{"data":[]}"#, "a page: it does not say whether there is another one");
    check(r#"{"page":7,"data":[]}"#, "a page: it does not say whether there is another one");
    check(r#"{"page":{},"data":{}}"#, "the page: its `data` is no list");
    check(r#"{"message":"no"}"#, "the page: the answer has neither `page` nor `data`");
    check(r#"{"page":{},"data":[{"#, "the page: the answer is no JSON: at line 1, column 20");
    check("7", "the page: the answer is no page: at line 1, column 1");
}

#[test]
fn digests_in_every_form() {
    let digits = "0123456789abcdef".repeat(4);
    let check = |text: &str, expect: Option<&str>| {
        let shown = image_id(&text.replace('D', &digits)).map(|(name, digest)| {
            assert_eq!(digest, format!("sha256:{digits}"));
            name.unwrap_or_else(|| "-".to_owned())
        });
        assert_eq!(shown.as_deref(), expect, "{text}");
    };
    check("sha256:D", Some("-"));
    check("D", Some("-"));
    check(" SHA256:D ", Some("-"));
    check("docker://sha256:D", Some("-"));
    check("docker-pullable://r.example/acme/web@sha256:D", Some("r.example/acme/web"));
    check("r.example/acme/web:v1@sha256:D", Some("r.example/acme/web:v1"));
    check("A B@sha256:D", Some("-"));
    check("sha256:0123", None);
    check("nginx:latest", None);
    check("", None);
}

/// What runs loads something: an empty list says that nobody looked.
#[test]
fn nothing_loaded_is_nobody_knows() {
    let page = |packages: &[&str]| {
        let items = packages.iter().enumerate().map(|(number, packages)| {
            let digest = "a".repeat(64);
            format!(r#"{{"imageID":"{digest}","container":"c{number}"{packages}}}"#)
        });
        let items: Vec<String> = items.collect();
        let count = items.len();
        format!(r#"{{"page":{{"returned":{count}}},"data":[{}]}}"#, items.join(","))
    };
    let check = |packages: &[&str], expect: &str| {
        let observed = read(page(packages).as_bytes());
        let shown = match observed.loaded.values().next() {
            None => "nobody knows".to_owned(),
            Some(it) => format!("{} {}", it.packages.len(), it.is_whole),
        };
        assert_eq!(shown, expect, "{packages:?}");
    };
    let a = r#","packages":[{"name":"a","version":"1","osFamily":"debian"}]"#;
    let b = r#","packages":[{"name":"b","version":"1","osFamily":"debian"}]"#;
    let torn = r#","packages":[{"name":"c","version":"1"},{"name":"d"}]"#;
    check(&[""], "nobody knows");
    check(&[r#","packages":[]"#], "nobody knows");
    check(&[r#","packages":null"#], "nobody knows");
    check(&[a], "1 true");
    check(&[a, b], "2 true");
    check(&[a, b, a], "2 true");
    check(&[a, ""], "1 false");
    check(&["", a], "1 false");
    check(&[a, torn], "2 false");
}

/// Whoever has a great deal to say is not kept in memory.
#[test]
fn too_many_packages_are_a_gap() {
    let long = "x".repeat(1000);
    let package = |at: usize| format!(r#"{{"name":"{long}{at}","version":"{long}"}}"#);
    let packages: Vec<String> = (0..1000).map(package).collect();
    let image =
        format!(r#"{{"imageID":"{}","packages":[{}]}}"#, "a".repeat(64), packages.join(","));
    let observed = read(format!(r#"{{"page":{{}},"data":[{image}]}}"#).as_bytes());
    let profile = observed.loaded.values().next().unwrap();
    assert!(!profile.is_whole && (20..40).contains(&profile.packages.len()));
    assert!(
        observed.unclear.iter().any(|it| it.why == "there are too many"),
        "{:?}",
        observed.unclear
    );
}

#[test]
fn regions() {
    let check = |told: &[(&str, &str)], expect: &str| {
        let kind = find("sysdig").unwrap();
        let mut given: Vec<Given> = vec![("token".into(), "t".into())];
        given.extend(told.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let shown = match kind.settle(&given, &|_| None) {
            Ok(settings) => match address(&settings) {
                Ok(url) => url,
                Err(why) => format!("{why} ({})", why.hint().unwrap_or_default()),
            },
            Err(faults) => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        assert!(shown.starts_with(expect), "{shown}");
    };
    check(&[("region", "us1")], "https://secure.sysdig.com");
    check(&[("region", "us2")], "https://us2.app.sysdig.com");
    check(&[("region", "eu1")], "https://eu1.app.sysdig.com");
    check(&[("region", "au1")], "https://app.au1.sysdig.com");
    check(&[("region", "us1"), ("url", "https://x.example/")], "https://x.example");
    check(&[("region", "custom"), ("url", "https://x.example")], "https://x.example");
    check(&[("region", "custom")], "region: it is custom, and no `url` is told (tell the address");
    check(&[], "region: it must be told (it is one of us1, us2, us3, us4, eu1, eu2, au1");
    check(&[("region", "us9")], "region: `us9` is none of us1, us2");
    check(&[("region", "us1"), ("interval", "4")], "interval: `4` is no number from 5 to 1440");
    check(&[("region", "us1"), ("interval", "soon")], "interval: `soon` is no number from 5");
    check(&[("region", "us1"), ("interval", "1440")], "https://secure.sysdig.com");
    let names: Vec<&str> = REGIONS.iter().map(|it| it.0).chain([CUSTOM]).collect();
    assert_eq!(names, CHOICES);
}

/// It holds no images: `watch` does not know it.
#[test]
fn it_is_no_registry() {
    assert_eq!(find("sysdig").unwrap().role, Role::Runtime);
    let why = registry_string::parse("type=sysdig,region=us1").err().unwrap().to_string();
    assert_eq!(
        why,
        "type: `sysdig` is none of artifactory, azure, distribution, harbor, nexus, oci"
    );
}

/// Whatever it says, somebody reads it, and the same again.
fn check(body: &[u8]) {
    let observed = read(body);
    assert_eq!(observed, read(body));
    for container in &observed.containers {
        assert!(container.digest.parse::<model::Digest>().is_ok());
    }
}

proptest! {
    #[test]
    fn junk_is_no_answer(body in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&body);
    }

    /// What is almost right finds more faults than what is all wrong.
    #[test]
    fn what_is_almost_right_is_read(
        which in 0..SEEDS.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut body = SEEDS[which].to_vec();
        for (at, byte) in edits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let length = cut.map_or(body.len(), |it| it.index(body.len()));
        check(&body[..length]);
    }
}
