//! What a sheet says about a package.

use std::borrow::Cow;
use std::collections::HashSet;

use model::{Names, Status};

use crate::bytes::Bytes;
use crate::contract::{Each, End, Handle, Key, Row, Stretch};
use crate::layout::Section;
use crate::record::{self, end, has, told};
use crate::table::{Table, Torn};

use super::about::begin;
use super::{Keys, Named, Sheet, list};

/// One look-up yields at most so many versions, names and spans, a row counting as sixteen of them: what
/// is beyond that is torn.
pub(crate) const MOST: usize = 1 << 22;

const NAME_TORN: &str = "the sheet's names cannot be read";
const ROWS_TORN: &str = "the sheet's rows about this package cannot be read";
const ROW_TORN: &str = "this row of the sheet cannot be read";
const ADVISORY_TORN: &str = "the sheet's advisory of this row cannot be read";

/// What all rows of one name share.
struct Rows<'a> {
    versions: Table<'a>,
    lists: Table<'a>,
    named: Named<'a>,
    heads: Table<'a>,
    /// The name's first version: the others are told as their distance from it.
    base: u32,
    /// How much more may come.
    room: usize,
}

impl<'a> Rows<'a> {
    /// How many of something follow, if there is room for them.
    fn count(&mut self, bytes: &mut Bytes<'_>) -> Option<usize> {
        let count = bytes.count()?;
        self.room = self.room.checked_sub(count)?;
        Some(count)
    }

    /// Begins a row: its kind, what it has, and the number of its advisory.
    fn begin(&mut self, bytes: &mut Bytes<'a>, advisory: &mut u32) -> Option<(Bytes<'a>, u32)> {
        let mut kind = list(self.lists, bytes)?;
        self.room = self.room.checked_sub(16)?;
        let flags = kind.small().filter(|it| it & !has::ALL == 0)?;
        *advisory = bytes.small()?.checked_add(*advisory)?;
        Some((kind, flags))
    }

    /// Goes to where the next row begins.
    fn skip(&mut self, flags: u32, mut kind: Bytes<'_>, body: &mut Bytes<'_>) -> Option<()> {
        if flags & has::SPANS != 0 {
            for _ in 0..self.count(&mut kind)? {
                let ends = kind.byte()?;
                for there in [end::FROM, end::TO] {
                    if ends & there != 0 {
                        body.small()?;
                    }
                }
            }
        }
        if flags & has::BULLETINS != 0 {
            for _ in 0..self.count(body)? {
                body.small()?;
            }
        }
        if flags & has::VERSIONS != 0 {
            for _ in 0..self.count(body)? {
                body.signed()?;
                body.small()?;
            }
        }
        Some(())
    }

    /// A text, if there is room for it.
    fn text(&mut self, text: Option<&'a str>) -> Option<&'a str> {
        let text = text?;
        self.room = self.room.checked_sub(text.len() / 64)?;
        Some(text)
    }

    /// Names of flaws.
    fn flaws(&mut self, bytes: &mut Bytes<'_>, names: &mut Vec<&'a str>) -> Option<()> {
        for _ in 0..self.count(bytes)? {
            names.push(self.text(self.named.get(bytes.small()?))?);
        }
        Some(())
    }
}

impl Sheet {
    /// Appends its rows about that name. `number` becomes the sheet's number in their handles.
    pub fn look_up<'a>(&'a self, number: u32, name: &str, rows: &mut Vec<Row<'a>>) {
        let found = self.table(Section::Names).and_then(|it| it.find(name.as_bytes()));
        match found {
            Ok(None) => {}
            Ok(Some(name)) => self.rows_of(number, name, rows),
            Err(Torn) => rows.push(self.torn_row(number, NAME_TORN)),
        }
    }

