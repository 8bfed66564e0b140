//! What was there before somebody watched is not new, whenever it turns up: the newest of it is read.

use super::*;

/// What is pushed is read, though a first look has a hole for ever.
#[tokio::test]
async fn one_closed_repository_does_not_make_everything_old() {
    let house = House::new().await;
    let host = house.registry.host();
    house.push("team/app", "latest", "cup");
    house.push("team/app", "old", "pot");
    house.push("team/closed", "1", "lid");
    house.registry.plan("/v2/team/closed/", 10_000, Fault::status(403));
    house.configured("oci", &[("registry", &host)]).await;
    house.later(1).await;
    let (now, why) = house.state("oci").await;
    assert_eq!(now, IntegrationState::Error);
    assert!(why.starts_with("team/closed: "), "{why}");
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("latest".to_owned(), 1));
    house.push("team/app", "v2", "mug");
    house.push("team/new", "1", "jug");
    house.later(400).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("latest v2".to_owned(), 3));
    assert_eq!(house.known(&format!("{host}/team/new")).await.0, "1");
}

#[tokio::test]
async fn a_list_with_a_hole_makes_nothing_new() {
    const MANY: usize = 150;
    let house = House::new().await;
    let host = house.registry.host();
    // So many that there are two pages.
    for number in 0..MANY {
        for tag in ["1", "2", "3"] {
            house.push(&format!("team/app{number:03}"), tag, "cup");
        }
    }
    let late = format!("team/app{:03}", MANY - 1);
    for tag in ["1", "2", "3"] {
        house.push(&late, tag, tag);
    }
    let made = house.configured("oci", &[("registry", &host)]).await;
    assert_eq!(made.integration.state, IntegrationState::Connected);
    house.registry.plan("/v2/_catalog?last=", 1, Fault::status(500));
    house.registry.plan("/v2/_catalog?n=1000&last=", 1, Fault::status(500));
    house.later(1).await;
    house.later(400).await;
    assert_eq!(house.known(&format!("{host}/{late}")).await.0, "3");
    // From then on what turns up is new.
    for tag in ["1", "2"] {
        house.push("team/new", tag, tag);
    }
    house.later(400).await;
    assert_eq!(house.known(&format!("{host}/team/new")).await.0, "1 2");
}

#[tokio::test]
async fn a_wider_look_makes_nothing_new() {
    let house = House::new().await;
    let host = house.registry.host();
    for tag in ["a1", "a2", "b1", "b2"] {
        house.push("team/app", tag, tag);
        house.push("team/web", tag, tag);
    }
    let narrow = [("registry", host.as_str()), ("include", "team/app"), ("tag", "^a")];
    house.configured("oci", &narrow).await;
    house.later(1).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("a2".to_owned(), 1));
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    house.configured("oci", &[("registry", &host)]).await;
    house.later(1).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await.0, "a2 b2");
    assert_eq!(house.known(&format!("{host}/team/web")).await.0, "b2");
    house.push("team/app", "c1", "mug");
    house.later(400).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await.0, "a2 b2 c1");
}

#[tokio::test]
async fn a_repository_that_is_off_is_left_alone() {
    let house = House::new().await;
    let host = house.registry.host();
    let ann = house.client("ann").await;
    house.push("team/app", "1", "cup");
    house.push("team/web", "1", "pot");
    ann.enable_repository("acme", &format!("{host}/team/web"), false).await.unwrap();
    let made =
        house.configured("distribution", &[("registry", &host), ("webhook-auth", SECRET)]).await;
    house.later(1).await;
    let digest = house.push("team/web", "2", "lid");
    let sent = notification("web", "team/web", "2", &digest);
    assert_eq!(house.post(&hook(&made.integration), &sent).await.0, 200);
    house.later(1).await;
    assert_eq!(house.known(&format!("{host}/team/web")).await, (String::new(), 1));
    ann.enable_repository("acme", &format!("{host}/team/web"), true).await.unwrap();
    house.later(3700).await;
    // The newest of it, as of any other when somebody begins to watch it.
    assert_eq!(house.known(&format!("{host}/team/web")).await, ("2".to_owned(), 2));
}

/// Nobody waits for the next look who has just asked for it.
#[tokio::test]
async fn what_is_asked_for_is_looked_at_at_once() {
    let house = House::new().await;
    let host = house.registry.host();
    let ann = house.client("ann").await;
    for tag in ["1", "2", "3"] {
        house.push("team/app", tag, tag);
        house.push("team/web", tag, tag);
    }
    let web = format!("{host}/team/web");
    ann.enable_repository("acme", &web, false).await.unwrap();
    // As people paste it.
    house.configured("oci", &[("registry", &format!("https://{host}/"))]).await;
    assert_eq!(jobs::all(&house.app).await, ["attend"]);
    assert_eq!(house.known(&format!("{host}/team/app")).await.0, "3");
    assert_eq!(house.known(&web).await.0, "");
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    ann.enable_repository("acme", "elsewhere.example/team/web", true).await.unwrap();
    assert!(jobs::all(&house.app).await.is_empty());
    ann.enable_repository("acme", &web, true).await.unwrap();
    assert_eq!(jobs::all(&house.app).await, ["attend"]);
    assert_eq!(house.known(&web).await.0, "3");
}

