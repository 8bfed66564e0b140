//! A real registry, the one that Debian has as `docker-registry`, and skopeo to push to it.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{Hook, ImageBuilder, layout};

/// A running one, gone when it is dropped.
#[derive(Debug)]
pub struct RealRegistry {
    process: Child,
    host: String,
    folder: tempfile::TempDir,
}

/// What somebody asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// `/v2/app/blobs/sha256:…`.
    pub path: String,
    /// 200.
    pub status: u16,
    /// Bytes of the body that were sent.
    pub bytes: u64,
}

impl RealRegistry {
    /// Starts one that everybody may use; none where it or skopeo is not installed, which is said.
    pub fn start() -> Option<Self> {
        Self::configured("127.0.0.1:0", "", "")
    }

    /// Starts one for those who are told in these lines of an htpasswd file.
    pub fn start_for(users: &str) -> Option<Self> {
        Self::configured("127.0.0.1:0", users, "")
    }

    /// Starts one on that port, 0 for any that is free, which tells a URL what happens in it, with that `Authorization`.
    pub fn telling(port: u16, url: &str, authorization: &str) -> Option<Self> {
        let more = format!(
            "notifications: {{endpoints: [{{name: us, url: '{url}', timeout: 5s, threshold: 3, \
             backoff: 1s, headers: {{Authorization: ['{authorization}']}}}}]}}\n"
        );
        Self::configured(&format!("127.0.0.1:{port}"), "", &more)
    }

    #[expect(clippy::print_stdout, reason = "a test that leaves itself out says so")]
    fn configured(address: &str, users: &str, more: &str) -> Option<Self> {
        let missing: Vec<_> =
            ["docker-registry", "skopeo"].into_iter().filter(|it| !runs(it)).collect();
        if !missing.is_empty() {
            println!("left out: {} is missing", missing.join(" and "));
            return None;
        }
        let folder = tempfile::tempdir().expect("there is room for a directory");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut config = format!(
            "version: 0.1\nlog: {{level: info}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}, delete: {{enabled: true}}}}\n\
             http: {{addr: '{address}'}}\n{more}",
            path("store"),
        );
        if !users.is_empty() {
            fs_err::write(path("users"), users).expect("there is room for a file");
            let users = path("users");
            let _ = writeln!(config, "auth: {{htpasswd: {{realm: test, path: '{users}'}}}}");
        }
        fs_err::write(path("config.yml"), config).expect("there is room for a file");
        let mut serve = Command::new("docker-registry");
        // Who asks it for what it writes down there.
        let asked = fs_err::File::create(path("asked")).expect("there is room for a file");
        let asked = asked.into_parts().0;
        serve.args(["serve", &path("config.yml")]).stdout(asked).stderr(Stdio::piped());
        let mut process = serve.spawn().expect("it ran a moment ago");
        let said = process.stderr.take().expect("it is a pipe");
        let host = listening(said);
        Some(Self { process, host, folder })
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Pushes an image that `docker save` wrote, by that name.
    pub fn push(&self, file: &Path, name: &str) {
        self.copy(&format!("docker-archive:{}", file.display()), name);
    }

    /// Pushes an image by that name, as OCI has it.
    pub fn push_image(&self, image: &ImageBuilder, name: &str) {
        let folder = self.folder.path().join("pushed").join(name.replace(['/', ':'], "-"));
        layout().image(name, image).write(&folder);
        self.copy(&format!("oci:{}:{name}", folder.display()), name);
        fs_err::remove_dir_all(folder).expect("it was made a moment ago");
    }

    /// Puts the image under `from` under another tag, as a promotion does.
    pub fn tag(&self, repository: &str, from: &str, to: &str) {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let headers = [("accept", kind), ("content-type", kind)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let ask = |method: &str, tag: &str, body: Vec<u8>| {
            let (method, path) = (method.to_owned(), String::new());
            let hook = Hook { method, path, headers: headers.clone(), body };
            let path = format!("/v2/{repository}/manifests/{tag}");
            hook.send(&self.host, &path).expect("it answers")
        };
        let manifest = ask("GET", from, Vec::new());
        assert_eq!(ask("PUT", to, manifest.body).status, 201, "{repository}:{to}");
    }

    fn copy(&self, from: &str, name: &str) {
        let to = format!("docker://{}/{name}", self.host);
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "-q", "--dest-tls-verify=false", from, &to]);
        let output = skopeo.output().expect("skopeo was there a moment ago");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Everything that it was asked for and has answered.
    pub fn asked(&self) -> Vec<Asked> {
        let log = fs_err::read_to_string(self.folder.path().join("asked")).expect("it is there");
        log.lines().filter_map(asked).collect()
    }

    /// Deletes the image that a tag leads to, and with it every tag that leads there.
    pub fn delete(&self, name: &str) {
        let name = format!("docker://{}/{name}", self.host);
        let mut skopeo = Command::new("skopeo");
        let output = skopeo.args(["delete", "--tls-verify=false", &name]).output();
        let output = output.expect("skopeo was there a moment ago");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A line of the log that web servers write: `HOST - - [TIME] "GET /path HTTP/1.1" 200 12 …`.
fn asked(line: &str) -> Option<Asked> {
    let mut parts = line.split('"').skip(1);
    let (mut request, mut answer) = (parts.next()?.split(' '), parts.next()?.split_whitespace());
    Some(Asked {
        method: request.next()?.to_owned(),
        path: request.next()?.to_owned(),
        status: answer.next()?.parse().ok()?,
        bytes: answer.next()?.parse().ok()?,
    })
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    let silent = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|it| it.success())
}

/// Where it listens, as it says itself; what it says later is read by somebody, so that it can be said.
fn listening(said: impl Read + Send + 'static) -> String {
    let mut said = BufReader::new(said);
    let mut before = String::new();
    let host = loop {
        let mut line = String::new();
        let read = said.read_line(&mut line).expect("it can be read");
        assert!(read > 0, "docker-registry ends before it listens: {before}");
        if let Some((_, host)) = line.split_once("listening on ") {
            break host.split(['"', ',', ' ']).next().unwrap_or(host).to_owned();
        }
        before.push_str(&line);
    };
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    host
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
