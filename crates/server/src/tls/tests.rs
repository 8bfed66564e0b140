//! Certificates and keys that do not fit, and what is said of them.

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name)
}

fn now() -> Moment {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn told(certificates: &Path, key: &Path, now: Moment) -> String {
    match Certificates::open(certificates, key, now) {
        Ok(_) => "good".to_owned(),
        Err(unfit) => format!("{unfit} ({})", unfit.hint),
    }
}

#[track_caller]
fn check(certificates: &str, key: &str, expect: &str) {
    let said = told(&fixture(certificates), &fixture(key), now());
    let folder = format!("{}/", fixture("").display().to_string().trim_end_matches('/'));
    let said = said.replace(&folder, "");
    assert!(said.starts_with(expect), "{said}");
}

#[test]
fn each_fault_has_its_word() {
    check("certificate.pem", "key.pem", "good");
    let swapped = "key.pem: there is no certificate in it (it holds a key: --tls-certificate takes";
    check("key.pem", "certificate.pem", swapped);
    check(
        "certificate.pem",
        "renewed.pem",
        "renewed.pem: there is no key in it (it holds certific",
    );
    check(
        "certificate.pem",
        "another-key.pem",
        "another-key.pem: it is not the key of certificate",
    );
    let encrypted =
        "encrypted-key.pem: the key is encrypted, and nobody is there to type its passwo";
    check("certificate.pem", "encrypted-key.pem", encrypted);
    let expired = "expired.pem: the certificate expired at 2026-02-01T00:00:00Z (renew it";
    check("expired.pem", "key.pem", expired);
    let nowhere = "nowhere.pem: it cannot be read: entity not found (it has to be a file";
    check("nowhere.pem", "key.pem", nowhere);
    check("certificate.pem", "nowhere.pem", nowhere);
    check("README.md", "key.pem", "README.md: there is no certificate in it (it is a file with");
    check("certificate.pem", "README.md", "README.md: there is no key in it (it is a file with");
    let early = "2025-12-31T23:59:59Z".parse().unwrap();
    let said = told(&fixture("certificate.pem"), &fixture("key.pem"), early);
    assert!(
        said.ends_with("not good before 2026-01-01T00:00:00Z (is this machine's clock right?)")
    );
}

#[test]
fn what_is_no_file_of_the_kind_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it.pem");
    let check = |content: &[u8], expect: &str| {
        fs_err::write(&file, content).unwrap();
        let said = told(&file, &fixture("key.pem"), now());
        assert!(said.starts_with(&format!("{}: {expect}", file.display())), "{said}");
        let said = told(&fixture("certificate.pem"), &file, now());
        assert!(!said.starts_with("good"), "{said}");
    };
    check(b"", "there is no certificate in it");
    check(b"-----BEGIN CERTIFICATE-----\n", "what it holds makes no sense");
    check(
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "what it holds makes no sense",
    );
    check(&vec![b'x'; (1 << 20) + 1], "it is no file of a certificate or a key");
    let said = told(folder.path(), &fixture("key.pem"), now());
    assert!(said.contains("it is no file of a certificate"), "{said}");
}

#[test]
fn no_certificate_cut_short_or_changed_makes_it_fall_over() {
    let text = fs_err::read(fixture("certificate.pem")).unwrap();
    let own = CertificateDer::from_pem_slice(&text).unwrap();
    assert!(validity(&own).is_some());
    for length in 0..own.len() {
        let _ = validity(&own[..length]);
    }
    for at in 0..own.len() {
        for byte in [0, 0x7f, 0x80, 0x84, 0xff] {
            let mut other = own.to_vec();
            other[at] = byte;
            let _ = validity(&other);
        }
    }
}

#[test]
fn renewed_ones_are_taken_up_and_bad_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    // Files are told apart by their times too, which may be the same within one tick of the clock.
    let mut minute = 0;
    let mut put = |to: &Path, name: &str| {
        minute += 60;
        fs_err::copy(fixture(name), to).unwrap();
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_790_000_000 + minute);
        fs_err::File::options().write(true).open(to).unwrap().file().set_modified(time).unwrap();
    };
    put(&file, "certificate.pem");
    put(&key, "key.pem");
    let mut open = Certificates::open(&file, &key, now()).unwrap();
    let config = open.config();
    let first = config.get_inner();
    assert_eq!(open.look_again(now()), Ok(false));
    put(&file, "expired.pem");
    assert!(open.look_again(now()).unwrap_err().to_string().contains("expired"));
    assert_eq!(open.look_again(now()), Ok(false), "it is told once");
    assert!(Arc::ptr_eq(&first, &config.get_inner()), "the former one stays");
    put(&file, "renewed.pem");
    assert_eq!(open.look_again(now()), Ok(true));
    assert!(!Arc::ptr_eq(&first, &config.get_inner()));
    fs_err::remove_file(&key).unwrap();
    assert!(open.look_again(now()).unwrap_err().to_string().contains("cannot be read"));
    put(&key, "key.pem");
    assert_eq!(open.look_again(now()), Ok(true));
}
