//! What runs where, told by hand: record, supersede, look back, promote, take out.

use api::{
    Client, DeleteQuery, DeploymentQuery, EndQuery, Excepting, Explanation, ExplanationQuery,
    Judging, PageQuery, Promotion, Pushing, Recording, Recordings, WhereQuery,
};
use model::Verdict;

use super::{client, digest, inventory};

async fn record(client: &Client, environment: &str, image: &str, digit: char) -> String {
    let recording = Recording {
        image: image.to_owned(),
        digest: Some(digest(digit)),
        application: None,
        platform: None,
    };
    let sent =
        Recordings { recordings: vec![recording], source: Some("cli".to_owned()), create: false };
    match client.record("local", environment, &sent).await {
        Ok(all) => {
            let it = &all.recorded[0];
            let pending = if it.deployment.pending { " pending" } else { "" };
            format!("{:?} {}{pending}", it.change, it.deployment.image.get(..11).unwrap())
        }
        Err(error) => error.to_string(),
    }
}

async fn running(client: &Client, query: DeploymentQuery) -> String {
    let page = client.deployments("local", &query).await.unwrap();
    let line = |it: &api::Deployment| {
        format!("{} {}", it.environment, it.image.replace("sha256:", "").get(..13).unwrap())
    };
    page.items.iter().map(line).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn recorded_superseded_promoted_and_taken_out() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    assert_eq!(
        record(&client, "staging", "acme/web:v1", '1').await,
        "environment `staging`: there is none"
    );
    for name in ["staging", "production"] {
        client.create_environment("local", name).await.unwrap();
    }
    assert_eq!(record(&client, "staging", "acme/web:v1", '1').await, "Started acme/web:v1 pending");
    assert_eq!(
        record(&client, "staging", "acme/web:v1", '1').await,
        "Unchanged acme/web:v1 pending"
    );
    assert_eq!(
        record(&client, "staging", "acme/web:v2", '2').await,
        "Replaced acme/web:v2 pending"
    );
    let staging =
        || DeploymentQuery { environment: Some("staging".to_owned()), ..Default::default() };
    assert_eq!(running(&client, staging()).await, "staging acme/web:v2@2");
    let history = DeploymentQuery { history: true, ..staging() };
    assert_eq!(running(&client, history).await, "staging acme/web:v2@2; staging acme/web:v1@1");

    let promotion = Promotion {
        to: "production".to_owned(),
        application: None,
        image: Some("acme/web".to_owned()),
        source: None,
        create: false,
    };
    client.promote("local", "staging", &promotion).await.unwrap();
    let all = running(&client, DeploymentQuery::default()).await;
    assert_eq!(all, "production acme/web:v2@2; staging acme/web:v2@2");

    let web = EndQuery { image: Some("acme/web".to_owned()), ..EndQuery::default() };
    assert_eq!(client.end("local", "staging", &web).await.unwrap().ended.len(), 1);
    let again = client.end("local", "staging", &web).await.unwrap_err();
    assert_eq!(again.problem().unwrap().status, 404);
    let names = client.environments("local", &PageQuery::default()).await.unwrap();
    let names: Vec<(String, u64)> =
        names.items.into_iter().map(|it| (it.name, it.running)).collect();
    assert_eq!(names, [("production".to_owned(), 1), ("staging".to_owned(), 0)]);
}

#[tokio::test]
async fn what_is_pushed_is_judged() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    let pushing = Pushing {
        image: Some("acme/web:v1".to_owned()),
        platform: None,
        inventory: inventory(&["pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"]),
    };
    let pushed = client.push("local", &digest('1'), &pushing).await.unwrap();
    assert_eq!((pushed.image.packages, pushed.tag_moved), (Some(1), true));
    let analysis = client.analysis("local", &digest('1'), &Judging::default()).await.unwrap();
    assert!(analysis.findings.iter().any(|it| it.id == "CVE-2021-44228"));
    let unknown = client.analysis("local", &digest('2'), &Judging::default()).await.unwrap_err();
    assert_eq!(unknown.problem().unwrap().status, 404);
}

