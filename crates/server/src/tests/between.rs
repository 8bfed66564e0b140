//! What is different between environments, and between them and images; where things run.

use api::{
    Client, Comparing, Comparisons, End, Excepting, Judging, Only, PairOutcome, Pushing, Recording,
    Recordings, WhereQuery,
};

use super::{client, digest, inventory};

const LOG4J: &str = "pkg:maven/org.apache.logging.log4j/log4j-core";

async fn push(client: &Client, digit: char, image: &str, purls: &[&str]) {
    let image = Some(image.to_owned());
    let pushing = Pushing { image, platform: None, inventory: inventory(purls) };
    client.push("local", &digest(digit), &pushing).await.unwrap();
}

async fn record(client: &Client, environment: &str, image: &str, digit: char) {
    let recording = Recording {
        image: image.to_owned(),
        digest: Some(digest(digit)),
        application: None,
        platform: None,
    };
    let sent = Recordings { recordings: vec![recording], source: None, create: false };
    client.record("local", environment, &sent).await.unwrap();
}

/// Production lags behind staging: log4j is old there, and `cart` is not there yet.
async fn house() -> Client {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    for name in ["staging", "production", "empty"] {
        client.create_environment("local", name).await.unwrap();
    }
    push(&client, '1', "acme/web:v1", &[&format!("{LOG4J}@2.14.1"), "pkg:npm/pg@8.0.0"]).await;
    push(&client, '2', "acme/web:v2", &[&format!("{LOG4J}@2.17.1"), "pkg:npm/pg@8.0.0"]).await;
    push(&client, '3', "acme/cart:v1", &["pkg:npm/minimist@1.2.5"]).await;
    push(&client, '4', "acme/old:v1", &["pkg:npm/lodash@4.17.11"]).await;
    record(&client, "production", "acme/web:v1", '1').await;
    record(&client, "production", "acme/old:v1", '4').await;
    record(&client, "staging", "acme/web:v2", '2').await;
    record(&client, "staging", "acme/cart:v1", '3').await;
    client
}

fn environment(name: &str) -> End {
    End { environment: Some(name.to_owned()), digest: None }
}

fn image(digit: char) -> End {
    End { environment: None, digest: Some(digest(digit)) }
}

fn shown(compared: &Comparisons) -> String {
    let line = |it: &api::Pair| {
        let outcome = serde_json::to_string(&it.outcome).unwrap();
        let name = it.application.as_deref().unwrap_or("-");
        let (more, less) = (it.difference.introduced, it.difference.fixed);
        format!("{name} {} +{more} -{less}", outcome.trim_matches('"'))
    };
    compared.pairs.iter().map(line).collect::<Vec<_>>().join("; ")
}

async fn ask(client: &Client, comparing: &Comparing) -> String {
    match client.compare("local", comparing).await {
        Ok(compared) => shown(&compared),
        Err(error) => {
            let hint = error.hint().map(|it| format!(" ({it})")).unwrap_or_default();
            format!("{error}{hint}")
        }
    }
}

