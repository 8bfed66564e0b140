//! PAX extended headers: `LENGTH KEY=VALUE\n` records about the next file.
//! <https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03>

use crate::Problem;

/// The records that matter to reading.
#[derive(Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) sparse: SparsePax,
}

/// What GNU tar says of a sparse file, in its versions 0.0, 0.1 and 1.0.
/// <https://www.gnu.org/software/tar/manual/html_node/PAX-0.html>
#[derive(Default)]
pub(super) struct SparsePax {
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Offset and length by turns.
    pub(super) map: Option<Vec<u64>>,
}

impl Pax {
    /// Reads all records. One that is broken makes the archive corrupt: a size or a path may
    /// hide behind it.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, Problem> {
        let mut pax = Self::default();
        while !bytes.is_empty() {
            let (key, value, rest) = record(bytes).ok_or_else(broken)?;
            bytes = rest;
            pax.set(key, value).ok_or_else(broken)?;
        }
        Ok(pax)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let sparse = &mut self.sparse;
        match key {
            b"path" => name(value, &mut self.path)?,
            b"linkpath" => name(value, &mut self.link)?,
            b"size" => amount(value, &mut self.size)?,
            b"GNU.sparse.name" => name(value, &mut sparse.name)?,
            b"GNU.sparse.major" => amount(value, &mut sparse.major)?,
            b"GNU.sparse.minor" => amount(value, &mut sparse.minor)?,
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => amount(value, &mut sparse.size)?,
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                let map = sparse.map.get_or_insert_default();
                // They come in pairs, the offset first.
                if map.len() % 2 != usize::from(key.ends_with(b"numbytes")) {
                    return None;
                }
                map.push(decimal(value)?);
            }
            b"GNU.sparse.map" => {
                let numbers = value.split(|it| *it == b',').filter(|it| !it.is_empty());
                sparse.map = Some(numbers.map(decimal).collect::<Option<Vec<u64>>>()?);
            }
            _ => {}
        }
        Some(())
    }
}

fn broken() -> Problem {
    Problem::Corrupt("a PAX header in it is broken".to_owned())
}

/// The first record: its key, its value, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = memchr::memchr(b' ', bytes.get(..bytes.len().min(20))?)?;
    let length = usize::try_from(decimal(bytes.get(..space)?)?).ok()?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = memchr::memchr(b'=', record)?;
    let (key, value) = record.split_at(equals);
    (!key.is_empty()).then_some((key, &value[1..], &bytes[length..]))
}

/// An empty value takes back what was said before.
fn name(value: &[u8], slot: &mut Option<Vec<u8>>) -> Option<()> {
    *slot = (!value.is_empty()).then(|| value.to_vec());
    memchr::memchr(0, value).is_none().then_some(())
}

fn amount(value: &[u8], slot: &mut Option<u64>) -> Option<()> {
    *slot = decimal(value);
    (value.is_empty() || slot.is_some()).then_some(())
}

/// Digits that fit a file's size.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })?;
    i64::try_from(value).is_ok().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(records: &[u8], expect: &str) {
        let shown = Pax::parse(records).map_or_else(
            |problem| problem.to_string(),
            |pax| {
                let text = |it: Option<Vec<u8>>| it.map(|it| String::from_utf8(it).unwrap());
                format!("{:?} {:?} {:?}", text(pax.path), text(pax.link), pax.size)
            },
        );
        assert_eq!(shown, expect, "{:?}", String::from_utf8_lossy(records));
    }

    #[test]
    fn records() {
        check(b"", "None None None");
        check(b"12 path=abc\n", r#"Some("abc") None None"#);
        check(b"12 path=abc\n8 path=\n", "None None None");
        check(b"16 linkpath=a=b\n12 size=123\n", r#"None Some("a=b") Some(123)"#);
        check(b"22 SCHILY.xattr.a=b\nc\n", "None None None");
    }

    #[test]
    fn broken_records() {
        let broken = "a PAX header in it is broken";
        check(b"\0\0\0", broken);
        check(b"99 path=abc\n", broken);
        check(b"2 path=abc\n", broken);
        check(b"0 path=abc\n", broken);
        check(b"12 path=abcd", broken);
        check(b"12 path=a\0c\n", broken);
        check(b"6 =ab\n", broken);
        check(b"7 path\n", broken);
        check(b"11 size=-1\n", broken);
        check(b"99999999999999999999999999 path=abc\n", broken);
        check(b"29 size=99999999999999999999\n", broken);
    }
}