#[tokio::test]
async fn why_it_is_found_and_why_not() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    client.create_environment("local", "staging").await.unwrap();
    let mut inventory = inventory(&[
        "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
        "pkg:npm/lodash@4.17.21",
    ]);
    inventory.gaps.push(model::Gap::new("/srv/old.jar", "it is cut short"));
    let pushing = Pushing { image: None, platform: None, inventory };
    client.push("local", &digest('1'), &pushing).await.unwrap();
    let decided = serde_json::json!({
        "flaws": ["CVE-2021-45105"], "kind": "accepted-risk", "environments": ["staging"],
    });
    let decided: Excepting = serde_json::from_value(decided).unwrap();
    client.put_exception("local", "old", &decided).await.unwrap();
    let asked = async |about: &str, environment: Option<&str>, details: bool| {
        let environment = environment.map(str::to_owned);
        let query = ExplanationQuery { about: about.to_owned(), environment, details };
        client.explanation("local", &digest('1'), &query).await
    };
    let verdicts =
        |it: &Explanation| -> Vec<Verdict> { it.judgements.iter().map(|it| it.verdict).collect() };
    // Any of its names will do, and each step is told.
    let told = asked("ghsa-jfh8-c2jp-5v3q", None, false).await.unwrap();
    assert_eq!(verdicts(&told), [Verdict::Affected]);
    let first = &told.judgements[0];
    assert_eq!(first.flaw.as_deref(), Some("CVE-2021-44228"));
    assert!(first.purl.as_deref().unwrap().ends_with("log4j-core@2.14.1"));
    assert!(first.chain.iter().any(|it| it.about == "comparison"), "{:?}", first.chain);
    assert_eq!((told.gaps.len(), told.basis.starter), (1, true));
    // What was decided holds where it was decided, and nowhere else.
    let flaw = "CVE-2021-45105";
    assert_eq!(verdicts(&asked(flaw, None, false).await.unwrap()), [Verdict::Affected]);
    let there = asked(flaw, Some("staging"), false).await.unwrap();
    assert_eq!(verdicts(&there), [Verdict::Suppressed]);
    // Of a package, what is found and what is not; of what is not found there may be much.
    let told = asked("lodash", None, false).await.unwrap();
    assert_eq!(told.packages, ["pkg:npm/lodash@4.17.21"]);
    assert!(!told.judgements.is_empty() || !told.folded.is_empty());
    assert!(verdicts(&told).iter().all(|it| it.is_quiet()));
    let detailed = asked("lodash", None, true).await.unwrap();
    let folded: u64 = told.folded.values().sum();
    assert_eq!(detailed.judgements.len() as u64, told.judgements.len() as u64 + folded);
    assert!(detailed.folded.is_empty());
    // It is about something else; or nobody has heard of it.
    let told = asked("CVE-2024-6119", None, false).await.unwrap();
    assert!(told.judgements.is_empty() && told.others_total > 0);
    assert!(told.others.iter().any(|it| it.starts_with("openssl (")), "{:?}", told.others);
    for (about, status) in [("CVE-2999-0001", 404), (" ", 400), ("x".repeat(1_001).as_str(), 400)] {
        let refused = asked(about, None, false).await.unwrap_err();
        assert_eq!(refused.problem().unwrap().status, status, "{about}");
    }
    let query = ExplanationQuery { about: flaw.to_owned(), ..ExplanationQuery::default() };
    let unknown = client.explanation("local", &digest('2'), &query).await.unwrap_err();
    assert_eq!(unknown.problem().unwrap().status, 404);
}