#[tokio::test]
async fn a_promotion_is_told_before_it_is_done() {
    let client = house().await;
    let between = |from: End, to: End| Comparing { from, to, ..Comparing::default() };
    let promotion = between(environment("staging"), environment("production"));
    assert_eq!(
        ask(&client, &promotion).await,
        "docker.io/acme/cart added +1 -0; docker.io/acme/old removed +0 -0; \
         docker.io/acme/web compared +0 -4"
    );
    let summary = client.compare("local", &promotion).await.unwrap().summary;
    assert_eq!((summary.introduced, summary.fixed, summary.applications), (1, 4, 3));
    let one = Comparing { repository: Some("acme/web".to_owned()), ..promotion.clone() };
    assert_eq!(ask(&client, &one).await, "docker.io/acme/web compared +0 -4");
    let medium = Only { severities: vec!["Medium".to_owned()], ..Only::default() };
    let few = Comparing { only: medium, ..one.clone() };
    assert_eq!(ask(&client, &few).await, "docker.io/acme/web compared +0 -2");
    let changed = Only { changed: true, ..Only::default() };
    let told = async |only: Only| {
        let told = client.compare("local", &Comparing { only, ..one.clone() }).await.unwrap();
        let comparison = told.pairs[0].comparison.clone().unwrap();
        (told.summary, comparison.packages.len())
    };
    let (all, less) = (told(Only::default()).await, told(changed).await);
    assert_eq!(less, all, "all that is different is told as well");
    let declared = Judging { brief: true, ..Judging::default() };
    let brief = client.compare("local", &Comparing { judging: declared, ..one }).await.unwrap();
    let comparison = brief.pairs[0].comparison.as_ref().unwrap();
    assert!(comparison.findings.iter().all(|it| it.title.is_empty()));
    assert_eq!(comparison.after.name, "acme/web:v2");

    let check = async |from: End, to: End, expect: &str| {
        assert_eq!(ask(&client, &between(from, to)).await, expect);
    };
    let web = "docker.io/acme/web";
    check(image('2'), environment("production"), &format!("{web} compared +0 -4")).await;
    check(environment("production"), image('2'), &format!("{web} compared +4 -0")).await;
    check(image('1'), image('2'), "- compared +4 -0").await;
    check(image('2'), environment("staging"), &format!("{web} unchanged +0 -0")).await;
    check(
        environment("staging"),
        environment("staging"),
        "docker.io/acme/cart unchanged +0 -0; docker.io/acme/web unchanged +0 -0",
    )
    .await;
    let nothing = "no image of docker.io/acme/cart for linux/amd64 is recorded to environment \
                   production (there runs: acme/old (linux/amd64), acme/web (linux/amd64))";
    check(image('3'), environment("production"), nothing).await;
    check(
        environment("empty"),
        environment("empty"),
        "nothing is recorded to environment empty or empty (nothing runs there)",
    )
    .await;
    check(
        environment("nowhere"),
        environment("staging"),
        "environment `nowhere`: there is none (there are: empty, production, staging)",
    )
    .await;
    check(image('9'), image('1'), &format!("image `{}`: there is none", digest('9'))).await;
    check(End::default(), image('1'), "from: say either `environment` or `digest`").await;
    let levels = Only { severities: vec!["bad".to_owned()], ..Only::default() };
    let told = ask(&client, &Comparing { only: levels, ..promotion }).await;
    assert!(told.starts_with("severities: there are critical"), "{told}");
}

#[tokio::test]
async fn comparisons_side_by_side_say_what_each_says_alone() {
    let client = house().await;
    let between = |from, to| Comparing { from, to, ..Comparing::default() };
    let all = [
        between(environment("staging"), environment("production")),
        between(environment("production"), environment("staging")),
        between(image('1'), image('2')),
    ];
    let mut alone = Vec::new();
    for it in &all {
        alone.push(ask(&client, it).await);
    }
    assert_eq!(alone[2], "- compared +4 -0");
    let together = all.iter().cycle().take(2 * all.len()).map(|it| ask(&client, it));
    let together = futures_util::future::join_all(together).await;
    assert_eq!(together, [alone.clone(), alone].concat());
}

#[tokio::test]
async fn parts_are_together_what_is_told_at_once() {
    let client = house().await;
    let whole = Comparing {
        from: environment("staging"),
        to: environment("production"),
        ..Comparing::default()
    };
    let told = client.compare("local", &whole).await.unwrap();
    assert_eq!(told.next, None);
    for limit in 1..=3 {
        let (mut summary, mut pairs) = (api::Difference::default(), Vec::new());
        let mut asked = Comparing { limit: Some(limit), ..whole.clone() };
        loop {
            let part = client.compare("local", &asked).await.unwrap();
            assert!(part.pairs.len() <= limit as usize && !part.pairs.is_empty());
            summary.add(&part.summary);
            pairs.extend(part.pairs);
            if part.next.is_none() {
                break;
            }
            asked.after = part.next;
        }
        let json = |it: &[api::Pair]| serde_json::to_string(it).unwrap();
        assert_eq!((summary, json(&pairs)), (told.summary, json(&told.pairs)));
    }
    let after = |it: &str| Comparing { after: Some(it.to_owned()), ..whole.clone() };
    assert_eq!(ask(&client, &after("x")).await, "after: it is no `next` of a former part");
    let limit = ask(&client, &Comparing { limit: Some(0), ..whole.clone() }).await;
    assert_eq!(limit, "limit: it is a number from 1 to 1000");
}

