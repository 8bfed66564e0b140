//! The environment: every variable that means something, and the only place that reads them.

mod variables;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::anyhow;
use cache::Cache;
use image::Credentials;
use model::Secret;

use crate::failure::Failure;
use crate::refreshing::Source;
#[cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "each of them is read here"))]
use variables::*;

pub(crate) use variables::{ALL, Variable};

type LookUp = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// The names of those that say who to be at registries.
pub(crate) fn logins() -> impl Iterator<Item = &'static str> {
    let all = [&REGISTRY_USER, &REGISTRY_PASSWORD, &REGISTRY_TOKEN, &HUB_USER, &HUB_PASSWORD];
    all.into_iter().flat_map(|it| it.names.iter().copied())
}

/// The variables of a process.
pub(crate) struct Environment {
    look_up: Box<LookUp>,
}

impl Environment {
    /// The real one.
    pub(crate) fn of_this_process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the place that reads them")]
        let look_up = |name: &str| std::env::var_os(name);
        Self { look_up: Box::new(look_up) }
    }

    /// The same, with `set` in front of it.
    pub(crate) fn with(self, set: Vec<(&'static str, String)>) -> Self {
        let before = self.look_up;
        let look_up = move |name: &str| {
            let own = set.iter().find(|(it, _)| *it == name);
            own.map(|(_, value)| OsString::from(value)).or_else(|| before(name))
        };
        Self { look_up: Box::new(look_up) }
    }

    /// One for a test.
    #[cfg(test)]
    pub(crate) fn of(set: &[(&str, &str)]) -> Self {
        let set: Vec<(String, String)> =
            set.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let look_up = move |name: &str| {
            set.iter().find(|(it, _)| it == name).map(|(_, value)| OsString::from(value))
        };
        Self { look_up: Box::new(look_up) }
    }

    /// The first name that is set and not empty, with its value.
    fn value(&self, variable: &Variable) -> Option<(&'static str, OsString)> {
        let set = |name: &&'static str| Some((*name, (self.look_up)(name)?));
        variable.names.iter().filter_map(set).find(|(_, value)| !value.is_empty())
    }

    fn path(&self, variable: &Variable) -> Option<PathBuf> {
        self.value(variable).map(|(_, value)| value.into())
    }

    fn text(&self, variable: &Variable) -> anyhow::Result<Option<String>> {
        let Some((name, value)) = self.value(variable) else { return Ok(None) };
        value.into_string().map(Some).map_err(|_| anyhow!("{name}: its value is not UTF-8"))
    }

    fn flag(&self, variable: &Variable) -> anyhow::Result<bool> {
        let Some((name, value)) = self.value(variable) else { return Ok(false) };
        match value.to_string_lossy().to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
            "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
            other => Err(Failure::error(
                format!("{name}: `{other}` is neither yes nor no"),
                format!("set {name}=1, or unset it"),
            )),
        }
    }

    /// The cache, whether or not it may be used.
    pub(crate) fn cache_directory(&self) -> anyhow::Result<Cache> {
        let root = self.path(&CACHE_DIR).or_else(|| Some(self.caches()?.join("foretop")));
        let root = root.ok_or_else(|| {
            Failure::error(
                "cannot tell where the cache is: HOME is not set",
                "FORETOP_CACHE_DIR names the directory",
            )
        })?;
        Ok(Cache::open(root, self.cache_limit()?))
    }

    /// The cache, if it is to be used. Without a place for one there is none.
    pub(crate) fn cache(&self) -> anyhow::Result<Option<Cache>> {
        if self.flag(&NO_CACHE)? || (self.path(&CACHE_DIR).or_else(|| self.caches())).is_none() {
            return Ok(None);
        }
        self.cache_directory().map(Some)
    }

    fn caches(&self) -> Option<PathBuf> {
        // The specification: a relative path is to be ignored.
        if let Some(path) = self.place(&XDG_CACHE_HOME).filter(|it| it.is_absolute()) {
            return Some(path);
        }
        let place = match std::env::consts::OS {
            "macos" => "Library/Caches",
            "windows" => "AppData/Local",
            _ => ".cache",
        };
        Some(self.home()?.join(place))
    }

    /// The almanac's directory, whether or not there is one.
    pub(crate) fn almanac_directory(&self) -> anyhow::Result<PathBuf> {
        let usual = || Some(self.data()?.join("foretop").join("almanac"));
        self.path(&ALMANAC_DIR).or_else(usual).ok_or_else(|| {
            Failure::error(
                "cannot tell where the almanac is: HOME is not set",
                "FORETOP_ALMANAC_DIR names the directory",
            )
        })
    }

    /// Whose attested SBOM is taken in place of an image's layers.
    pub(crate) fn sbom_trust(&self) -> anyhow::Result<Option<String>> {
        self.text(&SBOM_TRUST)
    }

    /// The mirror to fetch feeds from.
    pub(crate) fn almanac_mirror(&self) -> anyhow::Result<Option<String>> {
        self.text(&ALMANAC_MIRROR)
    }

    /// From where a server keeps its almanac fresh.
    pub(crate) fn refresh(&self) -> anyhow::Result<Option<Source>> {
        let Some(text) = self.text(&REFRESH)? else { return Ok(None) };
        let read = text.parse().map(Some);
        read.map_err(|hint| Failure::error(format!("FORETOP_REFRESH: `{text}` is nowhere"), hint))
    }

    /// Public keys whose signatures are trusted, as they were written: keys or files.
    pub(crate) fn almanac_keys(&self) -> anyhow::Result<Vec<String>> {
        let text = self.text(&ALMANAC_KEYS)?.unwrap_or_default();
        let words = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        Ok(words.map(str::to_owned).collect())
    }

    /// The key that secrets are sealed with.
    pub(crate) fn key(&self) -> anyhow::Result<Option<Secret>> {
        Ok(self.text(&KEY)?.map(Secret::new))
    }

    /// The file with that key.
    pub(crate) fn key_file(&self) -> Option<PathBuf> {
        self.path(&KEY_FILE)
    }

    /// What is told in a server's log.
    pub(crate) fn log(&self) -> anyhow::Result<Option<String>> {
        self.text(&LOG)
    }

    /// Where a server listens.
    pub(crate) fn listen(&self) -> anyhow::Result<Option<String>> {
        self.text(&LISTEN)
    }

    /// How people reach a server.
    pub(crate) fn public_url(&self) -> anyhow::Result<Option<String>> {
        self.text(&PUBLIC_URL)
    }

    /// Hosts that a server may speak to.
    pub(crate) fn outgoing(&self) -> anyhow::Result<Option<String>> {
        self.text(&OUTGOING)
    }

    /// Proxies before a server, whose word about who asks is taken.
    pub(crate) fn trusted_proxy(&self) -> anyhow::Result<Option<String>> {
        self.text(&TRUSTED_PROXY)
    }

    /// The organisation to act for.
    pub(crate) fn organisation(&self) -> anyhow::Result<Option<String>> {
        self.text(&ORG)
    }

    /// The server to ask.
    pub(crate) fn server(&self) -> anyhow::Result<Option<String>> {
        self.text(&SERVER)
    }

    /// The token for it.
    pub(crate) fn token(&self) -> anyhow::Result<Option<Secret>> {
        if let Some(token) = self.text(&TOKEN)? {
            return Ok(Some(Secret::new(token)));
        }
        let Some(path) = self.path(&TOKEN_FILE) else { return Ok(None) };
        let hint = "FORETOP_TOKEN_FILE names a file with nothing but a token in it";
        let failed =
            |why: &str| Failure::error(format!("token in {}: {why}", path.display()), hint);
        let text = fs_err::read_to_string(&path).map_err(|error| failed(&error.to_string()))?;
        match text.trim() {
            "" => Err(failed("the file is empty")),
            token => Ok(Some(Secret::new(token))),
        }
    }

    /// Kubeconfigs that are named.
    pub(crate) fn kubeconfig(&self) -> Vec<PathBuf> {
        let value = self.value(&KUBECONFIG).map(|(_, value)| value).unwrap_or_default();
        std::env::split_paths(&value).filter(|it| !it.as_os_str().is_empty()).collect()
    }

    /// The kubeconfig that is there where none is named.
    pub(crate) fn usual_kubeconfig(&self) -> Option<PathBuf> {
        Some(self.home()?.join(".kube").join("config"))
    }

    /// Are we in a pod?
    pub(crate) fn is_in_a_pod(&self) -> bool {
        self.value(&KUBERNETES_SERVICE_HOST).is_some()
    }

    /// Where the cluster answers whose pod we are.
    pub(crate) fn cluster(&self) -> anyhow::Result<Option<String>> {
        let Some(host) = self.text(&KUBERNETES_SERVICE_HOST)? else { return Ok(None) };
        let port = self.text(&KUBERNETES_SERVICE_PORT)?.unwrap_or_else(|| "443".to_owned());
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Ok(Some(format!("https://{host}:{port}")))
    }

    /// The address of the database, and the directory that it needs.
    pub(crate) fn database(&self) -> anyhow::Result<(String, Option<PathBuf>)> {
        if let Some(address) = self.text(&DATABASE)? {
            return Ok((address, None));
        }
        let refuse = |why: &str| {
            let what = format!("cannot tell where the database is: {why}");
            Failure::error(what, "FORETOP_DATABASE names it: sqlite:///path/to/foretop.db")
        };
        let folder = self.data().ok_or_else(|| refuse("HOME is not set"))?.join("foretop");
        let text = folder.to_str().ok_or_else(|| refuse("its path is not UTF-8"))?;
        Ok((format!("sqlite://{text}/foretop.db"), Some(folder)))
    }

    /// The file that the database is; none where it is elsewhere.
    fn database_file(&self) -> Option<PathBuf> {
        let (address, _) = self.database().ok()?;
        let path = address.strip_prefix("sqlite://")?.split('?').next()?;
        (!path.starts_with(':')).then(|| PathBuf::from(path))
    }

    /// Is there a database, as far as that can be told without asking it?
    pub(crate) fn has_database(&self) -> bool {
        match self.database_file() {
            Some(file) => file.is_file(),
            None => self.path(&DATABASE).is_some(),
        }
    }

    /// Where almanacs are kept that things were last judged by: beside the database, where it is a
    /// file.
    pub(crate) fn former_almanacs(&self) -> Option<PathBuf> {
        let beside = self.database_file().and_then(|it| Some(it.parent()?.to_owned()));
        let folder = beside.or_else(|| Some(self.data()?.join("foretop")))?;
        Some(folder.join("former-almanacs"))
    }

    /// Where what was seen of registries is kept: beside the database, or where that would be.
    pub(crate) fn watched(&self) -> anyhow::Result<PathBuf> {
        let beside = self.database_file().and_then(|it| Some(it.parent()?.to_owned()));
        let folder = beside.or_else(|| Some(self.data()?.join("foretop"))).ok_or_else(|| {
            Failure::error(
                "cannot tell where to keep what was seen of a registry: HOME is not set",
                "FORETOP_DATABASE names a database; it is kept beside that",
            )
        })?;
        Ok(folder.join("watched"))
    }

    /// What an integration is told by a variable of that name, which is among those of this page.
    pub(crate) fn setting(&self, name: &str) -> Option<String> {
        let known = ALL.iter().any(|it| it.names.contains(&name));
        let told = (self.look_up)(name).filter(|_| known)?.into_string().ok();
        told.filter(|it| !it.is_empty())
    }

    /// The same of a registry that is watched: a token goes before user and password, unless somebody
    /// names a user.
    pub(crate) fn watched_setting(&self, name: &str, is_user_named: bool) -> Option<String> {
        let is_outdone =
            [&REGISTRY_USER, &REGISTRY_PASSWORD].iter().any(|it| it.names.contains(&name))
                && !is_user_named
                && self.text(&REGISTRY_TOKEN).is_ok_and(|it| it.is_some());
        if is_outdone { None } else { self.setting(name) }
    }

    /// The configuration file, whether or not there is one.
    pub(crate) fn config_file(&self) -> anyhow::Result<PathBuf> {
        let folder = self.configuration().ok_or_else(|| {
            Failure::error(
                "cannot tell where the configuration is: HOME is not set",
                "XDG_CONFIG_HOME names the directory",
            )
        })?;
        Ok(folder.join("foretop").join("config.json"))
    }

    fn configuration(&self) -> Option<PathBuf> {
        self.place(&XDG_CONFIG_HOME).or_else(|| Some(self.home()?.join(".config")))
    }

    /// The user's name, where the environment has it.
    pub(crate) fn user(&self) -> Option<String> {
        self.text(&USER).ok().flatten()
    }

    /// The machine's name, where the environment has it.
    pub(crate) fn host_name(&self) -> Option<String> {
        self.text(&HOSTNAME).ok().flatten()
    }

    /// The address of the CI's job that runs us.
    pub(crate) fn ci_job(&self) -> Option<String> {
        let text = |it| self.text(it).ok().flatten();
        if let (Some(run), Some(repository)) = (text(&GITHUB_RUN_ID), text(&GITHUB_REPOSITORY)) {
            let server = text(&GITHUB_SERVER_URL).unwrap_or("https://github.com".to_owned());
            return Some(format!("{server}/{repository}/actions/runs/{run}"));
        }
        text(&CI_JOB)
    }

    /// The name of a compose file's project.
    pub(crate) fn compose_project(&self) -> anyhow::Result<Option<String>> {
        self.text(&COMPOSE_PROJECT_NAME)
    }

    /// The profiles of a compose file that are meant.
    pub(crate) fn compose_profiles(&self) -> anyhow::Result<Vec<String>> {
        let text = self.text(&COMPOSE_PROFILES)?.unwrap_or_default();
        let words = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        Ok(words.map(str::to_owned).collect())
    }

    /// A variable that a file of the user's names.
    pub(crate) fn named(&self, name: &str) -> Option<String> {
        (self.look_up)(name)?.into_string().ok()
    }

    fn data(&self) -> Option<PathBuf> {
        if let Some(path) = self.place(&XDG_DATA_HOME) {
            return Some(path);
        }
        let place = match std::env::consts::OS {
            "macos" => "Library/Application Support",
            "windows" => "AppData/Local",
            _ => ".local/share",
        };
        Some(self.home()?.join(place))
    }

    fn cache_limit(&self) -> anyhow::Result<u64> {
        let Some(text) = self.text(&CACHE_SIZE)? else { return Ok(cache::DEFAULT_LIMIT) };
        size(&text).ok_or_else(|| {
            Failure::error(
                format!("FORETOP_CACHE_SIZE: `{text}` is not a size"),
                "512MB, 2GiB or a number of bytes will do",
            )
        })
    }

    /// Must no registry be asked?
    pub(crate) fn offline(&self) -> anyhow::Result<bool> {
        self.flag(&OFFLINE)
    }

    /// Credentials for every registry.
    pub(crate) fn credentials(&self) -> anyhow::Result<Option<Credentials>> {
        if let Some(token) = self.text(&REGISTRY_TOKEN)? {
            return Ok(Some(Credentials::Bearer(Secret::new(token))));
        }
        self.login(&REGISTRY_USER, &REGISTRY_PASSWORD)
    }

    /// Credentials for Docker Hub alone.
    pub(crate) fn hub_credentials(&self) -> anyhow::Result<Option<Credentials>> {
        self.login(&HUB_USER, &HUB_PASSWORD)
    }

    fn login(&self, user: &Variable, password: &Variable) -> anyhow::Result<Option<Credentials>> {
        let half = |there: &Variable, missing: &Variable| {
            let name = self.value(there).map_or(there.names[0], |(name, _)| name);
            // Speak of the family that the user has begun to set.
            let family = usize::from(name != there.names[0]);
            Failure::error(
                format!("{name} is set without {}", missing.names[family]),
                "set both, or neither",
            )
        };
        match (self.text(user)?, self.text(password)?) {
            (Some(user), Some(password)) => {
                Ok(Some(Credentials::Basic { user, password: Secret::new(password) }))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(half(user, password)),
            (None, Some(_)) => Err(half(password, user)),
        }
    }

    /// Registries that may be spoken to over plain HTTP.
    pub(crate) fn insecure_registries(&self) -> anyhow::Result<BTreeSet<String>> {
        let text = self.text(&INSECURE_REGISTRIES)?.unwrap_or_default();
        let words = text.split([',', ' ']).filter(|it| !it.is_empty());
        Ok(words.map(str::to_owned).collect())
    }

    /// PEM files to trust.
    pub(crate) fn certificate_authorities(&self) -> Vec<PathBuf> {
        let value = self.value(&CA_CERTIFICATES).map(|(_, value)| value).unwrap_or_default();
        std::env::split_paths(&value).filter(|it| !it.as_os_str().is_empty()).collect()
    }

    /// The creation time to state in documents, in RFC 3339.
    pub(crate) fn created(&self) -> anyhow::Result<Option<String>> {
        let Some(text) = self.text(&SOURCE_DATE_EPOCH)? else { return Ok(None) };
        let moment = text.parse().ok().and_then(|it| jiff::Timestamp::from_second(it).ok());
        let moment = moment.ok_or_else(|| {
            Failure::error(
                format!("SOURCE_DATE_EPOCH: `{text}` is not a number of seconds since 1970"),
                "`git log -1 --format=%ct` prints one",
            )
        })?;
        Ok(Some(moment.to_string()))
    }

    /// Docker's configuration.
    pub(crate) fn docker_config(&self) -> Option<PathBuf> {
        self.path(&DOCKER_CONFIG).or_else(|| Some(self.home()?.join(".docker")))
    }

    /// `DOCKER_HOST`.
    pub(crate) fn docker_host(&self) -> anyhow::Result<Option<String>> {
        self.text(&DOCKER_HOST)
    }

    /// `DOCKER_CONTEXT`.
    pub(crate) fn docker_context(&self) -> anyhow::Result<Option<String>> {
        self.text(&DOCKER_CONTEXT)
    }

    /// `DOCKER_TLS_VERIFY`.
    pub(crate) fn docker_tls_verify(&self) -> bool {
        self.value(&DOCKER_TLS_VERIFY).is_some()
    }

    /// `DOCKER_CERT_PATH`.
    pub(crate) fn docker_cert_path(&self) -> Option<PathBuf> {
        self.path(&DOCKER_CERT_PATH)
    }

    /// Sockets on which an engine may listen, most likely first.
    pub(crate) fn docker_sockets(&self) -> Vec<PathBuf> {
        let mut sockets = vec![PathBuf::from("/var/run/docker.sock")];
        let runtime = self.place(&XDG_RUNTIME_DIR);
        sockets.extend(runtime.iter().map(|it| it.join("docker.sock")));
        sockets.extend(self.home().map(|it| it.join(".docker/run/docker.sock")));
        sockets.extend(runtime.iter().map(|it| it.join("podman/podman.sock")));
        sockets.push("/run/podman/podman.sock".into());
        sockets
    }

    /// podman's credentials.
    pub(crate) fn auth_files(&self) -> Vec<PathBuf> {
        let config = self.configuration();
        let runtime = self.place(&XDG_RUNTIME_DIR);
        let places = [runtime, config].into_iter().flatten();
        let usual = places.map(|it| it.join("containers/auth.json"));
        self.path(&REGISTRY_AUTH_FILE).into_iter().chain(usual).collect()
    }

    /// The socket whose end is ours.
    pub(crate) fn plugin_socket(&self) -> Option<String> {
        self.text(&DOCKER_CLI_PLUGIN_SOCKET).ok().flatten()
    }

    /// Where the service manager that started us wants to be told.
    #[cfg(unix)]
    pub(crate) fn notify_socket(&self) -> Option<String> {
        self.text(&NOTIFY_SOCKET).ok().flatten()
    }

    /// May a terminal be sent colours?
    pub(crate) fn colour(&self) -> bool {
        let dumb = self.value(&TERM).is_some_and(|(_, value)| value == "dumb");
        self.value(&NO_COLOR).is_none() && !dumb
    }

    /// Can signs be more than ASCII? A locale that nobody set says nothing against it.
    pub(crate) fn unicode(&self) -> bool {
        self.value(&LOCALE).is_none_or(|(_, value)| {
            let locale = value.to_string_lossy().to_ascii_lowercase();
            locale.ends_with("utf-8") || locale.ends_with("utf8") || locale.contains("utf-8@")
        })
    }

    fn home(&self) -> Option<PathBuf> {
        self.place(&HOME)
    }

    /// A directory of the user's. One that depends on where we are started is none: nobody wants a
    /// cache in every directory, or the settings that a stranger's repository brings along.
    fn place(&self, variable: &Variable) -> Option<PathBuf> {
        self.path(variable).filter(|it| it.is_absolute())
    }
}

/// `512`, `512MB`, `1 GiB`.
fn size(text: &str) -> Option<u64> {
    let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests;
