//! The first owner, whoever is invited, and whoever forgot their password come by pages of ours.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use super::{Browser, House, PASSWORD};
use crate::{first_start, offer_reset};

#[tokio::test]
async fn the_first_owner_comes_by_a_page() {
    let house = House::new(false).await;
    let nobody = Browser::default();
    let link = first_start(&house.app, "", "a<b").await.unwrap().unwrap();
    let page = house.look(&nobody, &link).await;
    super::is_dressed(&page, "first");
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<b>owner of a&#60;b</b>"), "{}", page.text);
    assert!(page.text.contains("<form method=\"post\">"), "{}", page.text);
    let typed = [("name", "\">ann"), ("password", "short")];
    let page = house.fill_in(&nobody, "same-origin", &link, &typed).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("password: it is shorter than 12 characters"), "{}", page.text);
    assert!(page.text.contains("value=\"&#34;&#62;ann\""), "what was typed stays: {}", page.text);
    for junk in ["", "name=ann", "%", "name=%ff&password=%ff", "as=me"] {
        let request = Request::post(&link)
            .header(header::HOST, "foretop.example")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = house.send(request.body(Body::from(junk)).unwrap()).await;
        assert!((300..423).contains(&answer.status), "{junk}: {}", answer.status);
    }
    let right = [("name", "ann"), ("password", PASSWORD)];
    assert_eq!(house.fill_in(&nobody, "cross-site", &link, &right).await.status, 403);
    let page = house.fill_in(&nobody, "same-origin", &link, &right).await;
    assert!(page.status == 200 && page.text.contains("Welcome, ann"), "{}", page.text);
    let again = [("name", "bob"), ("password", PASSWORD)];
    let page = house.fill_in(&nobody, "same-origin", &link, &again).await;
    assert!(page.status == 404 && page.text.contains("ask for another"), "{}", page.text);
    house.log_in("ann").await;
}

#[tokio::test]
async fn who_is_invited_joins_newly_or_as_who_they_are() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    house.api(&ann, "POST /orgs", json!({ "name": "other" })).await;
    let invited = async |organisation: &str| {
        let line = format!("POST /orgs/{organisation}/invitations");
        let made = house.api(&ann, &line, json!({ "role": "member" })).await;
        format!("/join/{}", made["secret"].as_str().unwrap())
    };
    let link = invited("acme").await;
    let page = house.look(&Browser::default(), &link).await;
    assert!(page.text.contains("ann invites you: <b>member of acme</b>"), "{}", page.text);
    assert!(!page.text.contains("Join as"), "{}", page.text);
    let form = [("name", "bob"), ("password", PASSWORD)];
    let page = house.fill_in(&Browser::default(), "same-origin", &link, &form).await;
    assert!(page.text.contains("Welcome, bob"), "{}", page.text);
    // Who is somebody here already need not become another.
    let bob = house.log_in("bob").await;
    let link = invited("other").await;
    let page = house.look(&bob, &link).await;
    assert!(page.text.contains("Join as bob"), "{}", page.text);
    assert_eq!(house.look(&bob, "/o/other").await.status, 404, "looking joins nothing");
    let page = house.fill_in(&bob, "same-origin", &link, &[("as", "me")]).await;
    assert!(page.text.contains("You are in <b>other</b> now"), "{}", page.text);
    assert_eq!(house.look(&bob, "/o/other").await.status, 200);
    assert_eq!(house.look(&bob, "/join/fti_no").await.status, 404);
}

#[tokio::test]
async fn the_page_says_whose_password_it_is() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    let at = house.app.now();
    let act = model::Act { who: "root".to_owned(), origin: String::new(), at };
    let (link, _) = offer_reset(house.app.store(), &act, "", "ann").await.unwrap();
    let nobody = Browser::default();
    let page = house.look(&nobody, &link).await;
    assert!(page.text.contains("Another password for <b>ann</b>"), "{}", page.text);
    let page = house.fill_in(&nobody, "same-origin", &link, &[("password", "ann")]).await;
    assert!(page.status == 422 && page.text.contains("role=\"alert\""), "{}", page.text);
    let right = [("password", "a blue horse!")];
    let page = house.fill_in(&nobody, "same-origin", &link, &right).await;
    assert!(page.text.contains("That is your password now, ann"), "{}", page.text);
    let page = house.look(&nobody, &link).await;
    assert!(page.status == 404 && page.text.contains("it was used"), "{}", page.text);
    assert_eq!(house.look(&ann, "/o/acme").await.status, 303, "they are logged out everywhere");
}
