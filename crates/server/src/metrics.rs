//! What is counted, for Prometheus.

use std::time::Duration;

use engine::FeedState;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    under_way: Gauge,
    jobs: Family<Job, Counter>,
    refreshes: Family<Refresh, Counter>,
    ages: Family<Feed, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    kind: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Feed {
    feed: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refresh {
    outcome: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("foretop");
        let seconds: fn() -> Histogram =
            || Histogram::new([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0]);
        let (requests, under_way, jobs) = (Family::default(), Gauge::default(), Family::default());
        let durations = Family::new_with_constructor(seconds);
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "How long answers took",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register(
            "http_requests_under_way",
            "Requests not answered yet",
            under_way.clone(),
        );
        registry.register("jobs", "Jobs that ended", jobs.clone());
        let refreshes = Family::default();
        let help = "Times that the almanac was kept fresh";
        registry.register("almanac_refreshes", help, Family::clone(&refreshes));
        let ages = Family::default();
        let help = "Days since a feed of the almanac was current";
        registry.register("feed_age_days", help, Family::clone(&ages));
        let version: Gauge<i64> = Gauge::default();
        version.set(1);
        registry
            .sub_registry_with_label(("version".into(), env!("CARGO_PKG_VERSION").into()))
            .register("build_info", "Which version this is", version);
        Self { registry, requests, durations, under_way, jobs, refreshes, ages }
    }
}

/// A request that is not answered yet.
pub(crate) struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// A request has come in.
    pub(crate) fn begun(&self) -> UnderWay {
        self.under_way.inc();
        UnderWay(self.under_way.clone())
    }

    /// A request was answered.
    pub(crate) fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        // Who asks may make up methods, and each would be counted for ever.
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method);
        let (method, route) = (if known { method } else { "other" }.to_owned(), route.to_owned());
        self.durations.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Request { method, route, status }).inc();
    }

    /// A job ended.
    pub(crate) fn job(&self, kind: &str, done: bool) {
        let outcome = if done { "done" } else { "failed" };
        self.jobs.get_or_create(&Job { kind: kind.to_owned(), outcome }).inc();
    }

    /// The almanac was kept fresh, or could not be.
    pub(crate) fn refresh(&self, is_well: bool) {
        let outcome = if is_well { "done" } else { "failed" };
        self.refreshes.get_or_create(&Refresh { outcome }).inc();
    }

    /// How old feeds are.
    pub(crate) fn feeds(&self, feeds: &[FeedState]) {
        self.ages.clear();
        for it in feeds {
            if let Some(age) = it.age {
                let feed = Feed { feed: it.feed.clone() };
                self.ages.get_or_create(&feed).set(i64::from(age));
            }
        }
    }

    /// All of it, as `OpenMetrics` writes it.
    pub(crate) fn told(&self) -> String {
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry);
        text
    }
}
