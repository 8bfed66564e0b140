//! Tests of local engines.

use model::Digest;
use testkit::{
    Answer, AttestationForm, EngineBuilder, EngineStandIn, engine, image, index, layer, layout,
};

use super::*;
use crate::testing::{ask, shown, told, told_knowing, wait};

fn small() -> testkit::ImageBuilder {
    image().layer(layer().file("a", "1")).layer(layer().file("b", "2"))
}

/// What is told of `name` by a stand-in for an engine, which is called `ENGINE`.
fn told_by(engine: EngineBuilder, name: &str, change: impl FnOnce(&mut Ask)) -> String {
    let engine = engine.start();
    let mut ask = asking(&engine, name);
    change(&mut ask);
    let text = told(&Local, &ask);
    text.replace(&format!("unix://{}", engine.socket().display()), "ENGINE")
}

fn asking(engine: &EngineStandIn, name: &str) -> Ask {
    let mut ask = ask(name);
    ask.settings = Arc::new(Settings {
        docker_sockets: vec![engine.socket()],
        workers: 2,
        ..Settings::default()
    });
    ask
}

fn check(engine: EngineBuilder, name: &str, expect: &str) {
    assert_eq!(told_by(engine, name, |_| {}), expect);
}

#[test]
fn by_name_and_by_id() {
    let expect = "linux/amd64 no-digest no-index config [app:1]\n  \
                  a no-digest <COPY layer 0>\n  b no-digest <COPY layer 1>";
    check(engine().image("app:1", &small(), 1), "app:1", expect);
    let id = small().blobs().blobs.swap_remove(2).0;
    check(engine().image("app:1", &small(), 1), &id, expect);
}

#[test]
fn exports_of_other_kinds() {
    let expect = "linux/amd64 no-digest no-index config [app:1]\n  \
                  a no-digest <COPY layer 0>\n  b no-digest <COPY layer 1>";
    let answered = |bytes| {
        engine().image("app:1", &small(), 1).answer("/images/app:1/get", Answer::Bytes(200, bytes))
    };
    check(answered(small().podman_archive("app:1")), "app:1", expect);
    check(answered(small().old_docker_archive("app:1")), "app:1", expect);
    check(answered(small().oci_archive("app:1")), "app:1", expect);
    // As containerd keeps images: for several platforms, with attestations.
    let other = image().platform("linux", "s390x").layer(layer().file("c", ""));
    let index = index()
        .image("linux/s390x", other)
        .image("linux/amd64", small())
        .attestation(AttestationForm::Legacy, "https://spdx.dev/Document");
    check(answered(layout().index("app:1", &index).archive()), "app:1", expect);
}

#[test]
fn nothing_is_exported_when_all_layers_are_known() {
    let engine = engine().image("app:1", &small(), 1).start();
    let known: Vec<Digest> = small().diff_ids().iter().map(|it| it.parse().unwrap()).collect();
    assert_eq!(
        told_knowing(&Local, &asking(&engine, "app:1"), &known),
        "linux/amd64 no-digest no-index config [app:1]\n  \
         known no-digest <COPY layer 0>\n  known no-digest <COPY layer 1>"
    );
    assert_eq!(engine.requests(), ["/images/app:1/json", "/images/app:1/history"]);
    // One that is known is not read again.
    assert_eq!(
        told_knowing(&Local, &asking(&engine, "app:1"), &known[..1]),
        "linux/amd64 no-digest no-index config [app:1]\n  \
         known no-digest <COPY layer 0>\n  b no-digest <COPY layer 1>"
    );
}

/// Whoever reads a layer once more asks for it by the name it was read by.
#[test]
fn a_second_reading_reads_by_the_same_names() {
    struct Only(model::LayerKey, std::sync::Mutex<u32>);
    impl LayerReader for Only {
        fn knows(&self, layer: &model::LayerDescription) -> bool {
            layer.key != self.0
        }
        fn read(
            &self,
            _: &model::LayerDescription,
            bytes: &mut dyn std::io::Read,
        ) -> Result<(), Error> {
            std::io::copy(bytes, &mut std::io::sink()).unwrap();
            *self.1.lock().unwrap() += 1;
            Ok(())
        }
    }
    for export in [small().old_docker_archive("app:1"), small().podman_archive("app:1")] {
        let engine = engine()
            .image("app:1", &small(), 1)
            .answer("/images/app:1/get", Answer::Bytes(200, export))
            .start();
        wait(async {
            let ask = asking(&engine, "app:1");
            let Ok(Some(Opened::Image(image))) = Local.open(&ask).await else {
                panic!("it is there")
            };
            let first = Arc::new(crate::testing::Lister::default());
            let description = image.read(first).await.unwrap();
            let only = Arc::new(Only(description.layers[1].key.clone(), 0.into()));
            assert_eq!(image.read(only.clone()).await.unwrap(), description);
            assert_eq!(*only.1.lock().unwrap(), 1);
        });
    }
}

