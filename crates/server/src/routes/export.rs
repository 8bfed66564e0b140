//! Exports: all that runs in an environment, judged, as one document for whoever audits it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use api::{ExportQuery, Judging, Problem};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use engine::{Filter, Lookout};
use format::export::{self, Export, Head, Image, Writer};
use model::{Deployment, Digest, OrganisationId, Right, Subject};
use store::{Page, Selection, When};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::environments;
use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::exceptions::Lookouts;
use crate::judge;
use crate::refusal::Refusal;
use crate::runtimes::Doubts;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export, export_judged))
}

/// All that runs in an environment now, with what is inside and what is wrong with it. What is not
/// analysed and what cannot be told is in it too.
#[utoipa::path(get, path = "/orgs/{org}/environments/{environment}/export", tag = "environments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
        ExportQuery,
    ),
    responses(
        (status = 200, description = "The document", content(
            (String = "text/csv"),
            (Object = "application/json"),
            (Object = "application/vnd.cyclonedx+json"),
        )),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn export(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Refusal> {
    document(app, caller, (organisation, environment), query, Judging::default()).await
}

/// The same, judged with statements that count beside those of the server.
#[utoipa::path(post, path = "/orgs/{org}/environments/{environment}/export", tag = "environments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
        ExportQuery,
    ),
    request_body = Option<Judging>,
    responses(
        (status = 200, description = "The document", content(
            (String = "text/csv"),
            (Object = "application/json"),
            (Object = "application/vnd.cyclonedx+json"),
        )),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn export_judged(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Query(query): Query<ExportQuery>,
    judging: Option<Json<Judging>>,
) -> Result<Response, Refusal> {
    let judging = judging.map(|Json(it)| it).unwrap_or_default();
    document(app, caller, (organisation, environment), query, judging).await
}

async fn document(
    app: App,
    caller: Caller,
    (organisation, environment): (String, String),
    query: ExportQuery,
    judging: Judging,
) -> Result<Response, Refusal> {
    let name = organisation;
    let organisation = caller.within(&app, &name, Right::Read).await?;
    let Some(form) = export::find(&query.format) else {
        let known: Vec<&str> = export::ALL.iter().map(|it| it.id()).collect();
        return Err(Refusal::malformed("format", format!("there are {}", known.join(", "))));
    };
    let environment = environments::find(&app, &organisation, &environment).await?.name;
    let doubts = Doubts::of(&app, &organisation, &environment).await?;
    let images = images(&app, &organisation, &environment, &doubts.lost).await?;
    let brief = judging.brief;
    let mut lookouts = Lookouts::of(&app, &organisation, judging).await?;
    let lookout = lookouts.there(Some(&environment));
    let mut basis = lookout.whole_basis();
    // Of what nobody sees there is no image to tell it of.
    let unseen = doubts.of_runtimes().flat_map(|(_, holes)| holes);
    basis.warnings.extend(unseen.map(ToString::to_string));
    let head = Head {
        organisation: name,
        environment: environment.clone(),
        created: app.now().to_string(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        basis,
    };
    let step = Step::Begin;
    let writer = form.begin(head);
    let exporting = Exporting { app, organisation, lookout, brief, writer, images, doubts, step };
    let parts = futures_util::stream::try_unfold(exporting, Exporting::next);
    let mut response = Body::from_stream(parts).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    headers.insert(header::CONTENT_DISPOSITION, file(form, &environment));
    Ok(response)
}

/// A browser saves it under this name.
fn file(form: &dyn Export, environment: &str) -> HeaderValue {
    let plain = |it: char| if it.is_ascii_alphanumeric() || "-_.".contains(it) { it } else { '_' };
    let name: String = environment.chars().take(100).map(plain).collect();
    let text = format!("attachment; filename=\"{name}.{}\"", form.ending());
    HeaderValue::from_str(&text)
        .unwrap_or_else(|_| HeaderValue::from_static("attachment; filename=\"environment\""))
}

/// Each image that runs there once, with all it runs as, by name.
async fn images(
    app: &App,
    organisation: &OrganisationId,
    environment: &str,
    lost: &[Deployment],
) -> Result<VecDeque<Vec<Deployment>>, Refusal> {
    let selection = Selection { environment: Some(environment.to_owned()), ..Selection::default() };
    let mut by_digest: BTreeMap<Digest, Vec<Deployment>> = BTreeMap::new();
    let mut page = Page { after: None, limit: 1_000 };
    loop {
        let part = app.store.deployments(organisation, &selection, When::Now, &page).await?;
        for it in part.rows {
            by_digest.entry(it.digest.clone()).or_default().push(it);
        }
        match part.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    for it in lost {
        by_digest.entry(it.digest.clone()).or_default().push(it.clone());
    }
    let mut images: Vec<Vec<Deployment>> = by_digest.into_values().collect();
    for it in &mut images {
        it.sort_by(|left, right| left.application.cmp(&right.application));
    }
    images.sort_by_cached_key(|it| {
        it.first().map(|it| (it.application.clone(), it.platform.to_string(), it.id.clone()))
    });
    Ok(images.into())
}

/// A document under way: one image of it is held at a time.
struct Exporting {
    app: App,
    organisation: OrganisationId,
    lookout: Arc<Lookout>,
    brief: bool,
    writer: Box<dyn Writer>,
    images: VecDeque<Vec<Deployment>>,
    doubts: Doubts,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Begin,
    Images,
    End,
}

impl Exporting {
    /// The next part. An error breaks the document off: nobody may take half of it for all.
    async fn next(mut self) -> Result<Option<(String, Self)>, std::io::Error> {
        let part = match self.step {
            Step::Begin => {
                self.step = Step::Images;
                self.writer.begin()
            }
            Step::Images => {
                if let Some(deployments) = self.images.pop_front() {
                    let part = self.image(deployments).await;
                    part.map_err(|refusal| {
                        tracing::error!(why = refusal.0.detail, "an export broke off");
                        std::io::Error::other(refusal.0.detail)
                    })?
                } else {
                    self.step = Step::End;
                    String::new()
                }
            }
            Step::End => match self.writer.end() {
                Some(part) => part,
                None => return Ok(None),
            },
        };
        Ok(Some((part, self)))
    }

    async fn image(&mut self, deployments: Vec<Deployment>) -> Result<String, Refusal> {
        let Some(first) = deployments.first() else { return Ok(String::new()) };
        let (store, digest) = (&self.app.store, first.digest.clone());
        let Some(mut inventory) = store.inventory(&self.organisation, &digest).await? else {
            let state = store.image(&self.organisation, &digest).await?.map(|it| it.state);
            let why = format!("{}: cannot tell", judge::why_unread(state));
            let image = Image { deployments: &deployments, content: Err(&why) };
            return Ok(self.writer.image(&image));
        };
        if let Subject::Image(image) = &mut inventory.subject {
            image.name = match &first.tag {
                Some(tag) => format!("{}:{tag}", first.repository),
                None => format!("{}@{digest}", first.repository),
            };
        }
        let brief = self.brief;
        let analysis = judge::on_a_core(&self.app, &self.lookout, move |lookout| {
            let all = Filter::default();
            if brief {
                lookout.analyze_in_brief(inventory, &all)
            } else {
                lookout.analyze(inventory, &all)
            }
        });
        let mut analysis = analysis.await?;
        analysis.gaps.extend(self.doubts.about(&deployments));
        Ok(self.writer.image(&Image { deployments: &deployments, content: Ok(&analysis) }))
    }
}
