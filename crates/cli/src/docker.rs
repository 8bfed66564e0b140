//! How to reach engines and registries, as `docker` itself would.

use std::path::{Path, PathBuf};

use image::Settings;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::environment::Environment;
use crate::failure::Failure;
use crate::plugin::DockerFlags;
use crate::version::VERSION;

/// Everything an image source needs to know. `engine`: may a local engine be asked? Only then does
/// a broken Docker context matter.
pub(crate) fn settings(
    environment: &Environment,
    flags: &DockerFlags,
    engine: bool,
) -> anyhow::Result<Settings> {
    let docker_config = config(environment, flags);
    let endpoint = if engine {
        endpoint(environment, flags, docker_config.as_deref())?
    } else {
        Endpoint::default()
    };
    Ok(Settings {
        docker_host: endpoint.host,
        docker_sockets: environment.docker_sockets(),
        docker_certificates: endpoint.certificates,
        docker_config,
        auth_files: environment.auth_files(),
        credentials: environment.credentials()?,
        hub: environment.hub_credentials()?,
        insecure_registries: environment.insecure_registries()?,
        certificate_authorities: environment.certificate_authorities(),
        user_agent: format!("foretop/{VERSION}"),
        ..Settings::default()
    })
}

/// Docker's configuration directory.
pub(crate) fn config(environment: &Environment, flags: &DockerFlags) -> Option<PathBuf> {
    flags.config.clone().or_else(|| environment.docker_config())
}

/// An engine, and how it proves who it is.
#[derive(Debug, Default, PartialEq, Eq)]
struct Endpoint {
    host: Option<String>,
    certificates: Option<PathBuf>,
}

/// In docker's order: `--host`, `--context`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context.
fn endpoint(
    environment: &Environment,
    flags: &DockerFlags,
    config: Option<&Path>,
) -> anyhow::Result<Endpoint> {
    let host = match (&flags.host, &flags.context) {
        (Some(_), Some(_)) => {
            return Err(Failure::error(
                "--host and --context are both given: each names an engine",
                "give one of them",
            ));
        }
        (Some(host), None) => Some(host.clone()),
        (None, Some(_)) => None,
        (None, None) => environment.docker_host()?,
    };
    if let Some(host) = host {
        return Ok(Endpoint { host: Some(host), certificates: certificates(environment, flags)? });
    }
    let name = match &flags.context {
        Some(name) => Some(name.clone()),
        None => environment.docker_context()?,
    };
    let Some(config) = config else { return Ok(Endpoint::default()) };
    match name.or_else(|| current_context(config)) {
        Some(name) if name != "default" => context(config, &name),
        _ => Ok(Endpoint { host: None, certificates: certificates(environment, flags)? }),
    }
}

/// The context that `docker context use` chose. A broken file is the business of who needs it.
fn current_context(config: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct File {
        #[serde(rename = "currentContext")]
        current: Option<String>,
    }
    let text = fs_err::read(config.join("config.json")).ok()?;
    serde_json::from_slice::<File>(&text).ok()?.current.filter(|it| !it.is_empty())
}

/// Under which name docker keeps what belongs to a context.
fn id_of(name: &str) -> String {
    model::Digest::from_sha256(&Sha256::digest(name).into()).hex().to_owned()
}

/// What `docker context create` wrote down.
fn context(config: &Path, name: &str) -> anyhow::Result<Endpoint> {
    #[derive(Deserialize)]
    struct Meta {
        #[serde(rename = "Endpoints", default)]
        endpoints: std::collections::BTreeMap<String, Address>,
    }
    #[derive(Deserialize)]
    struct Address {
        #[serde(rename = "Host", default)]
        host: String,
    }
    let id = id_of(name);
    let file = config.join("contexts/meta").join(&id).join("meta.json");
    let refuse = |why: String| {
        Failure::error(
            format!("docker context `{name}`: {why}"),
            "`docker context ls` shows which there are; --context default is the local engine",
        )
    };
    let text = fs_err::read(&file).map_err(|_| refuse("there is none of that name".into()))?;
    let meta: Meta = serde_json::from_slice(&text)
        .map_err(|error| refuse(format!("{} makes no sense: {error}", file.display())))?;
    let address = meta.endpoints.get("docker").filter(|it| !it.host.is_empty());
    let address = address.ok_or_else(|| refuse("it names no engine".into()))?;
    let tls = config.join("contexts/tls").join(id).join("docker");
    Ok(Endpoint { host: Some(address.host.clone()), certificates: tls.is_dir().then_some(tls) })
}

