//! A real registry, the one that Debian has as `docker-registry`, and skopeo to push to it.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running one, gone when it is dropped.
#[derive(Debug)]
pub struct RealRegistry {
    process: Child,
    host: String,
    _folder: tempfile::TempDir,
}

impl RealRegistry {
    /// Starts one; none where it or skopeo is not installed.
    pub fn start() -> Option<Self> {
        let there = |program: &str| {
            Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok()
        };
        if !there("docker-registry") || !there("skopeo") {
            return None;
        }
        let folder = tempfile::tempdir().ok()?;
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let host = format!("127.0.0.1:{port}");
        let config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}}}\nhttp: {{addr: '{host}'}}\n",
            folder.path().join("store").display(),
        );
        let file = folder.path().join("config.yml");
        fs_err::write(&file, config).ok()?;
        let mut serve = Command::new("docker-registry");
        serve.arg("serve").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        let process = serve.spawn().ok()?;
        let began = Instant::now();
        while TcpStream::connect(&host).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "docker-registry does not listen");
            std::thread::yield_now();
        }
        Some(Self { process, host, _folder: folder })
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Pushes an image that `docker save` wrote, by that name.
    pub fn push(&self, file: &Path, name: &str) {
        let from = format!("docker-archive:{}", file.display());
        let to = format!("docker://{}/{name}", self.host);
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "-q", "--dest-tls-verify=false", &from, &to]);
        let output = skopeo.output().expect("skopeo was there a moment ago");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