#[test]
fn the_configuration_is_what_the_engine_tells() {
    let engine = engine().image("app:1", &small(), 1).start();
    let ask = asking(&engine, "app:1");
    let Ok(Some(Opened::Image(image))) = wait(Local.open(&ask)) else { panic!("it is there") };
    let config = image.description().unwrap().raw_config.clone().unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["config"]["Cmd"][0], "sh");
    assert_eq!(config["history"][1]["created_by"], "COPY layer 1");
    assert_eq!(config["rootfs"]["diff_ids"][0], small().diff_ids()[0]);
}

#[test]
fn errors_of_the_engine() {
    check(
        engine(),
        "app:1",
        "NotFound: app:1: the engine holds no such image\n  \
         hint: pull or build it first, or ask its registry: registry://app:1",
    );
    let failing = Answer::Json(500, serde_json::json!({"message": "disk\non fire"}));
    check(
        engine().answer("/images/app:1/json", failing.clone()),
        "app:1",
        "Unavailable: ENGINE: the engine says: disk on fire",
    );
    check(
        engine().image("app:1", &small(), 1).answer("/images/app:1/get", failing),
        "app:1",
        "Unavailable: ENGINE: the engine says: disk on fire",
    );
    check(
        engine().answer("/images/app:1/json", Answer::Bytes(502, b"<html>".to_vec())),
        "app:1",
        "Unavailable: ENGINE: the engine answers with status 502",
    );
    check(
        engine().answer("/images/app:1/json", Answer::Bytes(200, b"<html>".to_vec())),
        "app:1",
        "Corrupt: ENGINE: its answer to /images/app:1/json is odd: \
         expected value at line 1 column 1",
    );
    check(
        engine().answer("/images/app:1/json", Answer::Bytes(200, vec![b' '; 17 << 20])),
        "app:1",
        "Limit: ENGINE: its answer is longer than 16777216 bytes",
    );
}

#[test]
fn an_engine_that_breaks_off() {
    let export = small().docker_archive("app:1");
    for at in [0, 700, export.len() / 2] {
        let engine = engine()
            .image("app:1", &small(), 1)
            .answer("/images/app:1/get", Answer::Cut(export.clone(), at));
        let told = told_by(engine, "app:1", |_| {});
        assert!(told.starts_with("Unavailable: ENGINE: the engine broke off: "), "{at}: {told}");
    }
}

#[test]
fn an_engine_that_falls_silent() {
    let silent = engine().answer("/images/app:1/json", Answer::Silence);
    let told = told_by(silent, "app:1", |ask| {
        let mut settings = (*ask.settings).clone();
        settings.stall = std::time::Duration::from_secs(1);
        ask.settings = Arc::new(settings);
    });
    assert_eq!(
        told,
        "Unavailable: ENGINE: the engine said nothing for 1 seconds\n  \
         hint: is the engine busy or stuck? `docker info` shows whether it answers"
    );
}

#[test]
fn an_export_of_something_else() {
    let other = image().layer(layer().file("c", "")).docker_archive("app:1");
    check(
        engine().image("app:1", &small(), 1).answer("/images/app:1/get", Answer::Bytes(200, other)),
        "app:1",
        "Unavailable: app:1: the engine exports another image than it tells of\n  \
         hint: was it built or pulled anew just now? try again",
    );
}

#[test]
fn names_that_lead_elsewhere() {
    for name in ["", "../containers/json", "a/../../b", "a?b=c", "a b", "a#b", "a//b", "a%2e"] {
        let told = told_by(engine(), name, |_| {});
        assert_eq!(
            told,
            format!(
                "Invalid: {name}: it is no name of an image\n  \
                 hint: such as debian:12, or sha256: and the image's id"
            )
        );
    }
}

