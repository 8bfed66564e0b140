//! Visits: whoever opens the one link of a demo is logged in. No other server has such a path.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use axum::routing::get;
use model::{Act, User};

use crate::app::App;
use crate::caller::origin;
use crate::identity::{Kind, SESSION, hash, minted};
use crate::refusal::Refusal;
use crate::routes::newly;

/// What demos say of themselves on every page.
pub(crate) const NOTICE: &str = "This is a demo: its images were built on this machine when it \
                                 started, and its week is made up. What is said of them is not.";

/// Who looks at a demo, and the hash of what leads them in.
pub(crate) struct Visiting {
    user: User,
    hash: [u8; 32],
}

/// Makes the first owner of an organisation, who has no password that anybody knows, and tells the one
/// address, below `root`, at which whoever opens it is logged in as them. It is good until this process
/// ends. `invited` is the secret that they are invited with.
pub async fn demo_link(
    app: &App,
    root: &str,
    invited: Option<&str>,
    name: &str,
) -> Result<String, String> {
    let told = |refusal: Refusal| refusal.0.detail;
    if let Some(secret) = invited {
        let password = minted(Kind::Session).map_err(told)?.text;
        newly(app, secret, name, &password, String::new()).await.map_err(told)?;
    }
    let user = app.store.user(name).await.map_err(|error| error.to_string())?;
    let minted = minted(Kind::Invitation).map_err(told)?;
    let link = format!("{}/visit/{}", root.trim_end_matches('/'), minted.text);
    let _ = app.visiting.set(Visiting { user, hash: minted.hash });
    Ok(link)
}

/// The way in, where there is one.
pub(crate) fn paths(app: &App) -> Router<App> {
    if app.visiting.get().is_none() {
        return Router::new();
    }
    Router::new().route("/visit/{secret}", get(visit))
}

/// Logs in, and leads on to the first page.
async fn visit(
    State(app): State<App>,
    parts: Parts,
    Path(secret): Path<String>,
) -> Result<Response, Refusal> {
    let visiting = app.visiting.get().filter(|it| it.hash == hash(&secret));
    let visiting = visiting.ok_or_else(|| Refusal::no_such("page", "/visit/…"))?;
    let people = app.people("visit")?;
    let session = minted(Kind::Session)?;
    let now = app.now();
    let act = Act { who: visiting.user.name.clone(), origin: origin(&parts), at: now };
    let until = now.plus_seconds(SESSION);
    app.store.start_session(&act, &visiting.user.id, &session.hash, until).await?;
    let headers = AppendHeaders([
        (header::SET_COOKIE, people.set_cookie(Some(&session.text))),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::LOCATION, "/".to_owned()),
    ]);
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
