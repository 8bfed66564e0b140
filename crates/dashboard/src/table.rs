//! Tables: the same rows for people, and as CSV and JSON for who takes them away.

use std::fmt::Write as _;

use axum::response::{IntoResponse as _, Response};
use http::header;
use model::{Level, Moment};
use serde_json::{Map, Value};

use crate::html::{Html, SIGNS};
use crate::severity::{badge, unknown};
use crate::visit::Visit;
use crate::when::when;

/// A table.
pub(crate) struct Table {
    /// To tell it from others of the page: `findings`.
    id: &'static str,
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    /// What is shown where there are no rows: what to do next.
    empty: Html,
    /// Where the list goes on.
    next: Option<String>,
    /// There is something before it.
    first: Option<String>,
}

/// A column.
pub(crate) struct Column {
    key: &'static str,
    title: &'static str,
    sorts: bool,
    /// First the other way around: of numbers people want the largest.
    falls: bool,
    /// People see it in another column; files have it apart.
    filed: bool,
}

/// A column called that.
pub(crate) fn column(key: &'static str, title: &'static str) -> Column {
    Column { key, title, sorts: false, falls: false, filed: false }
}

/// The same, by which the rows can be sorted.
pub(crate) fn sorting(key: &'static str, title: &'static str) -> Column {
    Column { key, title, sorts: true, falls: false, filed: false }
}

/// The same, the largest first.
pub(crate) fn falling(key: &'static str, title: &'static str) -> Column {
    Column { key, title, sorts: true, falls: true, filed: false }
}

/// A column that only files have: people see what is in it beside something else.
pub(crate) fn filed(key: &'static str) -> Column {
    Column { key, title: key, sorts: false, falls: false, filed: true }
}

/// The class of what stays in one line; of what breaks behind its signs alone; and of what needs room to be
/// read.
const SHORT: &str = "short";
const NAME: &str = "name";
const WORDS: &str = "words";
/// The class of what there is none of, which a narrow screen leaves out.
const NONE: &str = "none";
/// The class of numbers, which stand below each other.
const NUMBER: &str = "number";

/// What stands in a row and a column: as it looks, and as it is.
#[derive(Clone)]
pub(crate) struct Cell {
    html: Html,
    plain: Value,
    class: &'static str,
}

impl Cell {
    pub(crate) fn new(html: Html, plain: impl Into<Value>) -> Self {
        Self { html, plain: plain.into(), class: "" }
    }

    pub(crate) fn text(text: &str) -> Self {
        let class = class_of(text);
        Self { class, ..Self::new(whole_or_name(class, text), text) }
    }

    /// There is none, which is known.
    pub(crate) fn none() -> Self {
        Self { class: NONE, ..Self::new(Html::text("–"), Value::Null) }
    }

    pub(crate) fn text_if(text: Option<&str>) -> Self {
        text.map_or_else(Self::none, Self::text)
    }

    /// What nobody can tell.
    pub(crate) fn unknown(why: &str) -> Self {
        Self::new(unknown(why), format!("cannot tell: {why}"))
    }

    pub(crate) fn number(number: u64) -> Self {
        Self { class: NUMBER, ..Self::new(Html::text(&number.to_string()), number) }
    }

    pub(crate) fn link(href: &str, text: &str) -> Self {
        let class = class_of(text);
        Self { class, ..Self::new(Html::link(href, whole_or_name(class, text)), text) }
    }

    pub(crate) fn when(text: &str, now: Moment) -> Self {
        Self::new(when(text, now), text)
    }

    pub(crate) fn when_if(text: Option<&str>, now: Moment) -> Self {
        text.map_or_else(Self::none, |it| Self::when(it, now))
    }

    pub(crate) fn level(level: Level) -> Self {
        Self::new(badge(level.as_str()), level.as_str())
    }

    pub(crate) fn code(text: &str) -> Self {
        Self::new(Html::tag("code", &[], Html::text(text)), text)
    }

