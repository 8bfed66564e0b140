//! What the name of an archive says: `name-1.2.3-classifier.jar`.

/// Name and version, as Maven and Gradle write them into file names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileName<'a> {
    pub(super) name: &'a str,
    /// Empty if there is none.
    pub(super) version: &'a str,
}

impl<'a> FileName<'a> {
    /// The last part of a path, with its extension.
    pub(super) fn parse(file_name: &'a str) -> Self {
        let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
        let mut parts: Vec<(usize, &str)> = Vec::new();
        let mut at = 0;
        for part in stem.split('-') {
            parts.push((at, part));
            at += part.len() + 1;
        }
        // The last part that starts like a version, then back over what belongs to it:
        // `log4j-1.2-api-2.14.1` has its version at the end, `foo-1.0-beta-2` in the middle.
        let Some(last) = (1..parts.len()).rev().find(|at| is_version(parts[*at].1)) else {
            return Self { name: stem, version: "" };
        };
        let mut first = last;
        for at in (1..last).rev() {
            if is_number(parts[at].1) {
                first = at;
            } else if !is_qualifier(parts[at].1) {
                break;
            }
        }
        let mut end = last;
        while parts.get(end + 1).is_some_and(|(_, it)| is_qualifier(it)) {
            end += 1;
        }
        let (start, end) = (parts[first].0, parts[end].0 + parts[end].1.len());
        Self {
            name: stem.get(..start.saturating_sub(1)).unwrap_or_default(),
            version: stem.get(start..end).unwrap_or_default(),
        }
    }
}

/// `1.2`, `v1.2`, `r09`.
fn is_version(part: &str) -> bool {
    is_number(part.strip_prefix(['v', 'r']).unwrap_or(part))
}

fn is_number(part: &str) -> bool {
    part.starts_with(|it: char| it.is_ascii_digit())
}

/// Words that belong to a version; others (`linux`, `sources`, `shaded`) are classifiers.
fn is_qualifier(part: &str) -> bool {
    let word = part.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.');
    matches!(
        word.to_ascii_lowercase().as_str(),
        "alpha"
            | "android"
            | "b"
            | "beta"
            | "build"
            | "cr"
            | "ea"
            | "final"
            | "ga"
            | "incubating"
            | "jdk"
            | "jre"
            | "m"
            | "milestone"
            | "native"
            | "pre"
            | "preview"
            | "rc"
            | "redhat"
            | "release"
            | "sec"
            | "snapshot"
            | "sp"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file_name: &str, name: &str, version: &str) {
        assert_eq!(FileName::parse(file_name), FileName { name, version });
    }

    #[test]
    fn names_of_files() {
        check("commons-io-2.11.0.jar", "commons-io", "2.11.0");
        check("log4j-1.2-api-2.14.1.jar", "log4j-1.2-api", "2.14.1");
        check("guava-31.1-jre.jar", "guava", "31.1-jre");
        check("guava-r09.jar", "guava", "r09");
        check("akka-actor_2.13-2.6.19.jar", "akka-actor_2.13", "2.6.19");
        check("foo-1.0-beta-2.jar", "foo", "1.0-beta-2");
        check("foo-1.0-SNAPSHOT.war", "foo", "1.0-SNAPSHOT");
        check("foo-1.0-20240102.030405-7-tests.jar", "foo", "1.0-20240102.030405-7");
        check("netty-tcnative-2.0.54.Final-linux-x86_64.jar", "netty-tcnative", "2.0.54.Final");
        check("selenium-devtools-v85-4.5.0.jar", "selenium-devtools-v85", "4.5.0");
        check("json-20230227.jar", "json", "20230227");
        check("zstd-jni-1.5.2-1.jar", "zstd-jni", "1.5.2-1");
        check("app.jar", "app", "");
        check("commons-lang3.jar", "commons-lang3", "");
        check("-1.0.jar", "", "1.0");
        check("", "", "");
        check("é-1é.jar", "é", "1é");
    }
}
