//! `foretop almanac`.

use crate::sandbox::Sandbox;
use crate::teahouse::{DOCUMENTS, bare, open, timeless};

#[track_caller]
fn check(sandbox: &Sandbox, name: &str, lines: &[&str]) {
    insta::assert_snapshot!(name, timeless(&sandbox.transcript(lines)));
}

#[test]
fn built_twice() {
    let sandbox = bare();
    let mut shown =
        sandbox.transcript(&["almanac build --from feeds", "almanac build --from feeds"]);
    let path = sandbox.path("feeds/kev.json");
    let text = fs_err::read_to_string(&path).unwrap();
    sandbox.file("feeds/kev.json", text.replace("2024-05-25", "2024-06-25"));
    shown += &sandbox.transcript(&["almanac build --from feeds"]);
    fs_err::remove_file(path).unwrap();
    shown += &sandbox.transcript(&["almanac build --from feeds", "db build --anew --from feeds"]);
    insta::assert_snapshot!(timeless(&shown));
}

#[test]
fn what_it_holds() {
    let lines = [
        "almanac status",
        "almanac status --details",
        "almanac list",
        "almanac list --space npm --format json",
    ];
    check(&open(), "what_it_holds", &lines);
}

#[test]
fn what_is_built_in() {
    let sandbox = bare();
    let shown = sandbox.foretop("almanac status");
    assert!(shown.starts_with("exit 0\n") && shown.contains("built in"), "{shown}");
    // Whatever rests on it alone says so, also where it has nothing to say.
    for (line, code) in [
        ("almanac show CVE-2021-44228", 0),
        ("almanac show --format json CVE-2021-44228", 0),
        ("almanac show CVE-1999-0001", 1),
        ("almanac lookup --explain pkg:npm/tea-leaves@1.4.0", 0),
        ("explain archive://tea.tar tea-leaves", 0),
        ("explain --format json archive://tea.tar tea-leaves", 0),
        ("explain archive://tea.tar CVE-2021-44228", 0),
        ("explain archive://tea.tar CVE-1999-0001", 1),
    ] {
        let said = sandbox.foretop(line);
        let whole = said.starts_with(&format!("exit {code}\n"))
            && said.contains("built-in starter sheet")
            && said.contains("`foretop almanac update`");
        assert!(whole, "{line}: {said}");
    }
}

#[test]
fn looked_up() {
    let lines = [
        "almanac show CVE-2024-0001",
        "almanac show ghsa-aaaa-bbbb-cccc",
        "almanac show GHSA-dddd-eeee-ffff",
        "almanac show --format json CVE-2024-0031",
        "almanac show CVE-1999-0001",
        "almanac lookup pkg:npm/tea-leaves@1.2.0",
        "almanac lookup --explain pkg:npm/tea-leaves@1.4.0",
        "almanac lookup pkg:deb/debian/teapot-utils@1.2-1?distro=debian-8&upstream=teapot",
        "almanac lookup pkg:npm/tea-leaves",
        "almanac lookup tea-leaves",
    ];
    check(&open(), "looked_up", &lines);
}

#[test]
fn carried_and_trusted() {
    let sandbox = open();
    let lines = [
        "almanac keygen key",
        "almanac keygen key",
        "almanac export plain.almanac",
        "almanac sign --key key",
        "almanac verify --key key.pub",
        "almanac export signed.almanac",
        "almanac --directory other import signed.almanac",
        "almanac --directory other import --key key.pub signed.almanac",
        "almanac --directory other import --key key.pub plain.almanac",
        "almanac --directory third import --unsigned plain.almanac",
        "almanac --directory third verify",
        "almanac diff plain.almanac other",
        "cves --almanac other --format only-packages archive://alpine.tar",
    ];
    let text = timeless(&sandbox.transcript(&lines));
    // Keys are others each time, and so are sizes of what is signed.
    let text = regex::Regex::new(r"\b[0-9A-F]{16}\b").unwrap().replace_all(&text, "[KEY]");
    let text = regex::Regex::new(r"\([0-9.]+ KiB\)").unwrap().replace_all(&text, "([SIZE])");
    insta::assert_snapshot!(text);
}

#[test]
fn what_cannot_be_built() {
    let sandbox = open();
    sandbox.file("strangers/notes.txt", "nothing");
    let lines = [
        "almanac build --from missing",
        "almanac build --from strangers",
        "almanac build",
        "almanac import --unsigned strangers/notes.txt",
        "almanac import --unsigned missing.almanac",
        "almanac diff missing strangers",
        "almanac --directory nowhere verify",
        "almanac --directory nowhere export x.almanac",
        "almanac --directory tea.tar status",
        "almanac --directory tea.tar build --from feeds",
        "almanac --directory feeds verify",
        "almanac import --unsigned feeds",
        "almanac export feeds",
        "almanac sign --key missing",
        "almanac sign --key feeds",
        "almanac keygen missing/key",
        "almanac --directory feeds keygen key",
        "almanac pull --unsigned UPPER/case",
        "almanac update --feed kev --mirror http://127.0.0.1:1",
    ];
    check(&sandbox, "what_cannot_be_built", &lines);
    for line in lines {
        let said = sandbox.foretop(line);
        let advised = said.contains("hint: ") || said.contains("--help");
        assert!(said.starts_with("exit 1\n") && advised, "{line}: {said}");
    }
    assert!(sandbox.foretop("almanac verify").contains("all as they should be"));
}

