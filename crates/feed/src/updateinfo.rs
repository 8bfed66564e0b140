//! `updateinfo.xml`: the errata of a repository of rpm packages.

use ecosystem::xml::{self, Element, Visit};

/// One erratum.
#[derive(Clone, Debug, Default)]
pub(crate) struct Update {
    /// `security`, `bugfix`, `enhancement`.
    pub(crate) kind: String,
    /// `ALAS2023-2023-001`.
    pub(crate) id: String,
    /// One line.
    pub(crate) title: String,
    /// As it is written.
    pub(crate) issued: String,
    /// As it is written.
    pub(crate) updated: String,
    /// In the publisher's word.
    pub(crate) severity: String,
    /// The whole story.
    pub(crate) description: String,
    /// What it is about.
    pub(crate) references: Vec<Reference>,
    /// Short names of the collections its packages are in.
    pub(crate) collections: Vec<String>,
    /// The packages with the fix.
    pub(crate) packages: Vec<Package>,
}

/// What an erratum refers to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    /// `cve`, `bugzilla`, `self`.
    pub(crate) kind: String,
    /// Its name.
    pub(crate) id: String,
    /// Its web address.
    pub(crate) url: String,
}

/// A package with the fix.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    /// The binary package's name.
    pub(crate) name: String,
    /// `EPOCH:VERSION-RELEASE`, without an epoch of 0.
    pub(crate) version: String,
    /// As rpm has it.
    pub(crate) arch: String,
}

/// Shows every erratum to `take`, up to the first that is broken.
pub(crate) fn read(bytes: &[u8], take: &mut dyn FnMut(Update)) -> Result<(), String> {
    xml::read(bytes, &mut Reader { update: None, inside: String::new(), take })
}

struct Reader<'a> {
    update: Option<Update>,
    inside: String,
    take: &'a mut dyn FnMut(Update),
}

impl Visit for Reader<'_> {
    fn open(&mut self, element: &Element) {
        if element.name == "update" {
            self.update =
                Some(Update { kind: element.get("type").to_owned(), ..Update::default() });
        }
        let Some(update) = &mut self.update else { return };
        self.inside.clone_from(&element.parent);
        match element.name.as_str() {
            "issued" => element.get("date").clone_into(&mut update.issued),
            "updated" => element.get("date").clone_into(&mut update.updated),
            "reference" => update.references.push(Reference {
                kind: element.get("type").to_owned(),
                id: element.get("id").to_owned(),
                url: element.get("href").to_owned(),
            }),
            "collection" => update.collections.push(element.get("short").to_owned()),
            "package" => update.packages.push(package(element)),
            _ => {}
        }
    }

    fn close(&mut self, name: &str, text: &str) {
        let Some(update) = &mut self.update else { return };
        match name {
            // A package has no such elements, but a collection might come to have them.
            "id" if self.inside == "update" => text.clone_into(&mut update.id),
            "title" if self.inside == "update" => text.clone_into(&mut update.title),
            "severity" if self.inside == "update" => text.clone_into(&mut update.severity),
            "description" if self.inside == "update" => text.clone_into(&mut update.description),
            "update" => {
                if let Some(update) = self.update.take() {
                    (self.take)(update);
                }
            }
            _ => {}
        }
    }
}

fn package(element: &Element) -> Package {
    let (version, release) = (element.get("version"), element.get("release"));
    let version = match element.get("epoch") {
        "" | "0" => format!("{version}-{release}"),
        epoch => format!("{epoch}:{version}-{release}"),
    };
    Package { name: element.get("name").to_owned(), version, arch: element.get("arch").to_owned() }
}
