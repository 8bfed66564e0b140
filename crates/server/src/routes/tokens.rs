//! Tokens: what programs show to speak in the name of a person or an organisation.

use api::{MadeToken, NewToken, Page, Problem, Rotating, Sort, Token, TokenQuery};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse};
use model::{Act, Holder, Moment, Right};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::identity::{Kind, Minted, minted};
use crate::named;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(mine, create_mine))
        .routes(routes!(revoke_mine))
        .routes(routes!(rotate_mine))
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .routes(routes!(rotate))
}

/// Most hours for which a token is good beside the one that replaces it.
const LONGEST_OVERLAP: u32 = 720;

/// One's own tokens, latest first.
#[utoipa::path(get, path = "/me/tokens", tag = "identity", params(TokenQuery), responses(
    (status = 200, body = Page<Token>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn mine(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<TokenQuery>,
) -> Result<Json<Page<Token>>, Refusal> {
    let holder = Holder::User(caller.person("tokens")?.id.clone());
    listed(&app, &holder, query).await
}

/// Makes a token that speaks in one's own name. Only whoever logged in with their password does, so
/// that a lost token makes no others.
///
/// In each organisation it may what its scope says, or what one may there oneself, whichever is less.
#[utoipa::path(post, path = "/me/tokens", tag = "identity", request_body = NewToken, responses(
    (status = 201, body = MadeToken),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn create_mine(
    State(app): State<App>,
    caller: Caller,
    Json(sent): Json<NewToken>,
) -> Result<impl IntoResponse, Refusal> {
    let (user, _) = caller.session("token")?;
    let holder = Holder::User(user.id.clone());
    made(&app, &caller, &holder, Kind::Personal, sent).await
}

/// Revokes one of one's own tokens.
#[utoipa::path(delete, path = "/me/tokens/{token}", tag = "identity",
    params(("token" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It is good no more"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn revoke_mine(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let holder = Holder::User(caller.person("token")?.id.clone());
    revoked(&app, &caller, &holder, &id).await
}

/// Makes a token that is to be used instead of one of one's own, of the same name and scope. Only
/// whoever logged in with their password does.
#[utoipa::path(post, path = "/me/tokens/{token}/rotations", tag = "identity",
    params(("token" = String, Path, description = "The former one's id")),
    request_body = Rotating,
    responses(
        (status = 201, body = MadeToken),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn rotate_mine(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(sent): Json<Rotating>,
) -> Result<impl IntoResponse, Refusal> {
    let (user, _) = caller.session("token")?;
    let holder = Holder::User(user.id.clone());
    rotated(&app, &caller, &holder, Kind::Personal, &id, sent).await
}

/// An organisation's tokens, latest first. Only owners see them.
#[utoipa::path(get, path = "/orgs/{org}/tokens", tag = "identity",
    params(("org" = String, Path, description = "The organisation"), TokenQuery),
    responses(
        (status = 200, body = Page<Token>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<TokenQuery>,
) -> Result<Json<Page<Token>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageMembers).await?;
    listed(&app, &Holder::Organisation(organisation), query).await
}

/// Makes a token that speaks in the organisation's name. Only owners do.
#[utoipa::path(post, path = "/orgs/{org}/tokens", tag = "identity",
    params(("org" = String, Path, description = "The organisation")),
    request_body = NewToken,
    responses(
        (status = 201, body = MadeToken),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(sent): Json<NewToken>,
) -> Result<impl IntoResponse, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageMembers).await?;
    made(&app, &caller, &Holder::Organisation(organisation), Kind::Organisation, sent).await
}

/// Revokes one of an organisation's tokens. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/tokens/{token}", tag = "identity",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("token" = String, Path, description = "Its id"),
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
    revoked(&app, &caller, &Holder::Organisation(organisation), &id).await
}

/// Makes a token that is to be used instead of one of an organisation's, of the same name and scope.
/// Only owners do.
#[utoipa::path(post, path = "/orgs/{org}/tokens/{token}/rotations", tag = "identity",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("token" = String, Path, description = "The former one's id"),
    ),
    request_body = Rotating,
    responses(
        (status = 201, body = MadeToken),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, id)): Path<(String, String)>,
    Json(sent): Json<Rotating>,
) -> Result<impl IntoResponse, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageMembers).await?;
    let holder = Holder::Organisation(organisation);
    rotated(&app, &caller, &holder, Kind::Organisation, &id, sent).await
}

async fn listed(
    app: &App,
    holder: &Holder,
    query: TokenQuery,
) -> Result<Json<Page<Token>>, Refusal> {
    let page = named::page(query.after, query.limit)?;
    let mut paged = app.store.tokens(holder, &page).await?;
    let now = app.now();
    let good = |it: &model::Token| it.revoked.is_none() && it.expires.is_none_or(|it| now < it);
    paged.rows.retain(|it| query.all || good(it));
    Ok(Json(named::paged(paged, Token::from)))
}

async fn made(
    app: &App,
    caller: &Caller,
    holder: &Holder,
    kind: Kind,
    sent: NewToken,
) -> Result<impl IntoResponse + use<>, Refusal> {
    let act = app.act(caller);
    let expires = until(sent.expires, &act)?;
    let minted = minted(kind)?;
    let new = store::NewToken {
        name: sent.name,
        hash: minted.hash,
        prefix: minted.prefix(),
        scope: sent.scope.into(),
        expires,
    };
    let token = app.store.create_token(&act, holder, &new).await?;
    Ok(shown_once(token, minted))
}

async fn rotated(
    app: &App,
    caller: &Caller,
    holder: &Holder,
    kind: Kind,
    id: &str,
    sent: Rotating,
) -> Result<impl IntoResponse + use<>, Refusal> {
    let act = app.act(caller);
    let expires = until(sent.expires, &act)?;
    let hours = sent.overlap_hours.unwrap_or(0);
    if hours > LONGEST_OVERLAP {
        let why = format!("it is a number from 0 to {LONGEST_OVERLAP}");
        return Err(Refusal::malformed("overlap_hours", why));
    }
    let minted = minted(kind)?;
    let new = store::NewSecret { hash: minted.hash, prefix: minted.prefix(), expires };
    let ends = act.at.plus_seconds(3600 * i64::from(hours));
    match app.store.rotate_token(&act, holder, id, &new, ends).await? {
        Some(token) => {
            app.forget_people();
            Ok(shown_once(token, minted))
        }
        None => Err(Refusal::no_such("token", id)),
    }
}

fn until(said: Option<String>, act: &Act) -> Result<Option<Moment>, Refusal> {
    let expires = said.map(|it| named::moment("expires", &it)).transpose()?;
    if expires.is_some_and(|it| it <= act.at) {
        return Err(Sort::Refused.because("expires: that is over already").into());
    }
    Ok(expires)
}

fn shown_once(token: model::Token, minted: Minted) -> impl IntoResponse + use<> {
    let made = MadeToken { token: token.into(), secret: minted.text };
    let unkept = AppendHeaders([(axum::http::header::CACHE_CONTROL, "no-store")]);
    (StatusCode::CREATED, unkept, Json(made))
}

async fn revoked(
    app: &App,
    caller: &Caller,
    holder: &Holder,
    id: &str,
) -> Result<StatusCode, Refusal> {
    if !app.store.revoke_token(&app.act(caller), holder, id).await? {
        return Err(Refusal::no_such("token", id));
    }
    app.forget_people();
    Ok(StatusCode::NO_CONTENT)
}
