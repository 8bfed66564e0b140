//! A small world to judge: documents as publishers have them, and an image they speak of.

use testkit::ImageBuilder;

use crate::sandbox::Sandbox;

/// Debian's tracker: a fix, a flaw too small for an update, one that Debian never had, and a package
/// of Python's.
const TRACKER: &str = r#"{
  "teapot": {
    "CVE-2024-0001": {"scope": "remote", "description": "A teapot boils over.", "releases": {
      "jessie": {"status": "resolved", "repositories": {"jessie": "1.2-1"}, "fixed_version": "1.2-1+deb8u1", "urgency": "high", "advisory": "DLA-1-1"}}},
    "CVE-2024-0002": {"description": "The lid falls off.", "releases": {
      "jessie": {"status": "open", "repositories": {"jessie": "1.2-1"}, "urgency": "low", "nodsa": "Minor issue", "nodsa_reason": ""}}},
    "CVE-2024-0003": {"description": "The handle is hot.", "releases": {
      "jessie": {"status": "resolved", "repositories": {"jessie": "1.2-1"}, "fixed_version": "0", "urgency": "unimportant"}}}
  },
  "python-brew": {
    "CVE-2024-0004": {"description": "It brews for ever.", "releases": {
      "jessie": {"status": "resolved", "repositories": {"jessie": "1.0-2"}, "fixed_version": "1.0-2", "urgency": "medium"}}}
  }
}
"#;

/// Alpine's: a fix, and a version of 0.
const SECDB: &str = r#"{"distroversion": "v3.11", "reponame": "main", "archs": ["x86_64"],
  "urlprefix": "https://dl-cdn.alpinelinux.org/alpine",
  "apkurl": "{{urlprefix}}/{{distroversion}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk",
  "packages": [{"pkg": {"name": "kettle", "secfixes": {"2.0-r1": ["CVE-2024-0011"], "0": ["CVE-2024-0012"]}}}]}
"#;

/// OSV's, of npm: a flaw, and one that was withdrawn. Its words are not to be trusted.
const LEAVES: &str = r#"{"schema_version": "1.7.3", "id": "GHSA-aaaa-bbbb-cccc",
  "published": "2024-01-08T20:57:09Z", "modified": "2024-01-11T15:07:45Z", "aliases": ["CVE-2024-0021"],
  "summary": "=leaves() \u001b[31mspill | over <b>everything</b> that stands on the table, the chairs around it and all of the floor in the end",
  "details": "Nothing\nstays dry.",
  "affected": [{"package": {"name": "tea-leaves", "ecosystem": "npm"},
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"fixed": "1.4.0"}]}]}],
  "references": [{"type": "ADVISORY", "url": "https://example.com/leaves"}],
  "database_specific": {"cwe_ids": ["CWE-400"], "severity": "HIGH"},
  "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}]}
"#;
const WITHDRAWN: &str = r#"{"schema_version": "1.7.3", "id": "GHSA-dddd-eeee-ffff",
  "published": "2024-01-08T20:57:09Z", "modified": "2024-02-11T15:07:45Z", "withdrawn": "2024-02-11T15:07:45Z",
  "summary": "It was no flaw after all",
  "affected": [{"package": {"name": "tea-leaves", "ecosystem": "npm"},
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}
"#;
/// OSV's, of Python.
const STEEPER: &str = r#"{"schema_version": "1.7.3", "id": "PYSEC-2024-31",
  "published": "2024-01-08T20:57:09Z", "modified": "2024-01-12T15:07:45Z", "aliases": ["CVE-2024-0031"],
  "details": "Steeper steeps too long.",
  "affected": [{"package": {"name": "steeper", "ecosystem": "PyPI"},
    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0"}]}]}]}
"#;
const BREW: &str = r#"{"schema_version": "1.7.3", "id": "PYSEC-2024-4",
  "published": "2024-01-08T20:57:09Z", "modified": "2024-01-12T15:07:45Z", "aliases": ["CVE-2024-0004"],
  "details": "It brews for ever.",
  "affected": [{"package": {"name": "brew", "ecosystem": "PyPI"},
    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}]}]}
"#;
const EXPLOITED: &str = r#"{"title": "Catalog", "catalogVersion": "2024.05.04", "dateReleased": "2024-05-04T15:00:00.000Z",
  "count": 1, "vulnerabilities": [{"cveID": "CVE-2024-0001", "vendorProject": "Tea", "product": "Pot",
  "vulnerabilityName": "Teapot Boiling Vulnerability", "dateAdded": "2024-05-04", "shortDescription": "Hot.",
  "requiredAction": "Take it off the stove.", "dueDate": "2024-05-25", "knownRansomwareCampaignUse": "Unknown",
  "notes": "", "cwes": ["CWE-125"]}]}
"#;
const FORECASTS: &str = "#model_version:v2024.03.14,score_date:2024-05-05T12:55:00Z\n\
    cve,epss,percentile\nCVE-2024-0001,0.94,0.999\nCVE-2024-0021,0.002,0.113\n";
