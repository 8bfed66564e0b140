//! Mail, through a real server.

use std::time::Duration;

use integration::{Message, Remedy};
use testkit::{MailServer, MailTls};

use super::{PATIENT, connected, huge, message, party, say, shown, ways_of};

fn settings<'a>(
    port: &'a str,
    tls: &'a str,
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        // Its certificate says so.
        ("host", "localhost"),
        ("port", port),
        ("tls", tls),
        ("from", "Foretop <foretop@acme.example>"),
        ("to", "security@acme.example,ada@acme.example"),
    ];
    all.retain(|(key, _)| !more.iter().any(|it| it.0 == *key));
    all.extend(more);
    all
}

const LOGIN: [(&str, &str); 2] = [("user", MailServer::USER), ("password", MailServer::PASSWORD)];

#[tokio::test]
async fn letters_arrive_in_each_way() {
    for (tls, word) in
        [(MailTls::Agreed, "starttls"), (MailTls::AtOnce, "tls"), (MailTls::Never, "none")]
    {
        let Some(server) = MailServer::start(tls) else { return };
        let port = server.port().to_string();
        let login: &[(&str, &str)] = if tls == MailTls::Never { &[] } else { &LOGIN };
        let party = party("email", &settings(&port, word, login));
        let told = shown(&say(&*party, &message()).await);
        assert_eq!(told, "told: localhost took it for 2", "{word}");
        say(&*party, &huge()).await.unwrap();
        let letters = server.letters(2);
        let letter = &letters[0];
        assert_eq!(letter.from, "foretop@acme.example");
        assert_eq!(letter.to, ["security@acme.example", "ada@acme.example"]);
        assert_eq!((letter.tls, letter.login), (tls != MailTls::Never, tls != MailTls::Never));
        let head = letter.text.split("\r\n\r\n").next().unwrap();
        for line in [
            "From: Foretop <foretop@acme.example>",
            "Subject: CVE-2021-44228 (critical) runs in production",
            "Auto-Submitted: auto-generated",
            "Message-ID: <",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(head.contains(line), "no {line} in {head}");
        }
        for word in [
            "text/plain",
            "text/html",
            "team/app:1",
            "<li>team/app:1</li>",
            "Read on</a>",
            "&lt;&amp; known&gt;",
        ] {
            assert!(letter.text.contains(word), "no {word} in {}", letter.text);
        }
        let id = |at: usize| {
            let mut lines = letters[at].text.lines();
            lines.find(|it| it.starts_with("Message-ID: ")).unwrap().to_owned()
        };
        assert_eq!(id(0), id(1), "one key, one letter");
        assert!(letters[1].text.len() < 210_000);
        assert!(letters[1].text.contains(" more"));
        let longest = letters[1].text.lines().map(str::len).max().unwrap();
        assert!(longest <= 998, "{longest}");
    }
}

#[tokio::test]
async fn what_a_server_refuses() {
    let Some(server) = MailServer::start(MailTls::Agreed) else { return };
    let port = server.port().to_string();
    let check = async |more: &[(&str, &str)], message: &Message, expect: &str| {
        let mut all = LOGIN.to_vec();
        all.retain(|(key, _)| !more.iter().any(|it| it.0 == *key));
        all.extend(more);
        let party = party("email", &settings(&port, "starttls", &all));
        let told = shown(&say(&*party, message).await);
        assert!(told.starts_with(expect), "{told}\nis not\n{expect}");
        assert!(!told.contains(MailServer::PASSWORD), "{told}");
    };
    let titled = |title: &str| Message { title: title.to_owned(), ..message() };
    check(
        &[("password", "wrong-p4ssword")],
        &message(),
        "close: localhost: login: permanent error (535)",
    )
    .await;
    check(
        &[("from", "nobody@acme.example")],
        &message(),
        "close: localhost: from: permanent error (550)",
    )
    .await;
    check(
        &[("to", "gone@acme.example")],
        &message(),
        "close: localhost: to: permanent error (550)",
    )
    .await;
    check(
        &[("to", "busy@acme.example")],
        &message(),
        "later: localhost: to: transient error (451)",
    )
    .await;
    assert!(server.letters(0).is_empty(), "none of these was taken");
    check(&[], &titled("spam"), "drop: localhost: letter: permanent error (554)").await;
    check(&[], &titled("full"), "later: localhost: letter: transient error (452)").await;
    // Who is there is told, and who is not is no secret.
    let told = "close: localhost: to: permanent error (550)";
    check(&[("to", "gone@acme.example,ada@acme.example")], &message(), told).await;
    let told = "later: localhost: to: transient error (451)";
    check(&[("to", "busy@acme.example,eve@acme.example")], &message(), told).await;
    let letters = server.letters(2);
    assert_eq!(letters[0].to, ["ada@acme.example"]);
    assert_eq!(letters[1].to, ["eve@acme.example"]);
}

