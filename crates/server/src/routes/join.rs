//! The pages where somebody who is invited chooses a name and a password, or who forgot theirs another
//! password. They have no script.

use axum::Router;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::invitations::{good, newly, told};
use super::resets;
use crate::app::App;
use crate::body::Path;
use crate::caller::origin;
use crate::refusal::Refusal;

pub(super) fn paths() -> Router<App> {
    let page = || get(show).post(choose);
    Router::new()
        .route("/first/{secret}", page())
        .route("/join/{secret}", page())
        .route("/reset/{secret}", get(show_reset).post(reset))
}

#[derive(Deserialize)]
struct Chosen {
    name: String,
    password: String,
}

async fn show(State(app): State<App>, Path(secret): Path<String>) -> Response {
    match good(&app, &secret).await {
        Ok(invitation) => form(&told(&invitation), "", None),
        Err(refusal) => refused(&refusal),
    }
}

async fn choose(
    State(app): State<App>,
    Path(secret): Path<String>,
    parts: Parts,
    body: String,
) -> Response {
    let what = match good(&app, &secret).await {
        Ok(invitation) => told(&invitation),
        Err(refusal) => return refused(&refusal),
    };
    let chosen = match serde_urlencoded::from_str::<Chosen>(&body) {
        Ok(it) => it,
        Err(error) => return form(&what, "", Some(&Refusal::malformed("form", error))),
    };
    match newly(&app, &secret, &chosen.name, &chosen.password, origin(&parts)).await {
        Ok(joined) => {
            let name = escaped(&joined.name);
            let organisation = escaped(&joined.organisation);
            page(
                StatusCode::OK,
                &format!(
                    "<h1>Welcome, {name}</h1>\n<p>You are in <b>{organisation}</b> now.</p>\n\
                     <p><a href=\"/login\">Log in here</a>, or on a machine of yours: <code>foretop login SERVER -u {name}</code>, \
                     with the address of this page for SERVER.</p>"
                ),
            )
        }
        Err(refusal) => form(&what, &chosen.name, Some(&refusal)),
    }
}

#[derive(Deserialize)]
struct Anew {
    password: String,
}

async fn show_reset(State(app): State<App>, Path(secret): Path<String>) -> Response {
    match resets::good(&app, &secret).await {
        Ok(user) => reset_form(&user.name, None),
        Err(refusal) => refused(&refusal),
    }
}

async fn reset(
    State(app): State<App>,
    Path(secret): Path<String>,
    parts: Parts,
    body: String,
) -> Response {
    let user = match resets::good(&app, &secret).await {
        Ok(user) => user,
        Err(refusal) => return refused(&refusal),
    };
    let anew = match serde_urlencoded::from_str::<Anew>(&body) {
        Ok(it) => it,
        Err(error) => return reset_form(&user.name, Some(&Refusal::malformed("form", error))),
    };
    match resets::chosen(&app, &secret, &anew.password, origin(&parts)).await {
        Ok(name) => {
            let name = escaped(&name);
            page(
                StatusCode::OK,
                &format!(
                    "<h1>That is your password now, {name}</h1>\n<p>You are logged out \
                     everywhere; <code>foretop login SERVER -u {name}</code> logs you in.</p>"
                ),
            )
        }
        Err(refusal) => reset_form(&user.name, Some(&refusal)),
    }
}

fn reset_form(name: &str, refusal: Option<&Refusal>) -> Response {
    let (status, trouble) = judged(refusal);
    let name = escaped(name);
    page(
        status,
        &format!(
            "<h1>Foretop</h1>\n<p>Another password for <b>{name}</b>.</p>\n{trouble}\
             <form method=\"post\">\n\
             <input type=\"hidden\" name=\"username\" value=\"{name}\" \
             autocomplete=\"username\">\n\
             <p><label>Password, 12 characters or more<br><input name=\"password\" \
             type=\"password\" autocomplete=\"new-password\" minlength=\"12\" required></label></p>\n\
             <p><button>Take it</button></p>\n</form>"
        ),
    )
}

fn judged(refusal: Option<&Refusal>) -> (StatusCode, String) {
    refusal.map_or((StatusCode::OK, String::new()), |it| {
        let status = StatusCode::from_u16(it.0.status);
        (status.unwrap_or(StatusCode::BAD_REQUEST), trouble(it))
    })
}

fn form(what: &str, name: &str, refusal: Option<&Refusal>) -> Response {
    let (status, trouble) = judged(refusal);
    let (what, name) = (escaped(what), escaped(name));
    page(
        status,
        &format!(
            "<h1>Foretop</h1>\n<p>You are invited: <b>{what}</b>.</p>\n{trouble}\
             <form method=\"post\">\n\
             <p><label>Name<br><input name=\"name\" value=\"{name}\" autocomplete=\"username\" \
             maxlength=\"200\" required></label></p>\n\
             <p><label>Password, 12 characters or more<br><input name=\"password\" \
             type=\"password\" autocomplete=\"new-password\" minlength=\"12\" required></label></p>\n\
             <p><button>Join</button></p>\n</form>"
        ),
    )
}

fn refused(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.0.status).unwrap_or(StatusCode::BAD_REQUEST);
    page(status, &format!("<h1>Foretop</h1>\n{}", trouble(refusal)))
}

fn trouble(refusal: &Refusal) -> String {
    let hint = refusal.0.hint.as_deref().map(|it| format!(" ({})", escaped(it)));
    format!("<p role=\"alert\">{}{}</p>\n", escaped(&refusal.0.detail), hint.unwrap_or_default())
}

fn page(status: StatusCode, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Foretop</title>\n\
         <main>\n{body}\n</main>\n</html>\n"
    );
    let policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        // The address is a secret. (With `no-referrer`, browsers would not say where the form is from.)
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (status, headers, html).into_response()
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}
