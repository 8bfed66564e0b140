//! Percent-encoding undone, as it stands in purls, in ranges of versions and in web addresses.

use std::borrow::Cow;

/// `a+b` of `a%2Bb`. `None` where a `%` stands before anything but two hexadecimal digits, or where
/// what comes out is no text.
pub fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(percent_decoded(text).as_deref(), expect, "{text}");
    }

    #[test]
    fn undoes_what_is_encoded() {
        check("", Some(""));
        check("libstdc++", Some("libstdc++"));
        check("libstdc%2B%2b@1%3A2", Some("libstdc++@1:2"));
        check("caf%C3%A9 é", Some("café é"));
        check("100%25", Some("100%"));
        check("%2541", Some("%41"));
    }

    #[test]
    fn refuses_what_is_broken() {
        for text in ["%", "a%2", "%zz", "%+1", "% 1", "%-1", "%é", "%C3", "%FFa"] {
            check(text, None);
        }
    }
}