    /// A digest, short enough for a column; all of it is in the file.
    pub(crate) fn digest(href: &str, digest: &str) -> Self {
        let mut cell = Self::digest_alone(digest);
        cell.html = Html::link(href, cell.html);
        cell
    }

    /// The same, where there may be no page about it.
    pub(crate) fn digest_alone(digest: &str) -> Self {
        let code = Html::tag("code", &[("title", digest)], Html::text(&short(digest)));
        Self { class: SHORT, ..Self::new(code, digest) }
    }

    /// Made of names, which break behind their signs alone.
    #[must_use]
    pub(crate) fn named(mut self) -> Self {
        self.class = NAME;
        self
    }

    /// What is read as sentences are.
    #[must_use]
    pub(crate) fn worded(mut self) -> Self {
        self.class = WORDS;
        self
    }

    /// As it looks.
    pub(crate) fn into_html(self) -> Html {
        self.html
    }

    /// With that behind it, which is only for people.
    #[must_use]
    pub(crate) fn marked(mut self, mark: &Html) -> Self {
        if mark.is_empty() {
            return self;
        }
        if self.class == SHORT {
            // What was short stays in one line, and what is behind it may be long.
            self.html = Html::tag("span", &[("class", SHORT)], self.html);
            self.class = "";
        }
        if self.class == NONE {
            self.class = "";
        }
        self.html = self.html.and(&Html::text(" ")).and(mark);
        self
    }
}

/// A version or a word is not broken in the middle to make room for others, unless it is longer than any
/// that people think of.
fn class_of(text: &str) -> &'static str {
    const LETTERS: usize = 16;
    const LONGEST: usize = 36;
    const SENTENCE: usize = 48;
    let letters = text.chars().count();
    let breaks = |it: char| it.is_whitespace() || it == '-' || SIGNS.contains(&it);
    if letters <= LETTERS {
        SHORT
    } else if text.split(breaks).any(|it| it.chars().count() > LONGEST) {
        ""
    } else if letters >= SENTENCE && text.contains(' ') {
        WORDS
    } else {
        NAME
    }
}

/// Browsers break where they may, also what is to stay in one line: there it may not.
fn whole_or_name(class: &str, text: &str) -> Html {
    if class == SHORT { Html::text(text) } else { Html::name(text) }
}

/// `sha256:0123456789ab`.
pub(crate) fn short(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}

