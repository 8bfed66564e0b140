//! A visit: somebody looks at a page, or sends what they filled in there.

use std::future::Future;
use std::sync::Arc;

use api::{Carrier, Client, Me, Role, Sort};
use axum::response::{IntoResponse as _, Redirect, Response};
use model::Moment;

use crate::contract::Page;
use crate::layout::Layout;
use crate::refused::Refused;

/// Rows of a page of a table.
pub(crate) const ROWS: u32 = 50;
/// Rows that are asked for at once where all are wanted.
pub(crate) const PART: u32 = 1_000;
/// Most rows of a table that is taken away as a file.
pub(crate) const MOST: usize = 20_000;

/// Somebody looks at a page.
pub(crate) struct Visit {
    /// Asks in their name.
    pub(crate) client: Client,
    /// The same, for what has to be asked by hand.
    pub(crate) carrier: Arc<dyn Carrier>,
    /// What time it is.
    pub(crate) now: Moment,
    /// Who they are; none where nobody needs to be known.
    pub(crate) me: Option<Me>,
    /// The page.
    pub(crate) page: &'static Page,
    /// What stands in the path: `org`, `env`.
    pub(crate) names: Vec<(String, String)>,
    /// What stands behind it.
    pub(crate) query: Vec<(String, String)>,
    /// The path, as it was asked for.
    pub(crate) path: String,
    /// What everybody is to know about this server.
    pub(crate) notice: Option<&'static str>,
}

/// What was filled in.
pub(crate) struct Form(pub(crate) Vec<(String, String)>);

impl Form {
    /// What stands in that field; nothing where it is empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, it)| it.trim()).filter(|it| !it.is_empty())
    }

    /// The same, as it was typed: blanks at its ends may be meant.
    pub(crate) fn exactly(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, it)| it)
    }

    /// What has to be there.
    pub(crate) fn need(&self, name: &str) -> Result<&str, Refused> {
        let missing = || Refused::from(Sort::Malformed.because(format!("{name}: it is empty")));
        self.text(name).ok_or_else(missing)
    }

    /// A whole number; nothing where it is empty.
    pub(crate) fn whole(&self, name: &str) -> Result<Option<u32>, Refused> {
        let read = |it: &str| {
            let why =
                || Refused::from(Sort::Malformed.because(format!("{name}: `{it}` is no number")));
            it.parse().map_err(|_| why())
        };
        self.text(name).map(read).transpose()
    }

    /// Several, with commas or lines between them.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let parts = self.text(name).unwrap_or_default().split([',', '\n']).map(str::trim);
        parts.filter(|it| !it.is_empty()).map(str::to_owned).collect()
    }
}

impl Visit {
    /// What stands in the path under that name.
    pub(crate) fn name(&self, name: &str) -> &str {
        self.names.iter().find(|(key, _)| key == name).map_or("", |(_, it)| it)
    }

    /// Whose things are shown.
    pub(crate) fn organisation(&self) -> &str {
        self.name("org")
    }

    /// What is asked under that name behind the path; nothing where it is empty.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, it)| it.trim()).filter(|it| !it.is_empty())
    }

    /// The same, to be handed on.
    pub(crate) fn asks(&self, name: &str) -> Option<String> {
        self.asked(name).map(str::to_owned)
    }

    /// What is around the page.
    pub(crate) fn layout(&self) -> Layout {
        let layout = Layout::of(self.page, self.me.as_ref(), Some(self.organisation()));
        layout.noticing(self.notice)
    }

    /// May they do what only owners may?
    pub(crate) fn owns(&self) -> bool {
        let all = self.me.iter().flat_map(|it| &it.organisations);
        all.filter(|it| it.organisation == self.organisation()).any(|it| it.role == Role::Owner)
    }

    /// A path of the organisation's.
    pub(crate) fn to(&self, parts: &[&str]) -> String {
        crate::html::path(self.organisation(), parts)
    }

    /// This very page, with something asked otherwise: `None` takes a question away. Where a list goes
    /// on is forgotten, for it is another list.
    pub(crate) fn with(&self, changes: &[(&str, Option<&str>)]) -> String {
        let changed = |key: &str| changes.iter().any(|(it, _)| *it == key);
        let kept = self.query.iter().filter(|(key, value)| {
            !changed(key)
                && !value.is_empty()
                && !matches!(&**key, "after" | "at" | "format" | "table")
        });
        let kept = kept.map(|(key, value)| (&**key, &**value));
        let new = changes.iter().filter_map(|(key, value)| Some((*key, (*value)?)));
        let query: Vec<(&str, &str)> = kept.chain(new).collect();
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }

    /// Is that table wanted as a file?
    pub(crate) fn takes_away(&self, table: &str) -> bool {
        self.asked("format").is_some() && self.asked("table") == Some(table)
    }

    /// A page of a list; all of it, where the table is wanted as a file.
    pub(crate) async fn list<T, F>(
        &self,
        table: &str,
        ask: impl FnMut(Option<String>, u32) -> F,
    ) -> Result<api::Page<T>, Refused>
    where
        F: Future<Output = Result<api::Page<T>, api::Error>>,
    {
        self.list_by(table, "after", ask).await
    }

    /// The same, where another list of the page goes on by `after`.
    pub(crate) async fn list_by<T, F>(
        &self,
        table: &str,
        key: &str,
        mut ask: impl FnMut(Option<String>, u32) -> F,
    ) -> Result<api::Page<T>, Refused>
    where
        F: Future<Output = Result<api::Page<T>, api::Error>>,
    {
        if !self.takes_away(table) {
            return Ok(ask(self.asks(key), ROWS).await?);
        }
        let mut all = api::Page { items: Vec::new(), next: None };
        loop {
            let part = ask(all.next.take(), PART).await?;
            all.items.extend(part.items);
            match part.next {
                None => return Ok(all),
                next => all.next = next,
            }
            if all.items.len() >= MOST {
                return Err(too_many(table));
            }
        }
    }
}

/// A table that is too long to be taken away as a file.
pub(crate) fn too_many(table: &str) -> Refused {
    too_many_of(table, MOST)
}

/// The same of one that is told so far.
pub(crate) fn too_many_of(table: &str, most: impl std::fmt::Display) -> Refused {
    let why = format!("{table}: there are more than {most} rows, the most in one file");
    let hint = "ask for less of them, or the API, which tells them part by part";
    Sort::TooLarge.because(why).with_hint(hint).into()
}

/// Goes there now; by looking, whatever was done before.
pub(crate) fn go(path: &str) -> Response {
    Redirect::to(path).into_response()
}
