//! Policies at URLs: read as they are there now, bounded, and from nowhere else.

use testkit::{FakeRegistry, Fault};

use crate::sandbox::Sandbox;

const RULE: &str = "package docker.scout\n\nimport rego.v1\n\ndefault pass := false\n\npass if object.get(data.config, \"tea\", false)\n";
const WARM: &str = r#"{"policies": [{"name": "docker.scout", "config": {"tea": true}}]}"#;

#[test]
fn policies_are_read_where_they_are() {
    let shelf = FakeRegistry::start();
    let home = Sandbox::new();
    home.file("image/etc/tea", "tea");
    shelf.put_page("/rule.rego", "1", RULE);
    shelf.put_page("/warm.json", "1", WARM);
    let at = |path: &str| format!("http://{}/{path}", shelf.host());
    let asked = |more: &str| format!("policy fs://image --exit-code {more}");
    let rule = format!("--policy-file {}", at("rule.rego"));
    home.exits(2, &asked(&rule));
    home.done(&asked(&format!("{rule} --policy-config {}", at("warm.json"))));
    // Nothing is kept: what is there now counts.
    shelf.put_page("/warm.json", "2", r#"{"policies": []}"#);
    home.exits(2, &asked(&format!("{rule} --policy-config {}", at("warm.json"))));
}

#[test]
fn what_is_not_there_or_too_much_or_elsewhere_is_refused() {
    let shelf = FakeRegistry::start();
    let home = Sandbox::new();
    home.file("image/etc/tea", "tea");
    shelf.put_page("/rule.rego", "1", RULE);
    shelf.put_page("/large.rego", "1", vec![b'#'; (4 << 20) + 1]);
    shelf.put_page("/binary.rego", "1", vec![0xff, 0xfe, 0x00]);
    let said = |home: &Sandbox, url: &str| {
        home.exits(1, &format!("policy fs://image --policy-file {url}"))
    };
    let host = shelf.host();
    let check = |path: &str, why: &str| {
        let said = said(&home, &format!("http://{host}/{path}"));
        assert!(said.contains(why) && !said.contains("secret"), "{said}");
    };
    check("none.rego?token=secret", "the answer is 404");
    check("large.rego", "it is over 4194304 bytes");
    check("binary.rego", "no text");
    shelf.plan("/rule.rego", 1, Fault::Redirect(format!("http://{host}/large.rego")));
    check("rule.rego", "the answer is 30");
    let said_of = said(&home, "http://tea.example/rule.rego");
    assert!(said_of.contains("without TLS"), "{said_of}");
    let said_of = said(&home, &format!("http://me:secret@{host}/rule.rego"));
    assert!(said_of.contains("it has a user or a password in it"), "{said_of}");
    assert!(!said_of.contains("secret"), "{said_of}");
    let home = home.with("FORETOP_OFFLINE", "1");
    let said_of = said(&home, &format!("http://{host}/rule.rego"));
    assert!(said_of.contains("FORETOP_OFFLINE"), "{said_of}");
}
