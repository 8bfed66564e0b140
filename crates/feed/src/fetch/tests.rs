//! Fetching from publishers in this process, which misbehave when told.

use std::io::Write as _;

use testkit::{FakeRegistry, Fault};

use super::*;
use crate::walk::{Limits, walk};
use crate::{Document, Parsed};

/// A feed whose one part is published like this.
struct Fake(Plan, &'static str);

impl crate::Feed for Fake {
    fn id(&self) -> &'static str {
        "fake"
    }
    fn title(&self) -> &'static str {
        "Fake"
    }
    fn about(&self) -> &'static str {
        "https://publisher.test"
    }
    fn version(&self) -> u16 {
        1
    }
    fn parts(&self) -> Vec<Part> {
        vec![Part { name: "all".to_owned(), urls: vec![self.1.to_owned()] }]
    }
    fn plan(&self) -> Plan {
        self.0
    }
    fn recognises(&self, _: &str, _: &[u8]) -> Option<String> {
        None
    }
    fn parse(&self, _: &str, _: &Document<'_>) -> Parsed {
        Parsed::default()
    }
}

const FILE: Fake = Fake(Plan::Files, "https://publisher.test/data/all.json");

/// A publisher, seen through a mirror of it; and a folder.
struct World {
    site: FakeRegistry,
    folder: tempfile::TempDir,
    settings: Settings,
}

impl World {
    fn new() -> Self {
        let site = FakeRegistry::start();
        let settings = Settings {
            mirror: Some(format!("http://{}/mirror/", site.host())),
            stall: Duration::from_secs(10),
            retries: 2,
            ..Settings::default()
        };
        Self { site, folder: tempfile::tempdir().unwrap(), settings }
    }

    fn put(&self, path: &str, etag: &str, bytes: impl Into<Vec<u8>>) {
        self.site.put_page(&format!("/mirror/publisher.test/{path}"), etag, bytes);
    }

    /// What fetching says, and what lies in the folder then.
    fn fetch(&self, feed: &Fake) -> String {
        let client = Client::new(self.settings.clone()).unwrap();
        let parts = feed.parts();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fetched = fetch(feed, &parts[0], self.folder.path(), &client, &Silent);
        let said = match runtime.block_on(fetched) {
            Ok(Fetched::Unchanged) => "unchanged".to_owned(),
            Ok(Fetched::Changed { files, bytes }) => format!("{files} files, {bytes} bytes"),
            Err(error) => {
                let hint = error.hint().map(|it| format!(" ({it})")).unwrap_or_default();
                format!("{:?}: {error}{hint}", error.kind)
            }
        };
        said.replace(&self.site.host(), "HOST")
    }

    fn check(&self, feed: &Fake, expect: &str) {
        assert_eq!(self.fetch(feed), expect);
    }

    /// What an almanac would be built from: short documents whole, long ones by length.
    fn documents(&self) -> String {
        let mut told = Vec::new();
        let gaps = walk(self.folder.path(), &Limits::default(), &mut |path, bytes| {
            told.push(match bytes.len() {
                0..200 => format!("{path}: {}", String::from_utf8_lossy(bytes)),
                length => format!("{path}: {length} bytes"),
            });
        });
        assert!(gaps.is_empty(), "{gaps:?}");
        told.sort();
        told.join("\n")
    }

    /// What was asked for, in order; none is forgotten.
    fn asked(&self) -> Vec<String> {
        let path = |it: testkit::Seen| it.path.replace("/mirror/publisher.test/", "");
        self.site.seen().into_iter().map(path).collect()
    }
}

fn noise(count: usize) -> Vec<u8> {
    (0..count).map(|it| (it * it / 7) as u8).collect()
}