/// Its password comes from what its template makes, which has to be told where its webhooks go.
#[tokio::test]
async fn azure_waits_for_its_password() {
    let house = House::new().await;
    house.push("team/app", "1", "cup");
    let stand_in = VendorStandIn::start(Vendor::Azure, &house.registry.host());
    let host = stand_in.host();
    let mut told = vec![("registry", host.as_str()), ("user", "reader")];
    let made = house.configured("azure", &told).await;
    assert_eq!(made.integration.state, IntegrationState::Pending);
    assert!(made.integration.hook.is_some());
    house.later(1).await;
    assert_eq!(house.state("azure").await.0, IntegrationState::Pending);
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    told.push(("password", "wrong"));
    assert_eq!(house.configured("azure", &told).await.integration.state, IntegrationState::Error);
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    told.pop();
    told.push(("password", "pass"));
    assert_eq!(
        house.configured("azure", &told).await.integration.state,
        IntegrationState::Connected
    );
    jobs::all(&house.app).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await.0, "1");
    // One that is not there at all is no such thing.
    let made = house.configured("azure", &[("registry", "127.0.0.1:1"), ("password", "")]).await;
    assert_eq!(made.integration.state, IntegrationState::Error);
}

/// Who tells what changed is asked for that, and for everything now and then.
#[tokio::test]
async fn what_changed_is_asked_for_where_that_is_told() {
    let house = House::new().await;
    for number in 0..5 {
        house.push("team/app", &format!("v{number}"), "cup");
    }
    let stand_in = VendorStandIn::start(Vendor::Artifactory, &house.registry.host());
    let host = stand_in.host();
    let api = format!("http://{host}/artifactory");
    let told = [
        ("registry", host.as_str()),
        ("api", api.as_str()),
        ("repository", "docker-local"),
        ("user", "reader"),
        ("password", "pass"),
    ];
    house.configured("artifactory", &told).await;
    let app = format!("{host}/docker-local/team/app");
    let looked = async |seconds| {
        let before = stand_in.seen().len();
        house.later(seconds).await;
        let seen: Vec<String> =
            stand_in.seen().into_iter().skip(before).map(|it| it.path).collect();
        let has = |word: &str| seen.iter().any(|it| it.contains(word));
        (has("api/search/aql"), has("tags/list"))
    };
    assert_eq!(looked(1).await, (false, true));
    assert_eq!(house.known(&app).await.0, "v4");
    house.push("team/app", "new", "pot");
    assert_eq!(looked(400).await, (true, false));
    assert_eq!(house.known(&app).await.0, "new v4");
    // What is switched off is left alone, and looked at as a whole once it is on.
    let ann = house.client("ann").await;
    ann.enable_repository("acme", &app, false).await.unwrap();
    house.push("team/app", "off", "lid");
    assert_eq!(looked(400).await, (true, false));
    assert_eq!(house.known(&app).await.0, "new v4");
    ann.enable_repository("acme", &app, true).await.unwrap();
    for _ in 0..10 {
        looked(400).await;
    }
    assert!(house.known(&app).await.0.contains("off"));
}

/// A look at what changed alone says nothing of what could not be looked at before.
#[tokio::test]
async fn what_is_wrong_with_the_rest_is_said_until_all_of_it_is_looked_at() {
    let house = House::new().await;
    house.push("team/app", "v1", "cup");
    house.push("team/closed", "v1", "pot");
    let stand_in = VendorStandIn::start(Vendor::Artifactory, &house.registry.host());
    let host = stand_in.host();
    let api = format!("http://{host}/artifactory");
    let told = [
        ("registry", host.as_str()),
        ("api", api.as_str()),
        ("repository", "docker-local"),
        ("user", "reader"),
        ("password", "pass"),
    ];
    house.configured("artifactory", &told).await;
    let is_whole = async || {
        let before = stand_in.seen().len();
        house.later(400).await;
        stand_in.seen().into_iter().skip(before).any(|it| it.path.contains("team/app/tags/list"))
    };
    house.later(1).await;
    assert!(!is_whole().await);
    assert_eq!(house.state("artifactory").await.0, IntegrationState::Connected);
    let closed = "docker-local/v2/team/closed/tags/list";
    stand_in.plan(closed, 1, Fault::status(403));
    let mut looks = 0;
    while !is_whole().await {
        looks += 1;
        assert!(looks < 20, "all of it is looked at now and then");
    }
    let (now, why) = house.state("artifactory").await;
    assert!(why.contains("team/closed"), "{now:?} {why}");
    assert!(!is_whole().await);
    assert_eq!(house.state("artifactory").await, (now, why), "it was not looked at again");
}
