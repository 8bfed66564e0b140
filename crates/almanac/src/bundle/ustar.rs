//! The little of tar that a bundle needs: plain files with short names, and nothing else.

use std::io::{self, Read, Write};

const BLOCK: usize = 512;

/// Appends a file of exactly `size` bytes.
pub(super) fn write(
    out: &mut dyn Write,
    name: &str,
    size: u64,
    bytes: &mut dyn Read,
) -> io::Result<()> {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| {
        let field = header.get_mut(at..at + text.len()).filter(|_| text.len() <= 100);
        field
            .ok_or_else(|| io::Error::other("the name is too long"))?
            .copy_from_slice(text.as_bytes());
        Ok::<(), io::Error>(())
    };
    put(0, name)?;
    put(100, "0000644\0")?;
    put(108, "0000000\0")?;
    put(116, "0000000\0")?;
    put(124, &format!("{size:011o}\0"))?;
    put(136, "00000000000\0")?;
    put(148, "        ")?;
    put(156, "0")?;
    put(257, "ustar\x0000")?;
    let sum = sum_of(&header);
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.write_all(&header)?;
    let copied = io::copy(&mut bytes.take(size), out)?;
    if copied != size {
        return Err(io::Error::other("a sheet is shorter than the manifest says"));
    }
    out.write_all(&[0; BLOCK][..padding(size)])
}

/// Ends the tar.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// Reads such a tar: after `next`, it is the file that was named.
#[derive(Debug)]
pub(super) struct Reader<R> {
    tar: R,
    left: u64,
    padding: usize,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(tar: R) -> Self {
        Self { tar, left: 0, padding: 0 }
    }

    /// The next file's name and size.
    pub(super) fn next(&mut self) -> io::Result<Option<(String, u64)>> {
        io::copy(self, &mut io::sink())?;
        let mut header = [0; BLOCK];
        self.tar.read_exact(&mut header[..self.padding])?;
        self.tar.read_exact(&mut header)?;
        self.padding = 0;
        if header == [0; BLOCK] {
            return Ok(None);
        }
        let sum = number(&header[148..156]);
        if &header[257..262] != b"ustar" || sum != Some(u64::from(sum_of(&header))) {
            return Err(io::Error::other("it is no tar"));
        }
        if header[156] != b'0' {
            return Err(io::Error::other("it holds something that is no file"));
        }
        let name = header[..100].split(|it| *it == 0).next().unwrap_or_default();
        let name = String::from_utf8(name.to_vec()).map_err(io::Error::other)?;
        let size = number(&header[124..136]).ok_or_else(|| io::Error::other("it is no tar"))?;
        self.left = size;
        self.padding = padding(size);
        Ok(Some((name, size)))
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.left).map_or(out.len(), |left| left.min(out.len()));
        if length == 0 {
            return Ok(0);
        }
        let read = self.tar.read(&mut out[..length])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn padding(size: u64) -> usize {
    (size.wrapping_neg() % BLOCK as u64) as usize
}

fn number(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches([' ', '\0']), 8).ok()
}

/// The sum of a header's bytes, that of the sum itself counted as spaces.
fn sum_of(header: &[u8; BLOCK]) -> u32 {
    let blank = 148..156;
    let byte = |(at, it): (usize, &u8)| u32::from(if blank.contains(&at) { b' ' } else { *it });
    header.iter().enumerate().map(byte).sum()
}
