//! What a registry demands when it answers 401: its `WWW-Authenticate` headers.
//!
//! <https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate>

/// One way in that is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    /// `bearer`, `basic`: in lower case.
    pub(super) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The parameter of this name.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str()).filter(|it| !it.is_empty())
    }
}

/// Reads headers, each of which may hold several challenges. What makes no sense is skipped.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    for header in headers {
        let mut rest = header;
        loop {
            rest = rest.trim_start_matches([',', ' ', '\t']);
            let end = rest.find(|it: char| " \t,=\"".contains(it)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if word.is_empty() {
                // A stray `=` or quote: no way to tell what follows.
                break;
            }
            let word = word.to_ascii_lowercase();
            let Some(value) = after.trim_start().strip_prefix('=') else {
                challenges.push(Challenge { scheme: word, parameters: Vec::new() });
                rest = after;
                continue;
            };
            let (value, after) = read_value(value.trim_start());
            if let Some(challenge) = challenges.last_mut() {
                challenge.parameters.push((word, value));
            }
            rest = after;
        }
    }
    challenges
}

/// A word or a quoted string, and what follows it.
fn read_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => return (value, quoted.get(position + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, it)| it)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[&str], expect: &str) {
        let shown: Vec<String> = parse(headers.iter().copied())
            .into_iter()
            .map(|it| {
                let parameters =
                    it.parameters.iter().map(|(name, value)| format!(" {name}={value}"));
                it.scheme + &parameters.collect::<String>()
            })
            .collect();
        assert_eq!(shown.join("\n"), expect);
    }

    #[test]
    fn reads_what_registries_send() {
        check(
            &[
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/debian:pull""#,
            ],
            "bearer realm=https://auth.docker.io/token service=registry.docker.io \
             scope=repository:library/debian:pull",
        );
        check(&[r#"Basic realm="Registry Realm""#], "basic realm=Registry Realm");
        check(&["BASIC"], "basic");
        check(&["Negotiate", "Basic realm=x"], "negotiate\nbasic realm=x");
    }

    #[test]
    fn a_comma_in_quotes_parts_nothing() {
        check(
            &[
                r#"Bearer realm="a,b", scope="repository:x:pull,push" , service = y, Basic realm="q\"q""#,
            ],
            "bearer realm=a,b scope=repository:x:pull,push service=y\nbasic realm=q\"q",
        );
    }

    #[test]
    fn what_makes_no_sense_is_skipped() {
        check(&[], "");
        check(&["", ",,,", "=", "\"", "realm=x"], "");
        check(&[r#"Bearer realm="open"#], "bearer realm=open");
        check(&["Bearer ==\"\\"], "");
        check(&["Bearer é=ü"], "bearer é=ü");
    }
}