    /// Appends those of its rows about that name that are of these advisories.
    pub(crate) fn look_up_some<'a>(
        &'a self,
        number: u32,
        name: &str,
        wanted: &HashSet<Handle>,
        rows: &mut Vec<Row<'a>>,
    ) {
        match self.table(Section::Names).and_then(|it| it.find(name.as_bytes())) {
            Ok(None) => {}
            Ok(Some(name)) => {
                if self.try_rows(number, name, Some(wanted), rows).is_none() {
                    rows.push(self.torn_row(number, ROWS_TORN));
                }
            }
            Err(Torn) => rows.push(self.torn_row(number, NAME_TORN)),
        }
    }

    /// Tells of each of its rows about that name which advisory's it is, with the names of its flaw.
    /// Nothing where that cannot be read.
    pub(crate) fn glance<'a>(
        &'a self,
        number: u32,
        name: &str,
        each: &mut Each<'_, 'a>,
    ) -> Option<()> {
        let Some(name) = self.table(Section::Names).ok()?.find(name.as_bytes()).ok()? else {
            return Some(());
        };
        let (mut shared, mut bytes) = self.shared(name)?;
        let (mut advisory, mut aliases) = (0, Vec::new());
        while !bytes.is_empty() {
            let (kind, flags) = shared.begin(&mut bytes, &mut advisory)?;
            shared.skip(flags, kind, &mut bytes)?;
            let (told, _, mut head) = begin(shared.heads, advisory)?;
            let id = shared.text(shared.named.ids.get(advisory))?;
            aliases.clear();
            if told & told::ABOUT != 0 {
                head.blob()?;
            }
            if told & told::ALIASES != 0 {
                shared.flaws(&mut head, &mut aliases)?;
            }
            each(Handle { sheet: number, advisory }, id, &aliases);
        }
        Some(())
    }

    /// Appends its rows about the name with that number.
    pub(crate) fn rows_of<'a>(&'a self, number: u32, name: u32, rows: &mut Vec<Row<'a>>) {
        if self.try_rows(number, name, None, rows).is_none() {
            rows.push(self.torn_row(number, ROWS_TORN));
        }
    }

    /// Where its rows about a name are, and what they share.
    fn shared(&self, name: u32) -> Option<(Rows<'_>, Bytes<'_>)> {
        let mut bytes = self.rows(name)?.1;
        let shared = Rows {
            versions: self.table(Section::Versions).ok()?,
            lists: self.table(Section::Lists).ok()?,
            named: self.named().ok()?,
            heads: self.table(Section::Heads).ok()?,
            base: bytes.small()?.checked_sub(1)?,
            room: MOST,
        };
        Some((shared, bytes))
    }

    fn try_rows<'a>(
        &'a self,
        number: u32,
        name: u32,
        wanted: Option<&HashSet<Handle>>,
        rows: &mut Vec<Row<'a>>,
    ) -> Option<()> {
        let (mut shared, mut bytes) = self.shared(name)?;
        let mut advisory = 0;
        while !bytes.is_empty() {
            let (kind, flags) = shared.begin(&mut bytes, &mut advisory)?;
            if wanted.is_some_and(|it| !it.contains(&Handle { sheet: number, advisory })) {
                shared.skip(flags, kind, &mut bytes)?;
                continue;
            }
            let mut row = self.torn_row(number, ADVISORY_TORN);
            row.advisory.advisory = advisory;
            if let Some(usual) = fill_head(&mut shared, advisory, &mut row) {
                row.torn = Some(ROW_TORN);
                if self.fill(&mut shared, flags, (kind, usual), &mut bytes, &mut row).is_some() {
                    row.torn = None;
                }
            }
            let torn = row.torn;
            rows.push(row);
            if torn.is_some() {
                // Where the next one begins is not known.
                break;
            }
        }
        Some(())
    }

    /// Whose rows those of that name are, its own or those of one before it, and these.
    pub(super) fn rows(&self, name: u32) -> Option<(u32, Bytes<'_>)> {
        let table = self.table(Section::Rows).ok()?;
        let mut bytes = Bytes::new(table.get(name)?);
        if bytes.rest().first() != Some(&0) {
            return Some((name, bytes));
        }
        bytes.byte()?;
        let same = bytes.small().filter(|it| *it < name && bytes.is_empty())?;
        let rows = Bytes::new(table.get(same)?);
        (rows.rest().first() != Some(&0)).then_some((same, rows))
    }

    /// The row that stands for what cannot be read.
    pub(crate) fn torn_row(&self, sheet: u32, why: &'static str) -> Row<'_> {
        torn_row(&self.meta.feed, sheet, why)
    }

    fn fill<'a>(
        &'a self,
        shared: &mut Rows<'a>,
        flags: u32,
        (mut kind, mut usual): (Bytes<'a>, Bytes<'a>),
        body: &mut Bytes<'a>,
        row: &mut Row<'a>,
    ) -> Option<()> {
        row.names = *record::NAMES.get(flags as usize & 3)?;
        row.status = *record::STATUSES.get(flags as usize >> 2 & 3)?;
        if flags & has::SPANS != 0 {
            for _ in 0..shared.count(&mut kind)? {
                let ends = kind.byte()?;
                let mut bound = |there: u8, included: u8| {
                    if ends & there == 0 {
                        return Some(None);
                    }
                    let version = shared.base.checked_add(body.small()?)?;
                    self.end(shared, version, ends & included != 0).map(Some)
                };
                let from = bound(end::FROM, end::FROM_INCLUDED)?;
                let to = bound(end::TO, end::TO_INCLUDED)?;
                row.stretches.push(Stretch { from, to });
            }
        }
        if flags & has::REASON != 0 {
            row.reason = Some(shared.text(self.pooled_text(kind.small()?))?);
        }
        if flags & has::USUAL != 0 {
            shared.flaws(&mut usual, &mut row.bulletins)?;
        }
        if flags & has::BULLETINS != 0 {
            shared.flaws(body, &mut row.bulletins)?;
        }
        if flags & has::OUTLOOK != 0 {
            row.outlook = Some(*record::OUTLOOKS.get(usize::from(kind.byte()?))?);
        }
        if flags & has::RATING != 0 {
            row.rating = Some(record::rating(self.pooled(kind.small()?)?)?);
        }
        if flags & has::VERSIONS != 0 {
            let mut next = shared.base;
            for _ in 0..shared.count(body)? {
                let first = i64::from(next).checked_add(body.signed()?)?.try_into().ok()?;
                let length = body.small()?;
                next = length.checked_add(first)?;
                shared.room = shared.room.checked_sub(usize::try_from(length).ok()?)?;
                if next > shared.versions.len() {
                    return None;
                }
                for entry in shared.versions.range(first, length) {
                    row.versions.push(self.end_of(entry?, true)?);
                }
            }
        }
        for (flag, texts) in [(has::ARCH, &mut row.arch), (has::PRODUCTS, &mut row.products)] {
            if flags & flag != 0 {
                for _ in 0..shared.count(&mut kind)? {
                    texts.push(shared.text(self.pooled_text(kind.small()?))?);
                }
            }
        }
        for (flag, text) in [(has::MODULE, &mut row.module), (has::CHANNEL, &mut row.channel)] {
            if flags & flag != 0 {
                *text = Some(shared.text(self.pooled_text(kind.small()?))?);
            }
        }
        kind.is_empty().then_some(())
    }

    fn end<'a>(&'a self, shared: &mut Rows<'a>, version: u32, included: bool) -> Option<End<'a>> {
        shared.room = shared.room.checked_sub(1)?;
        self.end_of(shared.versions.get(version)?, included)
    }

    fn end_of<'a>(&'a self, entry: &'a [u8], included: bool) -> Option<End<'a>> {
        let mut bytes = Bytes::new(entry);
        let written: Key<'a> = match bytes.number()? {
            0 => None,
            length => Some(Cow::Borrowed(bytes.take(usize::try_from(length - 1).ok()?)?)),
        };
        let version = std::str::from_utf8(bytes.rest()).ok()?;
        let key = match self.keys {
            Keys::Written => written,
            Keys::Made(order) => {
                let mut key = Vec::new();
                order.key(version, &mut key).is_ok().then_some(Cow::Owned(key))
            }
            Keys::Unknown => None,
        };
        Some(End { key, version, included })
    }
}