#[tokio::test]
async fn more_than_a_thousand_applications_are_compared() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    for name in ["staging", "production"] {
        client.create_environment("local", name).await.unwrap();
    }
    push(&client, '1', "acme/web:v1", &[&format!("{LOG4J}@2.14.1")]).await;
    push(&client, '2', "acme/web:v2", &[&format!("{LOG4J}@2.17.1")]).await;
    for (name, digit) in [("staging", '2'), ("production", '1')] {
        for some in [0..550, 550..1100] {
            let recordings = some.map(|number| Recording {
                image: "acme/web:v1".to_owned(),
                digest: Some(digest(if number % 2 == 0 { digit } else { '1' })),
                application: Some(format!("app{number:04}")),
                platform: None,
            });
            let sent = Recordings { recordings: recordings.collect(), source: None, create: false };
            client.record("local", name, &sent).await.unwrap();
        }
    }
    let mut asked = Comparing {
        from: environment("staging"),
        to: environment("production"),
        judging: Judging { brief: true, ..Judging::default() },
        ..Comparing::default()
    };
    let mut summary = api::Difference::default();
    let mut names = Vec::new();
    loop {
        let part = client.compare("local", &asked).await.unwrap();
        summary.add(&part.summary);
        names.extend(part.pairs.into_iter().filter_map(|it| it.application));
        if part.next.is_none() {
            break;
        }
        asked.after = part.next;
    }
    let expect: Vec<String> = (0..1100).map(|number| format!("app{number:04}")).collect();
    assert_eq!(names, expect);
    assert_eq!((summary.applications, summary.unchanged, summary.fixed), (1100, 550, 4 * 550));
}

#[tokio::test]
async fn what_nobody_has_read_is_never_fixed() {
    let client = house().await;
    record(&client, "staging", "acme/web:v3", '7').await;
    let promotion = Comparing {
        from: environment("staging"),
        to: environment("production"),
        repository: Some("acme/web".to_owned()),
        ..Comparing::default()
    };
    let compared = client.compare("local", &promotion).await.unwrap();
    let pair = &compared.pairs[0];
    assert_eq!((pair.outcome, compared.summary.unknown), (PairOutcome::Unknown, 1));
    assert_eq!((compared.summary.fixed, pair.comparison.is_none()), (0, true));
    let image = format!("acme/web:v3@{}", digest('7'));
    assert_eq!(
        (&*pair.gaps[0].at, &*pair.gaps[0].why),
        (&*image, "it is not analysed yet: cannot tell")
    );
    // The other way round neither.
    let (from, to) = (promotion.to.clone(), promotion.from.clone());
    assert_eq!(
        ask(&client, &Comparing { from, to, ..promotion }).await,
        "docker.io/acme/web unknown +0 -0"
    );
}

