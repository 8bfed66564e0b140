//! The program itself, with a home of its own, on a copy of a store that was filled.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::Failure;

/// Where the program runs.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    program: PathBuf,
    mirror: String,
}

impl Place {
    pub(crate) fn new(
        directory: &Path,
        images: &str,
        program: &Path,
        mirror: &str,
    ) -> Result<Self, Failure> {
        let folder = tempfile::tempdir_in(directory)?;
        fs_err::create_dir(folder.path().join("home"))?;
        fs_err::copy(directory.join(format!("store-{images}.db")), folder.path().join("store.db"))?;
        almanac::Almanac::open(&directory.join("old"))?.copy_to(&folder.path().join("almanac"))?;
        let program = fs_err::canonicalize(program)?;
        Ok(Self { folder, program, mirror: mirror.to_owned() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("FORETOP_LOG", "warn")
            .env("FORETOP_KEY", "6b".repeat(32))
            .env("FORETOP_ALMANAC_DIR", self.path("almanac"))
            .env("FORETOP_ALMANAC_MIRROR", &self.mirror)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub(crate) fn foretop(&self, line: &str) -> Result<(), Failure> {
        done(line, &self.command(line).output()?)
    }

    /// The first owner comes, and has a token.
    pub(crate) fn settle(&self, serving: &Serving) -> Result<(), Failure> {
        let line = format!("login {} -u ann --password-stdin", serving.link);
        let mut command = self.command(&line);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(b"a green horse\n")?;
        }
        done(&line, &child.wait_with_output()?)
    }

    /// An image with this package of a distribution runs there.
    pub(crate) fn deploy(
        &self,
        (organisation, environment): (&str, &str),
        (distribution, package): (&str, &str),
    ) -> Result<(), Failure> {
        let layer = testkit::layer().file("etc/os-release", distribution).file(
            "lib/apk/db/installed",
            format!("P:{package}\nV:1.2-r0\nA:x86_64\no:{package}\n\n"),
        );
        let image = testkit::image().layer(layer).docker_archive(&format!("myorg/{package}:v1"));
        fs_err::write(self.path("image.tar"), image)?;
        self.foretop(&format!("push archive://image.tar --org {organisation}"))?;
        self.foretop(&format!("env {environment} myorg/{package}:v1 --org {organisation}"))
    }

    /// New findings there are told to this receiver from now on.
    pub(crate) fn tells(
        &self,
        name: &str,
        organisation: &str,
        environment: &str,
        url: &str,
    ) -> Result<(), Failure> {
        fs_err::write(self.path("url.txt"), url)?;
        self.foretop(&format!(
            "integration configure slack --name {name} --org {organisation} --parameter url=@url.txt"
        ))?;
        self.foretop(&format!(
            "rule add {name} --org {organisation} --channel slack/{name} --on new-finding --env {environment}"
        ))
    }
}

/// A server that ends with us.
pub(crate) struct Serving {
    child: Child,
    link: String,
}

impl Serving {
    pub(crate) fn start(place: &Place) -> Result<Self, Failure> {
        let database = format!("sqlite://{}", place.path("store.db").display());
        let line = format!(
            "serve --listen 127.0.0.1:0 --database {database} --organization acme --workers 1 \
             --rate-limit 0 --refresh mirror={} --refresh-every 1s --outgoing 127.0.0.1",
            place.mirror
        );
        let mut child = place.command(&line).stdout(Stdio::piped()).spawn()?;
        let mut link = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut link)?;
        }
        Ok(Self { child, link: link.trim().to_owned() })
    }

    /// What it holds, in MiB.
    pub(crate) fn resident(&self) -> f64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs_err::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
        kibibytes.map_or(0.0, |it: f64| it / 1024.0)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn done(line: &str, output: &std::process::Output) -> Result<(), Failure> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("foretop {line}: {}: {said}", output.status).into())
}
