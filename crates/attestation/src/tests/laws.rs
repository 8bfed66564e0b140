//! Laws: junk makes nobody panic, and what is written is read back.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Everything that reads bytes.
fn all(bytes: &[u8]) {
    let _ = Key::read(bytes);
    if let Ok(statement) = Statement::read(bytes) {
        let _ = Provenance::read(&statement);
        assert!(Statement::read(statement.to_json().as_bytes()).is_ok());
    }
    if let Ok(envelope) = Envelope::read(bytes) {
        let _ = envelope.statement();
    }
    if let Ok(bundle) = Bundle::read(bytes) {
        let _ = bundle.statement();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Dockerfile::read(text, &BTreeMap::new(), &BTreeMap::new());
        let _ = crate::kind(text);
    }
}

proptest! {
    #[test]
    fn junk_makes_nobody_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        all(&bytes);
    }

    #[test]
    fn nor_does_what_looks_like_something(
        at in 0..3_usize, cut in any::<prop::sample::Index>(), letter in any::<u8>(),
    ) {
        let made = &made()[at];
        for text in [&made.key, &made.payload, &made.envelope, &made.bundles[0]] {
            let mut bytes = text.clone().into_bytes();
            let at = cut.index(bytes.len());
            bytes[at] = letter;
            all(&bytes);
            all(&bytes[..at]);
        }
    }

    #[test]
    fn nor_do_dockerfiles(text in "(FROM|ARG|RUN|#|\\$\\{|\\}|\\$|:-|A=|A| |\n|\\\\|\"|'|<<E|scratch){0,40}") {
        all(text.as_bytes());
        all(format!("ARG A=1\nFROM {text}\n").as_bytes());
    }

    #[test]
    fn what_is_signed_can_be_taken_apart(kind in "[a-z/+.]{0,20}", payload in prop::collection::vec(any::<u8>(), 0..50)) {
        let signed = pae(&kind, &payload);
        let rest = signed.strip_prefix(b"DSSEv1 ").unwrap();
        let (length, rest) = number(rest);
        let (read, rest) = rest.split_at(length);
        prop_assert_eq!(read, kind.as_bytes());
        let (length, rest) = number(&rest[1..]);
        prop_assert_eq!(length, payload.len());
        prop_assert_eq!(rest, &payload[..]);
    }

    #[test]
    fn envelopes_read_back(
        kind in ".{0,20}", payload in prop::collection::vec(any::<u8>(), 0..50),
        signatures in prop::collection::vec(("[a-z]{0,5}", prop::collection::vec(any::<u8>(), 0..9)), 0..4),
    ) {
        let signature = |(key, bytes)| Signature { key, bytes };
        let signatures = signatures.into_iter().map(signature).collect();
        let envelope = Envelope { payload_type: kind, payload, signatures };
        prop_assert_eq!(Envelope::read(envelope.to_json().as_bytes()), Ok(envelope));
    }
}

fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let end = bytes.iter().position(|it| *it == b' ').unwrap();
    let number = std::str::from_utf8(&bytes[..end]).unwrap().parse().unwrap();
    (number, &bytes[end + 1..])
}

#[test]
fn what_is_too_much_is_refused() {
    let subjects = r#"{"name":"a"},"#.repeat(10_001);
    let text = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"a","subject":[{}]}}"#,
        subjects.trim_end_matches(',')
    );
    let why = Statement::read(text.as_bytes()).unwrap_err().to_string();
    assert!(why.contains("a list is longer than 10000"), "{why}");
    let signatures = r#"{"sig":""},"#.repeat(101);
    let text = format!(
        r#"{{"payloadType":"a","payload":"","signatures":[{}]}}"#,
        signatures.trim_end_matches(',')
    );
    let why = Envelope::read(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(why, "it has over 100 signatures");
    let deep = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"a","predicate":{}}}"#,
        "[".repeat(100_000)
    );
    assert!(Statement::read(deep.as_bytes()).is_err());
    let text = format!("FROM a\n{}", "FROM a\n".repeat(1000));
    let why = Dockerfile::read(&text, &BTreeMap::new(), &BTreeMap::new()).unwrap_err();
    assert_eq!(why.to_string(), "it has over 1000 stages");
    let nested = format!("FROM {}a{}\n", "${A:-".repeat(500), "}".repeat(500));
    let file = Dockerfile::read(&nested, &BTreeMap::new(), &BTreeMap::new()).unwrap();
    assert!(matches!(file.stages[0].from, From::Unknown(_)));
}
