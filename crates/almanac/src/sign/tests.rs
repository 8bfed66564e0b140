//! Signing and verifying, alone and with minisign itself.

use std::process::Command;

use super::*;

#[test]
fn what_is_signed_verifies_and_nothing_else() {
    let key = SecretKey::generate().unwrap();
    let other = SecretKey::generate().unwrap();
    let keys = [other.public(), key.public()];
    let signature = key.sign(b"almanac", "made\ntoday");
    assert_eq!(verify(b"almanac", &signature, &keys).unwrap(), &key.public());
    assert_eq!(key.public().verify(b"almanac", &signature).unwrap(), "made today");

    let tell = |bytes: &[u8], signature: &str, keys: &[PublicKey]| {
        verify(bytes, signature, keys).unwrap_err().to_string()
    };
    assert!(tell(b"almanach", &signature, &keys).contains("not those that were signed"));
    let changed = signature.replace("made today", "made yesterday");
    assert!(tell(b"almanac", &changed, &keys).contains("its comment is not"));
    assert!(tell(b"almanac", &signature, &keys[..1]).contains("not among those trusted"));
    assert!(tell(b"almanac", &signature, &[]).contains("not among those trusted"));
    assert!(tell(b"almanac", "", &keys).contains("none of minisign's"));
    let mut impostor = other.public();
    impostor.id = key.public().id;
    assert!(tell(b"almanac", &signature, &[impostor]).contains("not those that were signed"));
}

#[test]
fn keys_read_back() {
    let key = SecretKey::generate().unwrap();
    assert_eq!(key.public().to_file().parse::<PublicKey>().unwrap(), key.public());
    assert_eq!(key.public().to_string().parse::<PublicKey>().unwrap(), key.public());
    let again = SecretKey::parse(&key.to_file()).unwrap();
    assert_eq!(again.public(), key.public());
    assert!(format!("{key:?}").ends_with("***)"));
}

#[test]
fn a_key_that_is_none_says_so() {
    for text in ["", "untrusted comment: x\n", "RW", "not base64!", "UldRZg=="] {
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
        assert!(SecretKey::parse(text).is_err(), "{text}");
    }
    let file = SecretKey::generate().unwrap().to_file();
    let mut bytes = key_line(&file).unwrap();
    bytes[2] = b'S';
    let why = SecretKey::parse(&STANDARD.encode(&bytes)).unwrap_err();
    assert_eq!(why.to_string(), "key: it is locked by a password, which cannot be asked for");
    bytes[2] = 0;
    bytes[70] ^= 1;
    let why = SecretKey::parse(&STANDARD.encode(&bytes)).unwrap_err();
    assert_eq!(why.to_string(), "key: its checksum is wrong");
}

/// Needs Debian's package `minisign`; leaves itself out where it is missing.
#[test]
fn minisign_and_we_believe_each_other() {
    if Command::new("minisign").arg("-v").output().is_err() {
        println!("left out: minisign is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let minisign = |arguments: &[&str]| {
        let out = Command::new("minisign").args(arguments).current_dir(&folder).output().unwrap();
        assert!(out.status.success(), "{out:?}");
    };
    fs_err::write(path("almanac.json"), "{}").unwrap();

    minisign(&["-G", "-W", "-p", "their.pub", "-s", "their.key"]);
    minisign(&["-S", "-s", "their.key", "-m", "almanac.json", "-t", "theirs"]);
    let public: PublicKey = fs_err::read_to_string(path("their.pub")).unwrap().parse().unwrap();
    let secret = SecretKey::parse(&fs_err::read_to_string(path("their.key")).unwrap()).unwrap();
    assert_eq!(secret.public(), public);
    let signature = fs_err::read_to_string(path("almanac.json.minisig")).unwrap();
    assert_eq!(public.verify(b"{}", &signature).unwrap(), "theirs");

    let ours = SecretKey::generate().unwrap();
    fs_err::write(path("our.pub"), ours.public().to_file()).unwrap();
    fs_err::write(path("our.key"), ours.to_file()).unwrap();
    fs_err::write(path("almanac.json.minisig"), ours.sign(b"{}", "ours")).unwrap();
    minisign(&["-V", "-H", "-p", "our.pub", "-m", "almanac.json"]);
    minisign(&["-S", "-W", "-s", "our.key", "-m", "almanac.json", "-t", "again"]);
    let signature = fs_err::read_to_string(path("almanac.json.minisig")).unwrap();
    assert_eq!(ours.public().verify(b"{}", &signature).unwrap(), "again");
}