/// The directory of `ca.pem`, `cert.pem` and `key.pem`, if TLS is asked for.
fn certificates(environment: &Environment, flags: &DockerFlags) -> anyhow::Result<Option<PathBuf>> {
    let mut folder: Option<PathBuf> = None;
    let files = [(&flags.tls_ca, "ca"), (&flags.tls_cert, "cert"), (&flags.tls_key, "key")];
    for (file, name) in files {
        let Some(file) = file else { continue };
        let parent = file.parent().map(Path::to_owned).unwrap_or_default();
        let named = file.file_name().is_some_and(|it| *it == *format!("{name}.pem"));
        if !named || folder.as_ref().is_some_and(|it| *it != parent) {
            return Err(Failure::error(
                format!("--tls{name}{} {}: not a name we can use", suffix(name), file.display()),
                "keep ca.pem, cert.pem and key.pem in one directory and set DOCKER_CERT_PATH to it",
            ));
        }
        folder = Some(parent);
    }
    let wanted = folder.is_some() || flags.tls || environment.docker_tls_verify();
    let place = || folder.or_else(|| environment.docker_cert_path());
    Ok(if wanted { place().or_else(|| config(environment, flags)) } else { None })
}

/// `--tlscacert`, `--tlscert`, `--tlskey`.
fn suffix(name: &str) -> &'static str {
    if name == "ca" { "cert" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: &Path, flags: &DockerFlags, variables: &[(&str, &str)], expect: &str) {
        let environment = Environment::of(variables);
        let shown = match endpoint(&environment, flags, Some(config)) {
            Ok(it) => format!("{:?} {:?}", it.host, it.certificates),
            Err(error) => error.to_string(),
        };
        let shown = shown.replace(&config.display().to_string(), "CONFIG");
        assert_eq!(shown, expect);
    }

    #[test]
    fn which_engine() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path();
        let usual = DockerFlags::default();
        check(config, &usual, &[], "None None");
        check(config, &usual, &[("DOCKER_HOST", "tcp://a")], "Some(\"tcp://a\") None");
        let tls =
            [("DOCKER_HOST", "tcp://a"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/c")];
        check(config, &usual, &tls, "Some(\"tcp://a\") Some(\"/c\")");

        let meta = config.join("contexts/meta").join(id_of("far"));
        fs_err::create_dir_all(&meta).unwrap();
        let text = r#"{"Name":"far","Endpoints":{"docker":{"Host":"tcp://far:2376"}}}"#;
        fs_err::write(meta.join("meta.json"), text).unwrap();
        check(config, &usual, &[("DOCKER_CONTEXT", "far")], "Some(\"tcp://far:2376\") None");
        fs_err::write(config.join("config.json"), r#"{"currentContext":"far"}"#).unwrap();
        check(config, &usual, &[], "Some(\"tcp://far:2376\") None");
        check(config, &usual, &[("DOCKER_HOST", "tcp://a")], "Some(\"tcp://a\") None");
        check(config, &usual, &[("DOCKER_CONTEXT", "default")], "None None");
        check(
            config,
            &usual,
            &[("DOCKER_CONTEXT", "near")],
            "docker context `near`: there is none of that name",
        );
        let flags = DockerFlags { context: Some("far".into()), ..DockerFlags::default() };
        let host = [("DOCKER_HOST", "tcp://a")];
        check(config, &flags, &host, "Some(\"tcp://far:2376\") None");
        let flags = DockerFlags { host: Some("tcp://b".into()), ..DockerFlags::default() };
        check(config, &flags, &host, "Some(\"tcp://b\") None");
    }
}
