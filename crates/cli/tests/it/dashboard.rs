//! The dashboard of a server as a process of its own, in the name of a token.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::sandbox::Sandbox;
use crate::serving::Serving;

fn page(serving: &Serving, token: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(serving.host()).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let shown =
        if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: foretop\r\n{shown}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn what_runs_is_on_the_pages() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 0");
    let ann = Sandbox::new();
    let token = serving.settled(&ann, "it --scope read");
    let digest = "1".repeat(64);
    let said = ann.foretop(&format!("env production acme/web:v1@sha256:{digest}"));
    assert!(said.starts_with("exit 0\n"), "{said}");
    let nobody = page(&serving, "", "/o/acme");
    assert!(nobody.starts_with("HTTP/1.1 303"), "{nobody}");
    assert!(nobody.contains("location: /login?next=%2Fo%2Facme"), "{nobody}");
    let overview = page(&serving, &token, "/o/acme");
    assert!(overview.starts_with("HTTP/1.1 200"), "{overview}");
    assert!(overview.contains("content-security-policy: default-src 'none'; style-src 'self'"));
    assert!(overview.contains("<a href=\"/o/acme/environments/production\">production</a>"));
    assert!(!overview.contains(&token));
    let environment = page(&serving, &token, "/o/acme/environments/production");
    assert!(environment.contains("acme/web:v1") && environment.contains("not analysed"));
    let nowhere = page(&serving, &token, "/o/other");
    assert!(nowhere.starts_with("HTTP/1.1 404"), "{nowhere}");
}
