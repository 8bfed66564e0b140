//! A tar header: 512 bytes in one of the dialects v7, ustar, star, GNU.
//! <https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06>,
//! <https://www.gnu.org/software/tar/manual/html_node/Standard.html>

use crate::Problem;

/// What archives consist of.
pub(super) const BLOCK: usize = 512;

/// One header block whose checksum holds.
pub(super) struct Header<'a>(&'a [u8; BLOCK]);

/// Which fields a block has beyond v7's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    V7,
    Ustar,
    Star,
    Gnu,
}

impl<'a> Header<'a> {
    pub(super) fn new(block: &'a [u8; BLOCK]) -> Result<Self, Problem> {
        let header = Self(block);
        header.verify()?;
        Ok(header)
    }

    /// The sum is of unsigned bytes; some old writers summed signed ones.
    fn verify(&self) -> Result<(), Problem> {
        let field = &self.0[148..156];
        let stated = number(field).ok_or_else(|| not_tar("a header's checksum is no number"))?;
        let blank = 8 * u32::from(b' ');
        let sum = |bytes: &[u8]| bytes.iter().map(|it| u32::from(*it)).sum::<u32>();
        let unsigned = sum(self.0) - sum(field) + blank;
        if stated == u64::from(unsigned) {
            return Ok(());
        }
        let high = |bytes: &[u8]| bytes.iter().filter(|it| **it >= 0x80).count() as u32;
        let signed = u64::from(unsigned).checked_sub(256 * u64::from(high(self.0) - high(field)));
        if Some(stated) == signed {
            return Ok(());
        }
        Err(not_tar("a header's checksum is wrong"))
    }

    fn dialect(&self) -> Dialect {
        match (&self.0[257..263], &self.0[263..265], &self.0[508..512]) {
            (b"ustar\0", b"00", b"tar\0") => Dialect::Star,
            (b"ustar\0", ..) => Dialect::Ustar,
            (b"ustar ", b" \0", _) => Dialect::Gnu,
            _ => Dialect::V7,
        }
    }

    pub(super) fn kind(&self) -> u8 {
        self.0[156]
    }

    pub(super) fn mode(&self) -> u32 {
        number(&self.0[100..108]).map_or(0, |it| (it & 0o7777) as u32)
    }

    pub(super) fn size(&self) -> Result<u64, Problem> {
        number(&self.0[124..136])
            .filter(|it| i64::try_from(*it).is_ok())
            .ok_or_else(|| not_tar("a header's size is no number"))
    }

    pub(super) fn link(&self) -> &'a [u8] {
        text(&self.0[157..257])
    }

    /// The name, with its prefix in `joined` where there is one.
    pub(super) fn name<'n>(&self, joined: &'n mut Vec<u8>) -> &'n [u8]
    where
        'a: 'n,
    {
        let name = text(&self.0[..100]);
        let prefix = text(match self.dialect() {
            Dialect::Ustar => &self.0[345..500],
            Dialect::Star => &self.0[345..476],
            // Go before 1.8 wrote a prefix where GNU keeps two times:
            // <https://go.dev/issue/12594>. What is no time is one.
            Dialect::Gnu if !self.has_times() => &self.0[345..500],
            _ => &[],
        });
        if prefix.is_empty() {
            return name;
        }
        joined.clear();
        joined.extend_from_slice(prefix);
        joined.push(b'/');
        joined.extend_from_slice(name);
        joined
    }

    fn has_times(&self) -> bool {
        let time = |field: &[u8]| field[0] == 0 || field[0] & 0x80 != 0 || number(field).is_some();
        time(&self.0[345..357]) && time(&self.0[357..369])
    }

    /// The fields of an old GNU sparse header: four map entries, "there is more", the logical size.
    pub(super) fn old_sparse(&self) -> Result<(&'a [u8], bool, u64), Problem> {
        if self.dialect() != Dialect::Gnu {
            return Err(not_tar("a sparse file in an archive that is not GNU's"));
        }
        let size = number(&self.0[483..495]).ok_or_else(|| not_tar("a sparse file has no size"))?;
        Ok((&self.0[386..482], self.0[482] != 0, size))
    }
}

fn not_tar(why: &str) -> Problem {
    Problem::Corrupt(format!("it is no tar archive, or a broken one: {why}"))
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    &field[..end]
}

/// Octal digits between blanks, or base 256 where the first bit is set. `None` for anything else,
/// for negative numbers, and for those beyond 64 bits. A blank field is zero.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        if first & 0x40 != 0 {
            return None;
        }
        return rest.iter().try_fold(u64::from(first & 0x3f), |value, byte| {
            value.checked_mul(256).map(|it| it | u64::from(*byte))
        });
    }
    let blank = |it: &u8| matches!(it, b' ' | 0);
    let start = field.iter().position(|it| !blank(it)).unwrap_or(field.len());
    let mut value: u64 = 0;
    let mut ended = false;
    for &byte in &field[start..] {
        match byte {
            0 => break,
            b' ' => ended = true,
            b'0'..=b'7' if !ended => value = value.checked_mul(8)? | u64::from(byte - b'0'),
            _ => return None,
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |field: &[u8], expect| assert_eq!(number(field), expect, "{field:?}");
        check(b"0000644\0", Some(0o644));
        check(b"   644 \0", Some(0o644));
        check(b"644\0junk", Some(0o644));
        check(b"\0\0\0\0", Some(0));
        check(b"        ", Some(0));
        check(b"777777777777", Some(0o777_777_777_777));
        check(b"\x80\0\0\0\0\0\0\x02\0\0\0\0", Some(0x2_0000_0000));
        check(b"\xff\xff\xff\xff\xff\xff\xff\xff", None);
        check(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff", Some(u64::MAX));
        check(b"\x81\xff\xff\xff\xff\xff\xff\xff\xff", None);
        check(b"-1", None);
        check(b"0x10", None);
        check(b"88", None);
        check(b"12 34", None);
        check(b"", None);
    }
}
