//! The programs we know, a row for each: where it is, how it writes its version, what it is called.

use std::sync::LazyLock;

use model::Found;
use regex::bytes::Regex;

use super::{Program, in_binary, java};
use crate::{Cataloger, Claim, File};

/// Rows of binaries: id, files, pattern with the version in its groups, name and CPEs.
macro_rules! binary {
    ($id:literal, $title:literal, [$($glob:literal),+], $pattern:literal, $name:literal, [$($cpe:literal),+]) => {
        Cataloger {
            id: concat!("generic-", $id),
            reads: concat!($title, ", by the version in its binary"),
            version: 1,
            claims: &[$(Claim::Path($glob)),+],
            peeks: &[],
            read: |file, _| {
                static PATTERN: LazyLock<Regex> =
                    LazyLock::new(|| Regex::new(concat!("(?-u)", $pattern)).expect("the tests try each pattern"));
                const PROGRAM: Program = Program {
                    name: $name,
                    cpes: &[$(concat!("cpe:2.3:a:", $cpe, ":VERSION:*:*:*:*:*:*:*")),+],
                };
                in_binary(file, &PROGRAM, &PATTERN)
            },
        }
    };
}

pub(super) const CATALOGERS: &[Cataloger] = &[
    binary!(
        "busybox",
        "BusyBox",
        ["**/busybox", "**/busybox.{static,nosuid,suid}"],
        r"BusyBox v([0-9]+\.[0-9]+\.[0-9]+)",
        "busybox",
        ["busybox:busybox"]
    ),
    Cataloger {
        id: "generic-go",
        reads: "the Go toolchain, by the VERSION file at its root",
        version: 1,
        claims: &[Claim::Path("**/go/VERSION"), Claim::Path("**/go-*/VERSION")],
        peeks: &[],
        read: |file, _| go(file),
    },
    binary!(
        "httpd",
        "Apache httpd",
        ["**/{httpd,apache2}"],
        r"\x00Apache/([0-9]+\.[0-9]+\.[0-9]+)",
        "httpd",
        ["apache:http_server"]
    ),
    Cataloger {
        id: "generic-java",
        reads: "Java runtimes and development kits, by the `release` file at their root",
        version: 1,
        claims: &[Claim::Path("**/release")],
        peeks: &[],
        read: |file, _| java::read(file),
    },
    binary!(
        "mariadb",
        "MariaDB",
        ["**/{mariadbd,mariadb,mysqld,mysql}"],
        r"\x00([0-9]+\.[0-9]+\.[0-9]+)-MariaDB",
        "mariadb",
        ["mariadb:mariadb"]
    ),
    // The client has its version before `mysql…`; the server names the folder it was built in.
    binary!(
        "mysql",
        "MySQL",
        ["**/{mysqld,mysql}"],
        r"\x00([0-9]+\.[0-9]+\.[0-9]+)(?:-rc)?\x00+mysql|/mysql-([0-9]+\.[0-9]+\.[0-9]+)(?:-rc)?/",
        "mysql",
        ["oracle:mysql"]
    ),
    binary!(
        "nginx",
        "nginx, and OpenResty by the nginx in it",
        ["**/{nginx,nginx-debug,openresty}"],
        r"nginx version: [a-z_-]{1,20}/([0-9]+\.[0-9]+\.[0-9]+)",
        "nginx",
        ["f5:nginx", "nginx:nginx"]
    ),
    // Old releases have only `v6.17.1`, or `node v0.10.48`; others also name those of their parts.
    binary!(
        "node",
        "Node.js",
        ["**/bin/node", "**/libnode.so*"],
        r"node\.js/v([0-9]+\.[0-9]+\.[0-9]+)|\x00(?:node )?v((?:0|4|5|6)\.[0-9]+\.[0-9]+)\x00",
        "node",
        ["nodejs:node.js"]
    ),
    // `OpenSSL 3.0.15 3 Sep 2024`; libraries that only claim to be compatible have no date.
    binary!(
        "openssl",
        "OpenSSL",
        ["**/openssl", "**/libcrypto.so*", "**/libssl.so*"],
        r"OpenSSL ([0-9]+\.[0-9]+\.[0-9]+(?:[a-z]{1,2}|-(?:alpha|beta|pre|rc)[0-9]+)?)(?:-fips)? {1,2}[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}",
        "openssl",
        ["openssl:openssl"]
    ),
    binary!(
        "php",
        "PHP",
        ["**/{php,php-cgi,php-fpm}", "**/php{,-cgi,-fpm}[0-9]*", "**/libphp*.so*"],
        r"X-Powered-By: PHP/([0-9]+\.[0-9]+\.[0-9]+(?:(?:alpha|beta|RC)[0-9]+)?)",
        "php",
        ["php:php"]
    ),
    binary!(
        "postgresql",
        "PostgreSQL's server",
        ["**/bin/postgres"],
        r"\x00(?:postgres \(PostgreSQL\)|PostgreSQL) ([0-9]+(?:\.[0-9]+){0,2}(?:(?:alpha|beta|rc)[0-9]+)?)[ \n]",
        "postgresql",
        ["postgresql:postgresql"]
    ),
    Cataloger {
        id: "generic-python",
        reads: "Python, by the version in its interpreter or its library",
        version: 1,
        claims: &[Claim::Path("**/python{2,3}.*"), Claim::Path("**/libpython*.so*")],
        peeks: &[],
        read: |file, _| python(file),
    },
    // Beside the name of its atomic operations; or before the machine (twelve digits of a container)
    // and the time of the build; or, long ago, in a message.
    binary!(
        "redis",
        "Redis",
        ["**/redis-server", "**/redis-check-{rdb,aof}"],
        r"\x00([0-9]+\.[0-9]+\.[0-9]+)\x00+(?:c11|atomic|sync)-builtin\x00|[^0-9.]([0-9]+\.[0-9]+\.[0-9]+)(?:[0-9a-f]{12}-|buildkitsandbox-)[0-9]{10,19}\x00|Redis version ([0-9]+\.[0-9]+\.[0-9]+)",
        "redis",
        ["redis:redis", "redislabs:redis"]
    ),
    // Patch levels (`2.7.8p225`) are builds of the same version.
    binary!(
        "ruby",
        "Ruby",
        ["**/ruby", "**/bin/ruby[0-9]*", "**/libruby*.so*"],
        r"ruby ([0-9]+\.[0-9]+\.[0-9]+(?:(?:preview|rc)[0-9]+|dev)?)(?:p[0-9]+)? \([0-9]{4}-[0-9]{2}-[0-9]{2}",
        "ruby",
        ["ruby-lang:ruby"]
    ),
    // It also says which Redis it is compatible with, so only the build counts.
    binary!(
        "valkey",
        "Valkey",
        ["**/valkey-server"],
        r"[^0-9.]([0-9]+\.[0-9]+\.[0-9]+)(?:[0-9a-f]{12}|[a-zA-Z][0-9a-zA-Z.-]{0,63})-[0-9]{10,19}\x00",
        "valkey",
        ["lfprojects:valkey"]
    ),
];

