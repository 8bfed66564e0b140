//! Members: who is in an organisation, as what.

use api::{Assigning, Disabling, Member, Page, PageQuery, Problem, Sort};
use axum::extract::State;
use axum::http::StatusCode;
use model::Right;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::named;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, disable, remove))
}

/// Who is in the organisation, by name.
#[utoipa::path(get, path = "/orgs/{org}/members", tag = "identity",
    params(("org" = String, Path, description = "The organisation"), PageQuery),
    responses(
        (status = 200, body = Page<Member>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Member>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let page = named::page(query.after, query.limit)?;
    Ok(Json(named::paged(app.store.members(&organisation, &page).await?, Member::from)))
}

/// Takes somebody who can log in already into the organisation, or gives a member another role. Only
/// owners do. The last owner stays one.
#[utoipa::path(put, path = "/orgs/{org}/members/{user}", tag = "identity",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("user" = String, Path, description = "The person's name"),
    ),
    request_body = Assigning,
    responses(
        (status = 204, description = "That is what they are"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, user)): Path<(String, String)>,
    Json(sent): Json<Assigning>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageMembers).await?;
    let user = app.store.user(&user).await.map_err(|error| {
        let nobody = matches!(error, store::Error::NotFound { .. });
        let mut refusal = Refusal::alone(error, "user", &user);
        if nobody {
            refusal.0.hint = Some("invite them: an invitation makes their account".to_owned());
        }
        refusal
    })?;
    app.store.put_member(&organisation, &app.act(&caller), &user.id, sent.role.into()).await?;
    app.forget_people();
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps a member from logging in, or lets them again: their sessions end, and their tokens lead
/// nowhere. An owner does who owns every organisation that the member is in; otherwise whoever runs
/// the server. The last owner stays.
#[utoipa::path(patch, path = "/orgs/{org}/members/{user}", tag = "identity",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("user" = String, Path, description = "The person's name"),
    ),
    request_body = Disabling,
    responses(
        (status = 204, description = "So it is"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn disable(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, name)): Path<(String, String)>,
    Json(sent): Json<Disabling>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageMembers).await?;
    // The same, whether they are elsewhere or nowhere.
    let none = |it| Refusal::alone(it, "member", &name);
    let user = app.store.user(&name).await.map_err(none)?;
    let theirs = app.store.memberships(&user.id).await?;
    if theirs.iter().all(|it| it.organisation.id != organisation) {
        return Err(Refusal::no_such("member", &name));
    }
    for it in &theirs {
        let owned = caller.within(&app, &it.organisation.name, Right::ManageMembers).await;
        let Err(refusal) = owned else { continue };
        if refusal.0.status == 403 || refusal.0.status == 404 {
            let why = format!("member `{}`: whether they log in is not for you to say", user.name);
            let hint = "remove them from this organisation, or ask whoever runs the server: \
                        foretop admin disable";
            return Err(Sort::Forbidden.because(why).with_hint(hint).into());
        }
        return Err(refusal);
    }
    app.store.disable_user(&app.act(&caller), &user.id, sent.disabled).await?;
    app.forget_people();
    Ok(StatusCode::NO_CONTENT)
}

/// Takes somebody out of the organisation. Owners do, and everybody takes out themselves. The last
/// owner stays.
#[utoipa::path(delete, path = "/orgs/{org}/members/{user}", tag = "identity",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("user" = String, Path, description = "The person's name"),
    ),
    responses(
        (status = 204, description = "They are in it no more"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, name)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let me = caller.session("member").is_ok_and(|(it, _)| it.name == store::normal_name(&name));
    let right = if me { Right::Read } else { Right::ManageMembers };
    let organisation = caller.within(&app, &organisation, right).await?;
    // The same, whether they are elsewhere or nowhere.
    let none = |it| Refusal::alone(it, "member", &name);
    let user = app.store.user(&name).await.map_err(none)?;
    let removed = app.store.remove_member(&organisation, &app.act(&caller), &user.id).await;
    removed.map_err(none)?;
    app.forget_people();
    Ok(StatusCode::NO_CONTENT)
}
