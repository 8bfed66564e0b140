//! What an archive without Maven's own record is called.
//!
//! Advisories meet a package under `group:name`. The name of the file, if it has a version in it, is
//! what a build tool wrote; the manifest is prose (`PostgreSQL JDBC Driver`), a bundle's own name
//! (`com.mysql.cj`), or its version as a bundle (`1.70.0` for `1.70`). So the file's name comes first,
//! and the manifest fills in. The group is guessed from, in this order: the path in a repository, a
//! table of well-known artifacts, names in the manifest that start with a domain, and at last the
//! name itself, which is how old artifacts are called (`junit:junit`, `commons-io:commons-io`).

use super::file_name::FileName;
use super::groups::well_known;
use super::manifest::Manifest;

/// What an artifact is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coordinates {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) version: String,
}

/// The coordinates of the archive at `path`; nothing without a name or a version.
pub(super) fn guess(path: &str, manifest: &Manifest) -> Option<Coordinates> {
    let file_name = FileName::parse(path.rsplit('/').next().unwrap_or(path));
    let title = manifest.get("Implementation-Title");
    if let Some(coordinates) = title.and_then(stated)
        && (file_name.version.is_empty() || file_name.name == coordinates.name)
    {
        return Some(coordinates);
    }
    let (name, version) = if file_name.version.is_empty() {
        (title.filter(|it| is_name(it)).unwrap_or(file_name.name), manifest.version()?)
    } else {
        (file_name.name, file_name.version)
    };
    if name.is_empty() {
        return None;
    }
    // Tomcat's own distribution drops the beginning that Maven's artifacts have.
    let name = if title == Some("Apache Tomcat") && !name.starts_with("tomcat-") {
        format!("tomcat-{name}")
    } else {
        name.to_owned()
    };
    let group = repository_group(path, &name, version)
        .or_else(|| well_known(&name).map(str::to_owned))
        .or_else(|| manifest_group(manifest, &name))
        .unwrap_or_else(|| name.clone());
    Some(Coordinates { group, name, version: version.to_owned() })
}

/// `group#name;version`, as a plugin of Gradle writes it.
fn stated(title: &str) -> Option<Coordinates> {
    let (group, rest) = title.split_once('#')?;
    let (name, version) = rest.split_once(';')?;
    (is_name(group) && is_name(name) && is_name(version)).then(|| Coordinates {
        group: group.to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_+".contains(&it))
}

/// The group in `…/repository/org/slf4j/slf4j-api/1.7/slf4j-api-1.7.jar`, or in Gradle's cache.
fn repository_group(path: &str, name: &str, version: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.windows(2).rposition(|it| it == [name, version])?;
    let above = parts.get(..at)?;
    if let Some(cache) = above.iter().rposition(|it| it.starts_with("files-2")) {
        return Some(above.get(cache + 1..)?.join(".")).filter(|it| !it.is_empty());
    }
    let root = above
        .iter()
        .rposition(|it| matches!(*it, "repository" | "maven-repo" | "maven2" | "m2"))?;
    Some(above.get(root + 1..)?.join(".")).filter(|it| !it.is_empty())
}

/// The group that names in the manifest suggest.
fn manifest_group(manifest: &Manifest, name: &str) -> Option<String> {
    let vendor = manifest.get("Implementation-Vendor-Id").filter(|it| is_name(it));
    // `junit` says it is made by `junit`.
    if vendor == Some(name) {
        return Some(name.to_owned());
    }
    let full: Vec<&str> = [
        manifest.symbolic_name(),
        manifest.get("Automatic-Module-Name"),
        manifest.get("Extension-Name"),
    ]
    .into_iter()
    .flatten()
    .filter(|it| is_domain(it))
    .collect();
    let dotted = |text: &str| text.replace(['-', '_'], ".");
    // Scala's names end in the version of the language.
    let plain = name.rsplit_once("_2.").or(name.rsplit_once("_3")).map_or(name, |(left, _)| left);
    // `org.xerial.snappy.snappy-java` is the group and the name.
    let whole = full.iter().find_map(|it| {
        let end = dotted(it).strip_suffix(&dotted(plain))?.strip_suffix('.')?.len();
        it.get(..end).filter(|it| it.contains('.'))
    });
    // `org.postgresql.jdbc` holds the beginning of the name.
    let begun = || {
        full.iter().find_map(|it| {
            let mut end = 0;
            for (number, part) in it.split('.').enumerate() {
                end += part.len() + usize::from(number > 0);
                if number > 0 && (name == part || name.starts_with(&format!("{part}-"))) {
                    return it.get(..end);
                }
            }
            None
        })
    };
    whole
        .or_else(|| vendor.filter(|it| is_domain(it)))
        .or_else(begun)
        .or_else(|| {
            full.first().and_then(|it| Some(it.rsplit_once('.')?.0).filter(|it| it.contains('.')))
        })
        .map(str::to_owned)
}

/// Does it start with a top-level domain, as groups do?
fn is_domain(text: &str) -> bool {
    let first = text.split('.').next().unwrap_or_default();
    text.contains('.')
        && is_name(text)
        && (first.len() == 2
            || matches!(
                first,
                "com"
                    | "org"
                    | "net"
                    | "edu"
                    | "gov"
                    | "app"
                    | "dev"
                    | "info"
                    | "biz"
                    | "cloud"
                    | "tech"
                    | "jakarta"
                    | "javax"
                    | "software"
            ))
}