#[test]
fn fetched_once_and_asked_about_then() {
    let world = World::new();
    world.put("data/all.json", "one", "{}");
    world.check(&FILE, "1 files, 2 bytes");
    assert_eq!(world.documents(), "all.json: {}");
    world.check(&FILE, "unchanged");
    assert_eq!(world.site.seen()[1].if_none_match.as_deref(), Some("\"one\""));
    world.put("data/all.json", "two", "{\"a\":1}");
    world.check(&FILE, "1 files, 7 bytes");
    assert_eq!(world.documents(), "all.json: {\"a\":1}");
    // Whoever loses the file gets it again.
    fs_err::remove_file(world.folder.path().join("all.json")).unwrap();
    world.check(&FILE, "1 files, 7 bytes");
    // And so does whoever loses what is remembered.
    fs_err::write(world.folder.path().join("fetched.json"), "{").unwrap();
    world.check(&FILE, "1 files, 7 bytes");
}

#[test]
fn what_broke_off_is_gone_on_with() {
    let world = World::new();
    world.put("data/all.json", "one", noise(300_000));
    world.site.plan("all.json", 1, Fault::BreakAfter(100_000));
    world.check(&FILE, "1 files, 300000 bytes");
    let seen = world.site.seen();
    assert_eq!(seen.len(), 2);
    let start = seen[1].range.as_ref().unwrap().strip_prefix("bytes=").unwrap().to_owned();
    assert!(start.trim_end_matches('-').parse::<usize>().unwrap() > 0);
    assert_eq!(fs_err::read(world.folder.path().join("all.json")).unwrap(), noise(300_000));
}

#[test]
fn even_another_day_and_the_former_file_stays() {
    let mut world = World::new();
    world.settings.retries = 0;
    world.put("data/all.json", "one", "former");
    world.check(&FILE, "1 files, 6 bytes");
    world.put("data/all.json", "two", noise(300_000));
    world.site.plan("all.json", 1, Fault::BreakAfter(100_000));
    assert!(world.fetch(&FILE).starts_with("Unavailable: fake all: 127.0.0.1 broke off: "));
    assert_eq!(world.documents(), "all.json: former");
    world.check(&FILE, "1 files, 300000 bytes");
    assert!(world.site.seen()[2].range.is_some());
    assert_eq!(fs_err::read(world.folder.path().join("all.json")).unwrap(), noise(300_000));

    // What was begun of another edition is of no use.
    world.put("data/all.json", "three", noise(300_001));
    world.site.plan("all.json", 1, Fault::BreakAfter(100_000));
    world.fetch(&FILE);
    world.put("data/all.json", "four", "four");
    world.check(&FILE, "1 files, 4 bytes");
    assert_eq!(world.documents(), "all.json: four");
}

#[test]
fn what_passes_is_waited_for() {
    for fault in [
        Fault::status(500),
        Fault::status(503),
        Fault::retry_after(429, "0"),
        Fault::HangUp,
        Fault::Truncate(0),
    ] {
        let world = World::new();
        world.put("data/all.json", "one", "{}");
        world.site.plan("all.json", 1, fault);
        world.check(&FILE, "1 files, 2 bytes");
    }
}

