//! What the other side of an integration is made from, with the address of its webhooks in it.

use api::{Problem, Sort, TemplateQuery};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use model::Right;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Which, found, known};
use crate::app::App;
use crate::body::{Path, Query};
use crate::caller::Caller;
use crate::parties::connected;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(template))
}

/// What the other side is made from, in one of its languages. The address of this server is in it, as
/// `--public-url` says it, or as it was asked, and what its webhooks prove themselves with, where that
/// has no other place; whoever knows it can tell us something, so only owners see it.
#[utoipa::path(get, path = "/orgs/{org}/integrations/{kind}/{name}/template", tag = "integrations",
    params(Which, TemplateQuery),
    responses(
        (status = 200, description = "The document", content(
            (Object = "application/json"),
            (String = "text/plain"),
        )),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn template(
    State(app): State<App>,
    caller: Caller,
    Path(Which { org: organisation, kind, name }): Path<Which>,
    Query(query): Query<TemplateQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    let record = found(&app, &organisation, &kind, &name).await?;
    let kind = known(&kind)?;
    let format = query.format.as_deref().unwrap_or("json");
    let Some(template) = kind.templates.iter().find(|it| it.format == format) else {
        let known: Vec<&str> = kind.templates.iter().map(|it| it.format).collect();
        let problem = Sort::NotFound.because(format!("template `{format}`: there is none"));
        return Err(match known.as_slice() {
            [] => problem.with_hint(format!("{} is configured by hand", kind.title)),
            _ => problem.with_hint(format!("there are: {}", known.join(", "))),
        }
        .into());
    };
    let why = |why: String| Refusal::from(Sort::Refused.because(format!("integration: {why}")));
    let party = connected(&app, &record).await.map_err(why)?;
    let hook = app.store.integration_secrets(&record, app.now()).await?.hook;
    let hook = hook.ok_or_else(|| Refusal::no_such("webhook of", &record.name))?;
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let root = app.root(host);
    let address = format!("{root}/hooks/{}/{}", kind.id, hook.expose());
    let address = kind.address(&address, party.secrets.new.as_ref());
    let mut response = (template.fill)(&address, &party.settings).into_response();
    let file = format!("attachment; filename=\"{}\"", template.file);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(template.media));
    if let Ok(file) = HeaderValue::from_str(&file) {
        headers.insert(header::CONTENT_DISPOSITION, file);
    }
    Ok(response)
}
