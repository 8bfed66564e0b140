//! The repositories of Amazon Linux, and how a document tells which of them it is of.

use crate::contract::Part;

/// Its releases, as `os-release` has them.
pub(super) const RELEASES: [&str; 4] = ["2023", "2022", "2", "2018.03"];

/// Topics of the extras of Amazon Linux 2 that had security updates.
const TOPICS: &[&str] = &[
    "aws-nitro-enclaves-cli",
    "docker",
    "ecs",
    "firefox",
    "haproxy2",
    "java-openjdk11",
    "kernel-5.10",
    "kernel-5.15",
    "kernel-5.4",
    "libreoffice",
    "livepatch",
    "mariadb10.5",
    "memcached1.5",
    "nginx1",
    "php8.0",
    "php8.1",
    "php8.2",
    "postgresql11",
    "postgresql12",
    "postgresql13",
    "postgresql14",
    "python3.8",
    "redis6",
    "ruby3.0",
    "squid4",
    "tomcat8.5",
    "tomcat9",
    "unbound1.17",
];

/// A part for each repository. What its address leads to is a list of mirrors; each of these has
/// `repodata/repomd.xml`, which names the errata.
pub(super) fn all() -> Vec<Part> {
    let cdn = "https://cdn.amazonlinux.com";
    let mut parts = vec![
        part(
            "2018.03/updates/x86_64",
            "https://repo.us-west-2.amazonaws.com/2018.03/updates/x86_64",
        ),
        part("2018.03/main/x86_64", "https://repo.us-west-2.amazonaws.com/2018.03/main/x86_64"),
    ];
    for arch in ["x86_64", "aarch64"] {
        for (release, repository) in
            [("2022", "core"), ("2023", "core"), ("2023", "kernel-livepatch"), ("2023", "nvidia")]
        {
            let base = format!("{cdn}/al{release}/{repository}/mirrors/latest/{arch}");
            parts.push(part(&format!("{release}/{repository}/{arch}"), &base));
        }
        parts.push(part(&format!("2/core/{arch}"), &format!("{cdn}/2/core/latest/{arch}")));
        for topic in TOPICS {
            let base = format!("{cdn}/2/extras/{topic}/latest/{arch}");
            parts.push(part(&format!("2/extras/{topic}/{arch}"), &base));
        }
    }
    parts
}

fn part(name: &str, base: &str) -> Part {
    Part { name: name.to_owned(), urls: vec![format!("{base}/mirror.list")] }
}

/// The part that a document is of: the path tells, or else what it begins with.
pub(super) fn of(path: &str, head: &str) -> String {
    let all = all();
    let path = format!("/{path}/");
    if let Some(part) = all.iter().find(|it| path.contains(&format!("/{}/", it.name))) {
        return part.name.clone();
    }
    let id = between(head, "<id>", "<").unwrap_or_default();
    let collection = between(head, "<collection short=\"amazon-linux-", "\"").unwrap_or_default();
    let release = release_of_id(id).map_or("", |(release, _)| release);
    let release = RELEASES.into_iter().find(|it| *it == release).unwrap_or("2");
    let arch = if head.contains("arch=\"aarch64\"") { "aarch64" } else { "x86_64" };
    let name = match (release, collection.split_once("---")) {
        ("2018.03", _) => "2018.03/updates/x86_64".to_owned(),
        ("2", Some((_, topic))) => format!("2/extras/{topic}/{arch}"),
        ("2023", _) if id.contains("LIVEPATCH") => format!("2023/kernel-livepatch/{arch}"),
        ("2023", _) if id.contains("NVIDIA") => format!("2023/nvidia/{arch}"),
        _ => format!("{release}/core/{arch}"),
    };
    let known = all.into_iter().any(|it| it.name == name);
    if known { name } else { format!("{release}/core/{arch}") }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// The release and the repository's name in capitals that an erratum's id tells:
/// `ALAS2023-2023-001`, `ALAS2DOCKER-2023-024`, `ALASKERNEL-5.10-2022-012`, `ALAS-2018-939`.
pub(super) fn release_of_id(id: &str) -> Option<(&'static str, &str)> {
    let rest = id.strip_prefix("ALAS")?;
    let (rest, number) = rest.rsplit_once('-')?;
    let (rest, year) = rest.rsplit_once('-').unwrap_or(("", rest.trim_start_matches('-')));
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    if !is_number(number) || !is_number(year) {
        return None;
    }
    let release = ["2023", "2022", "2"].into_iter().find(|it| rest.starts_with(it));
    match release {
        Some(release) => Some((release, rest.strip_prefix(release)?.trim_start_matches('-'))),
        None if rest.is_empty() => Some(("2018.03", "")),
        // The extras' errata are also written without the 2.
        None => Some(("2", rest)),
    }
}

/// The release that a package was built for: `3.amzn2023.0.2`.
pub(super) fn release_of_version(version: &str) -> Option<&'static str> {
    let (_, tag) = version.split_once(".amzn")?;
    let digits = tag.bytes().take_while(u8::is_ascii_digit).count();
    match tag.get(..digits)? {
        "1" => Some("2018.03"),
        "2" => Some("2"),
        "2022" => Some("2022"),
        "2023" => Some("2023"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_release_of_an_erratum() {
        let check = |id: &str, expect: &str| {
            let text =
                release_of_id(id).map_or_else(String::new, |(it, name)| format!("{it} {name}"));
            assert_eq!(text, expect, "{id}");
        };
        check("ALAS2023-2023-001", "2023 ");
        check("ALAS2022-2021-001", "2022 ");
        check("ALAS2-2018-939", "2 ");
        check("ALAS-2018-939", "2018.03 ");
        check("ALAS2DOCKER-2023-024", "2 DOCKER");
        check("ALASDOCKER-2023-024", "2 DOCKER");
        check("ALAS2KERNEL-5.10-2022-012", "2 KERNEL-5.10");
        check("ALAS2023LIVEPATCH-2023-001", "2023 LIVEPATCH");
        check("ALAS2LIVEPATCH-2021-040", "2 LIVEPATCH");
        check("ALAS", "");
        check("BRSA-1bwu", "");
    }

    #[test]
    fn parts_are_told_by_path_or_head() {
        let head = "<updates><update><id>ALAS2023-2023-001</id>";
        assert_eq!(of("amazon/2/core/aarch64/updateinfo.xml.gz/x", head), "2/core/aarch64");
        assert_eq!(of("updateinfo_AL2023.xml.gz", head), "2023/core/x86_64");
        let extras = "<id>ALAS2DOCKER-2023-024</id><collection short=\"amazon-linux-2---docker\">";
        assert_eq!(of("x", extras), "2/extras/docker/x86_64");
        assert_eq!(of("x", &extras.replace("---docker", "---x")), "2/core/x86_64");
        assert_eq!(of("x", "<id>ALAS-2018-939</id>"), "2018.03/updates/x86_64");
    }

    #[test]
    fn every_part_has_an_address() {
        let names: std::collections::BTreeSet<String> =
            all().into_iter().map(|it| it.name).collect();
        assert_eq!(names.len(), all().len());
        assert!(all().iter().all(|it| it.urls.len() == 1));
    }
}
