//! What runs where, told by hand: record, supersede, look back, promote, take out.

use api::{
    Client, DeploymentQuery, EndQuery, Judging, PageQuery, Promotion, Pushing, Recording,
    Recordings,
};

use super::{client, digest, inventory};

async fn record(client: &Client, environment: &str, image: &str, digit: char) -> String {
    let recording = Recording {
        image: image.to_owned(),
        digest: Some(digest(digit)),
        application: None,
        platform: None,
    };
    let sent = Recordings { recordings: vec![recording], source: Some("cli".to_owned()) };
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
