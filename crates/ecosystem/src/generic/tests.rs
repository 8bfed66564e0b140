//! Tests of programs told by their version string.

use std::io::{Seek, Write};

use model::Found;

use super::{OVERLAP, WINDOW};
use crate::File;
use crate::Nothing;
use crate::shown::{cataloger, facts, facts_of};

/// A binary in which `text` stands, among other things.
fn binary(text: &str) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\x00".to_vec();
    bytes.extend((0..3000_u32).flat_map(u32::to_le_bytes));
    bytes.extend_from_slice(b"\x00some text\x00");
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend_from_slice(b"\x00more text\x00 9.9.9\x00");
    bytes
}

/// The purl's rest behind `pkg:generic/`, and the first CPE.
fn check(id: &str, path: &str, text: &str, expect: &str) {
    let shown = facts_of(&format!("generic-{id}"), path, binary(text));
    let line = shown.lines().next().unwrap_or_default();
    assert_eq!(line.strip_prefix("pkg:generic/").unwrap_or(line), expect, "{path}");
}

#[test]
fn versions() {
    check("busybox", "bin/busybox", "BusyBox v1.36.1 (2023-11-07 18:53:09 UTC)", "busybox@1.36.1");
    check("httpd", "usr/sbin/apache2", "Apache/2.4.57 (Unix)", "httpd@2.4.57");
    check("mariadb", "usr/sbin/mysqld", "10.6.15-MariaDB-log", "mariadb@10.6.15");
    check("mysql", "usr/sbin/mysqld", "10.6.15-MariaDB-log", "");
    check("mysql", "usr/bin/mysql", "8.0.37\0\0\0mysql_real_escape_string", "mysql@8.0.37");
    check("mysql", "usr/sbin/mysqld", "/build/release/mysql-8.0.4-rc/sql/x.cc", "mysql@8.0.4");
    check("nginx", "usr/sbin/nginx", "nginx version: nginx/1.25.1", "nginx@1.25.1");
    check("nginx", "x/nginx", "nginx version: openresty/1.21.4.1", "nginx@1.21.4");
    check("node", "usr/local/bin/node", "https://x/node.js/v22.9.0/", "node@22.9.0");
    check("node", "usr/bin/node", "node v0.10.48", "node@0.10.48");
    check("node", "usr/bin/node", "v6.17.1", "node@6.17.1");
    check("node", "usr/bin/node", "v18.1.0", "");
    check("openssl", "usr/bin/openssl", "OpenSSL 3.0.11 19 Sep 2023", "openssl@3.0.11");
    check("openssl", "lib/libssl.so.1.1", "OpenSSL 1.1.1w  11 Sep 2023", "openssl@1.1.1w");
    check("openssl", "lib/libcrypto.so.10", "OpenSSL 1.0.2k-fips  26 Jan 2017", "openssl@1.0.2k");
    check("openssl", "x/openssl", "OpenSSL 3.2.0-alpha1 7 Sep 2023", "openssl@3.2.0-alpha1");
    check("openssl", "x/openssl", "OpenSSL 1.1.1 (compatible; AWS-LC 1.69.0)", "");
    check("php", "usr/local/bin/php", "X-Powered-By: PHP/8.2.12", "php@8.2.12");
    check("php", "usr/sbin/php-fpm8.3", "X-Powered-By: PHP/8.3.0RC6", "php@8.3.0RC6");
    check("postgresql", "x/bin/postgres", "PostgreSQL 15.1 on x86_64", "postgresql@15.1");
    check("postgresql", "x/bin/postgres", "postgres (PostgreSQL) 9.6.24\n", "postgresql@9.6.24");
    check("postgresql", "x/bin/postgres", "PostgreSQL 17beta1 on", "postgresql@17beta1");
    check("python", "usr/bin/python3.11", "3.10.9\x003.11.2", "python@3.11.2");
    check("python", "usr/lib/libpython3.9.so.1.0", "3.9.2+", "python@3.9.2");
    check("python", "usr/lib/libpython2.7.so", "2.7.18", "python@2.7.18");
    check("python", "usr/bin/python3.13t", "3.13.0rc2", "python@3.13.0rc2");
    check("python", "usr/bin/python3.11-config", "3.11.2", "");
    check("redis", "bin/redis-server", "7.0.15\0c11-builtin", "redis@7.0.15");
    check("redis", "bin/redis-server", "4.0.11841ce7054bd9-1542359302000000000", "redis@4.0.11");
    check("redis", "bin/redis-server", "7.0.14buildkitsandbox-1702957741000000000", "redis@7.0.14");
    check("redis", "bin/redis-server", "Server started, Redis version 2.8.23", "redis@2.8.23");
    check("ruby", "usr/local/bin/ruby", "ruby 3.3.0rc1 (2023-12-11 master a4)", "ruby@3.3.0rc1");
    check("ruby", "lib/libruby.so.2.7", "ruby 2.7.7p221 (2022-11-24 revision)", "ruby@2.7.7");
    check("ruby", "lib/libruby.so.3.4", "ruby 3.4.0dev (2024-09-15T01:06:11Z", "ruby@3.4.0dev");
    check(
        "valkey",
        "bin/valkey-server",
        "8.0.1buildkitsandbox-1727870000000000000",
        "valkey@8.0.1",
    );
    check("valkey", "bin/valkey-server", "7.2.4\0c11-builtin", "");
}

