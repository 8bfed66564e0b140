//! Resets: whoever forgot their password chooses another, with an address that was made for them.

use api::{Problem, Reset, Resetting, Sort};
use axum::extract::State;
use axum::http::request::Parts;
use model::{Act, User};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::origin;
use crate::identity::{Kind, acceptable, hash};
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(one, choose))
}

/// Who may choose another password. Whoever has the secret may ask.
#[utoipa::path(get, path = "/resets/{secret}", tag = "identity", security(()),
    params(("secret" = String, Path, description = "Its secret")),
    responses(
        (status = 200, body = Reset),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(State(app): State<App>, Path(secret): Path<String>) -> Result<Json<Reset>, Refusal> {
    Ok(Json(Reset { name: good(&app, &secret).await?.name }))
}

/// Chooses another password, once. Whoever was logged in is so no more; tokens stay.
#[utoipa::path(post, path = "/resets/{secret}", tag = "identity", security(()),
    params(("secret" = String, Path, description = "Its secret")),
    request_body = Resetting,
    responses(
        (status = 200, body = Reset),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn choose(
    State(app): State<App>,
    Path(secret): Path<String>,
    parts: Parts,
    Json(sent): Json<Resetting>,
) -> Result<Json<Reset>, Refusal> {
    Ok(Json(Reset { name: chosen(&app, &secret, &sent.password, origin(&parts)).await? }))
}

/// Who may choose another password with that secret, if it is good.
async fn good(app: &App, secret: &str) -> Result<User, Refusal> {
    app.people("reset")?;
    let found = match Kind::of(secret) {
        Some(Kind::Reset) => app.store.reset(&hash(secret), app.now()).await?,
        _ => None,
    };
    found.ok_or_else(|| {
        let why = "address: it was used, or another was made, or it has run out";
        Sort::NotFound.because(why).with_hint("ask for another: foretop admin reset NAME").into()
    })
}

/// They have another password. Says who it is.
async fn chosen(
    app: &App,
    secret: &str,
    password: &str,
    origin: String,
) -> Result<String, Refusal> {
    let people = app.people("reset")?;
    // Nobody's password is worked on before they have shown a good address.
    let user = good(app, secret).await?;
    acceptable(&user.name, password)?;
    let password = people.hashed(password).await?;
    let act = Act { who: user.name.clone(), origin, at: app.now() };
    app.store.use_reset(&act, &hash(secret), &password).await?;
    people.forget();
    Ok(user.name)
}