/// `go1.22.5`, and since Go 1.21 a second line with the time.
fn go(file: &File<'_>) -> Found {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^go([0-9]+\.[0-9]+(?:\.[0-9]+)?(?:(?:beta|rc)[0-9]+)?)\s")
            .expect("the tests try each pattern")
    });
    const PROGRAM: Program =
        Program { name: "go", cpes: &["cpe:2.3:a:golang:go:VERSION:*:*:*:*:*:*:*"] };
    let Ok(bytes) = file.bytes(4096) else { return Found::default() };
    // An end of the file is as good as one of the line.
    let text = [&bytes, &b"\n"[..]].concat();
    PATTERN.captures(&text).map_or_else(Found::default, |it| PROGRAM.found(&super::version(&it)))
}

/// An interpreter holds many numbers: the one that goes on from its name is its version.
fn python(file: &File<'_>) -> Found {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:lib)?python([23])\.([0-9]{1,2})(?:[a-z]{0,3}|[dmut]{0,3}\.so[0-9.]*)$")
            .expect("the tests try each pattern")
    });
    const PROGRAM: Program = Program {
        name: "python",
        cpes: &[
            "cpe:2.3:a:python:python:VERSION:*:*:*:*:*:*:*",
            "cpe:2.3:a:python_software_foundation:python:VERSION:*:*:*:*:*:*:*",
        ],
    };
    let Some(name) = NAME.captures(file.name().as_bytes()) else { return Found::default() };
    let [major, minor] = [&name[1], &name[2]].map(|it| String::from_utf8_lossy(it).into_owned());
    let pattern = format!(r"(?-u)\x00({major}\.{minor}\.[0-9]+(?:(?:a|b|rc)[0-9]+)?)\+?\x00");
    match Regex::new(&pattern) {
        Ok(pattern) => in_binary(file, &PROGRAM, &pattern),
        Err(error) => Found::gap(file.path(), format!("cannot be searched: {error}")),
    }
}
