//! Labelled cases as they are written: documents of feeds, then packages and what is to come of them.

use anyhow::{Context as _, bail, ensure};
use model::{Distro, ImageDescription, Inventory, Package, PackageKind, SourcePackage, Subject};

/// A file of cases.
#[derive(Default)]
pub(crate) struct Cases {
    /// The space or family, which is the file's name.
    pub(crate) space: String,
    /// Paths of documents, as a feed publishes them, with their texts.
    pub(crate) documents: Vec<(String, String)>,
    /// Documents that users write about flaws, by name.
    pub(crate) statements: Vec<(String, String)>,
    pub(crate) all: Vec<Case>,
}

/// A package, and what is to come of it.
pub(crate) struct Case {
    /// `FILE:LINE`.
    pub(crate) at: String,
    pub(crate) today: String,
    /// The package is the first.
    pub(crate) inventory: Inventory,
    /// Names of documents of [`Cases::statements`] that the user brings.
    pub(crate) statements: Vec<String>,
    pub(crate) labels: Vec<Label>,
    /// Why it comes out otherwise, where we know that it does.
    pub(crate) miss: Option<String>,
}

/// What is to come of one flaw of one package; `*` instead of a flaw: of the package as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) flaw: String,
    pub(crate) class: Class,
    /// The fix or outlook, the verdict, or words of the gap. Empty: any.
    pub(crate) words: String,
    /// What else must be told of a finding: `high`, `exploited`, `by-osv`.
    pub(crate) facts: Vec<String>,
}

/// The three things that can come of a package and a flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Finding,
    None,
    Gap,
}

impl Class {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::None => "none",
            Self::Gap => "gap",
        }
    }
}

/// Reads a file of cases. What follows `=== PATH` is a document, what follows `=== vex NAME` a
/// statement, what follows `=== cases` are cases, and `#` begins a remark before and among them.
pub(crate) fn read(space: &str, text: &str) -> anyhow::Result<Cases> {
    let mut cases = Cases { space: space.to_owned(), ..Cases::default() };
    let mut section = String::new();
    let mut body = String::new();
    let mut scene = Scene::default();
    for (number, line) in text.lines().enumerate() {
        let at = format!("{space}.txt:{}", number + 1);
        if let Some(next) = line.strip_prefix("=== ") {
            cases.close(&section, std::mem::take(&mut body));
            next.clone_into(&mut section);
        } else if section == "cases" {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                cases.all.extend(scene.line(&at, line).with_context(|| at.clone())?);
            }
        } else if !section.is_empty() {
            body.push_str(line);
            body.push('\n');
        } else {
            ensure!(line.is_empty() || line.starts_with('#'), "{at}: what is this?");
        }
    }
    ensure!(section == "cases", "{space}.txt: it ends without cases");
    Ok(cases)
}

impl Cases {
    fn close(&mut self, section: &str, body: String) {
        match section.strip_prefix("vex ") {
            Some(name) => self.statements.push((name.to_owned(), body)),
            None if !matches!(section, "" | "cases") => {
                self.documents.push((section.to_owned(), body));
            }
            None => {}
        }
    }
}

/// What holds for the cases that follow.
#[derive(Default)]
struct Scene {
    today: String,
    distro: Option<Distro>,
    image: Option<ImageDescription>,
}

impl Scene {
    /// `today DATE`, `distro ID VERSION CODENAME NAME CPE`, `image NAME DIGEST TAG`, or
    /// `PURL WORD… -> LABEL; LABEL !! REASON`.
    fn line(&mut self, at: &str, line: &str) -> anyhow::Result<Option<Case>> {
        let mut words = line.split_whitespace();
        let mut word = || words.next().filter(|it| *it != "-").map(str::to_owned);
        match word().as_deref() {
            Some("today") => self.today = word().context("which day?")?,
            Some("distro") => {
                self.distro = word().map(|id| {
                    let (version, codename) = (word(), word());
                    let name = word().map(|it| it.replace('_', " "));
                    let cpe = word();
                    Distro { id, version, codename, name, cpe, ..Distro::default() }
                });
            }
            Some("image") => {
                self.image = match word() {
                    Some(name) => {
                        let digest = word().map(|it| it.parse()).transpose()?;
                        let tags = word().into_iter().collect();
                        Some(ImageDescription { name, digest, tags, ..ImageDescription::default() })
                    }
                    None => None,
                };
            }
            Some(_) => return self.case(at, line).map(Some),
            None => bail!("there is nothing in it"),
        }
        Ok(None)
    }

    fn case(&self, at: &str, line: &str) -> anyhow::Result<Case> {
        let (left, right) = line.split_once(" -> ").context("it has no ` -> `")?;
        let (right, miss) = match right.split_once(" !! ") {
            Some((right, miss)) => (right, Some(miss.trim().to_owned())),
            None => (right, None),
        };
        let mut words = left.split_whitespace();
        let purl = words.next().context("it has no purl")?;
        let mut package = Package::new(purl.parse().with_context(|| purl.to_owned())?);
        let mut packages = Vec::new();
        let mut statements = Vec::new();
        for word in words {
            let (key, value) = word.split_once(':').with_context(|| word.to_owned())?;
            match key {
                "source" => {
                    let (name, version) = value.split_once('@').unwrap_or((value, ""));
                    let version = (!version.is_empty()).then(|| version.to_owned());
                    package.source = Some(SourcePackage { name: name.to_owned(), version });
                }
                "owner" => {
                    let owner: model::Purl = value.parse().with_context(|| word.to_owned())?;
                    packages.push(Package::new(owner.clone()));
                    package.owner = Some(owner);
                }
                "by" => package.author = Some(value.replace('_', " ")),
                "kind" => package.kind = PackageKind::parse(value).context("what kind?")?,
                "vex" => statements.push(value.to_owned()),
                _ => bail!("what is {word}?"),
            }
        }
        packages.insert(0, package);
        let subject = match &self.image {
            Some(image) => Subject::Image(Box::new(image.clone())),
            None => Subject::Document { name: "case".to_owned() },
        };
        Ok(Case {
            at: at.to_owned(),
            today: self.today.clone(),
            inventory: Inventory {
                subject,
                distro: self.distro.clone(),
                packages,
                statements: Vec::new(),
                gaps: Vec::new(),
            },
            statements,
            labels: right.split(';').map(label).collect::<anyhow::Result<_>>()?,
            miss,
        })
    }
}

/// `FLAW finding FIX with FACT…`, `FLAW none VERDICT`, `FLAW gap VERDICT`, `* gap WORDS`.
fn label(text: &str) -> anyhow::Result<Label> {
    let text = text.trim();
    let (text, facts) = text.split_once(" with ").unwrap_or((text, ""));
    let mut words = text.splitn(3, ' ');
    let flaw = words.next().unwrap_or_default().to_owned();
    let class = match words.next() {
        Some("finding") => Class::Finding,
        Some("none") => Class::None,
        Some("gap") => Class::Gap,
        _ => bail!("{text}: neither finding nor none nor gap"),
    };
    let words = words.next().unwrap_or_default().trim().to_owned();
    let facts = facts.split_whitespace().map(str::to_owned).collect();
    Ok(Label { flaw, class, words, facts })
}