#[test]
fn platforms() {
    let wanted = |ask: &mut Ask| ask.platform = Some("linux/arm64".parse().unwrap());
    let old = engine().image("app:1", &small(), 1);
    assert_eq!(
        told_by(old, "app:1", wanted),
        "NotFound: app:1: there is none for linux/arm64; it is for linux/amd64\n  \
         hint: pull it with --platform, or ask its registry"
    );
    let query = "?platform=%7B%22architecture%22%3A%22arm64%22%2C%22os%22%3A%22linux%22%2C\
                 %22variant%22%3Anull%7D";
    let new = || engine().version("1.49").image("app:1", &small(), 1);
    assert_eq!(
        told_by(new(), "app:1", wanted),
        "NotFound: app:1: the engine holds it for linux/amd64, not for linux/arm64\n  \
         hint: pull it with --platform, or ask its registry"
    );
    let arm = image().platform("linux", "arm64").layer(layer().file("arm", ""));
    let both = new().other_platform("app:1", query, &arm);
    assert_eq!(
        told_by(both, "app:1", wanted),
        "linux/arm64 no-digest no-index config [app:1]\n  arm no-digest <COPY layer 0>"
    );
}

#[test]
fn an_engine_that_is_not_there() {
    let mut ask = ask("app:1");
    let set = |ask: &mut Ask, host: Option<&str>| {
        let sockets = vec!["/no/such.sock".into(), "/nor/such.sock".into()];
        ask.settings = Arc::new(Settings {
            docker_host: host.map(str::to_owned),
            docker_sockets: sockets,
            ..Settings::default()
        });
    };
    set(&mut ask, None);
    let hint = "\n  hint: is Docker or podman running? DOCKER_HOST says where it listens";
    let missing = "No such file or directory (os error 2)";
    assert_eq!(
        told(&Local, &ask),
        format!(
            "Unavailable: the container engine: it cannot be reached: /no/such.sock: {missing}; \
             /nor/such.sock: {missing}{hint}"
        )
    );
    set(&mut ask, Some("unix:///no/such.sock"));
    assert_eq!(
        told(&Local, &ask),
        format!("Unavailable: unix:///no/such.sock: it cannot be reached: {missing}{hint}")
    );
}

#[test]
fn the_newest_image() {
    let none: Option<String> = None;
    let newest = |engine: EngineBuilder| {
        let engine = engine.start();
        let settings = asking(&engine, "").settings;
        wait(newest(&settings)).map_err(|error| shown(&error))
    };
    assert_eq!(newest(engine()), Ok(none));
    let other = image().layer(layer().file("c", ""));
    let several = engine().image("app:2", &small(), 7).image("app:1", &other, 7).image(
        "<none>:<none>",
        &other,
        9,
    );
    assert_eq!(newest(several), Ok(Some("app:1".to_owned())));
}

/// The same against podman, whose socket speaks the Engine API.
#[test]
fn podman_itself() {
    let Some(podman) = Podman::start() else {
        println!("left out: podman is not installed, or cannot run here");
        return;
    };
    let id = podman.load(&small().docker_archive("docker.io/library/foretop-test:1"));
    let mut ask = ask("foretop-test:1");
    ask.settings = Arc::new(Settings {
        docker_host: Some(format!("unix://{}", podman.socket().display())),
        ..Settings::default()
    });
    let expect = "linux/amd64 no-digest no-index config";
    let first = told(&Local, &ask);
    assert!(first.starts_with(expect), "{first}");
    let layers: Vec<&str> = first.lines().skip(1).collect();
    assert_eq!(layers, ["  a no-digest <COPY layer 0>", "  b no-digest <COPY layer 1>"], "{first}");
    assert!(first.contains("docker.io/library/foretop-test:1"), "{first}");
    let known: Vec<Digest> = small().diff_ids().iter().map(|it| it.parse().unwrap()).collect();
    assert!(told_knowing(&Local, &ask, &known).contains("known no-digest"));
    assert_eq!(
        wait(newest(&ask.settings)).unwrap().as_deref(),
        Some("docker.io/library/foretop-test:1")
    );
    ask.name = format!("sha256:{id}");
    assert_eq!(told(&Local, &ask).lines().skip(1).collect::<Vec<_>>(), layers);
    ask.name = "no-such:1".to_owned();
    assert!(told(&Local, &ask).starts_with("NotFound: no-such:1: "));
}

/// A podman service with a storage of its own.
struct Podman {
    directory: tempfile::TempDir,
    service: std::process::Child,
}

