//! Settings: what owners do with members, invitations, tokens and what is kept, and nobody else.

use model::Act;

use super::*;

const PATH: &str = "/o/acme/settings";

/// Two people, of whom the first owns everything.
async fn house() -> (House, Browser, Browser) {
    let house = House::new(false).await;
    let ann = house.settled().await;
    let bob = house.somebody(&ann, "bob", "acme", "member").await;
    (house, ann, bob)
}

impl House {
    /// The rows of a table of the page.
    async fn rows(&self, browser: &Browser, table: &str) -> Vec<Json> {
        let path = format!("{PATH}?format=json&table={table}");
        serde_json::from_str(&self.look(browser, &path).await.text).unwrap()
    }

    async fn does(&self, browser: &Browser, form: &[(&str, &str)]) {
        let answer = self.fill_in(browser, "same-origin", PATH, form).await;
        assert_eq!((answer.status, answer.header("location")), (303, PATH), "{}", answer.text);
    }
}

#[tokio::test]
async fn owners_say_who_is_in_and_as_what() {
    let (house, ann, bob) = house().await;
    let check = async |expect: &str| {
        let rows = house.rows(&ann, "members").await;
        let line = |it: &Json| {
            let word = |key: &str| it[key].as_str().unwrap().to_owned();
            format!("{} {} {}", word("name"), word("role"), word("state"))
        };
        assert_eq!(rows.iter().map(line).collect::<Vec<_>>().join("; "), expect);
    };
    check("ann owner may log in; bob member may log in").await;
    house.does(&ann, &[("do", "role"), ("member", "bob"), ("role", "editor")]).await;
    check("ann owner may log in; bob editor may log in").await;
    house.does(&ann, &[("do", "disable"), ("member", "bob")]).await;
    check("ann owner may log in; bob editor may not log in").await;
    assert_eq!(house.look(&bob, PATH).await.status, 303, "his session has ended");
    house.does(&ann, &[("do", "enable"), ("member", "bob")]).await;
    house.does(&ann, &[("do", "remove"), ("member", "bob")]).await;
    check("ann owner may log in").await;
    for wrong in [
        [("do", "role"), ("member", "ann"), ("role", "king")],
        [("do", "role"), ("member", "ann"), ("role", "member")],
        [("do", "remove"), ("member", "ann"), ("role", "")],
        [("do", "remove"), ("member", "nobody"), ("role", "")],
        [("do", "keep"), ("what", "events"), ("days", "-1")],
        [("do", "keep"), ("what", "nothing"), ("days", "1")],
        [("do", "invite"), ("role", "member"), ("days", "31")],
        [("do", "token"), ("name", "x"), ("scope", "all")],
    ] {
        let answer = house.fill_in(&ann, "same-origin", PATH, &wrong).await;
        assert!((400..500).contains(&answer.status), "{wrong:?}: {}", answer.status);
    }
    check("ann owner may log in").await;
}

#[tokio::test]
async fn who_is_invited_gets_an_address_that_is_shown_once() {
    let (house, ann, _) = house().await;
    let form = [("do", "invite"), ("role", "editor"), ("days", "3")];
    let made = house.fill_in(&ann, "same-origin", PATH, &form).await;
    assert_eq!(made.status, 200, "{}", made.text);
    is_dressed(&made, "what was made");
    let link = links(&made.text).into_iter().find(|it| it.starts_with("/join/")).unwrap();
    let page = house.look(&ann, PATH).await.text;
    assert!(!page.contains(link.trim_start_matches("/join/")), "{page}");
    let rows = house.rows(&ann, "invitations").await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((&row["role"], &row["created_by"]), (&json!("editor"), &json!("ann")));
    house.join(link.rsplit('/').next().unwrap(), "eve").await;
    assert!(house.rows(&ann, "invitations").await.is_empty());
    assert_eq!(house.rows(&ann, "members").await.len(), 3);
    let made = house.fill_in(&ann, "same-origin", PATH, &form).await;
    let link = links(&made.text).into_iter().find(|it| it.starts_with("/join/")).unwrap();
    let rows = house.rows(&ann, "invitations").await;
    let id = rows[0]["invitation"].as_str().unwrap();
    house.does(&ann, &[("do", "uninvite"), ("invitation", id)]).await;
    assert_eq!(house.look(&Browser::default(), &link).await.status, 404);
}

