//! `Link` headers: where the next page is.
//!
//! <https://www.rfc-editor.org/rfc/rfc8288>

/// The target of the first link whose relation is `next`.
pub(crate) fn next<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<String> {
    headers.into_iter().find_map(next_in)
}

fn next_in(header: &str) -> Option<String> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let end = end_of_link(after);
        let (parameters, after) = after.split_at_checked(end)?;
        if parameters.split(';').any(is_next) {
            return Some(target.trim().to_owned());
        }
        rest = after;
    }
}

/// Where the next link begins: behind a comma that is not in quotes.
fn end_of_link(text: &str) -> usize {
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let value = value.trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel")
        && value.split_ascii_whitespace().any(|it| it.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expect: &str) {
        assert_eq!(next([header]).as_deref().unwrap_or("none"), expect, "{header}");
    }

    #[test]
    fn what_registries_send() {
        check("</v2/_catalog?last=b&n=2>; rel=\"next\"", "/v2/_catalog?last=b&n=2");
        check("</a?page=1>; rel=\"prev\", </a?page=3>; rel=\"next\"", "/a?page=3");
        check(
            "<https://r.example/a,b>;title=\"x, <y>; rel=next\" ; REL=Next",
            "https://r.example/a,b",
        );
        check("</a>; rel=\"last next\"", "/a");
    }

    #[test]
    fn none_at_all() {
        for header in
            ["", "<", "<>", "</a>", "</a>; rel", "/a; rel=next", "</a>; rel=prev", "</a; rel=next"]
        {
            check(header, "none");
        }
    }
}
