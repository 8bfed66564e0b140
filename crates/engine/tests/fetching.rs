//! Documents fetched from publishers in this process become an almanac.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::path::Path;

use engine::{Watch, fetch_all, refresh, source_folder};
use feed::fetch::{Fetched, Settings, Silent};
use testkit::FakeRegistry;

struct Nobody;

impl Watch for Nobody {
    fn expect(&self, _: usize, _: u64) {}
    fn reading(&self, _: &str, _: u64) {}
    fn compiling(&self, _: &str, _: &str) {}
}

const KEV: &str = "/www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
const SECDB: &str = "/packages.wolfi.dev/os/security.json";

fn fetch(site: &FakeRegistry, sources: &Path) -> Vec<String> {
    let settings = Settings {
        mirror: Some(format!("http://{}", site.host())),
        retries: 0,
        ..Settings::default()
    };
    let part = |id: &str| {
        let feed = feed::find(id).unwrap();
        (feed, feed.parts().remove(0))
    };
    let which = ["chainguard", "kev", "wolfi"].map(part);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let all = runtime.block_on(fetch_all(&which, sources, settings, &Silent)).unwrap();
    let told = |it: engine::PartFetched| match it.outcome {
        Ok(Fetched::Unchanged) => format!("{} {}: unchanged", it.feed, it.part),
        Ok(Fetched::Changed { files, .. }) => format!("{} {}: {files}", it.feed, it.part),
        Err(error) => format!("{} {}: {:?}", it.feed, it.part, error.kind),
    };
    all.into_iter().map(told).collect()
}

#[test]
fn one_that_fails_blocks_nobody() {
    let site = FakeRegistry::start();
    let kev = r#"{"title": "x", "catalogVersion": "2024.01.01",
        "dateReleased": "2024-01-01T00:00:00.0000Z", "count": 1, "vulnerabilities": [
        {"cveID": "CVE-2024-0001", "dateAdded": "2024-01-01", "dueDate": "2024-01-22"}]}"#;
    site.put_page(KEV, "one", kev);
    let secdb = |version: &str| {
        format!(
            r#"{{"apkurl": "{{{{urlprefix}}}}/{{{{reponame}}}}", "archs": ["x86_64"],
            "reponame": "os", "urlprefix": "https://packages.wolfi.dev", "packages": [
            {{"pkg": {{"name": "curl", "secfixes": {{"{version}": ["CVE-2024-0001"]}}}}}}]}}"#
        )
    };
    site.put_page(SECDB, "one", secdb("8.0.0-r0"));
    let folder = tempfile::tempdir().unwrap();
    let sources = folder.path();
    assert_eq!(fetch(&site, sources), ["chainguard all: NotFound", "kev all: 1", "wolfi all: 1"]);
    let first = refresh(sources, None, "2024-01-01T00:00:00Z", &Nobody).unwrap();
    assert_eq!(first.compiled, ["kev all", "wolfi all"]);
    // What fetching keeps for itself is no document.
    assert_eq!((first.strangers, first.gaps.len()), (0, 0));

    site.put_page(SECDB, "two", secdb("8.0.0-r1"));
    assert_eq!(
        fetch(&site, sources),
        ["chainguard all: NotFound", "kev all: unchanged", "wolfi all: 1"]
    );
    let second = refresh(sources, Some(&first.manifest), "2024-01-02T00:00:00Z", &Nobody).unwrap();
    assert_eq!((second.compiled, second.kept), (vec!["wolfi all".to_owned()], 1));
}

#[test]
fn what_is_missing_of_a_file_is_told_as_long_as_its_parts_are_kept() {
    let kev = r#"{"title": "x", "catalogVersion": "2024.01.01",
        "dateReleased": "2024-01-01T00:00:00.0000Z", "count": 1, "vulnerabilities": [
        {"cveID": "CVE-2024-0001", "dateAdded": "2024-01-01", "dueDate": "2024-01-22"}]}"#;
    let name = KEV.rsplit('/').next().unwrap();
    let mut archive = testkit::layer().file(name, kev).file("more.json", "{}").tar();
    archive.truncate(1536);
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("feeds.tar"), archive).unwrap();
    let first = refresh(folder.path(), None, "2024-01-01T00:00:00Z", &Nobody).unwrap();
    assert_eq!(first.compiled, ["kev all"], "{:?}", first.gaps);
    let again =
        refresh(folder.path(), Some(&first.manifest), "2024-01-02T00:00:00Z", &Nobody).unwrap();
    assert_eq!((again.kept, again.gaps.len()), (1, 0));
    let told: Vec<String> =
        again.manifest.parts.iter().flat_map(|it| &it.samples).map(ToString::to_string).collect();
    assert!(told.iter().any(|it| it.starts_with("feeds.tar")), "{told:?}");
}

#[test]
fn folders_stay_below() {
    let check = |part: &str, expect: &str| {
        assert_eq!(source_folder(Path::new("s"), "alpine", part), Path::new(expect));
    };
    check("v3.20/main", "s/alpine/v3.20/main");
    check("Rocky Linux", "s/alpine/Rocky Linux");
    check("/../../etc", "s/alpine/etc");
}
