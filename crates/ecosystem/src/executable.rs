//! Executables: where the sections of an ELF, PE or Mach-O file are, told from its headers alone.
//!
//! An image holds thousands of shared objects, of which few say anything about packages. So only
//! the header and the table of sections are read here, by hand: a general reader also reads symbols.

use crate::{Claim, File};

/// How an executable starts: ELF, PE, and Mach-O of either byte order and width.
pub(crate) const CLAIMS: &[Claim] = &[
    Claim::Magic(b"\x7fELF"),
    Claim::Magic(b"MZ"),
    Claim::Magic(b"\xfe\xed\xfa\xce"),
    Claim::Magic(b"\xfe\xed\xfa\xcf"),
    Claim::Magic(b"\xce\xfa\xed\xfe"),
    Claim::Magic(b"\xcf\xfa\xed\xfe"),
    // Several Mach-O files in one. Java classes start alike, but with a larger number in the eighth
    // byte.
    Claim::Magic(b"\xca\xfe\xba\xbe\0\0\0\x01"),
    Claim::Magic(b"\xca\xfe\xba\xbe\0\0\0\x02"),
    Claim::Magic(b"\xca\xfe\xba\xbe\0\0\0\x03"),
];

/// More sections than any linker writes without being asked to; it bounds what a header can cost.
const MOST_SECTIONS: u64 = 65_535;

/// Does `file` start as executables do?
pub(crate) fn starts_like_one(file: &File<'_>) -> bool {
    let mut start = [0; 8];
    file.read_exact_at(0, &mut start).is_ok()
        && CLAIMS.iter().any(|it| matches!(it, Claim::Magic(magic) if start.starts_with(magic)))
}

/// The layout of an executable.
pub(crate) struct Executable {
    /// What kind of file it is.
    pub(crate) format: Format,
    /// Its sections; without any, its segments, which have no names.
    pub(crate) sections: Vec<Section>,
    /// It had a table of sections.
    pub(crate) has_sections: bool,
}

/// The three formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Elf,
    Pe,
    MachO,
}

/// A stretch of the file that has an address when it runs.
#[derive(Clone, Copy)]
pub(crate) struct Section {
    name: [u8; 16],
    /// Where it is when the program runs.
    pub(crate) address: u64,
    /// Where it is in the file.
    pub(crate) offset: u64,
    /// Its bytes in the file.
    pub(crate) size: u64,
    /// It can be written to when the program runs.
    pub(crate) writable: bool,
}

impl Section {
    /// Is it called this? (Names are kept to sixteen bytes.)
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let length = self.name.iter().position(|it| *it == 0).unwrap_or(self.name.len());
        self.name.get(..length) == Some(name.as_bytes())
    }
}

impl Executable {
    /// The layout of `file`, or nothing if its headers make no sense.
    pub(crate) fn read(file: &File<'_>) -> Option<Self> {
        let mut magic = [0; 4];
        file.read_exact_at(0, &mut magic).ok()?;
        match magic {
            [0x7f, b'E', b'L', b'F'] => elf(file),
            [b'M', b'Z', ..] => pe(file),
            [0xca, 0xfe, 0xba, 0xbe] => {
                // A universal binary holds the same program for several processors.
                let header = Fields::read(file, 0, 20, true)?;
                mach_o(file, header.u32(16)?.into())
            }
            _ => mach_o(file, 0),
        }
    }

    /// The section of that name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|it| it.is_called(name))
    }

    /// Fills `buffer` with what is at `address` when the program runs.
    pub(crate) fn read_address(
        &self,
        file: &File<'_>,
        address: u64,
        buffer: &mut [u8],
    ) -> Option<()> {
        let section = self.sections.iter().find(|it| {
            address.checked_sub(it.address).is_some_and(|into| into < it.size) && it.address != 0
        })?;
        let into = address.checked_sub(section.address)?;
        file.read_exact_at(section.offset.checked_add(into)?, buffer).ok()
    }
}