impl Podman {
    fn start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let info = Self::command(directory.path()).arg("info").output().ok()?;
        // It may be there and not able to unpack a layer, below a changed root for one.
        let elsewhere = tempfile::tempdir().unwrap();
        let empty = elsewhere.path().join("empty.tar");
        fs_err::write(&empty, [0; 1024]).unwrap();
        let unpacked = Self::command(elsewhere.path()).arg("import").arg(&empty).output().ok()?;
        if !(info.status.success() && unpacked.status.success()) {
            return None;
        }
        // The service is handed a socket that listens already (as systemd does), so that nobody
        // needs to wait for it: it is standard input here, the first handed descriptor there.
        let listener =
            std::os::unix::net::UnixListener::bind(directory.path().join("podman.sock")).ok()?;
        let podman = Self::command(directory.path());
        let service = std::process::Command::new("sh")
            .args(["-c", "exec 3<&0; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"", "sh"])
            .arg(podman.get_program())
            .args(podman.get_args())
            .args(["system", "service", "--time", "0"])
            .stdin(std::os::fd::OwnedFd::from(listener))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .ok()?;
        Some(Self { directory, service })
    }

    fn command(directory: &std::path::Path) -> std::process::Command {
        let mut command = std::process::Command::new("podman");
        command.args(["--storage-driver", "vfs", "--events-backend", "none", "--root"]);
        command.arg(directory.join("root")).arg("--runroot").arg(directory.join("run"));
        command
    }

    fn socket(&self) -> std::path::PathBuf {
        self.directory.path().join("podman.sock")
    }

    /// Loads an archive and says the image's id.
    fn load(&self, archive: &[u8]) -> String {
        let path = self.directory.path().join("image.tar");
        fs_err::write(&path, archive).unwrap();
        let loaded =
            Self::command(self.directory.path()).arg("load").arg("-i").arg(&path).output().unwrap();
        assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
        let listed = Self::command(self.directory.path())
            .args(["images", "-q", "--no-trunc"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&listed.stdout).trim().trim_start_matches("sha256:").to_owned()
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

/// An engine behind TLS that wants to know who asks, played by `openssl s_server`, which sends
/// the files of its directory.
#[test]
fn certificates() {
    let directory = tempfile::tempdir().unwrap();
    if !make_certificates(directory.path()) {
        println!("left out: openssl is not installed");
        return;
    }
    fs_err::create_dir_all(directory.path().join("images")).unwrap();
    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\
                  [{\"Created\": 1, \"RepoTags\": [\"app:1\"]}]";
    fs_err::write(directory.path().join("images/json"), answer).unwrap();
    let mut server = std::process::Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-HTTP", "-Verify", "1"])
        .args(["-verify_return_error", "-CAfile", "ca.pem", "-cert", "cert.pem", "-key", "key.pem"])
        .current_dir(directory.path())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(server.stdout.take().unwrap()));
    let port = lines.find_map(|line| Some(line.ok()?.strip_prefix("ACCEPT ")?.to_owned())).unwrap();
    let asked = |certificates: &std::path::Path| {
        let settings = Settings {
            docker_host: Some(format!("tcp://{port}")),
            docker_certificates: Some(certificates.to_owned()),
            ..Settings::default()
        };
        wait(newest(&settings))
    };
    assert_eq!(asked(directory.path()).unwrap().as_deref(), Some("app:1"));
    // Without a certificate of one's own the server hangs up; without the authority we do.
    let bare = tempfile::tempdir().unwrap();
    assert!(matches!(asked(bare.path()), Err(Error::Unavailable { .. })));
    fs_err::copy(directory.path().join("ca.pem"), bare.path().join("ca.pem")).unwrap();
    assert!(matches!(asked(bare.path()), Err(Error::Unavailable { .. })));
    fs_err::write(bare.path().join("ca.pem"), "-----BEGIN CERTIFICATE-----\nx").unwrap();
    assert!(matches!(asked(bare.path()), Err(Error::Invalid { .. })));
    let _ = server.kill();
    let _ = server.wait();
}

/// An authority, and one certificate for both sides.
fn make_certificates(directory: &std::path::Path) -> bool {
    let openssl = |arguments: &str| {
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(arguments.split(' ')).current_dir(directory);
        openssl.output().is_ok_and(|it| it.status.success())
    };
    let names = "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
    fs_err::write(directory.join("names"), names).unwrap();
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {new} -keyout ca-key.pem -out ca.pem -subj /CN=ca -days 2"))
        && openssl(&format!("req {new} -keyout key.pem -out request -subj /CN=engine"))
        && openssl(
            "x509 -req -in request -CA ca.pem -CAkey ca-key.pem -set_serial 1 -days 2 \
             -extfile names -out cert.pem",
        )
}
