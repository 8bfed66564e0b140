//! What provenance of either version says of a build, and of its base image.

use serde_json::{Value, json};

use super::*;

const DIGEST: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// A build, before it is known in which version it is told.
#[derive(Clone)]
struct Build {
    dockerfile: Option<&'static str>,
    args: Value,
    images: Vec<&'static str>,
    platform: &'static str,
}

fn build(dockerfile: &'static str, images: &[&'static str]) -> Build {
    let dockerfile = Some(dockerfile).filter(|it| !it.is_empty());
    Build { dockerfile, args: json!({}), images: images.to_vec(), platform: "linux/amd64" }
}

impl Build {
    fn with(mut self, name: &str, value: &str) -> Self {
        self.args[name] = value.into();
        self
    }

    fn on(mut self, platform: &'static str) -> Self {
        self.platform = platform;
        self
    }

    /// As the builder says it in that version.
    fn statement(&self, version: &str) -> Statement {
        let material = |it: &&str| json!({"uri": it, "digest": {"sha256": DIGEST}});
        let materials: Vec<Value> = self.images.iter().map(material).collect();
        let source = self.dockerfile.map(|text| {
            let data = crate::bounded::encoded(text.as_bytes());
            json!({"locations": {"step0": {}}, "infos": [
                {"filename": "/tmp/x/.dockerignore", "data": "YQ=="},
                {"filename": "build/Dockerfile", "language": "Dockerfile", "data": data},
            ]})
        });
        let steps = self.dockerfile.map(|_| json!({"llbDefinition": [{"id": "step0"}]}));
        let request = json!({"frontend": "dockerfile.v0", "args": self.args, "locals": []});
        let vcs = json!({"source": "git@example.com:tea.git", "revision": "abc"});
        let predicate = match version {
            "0.2" => json!({
                "builder": {"id": "https://ci.example/1"},
                "buildType": "https://mobyproject.org/buildkit@v1",
                "materials": materials,
                "invocation": {
                    "configSource": {"entryPoint": "Dockerfile"},
                    "parameters": request,
                    "environment": {"platform": "linux/s390x"},
                },
                "buildConfig": steps,
                "metadata": {
                    "buildStartedOn": "2026-11-22T10:00:00Z",
                    "https://mobyproject.org/buildkit@v1#metadata": {"vcs": vcs, "source": source},
                },
            }),
            "1-draft" => json!({
                "buildDefinition": {
                    "buildType": "https://mobyproject.org/buildkit@v1",
                    "resolvedDependencies": materials,
                    "externalParameters": {
                        "configSource": {"path": "Dockerfile"},
                        "parameters": request, "buildConfig": steps,
                    },
                },
                "runDetails": {
                    "builder": {"id": "https://ci.example/1"},
                    "metadata": {
                        "startedOn": "2026-11-22T10:00:00Z",
                        "https://mobyproject.org/buildkit@v1#metadata":
                            {"vcs": vcs, "source": source},
                    },
                },
            }),
            _ => json!({
                "buildDefinition": {
                    "buildType": "https://github.com/moby/buildkit/…",
                    "resolvedDependencies": materials,
                    "externalParameters": {
                        "configSource": {"path": "Dockerfile"}, "request": request,
                    },
                    "internalParameters": {"buildConfig": steps, "builderPlatform": "linux/s390x"},
                },
                "runDetails": {
                    "builder": {"id": "https://ci.example/1"},
                    "metadata": {
                        "startedOn": "2026-11-22T10:00:00Z",
                        "buildkit_metadata": {"vcs": vcs, "source": source},
                    },
                },
            }),
        };
        let version = version.trim_end_matches("-draft");
        let platform = self.platform.replace('/', "%2F");
        let text = json!({
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": format!("https://slsa.dev/provenance/v{version}"),
            "subject": [{
                "name": format!("pkg:docker/tea@1?platform={platform}"),
                "digest": {"sha256": DIGEST},
            }],
            "predicate": predicate,
        });
        Statement::read(text.to_string().as_bytes()).unwrap()
    }