#[tokio::test]
async fn without_trust_nothing_is_sent() {
    let Some(server) = MailServer::start(MailTls::Agreed) else { return };
    let port = server.port().to_string();
    // Its certificate is of nobody who is trusted.
    let ways = ways_of(Some(&["localhost"]), PATIENT);
    let mut stranger = ways.settings.as_ref().clone();
    stranger.certificate_authorities.clear();
    let ways = integration::Ways { settings: stranger.into(), ..ways };
    let here = settings(&port, "starttls", &LOGIN);
    let party = connected("email", &here, &ways).unwrap_or_else(|why| panic!("{why}"));
    let told = shown(&say(&*party, &message()).await);
    assert!(told.starts_with("later: localhost: TLS: "), "{told}");
    // A server without STARTTLS is no server to send a password to, nor anything else.
    let Some(plain) = MailServer::start(MailTls::Never) else { return };
    let port = plain.port().to_string();
    let party = super::party("email", &settings(&port, "starttls", &LOGIN));
    let why = say(&*party, &message()).await.unwrap_err();
    assert_eq!(
        (why.remedy, why.why.as_str()),
        (Remedy::Close, "localhost: it does not offer STARTTLS")
    );
    assert!(server.letters(0).is_empty() && plain.letters(0).is_empty());
}

/// Nothing in a title makes a header of its own.
#[tokio::test]
async fn a_title_is_one_line() {
    let Some(server) = MailServer::start(MailTls::Never) else { return };
    let port = server.port().to_string();
    let party = party("email", &settings(&port, "none", &[]));
    let title = "one\r\nBcc: evil@evil.example\r\n\r\nbody \u{202e}\u{1f98a}".to_owned();
    say(&*party, &Message { title, ..message() }).await.unwrap();
    let letter = &server.letters(1)[0];
    assert_eq!(letter.to, ["security@acme.example", "ada@acme.example"]);
    let head = letter.text.split("\r\n\r\n").next().unwrap();
    assert!(!head.lines().any(|it| it.to_ascii_lowercase().starts_with("bcc")), "{head}");
}

/// A server that says what it likes is not believed for ever, and not kept in memory.
#[tokio::test]
async fn servers_that_talk_nonsense() {
    use std::io::Write as _;
    for said in [
        &b"220 hello\r\n"[..],
        b"554 go away\r\n",
        b"what\r\n",
        b"220-\r\n",
        b"\xff\xfe\r\n",
        b"220 hello\r\n250 no extensions\r\n220 begin\r\n250 too early\r\n",
        b"",
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let said = said.to_vec();
        let talking = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            if said == b"220-\r\n" || said.is_empty() {
                // On and on, with lines and without.
                let more = if said.is_empty() { b"x".repeat(1000) } else { said.repeat(100) };
                while connection.write_all(&more).is_ok() {}
            } else {
                let _ = connection.write_all(&said);
                let _ = std::io::copy(&mut connection, &mut std::io::sink());
            }
        });
        let ways = ways_of(Some(&["127.0.0.0/8"]), std::time::Duration::from_secs(2));
        let all = settings(&port, "none", &[("host", "127.0.0.1")]);
        let party = connected("email", &all, &ways).unwrap_or_else(|why| panic!("{why}"));
        let why = say(&*party, &message()).await.unwrap_err();
        assert!(why.why.len() < 400 && !why.why.contains(char::is_control), "{}", why.why);
        talking.join().unwrap();
    }
}