#[tokio::test]
async fn where_tells_what_statements_take_out_of_the_way() {
    let client = house().await;
    let said = |author: &str, products: Vec<model::Product>| model::Statement {
        origin: "/app/app.vex.json".to_owned(),
        document: None,
        author: Some(author.to_owned()),
        said: None,
        flaws: vec!["CVE-2021-44228".to_owned()],
        products,
        status: model::StatementStatus::NotAffected,
        justification: Some("component_not_present".to_owned()),
        note: None,
        expires: None,
    };
    // One image says so itself.
    let mut brought = inventory(&[&format!("{LOG4J}@2.14.0")]);
    brought.statements = vec![said("acme", Vec::new())];
    let pushing = Pushing { image: None, platform: None, inventory: brought };
    client.push("local", &digest('5'), &pushing).await.unwrap();
    record(&client, "production", "acme/said:v1", '5').await;
    let ask = async |judging: Judging| {
        let what = Some("cve-2021-44228".to_owned());
        let query = WhereQuery { what, ..WhereQuery::default() };
        let answer = client.whereabouts_judged("local", &query, &judging).await.unwrap();
        let mut lines = Vec::new();
        for it in answer.found.iter().flat_map(|it| &it.deployments) {
            let image = it.deployment.image.split('@').next().unwrap();
            let by = it.statement.as_ref().and_then(|it| it.author.as_deref()).unwrap_or("-");
            lines.push(format!("{image} {by}"));
        }
        assert_eq!(answer.gaps, [], "everything is known");
        lines.extend(answer.refused.iter().map(|it| it.why.clone()));
        lines.join("; ")
    };
    assert_eq!(ask(Judging::default()).await, "acme/said:v1 -; acme/web:v1 -");
    let authors = |it: &str| Judging { authors: vec![it.to_owned()], ..Judging::default() };
    assert_eq!(ask(authors("acme")).await, "acme/said:v1 acme; acme/web:v1 -");
    let refused = "1 statement of acme came with the image and do not count; --vex-author names \
                   whose do";
    assert_eq!(ask(authors("bob")).await, format!("acme/said:v1 -; acme/web:v1 -; {refused}"));
    for (authors, why) in [
        (vec!["a".to_owned(); 101], "there are more than 100"),
        (vec!["a".repeat(1_001)], "one is longer than 1000 letters"),
        (vec![r"\w{90}".to_owned()], "Compiled regex exceeds size limit of 262144 bytes."),
    ] {
        let judging = Judging { authors, ..Judging::default() };
        let query = WhereQuery { what: Some("log4j-core".to_owned()), ..WhereQuery::default() };
        let refused = client.whereabouts_judged("local", &query, &judging).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("authors: {why}"));
    }
    let names = vec![format!("{LOG4J}@2.14.1")];
    let product = model::Product { names, ..model::Product::default() };
    let statements = vec![said("team", vec![product])];
    let sent = Judging { statements, ..Judging::default() };
    assert_eq!(ask(sent).await, format!("acme/said:v1 -; acme/web:v1 team; {refused}"));
    // A package is where it is, whatever is said about it.
    let query = WhereQuery { what: Some("log4j-core".to_owned()), ..WhereQuery::default() };
    let answer = client.whereabouts_judged("local", &query, &authors("acme")).await.unwrap();
    let all = answer.found.iter().flat_map(|it| &it.deployments);
    assert_eq!(all.filter(|it| it.statement.is_some()).count(), 0);
}