    /// The base image, which both versions must agree on.
    #[track_caller]
    fn stands_on(&self, expect: &str) {
        for version in ["0.2", "1", "1-draft"] {
            let provenance = Provenance::read(&self.statement(version)).unwrap();
            let shown = |it: &UsedImage| {
                let tag = it.reference.tag.as_deref().unwrap_or("-");
                let platform = it.platform.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
                format!("{}:{tag}{platform}", it.repository())
            };
            let told = match &provenance.base {
                Base::Scratch => "scratch".to_owned(),
                Base::Image { image, how } => {
                    assert_eq!(image.digest().map(Digest::hex), Some(DIGEST));
                    format!("{}: {how}", shown(image))
                }
                Base::Unknown { candidates, why } => {
                    let candidates: Vec<String> = candidates.iter().map(shown).collect();
                    format!("? [{}] {why}", candidates.join(", "))
                }
            };
            assert_eq!(told, expect, "version {version}");
        }
    }
}

const DEBIAN: &str = "pkg:docker/debian@12?platform=linux%2Famd64";
const GOLANG: &str = "pkg:docker/golang@1.26?platform=linux%2Famd64";
const FRONTEND: &str = "pkg:docker/docker/dockerfile@1";

#[test]
fn the_only_image() {
    build("", &[DEBIAN])
        .stands_on("debian:12 linux/amd64: it is the only image that went into the build");
    build("", &["https://example.com/a.tar.gz", FRONTEND, DEBIAN])
        .stands_on("debian:12 linux/amd64: it is the only image that went into the build");
    build("", &["pkg:docker/ghcr.io/acme/base@sha256:2222222222222222222222222222222222222222222222222222222222222222?tag=7"])
        .stands_on("ghcr.io/acme/base:7: it is the only image that went into the build");
}

#[test]
fn the_one_that_the_dockerfile_names() {
    let named = "debian:12 linux/amd64: the Dockerfile names `debian:12`";
    let both = [GOLANG, DEBIAN];
    build("FROM golang:1.26 AS build\nFROM debian:12\n", &both).stands_on(named);
    build("FROM debian:12 AS base\nFROM golang:1.26 AS build\nFROM base\n", &both).stands_on(named);
    build("FROM debian:12 AS base\nFROM golang:1.26\n", &both)
        .with("target", "base")
        .stands_on(named);
    build("ARG V=11\nFROM golang:1.26 AS build\nFROM docker.io/library/debian:$V\n", &both)
        .with("build-arg:V", "12")
        .stands_on("debian:12 linux/amd64: the Dockerfile names `docker.io/library/debian:12`");
    build("FROM golang:1.26 AS build\nFROM base\n", &both)
        .with("context:base", "docker-image://debian:12")
        .stands_on(named);
    let pinned = format!("FROM golang:1.26\nFROM debian:12@sha256:{DIGEST}\n");
    build(pinned.leak(), &both).stands_on(&format!(
        "debian:12 linux/amd64: the Dockerfile names `debian:12@sha256:{DIGEST}`"
    ));
}

#[test]
fn the_one_for_the_platform() {
    let arm = "pkg:docker/debian@12?platform=linux%2Farm64";
    build("FROM debian:12\n", &[DEBIAN, arm])
        .on("linux/arm64")
        .stands_on("debian:12 linux/arm64: the Dockerfile names `debian:12`");
    build("FROM --platform=linux/amd64 debian:12\n", &[arm, DEBIAN])
        .on("linux/arm64")
        .stands_on("debian:12 linux/amd64: the Dockerfile names `debian:12`");
    build("FROM debian:12\n", &[DEBIAN, arm]).on("linux/s390x").stands_on(
        "? [debian:12 linux/amd64, debian:12 linux/arm64] `debian:12` went into the build for \
         several platforms",
    );
}

