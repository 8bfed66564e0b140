//! Azure Linux, and CBL-Mariner before it: OVAL definitions, one for each flaw and source package.
//! <https://github.com/microsoft/AzureLinuxVulnerabilityData>

use std::collections::BTreeMap;

use model::{Advisory, Affected, Bound, Gap, Names, Outlook, Rating, Space, Span, Status};

use crate::brief::tellable;
use crate::contract::{Document, Feed, Parsed, Part, hole};
use crate::oval::{Definition, Oval};

/// Azure Linux's OVAL definitions.
pub(crate) struct AzureLinux;

/// Name of the part, its space, and what the versions of its packages end in.
const RELEASES: [(&str, &str, &str); 3] = [
    ("azurelinux-3.0", "azurelinux:3.0", "azl3"),
    ("cbl-mariner-2.0", "mariner:2.0", "cm2"),
    ("cbl-mariner-1.0", "mariner:1.0", "cm1"),
];

impl Feed for AzureLinux {
    fn id(&self) -> &'static str {
        "azurelinux"
    }

    fn title(&self) -> &'static str {
        "Azure Linux vulnerability data"
    }

    fn about(&self) -> &'static str {
        "https://github.com/microsoft/AzureLinuxVulnerabilityData (MIT)"
    }

    fn version(&self) -> u16 {
        1
    }

    fn parts(&self) -> Vec<Part> {
        let base = "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main";
        let part = |(name, _, _): &(&str, _, _)| Part {
            name: (*name).to_owned(),
            urls: vec![format!("{base}/{name}-oval.xml")],
        };
        RELEASES.iter().map(part).collect()
    }

    fn recognises(&self, path: &str, head: &[u8]) -> Option<String> {
        let has = |text: &str| memchr::memmem::find(head, text.as_bytes()).is_some();
        if !has("<oval_definitions") {
            return None;
        }
        let family = if has("com.microsoft.azurelinux:def:") {
            "azurelinux-"
        } else if has("com.microsoft.cbl-mariner:def:") {
            "cbl-mariner-"
        } else {
            return None;
        };
        let parts =
            || RELEASES.iter().map(|(name, _, _)| *name).filter(|it| it.starts_with(family));
        let named = parts().find(|it| path.contains(it));
        named.or_else(|| parts().next()).map(str::to_owned)
    }

    fn parse(&self, part: &str, document: &Document<'_>) -> Parsed {
        let (oval, broken) = Oval::read(document.bytes);
        let mut gaps: Vec<Gap> = broken
            .map(|why| Gap::new(document.path, format!("reading it stopped: {why}")))
            .into_iter()
            .collect();
        let mut advisories: BTreeMap<String, Advisory> = BTreeMap::new();
        for definition in oval.definitions.iter().filter(|it| it.class != "inventory") {
            let done = rows(&oval, definition, part)
                .and_then(|rows| add(&mut advisories, definition, &rows));
            if let Err(why) = done {
                let id: String = definition.id.chars().take(100).collect();
                hole(&mut gaps, document.path, format!("{why}: `{id}`"));
            }
        }
        Parsed {
            advisories: advisories.into_values().collect(),
            gaps,
            current: Some(oval.timestamp).filter(|it| !it.is_empty()),
            ..Parsed::default()
        }
    }
}

fn add(
    advisories: &mut BTreeMap<String, Advisory>,
    definition: &Definition,
    rows: &[Affected],
) -> Result<(), String> {
    let flaws: Vec<_> = definition.references.iter().filter(|(_, id, _)| !id.is_empty()).collect();
    if flaws.is_empty() {
        return Err("it names no flaw".to_owned());
    }
    let (most, hole) = tellable(flaws.len(), rows.len());
    for (_, id, url) in flaws.into_iter().take(most) {
        let advisory = advisories.entry(id.clone()).or_insert_with(|| Advisory {
            id: id.clone(),
            title: definition.title.clone(),
            details: definition.description.clone(),
            ..Advisory::default()
        });
        if !url.is_empty() && !advisory.references.contains(url) {
            advisory.references.push(url.clone());
        }
        if let Some(date) = definition.more.get("advisory_date") {
            let dates = [advisory.published.take(), Some(date.clone())];
            advisory.published = dates.iter().flatten().min().cloned();
            advisory.modified = advisory.modified.take().max(Some(date.clone()));
        }
        advisory.affected.extend(rows.iter().cloned());
    }
    hole.map_or(Ok(()), Err)
}

fn rows(oval: &Oval, definition: &Definition, part: &str) -> Result<Vec<Affected>, String> {
    let more = |name: &str| definition.more.get(name).map(String::as_str);
    let mut rows: Vec<Affected> = Vec::new();
    for way in definition.criteria.ways()? {
        let (package, span) = span(oval, &way)?;
        let bounds = [&span.from, &span.to];
        let version = bounds.into_iter().flatten().map(|it| it.version.as_str()).next_back();
        let row = Affected {
            names: Names::Source,
            rating: more("severity").map(|it| Rating::word("azurelinux", it)),
            ..Affected::new(space(version.unwrap_or_default(), part)?, package)
        };
        rows.push(match more("patchable") {
            // It was thought to be affected, and is not.
            Some("Not Applicable") => Affected {
                status: Status::NotAffected,
                spans: vec![Span::all()],
                rating: None,
                reason: Some("not applicable".to_owned()),
                ..row
            },
            _ => Affected {
                outlook: span.fix().is_none().then_some(Outlook::Open),
                spans: vec![span],
                ..row
            },
        });
    }
    if rows.is_empty() { Err("it names no package".to_owned()) } else { Ok(rows) }
}

/// The package that tests which must hold together are about, and the versions for which they do.
fn span(oval: &Oval, way: &[&str]) -> Result<(String, Span), String> {
    let mut package: Option<&str> = None;
    let mut span = Span::all();
    for test in way {
        let asked = oval.asked(test)?;
        if package.replace(asked.package).is_some_and(|it| it != asked.package) {
            return Err("it asks for two packages at once".to_owned());
        }
        for (what, operation, value) in asked.states.iter().flat_map(|it| &it.asked) {
            if what != "evr" {
                return Err(format!("it asks for the `{}` of a package", cut(what)));
            }
            let version = value.strip_prefix("0:").unwrap_or(value).to_owned();
            let bound = |included| Some(Bound { version: version.clone(), included });
            match operation.as_str() {
                "less than" => span.to = bound(false),
                "less than or equal" => span.to = bound(true),
                "greater than" => span.from = bound(false),
                "greater than or equal" => span.from = bound(true),
                "equals" => span = Span { from: bound(true), to: bound(true) },
                other => return Err(format!("it compares versions with `{}`", cut(other))),
            }
        }
    }
    Ok((package.ok_or("it names no package")?.to_owned(), span))
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The version's end tells; where it has none, the document it stands in.
fn space(version: &str, part: &str) -> Result<Space, String> {
    let tagged = RELEASES
        .iter()
        .find(|(_, _, tag)| version.rsplit_once('.').is_some_and(|(_, it)| it == *tag));
    let named = || RELEASES.iter().find(|(name, _, _)| *name == part);
    let (_, space, _) = tagged.or_else(named).ok_or("it does not say for which release it is")?;
    Ok(Space::from(*space))
}

#[cfg(test)]
mod tests;
