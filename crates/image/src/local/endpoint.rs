//! Where an engine listens: `DOCKER_HOST`, or the endpoint of the current docker context.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::contract::{Error, Settings};
use crate::{blob, verify};

/// A way to an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A socket on this machine.
    Unix(PathBuf),
    /// `host:port`, in the clear.
    Http(String),
    /// `host:port` over TLS, with `ca.pem`, `cert.pem` and `key.pem` in that directory.
    Https(String, Option<PathBuf>),
}

/// The endpoint that somebody chose; `None` is for the usual sockets.
pub(super) fn chosen(settings: &Settings) -> Result<Option<Endpoint>, Error> {
    if let Some(host) = settings.docker_host.as_deref().filter(|it| !it.is_empty()) {
        return parse(host, settings.docker_certificates.as_deref()).map(Some);
    }
    match &settings.docker_config {
        Some(directory) => of_context(directory),
        None => Ok(None),
    }
}

fn parse(host: &str, certificates: Option<&Path>) -> Result<Endpoint, Error> {
    let (scheme, rest) = host.split_once("://").unwrap_or(("tcp", host));
    let rest = rest.trim_end_matches('/');
    if scheme == "unix" {
        if rest.is_empty() {
            return Err(Error::invalid(host, "it names no socket"));
        }
        // A path without its first slash is still one, as for `docker` itself.
        return Ok(Endpoint::Unix(Path::new("/").join(rest)));
    }
    let address = |port: u16| -> Result<String, Error> {
        let sane = |it: u8| it.is_ascii_alphanumeric() || b".-:[]_".contains(&it);
        if rest.is_empty() || !rest.bytes().all(sane) {
            return Err(Error::invalid(host, "it is not a host and a port")
                .with_hint("such as tcp://build.example:2376 or unix:///var/run/docker.sock"));
        }
        let name = rest.rsplit_once(']').map_or(rest, |(_, port)| port);
        Ok(if name.contains(':') { rest.to_owned() } else { format!("{rest}:{port}") })
    };
    match (scheme, certificates) {
        ("https", certificates) | ("tcp", certificates @ Some(_)) => {
            Ok(Endpoint::Https(address(2376)?, certificates.map(Path::to_owned)))
        }
        ("tcp" | "http", _) => Ok(Endpoint::Http(address(2375)?)),
        ("ssh", _) => Err(Error::unsupported(host, "an engine behind ssh is not spoken to")
            .with_hint(
                "forward its socket: ssh -L /tmp/engine.sock:/var/run/docker.sock HOST, \
                 then set DOCKER_HOST=unix:///tmp/engine.sock",
            )),
        _ => Err(Error::unsupported(host, format!("`{scheme}://` leads to no engine we know"))
            .with_hint("unix://, tcp://, http:// and https:// do")),
    }
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext", default)]
    current_context: Option<String>,
}

#[derive(Deserialize)]
struct Context {
    #[serde(rename = "Endpoints", default)]
    endpoints: std::collections::BTreeMap<String, ContextEndpoint>,
}

#[derive(Deserialize)]
struct ContextEndpoint {
    #[serde(rename = "Host", default)]
    host: String,
}

/// `contexts/meta/<sha256 of the name>/meta.json`, with TLS material in `contexts/tls`.
fn of_context(directory: &Path) -> Result<Option<Endpoint>, Error> {
    let Some(config) = document::<Config>(&directory.join("config.json"))? else {
        return Ok(None);
    };
    let Some(name) = config.current_context.filter(|it| !matches!(it.as_str(), "" | "default"))
    else {
        return Ok(None);
    };
    let id = verify::digest_of(name.as_bytes());
    let contexts = directory.join("contexts");
    let what = || format!("docker context `{name}`");
    let hint = "`docker context ls` shows those there are; DOCKER_HOST goes first";
    let context = document::<Context>(&contexts.join("meta").join(id.hex()).join("meta.json"))?
        .ok_or_else(|| Error::not_found(what(), "it is not there").with_hint(hint))?;
    let endpoint = context.endpoints.get("docker").filter(|it| !it.host.is_empty());
    let host = endpoint
        .ok_or_else(|| Error::invalid(what(), "it names no engine").with_hint(hint))?
        .host
        .as_str();
    let certificates = contexts.join("tls").join(id.hex()).join("docker");
    let certificates = certificates.is_dir().then_some(certificates);
    parse(host, certificates.as_deref()).map(Some)
}

