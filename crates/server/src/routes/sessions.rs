//! Sessions: logging in and out, and one's password.

use api::{ChangingPassword, LoggedIn, LoggingIn, Page, Problem, Session, Sort};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use model::Act;
use store::Speaker;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::{Caller, origin};
use crate::identity::{Kind, SESSION, acceptable, agreed, cross_site, minted};
use crate::peer;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, log_in))
        .routes(routes!(log_out))
        .routes(routes!(end))
        .routes(routes!(change_password))
}

/// Logs in. The session's secret is in the answer, for programs, and in a cookie, for browsers; it
/// is good for 30 days.
///
/// Whoever shows wrong passwords waits, longer each time.
#[utoipa::path(post, path = "/sessions", tag = "identity", request_body = LoggingIn, security(()),
    responses(
        (status = 201, body = LoggedIn),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn log_in(
    State(app): State<App>,
    parts: Parts,
    Json(sent): Json<LoggingIn>,
) -> Result<impl IntoResponse, Refusal> {
    let people = app.people("log-in")?;
    cross_site(&parts.headers)?;
    let now = app.now();
    let attempt = people.try_password(&sent.name, peer::of(&parts.extensions), now)?;
    let (user, kept) = app.store.credentials(&sent.name).await?.unzip();
    let fits = agreed(people, &sent.name, &sent.password, kept).await?;
    let Some(user) = user.filter(|_| fits) else {
        let why = "log-in: the name or the password is wrong";
        return Err(Sort::Unauthenticated.because(why).into());
    };
    attempt.right();
    let minted = minted(Kind::Session)?;
    let act = Act { who: user.name.clone(), origin: origin(&parts), at: now };
    let expires = now.plus_seconds(SESSION);
    let session = app.store.start_session(&act, &user.id, &minted.hash, expires).await?;
    let cookie = people.set_cookie(Some(&minted.text));
    let session = Session { current: true, ..session.into() };
    let answer = LoggedIn { name: user.name, token: minted.text, session };
    Ok((StatusCode::CREATED, kept_secret(cookie), Json(answer)))
}

/// Logs out of the session that asks.
#[utoipa::path(delete, path = "/sessions/current", tag = "identity", responses(
    (status = 204, description = "It is over"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn log_out(State(app): State<App>, caller: Caller) -> Result<impl IntoResponse, Refusal> {
    let people = app.people("session")?;
    let (user, id) = caller.session("session")?;
    app.store.end_session(&app.act(&caller), &user.id, id).await?;
    people.forget();
    Ok((StatusCode::NO_CONTENT, kept_secret(people.set_cookie(None))))
}

/// Where one is logged in, latest first.
#[utoipa::path(get, path = "/sessions", tag = "identity", responses(
    (status = 200, body = Page<Session>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<Session>>, Refusal> {
    let user = caller.person("sessions")?;
    let mine = match caller.known.as_ref().map(|it| &it.caller.speaker) {
        Some(Speaker::Session(session)) => Some(session.id.as_str()),
        _ => None,
    };
    let word = |it: model::Session| {
        let current = mine == Some(it.id.as_str());
        Session { current, ..it.into() }
    };
    let all = app.store.sessions(&user.id, app.now()).await?;
    Ok(Json(Page { items: all.into_iter().map(word).collect(), next: None }))
}

/// Logs out of one of one's sessions.
#[utoipa::path(delete, path = "/sessions/{session}", tag = "identity",
    params(("session" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It is over"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn end(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let user = caller.person("session")?;
    if !app.store.end_session(&app.act(&caller), &user.id, &id).await? {
        return Err(Refusal::no_such("session", &id));
    }
    app.forget_people();
    Ok(StatusCode::NO_CONTENT)
}

/// Takes another password. All other sessions are over then; tokens stay.
#[utoipa::path(put, path = "/me/password", tag = "identity", request_body = ChangingPassword,
    responses(
        (status = 204, description = "It is the password now"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn change_password(
    State(app): State<App>,
    caller: Caller,
    parts: Parts,
    Json(sent): Json<ChangingPassword>,
) -> Result<StatusCode, Refusal> {
    let people = app.people("password")?;
    let (user, session) = caller.session("password")?;
    acceptable(&user.name, &sent.new)?;
    let attempt = people.try_password(&user.name, peer::of(&parts.extensions), app.now())?;
    let kept = app.store.credentials(&user.name).await?.map(|(_, kept)| kept);
    if !agreed(people, &user.name, &sent.old, kept).await? {
        return Err(Sort::Refused.because("password: the old one is wrong").into());
    }
    attempt.right();
    let hash = people.hashed(&sent.new).await?;
    app.store.change_password(&app.act(&caller), &user.id, &hash, Some(session)).await?;
    people.forget();
    Ok(StatusCode::NO_CONTENT)
}

fn kept_secret(cookie: String) -> AppendHeaders<[(header::HeaderName, String); 2]> {
    let no_store = "no-store".to_owned();
    AppendHeaders([(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, no_store)])
}
