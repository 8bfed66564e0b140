//! conda: components of numbers and words, with an epoch before and a local version behind.

use std::cmp::Ordering;

use super::{BadVersion, Order, encode, padded};

const ID: &str = "conda";

pub(super) struct Conda;

impl Order for Conda {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as conda's `VersionOrder` decides: `dev`, words, numbers, `post`; what is missing is zero"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left_text, right_text) = (normalize(left)?, normalize(right)?);
        let (left, right) = (read(left, &left_text)?, read(right, &right_text)?);
        Ok(compare_components(&left.main, &right.main)
            .then_with(|| compare_components(&left.local, &right.local)))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let text = normalize(version)?;
        let read = read(version, &text)?;
        push_components(&read.main, key);
        push_components(&read.local, key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0.4",
            "0.4.0",
            "0.4.1.rc",
            "0.4.1.RC",
            "0.4.1",
            "0.5a1",
            "0.5b3",
            "0.5C1",
            "0.5",
            "0.960923",
            "1.0",
            "1.1dev1",
            "1.1_",
            "1.1-",
            "1.1a1",
            "1.1.0dev1",
            "1.1.dev1",
            "1.1.a1",
            "1.1.0rc1",
            "1.1.0",
            "1.1.0post1",
            "1.1.post1",
            "1.1post1",
            "1.1+0",
            "1.1+a",
            "1.1+1.0.1",
            "1.0.0.0.1",
            "1.*",
            "1!0.4.1",
            "2!0.4.1",
            "99999999999999999999.1",
        ]
    }
}

#[derive(Clone, Copy)]
enum Piece<'a> {
    Word(&'a str),
    Number(&'a str),
    Post,
}

impl Piece<'_> {
    fn is_zero(self) -> bool {
        matches!(self, Self::Number(digits) if encode::without_zeros(digits).is_empty())
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Word(left), Self::Word(right)) => left.cmp(right),
            (Self::Number(left), Self::Number(right)) => encode::compare_numbers(left, right),
            (left, right) => left.rank().cmp(&right.rank()),
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Word(_) => 0,
            Self::Number(_) => 1,
            Self::Post => 2,
        }
    }
}

/// What is missing is read as this.
const ZERO: Piece<'static> = Piece::Number("");

type Component<'a> = Vec<Piece<'a>>;

struct Version<'a> {
    /// The epoch first.
    main: Vec<Component<'a>>,
    local: Vec<Component<'a>>,
}

/// Lower case; hyphens are underscores unless there are both.
fn normalize(version: &str) -> Result<String, BadVersion> {
    let bad = |why| BadVersion::new(ID, version, why);
    let mut text = version.trim().to_ascii_lowercase();
    if text.is_empty() {
        return Err(bad("it is empty"));
    }
    if text.contains('-') && !text.contains('_') {
        text = text.replace('-', "_");
    }
    let is_allowed = |it: u8| it.is_ascii_alphanumeric() || b"*.+!_".contains(&it);
    if !text.bytes().all(is_allowed) {
        return Err(bad("it has characters conda does not allow, or both hyphens and underscores"));
    }
    Ok(text)
}

fn read<'a>(version: &str, text: &'a str) -> Result<Version<'a>, BadVersion> {
    let bad = |why| BadVersion::new(ID, version, why);
    let (epoch, rest) = text.split_once('!').unwrap_or(("0", text));
    if epoch.is_empty() || !epoch.bytes().all(|it| it.is_ascii_digit()) {
        return Err(bad("its epoch is no number"));
    }
    let (main, local) = rest.split_once('+').map_or((rest, None), |(main, it)| (main, Some(it)));
    if main.is_empty() {
        return Err(bad("there is nothing but an epoch or a local version"));
    }
    if [main, local.unwrap_or_default()].iter().any(|it| it.contains(['!', '+'])) {
        return Err(bad("it has two epochs or two local versions"));
    }
    // An underscore at the end belongs to the last component, as in `1.0.1_` of OpenSSL.
    let body = main.strip_suffix('_').unwrap_or(main);
    let mut components = vec![vec![Piece::Number(epoch)]];
    for component in body.split(['.', '_']) {
        components.push(read_component(component));
    }
    if body.len() < main.len()
        && let Some(last) = components.last_mut()
    {
        append_underscore(last, body, main);
    }
    let local =
        local.map_or_else(Vec::new, |it| it.split(['.', '_']).map(read_component).collect());
    if components.iter().chain(&local).any(Vec::is_empty) {
        return Err(bad("a component is empty"));
    }
    Ok(Version { main: components, local })
}

