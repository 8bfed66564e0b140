//! Signatures made a moment ago by openssl, where it is there.

use std::process::{Command, Stdio};

use super::*;

const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.com/tea","subject":[],"predicate":{}}"#;

fn is_there() -> bool {
    let mut openssl = Command::new("openssl");
    let runs = openssl.arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let runs = runs.is_ok_and(|it| it.success());
    if !runs {
        println!("left out: openssl is missing");
    }
    runs
}

fn openssl(words: &[&str]) {
    let output = Command::new("openssl").args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Signs an envelope by a new key made by `genpkey` and these words, in the way that `sign` says.
fn check(genpkey: &[&str], sign: &[&str], expect: &str) {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (private, public, message, signature) = (at("key"), at("pub"), at("message"), at("sig"));
    openssl(&[&["genpkey", "-out", &private], genpkey].concat());
    openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
    fs_err::write(&message, pae(IN_TOTO, STATEMENT.as_bytes())).unwrap();
    let files = ["-out", &signature];
    match sign {
        ["pkeyutl", ..] => {
            openssl(&[sign, &["-inkey", &private, "-in", &message], &files].concat());
        }
        _ => openssl(&[sign, &["-sign", &private], &files, &[&*message]].concat()),
    }
    let bytes = fs_err::read(&signature).unwrap();
    let envelope = Envelope {
        payload_type: IN_TOTO.to_owned(),
        payload: STATEMENT.into(),
        signatures: vec![Signature { key: String::new(), bytes }],
    };
    let key = Key::read(&fs_err::read(&public).unwrap()).unwrap();
    assert_eq!(envelope.verify(&key, Log::Skipped).unwrap().algorithm, expect);
    // A bit less, and it is nothing.
    let mut other = envelope.clone();
    other.payload[20] ^= 1;
    assert!(other.verify(&key, Log::Skipped).is_err());
    let mut other = envelope.clone();
    *other.signatures[0].bytes.last_mut().unwrap() ^= 1;
    assert!(other.verify(&key, Log::Skipped).is_err());
    let mut other = envelope;
    other.signatures[0].bytes.pop();
    assert!(other.verify(&key, Log::Skipped).is_err());
}

#[test]
fn elliptic_curves() {
    let curve = |name: &str| {
        ["-algorithm", "EC", "-pkeyopt"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("ec_paramgen_curve:{name}")])
            .collect::<Vec<String>>()
    };
    for (name, hash, expect) in [
        ("P-256", "-sha256", "ECDSA P-256"),
        ("P-384", "-sha384", "ECDSA P-384"),
        ("P-384", "-sha256", "ECDSA P-384"),
    ] {
        let words = curve(name);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        check(&words, &["dgst", hash], expect);
    }
}

#[test]
fn edwards_curves() {
    check(&["-algorithm", "ED25519"], &["pkeyutl", "-sign", "-rawin"], "Ed25519");
}

#[test]
fn numbers() {
    let bits = |bits: &str| format!("rsa_keygen_bits:{bits}");
    let pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
    for (size, hash) in [("2048", "-sha256"), ("3072", "-sha512")] {
        let size = bits(size);
        let genpkey = ["-algorithm", "RSA", "-pkeyopt", &size];
        check(&genpkey, &["dgst", hash], "RSA");
        check(&genpkey, &[&["dgst", hash], &pss[..]].concat(), "RSA");
    }
}
