//! Every path, by noun; the document that describes them is made from the same lines.

mod advisories;
mod bases;
mod comparisons;
mod counts;
mod deployments;
mod docker;
mod environments;
mod events;
mod exceptions;
mod explanation;
mod export;
mod flaws;
mod footings;
mod hooks;
mod images;
mod in_use;
mod integrations;
mod invitations;
mod members;
mod organisations;
mod packages;
mod policies;
mod repositories;
mod resets;
mod retention;
mod rules;
mod runtimes;
mod schedules;
mod sessions;
mod tags;
mod tokens;
mod us;
mod whereabouts;

use api::{ROOT, Sort};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use utoipa::OpenApi;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa_axum::router::OpenApiRouter;

pub(crate) use deployments::{Making, told};
pub(crate) use environments::counted;
pub(crate) use events::selected;
pub(crate) use invitations::newly;

use crate::app::App;
use crate::body;
use crate::caller::gate;
use crate::once::once;
use crate::refusal::Refusal;
use crate::tagged;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Foretop",
        description = "What is inside every container image, where it runs, and what is wrong with it now.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "us", description = "What answers, and who is asking"),
        (name = "organisations", description = "Whose things they are"),
        (name = "identity", description = "Who may ask: sessions, tokens, members, invitations"),
        (name = "repositories", description = "Which repositories are enrolled"),
        (name = "environments", description = "Places where images run"),
        (name = "deployments", description = "What runs where, and what ran"),
        (name = "runtimes", description = "Clusters and hosts that say what runs in them"),
        (name = "images", description = "What is inside images, and what is wrong with them"),
        (name = "bases", description = "What images stand on"),
        (name = "events", description = "What changed"),
        (name = "integrations", description = "The parties around us, and what they tell"),
        (name = "rules", description = "Who is told of what, and what was told"),
        (name = "schedules", description = "What is checked again and again"),
        (name = "exceptions", description = "What was decided about flaws"),
        (name = "flaws", description = "All that is wrong with what runs"),
        (name = "advisories", description = "What publishers say of flaws, and how old that is"),
        (name = "packages", description = "Which packages there are in images"),
        (name = "policies", description = "What images must be, where, and what they are"),
    ),
)]
struct Described;

/// Every path of this version.
fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Described::openapi()).nest(
        ROOT,
        OpenApiRouter::new()
            .merge(us::paths())
            .merge(organisations::paths())
            .merge(retention::paths())
            .merge(repositories::paths())
            .merge(environments::paths())
            .merge(counts::paths())
            .merge(deployments::paths())
            .merge(runtimes::paths())
            .merge(images::paths())
            .merge(in_use::paths())
            .merge(tags::paths())
            .merge(bases::paths())
            .merge(footings::paths())
            .merge(events::paths())
            .merge(whereabouts::paths())
            .merge(comparisons::paths())
            .merge(explanation::paths())
            .merge(export::paths())
            .merge(sessions::paths())
            .merge(tokens::paths())
            .merge(members::paths())
            .merge(invitations::paths())
            .merge(resets::paths())
            .merge(integrations::paths())
            .merge(rules::paths())
            .merge(schedules::paths())
            .merge(exceptions::paths())
            .merge(policies::paths())
            .merge(flaws::paths())
            .merge(advisories::paths())
            .merge(packages::paths()),
    )
}

/// Answers every question.
pub fn router(app: App) -> Router {
    let (router, _) = paths().split_for_parts();
    let router = router.merge(docker::paths()).merge(counts::exporter());
    let looking = router.clone().with_state(app.clone()).layer(from_fn(tagged::answers));
    let changes = move |request, next| tagged::changes(looking.clone(), request, next);
    router
        // Who makes a request again that was done is told so, though what it changed is another now.
        .route_layer(from_fn(changes))
        .route_layer(from_fn_with_state(app.clone(), once))
        .route_layer(from_fn(body::taken))
        .route_layer(from_fn_with_state(app.clone(), gate))
        .merge(hooks::paths())
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(body::LARGEST))
        .with_state(app)
}

/// The document that describes every path, in the form of `OpenAPI` 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let (_, mut document) = paths().split_for_parts();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let ways = [
        ("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
        ("docker", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic))),
        ("browser", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-foretop")))),
    ];
    let components = document.components.get_or_insert_default();
    let mut any = Vec::new();
    for (name, way) in ways {
        components.add_security_scheme(name, way);
        any.push(SecurityRequirement::new(name, Vec::<String>::new()));
    }
    document.security = Some(any);
    document
}

async fn nowhere(uri: axum::http::Uri) -> Refusal {
    Refusal::no_such("path", uri.path())
}

async fn not_so(method: axum::http::Method, uri: axum::http::Uri) -> Response {
    let why = format!("{} does not take {method}", uri.path());
    Refusal::from(Sort::MethodNotAllowed.because(why)).into_response()
}