#[test]
fn names_by_which_others_know_them() {
    let shown = facts_of("generic-nginx", "usr/sbin/nginx", binary("nginx version: nginx/1.25.1"));
    assert_eq!(
        shown,
        "pkg:generic/nginx@1.25.1\n  cpes: cpe:2.3:a:f5:nginx:1.25.1:*:*:*:*:*:*:*, \
         cpe:2.3:a:nginx:nginx:1.25.1:*:*:*:*:*:*:*\n"
    );
}

#[test]
fn only_binaries_are_searched() {
    let script = "#!/bin/sh\necho nginx version: nginx/1.25.1\n";
    assert_eq!(facts_of("generic-nginx", "etc/init.d/nginx", script), "");
    assert_eq!(facts_of("generic-nginx", "etc/init.d/nginx", ""), "");
}

#[test]
fn go_toolchains() {
    let check = |text: &str, expect: &str| {
        let shown = facts_of("generic-go", "usr/local/go/VERSION", text);
        assert_eq!(shown.lines().next().unwrap_or_default(), expect);
    };
    check("go1.22.5\ntime 2024-06-27T20:11:12Z\n", "pkg:generic/go@1.22.5");
    check("go1.19", "pkg:generic/go@1.19");
    check("go1.23rc1\n", "pkg:generic/go@1.23rc1");
    check("devel +abcdef", "");
    check("1.2.3", "");
}

#[test]
fn java_runtimes() {
    let check = |text: &str, expect: &str| {
        assert_eq!(facts_of("generic-java", "opt/java/release", text), expect);
    };
    check(
        "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_RUNTIME_VERSION=\"21.0.4+7-LTS\"\n\
         JAVA_VERSION=\"21.0.4\"\nIMAGE_TYPE=\"JDK\"\n",
        "pkg:generic/oracle/openjdk@21.0.4%2B7-LTS\n  author: Eclipse Adoptium\n  \
         cpes: cpe:2.3:a:oracle:openjdk:21.0.4:*:*:*:*:*:*:*\n",
    );
    check(
        "JAVA_VERSION=\"1.8.0_422\"\nFULL_VERSION=\"1.8.0_422-b05\"\n",
        "pkg:generic/oracle/openjdk@1.8.0_422-b05\n  \
         cpes: cpe:2.3:a:oracle:openjdk:1.8.0:update422:*:*:*:*:*:*\n",
    );
    check(
        "IMPLEMENTOR=\"Azul Systems, Inc.\"\nJAVA_VERSION=\"17.0.12\"\n",
        "pkg:generic/azul/zulu@17.0.12\n  author: Azul Systems, Inc.\n  \
         cpes: cpe:2.3:a:azul:zulu:17.0.12:*:*:*:*:*:*:*, \
         cpe:2.3:a:oracle:openjdk:17.0.12:*:*:*:*:*:*:*\n",
    );
    check(
        "IMPLEMENTOR=\"Oracle Corporation\"\nJAVA_VERSION=\"22.0.2\"\nMODULES=\"java.base jdk.compiler\"\n",
        "pkg:generic/oracle/jdk@22.0.2\n  author: Oracle Corporation\n  \
         cpes: cpe:2.3:a:oracle:jdk:22.0.2:*:*:*:*:*:*:*\n",
    );
    check("Codename: bookworm\n", "");
    check("JAVA_VERSION=\"\"\n", "");
}

/// A file on disk that holds `text` at `offset`.
fn spooled(size: usize, offset: usize, text: &[u8]) -> Found {
    let mut bytes = vec![0; size];
    bytes[..4].copy_from_slice(b"\x7fELF");
    bytes[offset..offset + text.len()].copy_from_slice(text);
    let mut file = tempfile::tempfile().expect("a file can be made");
    file.write_all(&bytes).expect("it can be written");
    file.rewind().expect("it can be read");
    let file = File::spooled("bin/busybox", 0o755, &file, size as u64);
    (cataloger("generic-busybox").read)(&file, &Nothing)
}

#[test]
fn large_files_are_read_through_windows() {
    let text = b"BusyBox v1.36.1\0";
    let whole = WINDOW * 3;
    let edge = WINDOW - OVERLAP;
    // Before, on and behind each edge; at the very end too.
    let starts = [edge - 20, edge - 1, edge, WINDOW - 12, WINDOW - 1, WINDOW, 2 * edge - 5]
        .into_iter()
        .chain(WINDOW - 30..WINDOW)
        .chain([whole - text.len()]);
    for start in starts {
        let found = spooled(whole, start, text);
        assert_eq!(facts(&found).lines().next(), Some("pkg:generic/busybox@1.36.1"), "at {start}");
    }
    assert_eq!(facts(&spooled(whole, 8, b"")), "");
}