fn elf(file: &File<'_>) -> Option<Executable> {
    let mut ident = [0; 16];
    file.read_exact_at(0, &mut ident).ok()?;
    let wide = ident[4] == 2;
    let big_endian = ident[5] == 2;
    let header = Fields::read(file, 0, if wide { 64 } else { 52 }, big_endian)?;
    let (segments_at, sections_at, tail) = if wide {
        (header.u64(32)?, header.u64(40)?, 52)
    } else {
        (header.u32(28)?.into(), header.u32(32)?.into(), 40)
    };
    let (segment_size, segment_count) = (header.u16(tail + 2)?, header.u16(tail + 4)?);
    let (section_size, section_count) = (header.u16(tail + 6)?, header.u16(tail + 8)?);
    let names_index = header.u16(tail + 10)?;
    let mut executable =
        Executable { format: Format::Elf, sections: Vec::new(), has_sections: section_count > 0 };
    if executable.has_sections {
        let size: usize = if wide { 64 } else { 40 };
        if usize::from(section_size) < size {
            return None;
        }
        let table = Fields::read(
            file,
            sections_at,
            usize::from(section_size) * usize::from(section_count),
            big_endian,
        )?;
        let field = |number: usize, narrow_at: usize, wide_at: usize| {
            let start = number * usize::from(section_size);
            if wide {
                table.u64(start + wide_at)
            } else {
                table.u32(start + narrow_at).map(u64::from)
            }
        };
        let names_at = usize::from(names_index);
        let names_size = field(names_at, 20, 32)?.min(MOST_SECTIONS * 32);
        let names =
            Fields::read(file, field(names_at, 16, 24)?, usize::try_from(names_size).ok()?, true)?;
        for number in 0..usize::from(section_count) {
            let start = number * usize::from(section_size);
            // A section without bytes in the file (`.bss`), and one that fills no memory.
            let kind = table.u32(start + 4)?;
            if kind == 0 || kind == 8 {
                continue;
            }
            let name_at = usize::try_from(table.u32(start)?).ok()?;
            executable.sections.push(Section {
                name: names.name(name_at, 16),
                address: field(number, 12, 16)?,
                offset: field(number, 16, 24)?,
                size: field(number, 20, 32)?,
                writable: field(number, 8, 8)? & 1 != 0,
            });
        }
    } else {
        let size: usize = if wide { 56 } else { 32 };
        if usize::from(segment_size) < size {
            return None;
        }
        let length = usize::from(segment_size) * usize::from(segment_count);
        let table = Fields::read(file, segments_at, length, big_endian)?;
        for number in 0..usize::from(segment_count) {
            let start = number * usize::from(segment_size);
            if table.u32(start)? != 1 {
                continue;
            }
            let wide_or = |wide_at: usize, narrow_at: usize| {
                if wide {
                    table.u64(start + wide_at)
                } else {
                    table.u32(start + narrow_at).map(u64::from)
                }
            };
            executable.sections.push(Section {
                name: [0; 16],
                address: wide_or(16, 8)?,
                offset: wide_or(8, 4)?,
                size: wide_or(32, 16)?,
                writable: table.u32(start + if wide { 4 } else { 24 })? & 2 != 0,
            });
        }
    }
    Some(executable)
}

fn pe(file: &File<'_>) -> Option<Executable> {
    let start = u64::from(Fields::read(file, 0x3c, 4, false)?.u32(0)?);
    let header = Fields::read(file, start, 56, false)?;
    if header.bytes(0, 4)? != b"PE\0\0" {
        return None;
    }
    let count = usize::from(header.u16(6)?);
    let optional = header.u16(20)?;
    // Addresses in the table are relative to where the image is loaded.
    let base = match header.u16(24)? {
        0x20b => header.u64(48)?,
        _ => header.u32(52)?.into(),
    };
    let table_at = start.checked_add(24)?.checked_add(optional.into())?;
    let table = Fields::read(file, table_at, count * 40, false)?;
    let mut sections = Vec::with_capacity(count);
    for number in 0..count {
        let row = number * 40;
        sections.push(Section {
            name: table.name(row, 8),
            address: base.wrapping_add(table.u32(row + 12)?.into()),
            offset: table.u32(row + 20)?.into(),
            // The bytes in the file are padded; the program only sees its own.
            size: table.u32(row + 16)?.min(table.u32(row + 8)?).into(),
            writable: table.u32(row + 36)? & 0x8000_0000 != 0,
        });
    }
    Some(Executable { format: Format::Pe, sections, has_sections: true })
}

