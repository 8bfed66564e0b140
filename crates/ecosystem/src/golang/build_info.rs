//! What the Go linker writes into a program: the toolchain's version and the list of modules.
//!
//! Its format is told in the source of Go's own `debug/buildinfo` package.

use crate::File;
use crate::executable::{Executable, Format, Section};

const MAGIC: &[u8] = b"\xff Go buildinf:";
const LARGEST_VERSION: u64 = 4 << 10;
const LARGEST_LIST: u64 = 16 << 20;

/// The two texts.
pub(super) struct BuildInfo {
    /// `go1.22.3`.
    pub(super) toolchain: String,
    /// Lines of `path`, `mod`, `dep`, `=>` and `build`; empty without modules.
    pub(super) modules: String,
}

/// Why there is none.
pub(super) enum Missing {
    /// It is no Go program.
    NotGo,
    /// It is one, but cannot be understood.
    Unreadable(&'static str),
}

/// The build information of `file`.
pub(super) fn read(file: &File<'_>, executable: &Executable) -> Result<BuildInfo, Missing> {
    let Some(at) = find(file, executable) else {
        let go = |name: &str| executable.section(name).is_some();
        let is_go = go(".go.buildinfo") || go(".gopclntab") || go("__gopclntab");
        return Err(if is_go {
            Missing::Unreadable("a Go program without build information")
        } else {
            Missing::NotGo
        });
    };
    parse(file, executable, at).ok_or(Missing::Unreadable("its Go build information is broken"))
}

/// Where the record starts.
fn find(file: &File<'_>, executable: &Executable) -> Option<u64> {
    let sections = executable.sections.iter();
    match executable.format {
        Format::Elf if executable.has_sections => {
            search(file, executable.section(".go.buildinfo")?)
        }
        Format::MachO => search(file, executable.section("__go_buildinfo")?),
        // Without names the record is somewhere in the data.
        Format::Elf => sections.filter(|it| it.writable).find_map(|it| search(file, it)),
        Format::Pe => sections
            .filter(|it| it.writable && (it.is_called(".data") || it.is_called(".go.buildinfo")))
            .find_map(|it| search(file, it)),
    }
}

/// Looks for the record, which starts at a multiple of sixteen, in pieces that cost little memory.
fn search(file: &File<'_>, section: &Section) -> Option<u64> {
    const PIECE: u64 = 64 << 10;
    let end = section.offset.checked_add(section.size)?.min(file.size());
    let mut start = section.offset;
    let mut piece = Vec::new();
    while start < end {
        let overlap = (MAGIC.len() as u64).min(start - section.offset);
        let from = start - overlap;
        let length = usize::try_from((end - from).min(PIECE)).ok()?;
        piece.resize(length, 0);
        file.read_exact_at(from, &mut piece).ok()?;
        for at in memchr::memmem::find_iter(&piece, MAGIC) {
            let at = from.checked_add(at as u64)?;
            if (at - section.offset).is_multiple_of(16) {
                return Some(at);
            }
        }
        let next = from.checked_add(length as u64)?;
        if next <= start {
            break;
        }
        start = next;
    }
    None
}

fn parse(file: &File<'_>, executable: &Executable, at: u64) -> Option<BuildInfo> {
    let mut header = [0; 32];
    file.read_exact_at(at, &mut header).ok()?;
    let pointer_size = header[14];
    let flags = header[15];
    let (toolchain, modules) = if flags & 2 != 0 {
        let (toolchain, next) = inline(file, at.checked_add(32)?, LARGEST_VERSION)?;
        let (modules, _) = inline(file, next, LARGEST_LIST)?;
        (toolchain, modules)
    } else {
        let big_endian = flags & 1 != 0;
        let pointer = |bytes: &[u8]| number(bytes, pointer_size, big_endian);
        let size = usize::from(pointer_size);
        let follow = |address: u64, largest: u64| -> Option<Vec<u8>> {
            // A Go string is an address and a length.
            let mut string = [0; 16];
            executable.read_address(file, address, string.get_mut(..size.checked_mul(2)?)?)?;
            let (start, length) = (pointer(&string)?, pointer(string.get(size..)?)?);
            if length > largest.min(file.size()) {
                return None;
            }
            let mut bytes = vec![0; usize::try_from(length).ok()?];
            if length > 0 {
                executable.read_address(file, start, &mut bytes)?;
            }
            Some(bytes)
        };
        let toolchain = follow(pointer(header.get(16..)?)?, LARGEST_VERSION)?;
        let modules = match pointer(header.get(16_usize.checked_add(size)?..)?)? {
            0 => Vec::new(),
            address => follow(address, LARGEST_LIST)?,
        };
        (toolchain, modules)
    };
    // Sixteen bytes of marker stand at either end of the list.
    let modules = match modules.len().checked_sub(16) {
        Some(end) if end > 16 && modules.get(end - 1) == Some(&b'\n') => modules.get(16..end)?,
        _ => &[],
    };
    let toolchain = String::from_utf8(toolchain).ok()?;
    if !toolchain.starts_with(['g', 'd']) || toolchain.chars().any(char::is_control) {
        return None;
    }
    Some(BuildInfo { toolchain, modules: String::from_utf8(modules.to_vec()).ok()? })
}

fn number(bytes: &[u8], size: u8, big_endian: bool) -> Option<u64> {
    match size {
        4 => {
            let bytes = bytes.first_chunk::<4>()?;
            let number =
                if big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) };
            Some(number.into())
        }
        8 => {
            let bytes = bytes.first_chunk::<8>()?;
            Some(if big_endian { u64::from_be_bytes(*bytes) } else { u64::from_le_bytes(*bytes) })
        }
        _ => None,
    }
}

/// A length, seven bits in each byte, and that many bytes; then where they end.
fn inline(file: &File<'_>, at: u64, largest: u64) -> Option<(Vec<u8>, u64)> {
    let mut length: u64 = 0;
    let mut at = at;
    for shift in (0..63).step_by(7) {
        let mut byte = [0];
        file.read_exact_at(at, &mut byte).ok()?;
        at = at.checked_add(1)?;
        length |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            let end = at.checked_add(length)?;
            if length > largest || end > file.size() {
                return None;
            }
            let mut bytes = vec![0; usize::try_from(length).ok()?];
            file.read_exact_at(at, &mut bytes).ok()?;
            return Some((bytes, end));
        }
    }
    None
}