#[test]
fn what_did_not_change_stays_signed() {
    let sandbox = open();
    sandbox.foretop("almanac keygen key");
    sandbox.foretop("almanac sign --key key");
    let before = sandbox.foretop("almanac status");
    assert!(before.contains("signed by key"), "{before}");
    let said = sandbox.foretop("almanac build --from feeds");
    assert!(said.contains(", as it was, with 8 sheets"), "{said}");
    assert_eq!(sandbox.foretop("almanac status"), before);
    let said = sandbox.foretop("almanac verify --key key.pub");
    assert!(said.starts_with("exit 0\n"), "{said}");
}

#[test]
fn asking_again_is_noted_also_where_nothing_is_new() {
    let site = testkit::FakeRegistry::start();
    let page = "/www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
    let (_, text) = DOCUMENTS.iter().find(|(name, _)| *name == "kev.json").unwrap();
    site.put_page(page, "one", *text);
    let sandbox = bare();
    let asked = || {
        let line = format!("almanac update --feed kev --mirror http://{}", site.host());
        let said = sandbox.foretop(&line);
        assert!(said.starts_with("exit 0\n"), "{said}");
        let status = sandbox.output("almanac status --format json").stdout;
        let status: serde_json::Value = serde_json::from_slice(&status).unwrap();
        status["parts"][0]["fetched"].as_str().unwrap().to_owned()
    };
    let first = asked();
    assert!(asked() > first);
}

/// The directory of the almanac in use.
const DIRECTORY: &str = "home/.local/share/foretop/almanac";

/// The almanac's manifest, its seal, or its largest sheet, with the middle byte another.
fn damaged(sandbox: &Sandbox, what: &str) {
    let files = walk(&sandbox.path(DIRECTORY)).into_iter();
    let files = files.filter(|it| it.to_string_lossy().contains(&format!("/almanac/{what}")));
    let path = &files.max_by_key(|it| fs_err::metadata(it).unwrap().len()).unwrap();
    let mut bytes = fs_err::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    fs_err::write(path, bytes).unwrap();
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_damaged_one_is_refused_and_can_be_mended() {
    let sandbox = open();
    sandbox.foretop("almanac export whole.almanac");
    for what in ["almanac.json", "seals/", "sheets/"] {
        for mend in
            ["build --anew --from feeds", "build --from feeds", "import --unsigned whole.almanac"]
        {
            damaged(&sandbox, what);
            let said = sandbox.foretop("almanac verify");
            assert!(said.starts_with("exit 1\n") && said.contains("hint: "), "{what}: {said}");
            let said = sandbox.foretop(&format!("almanac {mend}"));
            assert!(said.starts_with("exit 0\n"), "{what}, {mend}: {said}");
            let said = sandbox.foretop("almanac verify");
            assert!(said.starts_with("exit 0\n"), "{what}, {mend}: {said}");
        }
    }
}

#[test]
fn a_sheet_that_cannot_be_read_is_no_good_news() {
    let sandbox = open();
    for sheet in walk(&sandbox.path(DIRECTORY).join("sheets")) {
        let size = fs_err::metadata(&sheet).unwrap().len();
        fs_err::remove_file(&sheet).unwrap();
        fs_err::write(&sheet, vec![b'x'; usize::try_from(size).unwrap()]).unwrap();
    }
    for line in [
        "cves --exit-code archive://tea.tar",
        "quickview archive://tea.tar",
        "explain archive://tea.tar teapot",
        "almanac lookup pkg:npm/tea-leaves@1.2.0",
    ] {
        let said = sandbox.foretop(line);
        assert!(said.starts_with("exit 1\n") && said.contains("hint: "), "{line}: {said}");
    }
}

#[test]
fn a_sheet_that_is_gone_is_missed() {
    let sandbox = open();
    let sheets = walk(&sandbox.path(DIRECTORY));
    for sheet in sheets.iter().filter(|it| it.to_string_lossy().contains("/sheets/")) {
        fs_err::remove_file(sheet).unwrap();
    }
    let said = sandbox.foretop("cves archive://tea.tar");
    assert!(said.starts_with("exit 1\n") && said.contains("hint: "), "{said}");
}

#[test]
fn a_broken_file_leaves_the_former_in_use() {
    let sandbox = open();
    sandbox.foretop("almanac export whole.almanac");
    let whole = fs_err::read(sandbox.path("whole.almanac")).unwrap();
    let before = sandbox.foretop("almanac status");
    for at in (0..whole.len()).step_by(whole.len() / 37 + 1) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        sandbox.file("broken.almanac", &bytes);
        sandbox.foretop("almanac import --unsigned broken.almanac");
        sandbox.file("broken.almanac", &whole[..at]);
        let said = sandbox.foretop("almanac import --unsigned broken.almanac");
        assert!(said.starts_with("exit 1\n"), "{at}: {said}");
        let said = sandbox.foretop("almanac verify");
        assert!(said.starts_with("exit 0\n"), "{at}: {said}");
    }
    assert!(before.starts_with("exit 0\n"));
}
