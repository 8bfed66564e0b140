//! `pom.xml`: what a project is called, its licences, and what it asks for.
//! <https://maven.apache.org/pom.html>

use std::collections::HashMap;

use model::{Found, Gap, Package, PackageKind};

use super::artifact;
use super::xml::Element;
use crate::{Beside, File, document};

/// Dependencies for compiling and running; those for tests, and those the surroundings provide,
/// are left out.
pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    document::found(read_project(file))
}

fn read_project(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let pom =
        Pom::parse(&text).map_err(|why| Gap::new(file.path(), format!("cannot be read: {why}")))?;
    let mut found = Found::default();
    let mut unknown = Vec::new();
    let managed = pom.managed();
    for dependency in pom.project.list("dependencies") {
        let of = |name: &str| pom.resolve(dependency.text(name));
        let (Some(group), Some(name)) = (of("groupId"), of("artifactId")) else {
            unknown.push(format!(
                "{}:{}",
                dependency.text("groupId"),
                dependency.text("artifactId")
            ));
            continue;
        };
        let key = (group, name);
        let scope = match dependency.text("scope") {
            "" => managed.get(&key).map_or("", |it| it.text("scope")),
            scope => scope,
        };
        if !matches!(scope, "" | "compile" | "runtime") {
            continue;
        }
        let version = match dependency.text("version") {
            "" => managed.get(&key).map_or("", |it| it.text("version")),
            version => version,
        };
        // A range (`[1.0,2.0)`) is a wish, not a version.
        match pom.resolve(version).filter(|it| !it.starts_with(['[', '('])) {
            Some(version) => {
                let purl = artifact(&key.0, &key.1, &version);
                found.packages.push(Package::new(purl).of_kind(PackageKind::Declared));
            }
            None => unknown.push(format!("{}:{}", key.0, key.1)),
        }
    }
    if !unknown.is_empty() {
        let shown = unknown.iter().take(5).map(String::as_str).collect::<Vec<&str>>().join(", ");
        let more = if unknown.len() > 5 { ", …" } else { "" };
        let count = unknown.len();
        let why = format!(
            "versions that come from elsewhere (a parent, a range): {count}: {shown}{more}"
        );
        found.gaps.push(Gap::new(file.path(), why));
    }
    Ok(found)
}

/// A project.
pub(super) struct Pom {
    project: Element,
}

impl Pom {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let project = Element::parse(text)?;
        if project.name != "project" {
            return Err(format!("it is a `{}`, not a `project`", project.name));
        }
        Ok(Self { project })
    }

    /// Group, name and version, where the file itself tells them.
    pub(super) fn coordinates(&self) -> Option<(String, String, String)> {
        Some((
            self.resolve("${project.groupId}")?,
            self.resolve("${project.artifactId}")?,
            self.resolve("${project.version}")?,
        ))
    }

    /// The names of its licences, or where they can be read.
    pub(super) fn licenses(&self) -> impl Iterator<Item = &str> {
        self.project.list("licenses").iter().map(|it| match it.text("name") {
            "" => it.text("url"),
            name => name,
        })
    }

    /// The text of an element of the project, if it needs nothing from elsewhere.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.resolve(self.project.text(name))
    }

    /// Who makes it.
    pub(super) fn organization(&self) -> Option<String> {
        self.resolve(self.project.child("organization")?.text("name"))
    }

    fn managed(&self) -> HashMap<(String, String), &Element> {
        let Some(management) = self.project.child("dependencyManagement") else {
            return HashMap::new();
        };
        let key = |it: &Element| {
            Some((self.resolve(it.text("groupId"))?, self.resolve(it.text("artifactId"))?))
        };
        management.list("dependencies").iter().filter_map(|it| Some((key(it)?, it))).collect()
    }

    /// `text` with its `${…}` replaced; nothing if it is empty or one of them is unknown.
    fn resolve(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        // Each round replaces one property; a project that needs more plays games.
        for _ in 0..32 {
            let Some(start) = text.find("${") else {
                return Some(text).filter(|it| !it.is_empty());
            };
            let length = text.get(start..)?.find('}')?;
            let value = self.property(text.get(start + 2..start + length)?);
            if value.is_empty() || value.len() + text.len() > 4096 {
                return None;
            }
            text.replace_range(start..=start + length, value);
        }
        None
    }

    fn property(&self, name: &str) -> &str {
        let parent = |name: &str| self.project.child("parent").map_or("", |it| it.text(name));
        let inherited = |name: &str| match self.project.text(name) {
            "" => parent(name),
            own => own,
        };
        let of_project = name.strip_prefix("project.").or_else(|| name.strip_prefix("pom."));
        match of_project.unwrap_or(name) {
            "version" => inherited("version"),
            "groupId" => inherited("groupId"),
            "artifactId" => self.project.text("artifactId"),
            "parent.version" => parent("version"),
            "parent.groupId" => parent("groupId"),
            "parent.artifactId" => parent("artifactId"),
            _ => self.project.child("properties").map_or("", |it| it.text(name)),
        }
    }
}