/// A build as BuildKit tells it, with what it leaves out where little is known: the base by its tag alone, by
/// a digest in its name alone, and by both; in whatever order the materials come.
#[test]
fn by_tag_and_by_digest() {
    let check = |uri: &str, digest: Value, dockerfile: &str, expect: &str| {
        let materials = json!([
            {"uri": GOLANG, "digest": {"sha256": DIGEST}},
            {"uri": uri, "digest": digest},
            {"uri": FRONTEND, "digest": {"sha256": DIGEST}},
            {"uri": "https://github.com/acme/tea.git#main", "digest": {"sha1": "abc"}},
        ]);
        let data = crate::bounded::encoded(dockerfile.as_bytes());
        let source =
            json!({"infos": [{"filename": "Dockerfile", "language": "Dockerfile", "data": data}]});
        let args = json!({"source": "docker/dockerfile:1", "cmdline": "docker/dockerfile:1"});
        let request = json!({"frontend": "gateway.v0", "args": args});
        let old = json!({
            "builder": {"id": ""},
            "buildType": "https://mobyproject.org/buildkit@v1",
            "materials": materials,
            "invocation": {"configSource": {"entryPoint": "Dockerfile"}, "parameters": request},
            "metadata": {
                "buildInvocationID": "x", "completeness": {"parameters": true}, "reproducible": false,
                "https://mobyproject.org/buildkit@v1#metadata": {"source": source},
            },
        });
        let new = json!({
            "buildDefinition": {
                "buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
                "externalParameters": {"configSource": {"path": "Dockerfile"}, "request": request},
                "internalParameters": {"builderPlatform": "linux/amd64"},
                "resolvedDependencies": materials,
            },
            "runDetails": {
                "builder": {"id": ""},
                "metadata": {"invocationID": "x", "buildkit_metadata": {"source": source}},
            },
        });
        for (version, predicate) in [("0.2", old), ("1", new)] {
            let statement = json!({
                "_type": "https://in-toto.io/Statement/v0.1",
                "predicateType": format!("https://slsa.dev/provenance/v{version}"),
                "subject": [{"name": "pkg:docker/tea@1?platform=linux%2Famd64", "digest": {"sha256": DIGEST}}],
                "predicate": predicate,
            });
            let statement = Statement::read(statement.to_string().as_bytes()).unwrap();
            let Base::Image { image, .. } = Provenance::read(&statement).unwrap().base else {
                panic!("{uri} {version}: it is told");
            };
            assert_eq!(image.reference.familiar(), expect, "{uri} {version}");
        }
    };
    let sha = json!({ "sha256": DIGEST });
    let from = "# syntax=docker/dockerfile:1\nFROM golang:1.26 AS build\nFROM debian:12\n";
    check("pkg:docker/debian@12?platform=linux%2Famd64", json!({}), from, "debian:12");
    check(DEBIAN, sha.clone(), from, &format!("debian:12@sha256:{DIGEST}"));
    let pinned = format!("FROM golang:1.26 AS build\nFROM debian:12@sha256:{DIGEST}\n");
    let both = format!("pkg:docker/debian@12?digest=sha256:{DIGEST}&platform=linux%2Famd64");
    check(&both, sha.clone(), &pinned, &format!("debian:12@sha256:{DIGEST}"));
    check(&both, json!({}), &pinned, &format!("debian:12@sha256:{DIGEST}"));
    let alone = format!("FROM golang:1.26 AS build\nFROM debian@sha256:{DIGEST}\n");
    let digest = format!("pkg:docker/debian@sha256:{DIGEST}?platform=linux%2Famd64");
    check(&digest, sha, &alone, &format!("debian@sha256:{DIGEST}"));
}

#[test]
fn none_at_all() {
    // What it was compiled in is not what it stands on.
    build("FROM golang:1.26 AS build\nFROM scratch\n", &[GOLANG]).stands_on("scratch");
}

#[test]
fn frontends_are_left_out() {
    let other = "pkg:docker/acme/frontend@2";
    build("", &[other, DEBIAN])
        .with("source", "acme/frontend:2")
        .stands_on("debian:12 linux/amd64: it is the only image that went into the build");
    build("# syntax=acme/frontend:2\nFROM $X\n", &[other, DEBIAN])
        .stands_on("debian:12 linux/amd64: it is the only image that went into the build");
}

#[test]
fn what_cannot_be_told_is_told_as_that() {
    build("", &[DEBIAN, GOLANG]).stands_on(
        "? [debian:12 linux/amd64, golang:1.26 linux/amd64] 2 images went into the build, and the \
         Dockerfile is not told",
    );
    build("", &[]).stands_on("? [] no image is told, and the Dockerfile is not told");
    // Whoever lies about one of the two is found out.
    build("FROM alpine:3\n", &[DEBIAN]).stands_on(
        "? [debian:12 linux/amd64] the Dockerfile names `alpine:3`, and no such image went into \
         the build",
    );
    build("FROM debian:12 AS a\n", &[DEBIAN, GOLANG]).with("target", "b").stands_on(
        "? [debian:12 linux/amd64, golang:1.26 linux/amd64] 2 images went into the build, and the \
         Dockerfile has no stage `b`",
    );
    build("FROM base\n", &[DEBIAN, GOLANG]).with("context:base", "local:x").stands_on(
        "? [debian:12 linux/amd64, golang:1.26 linux/amd64] 2 images went into the build, and \
         `base` is a context of its own",
    );
}