/// However much has to be read for it.
#[tokio::test]
async fn where_tells_what_was_decided_of_each_that_runs() {
    let client = house().await;
    // Log4j as in web:v1, in more images, some of which run in two places.
    for (digit, image, version) in [('5', "acme/api:v1", "2.14.1"), ('6', "acme/job:v1", "2.13.0")]
    {
        push(&client, digit, image, &[&format!("{LOG4J}@{version}")]).await;
        record(&client, "production", image, digit).await;
        record(&client, "staging", image, digit).await;
    }
    let ask = async || {
        let flaw = Some("CVE-2021-44228".to_owned());
        let query = WhereQuery { flaw, ..WhereQuery::default() };
        let answer = client.whereabouts("local", &query).await.unwrap();
        let mut lines: Vec<String> = Vec::new();
        for it in answer.found.iter().flat_map(|it| &it.deployments) {
            let image = it.deployment.image.split(':').next().unwrap();
            let place = &it.deployment.environment[..4];
            let by = it.statement.as_ref().map(|it| it.origin.trim_start_matches("exception "));
            lines.push(format!("{image} {place} {}", by.unwrap_or("-")));
        }
        lines.sort();
        lines.join(", ")
    };
    let excepting = |flaw: &str, packages: &[&str], environments: &[&str]| Excepting {
        flaws: vec![flaw.to_owned()],
        kind: "accepted-risk".to_owned(),
        justification: None,
        note: None,
        images: vec![],
        environments: environments.iter().map(|it| (*it).to_owned()).collect(),
        packages: packages.iter().map(|it| (*it).to_owned()).collect(),
        expires: None,
    };
    let put = async |name: &str, it: Excepting| {
        client.put_exception("local", name, &it).await.unwrap();
    };
    let told = |api: &str, job: &str, web: &str, staged: [&str; 2]| {
        let [api_too, job_too] = staged;
        format!(
            "acme/api prod {api}, acme/api stag {api_too}, acme/job prod {job}, \
             acme/job stag {job_too}, acme/web prod {web}"
        )
    };
    assert_eq!(ask().await, told("-", "-", "-", ["-", "-"]));
    put("other", excepting("CVE-2020-1", &[], &[])).await;
    assert_eq!(ask().await, told("-", "-", "-", ["-", "-"]));
    put("job", excepting("cve-2021-44228", &[&format!("{LOG4J}@2.13.0")], &[])).await;
    assert_eq!(ask().await, told("-", "job", "-", ["-", "job"]));
    put("live", excepting("CVE-2021-44228", &[], &["production"])).await;
    let [api, job, web] = ["api prod live", "job stag job", "web prod live"];
    let all = ask().await;
    assert!(all.contains(api) && all.contains(job) && all.contains(web), "{all}");
    assert!(all.contains("api stag -"), "{all}");
    client.delete_exception("local", "job").await.unwrap();
    assert_eq!(ask().await, told("live", "live", "live", ["-", "-"]));
    // By another name of it, it may be of some of its findings alone.
    client.delete_exception("local", "live").await.unwrap();
    put("other-name", excepting("GHSA-jfh8-c2jp-5v3q", &[], &[])).await;
    let other = "other-name";
    assert_eq!(ask().await, told(other, other, other, [other, other]));
}

#[tokio::test]
async fn where_says_what_it_cannot_tell() {
    let client = house().await;
    let ask = async |what: &str, environment: Option<&str>| {
        let query = WhereQuery {
            what: Some(what.to_owned()),
            environment: environment.map(str::to_owned),
            ..WhereQuery::default()
        };
        let answer = client.whereabouts("local", &query).await.map_err(|it| it.to_string())?;
        let mut lines = Vec::new();
        for it in &answer.found {
            let there: Vec<&str> = it.environments.iter().map(|it| &*it.name).collect();
            lines.push(format!("{} in {}", it.purls.join(" "), there.join(",")));
        }
        lines.extend(answer.gaps.iter().map(|it| format!("{}: {}", it.at, it.why)));
        Ok::<_, String>(format!("{} | {}", answer.unread, lines.join("; ")))
    };
    let old = format!("0 | {LOG4J}@2.14.1 in production");
    assert_eq!(ask("CVE-2021-44228", None).await.unwrap(), old);
    assert_eq!(ask("log4j-core@2.14.1", None).await.unwrap(), old);
    assert_eq!(ask("log4j-core@<2.17", Some("production")).await.unwrap(), old);
    assert_eq!(ask("CVE-2021-44228", Some("staging")).await.unwrap(), "0 | ");
    assert!(ask("lodash", Some("nowhere")).await.unwrap_err().contains("there is none"));
    for (name, digit) in [("staging", '7'), ("staging", '8'), ("production", '7')] {
        record(&client, name, &format!("acme/new{digit}:v1"), digit).await;
    }
    let gap =
        |name: &str, what: &str| format!("environment {name}: {what} not analysed: cannot tell");
    let (one, two) = ("1 image that runs is", "2 images that run are");
    assert_eq!(
        ask("CVE-2021-44228", None).await.unwrap(),
        format!(
            "2 | {LOG4J}@2.14.1 in production; {}; {}",
            gap("production", one),
            gap("staging", two)
        )
    );
    assert_eq!(
        ask("CVE-2021-44228", Some("staging")).await.unwrap(),
        format!("2 | {}", gap("staging", two))
    );
    assert!(ask("", None).await.is_err());
}