/// Runs of digits, of stars, and of anything else; a zero stands before a word that leads.
fn read_component(text: &str) -> Component<'_> {
    let mut component = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let piece;
        if first.is_ascii_digit() {
            (piece, rest) = encode::split_digits(rest);
            component.push(Piece::Number(piece));
            continue;
        }
        if component.is_empty() {
            component.push(ZERO);
        }
        (piece, rest) = if first == b'*' {
            encode::split_while(rest, |it| it == b'*')
        } else {
            encode::split_while(rest, |it| !it.is_ascii_digit() && it != b'*')
        };
        component.push(match piece {
            "post" => Piece::Post,
            // Upper case comes between stars and underscores, and before all words.
            "dev" => Piece::Word("DEV"),
            word => Piece::Word(word),
        });
    }
    component
}

/// The underscore joins the word before it, if there is one.
fn append_underscore<'a>(last: &mut Component<'a>, body: &'a str, main: &'a str) {
    let start = body.rfind(|it: char| it.is_ascii_digit() || matches!(it, '*' | '.' | '_'));
    let start = start.map_or(0, |it| it + 1);
    let Some((_, word)) = main.split_at_checked(start) else {
        return;
    };
    if word.len() > 1 {
        last.pop();
    } else if last.is_empty() {
        last.push(ZERO);
    }
    last.push(Piece::Word(word));
}

fn compare_components(left: &[Component<'_>], right: &[Component<'_>]) -> Ordering {
    for index in 0..left.len().max(right.len()) {
        let left = left.get(index).map_or(&[][..], Vec::as_slice);
        let right = right.get(index).map_or(&[][..], Vec::as_slice);
        for index in 0..left.len().max(right.len()) {
            let left = left.get(index).copied().unwrap_or(ZERO);
            let said = left.compare(right.get(index).copied().unwrap_or(ZERO));
            if said.is_ne() {
                return said;
            }
        }
    }
    Ordering::Equal
}

fn push_components(components: &[Component<'_>], key: &mut Vec<u8>) {
    let mut zeros = 0;
    for component in components {
        let Some(first) = component.iter().position(|it| !it.is_zero()) else {
            zeros += 1;
            continue;
        };
        if matches!(component.get(first), Some(Piece::Word(_))) {
            padded::below(zeros, key);
        } else {
            padded::above(zeros, key);
            if first > 0 {
                // It begins with a zero, and so comes before all that begin with a number.
                key.push(padded::LOWEST);
            }
        }
        push_pieces(component, key);
        zeros = 0;
    }
    padded::end(key);
}

fn push_pieces(pieces: &[Piece<'_>], key: &mut Vec<u8>) {
    let mut zeros = 0;
    for piece in pieces {
        match *piece {
            it if it.is_zero() => {
                zeros += 1;
                continue;
            }
            Piece::Word(word) => {
                padded::below(zeros, key);
                encode::text(word, key);
            }
            Piece::Number(digits) => {
                padded::above(zeros, key);
                encode::number(digits, key);
            }
            Piece::Post => {
                padded::above(zeros, key);
                key.push(encode::NUMBER_LAST + 1);
            }
        }
        zeros = 0;
    }
    padded::end(key);
}
