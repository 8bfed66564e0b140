//! Every variable that means something: its names, its form, and what it means.

/// A variable: its names, the first one that is set counting, and what it means.
pub(crate) struct Variable {
    /// Ours first.
    pub(crate) names: &'static [&'static str],
    /// The form of its value.
    pub(crate) value: &'static str,
    /// What it means, in Markdown sentences, one a line.
    pub(crate) meaning: &'static str,
}

macro_rules! variables {
    ($($(#[doc = $meaning:literal])+ $constant:ident = $value:literal $names:expr;)+) => {
        $(pub(super) const $constant: Variable =
            Variable { names: &$names, value: $value, meaning: concat!($($meaning, "\n"),+) };)+
        /// Every variable, in the order of the reference page.
        pub(crate) const ALL: &[Variable] = &[$($constant),+];
    };
}

variables! {
    /// Where to keep what was read of images.
    /// Default: `foretop` in `$XDG_CACHE_HOME`, else in the system's place for caches.
    CACHE_DIR = "directory" ["FORETOP_CACHE_DIR", "DOCKER_SCOUT_CACHE_DIR"];
    /// Neither read the cache nor write to it.
    NO_CACHE = "yes or no" ["FORETOP_NO_CACHE", "DOCKER_SCOUT_NO_CACHE"];
    /// How large the cache may grow (default `1GiB`): bytes, or a number with `kB`, `MB`, `GB`, `KiB`, `MiB`, `GiB`.
    CACHE_SIZE = "size" ["FORETOP_CACHE_SIZE"];
    /// Where the almanac is, the advisories that findings rest on.
    /// Default: `foretop/almanac` in `$XDG_DATA_HOME`, else in the system's place for data.
    ALMANAC_DIR = "directory" ["FORETOP_ALMANAC_DIR"];
    /// Fetch feeds from this mirror: `https://host/path` is then read from `MIRROR/host/path`.
    ALMANAC_MIRROR = "URL" ["FORETOP_ALMANAC_MIRROR"];
    /// From where a server keeps its almanac fresh, unless `--refresh` says so: `publishers`, `mirror=URL`, `oci=REFERENCE`, `off`.
    REFRESH = "text" ["FORETOP_REFRESH"];
    /// Public keys whose signatures on almanacs are trusted: files as minisign writes them, or keys themselves.
    ALMANAC_KEYS = "list, parted by commas" ["FORETOP_ALMANAC_KEYS"];
    /// The organization to act for, unless `--org` says another.
    /// Default: what `foretop config organization` says, else `local`, or with a server the one that you belong to.
    ORG = "name" ["FORETOP_ORG"];
    /// The server to ask.
    /// Default: what `foretop config server` says, else none: what is remembered is in a database of your own.
    SERVER = "URL" ["FORETOP_SERVER"];
    /// The token that says to the server who is asking.
    /// Without it, what `foretop login SERVER` has kept, else what `docker login SERVER` has.
    TOKEN = "text" ["FORETOP_TOKEN"];
    /// A file with that token, unless `FORETOP_TOKEN` has it; agents read it again when it is not good any more.
    TOKEN_FILE = "file" ["FORETOP_TOKEN_FILE"];
    /// Where everything is remembered where there is no server.
    /// Default: `foretop/foretop.db` in `$XDG_DATA_HOME`, else in the system's place for data.
    DATABASE = "`sqlite:///path` or `postgres://…`" ["FORETOP_DATABASE"];
    /// The key that a server seals secrets with: 64 hexadecimal digits.
    /// Default: what `--key-file` or `FORETOP_KEY_FILE` names, else `foretop.key` beside a database that is a SQLite file, which is made on first use.
    KEY = "text" ["FORETOP_KEY"];
    /// A file with that key, and former ones in lines below it.
    KEY_FILE = "file" ["FORETOP_KEY_FILE"];
    /// What a server tells in its log: `info` (default), `debug`, `server=debug,info`.
    LOG = "text" ["FORETOP_LOG"];
    /// Where a server listens, unless `--listen` says so.
    LISTEN = "address" ["FORETOP_LISTEN"];
    /// How people reach a server, unless `--public-url` says so.
    PUBLIC_URL = "URL" ["FORETOP_PUBLIC_URL"];
    /// The only hosts that a server may reach registries and integrations at, unless `--outgoing`
    /// names them: hosts, `*.example` for those below one, networks, or `*` for all.
    OUTGOING = "list, parted by commas" ["FORETOP_OUTGOING"];
    /// Proxies before a server, as addresses or networks, unless
    /// `--trusted-proxy` names them.
    TRUSTED_PROXY = "list, parted by commas" ["FORETOP_TRUSTED_PROXY"];
    /// Ask no registry: `registry://` is refused, `image://` only asks the local engine.
    OFFLINE = "yes or no" ["FORETOP_OFFLINE", "DOCKER_SCOUT_OFFLINE"];
    /// Whose attested SBOM is taken in place of reading an image's layers: files or URLs of public keys, and `unsigned` for whatever nobody has signed.
    /// Default: what `foretop config sbom-trust` says, else nobody's.
    SBOM_TRUST = "list, parted by commas" ["FORETOP_SBOM_TRUST"];
    /// Who to be at every registry, before any stored credentials.
    /// Needs the password as well.
    REGISTRY_USER = "text" ["FORETOP_REGISTRY_USER", "DOCKER_SCOUT_REGISTRY_USER"];
    /// The password that goes with the user.
    REGISTRY_PASSWORD = "text" ["FORETOP_REGISTRY_PASSWORD", "DOCKER_SCOUT_REGISTRY_PASSWORD"];
    /// A bearer token to send to every registry as it is.
    /// Goes before user and password.
    REGISTRY_TOKEN = "text" ["FORETOP_REGISTRY_TOKEN", "DOCKER_SCOUT_REGISTRY_TOKEN"];
    /// Who to be at Docker Hub alone.
    /// Needs the password as well.
    HUB_USER = "text" ["FORETOP_HUB_USER", "DOCKER_SCOUT_HUB_USER"];
    /// The password or access token that goes with that user.
    HUB_PASSWORD = "text" ["FORETOP_HUB_PASSWORD", "DOCKER_SCOUT_HUB_PASSWORD"];
    /// What the notifications of a distribution registry have as `Authorization`.
    REGISTRY_WEBHOOK_AUTH = "text" ["FORETOP_REGISTRY_WEBHOOK_AUTH"];
    /// Who to be at Artifactory, while it is watched.
    ARTIFACTORY_API_USER = "text" ["FORETOP_ARTIFACTORY_API_USER", "DOCKER_SCOUT_ARTIFACTORY_API_USER"];
    /// The password or access token that goes with the user.
    ARTIFACTORY_API_PASSWORD = "text" ["FORETOP_ARTIFACTORY_API_PASSWORD", "DOCKER_SCOUT_ARTIFACTORY_API_PASSWORD"];
    /// What its webhooks prove themselves with: 64 to 128 characters by chance.
    ARTIFACTORY_WEBHOOK_SECRET = "text" ["FORETOP_ARTIFACTORY_WEBHOOK_SECRET", "DOCKER_SCOUT_ARTIFACTORY_WEBHOOK_SECRET"];
    /// The name of the token by which an Azure registry is read, where it is not the usual one.
    AZURE_USER = "text" ["FORETOP_AZURE_USER"];
    /// A password of the token by which an Azure registry is read.
    AZURE_TOKEN = "text" ["FORETOP_AZURE_TOKEN"];
    /// What its webhooks prove themselves with.
    AZURE_WEBHOOK_SECRET = "text" ["FORETOP_AZURE_WEBHOOK_SECRET"];
    /// Who to be at Harbor, while it is watched: a user or a robot account.
    HARBOR_API_USER = "text" ["FORETOP_HARBOR_API_USER", "DOCKER_SCOUT_HARBOR_API_USER"];
    /// The password or secret that goes with the user.
    HARBOR_API_PASSWORD = "text" ["FORETOP_HARBOR_API_PASSWORD", "DOCKER_SCOUT_HARBOR_API_PASSWORD"];
    /// The whole `Authorization` of its webhooks: `token 0123…`.
    HARBOR_WEBHOOK_AUTH = "text" ["FORETOP_HARBOR_WEBHOOK_AUTH", "DOCKER_SCOUT_HARBOR_WEBHOOK_AUTH"];
    /// Who to be at Nexus, while it is watched.
    NEXUS_API_USER = "text" ["FORETOP_NEXUS_API_USER", "DOCKER_SCOUT_NEXUS_API_USER"];
    /// The password that goes with the user.
    NEXUS_API_PASSWORD = "text" ["FORETOP_NEXUS_API_PASSWORD", "DOCKER_SCOUT_NEXUS_API_PASSWORD"];
    /// What its webhooks are signed with.
    NEXUS_WEBHOOK_SECRET = "text" ["FORETOP_NEXUS_WEBHOOK_SECRET", "DOCKER_SCOUT_NEXUS_WEBHOOK_SECRET"];
    /// A token for Risk Spotlight integrations of Sysdig Secure, for `foretop integration configure sysdig`.
    SYSDIG_TOKEN = "text" ["FORETOP_SYSDIG_TOKEN"];
    /// Registries (`host` or `host:port`) that may be spoken to over plain HTTP.
    /// Loopback always may.
    INSECURE_REGISTRIES = "list, parted by commas" ["FORETOP_INSECURE_REGISTRIES"];
    /// PEM files with certificate authorities to trust beside the system's.
    CA_CERTIFICATES = "list of files, parted like `PATH`" ["FORETOP_CA_CERTIFICATES"];
    /// The creation time that documents state, in seconds since 1970, instead of the image's own.
    SOURCE_DATE_EPOCH = "number" ["SOURCE_DATE_EPOCH"];
    /// Docker's configuration: credentials, contexts, plugins (default `~/.docker`).
    DOCKER_CONFIG = "directory" ["DOCKER_CONFIG"];
    /// The engine to ask: `unix://…`, `tcp://…`, `http://…` or `https://…`.
    DOCKER_HOST = "URL" ["DOCKER_HOST"];
    /// The Docker context whose engine to ask, unless `DOCKER_HOST` is set.
    DOCKER_CONTEXT = "name" ["DOCKER_CONTEXT"];
    /// By which `foretop agent kubernetes` reaches its cluster (default `~/.kube/config`).
    KUBECONFIG = "list of files, parted like `PATH`" ["KUBECONFIG"];
    /// Set in the pods of a cluster: without a kubeconfig, `foretop agent kubernetes` looks at that cluster.
    KUBERNETES_SERVICE_HOST = "text" ["KUBERNETES_SERVICE_HOST"];
    /// The port beside it (default 443).
    KUBERNETES_SERVICE_PORT = "number" ["KUBERNETES_SERVICE_PORT"];
    /// When set to anything, the engine is spoken to over TLS and must prove who it is.
    DOCKER_TLS_VERIFY = "anything" ["DOCKER_TLS_VERIFY"];
    /// Where `ca.pem`, `cert.pem` and `key.pem` for that are (default: Docker's configuration).
    DOCKER_CERT_PATH = "directory" ["DOCKER_CERT_PATH"];
    /// Credentials in podman's place for them.
    REGISTRY_AUTH_FILE = "file" ["REGISTRY_AUTH_FILE"];
    /// Where the sockets and credentials of rootless engines are.
    XDG_RUNTIME_DIR = "directory" ["XDG_RUNTIME_DIR"];
    /// The place for caches.
    XDG_CACHE_HOME = "directory" ["XDG_CACHE_HOME"];
    /// The place for data.
    XDG_DATA_HOME = "directory" ["XDG_DATA_HOME"];
    /// The place for configuration, podman's credentials among it (default `~/.config`).
    XDG_CONFIG_HOME = "directory" ["XDG_CONFIG_HOME"];
    /// The user's own directory.
    HOME = "directory" ["HOME", "USERPROFILE"];
    /// Where large files are spooled while they are read (default `/tmp`).
    TMPDIR = "directory" ["TMPDIR"];
    /// Who records something where there is no server.
    USER = "text" ["USER", "LOGNAME", "USERNAME"];
    /// On which machine, where the system does not say.
    HOSTNAME = "text" ["HOSTNAME", "COMPUTERNAME"];
    /// The job of a CI (GitLab, Jenkins, CircleCI) in which something is recorded.
    CI_JOB = "URL" ["CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL"];
    /// The same of GitHub Actions.
    GITHUB_RUN_ID = "number" ["GITHUB_RUN_ID"];
    /// Where that is.
    GITHUB_SERVER_URL = "URL" ["GITHUB_SERVER_URL"];
    /// Of which repository.
    GITHUB_REPOSITORY = "name" ["GITHUB_REPOSITORY"];
    /// What else a runner of GitHub's tells `foretop action`, each of them for itself, beside `INPUT_NAME` for each input.
    RUNNER = "text" ["GITHUB_ACTIONS", "GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_WORKFLOW", "GITHUB_JOB", "GITHUB_ACTION", "GITHUB_SHA", "GITHUB_REF"];
    /// The name of a compose file's project, before the file's own.
    COMPOSE_PROJECT_NAME = "name" ["COMPOSE_PROJECT_NAME"];
    /// The profiles of a compose file that are meant; `*` means all.
    COMPOSE_PROFILES = "list, parted by commas" ["COMPOSE_PROFILES"];
    /// When set to anything, nothing is coloured.
    NO_COLOR = "anything" ["NO_COLOR"];
    /// `dumb` is a terminal without colours.
    TERM = "text" ["TERM"];
    /// Signs are plain letters (`v`, `x`) when the locale is set and is not UTF-8.
    LOCALE = "text" ["LC_ALL", "LC_CTYPE", "LANG"];
    /// The proxy for `http://` and `https://`, and the hosts that need none; read by the HTTP client, in small letters too.
    PROXIES = "URL; list of hosts" ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
    /// Set by `docker` for its plugins: when this socket closes, we end.
    DOCKER_CLI_PLUGIN_SOCKET = "socket" ["DOCKER_CLI_PLUGIN_SOCKET"];
    /// Where a service manager is told that the server is ready, as systemd's `Type=notify` wants it.
    NOTIFY_SOCKET = "socket" ["NOTIFY_SOCKET"];
}