#[test]
fn both_versions_say_the_same() {
    let text = "FROM golang:1.26 AS build\nRUN true\nFROM debian:12\n";
    let build = build(text, &[GOLANG, DEBIAN, "https://example.com/tea.git#v1"])
        .with("target", "build")
        .with("build-arg:A", "1");
    let [mut old, new, draft] =
        ["0.2", "1", "1-draft"].map(|it| Provenance::read(&build.statement(it)).unwrap());
    assert_eq!((&*old.version, &*new.version), ("0.2", "1"));
    assert_eq!(draft, Provenance { build_type: draft.build_type.clone(), ..new.clone() });
    old.version = "1".to_owned();
    assert_eq!(Provenance { build_type: new.build_type.clone(), ..old }, new);
    assert_eq!(new.mode, Mode::Max);
    assert_eq!(new.builder.as_deref(), Some("https://ci.example/1"));
    assert_eq!(new.started.as_deref(), Some("2026-11-22T10:00:00Z"));
    assert_eq!(new.file.as_deref(), Some("Dockerfile"));
    assert_eq!(new.text.as_deref(), Some(text));
    assert_eq!(new.target.as_deref(), Some("build"));
    assert_eq!(new.arguments.get("A").map(String::as_str), Some("1"));
    assert_eq!(new.platform.as_ref().unwrap().to_string(), "linux/amd64");
    assert_eq!(new.materials.len(), 3);
    assert_eq!(new.dockerfile.as_ref().unwrap().stages.len(), 2);
    let source = new.source.unwrap();
    assert_eq!((&*source.repository, source.seen), ("git@example.com:tea.git", false));
    assert_eq!(source.commit.as_deref(), Some("abc"));
    let little =
        Provenance::read(&super::provenances::build("", &[DEBIAN]).statement("1")).unwrap();
    assert_eq!(little.mode, Mode::Min);
}

/// Where the sources are, of a statement of that version with that predicate.
#[track_caller]
fn check_source(version: &str, predicate: &Value, expect: &str) {
    let text = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": format!("https://slsa.dev/provenance/v{version}"),
        "subject": [], "predicate": predicate,
    });
    let statement = Statement::read(text.to_string().as_bytes()).unwrap();
    let source = Provenance::read(&statement).unwrap().source.unwrap();
    let (reference, commit) = (source.reference.as_deref(), source.commit.as_deref());
    let (reference, commit) = (reference.unwrap_or("-"), commit.unwrap_or("-"));
    assert_eq!(format!("{} {reference} {commit}", source.repository), expect);
}

#[test]
fn sources_of_other_builders() {
    let uri = "git+https://github.com/acme/tea@refs/heads/main";
    check_source(
        "0.2",
        &json!({"invocation": {"configSource": {"uri": uri, "digest": {"sha1": "abc"}}}}),
        "https://github.com/acme/tea refs/heads/main abc",
    );
    check_source(
        "0.2",
        &json!({"invocation": {
            "configSource": {"uri": "https://github.com/acme/tea.git#v1", "digest": {"sha1": "a"}},
            "parameters": ["of another shape"],
        }}),
        "https://github.com/acme/tea.git v1 a",
    );
    check_source(
        "1",
        &json!({"buildDefinition": {
            "externalParameters": {"workflow": {
                "repository": "https://github.com/acme/tea", "ref": "refs/tags/v1", "path": "x",
            }},
            "resolvedDependencies": [{"uri": uri, "digest": {"gitCommit": "def"}}],
        }}),
        "https://github.com/acme/tea refs/tags/v1 def",
    );
}

#[test]
fn what_is_no_provenance_is_told() {
    for (kind, predicate) in [
        ("https://slsa.dev/provenance/v3", "{}"),
        ("https://slsa.dev/provenance/v0.2", "[]"),
        ("https://slsa.dev/provenance/v1", "\"text\""),
    ] {
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"{kind}","predicate":{predicate}}}"#
        );
        let statement = Statement::read(text.as_bytes()).unwrap();
        assert!(Provenance::read(&statement).is_err(), "{kind}");
    }
}