#[tokio::test]
async fn tokens_are_shown_once_and_revoked() {
    let (house, ann, _) = house().await;
    let form = [("do", "token"), ("name", "ci"), ("scope", "write"), ("days", "30")];
    let made = house.fill_in(&ann, "same-origin", PATH, &form).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let code = made.text.split("<pre class=\"made\"><code>").nth(1).unwrap();
    let secret = code.split('<').next().unwrap();
    let speaks = async || {
        let request = Request::get("/api/v1/orgs/acme/environments")
            .header(header::AUTHORIZATION, format!("Bearer {secret}"));
        house.send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(speaks().await, 200);
    assert!(!house.look(&ann, PATH).await.text.contains(secret));
    let rows = house.rows(&ann, "tokens").await;
    assert_eq!((&rows[0]["name"], &rows[0]["scope"]), (&json!("ci"), &json!("write")));
    assert_eq!(rows[0]["expires"], "2026-12-21T10:00:00Z");
    let page = house.look(&ann, PATH).await.text;
    let choice = page.split("<select id=\"token\"").nth(1).unwrap();
    let id = choice.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    house.does(&ann, &[("do", "revoke"), ("token", id)]).await;
    assert_eq!(speaks().await, 401);
    assert!(!house.look(&ann, PATH).await.text.contains("<select id=\"token\""));
}

#[tokio::test]
async fn what_is_kept_and_when_it_was_backed_up() {
    let (house, ann, bob) = house().await;
    let days = async || {
        let rows = house.rows(&ann, "kept").await;
        let row = rows.iter().find(|it| it["what"] == "events").unwrap();
        row["days"].as_str().unwrap().to_owned()
    };
    let usual = days().await;
    house.does(&ann, &[("do", "keep"), ("what", "events"), ("days", "50")]).await;
    assert_eq!(days().await, "50 days");
    house.does(&ann, &[("do", "keep"), ("what", "events"), ("days", "")]).await;
    assert_eq!(days().await, "ever");
    house.does(&ann, &[("do", "usual"), ("what", "events")]).await;
    assert_eq!(days().await, usual);
    let page = house.look(&bob, PATH).await.text;
    assert!(page.contains("No event tells of a backup"), "{page}");
    let at = "2026-11-20T10:00:00Z".parse().unwrap();
    let act = Act { who: "root (admin)".to_owned(), origin: "house".to_owned(), at };
    house.app.store().backed_up(&act, "night.bak").await.unwrap();
    let page = house.look(&bob, PATH).await.text;
    assert!(page.contains("by root (admin): night.bak"), "{page}");
}

#[tokio::test]
async fn members_see_none_of_it_and_cannot_forge_it() {
    let (house, ann, bob) = house().await;
    let page = house.look(&bob, PATH).await.text;
    for it in ["value=\"invite\"", "value=\"revoke\"", "value=\"keep\"", "Invitations</h3>"] {
        assert!(!page.contains(it), "{it}: {page}");
        assert!(house.look(&ann, PATH).await.text.contains(it) || it.contains("revoke"), "{it}");
    }
    for form in [
        [("do", "invite"), ("role", "owner"), ("days", "7")],
        [("do", "uninvite"), ("invitation", "x"), ("x", "")],
        [("do", "role"), ("member", "bob"), ("role", "owner")],
        [("do", "remove"), ("member", "ann"), ("x", "")],
        [("do", "disable"), ("member", "ann"), ("x", "")],
        [("do", "token"), ("name", "x"), ("scope", "admin")],
        [("do", "revoke"), ("token", "x"), ("x", "")],
        [("do", "keep"), ("what", "events"), ("days", "1")],
        [("do", "usual"), ("what", "events"), ("x", "")],
    ] {
        let forged = house.fill_in(&bob, "same-origin", PATH, &form).await;
        assert_eq!(forged.status, 403, "{form:?}: {}", forged.text);
        let foreign = house.fill_in(&ann, "cross-site", PATH, &form).await;
        assert_eq!(foreign.status, 403, "{form:?}");
    }
    assert_eq!(house.rows(&ann, "members").await.len(), 2);
    assert!(house.rows(&ann, "tokens").await.is_empty());
}
