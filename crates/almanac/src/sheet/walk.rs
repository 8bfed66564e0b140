//! Reading a sheet whole, to be sure that all of it can be read.

use crate::layout::Section;
use crate::table::Table;

use super::Sheet;
use super::texts::Unpacker;

/// Rows of one sheet list at most so many versions together.
const MOST_LISTED: usize = 1 << 30;
/// Many packages may have the same rows, which are there once; told for each, there are no more than
/// so many of them.
const MOST_ROWS: u64 = 1 << 24;

impl Sheet {
    /// Reads everything once: what is sorted must be, what is counted must add up, and every record
    /// must be readable. The first thing that is wrong is told.
    pub fn walk(&self) -> Result<(), &'static str> {
        for section in [
            Section::Pool,
            Section::Lists,
            Section::Rows,
            Section::Versions,
            Section::About,
            Section::Heads,
            Section::Texts,
        ] {
            // From here on no two entries share their bytes, so that reading all of them ends soon.
            if !self.table(section).is_ok_and(Table::is_sound) {
                return Err("one of its tables is torn");
            }
        }
        let names = self.ascending(Section::Names).ok_or("its names are out of order")?;
        let named = self.named().ok().filter(|it| it.ids.is_sound() && it.others.is_sound());
        let named = named.ok_or("its flaws are out of order")?;
        let advisories = self.advisories();
        if self.meta.advisories != u64::from(advisories) || named.ids.len() != advisories {
            return Err("it has another number of advisories than it says");
        }
        self.walk_rows(names)?;
        let others = self.table(Section::About).map_or(0, Table::len);
        if named.others.len() != others {
            return Err("it has another number of flaws than it says");
        }
        for number in 0..advisories.saturating_add(others) {
            let name = named.get(number).ok_or("its flaws cannot be read")?;
            if named.find(name) != Ok(Some(number)) {
                return Err("it has two flaws of one name");
            }
            let flaw = self.flaw_of(number, name).map_err(|_| "a flaw cannot be read")?;
            if flaw.advisories.iter().any(|it| *it >= advisories) {
                return Err("a flaw belongs to an advisory that is not there");
            }
            if self.flaw(name).is_none() {
                return Err("a flaw cannot be found");
            }
        }
        let mut texts = Vec::new();
        for advisory in 0..advisories {
            let head = self.head(advisory).ok_or("an advisory cannot be read")?;
            if head.names.iter().any(|it| *it >= names) {
                return Err("an advisory is about a package that is not there");
            }
            texts.extend(head.text);
        }
        // Block by block, so that each is unpacked once.
        texts.sort_unstable();
        let mut unpacker = Unpacker::default();
        let mut free = (0, 0);
        for (block, at) in texts {
            let text = unpacker
                .text(self, (block, at))
                .ok_or("the words of an advisory cannot be read")?;
            if (block, at) < free {
                return Err("the words of two advisories overlap");
            }
            let length = text.title.len() + text.details.len();
            let length = text.references.iter().fold(length, |sum, it| sum + it.len());
            free = (block, at.saturating_add(u32::try_from(length).unwrap_or(u32::MAX)));
        }
        Ok(())
    }

    fn walk_rows(&self, names: u32) -> Result<(), &'static str> {
        let mut counts: Vec<u64> = Vec::new();
        let mut listed = 0;
        let mut rows = Vec::new();
        for name in 0..names {
            let (whose, _) = self.rows(name).ok_or("the rows of a package cannot be read")?;
            if whose < name {
                // Those were read already.
                counts.push(
                    usize::try_from(whose).ok().and_then(|it| counts.get(it)).copied().unwrap_or(0),
                );
                continue;
            }
            rows.clear();
            self.rows_of(0, name, &mut rows);
            if let Some(why) = rows.iter().find_map(|it| it.torn) {
                return Err(why);
            }
            counts.push(rows.len() as u64);
            listed += rows.iter().map(|it| it.versions.len()).sum::<usize>();
            if listed > MOST_LISTED {
                return Err("it lists more versions than anybody has");
            }
        }
        let count: u64 = counts.iter().sum();
        if count > MOST_ROWS {
            return Err("it has more rows than anybody has");
        }
        if count == self.meta.rows {
            Ok(())
        } else {
            Err("it has another number of rows than it says")
        }
    }

    /// How many entries that sorted table has, if it is sorted.
    fn ascending(&self, section: Section) -> Option<u32> {
        let table = self.table(section).ok().filter(|it| it.is_sound())?;
        let mut last: Option<&[u8]> = None;
        let mut count = 0;
        for entry in table.range(0, u32::MAX) {
            let entry = entry?;
            if last.is_some_and(|last| last >= entry) || std::str::from_utf8(entry).is_err() {
                return None;
            }
            last = Some(entry);
            count += 1;
        }
        (count == table.len()).then_some(count)
    }
}
