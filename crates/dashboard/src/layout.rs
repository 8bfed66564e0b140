//! What is around every page: its title, the menu, who is looking, and what it is drawn with.

use api::{Me, Role};
use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use model::EventKind;

use crate::ALL;
use crate::contract::{Found, Page};

/// What is around a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// What the page is called.
    pub(crate) title: String,
    /// Whose things are shown; none where it is about nobody's.
    pub(crate) organisation: Option<String>,
    /// What they are there.
    pub(crate) role: Option<Role>,
    /// All that whoever looks belongs to.
    pub(crate) organisations: Vec<String>,
    /// The name of whoever looks.
    pub(crate) name: Option<String>,
    /// They can log out: they have logged in.
    pub(crate) leaves: bool,
    /// The name of the page's file.
    pub(crate) id: &'static str,
    /// It is drawn anew when something happens.
    pub(crate) is_live: bool,
    /// What everybody is to know about this server.
    pub(crate) notice: Option<&'static str>,
}

/// An entry of the menu.
pub(crate) struct Entry {
    pub(crate) href: String,
    pub(crate) title: &'static str,
    pub(crate) here: bool,
}

impl Layout {
    /// Around that page, for whoever looks.
    pub(crate) fn of(page: &Page, me: Option<&Me>, organisation: Option<&str>) -> Self {
        let memberships = me.map(|it| &*it.organisations).unwrap_or_default();
        let mine = memberships.iter().find(|it| Some(&*it.organisation) == organisation);
        Self {
            title: page.title.to_owned(),
            organisation: mine.map(|it| it.organisation.clone()),
            role: mine.map(|it| it.role),
            organisations: memberships.iter().map(|it| it.organisation.clone()).collect(),
            name: me.map(|it| it.name.clone()),
            leaves: me.is_some_and(|it| it.by == "password"),
            id: page.id,
            is_live: false,
            notice: None,
        }
    }

    /// With that title.
    #[must_use]
    pub(crate) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// With what everybody is to know.
    #[must_use]
    pub(crate) fn noticing(mut self, notice: Option<&'static str>) -> Self {
        self.notice = notice;
        self
    }

    /// Drawn anew when something happens.
    #[must_use]
    pub(crate) fn live(mut self) -> Self {
        self.is_live = true;
        self
    }

    /// What is on the menu.
    pub(crate) fn menu(&self) -> Vec<Entry> {
        let Some(organisation) = &self.organisation else { return Vec::new() };
        let entry = |page: &&Page| Entry {
            href: page.path.replace("{org}", &api::segment(organisation)),
            title: page.title,
            here: page.id == self.id,
        };
        ALL.iter().filter(|it| it.found == Found::InMenu).map(entry).collect()
    }

    /// Where an organisation's pages begin.
    pub(crate) fn home(&self) -> String {
        self.organisation.as_deref().map_or_else(|| "/".to_owned(), |it| crate::html::path(it, &[]))
    }

    /// Where things are looked for.
    pub(crate) fn search(&self) -> Option<String> {
        self.organisation.as_deref().map(|it| crate::html::path(it, &["search"]))
    }

    /// Where it is told that something happened, and what may.
    pub(crate) fn live_path(&self) -> Option<String> {
        let organisation = self.organisation.as_deref().filter(|_| self.is_live)?;
        Some(format!("{}/orgs/{}/events/live", api::ROOT, api::segment(organisation)))
    }
}

/// The kinds of events, for whoever listens.
pub(crate) fn kinds() -> String {
    EventKind::ALL.map(EventKind::as_str).join(" ")
}

/// The page as it goes over the wire.
pub(crate) fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => {
            // Nothing in a template of ours fails but memory.
            let why = format!("the page cannot be drawn: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, why).into_response()
        }
    }
}