fn mach_o(file: &File<'_>, start: u64) -> Option<Executable> {
    let magic = Fields::read(file, start, 4, true)?.u32(0)?;
    let (wide, big_endian) = match magic {
        0xfeed_face => (false, true),
        0xfeed_facf => (true, true),
        0xcefa_edfe => (false, false),
        0xcffa_edfe => (true, false),
        _ => return None,
    };
    let header = Fields::read(file, start, 28, big_endian)?;
    let (count, size) = (header.u32(16)?, header.u32(20)?);
    if u64::from(size) > 16 << 20 {
        return None;
    }
    let commands_at = start.checked_add(if wide { 32 } else { 28 })?;
    let commands = Fields::read(file, commands_at, usize::try_from(size).ok()?, big_endian)?;
    let mut sections = Vec::new();
    let mut at: usize = 0;
    for _ in 0..count {
        let (Some(command), Some(length)) = (commands.u32(at), commands.u32(at + 4)) else { break };
        // LC_SEGMENT_64 and LC_SEGMENT; each holds its own table of sections.
        let (first, row_size) = if wide { (72, 80) } else { (56, 68) };
        if command == if wide { 0x19 } else { 0x1 } {
            let protection = commands.u32(at + if wide { 60 } else { 44 })?;
            let number_of = commands.u32(at + if wide { 64 } else { 48 })?;
            for number in 0..usize::try_from(number_of).ok()? {
                let row = at.checked_add(first + number.checked_mul(row_size)?)?;
                if sections.len() as u64 >= MOST_SECTIONS
                    || commands.u32(row + row_size - 4).is_none()
                {
                    break;
                }
                let (address, size, offset) = if wide {
                    (commands.u64(row + 32)?, commands.u64(row + 40)?, commands.u32(row + 48)?)
                } else {
                    (
                        commands.u32(row + 32)?.into(),
                        commands.u32(row + 36)?.into(),
                        commands.u32(row + 40)?,
                    )
                };
                sections.push(Section {
                    name: commands.name(row, 16),
                    address,
                    offset: start.checked_add(offset.into())?,
                    size,
                    writable: protection & 2 != 0,
                });
            }
        }
        if length < 8 {
            break;
        }
        at = at.checked_add(usize::try_from(length).ok()?)?;
    }
    Some(Executable { format: Format::MachO, sections, has_sections: true })
}

/// Bytes of a header, read as numbers.
struct Fields {
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Fields {
    fn read(file: &File<'_>, offset: u64, length: usize, big_endian: bool) -> Option<Self> {
        if offset.checked_add(length as u64)? > file.size() {
            return None;
        }
        let mut bytes = vec![0; length];
        file.read_exact_at(offset, &mut bytes).ok()?;
        Some(Self { bytes, big_endian })
    }

    fn bytes(&self, at: usize, length: usize) -> Option<&[u8]> {
        self.bytes.get(at..at.checked_add(length)?)
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes(at, 2)?.try_into().ok()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes(at, 4)?.try_into().ok()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u64(&self, at: usize) -> Option<u64> {
        let bytes = self.bytes(at, 8)?.try_into().ok()?;
        Some(if self.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    /// A name of up to `length` bytes that ends at a NUL, cut to sixteen.
    fn name(&self, at: usize, length: usize) -> [u8; 16] {
        let mut name = [0; 16];
        let rest = self.bytes.get(at..).unwrap_or_default();
        for (to, from) in name.iter_mut().zip(rest.iter().take(length).take_while(|it| **it != 0)) {
            *to = *from;
        }
        name
    }
}

#[cfg(test)]
pub(crate) mod building;
