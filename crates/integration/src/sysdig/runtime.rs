//! What Sysdig is to us: a runtime, asked through the interface that its token is for.

use std::fmt::Write as _;

use async_trait::async_trait;
use image::{Error, Failure};

use super::{Source, Sysdig};
use crate::contract::{Check, Observed, Outcome, Runtime, is_no};

const REACHED: &str = "API reachable";
const TOKEN: &str = "token accepted";
const CLUSTERS: &str = "clusters listed";
const CLUSTER: &str = "cluster known";
const IMAGES: &str = "running images listed";
const PROFILED: &str = "loaded packages told";

/// Names that are told in one line.
const NAMES: usize = 50;

#[async_trait]
impl Runtime for Sysdig {
    async fn clusters(&self) -> Result<Vec<String>, Failure> {
        Ok(self.found_clusters().await?.0)
    }

    async fn running(&self) -> Result<Observed, Failure> {
        let Some(cluster) = &self.cluster else {
            let hint = "tell which one: foretop integration test sysdig lists them";
            return Err(Error::invalid("cluster", "none is chosen").with_hint(hint).into());
        };
        match self.source {
            Source::Spotlight => self.spotlight(cluster).await,
            Source::Results => self.results(cluster).await,
            Source::Auto => match self.spotlight(cluster).await {
                Err(first) if is_no(&first) => {
                    self.results(cluster).await.map_err(|second| both(first, second))
                }
                other => other,
            },
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let host = self.desk.host();
        let (names, source) = match self.found_clusters().await {
            Ok(found) => found,
            // Whoever says no is there.
            Err(failure) if matches!(failure.error, Error::Denied { .. }) => {
                return vec![Check::ok(REACHED, host), Check::failed(TOKEN, &failure)];
            }
            Err(failure) => return vec![Check::failed(REACHED, &failure)],
        };
        let asked = match source {
            Source::Results => "vulnerability results are asked",
            _ => "Risk Spotlight is asked",
        };
        let mut checks = vec![Check::ok(REACHED, host), Check::ok(TOKEN, asked)];
        if names.is_empty() {
            checks.push(failed(
                CLUSTERS,
                "it knows of none",
                "install Sysdig's agent in a cluster, and give it a few minutes",
            ));
            return checks;
        }
        let told = in_a_line(&names);
        checks.push(Check::ok(CLUSTERS, told.clone()));
        let Some(cluster) = &self.cluster else {
            let hint = format!("choose a cluster: {told}");
            checks.push(Check::warned(CLUSTER, "none is chosen yet", hint));
            return checks;
        };
        if !names.contains(cluster) {
            let hint = format!("choose a cluster: {told}");
            checks.push(failed(CLUSTER, format!("it knows of none called {cluster}"), &hint));
            return checks;
        }
        checks.push(Check::ok(CLUSTER, cluster.as_str()));
        let tried = match source {
            Source::Results => self.results_try(cluster).await,
            _ => self.spotlight_try(cluster).await,
        };
        const HINT: &str =
            "enable profiling for Risk Spotlight integrations in Sysdig Secure, and give it time";
        match tried {
            Err(failure) => checks.push(Check::failed(IMAGES, &failure)),
            Ok(None) => checks.push(Check::warned(IMAGES, "it tells of none yet", HINT)),
            Ok(Some(is_profiled)) => {
                checks.push(Check::ok(IMAGES, format!("of {cluster}")));
                checks.push(if is_profiled {
                    Check::ok(PROFILED, "of the first that was asked for")
                } else {
                    Check::warned(PROFILED, "not of the first that was asked for", HINT)
                });
            }
        }
        checks
    }
}

impl Sysdig {
    /// The clusters, and which interface told them.
    async fn found_clusters(&self) -> Result<(Vec<String>, Source), Failure> {
        if self.source == Source::Results {
            return Ok((self.results_clusters().await?, Source::Results));
        }
        match self.spotlight_clusters().await {
            Ok(names) => Ok((names, Source::Spotlight)),
            Err(first) if self.source == Source::Auto && is_no(&first) => {
                let names = self.results_clusters().await.map_err(|second| both(first, second))?;
                Ok((names, Source::Results))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Why neither interface tells anything: the first one's word counts, unless the second one may only
/// be away for now.
fn both(first: Failure, second: Failure) -> Failure {
    if !is_no(&second) {
        return second;
    }
    let why =
        format!("{}; nor do its vulnerability results: {}", first.error.why(), second.error.why());
    Failure { error: first.error.with_why(why), wait: None }
}

fn failed(what: &'static str, why: impl Into<String>, hint: &str) -> Check {
    Check { what, outcome: Outcome::Failed { why: why.into(), hint: Some(hint.to_owned()) } }
}

/// Names with commas between them, as many as fit.
fn in_a_line(names: &[String]) -> String {
    let mut line = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(more) = names.len().checked_sub(NAMES).filter(|it| *it > 0) {
        let _ = write!(line, ", and {more} more");
    }
    line
}
