//! Leafing through an almanac: names, and all that an advisory says.

use std::collections::BTreeSet;

use model::Space;

use crate::compile::TEXTS;
use crate::contract::{Handle, Known, Row, Text};
use crate::manifest::Entry;
use crate::touched::spellings;

use super::Almanac;

/// An advisory with everything it says in one space.
#[derive(Clone, Debug)]
pub struct Advice<'a> {
    /// Of which sheet.
    pub entry: &'a Entry,
    /// What it says about itself.
    pub known: Known,
    /// Its words.
    pub text: Text,
    /// Each package's name with a row about it.
    pub rows: Vec<(&'a str, Row<'a>)>,
}

impl Almanac {
    /// Every space that packages can be looked up in.
    pub fn spaces(&self) -> BTreeSet<&Space> {
        let sheets = self.manifest.sheets.iter();
        sheets.filter(|it| it.rows > 0).map(|it| &it.space).collect()
    }

    /// At most `limit` names of packages in that space that begin with `prefix`, sorted.
    pub fn names(&self, space: &Space, prefix: &str, limit: usize) -> Vec<&str> {
        let mut names = BTreeSet::new();
        for number in self.sheets_of(space) {
            if let Ok(sheet) = self.sheet(*number) {
                // Each sheet's are sorted, so that no other of its names can be among the first.
                let found = sheet.names(prefix).take(limit);
                names.extend(found);
            }
        }
        names.into_iter().take(limit).collect()
    }

    /// Every advisory that goes by that name, whole.
    pub fn show(&self, flaw: &str) -> Vec<Advice<'_>> {
        let sheets = (0..).zip(&self.manifest.sheets);
        let with_rows = sheets.filter(|(_, it)| it.space.as_str() != TEXTS);
        let about = self.told(flaw, with_rows.map(|(number, _)| number));
        about.advisories.into_iter().filter_map(|it| self.advice(it)).collect()
    }

    /// The same, in whatever letters the name is typed: names are written in capitals, but for the
    /// ends of those that GitHub makes up.
    pub fn find(&self, flaw: &str) -> Vec<Advice<'_>> {
        let spellings = spellings(flaw);
        let mut said = spellings.iter().map(|it| self.show(it));
        said.find(|it| !it.is_empty()).unwrap_or_default()
    }

    /// That advisory, whole.
    pub fn advice(&self, handle: Handle) -> Option<Advice<'_>> {
        let entry = self.manifest.sheets.get(handle.sheet as usize)?;
        let sheet = self.sheet(handle.sheet).ok()?;
        let mut rows = Vec::new();
        for name in sheet.packages(handle.advisory) {
            let mut all = Vec::new();
            sheet.look_up(handle.sheet, name, &mut all);
            let own = all.into_iter().filter(|it| it.advisory == handle);
            rows.extend(own.map(|it| (name, it)));
        }
        let known = sheet.known(handle.advisory)?;
        Some(Advice { entry, known, text: self.text(handle).unwrap_or_default(), rows })
    }
}
