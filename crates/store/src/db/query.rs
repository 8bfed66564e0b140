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
    MaybeBlob(Option<Vec<u8>>),
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

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::from(text.as_deref())
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

/// The same text with parameters that have no names, for SQLite: it looks through all the names for the one
/// of each value, which takes longer than everything else where there are thousands. They are told apart by
/// their order, so a text that says one twice or out of turn stays as it is.
pub(crate) fn nameless(sql: Sql, values: usize) -> Sql {
    const MANY: usize = 64;
    if values < MANY {
        return sql;
    }
    let mut text = String::with_capacity(sql.len());
    let (mut rest, mut turn) = (&*sql, 0);
    while let Some((before, after)) = rest.split_once('$') {
        let name = after.trim_start_matches(|it: char| it.is_ascii_digit());
        let (number, after) = after.split_at(after.len() - name.len());
        turn += 1;
        if number.parse() != Ok(turn) {
            return sql;
        }
        text.push_str(before);
        text.push('?');
        rest = after;
    }
    if turn != values {
        return sql;
    }
    text.push_str(rest);
    text.into()
}

/// `($1, $2), ($3, $4)`: so many rows of so many parameters, behind `before` others.
pub(crate) fn placeholders(before: usize, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let names = (0..columns).map(|it| format!("${}", before + row * columns + it + 1));
        format!("({})", names.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// The same, where a text of SQL stands behind the parameters of each row: `($1, $2, DEFAULT)`.
pub(crate) fn placeholders_and(rows: usize, columns: usize, last: &str) -> String {
    let row = |row: usize| {
        let names = (0..columns).map(|it| format!("${}", row * columns + it + 1));
        format!("({}, {last})", names.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Values in runs of few different lengths, so that few texts are prepared: the last value fills
/// the last run up, which changes nothing where a value said twice means the same.
pub(crate) fn runs<T: Clone>(all: &[T]) -> impl Iterator<Item = Vec<T>> {
    const LONGEST: usize = 512;
    all.chunks(LONGEST).map(|chunk| {
        let mut run = chunk.to_vec();
        if let Some(last) = chunk.last() {
            run.resize(chunk.len().next_power_of_two(), last.clone());
        }
        run
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_needs_are_left_out() {
        let check = |sql: &str, values: usize, expect: &str| {
            assert_eq!(nameless(sql.to_owned().into(), values), expect, "{sql}");
        };
        let rows = placeholders(1, 32, 2);
        let marks = vec!["(?, ?)"; 32].join(", ");
        let insert = format!("UPDATE t SET a = $1 WHERE (b, c) IN ({rows}) AND d = 7");
        check(&insert, 65, &format!("UPDATE t SET a = ? WHERE (b, c) IN ({marks}) AND d = 7"));
        // Few, one said twice, one left out, one that is no parameter.
        check("SELECT $1, $2", 2, "SELECT $1, $2");
        for odd in
            [format!("{insert} OR e = $1"), insert.replace("$3", "$4"), insert.clone() + "'$'"]
        {
            check(&odd, 65, &odd);
        }
        check(&insert, 66, &insert);
    }

    #[test]
    fn runs_say_everything_and_nothing_else() {
        for length in [0_usize, 1, 2, 3, 200, 512, 513, 2000] {
            let all: Vec<usize> = (0..length).collect();
            let runs: Vec<Vec<usize>> = runs(&all).collect();
            assert!(runs.iter().all(|it| it.len().is_power_of_two() && it.len() <= 512));
            let mut said = runs.concat();
            said.dedup();
            assert_eq!(said, all);
        }
    }

    #[test]
    fn parameters_are_counted_on() {
        assert_eq!(placeholders(0, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(placeholders_and(2, 1, "now()"), "($1, now()), ($2, now())");
        let mut query = Query::new("SELECT a FROM b WHERE c = $1", values!["c"]);
        query.with_all("AND d IN $?", vec![1_i64, 2]);
        query.with("AND e = $?", "it's");
        let (sql, values) = query.into_parts();
        assert_eq!(sql, "SELECT a FROM b WHERE c = $1 AND d IN ($2, $3) AND e = $4");
        assert_eq!(values.len(), 4);
    }
}
