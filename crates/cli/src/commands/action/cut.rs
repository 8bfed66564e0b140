//! Reports in Markdown, cut to what fits.

/// The HTML that ours consists of and that must be closed.
const OPEN: [&str; 16] = [
    "details",
    "summary",
    "table",
    "tr",
    "td",
    "th",
    "blockquote",
    "ul",
    "li",
    "code",
    "b",
    "i",
    "a",
    "p",
    "h2",
    "h3",
];

/// As GitHub counts letters, or more: a sign beyond the first 65 536 is two of them.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// As many lines of it as fit into `most`, what they open closed; none where it fits as a whole.
pub(super) fn cut(text: &str, most: usize) -> Option<String> {
    if length(text) <= most {
        return None;
    }
    let mut open: Vec<&str> = Vec::new();
    let (mut at, mut used) = (0, 0);
    let (mut best, mut ending) = (0, String::new());
    for line in text.split_inclusive('\n') {
        used += length(line);
        if used > most {
            break;
        }
        at += line.len();
        tags(line, &mut open);
        let closing = open.iter().rev().fold(String::new(), |text, it| text + "</" + it + ">");
        if used + closing.len() < most {
            (best, ending) = (at, closing);
        }
    }
    let mut told = text.get(..best).unwrap_or_default().to_owned();
    if !ending.is_empty() {
        told.push_str(&ending);
        told.push('\n');
    }
    Some(told)
}

/// Which tags are open behind this line.
fn tags<'a>(line: &'a str, open: &mut Vec<&'a str>) {
    let mut rest = line;
    while let Some((_, behind)) = rest.split_once('<') {
        let (is_end, name) = match behind.strip_prefix('/') {
            Some(behind) => (true, behind),
            None => (false, behind),
        };
        let length = name.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(name.len());
        let (name, behind) = name.split_at_checked(length).unwrap_or((name, ""));
        if OPEN.contains(&name) {
            if !is_end {
                open.push(name);
            } else if let Some(at) = open.iter().rposition(|it| *it == name) {
                open.truncate(at);
            }
        }
        rest = behind;
    }
}

/// How many letters each of them may have, so that all fit into `most`: short ones are whole, and the
/// others share what is left.
pub(super) fn shares(lengths: &[usize], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|it| lengths.get(*it).copied());
    let mut shares = vec![0; lengths.len()];
    let mut left = most;
    for (done, place) in order.iter().enumerate() {
        let share = left / (lengths.len() - done);
        let wanted = lengths.get(*place).copied().unwrap_or_default().min(share);
        left -= wanted;
        if let Some(it) = shares.get_mut(*place) {
            *it = wanted;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_closed() {
        let text = "<h2>x</h2>\n\n<details><summary>s</summary>\n<table>\n<tr><td>1</td></tr>\n\
                    <tr><td>2</td></tr>\n</table>\n</details>\n";
        let check = |most: usize, expect: &str| {
            assert_eq!(cut(text, most).as_deref().unwrap_or("whole"), expect, "{most}");
        };
        check(0, "");
        check(11, "");
        check(30, "<h2>x</h2>\n\n");
        check(80, "<h2>x</h2>\n\n<details><summary>s</summary>\n<table>\n</table></details>\n");
        check(1000, "whole");
    }

    #[test]
    fn it_never_is_longer() {
        let line =
            "<details><summary>é🚀 <code>x</code></summary>\n<blockquote>\n<br>\n</blockquote>\n";
        let text = line.repeat(50);
        for most in 0..length(&text) {
            let told = cut(&text, most).unwrap();
            assert!(length(&told) <= most, "{most}: {told}");
            for tag in ["details", "blockquote", "summary", "code"] {
                let (open, closed) = (format!("<{tag}>"), format!("</{tag}>"));
                assert_eq!(told.matches(&open).count(), told.matches(&closed).count(), "{told}");
            }
        }
    }

    #[test]
    fn shared_fairly() {
        assert_eq!(shares(&[10, 90, 20], 60), [10, 30, 20]);
        assert_eq!(shares(&[10, 20], 60), [10, 20]);
        assert_eq!(shares(&[50, 50, 50], 10), [3, 3, 4]);
        assert_eq!(shares(&[], 10), [0; 0]);
    }
}
