//! A server that keeps its almanac fresh: what a feed says becomes an event without anybody's doing.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;
use crate::serving::Serving;

const SECDB: &str = "/packages.wolfi.dev/os/security.json";
const KEV: &str = "/www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";

/// How a document is answered.
#[derive(Clone)]
enum Answer {
    Good(String),
    /// Half of it, and then the line is cut.
    Cut(String),
    Error,
    /// Never.
    Hang,
}

/// A mirror that answers as it is told.
#[derive(Clone)]
struct Mirror {
    root: String,
    answers: Arc<Mutex<BTreeMap<&'static str, Answer>>>,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Mirror {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let mirror = Self { root, answers: Arc::default(), asked: Arc::default() };
        let own = mirror.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                std::thread::spawn(move || own.answer(stream));
            }
        });
        mirror
    }

    fn says(&self, path: &'static str, answer: Answer) {
        self.answers.lock().unwrap().insert(path, answer);
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().get(path).copied().unwrap_or_default()
    }

    fn answer(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let (mut head, mut line) = (String::new(), String::new());
        while stream.read_line(&mut line).is_ok_and(|it| it > 2) {
            head.push_str(&line);
            line.clear();
        }
        let Some(path) = head.split(' ').nth(1).map(str::to_owned) else { return };
        *self.asked.lock().unwrap().entry(path.clone()).or_default() += 1;
        let answer = self.answers.lock().unwrap().get(&*path).cloned();
        let (status, body, length) = match answer {
            Some(Answer::Good(body)) => ("200 OK", body.clone(), body.len()),
            Some(Answer::Cut(body)) => {
                let half = body.get(..body.len() / 2).unwrap_or_default().to_owned();
                ("200 OK", half, body.len())
            }
            Some(Answer::Error) => ("500 Internal Server Error", String::new(), 0),
            Some(Answer::Hang) => {
                // Until whoever asked goes.
                let _ = stream.read_line(&mut String::new());
                return;
            }
            None => ("404 Not Found", String::new(), 0),
        };
        let tag =
            format!("\"{:x}\"", body.len() * 31 + body.bytes().map(usize::from).sum::<usize>());
        if status == "200 OK" && body.len() == length && head.contains(&tag) {
            let _ = stream
                .get_mut()
                .write_all(b"HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n");
            return;
        }
        let text = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\netag: {tag}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let _ = stream.get_mut().write_all(text.as_bytes());
    }
}

fn secdb(fixes: &str) -> Answer {
    Answer::Good(format!(
        r#"{{"apkurl": "{{{{urlprefix}}}}/{{{{reponame}}}}/{{{{arch}}}}/{{{{pkg.name}}}}-{{{{pkg.ver}}}}.apk",
  "archs": ["x86_64"], "reponame": "os", "urlprefix": "https://packages.wolfi.dev",
  "packages": [{{"pkg": {{"name": "teapot", "secfixes": {{{fixes}}}}}}}]}}"#
    ))
}

fn catalog(ids: &[&str]) -> Answer {
    let all = ids.iter().map(|id| {
        format!(
            r#"{{"cveID": "{id}", "vendorProject": "Tea", "product": "Pot", "vulnerabilityName": "Hot",
  "dateAdded": "2026-05-04", "shortDescription": "Hot.", "requiredAction": "Wait.",
  "dueDate": "2026-05-25", "knownRansomwareCampaignUse": "Unknown", "notes": "", "cwes": []}}"#
        )
    });
    let all: Vec<String> = all.collect();
    Answer::Good(format!(
        r#"{{"title": "Catalog", "catalogVersion": "2026.05.04", "dateReleased": "2026-05-04T15:00:00.000Z",
  "count": {}, "vulnerabilities": [{}]}}"#,
        all.len(),
        all.join(",")
    ))
}