const SCORES: &str = r#"{"resultsPerPage": 1, "startIndex": 0, "totalResults": 1, "format": "NVD_CVE", "version": "2.0",
 "timestamp": "2024-05-01T00:00:00.000", "vulnerabilities": [{"cve": {"id": "CVE-2024-0001",
  "published": "2024-01-07T22:55:03.893", "lastModified": "2024-02-10T16:58:40.007", "vulnStatus": "Modified",
  "descriptions": [{"lang": "en", "value": "A teapot boils over."}],
  "metrics": {"cvssMetricV31": [{"source": "nvd@nist.gov", "type": "Primary", "cvssData": {"version": "3.1",
   "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "baseScore": 9.8, "baseSeverity": "CRITICAL"}}]},
  "weaknesses": [{"source": "nvd@nist.gov", "type": "Primary", "description": [{"lang": "en", "value": "CWE-125"}]}]}}]}
"#;

/// Each document, and where it lies below `feeds`.
pub(crate) const DOCUMENTS: [(&str, &str); 9] = [
    ("debian/tracker.json", TRACKER),
    ("alpine/main.json", SECDB),
    ("osv/npm/GHSA-aaaa-bbbb-cccc.json", LEAVES),
    ("osv/npm/GHSA-dddd-eeee-ffff.json", WITHDRAWN),
    ("osv/PyPI/PYSEC-2024-31.json", STEEPER),
    ("osv/PyPI/PYSEC-2024-4.json", BREW),
    ("kev.json", EXPLOITED),
    ("epss.csv", FORECASTS),
    ("nvd.json", SCORES),
];

fn deb(name: &str, version: &str, source: &str) -> String {
    format!(
        "Package: {name}\nStatus: install ok installed\nSource: {source}\nVersion: {version}\n\
         Architecture: amd64\nMaintainer: Debian <tea@lists.debian.org>\nDescription: tea\n\n"
    )
}

const EGG: &str = "usr/lib/python3/dist-packages/brew-1.0.egg-info";

/// Debian 8, which is at its end for good, with packages of Python's and npm's.
fn image() -> ImageBuilder {
    let brew = "Metadata-Version: 2.1\nName: brew\nVersion: 1.0\n";
    let status = deb("teapot-utils", "1.2-1", "teapot")
        + &deb("libtea0", "1.2-1", "teapot")
        + &deb("python3-brew", "1.0-2", "python-brew")
        + &deb("saucer", "1.0-1", "saucer");
    let base = testkit::layer()
        .file(
            "etc/os-release",
            "ID=debian\nVERSION_ID=\"8\"\nPRETTY_NAME=\"Debian GNU/Linux 8 (jessie)\"\n",
        )
        .file("var/lib/dpkg/status", status)
        .file("var/lib/dpkg/info/python3-brew.list", format!("/.\n/{EGG}\n"))
        .file(EGG, brew);
    let application = testkit::layer()
        .file(
            "app/node_modules/tea-leaves/package.json",
            r#"{"name":"tea-leaves","version":"1.2.0"}"#,
        )
        .file(
            "app/lib/python3.4/site-packages/steeper-x.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: steeper\nVersion: strong\n",
        );
    testkit::image().layer(base).layer(application)
}

fn alpine() -> ImageBuilder {
    let installed = "P:kettle\nV:2.0-r0\nA:x86_64\no:kettle\n\n";
    testkit::image().layer(
        testkit::layer()
            .file(
                "etc/os-release",
                "ID=alpine\nVERSION_ID=3.11.3\nPRETTY_NAME=\"Alpine Linux v3.11\"\n",
            )
            .file("lib/apk/db/installed", installed),
    )
}

/// The images and documents, and no almanac.
pub(crate) fn bare() -> Sandbox {
    let sandbox = Sandbox::new().with("SOURCE_DATE_EPOCH", "1717200000").with("LANG", "C.UTF-8");
    for (name, text) in DOCUMENTS {
        sandbox.file(&format!("feeds/{name}"), text);
    }
    sandbox.file("tea.tar", image().docker_archive("example/tea:1"));
    sandbox.file("alpine.tar", alpine().docker_archive("example/alpine:1"));
    sandbox
}

/// The same, with the documents built into the almanac that is used.
pub(crate) fn open() -> Sandbox {
    let sandbox = bare();
    let built = sandbox.foretop("almanac build --from feeds");
    assert!(built.starts_with("exit 0\n"), "{built}");
    sandbox
}

/// Words in place of what is another each time: when it was, and what hangs on it.
pub(crate) fn timeless(text: &str) -> String {
    let patterns = [
        (r"almanac( +)[0-9a-f]{12}", "almanac${1}[ALMANAC]"),
        (r"Almanac [0-9a-f]{12}", "Almanac [ALMANAC]"),
        (r"sha256:[0-9a-f]{64}", "sha256:[DIGEST]"),
        (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
        (r"urn:uuid:[0-9a-f-]{36}", "urn:uuid:[UUID]"),
        (r"made( +)\d{4}-\d\d-\d\dT[0-9:.]+Z", "made${1}[NOW]"),
        (r"\(\d+ days\)", "([AGE] days)"),
        // The document's name is made of all it says, ages among them.
        (r"urn:uuid:[0-9a-f-]{36}", "urn:uuid:[UUID]"),
        (r"stale( +)\d+", "stale${1}[AGE]"),
    ];
    patterns.into_iter().fold(text.to_owned(), |text, (pattern, word)| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, word).into_owned()
    })
}