#[tokio::test]
async fn where_it_runs_is_one_look() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    for name in ["staging", "production"] {
        client.create_environment("local", name).await.unwrap();
    }
    let ask = async |query: WhereQuery| {
        let answer = client.whereabouts("local", &query).await.unwrap();
        let line = |it: &api::Sighted| {
            let environments: Vec<String> =
                it.environments.iter().map(|it| format!("{} {}", it.name, it.images)).collect();
            format!("{}: {} of {}", it.purls.join(" "), environments.join(", "), it.images)
        };
        answer.found.iter().map(line).collect::<Vec<_>>().join("; ")
    };
    let flaw = || WhereQuery { flaw: Some("cve-2021-44228".to_owned()), ..WhereQuery::default() };
    let package = |name: &str, range: Option<&str>| WhereQuery {
        package: Some(name.to_owned()),
        range: range.map(str::to_owned),
        ..WhereQuery::default()
    };
    assert_eq!(ask(flaw()).await, "");
    // Recorded first and analysed afterwards, or the other way round: both are found.
    record(&client, "production", "acme/web:v1", '1').await;
    for (digit, version) in [('1', "2.14.1"), ('2', "2.17.1"), ('3', "2.10.0")] {
        let purl = format!("pkg:maven/org.apache.logging.log4j/log4j-core@{version}");
        let pushing = Pushing { image: None, platform: None, inventory: inventory(&[&purl]) };
        client.push("local", &digest(digit), &pushing).await.unwrap();
        // Looked at in between, it is kept up by what changes.
        ask(flaw()).await;
    }
    record(&client, "staging", "acme/web:v2", '2').await;
    record(&client, "staging", "acme/api:v1", '3').await;
    let log4j = "pkg:maven/org.apache.logging.log4j/log4j-core";
    let expect = format!("{log4j}@2.10.0: staging 1 of 1; {log4j}@2.14.1: production 1 of 1");
    assert_eq!(ask(flaw()).await, expect);
    let all = format!("{expect}; {log4j}@2.17.1: staging 1 of 1");
    assert_eq!(ask(package("log4j-core", None)).await, all);
    assert_eq!(ask(package("log4j-core", Some("<2.15"))).await, expect);
    let one = format!("{log4j}@2.17.1: staging 1 of 1");
    assert_eq!(ask(package(&format!("{log4j}@2.17.1"), None)).await, one);
    client.delete_environment("local", "staging").await.unwrap();
    let expect = format!("{log4j}@2.10.0:  of 1; {log4j}@2.14.1: production 1 of 1");
    assert_eq!(ask(flaw()).await, expect);
    client.delete_image("local", &digest('3'), DeleteQuery::default()).await.unwrap();
    assert_eq!(ask(flaw()).await, format!("{log4j}@2.14.1: production 1 of 1"));
}

#[tokio::test]
async fn each_place_is_of_its_own_package_in_its_own_image() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    client.create_environment("local", "staging").await.unwrap();
    for (digit, versions) in [('1', &["1.0.0", "2.0.0"][..]), ('2', &["2.0.0"])] {
        let purls: Vec<String> = versions.iter().map(|it| format!("pkg:npm/pg@{it}")).collect();
        let mut inventory = inventory(&purls.iter().map(String::as_str).collect::<Vec<_>>());
        for (package, version) in inventory.packages.iter_mut().zip(versions) {
            let path = format!("/{digit}/{version}");
            package.places.push(model::Place { path, ..model::Place::default() });
        }
        let pushing = Pushing { image: None, platform: None, inventory };
        client.push("local", &digest(digit), &pushing).await.unwrap();
        record(&client, "staging", &format!("acme/web{digit}:v1"), digit).await;
    }
    let package = Some("pg".to_owned());
    let query = WhereQuery { package, places: true, ..WhereQuery::default() };
    let answer = client.whereabouts("local", &query).await.unwrap();
    let mut found = Vec::new();
    for it in &answer.found {
        for sighting in &it.deployments {
            let places = sighting.places.iter().map(|it| it.path.as_str()).collect::<Vec<_>>();
            found.push(format!("{} {}", it.purls.join(" "), places.join(" ")));
        }
    }
    found.sort();
    let expect =
        ["pkg:npm/pg@1.0.0 /1/1.0.0", "pkg:npm/pg@2.0.0 /1/2.0.0", "pkg:npm/pg@2.0.0 /2/2.0.0"];
    assert_eq!(found, expect);
}

#[tokio::test]
async fn what_is_long_is_the_same() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    // So long that it is read and written down on the side, however well it is packed.
    let purls: Vec<String> = (0..20_000_u64)
        .map(|it| format!("pkg:npm/p{:x}@1.0.{it}", it.wrapping_mul(it) * 7919))
        .collect();
    let sent = inventory(&purls.iter().map(String::as_str).collect::<Vec<_>>());
    let pushing = Pushing { image: None, platform: None, inventory: sent };
    let pushed = client.push("local", &digest('1'), &pushing).await.unwrap();
    assert_eq!(pushed.image.packages, Some(20_000));
    let mut told: Vec<String> = client
        .inventory("local", &digest('1'))
        .await
        .unwrap()
        .packages
        .iter()
        .map(|it| it.purl.to_string())
        .collect();
    let mut expect = purls;
    told.sort();
    expect.sort();
    assert_eq!(told, expect);
}
