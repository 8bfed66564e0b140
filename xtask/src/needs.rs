//! What tests need beside a Rust toolchain: programs from Debian packages, and a Python with the
//! validators of other people's formats.

use anyhow::{Context as _, bail};

use crate::run::{has, output, root, run, target};

/// A program that some test runs, and the Debian package that brings it.
struct Need {
    program: &'static str,
    package: &'static str,
    why: &'static str,
}

const NEEDS: &[Need] = &[
    Need { program: "git", package: "git", why: "says which files are ours" },
    Need {
        program: "docker-registry",
        package: "docker-registry",
        why: "a real registry to pull from",
    },
    Need { program: "skopeo", package: "skopeo", why: "pushes images to it" },
    Need { program: "docker", package: "docker.io", why: "the real client that runs our plugin" },
    Need { program: "chromium", package: "chromium", why: "shows the dashboard" },
    Need { program: "podman", package: "podman", why: "a real engine API" },
    Need { program: "rpm", package: "rpm", why: "writes real package databases" },
    Need { program: "rpmbuild", package: "rpm", why: "builds the packages in them" },
    Need { program: "db5.3_load", package: "db5.3-util", why: "writes the databases of old rpm" },
    Need { program: "openssl", package: "openssl", why: "an engine behind certificates" },
    Need { program: "pg_ctlcluster", package: "postgresql", why: "a real PostgreSQL" },
    Need { program: "shellcheck", package: "shellcheck", why: "reads our scripts" },
    Need { program: "curl", package: "curl", why: "does what scripts of jobs ask for" },
    Need { program: "jq", package: "jq", why: "reads and writes JSON in them" },
    Need { program: "minisign", package: "minisign", why: "signs as we do" },
    Need { program: "vercmp", package: "pacman-package-manager", why: "orders versions" },
    Need { program: "ruby", package: "ruby", why: "orders versions" },
    Need { program: "php", package: "php-cli", why: "orders versions" },
    Need { program: "node", package: "nodejs", why: "orders versions" },
    Need {
        program: "java",
        package: "default-jre-headless",
        why: "runs Maven's order of versions",
    },
    Need {
        program: "python3",
        package: "python3",
        why: "runs the validators of SPDX and CycloneDX, and schemathesis",
    },
];

/// Libraries that tests ask in those programs: a file each brings, and its Debian package.
const LIBRARIES: &[(&str, &str)] = &[
    ("/usr/lib/python3/dist-packages/packaging/version.py", "python3-packaging"),
    ("/usr/lib/python3/dist-packages/aiosmtpd/smtp.py", "python3-aiosmtpd"),
    ("/usr/share/php/Composer/Semver/autoload.php", "php-composer-semver"),
    ("/usr/share/java/maven3-artifact.jar", "libmaven3-core-java"),
    ("/usr/share/nodejs/semver/package.json", "node-semver"),
];

/// Installs what is missing: through apt-get as root, else says what to install.
#[expect(clippy::print_stderr, reason = "a chore says what it does")]
pub(crate) fn install() -> anyhow::Result<()> {
    let mut missing: Vec<&Need> = NEEDS.iter().filter(|it| !has(it.program)).collect();
    static VENV: Need =
        Need { program: "python3 -m venv", package: "python3-venv", why: "holds those validators" };
    if output("python3", &["-c", "import ensurepip, venv"]).is_err() {
        missing.push(&VENV);
    }
    let debian = has("apt-get");
    let absent =
        LIBRARIES.iter().filter(|(file, _)| debian && !std::path::Path::new(file).exists());
    let absent: Vec<&str> = absent.map(|(_, package)| *package).collect();
    if !missing.is_empty() || !absent.is_empty() {
        for need in &missing {
            eprintln!(
                "missing: {} ({}), from Debian package {}",
                need.program, need.why, need.package
            );
        }
        for package in &absent {
            eprintln!("missing: a library that tests ask, from Debian package {package}");
        }
        let packages = missing.iter().map(|it| it.package).chain(absent);
        let packages: Vec<&str> = packages.collect();
        let install = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
        if !debian {
            bail!("this machine has no apt-get: install the programs above, then run this again");
        }
        if output("id", &["-u"])? != "0" {
            bail!("not root: run `sudo {install}`, then this again");
        }
        run("apt-get", &["update", "-q"])?;
        let mut words = vec!["DEBIAN_FRONTEND=noninteractive"];
        words.extend(install.split(' '));
        run("env", &words)?;
    }
    python("python", "crates/format/tests/requirements.txt")?;
    python("schemathesis", "crates/cli/tests/requirements.txt")?;
    browser()
}

/// What drives a browser.
pub(crate) fn browser() -> anyhow::Result<()> {
    python("browser", "crates/cli/tests/browser/requirements.txt")
}

/// A virtual environment in the target directory, made anew when its requirements change.
fn python(name: &str, requirements: &str) -> anyhow::Result<()> {
    let requirements = root().join(requirements);
    let wanted = fs_err::read_to_string(&requirements)?;
    let venv = target().join(name);
    let stamp = venv.join("requirements.txt");
    if fs_err::read_to_string(&stamp).is_ok_and(|it| it == wanted) {
        return Ok(());
    }
    let python = venv.join("bin/python");
    let venv = venv.to_str().context("the target directory's name is not UTF-8")?;
    run("python3", &["-m", "venv", "--clear", venv])?;
    let python = python.to_str().context("the target directory's name is not UTF-8")?;
    let requirements = requirements.to_str().context("the workspace's name is not UTF-8")?;
    run(
        python,
        &[
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--disable-pip-version-check",
            "-r",
            requirements,
        ],
    )?;
    fs_err::write(stamp, wanted)?;
    Ok(())
}