fn document<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let shown = path.display().to_string();
    let file = match fs_err::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(blob::from_io(&shown, error)),
    };
    let bytes = blob::read_bounded(file, &shown, 8 << 20)?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Error::corrupt(shown, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(endpoint: Result<Option<Endpoint>, Error>) -> String {
        match endpoint {
            Ok(None) => "the usual sockets".to_owned(),
            Ok(Some(Endpoint::Unix(path))) => format!("unix {}", path.display()),
            Ok(Some(Endpoint::Http(address))) => format!("http {address}"),
            Ok(Some(Endpoint::Https(address, None))) => format!("https {address}"),
            Ok(Some(Endpoint::Https(address, Some(directory)))) => {
                format!("https {address} {}", directory.file_name().unwrap().display())
            }
            Err(error) => error.to_string(),
        }
    }

    fn check(host: &str, certificates: Option<&str>, expect: &str) {
        let settings = Settings {
            docker_host: Some(host.to_owned()),
            docker_certificates: certificates.map(PathBuf::from),
            ..Settings::default()
        };
        assert_eq!(shown(chosen(&settings)), expect);
    }

    #[test]
    fn hosts() {
        check("unix:///var/run/docker.sock", None, "unix /var/run/docker.sock");
        check("tcp://build.example", None, "http build.example:2375");
        check("build.example:99", None, "http build.example:99");
        check("tcp://build.example:2376", Some("/certs"), "https build.example:2376 certs");
        check("https://[::1]", None, "https [::1]:2376");
        check("https://[::1]:5", None, "https [::1]:5");
        check("ssh://me@there", None, "ssh://me@there: an engine behind ssh is not spoken to");
        check("npipe:////./pipe", None, "npipe:////./pipe: `npipe://` leads to no engine we know");
        check("tcp://a b", None, "tcp://a b: it is not a host and a port");
        check("unix://", None, "unix://: it names no socket");
        check("", None, "the usual sockets");
    }

    fn check_context(config: &str, meta: Option<&str>, tls: bool, expect: &str) {
        let directory = tempfile::tempdir().unwrap();
        fs_err::write(directory.path().join("config.json"), config).unwrap();
        let contexts = directory.path().join("contexts");
        let id = verify::digest_of(b"far");
        if let Some(meta) = meta {
            fs_err::create_dir_all(contexts.join("meta").join(id.hex())).unwrap();
            fs_err::write(contexts.join("meta").join(id.hex()).join("meta.json"), meta).unwrap();
        }
        if tls {
            fs_err::create_dir_all(contexts.join("tls").join(id.hex()).join("docker")).unwrap();
        }
        let settings =
            Settings { docker_config: Some(directory.path().to_owned()), ..Settings::default() };
        let found = shown(chosen(&settings));
        assert_eq!(found.replace(directory.path().to_str().unwrap(), "DIR"), expect);
    }

    #[test]
    fn contexts() {
        let far = r#"{"currentContext": "far"}"#;
        let host = r#"{"Name": "far", "Endpoints": {"docker": {"Host": "tcp://far:1"}}}"#;
        check_context("{}", None, false, "the usual sockets");
        check_context(r#"{"currentContext": "default"}"#, None, false, "the usual sockets");
        check_context(far, Some(host), false, "http far:1");
        check_context(far, Some(host), true, "https far:1 docker");
        check_context(far, None, false, "docker context `far`: it is not there");
        check_context(far, Some("{}"), false, "docker context `far`: it names no engine");
        check_context(
            "[",
            None,
            false,
            "DIR/config.json: EOF while parsing a list at line 1 column 1",
        );
    }
}
