//! Counts of findings for Prometheus, an organisation's own, under the names that Scout's exporter gave
//! them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use model::{Moment, OrganisationId};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::app::App;

/// What was told holds so many seconds.
const HOLDS: i64 = 60;

/// Tells, and remembers for a while what it told.
#[derive(Default)]
pub(crate) struct Exporter(Mutex<HashMap<OrganisationId, (Moment, String)>>);

impl Exporter {
    /// What is known of that organisation's environments. One that was not counted yet is left out.
    pub(crate) async fn told(
        &self,
        app: &App,
        organisation: &OrganisationId,
    ) -> Result<String, store::Error> {
        let now = app.now();
        let fresh = |at: Moment| at <= now && at.plus_seconds(HOLDS) > now;
        let remembered = |it: &HashMap<OrganisationId, (Moment, String)>| {
            it.get(organisation).filter(|it| fresh(it.0)).map(|it| it.1.clone())
        };
        let told = remembered(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(text) = told {
            return Ok(text);
        }
        let text = tell(app, organisation).await?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, it| fresh(it.0));
        all.insert(organisation.clone(), (now, text.clone()));
        Ok(text)
    }
}

type Labels = Vec<(&'static str, String)>;

async fn tell(app: &App, organisation: &OrganisationId) -> Result<String, store::Error> {
    let counts = app.store.present_counts(organisation).await?;
    let findings: Family<Labels, Gauge> = Family::default();
    for environment in app.store.environments(organisation).await? {
        let Some(counted) = counts.get(&environment.id) else { continue };
        let counts = &counted.counts;
        for (severity, count) in [
            ("critical", counts.critical),
            ("high", counts.high),
            ("medium", counts.medium),
            ("low", counts.low),
            ("unspecified", counts.unspecified),
        ] {
            let labels =
                vec![("streamName", environment.name.clone()), ("severity", severity.to_owned())];
            findings.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    let mut registry = Registry::default();
    let help = "Findings in what runs in an environment, each flaw of each package once";
    registry.register("scout_stream_vulnerabilities", help, findings);
    let mut text = String::new();
    let _ = encode(&mut text, &registry);
    Ok(text)
}
