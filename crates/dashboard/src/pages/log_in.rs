//! Logging in: name and password, and on to where one wanted to go.

use api::{LoggingIn, Sort};
use askama::Template;
use axum::response::Response;
use http::{HeaderValue, Method, Request, StatusCode, header};

use crate::contract::{Found, Page};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::visit::{Form, Visit, go};

pub(super) const PAGE: Page = Page {
    id: "log_in",
    path: "/login",
    title: "Log in",
    about: "Name and password; who is invited has got a link instead.",
    found: Found::ByAll,
    show: |visit| Box::pin(async move { Ok(show(&visit)) }),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "log_in.html")]
struct Shown<'a> {
    layout: Layout,
    next: &'a str,
    name: &'a str,
    trouble: Option<String>,
}

fn show(visit: &Visit) -> Response {
    let next = inside(visit.asked("next"));
    if visit.me.is_some() {
        return go(next);
    }
    html(&Shown { layout: visit.layout(), next, name: "", trouble: None })
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let next = inside(form.text("next"));
    let name = form.text("name").unwrap_or_default();
    let sent = LoggingIn { name: name.to_owned(), password: form.exactly("password").to_owned() };
    let response = log_in(&visit, &sent).await?;
    if response.status() != StatusCode::CREATED {
        let problem: api::Problem = serde_json::from_slice(response.body()).map_err(|_| {
            Refused::from(Sort::Failed.because("log-in: the server does not say why"))
        })?;
        let hint = problem.hint.map(|it| format!(" ({it})")).unwrap_or_default();
        let trouble = Some(format!("{}{hint}", problem.detail));
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut shown = html(&Shown { layout: visit.layout(), next, name, trouble });
        *shown.status_mut() = status;
        return Ok(shown);
    }
    let mut gone = go(next);
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        gone.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    Ok(gone)
}

/// Asked by hand: the session is in a header of the answer.
async fn log_in(visit: &Visit, sent: &LoggingIn) -> Result<http::Response<Vec<u8>>, Refused> {
    let failed = |why: String| Refused::from(Sort::Failed.because(format!("log-in: {why}")));
    let body = serde_json::to_vec(sent).map_err(|error| failed(error.to_string()))?;
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("/api/v1/sessions");
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    let mut forget = |_: &[u8]| Ok(());
    let response = visit.carrier.carry_in_parts(request, &mut forget).await;
    response.map_err(|error| failed(error.to_string()))
}

/// Where to go on: nowhere but here.
fn inside(next: Option<&str>) -> &str {
    let ours = |it: &&str| {
        it.starts_with('/')
            && !it.starts_with("//")
            && !it.starts_with("/login")
            && !it.contains(['\\', '\n', '\r', '\t'])
            && it.is_ascii()
    };
    next.filter(ours).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        assert_eq!(inside(Some("/o/acme?x=y")), "/o/acme?x=y");
        for it in
            ["//evil.example", "/\\evil", "https://evil", "", "evil", "/\t/evil", "/login?next=/x"]
        {
            assert_eq!(inside(Some(it)), "/", "{it}");
        }
    }
}