/// Fills in what the head of its advisory says of every row, and returns where the head tells of the
/// bulletins that most have.
fn fill_head<'a>(shared: &mut Rows<'a>, advisory: u32, row: &mut Row<'a>) -> Option<Bytes<'a>> {
    let (flags, _, mut head) = begin(shared.heads, advisory)?;
    row.withdrawn = flags & told::WITHDRAWN != 0;
    row.malicious = flags & told::MALICIOUS != 0;
    row.id = shared.text(shared.named.ids.get(advisory))?;
    if flags & told::ABOUT != 0 {
        head.blob()?;
    }
    if flags & told::ALIASES != 0 {
        shared.flaws(&mut head, &mut row.aliases)?;
    }
    Some(if flags & told::BULLETINS != 0 { head } else { Bytes::new(&[]) })
}

/// The row that stands for what cannot be read.
pub(crate) fn torn_row<'a>(feed: &'a str, sheet: u32, why: &'static str) -> Row<'a> {
    Row {
        feed,
        advisory: Handle { sheet, advisory: u32::MAX },
        id: "",
        aliases: Vec::new(),
        withdrawn: false,
        malicious: false,
        names: Names::Either,
        status: Status::Affected,
        stretches: Vec::new(),
        versions: Vec::new(),
        outlook: None,
        reason: None,
        rating: None,
        bulletins: Vec::new(),
        arch: Vec::new(),
        module: None,
        channel: None,
        products: Vec::new(),
        torn: Some(why),
    }
}