/// A server of a few words: it says what `answer` makes of each line, and hangs where that is nothing.
fn scripted(
    answer: impl Fn(&str, usize) -> Option<&'static str> + Send + 'static,
) -> (String, std::thread::JoinHandle<Vec<String>>) {
    use std::io::{BufRead as _, BufReader, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let talking = std::thread::spawn(move || {
        let mut heard = Vec::new();
        for visit in 0.. {
            let (mut connection, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
            connection.write_all(b"220 hello\r\n").unwrap();
            let mut is_letter = false;
            while let Some(Ok(line)) = lines.next() {
                let word = line.split([' ', ':']).next().unwrap_or_default().to_owned();
                if line == "STOP" {
                    return heard;
                }
                if is_letter && line != "." {
                    continue;
                }
                heard.push(line.clone());
                let said = match answer(&line, visit) {
                    Some(said) => said,
                    None if word == "DATA" => "354 go on",
                    None if line == "." => "250 taken",
                    None if word == "QUIT" => continue,
                    None => "250 well",
                };
                is_letter = said.starts_with("354");
                if write!(connection, "{said}\r\n").is_err() {
                    break;
                }
            }
        }
        heard
    });
    (port, talking)
}

/// Ends a server of a few words, and says what it heard.
fn ended(port: &str, talking: std::thread::JoinHandle<Vec<String>>) -> Vec<String> {
    use std::io::Write as _;
    let mut last = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    last.write_all(b"STOP\r\n").unwrap();
    talking.join().unwrap()
}

/// Who took a letter and then says nothing more has it: it is not told again.
#[tokio::test]
async fn a_letter_that_is_taken_is_taken_whatever_is_said_to_a_farewell() {
    let (port, talking) = scripted(|_, _| None);
    let ways = ways_of(Some(&["127.0.0.0/8"]), PATIENT);
    let all = settings(&port, "none", &[("host", "127.0.0.1")]);
    let party = connected("email", &all, &ways).unwrap_or_else(|why| panic!("{why}"));
    let told = shown(&say(&*party, &message()).await);
    assert_eq!(told, "told: 127.0.0.1 took it for 2");
    let heard = ended(&port, talking);
    assert_eq!(heard.iter().filter(|it| *it == "DATA").count(), 1, "{heard:?}");
}

/// One who cannot be told for now keeps nobody else from being told, and nobody is told twice.
#[tokio::test]
async fn who_is_busy_keeps_nobody_waiting() {
    let (port, talking) = scripted(|line, visit| match line {
        "RCPT TO:<busy@acme.example>" if visit < 2 => Some("452 4.2.2 no room for now"),
        _ => None,
    });
    let ways = ways_of(Some(&["127.0.0.0/8"]), PATIENT);
    let to = ("to", "ada@acme.example,busy@acme.example");
    let all = settings(&port, "none", &[("host", "127.0.0.1"), to]);
    let party = connected("email", &all, &ways).unwrap_or_else(|why| panic!("{why}"));
    let told = async || shown(&say(&*party, &message()).await);
    let busy = "later: 127.0.0.1: to: transient error (452): 4.2.2 no room for now";
    assert_eq!(told().await, format!("{busy} (busy@acme.example); 1 of 2 have it"));
    assert_eq!(told().await, format!("{busy} (busy@acme.example); 1 of 2 have it"));
    assert_eq!(told().await, "told: 127.0.0.1 took it for 2");
    let heard = ended(&port, talking);
    let count = |word: &str| heard.iter().filter(|it| *it == word).count();
    assert_eq!((count("RCPT TO:<ada@acme.example>"), count("DATA")), (1, 2), "{heard:?}");
}

/// Many look through a letter before they say that they took it: it is waited for, so that nobody is handed
/// it again.
#[tokio::test]
async fn who_looks_through_a_letter_is_waited_for() {
    let patience = Duration::from_secs(3);
    let (port, talking) = scripted(move |line, _| {
        if line == "." {
            std::thread::sleep(patience + Duration::from_millis(500));
        }
        None
    });
    let ways = ways_of(Some(&["127.0.0.0/8"]), patience);
    let all = settings(&port, "none", &[("host", "127.0.0.1")]);
    let party = connected("email", &all, &ways).unwrap_or_else(|why| panic!("{why}"));
    let told = shown(&say(&*party, &message()).await);
    assert_eq!(told, "told: 127.0.0.1 took it for 2");
    assert!(party.notifier().unwrap().patience() > Duration::from_mins(5));
    ended(&port, talking);
}
