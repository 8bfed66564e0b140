//! Sysdig: a cluster is an environment, what it says runs is taken as an agent's word, and what it saw
//! being loaded is told with findings.

use api::{DeploymentQuery, Judging};
use testkit::{Running, SysdigStandIn};

use super::*;

/// What runs there, by image, in lines.
async fn runs(house: &House, environment: &str) -> String {
    let ann = house.client("ann").await;
    let query =
        DeploymentQuery { environment: Some(environment.to_owned()), ..DeploymentQuery::default() };
    let all = ann.deployments("acme", &query).await.unwrap().items;
    let mut lines: Vec<String> = all
        .into_iter()
        .map(|it| {
            let name = it.repository.rsplit_once('/').map_or("", |it| it.1).to_owned();
            format!("{name} {} {}", it.source, if it.pending { "pending" } else { "analysed" })
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

/// Time goes by, and who is due is asked.
async fn later(house: &House, seconds: i64) {
    house.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    for kind in ["find_due_runtimes", "look_at_registries"] {
        jobs::do_once(&house.app, kind).await.unwrap();
    }
    jobs::all(&house.app).await;
    jobs::do_once(&house.app, "look_at_runtimes").await.unwrap();
}

fn container(workload: &str, digest: &str, loaded: &[&str]) -> Running {
    let package = |it: &&str| ((*it).to_owned(), "1.0-r0".to_owned(), "os".to_owned());
    Running {
        namespace: "shop".to_owned(),
        workload: workload.to_owned(),
        container: "app".to_owned(),
        image_id: digest.to_owned(),
        loaded: Some(loaded.iter().map(package).collect()).filter(|it: &Vec<_>| !it.is_empty()),
        ..Running::default()
    }
}

/// The state of the integration of that name, and why.
async fn state(house: &House, name: &str) -> String {
    let ann = house.client("ann").await;
    let it = ann.integration("acme", "sysdig", name).await.unwrap();
    format!("{:?} {}", it.state, it.why.unwrap_or_default())
}

fn parameters<'a>(sysdig: &'a str, more: &[(&'a str, &'a str)]) -> Configuring {
    let mut all = vec![("token", SysdigStandIn::TOKEN), ("url", sysdig)];
    all.retain(|it| !more.iter().any(|(key, _)| *key == it.0));
    all.extend(more);
    told(&all)
}

/// First the token, then a cluster of those that it knows, then an environment, which is made.
#[tokio::test]
async fn is_set_up_step_by_step() {
    let house = House::new().await;
    let host = house.registry.host();
    let sysdig = SysdigStandIn::start();
    let digest = house.push("team/web", "1", "cup");
    sysdig.runs("prod-eu", &[container("web", &digest, &[])]);
    sysdig.runs("prod-us", &[]);
    let (url, ann) = (sysdig.url(), house.client("ann").await);
    let configure = async |more: &[(&str, &str)]| {
        ann.configure_integration("acme", "sysdig", "prod", &parameters(&url, more)).await
    };
    // A failure is shown with its reason, and goes no further.
    let wrong = configure(&[("token", "another"), ("cluster", "prod-eu"), ("environment", "live")]);
    let wrong = wrong.await.unwrap();
    assert_eq!(wrong.integration.state, IntegrationState::Error);
    let why = wrong.integration.why.unwrap();
    assert!(why.starts_with("token accepted: ") && why.contains("Bad credentials"), "{why}");
    later(&house, 1).await;
    assert!(ann.environment("acme", "live").await.is_err(), "nothing came of it");
    let first = configure(&[]).await.unwrap();
    assert_eq!(first.integration.state, IntegrationState::Pending);
    let hints: Vec<_> = first.checks.iter().filter_map(|it| it.hint.as_deref()).collect();
    assert_eq!(hints[0], "choose a cluster: prod-eu, prod-us");
    assert!(hints[1].starts_with("tell which environment the cluster is"), "{hints:?}");
    later(&house, 1).await;
    assert_eq!(state(&house, "prod").await, "Pending ");
    let wrong = configure(&[("cluster", "prod"), ("environment", "production")]).await.unwrap();
    assert_eq!(wrong.integration.why.unwrap(), "cluster known: it knows of none called prod");
    let made = configure(&[("cluster", "prod-eu"), ("environment", "production")]).await.unwrap();
    assert_eq!(made.integration.state, IntegrationState::Connected);
    later(&house, 1).await;
    // The environment is there, and shows nothing while nobody has analysed what runs.
    assert_eq!(runs(&house, "production").await, "");
    assert_eq!(state(&house, "prod").await, "Connected ");
    let asked = house.registry.seen().len();
    later(&house, 1900).await;
    assert_eq!(house.registry.seen().len(), asked, "it is not read because it runs");
    house.configured("oci", &[("registry", &host)]).await;
    later(&house, 1900).await;
    later(&house, 1900).await;
    assert_eq!(runs(&house, "production").await, "web runtime:sysdig prod analysed");
    // One cluster is one environment, and one integration's.
    let other = parameters(&url, &[("cluster", "prod-eu"), ("environment", "staging")]);
    let refused = ann.configure_integration("acme", "sysdig", "other", &other).await;
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("prod-eu is that of sysdig prod already"), "{why}");
    let other = parameters(&url, &[("cluster", "prod-us"), ("environment", "us")]);
    ann.configure_integration("acme", "sysdig", "us", &other).await.unwrap();
    // Only owners set it up.
    let bob = house.client("bob").await;
    let refused = bob.configure_integration("acme", "sysdig", "mine", &other).await.unwrap_err();
    assert!(refused.to_string().contains("owner"), "{refused}");
    // What it told goes with it.
    assert!(ann.delete_integration("acme", "sysdig", "prod").await.unwrap().leftovers.is_empty());
    assert_eq!(runs(&house, "production").await, "");
}

/// What it says replaces what it said, on its interval; what it cannot say ends nothing.
#[tokio::test]
async fn is_asked_on_its_interval() {
    let house = House::new().await;
    let host = house.registry.host();
    let sysdig = SysdigStandIn::start();
    let digests: Vec<String> =
        ["web", "api", "job"].iter().map(|it| house.push(&format!("team/{it}"), "1", it)).collect();
    house.configured("oci", &[("registry", &host)]).await;
    later(&house, 1).await;
    let all: Vec<Running> = ["web", "api", "job"]
        .iter()
        .zip(&digests)
        .map(|(name, digest)| container(name, digest, &[]))
        .collect();
    sysdig.runs("prod", &all[..2]);
    let url = sysdig.url();
    let more = [("cluster", "prod"), ("environment", "production"), ("interval", "10")];
    let ann = house.client("ann").await;
    let sent = parameters(&url, &more);
    ann.configure_integration("acme", "sysdig", "ours", &sent).await.unwrap();
    later(&house, 1).await;
    let two = "api runtime:sysdig ours analysed\nweb runtime:sysdig ours analysed";
    assert_eq!(runs(&house, "production").await, two);
    sysdig.runs("prod", &all[1..]);
    let asked = sysdig.seen().len();
    later(&house, 500).await;
    assert_eq!(sysdig.seen().len(), asked, "it is not due");
    later(&house, 200).await;
    let others = "api runtime:sysdig ours analysed\njob runtime:sysdig ours analysed";
    assert_eq!(runs(&house, "production").await, others);
    // Half an answer ends nothing, and says so.
    sysdig.pages_of(1);
    sysdig.runs("prod", &all);
    sysdig.plan("cursor=", 1, Fault::Truncate(9));
    later(&house, 700).await;
    assert_eq!(
        runs(&house, "production").await,
        "api runtime:sysdig ours analysed\njob runtime:sysdig ours analysed\nweb runtime:sysdig ours analysed"
    );
    assert!(state(&house, "ours").await.starts_with("Connected one thing could not be read"));
    // Nothing at all is no answer that ends everything; a cluster that is gone is a failure.
    sysdig.runs("prod", &[]);
    later(&house, 700).await;
    assert_eq!(runs(&house, "production").await.lines().count(), 3);
    let said = state(&house, "ours").await;
    assert!(said.contains("it tells of no container at all"), "{said}");
    sysdig.plan("runtimeclusters", 1, Fault::Status(200, Vec::new(), r#"["else"]"#.to_owned()));
    later(&house, 700).await;
    assert_eq!(state(&house, "ours").await, "Error prod: there is no cluster of that name");
    // Failures are tried again sooner, and less and less often; what runs is stale meanwhile.
    sysdig.plan("runtimeimages", 1000, Fault::status(500));
    for (wait, is_asked) in [(31, true), (31, false), (40, true), (100, false), (30, true)] {
        let asked = sysdig.seen().len();
        later(&house, wait).await;
        assert_eq!(sysdig.seen().len() > asked, is_asked, "after {wait} s");
    }
    assert!(state(&house, "ours").await.contains("answered 500"));
    later(&house, 3600).await;
    let runtime = ann.runtime("acme", "sysdig ours").await.unwrap();
    assert!(runtime.runtime.stale, "{runtime:?}");
    assert_eq!(runs(&house, "production").await.lines().count(), 3);
    sysdig.mend();
    sysdig.runs("prod", &all[..1]);
    later(&house, 3600).await;
    assert_eq!(runs(&house, "production").await, "web runtime:sysdig ours analysed");
    assert_eq!(state(&house, "ours").await, "Connected ");
    // Whoever asks for patience has it.
    let headers = vec![("Retry-After".to_owned(), "7200".to_owned())];
    sysdig.plan("runtimeimages", 1, Fault::Status(429, headers, String::new()));
    later(&house, 700).await;
    let asked = sysdig.seen().len();
    later(&house, 3600).await;
    assert_eq!(sysdig.seen().len(), asked);
}

/// What was seen being loaded is told with findings: it is, it is not, or nobody can tell.
#[tokio::test]
async fn what_is_loaded_is_told() {
    let house = House::new().await;
    let host = house.registry.host();
    let sysdig = SysdigStandIn::start();
    let digest = house.push("team/web", "1", "cup");
    house.configured("oci", &[("registry", &host)]).await;
    later(&house, 1).await;
    let (url, ann) = (sysdig.url(), house.client("ann").await);
    let config =
        ann.inventory("acme", &digest).await.unwrap().subject.image().unwrap().config.clone();
    let config = config.unwrap().to_string();
    let more = [("cluster", "prod"), ("environment", "production")];
    sysdig.runs("prod", &[container("web", &config, &["saucer"])]);
    let sent = parameters(&url, &more);
    ann.configure_integration("acme", "sysdig", "ours", &sent).await.unwrap();
    later(&house, 1).await;
    assert_eq!(
        runs(&house, "production").await,
        "web runtime:sysdig ours analysed",
        "by its configuration"
    );
    let asked = async |ann: &api::Client, environment: &str| {
        let judging = Judging { environment: Some(environment.to_owned()), ..Judging::default() };
        ann.analysis("acme", &digest, &judging).await.unwrap()
    };
    let in_use = asked(&ann, "production").await.basis.in_use.unwrap();
    assert_eq!((in_use.by, in_use.is_old), (vec!["sysdig ours".to_owned()], false));
    assert_eq!(asked(&ann, "staging").await.basis.in_use, None);
    assert_eq!(
        ann.analysis("acme", &digest, &Judging::default()).await.unwrap().basis.in_use,
        None
    );
    // A week later it says nothing any more.
    sysdig.plan("runtimeimages", 10_000, Fault::status(500));
    house.clock.fetch_add(8 * 86_400 * 1_000_000, Ordering::SeqCst);
    let ann = house.client("ann").await;
    assert!(asked(&ann, "production").await.basis.in_use.unwrap().is_old);
}
