//! The images of the demo: what installers leave behind of well-known software, in versions that well-known
//! flaws are in, or are not.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;

use super::pack::{Image, Layer};

/// Where they would be pulled from, if there were such a registry.
pub(super) const REGISTRY: &str = "registry.example";

/// How new the base of an image is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// As it was at its first release.
    Old,
    /// With the fixes that came since.
    Mended,
}

/// What those images stand on: a name and a tag, and the one layer that it is.
pub(super) fn bases() -> [(&'static str, Image); 4] {
    let alone = |layer| Image { user: "", layers: vec![layer] };
    [
        ("debian:12.5", alone(debian(Base::Old))),
        ("debian:12.12", alone(debian(Base::Mended))),
        ("alpine:3.20.0", alone(alpine(Base::Old))),
        ("alpine:3.20.3", alone(alpine(Base::Mended))),
    ]
}

/// The shop in the browser: npm on Debian.
pub(super) fn web(base: Base, lodash: &str, express: &str, axios: &str) -> Image {
    let packages = [
        ("lodash", lodash, "MIT"),
        ("express", express, "MIT"),
        ("axios", axios, "MIT"),
        ("follow-redirects", "1.15.6", "MIT"),
        ("cookie", "0.7.2", "MIT"),
        ("ws", "8.16.0", "MIT"),
        ("left-pad", "1.3.0", "WTFPL"),
    ];
    let file = |(name, version, license): (&str, &str, &str)| {
        let text = format!(r#"{{"name":"{name}","version":"{version}","license":"{license}"}}"#);
        (format!("srv/web/node_modules/{name}/package.json"), text.into_bytes())
    };
    let application = Layer {
        by: "RUN npm ci --omit=dev".to_owned(),
        files: packages.into_iter().map(file).collect(),
    };
    let own = r#"{"name":"shop-web","version":"1.0.0","private":true,"license":"UNLICENSED"}"#;
    let source = Layer {
        by: "COPY . /srv/web".to_owned(),
        files: vec![("srv/web/package.json".to_owned(), own.as_bytes().to_vec())],
    };
    Image { user: "node", layers: vec![debian(base), application, source] }
}

/// What the shop asks: Java on Debian.
pub(super) fn api(base: Base, log4j: &str) -> anyhow::Result<Image> {
    let jars = [
        ("org.apache.logging.log4j", "log4j-core", log4j),
        ("org.apache.logging.log4j", "log4j-api", log4j),
        ("org.springframework", "spring-beans", "5.3.39"),
        ("org.springframework", "spring-expression", "5.3.39"),
        ("org.apache.commons", "commons-text", "1.12.0"),
        ("org.postgresql", "postgresql", "42.7.4"),
    ];
    let mut files = Vec::new();
    for (group, name, version) in jars {
        files.push((format!("srv/api/lib/{name}-{version}.jar"), jar(group, name, version)?));
    }
    let application = Layer { by: "COPY build/libs /srv/api/lib".to_owned(), files };
    Ok(Image { user: "", layers: vec![debian(base), application] })
}

/// What works through orders at night: Python on Alpine.
pub(super) fn worker(base: Base, pyyaml: &str, jinja: &str) -> Image {
    let packages = [
        ("PyYAML", pyyaml, "MIT"),
        ("Jinja2", jinja, "BSD-3-Clause"),
        ("requests", "2.32.3", "Apache-2.0"),
        ("urllib3", "1.26.18", "MIT"),
        ("certifi", "2024.8.30", "MPL-2.0"),
    ];
    let file = |(name, version, license): (&str, &str, &str)| {
        let path = format!(
            "usr/lib/python3.12/site-packages/{}-{version}.dist-info/METADATA",
            name.to_lowercase()
        );
        let text = format!(
            "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: {license}\n\n"
        );
        (path, text.into_bytes())
    };
    let application = Layer {
        by: "RUN pip install --no-cache-dir -r requirements.txt".to_owned(),
        files: packages.into_iter().map(file).collect(),
    };
    Image { user: "worker", layers: vec![alpine(base), application] }
}

/// What prints invoices: Java on Debian, with an archive that is cut short, so that nobody can tell what is
/// in it.
pub(super) fn invoices() -> anyhow::Result<Image> {
    let mut cut = jar("com.example.fonts", "fonts", "1.0")?;
    cut.truncate(cut.len() / 2);
    let files = vec![
        (
            "srv/invoices/lib/commons-text-1.12.0.jar".to_owned(),
            jar("org.apache.commons", "commons-text", "1.12.0")?,
        ),
        ("srv/invoices/lib/fonts-1.0.jar".to_owned(), cut),
    ];
    let application = Layer { by: "COPY lib /srv/invoices/lib".to_owned(), files };
    Ok(Image { user: "invoices", layers: vec![debian(Base::Mended), application] })
}

/// An archive as Maven builds it.
fn jar(group: &str, name: &str, version: &str) -> anyhow::Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let file = SimpleFileOptions::default();
    zip.start_file("META-INF/MANIFEST.MF", file)?;
    zip.write_all(b"Manifest-Version: 1.0\n")?;
    zip.start_file(format!("META-INF/maven/{group}/{name}/pom.properties"), file)?;
    write!(zip, "groupId={group}\nartifactId={name}\nversion={version}\n")?;
    Ok(zip.finish()?.into_inner())
}

fn debian(base: Base) -> Layer {
    let pick = |old: &'static str, mended| if base == Base::Old { old } else { mended };
    let packages = [
        ("apt", "apt", "2.6.1", "GPL-2.0-or-later"),
        ("base-files", "base-files", "12.4+deb12u12", "GPL-2.0-or-later"),
        ("bash", "bash", "5.2.15-2+b9", "GPL-3.0-or-later"),
        ("ca-certificates", "ca-certificates", "20230311+deb12u1", "MPL-2.0"),
        ("dpkg", "dpkg", "1.21.22", "GPL-2.0-or-later"),
        ("libc6", "glibc", pick("2.36-9+deb12u4", "2.36-9+deb12u13"), "LGPL-2.1-or-later"),
        ("libexpat1", "expat", pick("2.5.0-1", "2.5.0-1+deb12u2"), "MIT"),
        ("libssl3", "openssl", pick("3.0.13-1~deb12u1", "3.0.17-1~deb12u3"), "Apache-2.0"),
        ("openssl", "openssl", pick("3.0.13-1~deb12u1", "3.0.17-1~deb12u3"), "Apache-2.0"),
        ("tzdata", "tzdata", "2025b-0+deb12u2", "public-domain"),
        ("zlib1g", "zlib", "1:1.2.13.dfsg-1", "Zlib"),
    ];
    let status: Vec<String> = packages
        .iter()
        .map(|(name, source, version, _)| {
            format!(
                "Package: {name}\nStatus: install ok installed\nPriority: required\n\
                 Section: admin\nSource: {source}\nArchitecture: amd64\nVersion: {version}\n\
                 Maintainer: Debian <packages@lists.debian.org>\nDescription: {name}\n\n"
            )
        })
        .collect();
    let release = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n\
                   VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";
    let mut files = vec![
        ("etc/os-release".to_owned(), release.as_bytes().to_vec()),
        ("etc/debian_version".to_owned(), b"12.12\n".to_vec()),
        ("var/lib/dpkg/status".to_owned(), status.concat().into_bytes()),
    ];
    files.extend(packages.iter().map(|(name, _, _, license)| {
        let text = format!(
            "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
             Files: *\nCopyright: its authors\nLicense: {license}\n"
        );
        (format!("usr/share/doc/{name}/copyright"), text.into_bytes())
    }));
    let by = "# debian.sh --arch 'amd64' out/ 'bookworm'".to_owned();
    Layer { by, files }
}

fn alpine(base: Base) -> Layer {
    let pick = |old: &'static str, mended| if base == Base::Old { old } else { mended };
    let packages = [
        ("alpine-baselayout", "alpine-baselayout", "3.6.5-r0", "GPL-2.0-only"),
        ("busybox", "busybox", "1.36.1-r29", "GPL-2.0-only"),
        ("ca-certificates-bundle", "ca-certificates", "20240705-r0", "MPL-2.0 AND MIT"),
        ("libcrypto3", "openssl", pick("3.3.1-r0", "3.3.5-r0"), "Apache-2.0"),
        ("libexpat", "expat", pick("2.6.2-r0", "2.7.3-r0"), "MIT"),
        ("libssl3", "openssl", pick("3.3.1-r0", "3.3.5-r0"), "Apache-2.0"),
        ("musl", "musl", pick("1.2.5-r0", "1.2.5-r1"), "MIT"),
        ("python3", "python3", "3.12.12-r0", "PSF-2.0"),
        ("zlib", "zlib", "1.3.1-r1", "Zlib"),
    ];
    let installed: Vec<String> = packages
        .iter()
        .map(|(name, origin, version, license)| {
            format!("P:{name}\nV:{version}\nA:x86_64\nL:{license}\no:{origin}\n\n")
        })
        .collect();
    let release =
        "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n";
    let files = vec![
        ("etc/os-release".to_owned(), release.as_bytes().to_vec()),
        ("etc/alpine-release".to_owned(), b"3.20.3\n".to_vec()),
        ("lib/apk/db/installed".to_owned(), installed.concat().into_bytes()),
    ];
    Layer { by: "ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # buildkit".to_owned(), files }
}
