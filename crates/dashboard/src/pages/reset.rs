//! Another password, for whoever forgot theirs and was given a link.

use api::Resetting;
use askama::Template;
use axum::response::Response;

use super::join::trouble;
use crate::contract::{Found, Page};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::visit::{Form, Visit};

pub(super) const PAGE: Page = Page {
    id: "reset",
    path: "/reset/{secret}",
    title: "Another password",
    about: "Who forgot their password, and was given a link, chooses another.",
    found: Found::ByAll,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "reset.html")]
struct Shown {
    layout: Layout,
    name: String,
    trouble: Option<String>,
    done: bool,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let name = visit.client.reset(visit.name("secret")).await?.name;
    Ok(html(&Shown { layout: visit.layout(), name, trouble: None, done: false }))
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let secret = visit.name("secret");
    let name = visit.client.reset(secret).await?.name;
    let resetting = Resetting { password: form.exactly("password").to_owned() };
    let layout = visit.layout();
    match visit.client.use_reset(secret, &resetting).await {
        Ok(it) => Ok(html(&Shown { layout, name: it.name, trouble: None, done: true })),
        Err(error) => {
            let (trouble, status) = trouble(error)?;
            let mut response = html(&Shown { layout, name, trouble: Some(trouble), done: false });
            *response.status_mut() = status;
            Ok(response)
        }
    }
}