#[test]
fn what_does_not_pass_is_told() {
    let check = |times, fault: Fault, expect: &str| {
        let mut world = World::new();
        if matches!(fault, Fault::StallAfter(_)) {
            world.settings.stall = Duration::from_millis(200);
        }
        world.put("data/all.json", "one", noise(3_000));
        world.site.plan("all.json", times, fault);
        let said = world.fetch(&FILE);
        assert!(said.starts_with(expect), "{said}");
        assert_eq!(world.documents(), "");
    };
    let place = "127.0.0.1/mirror/publisher.test/data/all.json";
    check(
        9,
        Fault::status(500),
        &format!("Unavailable: fake all: {place} answers 500 (tried 3 times) (try again later)"),
    );
    check(
        1,
        Fault::status(404),
        &format!("NotFound: fake all: {place} is not there (does the mirror have it?)"),
    );
    check(1, Fault::Html(200), "Unavailable: fake all: 127.0.0.1 answers with a web page (does");
    check(9, Fault::Truncate(0), "Unavailable: fake all: 127.0.0.1 answers with nothing (tried 3");
    check(1, Fault::status(403), &format!("Denied: fake all: {place} is not for everybody"));
    check(
        1,
        Fault::retry_after(429, "3600"),
        &format!("Unavailable: fake all: {place} answers 429; it asks to wait 3600 seconds"),
    );
    check(
        9,
        Fault::StallAfter(10),
        "Unavailable: fake all: 127.0.0.1 sent nothing for 0.2 s (tried 3 times)",
    );
    let plain = "Unavailable: fake all: 127.0.0.1 redirects to a place without TLS";
    check(1, Fault::Redirect("http://10.0.0.1/".to_owned()), plain);
    check(1, Fault::Redirect("http://127.0.0.1:1/".to_owned()), plain);
    check(1, Fault::Redirect("file:///etc/passwd".to_owned()), plain);
    check(
        9,
        Fault::Redirect("all.json".to_owned()),
        "Unavailable: fake all: 127.0.0.1 redirects over 5 times",
    );
}

#[test]
fn never_from_tls_to_plain() {
    let site = FakeRegistry::start_with_tls();
    let settings = Settings {
        mirror: Some(format!("https://localhost:{}", site.host().rsplit(':').next().unwrap())),
        certificate_authorities: vec![FakeRegistry::authority()],
        ..World::new().settings
    };
    let world = World { site, settings, ..World::new() };
    world.site.put_page("/publisher.test/data/all.json", "one", "{}");
    world.check(&FILE, "1 files, 2 bytes");
    let plain = FakeRegistry::start();
    plain.put_page("/x", "", "{}");
    world.site.plan("all.json", 1, Fault::Redirect(format!("http://{}/x", plain.host())));
    let said = world.fetch(&FILE);
    assert!(said.contains("localhost redirects to a place without TLS"), "{said}");
    assert!(plain.seen().is_empty());
    let stranger = Settings { certificate_authorities: Vec::new(), ..world.settings.clone() };
    let world = World { settings: stranger, ..world };
    let said = world.fetch(&FILE);
    assert!(said.contains("localhost cannot prove who it is: "), "{said}");
}

#[test]
fn too_large_is_not_kept() {
    let mut world = World::new();
    world.settings.largest = 1000;
    world.put("data/all.json", "one", noise(1001));
    world.check(&FILE, "Limit: fake all: it is over 1000 bytes");
    assert_eq!(world.site.seen().len(), 1);
    world.put("data/all.json", "one", noise(1000));
    world.check(&FILE, "1 files, 1000 bytes");
}

#[test]
fn settings_that_make_no_sense() {
    let mut world = World::new();
    world.settings.offline = true;
    assert!(world.fetch(&FILE).starts_with("Offline: fake all: nothing may be fetched"));
    assert!(world.site.seen().is_empty());
    for mirror in ["ftp://mirror.test", "mirror", "https://mirror.test/?a"] {
        let settings = Settings { mirror: Some(mirror.to_owned()), ..Settings::default() };
        assert_eq!(Client::new(settings).err().unwrap().kind, ErrorKind::Invalid, "{mirror}");
    }
    let world = World::new();
    let said = world.fetch(&Fake(Plan::Files, "http://publisher.test/all.json"));
    assert_eq!(said, "Corrupt: fake all: it is published at no address of the web");
}

