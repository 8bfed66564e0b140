//! Invitations: whoever has the secret may join an organisation, once.

use api::{Accepting, Invitation, Joined, MadeInvitation, NewInvitation, Page, Problem, Sort};
use axum::extract::{FromRequestParts as _, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{AppendHeaders, IntoResponse};
use model::{Act, Right};
use store::Newcomer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::{Caller, origin};
use crate::identity::{Kind, acceptable, forget_first, hash, minted};
use crate::refusal::Refusal;

/// For how many days an invitation is good when nobody says, and at most.
const DAYS: [u32; 2] = [7, 30];

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .routes(routes!(one, accept))
}

/// The invitations that nobody used yet, latest first. Only owners see them.
#[utoipa::path(get, path = "/orgs/{org}/invitations", tag = "identity",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 200, body = Page<Invitation>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<Json<Page<Invitation>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageMembers).await?;
    let all = app.store.invitations(&organisation, app.now()).await?;
    Ok(Json(Page { items: all.into_iter().map(Invitation::from).collect(), next: None }))
}

/// Invites whoever is handed the secret. Only owners do.
#[utoipa::path(post, path = "/orgs/{org}/invitations", tag = "identity",
    params(("org" = String, Path, description = "The organisation")),
    request_body = NewInvitation,
    responses(
        (status = 201, body = MadeInvitation),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(sent): Json<NewInvitation>,
) -> Result<impl IntoResponse, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageMembers).await?;
    let [usual, most] = DAYS;
    let days = sent.days.unwrap_or(usual);
    if !(1..=most).contains(&days) {
        return Err(Refusal::malformed("days", format!("it is a number from 1 to {most}")));
    }
    let minted = minted(Kind::Invitation)?;
    let act = app.act(&caller);
    let until = act.at.plus_seconds(i64::from(days) * 86_400);
    let id = app.store.invite(&organisation, &act, &minted.hash, sent.role.into(), until).await?;
    let path = format!("/join/{}", minted.text);
    let made = MadeInvitation { id, secret: minted.text, path, expires: until.to_string() };
    let unkept = AppendHeaders([(axum::http::header::CACHE_CONTROL, "no-store")]);
    Ok((StatusCode::CREATED, unkept, Json(made)))
}

/// Takes an invitation back. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/invitations/{invitation}", tag = "identity",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("invitation" = String, Path, description = "Its id"),
    ),
    responses(
        (status = 204, description = "It is good no more"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageMembers).await?;
    if !app.store.revoke_invitation(&organisation, &app.act(&caller), &id).await? {
        return Err(Refusal::no_such("invitation", &id));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What an invitation is for. Whoever has its secret may ask.
#[utoipa::path(get, path = "/invitations/{secret}", tag = "identity", security(()),
    params(("secret" = String, Path, description = "Its secret")),
    responses(
        (status = 200, body = Invitation),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    Path(secret): Path<String>,
) -> Result<Json<Invitation>, Refusal> {
    Ok(Json(good(&app, &secret).await?.into()))
}

/// Accepts an invitation, once: newly, with a name and a password, or, with neither, as who one is
/// logged in as.
#[utoipa::path(post, path = "/invitations/{secret}", tag = "identity", security(()),
    params(("secret" = String, Path, description = "Its secret")),
    request_body = Option<Accepting>,
    responses(
        (status = 200, body = Joined),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn accept(
    State(app): State<App>,
    Path(secret): Path<String>,
    mut parts: Parts,
    sent: Option<Json<Accepting>>,
) -> Result<Json<Joined>, Refusal> {
    let accepting = sent.map(|Json(it)| it).unwrap_or_default();
    let invitation = good(&app, &secret).await?;
    match (accepting.name, accepting.password) {
        (Some(name), Some(password)) => {
            Ok(Json(newly(&app, &secret, &name, &password, origin(&parts)).await?))
        }
        (None, None) => {
            let caller = Caller::from_request_parts(&mut parts, &app).await?;
            let user = caller.person("invitation")?;
            let act = app.act(&caller);
            let newcomer = Newcomer::Known(user.id.clone());
            let user = app.store.use_invitation(&act, &hash(&secret), &newcomer).await?;
            app.forget_people();
            Ok(Json(Joined { name: user.name, organisation: invitation.organisation.name }))
        }
        _ => {
            let why = "invitation: a name and a password, or neither where you are logged in";
            Err(Sort::Refused.because(why).into())
        }
    }
}

/// The invitation of that secret, if it is good.
async fn good(app: &App, secret: &str) -> Result<model::Invitation, Refusal> {
    app.people("invitation")?;
    let found = match Kind::of(secret) {
        Some(Kind::Invitation) => app.store.invitation(&hash(secret), app.now()).await?,
        _ => None,
    };
    found.ok_or_else(|| {
        let problem = Sort::NotFound.because("invitation: it was used, or revoked, or has run out");
        problem.with_hint("ask for another").into()
    })
}

/// Somebody who was not here before joins.
pub(crate) async fn newly(
    app: &App,
    secret: &str,
    name: &str,
    password: &str,
    origin: String,
) -> Result<Joined, Refusal> {
    let people = app.people("invitation")?;
    // Nobody's password is worked on before they have shown a good invitation.
    let invitation = good(app, secret).await?;
    acceptable(name, password)?;
    let password = people.hashed(password).await?;
    let first = app.store.first_start().await?;
    let newcomer = Newcomer::New { name: name.to_owned(), password };
    let act = Act { who: store::normal_name(name), origin, at: app.now() };
    let user = app.store.use_invitation(&act, &hash(secret), &newcomer).await?;
    people.forget();
    if first {
        // Two processes that started at once have told an address each.
        forget_first(&app.store, &invitation.organisation.id, &act).await?;
    }
    Ok(Joined { name: user.name, organisation: invitation.organisation.name })
}
