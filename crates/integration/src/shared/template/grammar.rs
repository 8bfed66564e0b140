//! What a template may be made of: values, filters, `if` and `for`. What could make much of little
//! (sums, repetitions, lists of lists, variables of its own) is left out, so that what it costs can
//! be told from its length.

/// Words that a block may begin with.
const BLOCKS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];
/// What the engine knows besides, and nobody needs who says something.
const WORDS: &[&str] = &["recursive", "set", "include", "import", "macro"];
/// Words and signs of one block, and branches of a template. The engine reads, and drops, what is in a
/// chain one within the other, and a long one would be deeper than a thread's stack.
const LONGEST: usize = 100;
/// Words that are no values, so that what is open after one is no argument.
const OPERATORS: &[&str] = &["and", "elif", "else", "for", "if", "in", "is", "not", "or"];

/// Why it is no template, if it is none.
pub(super) fn check(source: &str) -> Result<(), String> {
    let mut rest = source;
    let mut branches = 0;
    while let Some(at) = rest.find('{') {
        rest = rest.get(at + 1..).unwrap_or_default();
        let line = || source.len() - rest.len();
        let line = source.get(..line()).unwrap_or_default().matches('\n').count() + 1;
        let at_line = |why: String| format!("line {line}: {why}");
        rest = match rest.bytes().next() {
            Some(b'#') => {
                let end = rest.find("#}").ok_or_else(|| at_line("a comment has no end".into()))?;
                rest.get(end + 2..).unwrap_or_default()
            }
            Some(b'{') => inside(rest.get(1..).unwrap_or_default(), "}}").map_err(at_line)?,
            Some(b'%') => {
                let body = rest.get(1..).unwrap_or_default();
                let word = body.trim_start_matches(['-', '+']).trim_start();
                let end = word.find(|it: char| !is_word(it)).unwrap_or(word.len());
                let word = word.get(..end).unwrap_or_default();
                if !BLOCKS.contains(&word) {
                    let shown = super::super::said::shown(word);
                    return Err(at_line(format!("`{shown}` is none of {}", BLOCKS.join(", "))));
                }
                branches += usize::from(word == "elif");
                if branches > LONGEST {
                    return Err(at_line("there are too many branches".to_owned()));
                }
                inside(body, "%}").map_err(at_line)?
            }
            _ => rest,
        };
    }
    Ok(())
}

fn is_word(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_'
}

/// What comes after the end of a block whose beginning is left behind.
fn inside<'a>(body: &'a str, end: &str) -> Result<&'a str, String> {
    let unended = || "a block has no end".to_owned();
    let mut rest = body.strip_prefix(['-', '+']).unwrap_or(body);
    // Is what is open the arguments of something?
    let mut open: Vec<bool> = Vec::new();
    let mut after_value = false;
    for _ in 0..LONGEST {
        let bare = rest.trim_start();
        let close = bare.strip_prefix(['-', '+']).unwrap_or(bare);
        if let Some(after) = close.strip_prefix(end) {
            return Ok(after);
        }
        let first = bare.chars().next().ok_or_else(unended)?;
        let mut length = first.len_utf8();
        let mut is_value = false;
        match first {
            _ if is_word(first) => {
                length = bare.find(|it: char| !is_word(it)).unwrap_or(bare.len());
                let word = bare.get(..length).unwrap_or_default();
                if WORDS.contains(&word) {
                    return Err(format!("`{word}` has no place in a template of ours"));
                }
                is_value = !OPERATORS.contains(&word);
            }
            '"' | '\'' => length = string(bare, first).ok_or_else(unended)?,
            '(' => {
                if open.len() > 10 {
                    return Err("too many parentheses".to_owned());
                }
                open.push(after_value);
            }
            ')' => {
                open.pop();
                is_value = true;
            }
            ',' if open.last() == Some(&true) => {}
            '[' if after_value => {}
            ']' => is_value = true,
            '.' | '|' => {}
            '=' | '!' | '<' | '>' => {
                let two = bare.get(..2).is_some_and(|it| it.ends_with('='));
                let is_argument = first == '=' && open.last() == Some(&true);
                if first == '!' && !two || first == '=' && !two && !is_argument {
                    return Err(format!("`{first}` has no place in a template of ours"));
                }
                length = if two { 2 } else { 1 };
            }
            _ => {
                let shown = super::super::said::shown(&first.to_string());
                return Err(format!("`{shown}` has no place in a template of ours"));
            }
        }
        after_value = is_value;
        rest = bare.get(length..).unwrap_or_default();
    }
    Err("a block is too long".to_owned())
}

/// Bytes of the text in quotes that stands first.
fn string(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, it) in text.char_indices().skip(1) {
        match it {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if it == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}
