//! Which titles tell something about a flaw, and which only that there was an update.

/// A title that says no more than the package's name: `openssl - security update`,
/// `Important: httpd:2.4 security update`, `USN-4376-1: OpenSSL vulnerabilities`.
pub(crate) fn is_bare(title: &str) -> bool {
    let title = title.trim().trim_end_matches('.');
    let mut words = title.split_whitespace();
    let last = words.next_back().unwrap_or_default();
    let few = || words.clone().nth(3).is_none();
    let is = |word: &str, one_of: &[&str]| one_of.iter().any(|it| word.eq_ignore_ascii_case(it));
    let holds = |wanted: &str| {
        title.as_bytes().windows(wanted.len()).any(|it| it.eq_ignore_ascii_case(wanted.as_bytes()))
    };
    if last.is_empty() || title == last {
        // Nothing, or an erratum or a flaw by its bare name.
        return true;
    }
    if is(last, &["update", "updates"]) && (few() || holds("security") || holds("regression")) {
        return true;
    }
    if is(last, &["advisory", "vulnerability", "vulnerabilities"]) && few() {
        return true;
    }
    // `CVE-2020-1747 affecting package PyYAML for versions less than 5.3.1-1`, and
    // `Amazon Linux 2023 - ALAS2023-2023-070: important priority package update for curl`.
    title.contains(" affecting package ") || title.contains(" priority package update ")
}

/// The first words of a story, as a title.
pub(crate) fn shortened(sentence: &str) -> String {
    const MOST: usize = 200;
    match sentence.char_indices().nth(MOST) {
        None => sentence.to_owned(),
        Some((end, _)) => {
            let cut = sentence.get(..end).unwrap_or_default();
            let words = cut.rsplit_once(' ').map_or(cut, |(words, _)| words);
            format!("{words} …")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_update_is_called_tells_nothing() {
        let bare = [
            "",
            "openssl - security update",
            "Important: httpd:2.4 security update",
            "Moderate: kernel security, bug fix, and enhancement update",
            "USN-4376-1: OpenSSL vulnerabilities",
            "Security update.",
            "Important: openssl update",
            "CVE-2021-44228",
            "CVE-2020-1747 affecting package PyYAML for versions less than 5.3.1-1",
            "Amazon Linux 2023 - ALAS2023-2023-070: important priority package update for curl",
        ];
        for title in bare {
            assert!(is_bare(title), "{title}");
        }
        let telling = [
            "Decrypting SM2 overflows a buffer of OpenSSL",
            "OpenSSL: X.509 Email Address Buffer Overflow",
            "Prototype Pollution in lodash",
            "Apache Log4j2 Remote Code Execution Vulnerability",
            "curl may crash after an update",
        ];
        for title in telling {
            assert!(!is_bare(title), "{title}");
        }
    }
}