impl Table {
    /// By another name: to tell it from others of the page.
    #[must_use]
    pub(crate) fn called(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    pub(crate) fn new(id: &'static str, caption: impl Into<String>, columns: Vec<Column>) -> Self {
        let (caption, rows) = (caption.into(), Vec::new());
        Self { id, caption, columns, rows, empty: Html::default(), next: None, first: None }
    }

    /// Shown where there are no rows: what to do next.
    #[must_use]
    pub(crate) fn or_else(mut self, empty: Html) -> Self {
        self.empty = empty;
        self
    }

    /// With these columns behind the first so many.
    #[must_use]
    pub(crate) fn with_columns(
        mut self,
        behind: usize,
        columns: impl IntoIterator<Item = Column>,
    ) -> Self {
        let behind = behind.min(self.columns.len());
        self.columns.splice(behind..behind, columns);
        self
    }

    /// With one row more.
    pub(crate) fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len(), "{}", self.id);
        self.rows.push(row);
    }

    /// Are there no rows?
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// It goes on there, as the API says.
    pub(crate) fn goes_on(&mut self, visit: &Visit, next: Option<&str>) {
        self.goes_on_by(visit, "after", next);
    }

    /// The same, where another list of the page goes on by `after`.
    pub(crate) fn goes_on_by(&mut self, visit: &Visit, key: &str, next: Option<&str>) {
        self.next = next.map(|it| visit.with(&[(key, Some(it))]));
        self.first = visit.asked(key).map(|_| visit.with(&[]));
    }

    /// Keeps one page of rows that are all there, by `at` of the visit.
    pub(crate) fn cut(&mut self, visit: &Visit, rows: usize) {
        if visit.takes_away(self.id) {
            return;
        }
        let at = visit.asked("at").and_then(|it| it.parse().ok()).unwrap_or(0).min(self.rows.len());
        let end = at.saturating_add(rows);
        self.next = (end < self.rows.len()).then(|| visit.with(&[("at", Some(&end.to_string()))]));
        self.first = (at > 0).then(|| visit.with(&[]));
        self.rows.truncate(end);
        self.rows.drain(..at);
    }

    /// The file, if this table is wanted as one.
    pub(crate) fn file(&self, visit: &Visit) -> Option<Response> {
        if !visit.takes_away(self.id) {
            return None;
        }
        let (kind, end, text) = match visit.asked("format") {
            Some("json") => ("application/json", "json", self.json()),
            _ => ("text/csv; charset=utf-8", "csv", self.csv()),
        };
        let name = format!("attachment; filename=\"foretop-{}.{end}\"", self.id);
        let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, &*name)];
        Some((headers, text).into_response())
    }

    fn json(&self) -> String {
        let row = |row: &Vec<Cell>| -> Value {
            let pairs = self.columns.iter().zip(row);
            pairs
                .map(|(it, cell)| (it.key.to_owned(), cell.plain.clone()))
                .collect::<Map<_, _>>()
                .into()
        };
        Value::Array(self.rows.iter().map(row).collect()).to_string()
    }

    fn csv(&self) -> String {
        let mut text = self.columns.iter().map(|it| it.key).collect::<Vec<_>>().join(",");
        text.push_str("\r\n");
        for row in &self.rows {
            for (at, cell) in row.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                let plain = match &cell.plain {
                    Value::Null => String::new(),
                    Value::String(it) => it.clone(),
                    other => other.to_string(),
                };
                field(&plain, matches!(cell.plain, Value::String(_)), &mut text);
            }
            text.push_str("\r\n");
        }
        text
    }

    /// The table for people.
    pub(crate) fn html(&self, visit: &Visit) -> Html {
        if self.is_empty() && self.first.is_none() {
            return self.drawn(&[]);
        }
        let head = self.seen().map(|(at, it)| it.head(visit, self.class(at)));
        self.drawn(&head.collect::<Vec<_>>()).and(&self.foot(visit))
    }

    /// The same without ways to sort it or to take it away: a few rows beside others.
    pub(crate) fn plain(&self) -> Html {
        let head = |(at, it): (usize, &Column)| {
            let attributes = [("scope", "col"), ("class", self.class(at))];
            Html::tag("th", &attributes, Html::text(it.title))
        };
        self.drawn(&self.seen().map(head).collect::<Vec<_>>())
    }

    /// The columns that people see, and which they are.
    fn seen(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(|(_, it)| !it.filed)
    }

    /// A head stands above what is below it: to the right where that is numbers.
    fn class(&self, column: usize) -> &'static str {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column));
        if cells.any(|it| it.class == NUMBER) { NUMBER } else { "" }
    }

    fn drawn(&self, head: &[Html]) -> Html {
        if self.is_empty() && self.first.is_none() {
            return Html::tag("div", &[("class", "empty")], self.empty.clone());
        }
        let head = Html::all(head.iter().cloned());
        let head = Html::tag("thead", &[], Html::tag("tr", &[], head));
        let row = |row: &Vec<Cell>| {
            let cell = |(column, cell): (&Column, &Cell)| {
                let attributes = [("data-title", column.title), ("class", cell.class)];
                Html::tag("td", &attributes, cell.html.clone())
            };
            let cells = self.columns.iter().zip(row).filter(|(column, _)| !column.filed);
            Html::tag("tr", &[], Html::all(cells.map(cell)))
        };
        let body = Html::tag("tbody", &[], Html::all(self.rows.iter().map(row)));
        let caption = Html::tag("caption", &[], Html::text(&self.caption));
        let table = Html::tag("table", &[], Html::all([caption, head, body]));
        let around = [
            ("class", "table"),
            ("role", "region"),
            ("tabindex", "0"),
            ("aria-label", &*self.caption),
        ];
        Html::tag("div", &around, table)
    }

    fn foot(&self, visit: &Visit) -> Html {
        let link = |href: &str, text: &str| Html::link(href, Html::text(text));
        let mut links = Vec::new();
        links.extend(self.first.as_deref().map(|it| link(it, "From the beginning")));
        links.extend(self.next.as_deref().map(|it| link(it, "More")));
        links.extend(self.files(visit));
        Html::tag("p", &[("class", "foot")], Html::joined(links, " · "))
    }

    fn files(&self, visit: &Visit) -> [Html; 2] {
        [("csv", "CSV"), ("json", "JSON")].map(|(format, name)| {
            let href = visit.with(&[("format", Some(format)), ("table", Some(self.id))]);
            Html::link(&href, Html::text(&format!("{name} of {}", self.id)))
        })
    }

    /// Only the ways to take it away: people see what is in it as something else.
    pub(crate) fn ways(&self, visit: &Visit) -> Html {
        Html::tag("p", &[("class", "foot")], Html::joined(self.files(visit), " · "))
    }
}