#[test]
fn file_names_come_from_others() {
    for name in ["all.json", "a+b-c_d:1.zip"] {
        assert!(is_name(name), "{name}");
    }
    for name in ["", ".", "..", ".x", "fetched.json", "a/b", "a b", "a\\b", "ä"] {
        assert!(!is_name(name), "{name}");
    }
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn osv_records_one_by_one() {
    let osv = Fake(Plan::OsvDelta, "https://publisher.test/PyPI/all.zip");
    let world = World::new();
    let list = |rows: &str, etag: &str| world.put("PyPI/modified_id.csv", etag, rows);
    list("2024-01-02T00:00:00Z,B-2\n2024-01-01T00:00:00Z,A-1\n", "one");
    let all = zip(&[("A-1.json", "old a"), ("B-2.json", "old b")]);
    world.put("PyPI/all.zip", "one", all.clone());
    world.check(&osv, &format!("1 files, {} bytes", all.len()));
    assert_eq!(world.documents(), "all.zip/A-1.json: old a\nall.zip/B-2.json: old b");
    world.check(&osv, "unchanged");

    // One changed, one is new: the zip stays, and what it says of them no longer counts.
    list("2024-02-01T00:00:00Z,C-3\n2024-01-03T00:00:00Z,A-1\n2024-01-02T00:00:00Z,B-2\n", "two");
    world.put("PyPI/A-1.json", "", "new a");
    world.put("PyPI/C-3.json", "", "new c");
    let before = world.asked().len();
    world.check(&osv, "2 files, 10 bytes");
    assert!(!world.asked()[before..].iter().any(|it| it.ends_with("all.zip")));
    let both = "all.zip/B-2.json: old b\nnewer/A-1.json: new a\nnewer/C-3.json: new c";
    assert_eq!(world.documents(), both);
    world.check(&osv, "unchanged");

    // A record that cannot be had is no reason to forget that it changed.
    list("2024-02-01T00:00:00Z,C-3\n2024-03-03T00:00:00Z,A-1\n2024-01-02T00:00:00Z,B-2\n", "three");
    world.site.plan("A-1.json", 3, Fault::status(500));
    assert!(world.fetch(&osv).starts_with("Unavailable: "));
    assert_eq!(world.documents(), both);
    world.put("PyPI/A-1.json", "", "third a");
    world.check(&osv, "1 files, 7 bytes");
    assert_eq!(world.documents(), both.replace("new a", "third a"));
    world.put(
        "PyPI/modified_id.csv",
        "four",
        "2024-04-01T00:00:00Z,A-1\n2024-01-02T00:00:00Z,B-2\n",
    );
    let all = zip(&[("A-1.json", "fourth a"), ("B-2.json", "old b")]);
    world.put("PyPI/all.zip", "four", all.clone());
    // One is gone: the zip must be fetched.
    world.check(&osv, &format!("1 files, {} bytes", all.len()));
    assert_eq!(world.documents(), "all.zip/A-1.json: fourth a\nall.zip/B-2.json: old b");
}

#[test]
fn osv_many_records_at_once_and_odd_ones() {
    let osv = Fake(Plan::OsvDelta, "https://publisher.test/PyPI/all.zip");
    let world = World::new();
    let rows = |count: usize, moment: &str| -> String {
        let rows: Vec<String> = (0..count).map(|it| format!("{moment},A-{it}\n")).collect();
        rows.concat()
    };
    world.put("PyPI/modified_id.csv", "one", rows(501, "2024-01-01T00:00:00Z"));
    let all = zip(&[("A-1.json", "a")]);
    world.put("PyPI/all.zip", "one", all.clone());
    let whole = format!("1 files, {} bytes", all.len());
    world.check(&osv, &whole);
    world.put("PyPI/modified_id.csv", "two", rows(501, "2024-01-02T00:00:00Z"));
    world.put("PyPI/all.zip", "two", all.clone());
    world.check(&osv, &whole);
    let odd = rows(501, "2024-01-02T00:00:00Z") + "2024-01-02T00:00:00Z,A-1 x\n";
    world.put("PyPI/modified_id.csv", "three", odd);
    world.put("PyPI/all.zip", "three", all.clone());
    world.check(&osv, &whole);
    // Without a list the zip alone is asked about.
    world.site.drop_page("/mirror/publisher.test/PyPI/modified_id.csv");
    world.check(&osv, "unchanged");
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    zstd::encode_all(&*tar.into_inner().unwrap(), 0).unwrap()
}

#[test]
fn csaf_archive_and_what_happened_since() {
    let csaf = Fake(Plan::CsafArchive, "https://publisher.test/vex/");
    let world = World::new();
    let first = archive(&[
        ("2024/cve-2024-1.json", "old 1"),
        ("2024/cve-2024-2.json", "old 2"),
        ("2024/cve-2024-3.json", "old 3"),
    ]);
    world.put("vex/archive_latest.txt", "one", "csaf_vex_2024-05-02.tar.zst\n");
    world.put("vex/csaf_vex_2024-05-02.tar.zst", "one", first.clone());
    let one = "\"2024/cve-2024-1.json\",\"2024-05-02T10:00:00+00:00\"\n";
    let rest = "\"2024/cve-2024-2.json\",\"2024-05-01T10:00:00+00:00\"\n\
                \"2024/cve-2024-3.json\",\"2024-04-01T10:00:00+00:00\"\n";
    world.put("vex/changes.csv", "one", format!("{one}{rest}"));
    world.put(
        "vex/deletions.csv",
        "one",
        "\"2023/cve-2023-9.json\",\"2024-01-01T10:00:00+00:00\"\n",
    );
    world.put("vex/2024/cve-2024-1.json", "", "new 1");
    world.check(&csaf, &format!("2 files, {} bytes", first.len() + 5));
    let name = "archive.tar.zst/2024/cve-2024-";
    assert_eq!(
        world.documents(),
        format!("{name}2.json: old 2\n{name}3.json: old 3\nnewer/cve-2024-1.json: new 1")
    );
    world.check(&csaf, "unchanged");

    // One is deleted, one changed, and there is a younger archive, which is not needed.
    world.put("vex/archive_latest.txt", "two", "csaf_vex_2024-05-03.tar.zst");
    world.put(
        "vex/changes.csv",
        "two",
        format!("\"2024/cve-2024-2.json\",\"2024-05-03T10:00:00+00:00\"\n{one}"),
    );
    world.put(
        "vex/deletions.csv",
        "two",
        "\"2024/cve-2024-3.json\",\"2024-05-03T10:00:00+00:00\"\n\
         \"../x.json\",\"2024-05-03T10:00:00+00:00\"\n",
    );
    world.put("vex/2024/cve-2024-2.json", "", "new 2");
    world.check(&csaf, "2 files, 5 bytes");
    let told = world.documents();
    let gone = told.lines().find(|it| it.starts_with("newer/cve-2024-3.json: ")).unwrap();
    assert!(gone.contains("\"status\":\"deleted\""), "{gone}");
    assert!(
        told.starts_with("newer/cve-2024-1.json: new 1\nnewer/cve-2024-2.json: new 2\n"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 3);
    world.check(&csaf, "unchanged");

    // It is published again.
    world.put(
        "vex/changes.csv",
        "three",
        "\"2024/cve-2024-3.json\",\"2024-05-04T10:00:00+00:00\"\n\
         \"2024/cve-2024-4.json\",\"2024-05-04T10:00:00+00:00\"\n",
    );
    world.put("vex/2024/cve-2024-3.json", "", "new 3");
    world.check(&csaf, "1 files, 5 bytes");
    assert!(world.documents().ends_with("newer/cve-2024-3.json: new 3"));

    // So much changed that a younger archive is better.
    let rows: Vec<String> = (0..3_000)
        .map(|it| format!("\"2020/cve-2020-{it}.json\",\"2024-05-02T10:00:00+00:00\"\n"))
        .collect();
    world.put("vex/changes.csv", "four", rows.concat());
    let second = archive(&[("2024/cve-2024-1.json", "young 1")]);
    world.put("vex/csaf_vex_2024-05-03.tar.zst", "two", second.clone());
    world.check(&csaf, &format!("2 files, {} bytes", second.len()));
    let told = world.documents();
    assert!(told.starts_with(&format!("{name}1.json: young 1\nnewer/cve-2024-3.json: ")), "{told}");
    world.check(&csaf, "unchanged");
}

/// What stands in for a deleted document is Red Hat's, and says nothing.
#[test]
fn a_deleted_document_is_recognised() {
    let feed = crate::find("redhat-vex").unwrap();
    let text = r#"{"document":{"category":"csaf_vex","publisher":{"namespace":"https://www.redhat.com"},"tracking":{"id":"CVE-2024-3","status":"deleted"}}}"#;
    assert_eq!(feed.recognises("newer/x.json", text.as_bytes()).as_deref(), Some("all"));
    let parsed = feed.parse("all", &Document { path: "x", bytes: text.as_bytes() });
    assert_eq!(parsed, Parsed::default());
}

#[test]
fn repositories() {
    let repository =
        Fake(Plan::Repository, "https://publisher.test/2/core/latest/x86_64/mirror.list");
    let world = World::new();
    world.put(
        "2/core/latest/x86_64/mirror.list",
        "",
        "http://nobody.test/x\nhttp://publisher.test/2/core/abc/$basearch\n",
    );
    let updates = b"<updates/>";
    let digest = testkit::digest(updates).replace("sha256:", "");
    let index = |digest: &str| {
        format!(
            "<repomd><data type=\"primary\"><checksum type=\"sha\">x</checksum></data>\
             <data type=\"updateinfo\"><checksum type=\"sha256\">{digest}</checksum>\
             <location href=\"repodata/{digest}-updateinfo.xml.gz\"/></data></repomd>"
        )
    };
    let base = "2/core/abc/x86_64/repodata";
    world.put(&format!("{base}/repomd.xml"), "", index(&digest));
    world.put(&format!("{base}/{digest}-updateinfo.xml.gz"), "", &updates[..]);
    world.check(&repository, "1 files, 10 bytes");
    assert_eq!(world.documents(), "updateinfo.xml: <updates/>".replace(".xml", ".xml.gz"));
    let before = world.asked().len();
    world.check(&repository, "unchanged");
    assert!(!world.asked()[before..].iter().any(|it| it.contains("updateinfo")));

    let other = "0".repeat(64);
    world.put(&format!("{base}/repomd.xml"), "", index(&other));
    world.put(&format!("{base}/{other}-updateinfo.xml.gz"), "", "forged");
    let said = world.fetch(&repository);
    assert!(said.starts_with("Corrupt: fake all: its digest is "), "{said}");
    assert_eq!(world.documents(), "updateinfo.xml.gz: <updates/>");
    world.put(&format!("{base}/repomd.xml"), "", "<repomd/>");
    world.check(&repository, "NotFound: fake all: the repository has no errata");
    world.put(&format!("{base}/repomd.xml"), "", index(&other).replace("repodata/", "../"));
    world.check(&repository, "Corrupt: fake all: repomd.xml names no file of the repository");
}

#[test]
fn plans_fit_the_addresses() {
    for feed in crate::ALL {
        for part in feed.parts() {
            let ends = |it: &str| part.urls.len() == 1 && part.urls[0].ends_with(it);
            let fits = match feed.plan() {
                Plan::Files => part.urls.iter().all(|it| is_name(it.rsplit('/').next().unwrap())),
                Plan::OsvDelta => ends("/all.zip"),
                Plan::CsafArchive => ends("/"),
                Plan::Repository => ends("/mirror.list"),
            };
            assert!(fits, "{} {}", feed.id(), part.name);
        }
    }
}

#[test]
fn parts_of_records_are_told_by_their_folder() {
    let osv = crate::find("osv").unwrap();
    let record = br#"{"id": "A-1", "modified": "2024-01-01T00:00:00Z", "affected": []}"#;
    for path in ["osv/Rocky Linux/all.zip/A-1.json", "osv/Rocky Linux/newer/A-1.json"] {
        assert_eq!(osv.recognises(path, record).as_deref(), Some("Rocky Linux"), "{path}");
    }
}
