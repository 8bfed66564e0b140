//! The smallest ELF files that have the sections a test wants.

/// A 64-bit little-endian ELF file whose sections hold these bytes, at the address 0x1000 and on.
pub(crate) fn elf(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut names = vec![0];
    let mut bodies = Vec::new();
    let mut rows = vec![0; 64];
    let mut row = |name: u32, kind: u32, flags: u64, offset: usize, size: usize| {
        rows.extend(name.to_le_bytes());
        rows.extend(kind.to_le_bytes());
        rows.extend(flags.to_le_bytes());
        rows.extend((0x1000 + offset as u64).to_le_bytes());
        rows.extend((offset as u64).to_le_bytes());
        rows.extend((size as u64).to_le_bytes());
        rows.extend([0; 24]);
    };
    for (name, bytes) in sections {
        row(names.len() as u32, 1, 3, 64 + bodies.len(), bytes.len());
        names.extend(name.as_bytes());
        names.push(0);
        bodies.extend(*bytes);
        bodies.resize(bodies.len().next_multiple_of(16), 0);
    }
    let name = names.len() as u32;
    names.extend(b".shstrtab\0");
    row(name, 3, 0, 64 + bodies.len(), names.len());
    bodies.extend(&names);
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    file.extend([0; 16]);
    file.extend((64 + bodies.len() as u64).to_le_bytes());
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 0, 0, 64, 0]);
    file.extend((sections.len() as u16 + 2).to_le_bytes());
    file.extend((sections.len() as u16 + 1).to_le_bytes());
    file.extend(bodies);
    file.extend(rows);
    file
}

/// A 32-bit big-endian ELF file without sections: one writable segment at 0x1000.
pub(crate) fn elf_without_sections(data: &[u8]) -> Vec<u8> {
    let mut file = b"\x7fELF\x01\x02\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([0, 2, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0]);
    file.extend(52_u32.to_be_bytes());
    file.extend([0; 8]);
    file.extend([0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0]);
    for field in [1, 96, 0x1000, 0x1000, data.len() as u32, data.len() as u32, 6, 16_u32] {
        file.extend(field.to_be_bytes());
    }
    file.resize(96, 0);
    file.extend(data);
    file
}

/// A 64-bit PE file with one writable section.
pub(crate) fn pe(name: &str, data: &[u8]) -> Vec<u8> {
    let mut file = b"MZ".to_vec();
    file.resize(0x3c, 0);
    file.extend(0x40_u32.to_le_bytes());
    file.extend(b"PE\0\0\x64\x86\x01\0");
    file.extend([0; 12]);
    file.extend([64, 0, 0, 0]);
    let optional = file.len();
    file.extend([0x0b, 0x02]);
    file.resize(optional + 24, 0);
    file.extend(0x0040_0000_u64.to_le_bytes());
    file.resize(optional + 64, 0);
    let mut row = name.as_bytes().to_vec();
    row.resize(8, 0);
    let start = file.len() + 40;
    for field in [data.len() as u32, 0x1000, data.len() as u32, start as u32, 0, 0, 0, 0xc000_0040]
    {
        row.extend(field.to_le_bytes());
    }
    file.extend(row);
    file.extend(data);
    file
}

/// A 64-bit Mach-O file with one section.
pub(crate) fn mach_o(name: &str, data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for field in [0xfeed_facf_u32, 0x0100_000c, 0, 2, 1, 152, 0, 0] {
        file.extend(field.to_le_bytes());
    }
    file.extend(0x19_u32.to_le_bytes());
    file.extend(152_u32.to_le_bytes());
    file.extend(b"__DATA\0\0\0\0\0\0\0\0\0\0");
    file.extend([0; 32]);
    for field in [3, 3, 1, 0_u32] {
        file.extend(field.to_le_bytes());
    }
    let mut section = name.as_bytes().to_vec();
    section.resize(16, 0);
    section.extend(b"__DATA\0\0\0\0\0\0\0\0\0\0");
    section.extend(0x1000_u64.to_le_bytes());
    section.extend((data.len() as u64).to_le_bytes());
    section.extend((32_u32 + 152).to_le_bytes());
    section.resize(80, 0);
    file.extend(section);
    file.extend(data);
    file
}
