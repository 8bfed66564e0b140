//! An invitation: whoever has its link chooses a name and a password, or joins as who they are.

use api::{Accepting, Invitation, Joined, Sort};
use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::contract::{Found, Page};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::visit::{Form, Visit};

pub(super) const PAGE: Page = Page {
    id: "join",
    path: "/join/{secret}",
    title: "Join",
    about: "Who is invited chooses a name and a password, or joins as who they are logged in as.",
    found: Found::ByAll,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "join.html")]
pub(super) struct Shown {
    pub(super) layout: Layout,
    /// Nobody is here yet.
    pub(super) is_first: bool,
    pub(super) organisation: String,
    pub(super) role: &'static str,
    pub(super) invited_by: String,
    /// Who they are logged in as.
    pub(super) known: Option<String>,
    pub(super) name: String,
    pub(super) trouble: Option<String>,
    pub(super) joined: Option<Joined>,
}

impl Shown {
    pub(super) fn of(visit: &Visit, it: Invitation) -> Self {
        let me = visit.me.as_ref().filter(|it| it.by == "password");
        Self {
            layout: visit.layout(),
            is_first: false,
            organisation: it.organisation,
            role: it.role.as_str(),
            invited_by: it.created_by,
            known: me.map(|it| it.name.clone()),
            name: String::new(),
            trouble: None,
            joined: None,
        }
    }
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let invitation = visit.client.invitation(visit.name("secret")).await?;
    Ok(html(&Shown::of(&visit, invitation)))
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let invitation = visit.client.invitation(visit.name("secret")).await?;
    let shown = Shown::of(&visit, invitation);
    let (shown, status) = chosen(&visit, &form, shown).await?;
    let mut response = html(&shown);
    *response.status_mut() = status;
    Ok(response)
}

/// What comes of it; whoever did not succeed sees why, and what they typed, but for the password.
pub(super) async fn chosen(
    visit: &Visit,
    form: &Form,
    shown: Shown,
) -> Result<(Shown, StatusCode), Refused> {
    let name = form.text("name").unwrap_or_default().to_owned();
    let accepting = if form.text("as").is_some() {
        Accepting::default()
    } else {
        let password = Some(form.exactly("password").to_owned());
        Accepting { name: Some(name.clone()), password }
    };
    match visit.client.accept(visit.name("secret"), &accepting).await {
        Ok(joined) => Ok((Shown { joined: Some(joined), ..shown }, StatusCode::OK)),
        Err(error) => {
            let (trouble, status) = trouble(error)?;
            Ok((Shown { name, trouble: Some(trouble), ..shown }, status))
        }
    }
}

/// Why it was not taken, for whoever may mend it.
pub(super) fn trouble(error: api::Error) -> Result<(String, StatusCode), Refused> {
    match error {
        api::Error::Problem(it)
            if matches!(it.sort, Sort::Refused | Sort::Malformed | Sort::Conflict) =>
        {
            let status = StatusCode::from_u16(it.status).unwrap_or(StatusCode::BAD_REQUEST);
            let hint = it.hint.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
            Ok((format!("{}{hint}", it.detail), status))
        }
        other => Err(other.into()),
    }
}
