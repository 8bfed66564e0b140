//! OVAL: definitions that are true of a system, and the tests they rest on; what that means, every
//! publisher decides. <https://oval.mitre.org/language/version5.11/>

use std::collections::HashMap;

use ecosystem::xml::{self, Element, Visit};

/// A document.
#[derive(Debug, Default)]
pub(crate) struct Oval {
    /// When it was made.
    pub(crate) timestamp: String,
    /// In the order of the document.
    pub(crate) definitions: Vec<Definition>,
    tests: HashMap<String, Test>,
    objects: HashMap<String, String>,
    states: HashMap<String, State>,
}

/// One statement.
#[derive(Debug, Default)]
pub(crate) struct Definition {
    /// `oval:com.microsoft.azurelinux:def:56898`.
    pub(crate) id: String,
    /// `vulnerability`, `patch`, `inventory`.
    pub(crate) class: String,
    /// One line.
    pub(crate) title: String,
    /// The whole story.
    pub(crate) description: String,
    /// What it is about: source, name and address.
    pub(crate) references: Vec<(String, String, String)>,
    /// Whatever else the publisher says, by the element's name: `severity`, `patchable`.
    pub(crate) more: HashMap<String, String>,
    /// When it is true.
    pub(crate) criteria: Criteria,
}

/// When a definition is true.
#[derive(Debug)]
pub(crate) enum Criteria {
    /// All of these hold.
    All(Vec<Criteria>),
    /// One of these holds.
    Any(Vec<Criteria>),
    /// The test of that id holds.
    Test(String),
    /// Something else must hold: another definition, the contrary of something.
    Other(String),
}

impl Default for Criteria {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

#[derive(Debug, Default)]
struct Test {
    object: String,
    states: Vec<String>,
}

/// What is asked of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// What it is asked, how it is compared, and with what: `evr`, `less than`, `0:9.8p1-3.azl3`.
    pub(crate) asked: Vec<(String, String, String)>,
}

/// A test, resolved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// Name of the package.
    pub(crate) package: &'a str,
    /// What it is asked; all of it must hold.
    pub(crate) states: Vec<&'a State>,
}

/// The most ways in which one definition may be true.
const WAYS: usize = 256;

impl Oval {
    /// Reads a document, up to where it is broken; then the reason stands beside it.
    pub(crate) fn read(bytes: &[u8]) -> (Self, Option<String>) {
        let mut reader = Reader::default();
        let broken = xml::read(bytes, &mut reader).err();
        (reader.oval, broken)
    }

    /// What the test of that id asks of which package.
    pub(crate) fn asked(&self, test: &str) -> Result<Asked<'_>, &'static str> {
        let test = self.tests.get(test).ok_or("it rests on a test that is not there")?;
        let package = self.objects.get(&test.object).filter(|it| !it.is_empty());
        let package = package.ok_or("it rests on a test of no package")?;
        let states: Option<Vec<&State>> =
            test.states.iter().map(|it| self.states.get(it)).collect();
        let states = states.ok_or("it rests on a test with a state that is not there")?;
        Ok(Asked { package, states })
    }
}

impl Criteria {
    /// Every way in which it can be true, each as the ids of tests that must hold together.
    pub(crate) fn ways(&self) -> Result<Vec<Vec<&str>>, String> {
        match self {
            Self::Test(id) => Ok(vec![vec![id]]),
            Self::Other(what) => Err(format!("it rests on {what}")),
            Self::Any(nodes) => {
                let mut ways = Vec::new();
                for node in nodes {
                    ways.extend(node.ways()?);
                    if ways.len() > WAYS {
                        return Err("it can be true in too many ways".to_owned());
                    }
                }
                Ok(ways)
            }
            Self::All(nodes) => {
                let mut ways: Vec<Vec<&str>> = vec![Vec::new()];
                for node in nodes {
                    let more = node.ways()?;
                    if ways.len().saturating_mul(more.len()) > WAYS {
                        return Err("it can be true in too many ways".to_owned());
                    }
                    ways = ways
                        .iter()
                        .flat_map(|way| more.iter().map(|it| [way.as_slice(), it].concat()))
                        .collect();
                }
                Ok(ways)
            }
        }
    }
}

#[derive(Default)]
struct Reader {
    oval: Oval,
    section: String,
    definition: Option<Definition>,
    criteria: Vec<Criteria>,
    current: String,
    asked: Option<(String, String)>,
}

