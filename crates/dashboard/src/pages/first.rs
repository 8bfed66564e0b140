//! The first start: the first owner of a server chooses a name and a password, as whoever is invited does.

use axum::response::Response;

use super::join::{Shown, chosen};
use crate::contract::{Found, Page};
use crate::layout::html;
use crate::refused::Refused;
use crate::visit::{Form, Visit};

pub(super) const PAGE: Page = Page {
    id: "first",
    path: "/first/{secret}",
    title: "Welcome",
    about: "The first owner of a server chooses a name and a password.",
    found: Found::ByAll,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

async fn shown(visit: &Visit) -> Result<Shown, Refused> {
    let invitation = visit.client.invitation(visit.name("secret")).await?;
    // Whoever is first is nobody yet.
    Ok(Shown { is_first: true, known: None, ..Shown::of(visit, invitation) })
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    Ok(html(&shown(&visit).await?))
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let (shown, status) = chosen(&visit, &form, shown(&visit).await?).await?;
    let mut response = html(&shown);
    *response.status_mut() = status;
    Ok(response)
}
