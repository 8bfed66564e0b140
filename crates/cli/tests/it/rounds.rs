//! A server that sends whoever asks for a list back to where they were.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sandbox::Sandbox;

/// So often it is asked in vain; then it gives up.
const MOST: usize = 10;

#[test]
fn nobody_goes_round_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &counted);
        }
    });
    let sandbox = Sandbox::new()
        .with("FORETOP_SERVER", &root)
        .with("FORETOP_TOKEN", "fto_any")
        .with("FORETOP_ORG", "acme");
    let said = sandbox.foretop("env production --stale");
    assert!(said.starts_with("exit 0\n"), "{said}");
    assert_eq!(looks.load(Ordering::SeqCst), 2, "there is nothing more: {said}");
}

fn answer(stream: TcpStream, looks: &AtomicUsize) {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let begin = head.len();
        if stream.read_line(&mut head).unwrap() == 0 {
            return;
        }
        let line = head[begin..].trim().to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    let (status, body) = if head.contains("/tags/looks") {
        let goes_on = looks.fetch_add(1, Ordering::SeqCst) < MOST;
        let body = r#"{"asked":0,"moved":[],"untold":[],"next":"the same"}"#;
        (if goes_on { "200 OK" } else { "404 Not Found" }, body)
    } else if head.contains("/environments/production") {
        let body = r#"{"id":"1","name":"production","created":"2026-11-21T10:00:00Z",
            "created_by":"ann","running":0,"pending":0}"#;
        ("200 OK", body)
    } else {
        ("200 OK", r#"{"items":[]}"#)
    };
    let head = "content-type: application/json\r\nconnection: close";
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.get_mut().write_all(text.as_bytes()).unwrap();
}