impl Visit for Reader {
    fn open(&mut self, element: &Element) {
        let id = element.get("id");
        match (element.parent.as_str(), element.name.as_str()) {
            ("oval_definitions", section) => section.clone_into(&mut self.section),
            ("definitions", "definition") => {
                self.criteria.clear();
                self.definition = Some(Definition {
                    id: id.to_owned(),
                    class: element.get("class").to_owned(),
                    ..Definition::default()
                });
            }
            (_, "reference") => {
                let parts = ["source", "ref_id", "ref_url"].map(|it| element.get(it).to_owned());
                if let Some(definition) = &mut self.definition {
                    definition.references.push(parts.into());
                }
            }
            (_, "criteria" | "criterion" | "extend_definition") if self.definition.is_some() => {
                self.criteria.push(criteria(element));
            }
            ("tests", _) => {
                id.clone_into(&mut self.current);
                self.oval.tests.insert(id.to_owned(), Test::default());
            }
            ("objects" | "states", _) => id.clone_into(&mut self.current),
            (_, "object") if self.section == "tests" => {
                if let Some(test) = self.oval.tests.get_mut(&self.current) {
                    element.get("object_ref").clone_into(&mut test.object);
                }
            }
            (_, "state") if self.section == "tests" => {
                if let Some(test) = self.oval.tests.get_mut(&self.current) {
                    test.states.push(element.get("state_ref").to_owned());
                }
            }
            (_, name) if self.section == "states" => {
                // Without an operation things must be equal.
                let operation = Some(element.get("operation")).filter(|it| !it.is_empty());
                let operation = operation.unwrap_or("equals").to_owned();
                self.asked = Some((name.to_owned(), operation));
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str, text: &str) {
        match (self.section.as_str(), name) {
            ("generator", "timestamp") => text.clone_into(&mut self.oval.timestamp),
            ("definitions", _) => self.close_in_definition(name, text),
            ("objects", "name") => {
                self.oval.objects.insert(self.current.clone(), text.to_owned());
            }
            ("states", _) => {
                if let Some((name, operation)) = self.asked.take() {
                    let state = self.oval.states.entry(self.current.clone()).or_default();
                    state.asked.push((name, operation, text.to_owned()));
                }
            }
            _ => {}
        }
    }
}

impl Reader {
    fn close_in_definition(&mut self, name: &str, text: &str) {
        let Some(definition) = &mut self.definition else { return };
        match name {
            "criteria" | "criterion" | "extend_definition" => {
                let Some(done) = self.criteria.pop() else { return };
                match self.criteria.last_mut() {
                    Some(Criteria::All(nodes) | Criteria::Any(nodes)) => nodes.push(done),
                    Some(_) => {}
                    None => definition.criteria = done,
                }
            }
            "title" => text.clone_into(&mut definition.title),
            "description" => text.clone_into(&mut definition.description),
            "definition" => self.oval.definitions.extend(self.definition.take()),
            _ if !text.is_empty() => {
                definition.more.entry(name.to_owned()).or_insert_with(|| text.to_owned());
            }
            _ => {}
        }
    }
}

fn criteria(element: &Element) -> Criteria {
    if element.get("negate") == "true" {
        return Criteria::Other("the contrary of a test".to_owned());
    }
    match (element.name.as_str(), element.get("operator")) {
        ("criterion", _) => Criteria::Test(element.get("test_ref").to_owned()),
        ("criteria", "" | "AND") => Criteria::All(Vec::new()),
        ("criteria", "OR") => Criteria::Any(Vec::new()),
        ("criteria", operator) => Criteria::Other(format!("`{operator}` of tests")),
        _ => Criteria::Other("another definition".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(criteria: &str) -> String {
        format!(
            "<oval_definitions><generator><t:timestamp>now</t:timestamp></generator>
             <definitions><definition id='d' class='vulnerability'><metadata><title>t</title>
             <reference source='CVE' ref_id='CVE-1-1' ref_url='u'/><severity>High</severity></metadata>
             {criteria}</definition></definitions>
             <tests><l:rpminfo_test id='1'><l:object object_ref='o'/><l:state state_ref='s'/></l:rpminfo_test>
             <l:rpminfo_test id='2'><l:object object_ref='x'/></l:rpminfo_test></tests>
             <objects><l:rpminfo_object id='o'><l:name>bash</l:name></l:rpminfo_object></objects>
             <states><l:rpminfo_state id='s'><l:evr datatype='evr_string' operation='less than'>0:1-1</l:evr>
             <l:arch>x86_64</l:arch></l:rpminfo_state></states></oval_definitions>"
        )
    }

    fn ways(criteria: &str) -> String {
        let (oval, broken) = Oval::read(document(criteria).as_bytes());
        assert_eq!(broken, None);
        match oval.definitions[0].criteria.ways() {
            Ok(ways) => ways.iter().map(|it| it.join("+")).collect::<Vec<_>>().join(" "),
            Err(why) => why,
        }
    }

    #[test]
    fn resolves_tests() {
        let (oval, _) =
            Oval::read(document("<criteria><criterion test_ref='1'/></criteria>").as_bytes());
        let asked = oval.asked("1").unwrap();
        assert_eq!(asked.package, "bash");
        let asked: Vec<String> =
            asked.states[0].asked.iter().map(|(a, b, c)| format!("{a} {b} {c}")).collect();
        assert_eq!(asked, ["evr less than 0:1-1", "arch equals x86_64"]);
        assert_eq!(oval.asked("2"), Err("it rests on a test of no package"));
        assert_eq!(oval.asked("3"), Err("it rests on a test that is not there"));
        assert_eq!(
            (oval.timestamp.as_str(), oval.definitions[0].more["severity"].as_str()),
            ("now", "High")
        );
    }

    #[test]
    fn tells_every_way_to_be_true() {
        assert_eq!(
            ways(
                "<criteria operator='AND'><criterion test_ref='1'/><criterion test_ref='2'/></criteria>"
            ),
            "1+2"
        );
        assert_eq!(
            ways(
                "<criteria><criterion test_ref='0'/><criteria operator='OR'><criterion test_ref='1'/><criterion test_ref='2'/></criteria></criteria>"
            ),
            "0+1 0+2"
        );
        assert_eq!(ways("<criteria negate='true'/>"), "it rests on the contrary of a test");
        assert_eq!(
            ways("<criteria><extend_definition/></criteria>"),
            "it rests on another definition"
        );
        assert_eq!(ways("<criteria operator='XOR'/>"), "it rests on `XOR` of tests");
        let or = format!(
            "<criteria operator='OR'>{}</criteria>",
            "<criterion test_ref='1'/>".repeat(20)
        );
        assert_eq!(
            ways(&format!("<criteria>{or}{or}</criteria>")),
            "it can be true in too many ways"
        );
    }
}