/// A mirror, a house with an almanac from it, and a server there.
fn begun(behind: &str) -> (Mirror, Sandbox, Serving, Sandbox) {
    let mirror = Mirror::start();
    mirror.says(SECDB, secdb(r#""1.0-r1": ["CVE-2026-0001"]"#));
    mirror.says(KEV, catalog(&["CVE-2020-0001"]));
    let house = Sandbox::new().with("FORETOP_ALMANAC_MIRROR", &mirror.root);
    let fetched = house.foretop("almanac update --feed wolfi,kev");
    assert!(fetched.starts_with("exit 0\n"), "{fetched}");
    let line = format!("--organization acme --workers 1 --rate-limit 0 {behind}");
    let serving = Serving::start(&house, &line);
    let ann = Sandbox::new();
    serving.settled(&ann, "ci --org acme --scope admin");
    for (name, package) in [("web", "teapot"), ("db", "kettle")] {
        let installed = format!("P:{package}\nV:1.2-r0\nA:x86_64\no:{package}\n\n");
        let release = "ID=wolfi\nVERSION_ID=20260101\nPRETTY_NAME=\"Wolfi\"\n";
        let layer = testkit::layer()
            .file("etc/os-release", release)
            .file("lib/apk/db/installed", installed);
        let file = format!("{name}.tar");
        let image = testkit::image().layer(layer).docker_archive(&format!("myorg/{name}:v1"));
        ann.file(&file, image);
        for line in [
            format!("push archive://{file}"),
            format!("env {} myorg/{name}:v1", if name == "web" { "production" } else { "staging" }),
        ] {
            let said = ann.foretop(&line);
            assert!(said.starts_with("exit 0\n"), "{line}: {said}");
        }
    }
    (mirror, house, serving, ann)
}

/// Waits for an event of that kind, and says all there are of it.
#[track_caller]
fn waited(ann: &Sandbox, kind: &str, word: &str) -> String {
    let begun = Instant::now();
    loop {
        let said = ann.foretop(&format!("events --kind {kind}"));
        if said.contains(word) {
            return said;
        }
        assert!(begun.elapsed() < Duration::from_mins(3), "{word} is never told: {said}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_new_advisory_is_an_event_where_it_matters() {
    let (mirror, house, _serving, ann) = begun("--refresh-every 1s");
    // That nothing is new costs little: nothing but questions.
    let begun = Instant::now();
    let asked = mirror.asked(SECDB);
    while mirror.asked(SECDB) < asked + 2 {
        assert!(begun.elapsed() < Duration::from_mins(3), "it is asked again");
        std::thread::sleep(Duration::from_millis(50));
    }
    mirror.says(SECDB, secdb(r#""1.0-r1": ["CVE-2026-0001"], "1.3-r0": ["CVE-2026-0002"]"#));
    let told = waited(&ann, "finding-new", "CVE-2026-0002");
    assert!(told.contains("production  finding-new  CVE-2026-0002 of teapot@1.2-r0"), "{told}");
    assert_eq!(told.matches("finding-new").count(), 1, "nobody else is told: {told}");
    // One that fails keeps nothing else from being had.
    for (number, bad) in
        [Answer::Error, Answer::Cut("{".repeat(4_000)), Answer::Good("<html>".to_owned())]
            .into_iter()
            .enumerate()
    {
        mirror.says(SECDB, bad);
        let id = ["CVE-2026-0002", "CVE-2026-0003", "CVE-2026-0004"][number];
        mirror.says(KEV, catalog(&["CVE-2020-0001", id]));
        if number == 0 {
            waited(&ann, "finding-exploited", id);
        } else {
            let begun = Instant::now();
            while !house.foretop(&format!("almanac show {id}")).contains("attacks") {
                assert!(begun.elapsed() < Duration::from_mins(3), "{number}");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        // What it said before still holds.
        let whole = house.foretop("almanac show CVE-2026-0002");
        assert!(whole.contains("1.3-r0"), "{number}: {whole}");
    }
    assert!(!ann.foretop("events --kind finding").contains("finding-gone"));
}

#[test]
fn who_is_killed_over_it_leaves_the_former() {
    let (mirror, house, mut serving, ann) = begun("--refresh-every 1s");
    let before = house.foretop("almanac show CVE-2026-0001");
    mirror.says(SECDB, Answer::Hang);
    let asked = mirror.asked(SECDB);
    let begun = Instant::now();
    while mirror.asked(SECDB) <= asked {
        assert!(begun.elapsed() < Duration::from_mins(3), "it is asked again");
        std::thread::sleep(Duration::from_millis(50));
    }
    serving.kill();
    assert_eq!(house.foretop("almanac show CVE-2026-0001"), before);
    let whole = house.foretop("almanac verify");
    assert!(whole.starts_with("exit 0\n"), "{whole}");
    // What it had begun has ended with it, and the next one goes on, at once.
    mirror.says(SECDB, secdb(r#""1.3-r0": ["CVE-2026-0002"]"#));
    let begun = Instant::now();
    loop {
        let said = house.foretop("almanac update --feed kev");
        if said.starts_with("exit 0\n") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_mins(3), "{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let house = house.with("FORETOP_REFRESH", &format!("mirror={}", mirror.root));
    serving.again(&house, 1);
    drop(ann);
}

#[test]
fn where_it_is_not_kept_fresh_it_is_said() {
    let check = |house: &Sandbox, line: &str, expect: &str| {
        let said = house.foretop(&format!("serve --listen 127.0.0.1:0 --workers 0 {line}"));
        assert!(said.starts_with("exit 1\n") && said.contains(expect), "{line}: {said}");
    };
    let house = Sandbox::new().with("FORETOP_OFFLINE", "1");
    check(&house, "--refresh publishers", "nothing may be fetched: we are offline");
    let house = Sandbox::new();
    check(&house, "--refresh oci=r.example/almanac", "nobody is trusted yet");
    check(&house, "--refresh publishers --refresh-every 5m", "publishers are not asked that often");
    let file = house.file("file", "");
    let line = format!("--refresh publishers --almanac {}", file.display());
    check(&house, &line, "the almanac cannot be written to");
    let wrong = Sandbox::new().with("FORETOP_REFRESH", "sometimes");
    check(&wrong, "", "FORETOP_REFRESH: `sometimes` is nowhere");
    let said = house.foretop("serve --refresh sometimes");
    assert!(
        said.starts_with("exit 1\n") && said.contains("write publishers, mirror=URL"),
        "{said}"
    );
    let said = house.foretop("almanac --attended status");
    assert!(said.starts_with("exit 1\n"), "{said}");
}
