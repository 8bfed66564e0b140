//! `NAME.deps.json`: the libraries of a .NET program, and the files each brings.
//! <https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md>

use std::collections::{BTreeMap, BTreeSet};

use model::{Found, Gap, Package, PackageKind, Purl};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{Beside, File, document};

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    targets: BTreeMap<String, BTreeMap<String, Target>>,
    #[serde(default)]
    libraries: BTreeMap<String, Library>,
}

/// The files of a library for one platform.
#[expect(clippy::zero_sized_map_values, reason = "serde reads a map's keys only into a map")]
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Target {
    runtime: BTreeMap<String, IgnoredAny>,
    native: BTreeMap<String, IgnoredAny>,
    runtime_targets: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct Library {
    #[serde(default, rename = "type")]
    kind: String,
    /// Where it is in a folder of packages.
    path: Option<String>,
}

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    document::found(read_libraries(file))
}

fn read_libraries(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let document: Document = document::json(file, &text)?;
    let program = file.name().trim_end_matches(".deps.json");
    let mut found = Found::default();
    for (key, library) in &document.libraries {
        let Some((name, version)) =
            key.split_once('/').filter(|(name, it)| !name.is_empty() && !it.is_empty())
        else {
            found.gaps.push(Gap::new(file.path(), format!("a library without a version: `{key}`")));
            continue;
        };
        // Projects are the program's own parts; only the program itself has a name to the world.
        let name = match library.kind.to_ascii_lowercase().as_str() {
            "package" => name,
            "runtimepack" => name.strip_prefix("runtimepack.").unwrap_or(name),
            "project" if name == program => name,
            _ => continue,
        };
        let purl = Purl::new("nuget", name).with_version(version);
        let proof = files(file.directory(), key, library, &document);
        // A library without files of its own only names others: nothing of it is there.
        let kind = if proof.is_empty() { PackageKind::Declared } else { PackageKind::Installed };
        found.packages.push(Package { proof, ..Package::new(purl).of_kind(kind) });
    }
    Ok(found)
}

/// Where the files of a library may be: flat beside the program, as they were laid out by their
/// package, or in the package's folder.
fn files(directory: &str, key: &str, library: &Library, document: &Document) -> Vec<String> {
    let mut files = BTreeSet::new();
    for target in document.targets.values().filter_map(|it| it.get(key)) {
        let assets = [&target.runtime, &target.native, &target.runtime_targets];
        for asset in assets.into_iter().flat_map(|it| it.keys()) {
            // Placeholders say that the platform itself brings it.
            let name = asset.rsplit('/').next().unwrap_or_default();
            if name.is_empty() || name == "_._" || asset.split('/').any(|it| it == "..") {
                continue;
            }
            files.insert(join(directory, name));
            files.insert(join(directory, asset));
            if let Some(path) = library.path.as_deref().filter(|it| !it.contains("..")) {
                files.insert(join(directory, &format!("{path}/{asset}")));
            }
        }
    }
    files.into_iter().collect()
}

fn join(directory: &str, path: &str) -> String {
    if directory.is_empty() { path.to_owned() } else { format!("{directory}/{path}") }
}
