//! Logging out.

use api::Sort;
use askama::Template;
use axum::response::Response;
use http::{Method, Request, Uri, header};

use crate::contract::{Found, Page};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::visit::{Form, Visit, go};

pub(super) const PAGE: Page = Page {
    id: "log_out",
    path: "/logout",
    title: "Log out",
    about: "Ends the session of this browser.",
    found: Found::ByLink,
    show: |visit| Box::pin(async move { Ok(html(&Shown { layout: visit.layout() })) }),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "log_out.html")]
struct Shown {
    layout: Layout,
}

async fn take(visit: Visit, _: Form) -> Result<Response, Refused> {
    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::DELETE;
    *request.uri_mut() = Uri::from_static("/api/v1/sessions/current");
    let mut forget = |_: &[u8]| Ok(());
    let failed = |why: String| Refused::from(Sort::Failed.because(format!("log-out: {why}")));
    let response = visit.carrier.carry_in_parts(request, &mut forget).await;
    let response = response.map_err(|error| failed(error.to_string()))?;
    if !response.status().is_success() {
        let problem: Result<api::Problem, _> = serde_json::from_slice(response.body());
        return Err(
            problem.map_or_else(|_| failed("the server does not say why".to_owned()), Into::into)
        );
    }
    let mut gone = go("/login");
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        gone.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    Ok(gone)
}