impl Column {
    fn head(&self, visit: &Visit, class: &str) -> Html {
        if !self.sorts {
            let attributes = [("scope", "col"), ("class", class)];
            return Html::tag("th", &attributes, Html::text(self.title));
        }
        let by = visit.asked("sort");
        let down = format!("-{}", self.key);
        let (sorted, next) = match by {
            Some(it) if it == self.key => ("ascending", &*down),
            Some(it) if it == down => ("descending", self.key),
            _ if self.falls => ("none", &*down),
            _ => ("none", self.key),
        };
        let link = Html::link(&visit.with(&[("sort", Some(next))]), Html::text(self.title));
        let attributes = [("scope", "col"), ("class", class), ("aria-sort", sorted)];
        Html::tag("th", &attributes, link)
    }
}

/// One field of a line of CSV. A text that a spreadsheet would take for a formula is none.
fn field(text: &str, is_text: bool, csv: &mut String) {
    let formula = is_text && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quote = if formula { "'" } else { "" };
    if formula || text.contains(['"', ',', '\n', '\r']) {
        let _ = write!(csv, "\"{quote}{}\"", text.replace('"', "\"\""));
    } else {
        csv.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_stays_in_one_line_and_what_is_behind_it_does_not() {
        let short = Cell::text("CVE-2021-44228");
        assert_eq!(short.class, SHORT);
        let long = short.marked(&Html::text("a title of many words, as advisories have them"));
        assert_eq!(long.class, "");
        assert!(
            long.html.to_string().starts_with("<span class=\"short\">CVE-2021-44228</span> a ")
        );
        assert_eq!(Cell::text("pkg:deb/debian/openssl@3.0.11").class, NAME);
        assert_eq!(Cell::text(&"x".repeat(60)).class, "");
        assert_eq!(Cell::text(&"a sentence ".repeat(6)).class, WORDS);
    }

    #[test]
    fn files_say_what_is_so() {
        let mut table = Table::new("x", "X", vec![column("a", "A"), column("b", "B")]);
        table.push(vec![Cell::text("=1+1"), Cell::number(3)]);
        table.push(vec![Cell::text("a \"b\", c"), Cell::none()]);
        table.push(vec![Cell::text("<b>"), Cell::unknown("it is not analysed")]);
        let csv =
            "a,b\r\n\"'=1+1\",3\r\n\"a \"\"b\"\", c\",\r\n<b>,cannot tell: it is not analysed\r\n";
        assert_eq!(table.csv(), csv);
        let json = r#"[{"a":"=1+1","b":3},{"a":"a \"b\", c","b":null},{"a":"<b>","b":"cannot tell: it is not analysed"}]"#;
        assert_eq!(table.json(), json);
    }
}
