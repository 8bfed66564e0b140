//! Who is told something, through a server: configured, tested, listed, and never seen.

use testkit::{ReceiverStandIn, Receives};

use crate::sandbox::Sandbox;
use crate::serving::Serving;

/// T10: a Slack webhook is told a text, and a test says what came of it.
#[test]
fn slack_is_configured_and_tested() {
    let stand_in = ReceiverStandIn::start(Receives::Slack);
    let house = Sandbox::new().with("FORETOP_LOG", "warn").with("FORETOP_OUTGOING", "127.0.0.1");
    let serving = Serving::start(&house, "--organization acme --workers 1");
    let home = Sandbox::new();
    serving.settled(&home, "it --org acme --scope admin");
    home.file("url.txt", format!("{}\n", stand_in.url()));
    home.file("words.txt", "{{ title }}\nfor *{{ organisation }}*");
    let line =
        "integration configure slack --parameter url=@url.txt --parameter template=@words.txt";
    let made = home.output(line);
    let said = home.shown(&made);
    assert!(made.status.success() && said.contains("✓ receiver reachable: 127.0.0.1:"), "{said}");
    assert!(stand_in.heard().is_empty(), "to configure is to say nothing");
    let said = home.foretop("integration test slack");
    assert!(said.contains("✓ a test message is taken: 127.0.0.1:"), "{said}");
    let body: serde_json::Value = serde_json::from_slice(&stand_in.heard()[0].body).unwrap();
    let text = "This is a test of Foretop\nfor *acme*";
    assert_eq!(body, serde_json::json!({ "text": text }));
    let listed = home.foretop("integration list");
    assert!(listed.contains("slack") && listed.contains("connected"), "{listed}");
    for said in [said, listed, home.foretop("integration list slack --name default")] {
        assert!(!said.contains("vErYs3cReT"), "{said}");
    }
}

/// Beside a SQLite file that somebody names, a key is made as well: without one nothing secret can be kept.
#[test]
fn a_named_database_has_a_key_beside_it() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn").with("FORETOP_OUTGOING", "127.0.0.1");
    house.file("named/.keep", "");
    let named = house.path("named");
    let address = format!("sqlite://{}/own.db", named.display());
    let house = house.with("FORETOP_DATABASE", &address);
    let serving = Serving::start(&house, "--organization acme --workers 1");
    assert!(named.join("foretop.key").is_file());
    let home = Sandbox::new();
    serving.settled(&home, "it --org acme --scope admin");
    let said = home.foretop("integration configure slack --parameter url=http://127.0.0.1:9/x");
    assert!(said.contains("✓ Slack default is connected"), "{said}");
    // Where nobody knows the kind, it is said which there are.
    let said = home.foretop("rule add it --channel slak --on all");
    assert!(said.contains("kind of integration `slak`: there is none"), "{said}");
    assert!(said.contains("hint: there are: email, slack, teams, webhook"), "{said}");
}

#[test]
fn without_a_list_nobody_inside_is_told_anything() {
    let stand_in = ReceiverStandIn::start(Receives::Slack);
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 1");
    let home = Sandbox::new();
    serving.settled(&home, "it --org acme --scope admin");
    home.file("url.txt", stand_in.url().replace("http://", "https://"));
    let refused = home.output("integration configure slack --parameter url=@url.txt");
    let said = home.shown(&refused);
    assert!(said.starts_with("exit 1\n") && said.contains("it is this machine itself"), "{said}");
    assert!(said.contains("hint: ") && said.contains("--outgoing 127.0.0.1"), "{said}");
    assert!(!said.contains("vErYs3cReT") && stand_in.heard().is_empty(), "{said}");
    // A list that makes no sense is told before anything begins.
    let bad = house.output("serve --listen 127.0.0.1:0 --outgoing https://a.example");
    let said = house.shown(&bad);
    assert!(
        said.contains("outgoing: https://a.example: it is a URL: name its host alone"),
        "{said}"
    );
}

#[test]
fn each_kind_is_in_the_help() {
    let home = Sandbox::new();
    let said = home.foretop("integration configure nobody");
    let (_, kinds) = said.split_once("hint: there are: ").unwrap();
    let kinds: Vec<&str> = kinds.lines().next().unwrap().split(", ").collect();
    assert!(kinds.len() > 5, "{said}");
    let help = home.foretop("integration configure --help");
    let (_, first) = help.split_once("What to speak with: ").unwrap();
    let first = first.split("\n\n").next().unwrap();
    let first: Vec<&str> = first.split(',').map(str::trim).collect();
    assert_eq!(first, kinds);
}
