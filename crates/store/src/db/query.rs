//! Texts of SQL and their parameters.

use std::borrow::Cow;

use model::Moment;

/// A text of SQL: ours, or put together from ours. What comes from outside is a parameter.
pub(crate) type Sql = Cow<'static, str>;

/// What a parameter may be.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    MaybeText(Option<String>),
    Int(i64),
    MaybeInt(Option<i64>),
    Blob(Vec<u8>),
}

/// A query that is put together from clauses of ours.
#[derive(Debug)]
pub(crate) struct Query {
    text: String,
    values: Vec<Value>,
}

impl Query {
    pub(crate) fn new(text: &str, values: Vec<Value>) -> Self {
        Self { text: text.to_owned(), values }
    }

    /// Another clause, in which `$?` stands for `value`.
    pub(crate) fn with(&mut self, clause: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.text.push(' ');
        self.text.push_str(&clause.replace("$?", &format!("${}", self.values.len())));
    }

    /// Another clause, in which `$?` stands for the list of `values`.
    pub(crate) fn with_all<T: Into<Value>>(&mut self, clause: &str, values: Vec<T>) {
        let list = placeholders(self.values.len(), 1, values.len());
        self.values.extend(values.into_iter().map(Into::into));
        self.text.push(' ');
        self.text.push_str(&clause.replace("$?", &list));
    }

    /// More text.
    pub(crate) fn then(&mut self, text: &str) {
        self.text.push(' ');
        self.text.push_str(text);
    }

    pub(crate) fn into_parts(self) -> (Sql, Vec<Value>) {
        (Sql::Owned(self.text), self.values)
    }
}

/// A list of parameters.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Value::from($value)),*] };
}
pub(crate) use values;

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(storable(text))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(storable(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::MaybeText(text.map(storable))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeInt(number)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Moment> for Value {
    fn from(moment: Moment) -> Self {
        Self::Int(moment.micros())
    }
}

/// PostgreSQL has no text with a zero byte, so nobody has.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// `($1, $2), ($3, $4)`: so many rows of so many parameters, behind `before` others.
pub(crate) fn placeholders(before: usize, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let names = (0..columns).map(|it| format!("${}", before + row * columns + it + 1));
        format!("({})", names.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Rows of parameters in runs of few different lengths, so that few texts are prepared.
pub(crate) fn runs<T>(all: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = all;
    std::iter::from_fn(move || {
        let length = [128, 32, 8, 1].into_iter().find(|it| *it <= rest.len())?;
        let (run, behind) = rest.split_at(length);
        rest = behind;
        Some(run)
    })
}
