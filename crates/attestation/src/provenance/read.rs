//! The two versions of SLSA provenance, read to one value.

use std::collections::BTreeMap;

use model::{Digest, Platform, Purl, Reference};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::base::{Base, Clues};
use super::{Material, Mode, Provenance, Source, UsedImage};
use crate::bounded::{Digests, Texts, decoded, lenient, list, object, shown};
use crate::{Dockerfile, Statement, Unreadable};

/// Bytes of a Dockerfile, in base64.
const DOCKERFILE: usize = 2 << 20;

type Arguments = Texts<10_000>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version02 {
    #[serde(default, deserialize_with = "lenient")]
    builder: Builder,
    #[serde(default, deserialize_with = "lenient")]
    build_type: String,
    #[serde(default, deserialize_with = "lenient")]
    invocation: Invocation,
    #[serde(default, deserialize_with = "lenient")]
    metadata: Metadata,
    #[serde(default)]
    build_config: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "list")]
    materials: Vec<MaterialJson>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Invocation {
    #[serde(deserialize_with = "lenient")]
    config_source: ConfigSource,
    #[serde(deserialize_with = "lenient")]
    parameters: Parameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version1 {
    #[serde(default, deserialize_with = "lenient")]
    build_definition: Definition,
    #[serde(default, deserialize_with = "lenient")]
    run_details: Details,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Definition {
    #[serde(deserialize_with = "lenient")]
    build_type: String,
    #[serde(deserialize_with = "lenient")]
    external_parameters: External,
    #[serde(deserialize_with = "lenient")]
    internal_parameters: Internal,
    #[serde(deserialize_with = "list")]
    resolved_dependencies: Vec<MaterialJson>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct External {
    #[serde(deserialize_with = "lenient")]
    config_source: ConfigSource,
    #[serde(deserialize_with = "lenient")]
    request: Option<Parameters>,
    /// As the first drafts called the request.
    #[serde(deserialize_with = "lenient")]
    parameters: Option<Parameters>,
    build_config: Option<IgnoredAny>,
    #[serde(deserialize_with = "lenient")]
    workflow: Workflow,
}

/// What GitHub's own attestations say.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Workflow {
    repository: String,
    #[serde(rename = "ref")]
    reference: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Internal {
    build_config: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    #[serde(deserialize_with = "lenient")]
    builder: Builder,
    #[serde(deserialize_with = "lenient")]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Builder {
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConfigSource {
    #[serde(deserialize_with = "lenient")]
    uri: String,
    #[serde(deserialize_with = "lenient")]
    digest: Digests,
    #[serde(alias = "entryPoint", deserialize_with = "lenient")]
    path: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    #[serde(deserialize_with = "lenient")]
    args: Arguments,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    #[serde(alias = "buildStartedOn", deserialize_with = "lenient")]
    started_on: Option<String>,
    #[serde(alias = "buildFinishedOn", deserialize_with = "lenient")]
    finished_on: Option<String>,
    #[serde(
        rename = "buildkit_metadata",
        alias = "https://mobyproject.org/buildkit@v1#metadata",
        deserialize_with = "lenient"
    )]
    buildkit: BuildKit,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BuildKit {
    #[serde(deserialize_with = "lenient")]
    vcs: Texts<100>,
    #[serde(deserialize_with = "lenient")]
    source: Option<SourceMap>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SourceMap {
    #[serde(deserialize_with = "list")]
    infos: Vec<Info>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Info {
    #[serde(deserialize_with = "lenient")]
    filename: String,
    #[serde(deserialize_with = "lenient")]
    language: String,
    #[serde(deserialize_with = "lenient")]
    data: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MaterialJson {
    #[serde(deserialize_with = "lenient")]
    uri: String,
    #[serde(deserialize_with = "lenient")]
    digest: Digests,
}

/// What both versions say, under one name each.
struct Said {
    version: String,
    build_type: String,
    builder: String,
    config: ConfigSource,
    workflow: Workflow,
    args: BTreeMap<String, String>,
    metadata: Metadata,
    steps: bool,
    materials: Vec<MaterialJson>,
}

pub(super) fn read(statement: &Statement) -> Result<Provenance, Unreadable> {
    let version = statement.predicate_type.strip_prefix("https://slsa.dev/provenance/v");
    let predicate = statement.predicate.get();
    let unreadable = |why: serde_json::Error| Unreadable(format!("its predicate: {why}"));
    let said = match version {
        Some("0.2") => {
            let it: Version02 = object(predicate.as_bytes()).map_err(unreadable)?;
            Said {
                version: "0.2".to_owned(),
                build_type: it.build_type,
                builder: it.builder.id,
                config: it.invocation.config_source,
                workflow: Workflow::default(),
                args: it.invocation.parameters.args.0,
                metadata: it.metadata,
                steps: it.build_config.is_some(),
                materials: it.materials,
            }
        }
        Some(version) if version == "1" || version.starts_with("1.") => {
            let it: Version1 = object(predicate.as_bytes()).map_err(unreadable)?;
            let (definition, details) = (it.build_definition, it.run_details);
            let External { config_source, request, parameters, build_config, workflow } =
                definition.external_parameters;
            let internal = definition.internal_parameters.build_config;
            Said {
                version: version.to_owned(),
                build_type: definition.build_type,
                builder: details.builder.id,
                config: config_source,
                workflow,
                args: request.or(parameters).unwrap_or_default().args.0,
                metadata: details.metadata,
                steps: internal.or(build_config).is_some(),
                materials: definition.resolved_dependencies,
            }
        }
        _ => {
            let kind = shown(&statement.predicate_type);
            return Err(Unreadable(format!("`{kind}` is no provenance that is understood")));
        }
    };
    Ok(said.told(statement))
}

impl Said {
    fn told(mut self, statement: &Statement) -> Provenance {
        let source_map = self.metadata.buildkit.source.take();
        let steps = self.steps || source_map.is_some();
        let materials: Vec<Material> =
            std::mem::take(&mut self.materials).into_iter().map(material).collect();
        let platform = platform(statement);
        let file = self.file();
        let text = source_map.and_then(|it| dockerfile(&it, file.as_deref()));
        let arguments: BTreeMap<String, String> = self
            .args
            .iter()
            .filter_map(|(name, it)| {
                Some((name.strip_prefix("build-arg:")?.to_owned(), it.clone()))
            })
            .collect();
        let given = given(platform.as_ref());
        let dockerfile = match &text {
            Some(text) => Dockerfile::read(text, &arguments, &given),
            None => Err(Unreadable("the Dockerfile is not told".to_owned())),
        };
        let target = self.args.get("target").filter(|it| !it.is_empty()).cloned();
        let source = self.source(&materials);
        let base = Base::find(&Clues {
            materials: &materials,
            dockerfile: dockerfile.as_ref(),
            target: target.as_deref(),
            args: &self.args,
            platform: platform.as_ref(),
        });
        let some = |it: String| Some(it).filter(|it| !it.is_empty());
        Provenance {
            version: self.version,
            build_type: self.build_type,
            builder: some(self.builder),
            started: self.metadata.started_on,
            finished: self.metadata.finished_on,
            mode: if steps { Mode::Max } else { Mode::Min },
            source,
            file,
            text,
            dockerfile,
            target,
            arguments,
            materials,
            platform,
            base,
        }
    }

    fn file(&self) -> Option<String> {
        [Some(&self.config.path), self.args.get("filename")]
            .into_iter()
            .flatten()
            .find(|it| !it.is_empty())
            .cloned()
    }

    /// What the builder fetched itself goes before what it was told.
    fn source(&self, materials: &[Material]) -> Option<Source> {
        let vcs = &self.metadata.buildkit.vcs.0;
        let commit = |digests: &BTreeMap<String, String>| {
            ["gitCommit", "sha1"].iter().find_map(|it| digests.get(*it)).cloned()
        };
        if !self.config.uri.is_empty() {
            let (repository, reference) = parted(&self.config.uri);
            let commit = commit(&self.config.digest.0);
            return Some(Source { repository, reference, commit, seen: true });
        }
        if !self.workflow.repository.is_empty() {
            let reference = Some(self.workflow.reference.clone()).filter(|it| !it.is_empty());
            let repository = self.workflow.repository.clone();
            let of = |it: &&Material| parted(&it.uri).0 == repository;
            let commit = materials.iter().find(of).and_then(|it| commit(&it.digests));
            return Some(Source { repository, reference, commit, seen: true });
        }
        let told = |name: &str| vcs.get(name).filter(|it| !it.is_empty()).cloned();
        let (repository, commit) = (told("source"), told("revision"));
        let is_told = repository.is_some() || commit.is_some();
        let repository = repository.unwrap_or_default();
        is_told.then_some(Source { repository, reference: None, commit, seen: false })
    }
}

/// `git+https://host/repository@refs/heads/main`, or with `#` as BuildKit writes it: a repository, and what
/// was asked of it.
fn parted(uri: &str) -> (String, Option<String>) {
    let uri = uri.strip_prefix("git+").unwrap_or(uri);
    let split = uri.split_once('#').or_else(|| uri.rsplit_once("@refs/").map(|it| (it.0, it.1)));
    match split {
        Some((repository, reference)) => {
            let whole = uri.get(uri.len().saturating_sub(reference.len() + 5)..);
            let reference = match whole {
                Some(whole) if whole.starts_with("refs/") => whole,
                _ => reference,
            };
            (repository.to_owned(), Some(reference.to_owned()).filter(|it| !it.is_empty()))
        }
        None => (uri.to_owned(), None),
    }
}

/// The platform that BuildKit's name of a subject ends with.
fn platform(statement: &Statement) -> Option<Platform> {
    statement.subjects.iter().find_map(|it| {
        let purl: Purl = it.name.parse().ok()?;
        purl.qualifier("platform")?.parse().ok()
    })
}

fn material(json: MaterialJson) -> Material {
    let image = image(&json.uri, &json.digest.0);
    Material { uri: json.uri, digests: json.digest.0, image }
}

/// The image that a material is: `pkg:docker/debian@12?platform=linux%2Famd64`.
fn image(uri: &str, digests: &BTreeMap<String, String>) -> Option<UsedImage> {
    let digest = || {
        let hex = digests.get("sha256")?;
        format!("sha256:{hex}").parse::<Digest>().ok()
    };
    let named =
        ["docker-image://", "docker://", "oci://"].iter().find_map(|it| uri.strip_prefix(it));
    if let Some(name) = named {
        let mut reference: Reference = name.parse().ok()?;
        reference.digest = reference.digest.or_else(digest);
        return Some(UsedImage { reference, platform: None });
    }
    let purl: Purl = uri.parse().ok()?;
    if !matches!(purl.kind(), "docker" | "oci") {
        return None;
    }
    let name = match purl.qualifier("repository_url") {
        Some(url) if purl.kind() == "oci" => url.to_owned(),
        Some(url) => format!("{}/{}", url.trim_end_matches('/'), purl.full_name()),
        None => purl.full_name(),
    };
    let mut reference: Reference = name.parse().ok()?;
    let version = purl.version().unwrap_or_default();
    let (tag, own) = match version.parse::<Digest>() {
        Ok(digest) => (purl.qualifier("tag"), Some(digest)),
        Err(_) => (purl.version().or(purl.qualifier("tag")), None),
    };
    let own = own.or_else(|| purl.qualifier("digest")?.parse().ok());
    reference.tag = tag.map(str::to_owned);
    reference.digest = digest().or(own);
    if reference.tag.is_none() && reference.digest.is_none() {
        reference.tag = Some("latest".to_owned());
    }
    let platform = purl.qualifier("platform").and_then(|it| it.parse().ok());
    Some(UsedImage { reference, platform })
}

/// The text of the Dockerfile among the sources: by its name, by what it is, or the only one.
fn dockerfile(map: &SourceMap, name: Option<&str>) -> Option<String> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let name = name.map(last);
    let is = |it: &Info| name.as_ref().is_some_and(|name| last(&it.filename) == *name);
    let named = map.infos.iter().position(is);
    let written = || map.infos.iter().position(|it| it.language == "Dockerfile");
    let called = || map.infos.iter().position(|it| last(&it.filename).contains("ockerfile"));
    let at = named.or_else(written).or_else(called);
    let at = at.or((map.infos.len() == 1).then_some(0))?;
    let data = &map.infos.get(at)?.data;
    if data.len() > DOCKERFILE {
        return None;
    }
    String::from_utf8(decoded(data)?).ok()
}

/// What a build has without being given it.
fn given(platform: Option<&Platform>) -> BTreeMap<String, String> {
    let Some(platform) = platform else { return BTreeMap::new() };
    // The builder's own platform is told too, and need not be the one that the build ran for.
    [
        ("TARGETPLATFORM", platform.to_string()),
        ("TARGETOS", platform.os.clone()),
        ("TARGETARCH", platform.architecture.clone()),
        ("TARGETVARIANT", platform.variant.clone().unwrap_or_default()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
