//! What people are told to type: names in it are what a shell takes for one word, whoever chose them.

/// `text`, as one word of a command.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_.:/@%+=,".contains(it);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_word() {
        let check = |text: &str, expect: &str| assert_eq!(word(text), expect);
        check("production", "production");
        check("acme/web:v1.2@sha256:ab", "acme/web:v1.2@sha256:ab");
        check("pkg:npm/%40babel/core@7.0.0?a=b", "'pkg:npm/%40babel/core@7.0.0?a=b'");
        check("the old one", "'the old one'");
        check("$(reboot)", "'$(reboot)'");
        check("it's; reboot", r"'it'\''s; reboot'");
        check("", "''");
    }
}
