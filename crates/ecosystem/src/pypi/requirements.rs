//! Requirements files: those lines that pin a version.
//! <https://pip.pypa.io/en/stable/reference/requirements-file-format/>

use model::{Found, Gap, Package, PackageKind};

use crate::document;
use crate::listing::{Listing, brief, is_inside_a_package};
use crate::{Beside, File};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    if is_inside_a_package(file.path()) {
        return Found::default();
    }
    document::found(read_pins(file))
}

fn read_pins(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let mut listing = Listing::of(file.path());
    for (name, version) in pins(&text) {
        match super::purl(name, version) {
            Some(purl) => listing.add(Package::new(purl).of_kind(PackageKind::Declared)),
            None => listing.refuse(format!(
                "`{}=={}` is no pinned Python package",
                brief(name),
                brief(version)
            )),
        }
    }
    Ok(listing.finish())
}

/// Name and version of every line that asks for one version and no other.
pub(super) fn pins(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut continues = false;
    text.lines().filter_map(move |line| {
        // What follows a `\` are hashes and other options of the line before.
        let is_start = !continues;
        continues = line.trim_end().ends_with('\\');
        if is_start { pin(line) } else { None }
    })
}

fn pin(line: &str) -> Option<(&str, &str)> {
    let line = line.trim().trim_end_matches('\\').trim_end();
    if line.starts_with(['#', '-']) {
        return None;
    }
    let line = line.split(" #").next().unwrap_or_default();
    let line = line.split(';').next().unwrap_or_default();
    let line = line.split(" --").next().unwrap_or_default();
    let (name, version) = line.split_once("==")?;
    let name = name.split('[').next().unwrap_or_default().trim();
    // `x @ https://example.org/?a==b` is an address; `>=1,==1.2` and `==1.*` are ranges.
    if name.contains(['@', '<', '>', '!', '~', ',', '/']) || version.contains([',', '*', '/']) {
        return None;
    }
    let name = name.strip_suffix('(').unwrap_or(name).trim();
    let version = version.trim_start_matches('=').trim().trim_end_matches(')').trim();
    Some((name, version))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::shown::check;

    const AT: &str = "app/requirements.txt";

    #[test]
    fn pins_and_only_pins() {
        check(
            read,
            AT,
            "# comment\n\
             Flask==2.0.1\n\
             requests[security,socks] == 2.28.0 ; python_version < '3.11'  # why\n\
             ujson===1.0\n\
             a==1.0 \\\n    --hash=sha256:abc \\\n    --hash=sha256:b==c\n\
             b==1.0 --hash=sha256:abc\n\
             c (==1.0)\n\
             d>=1.0\ne\nf~=1.0\ng==1.*\nh>=1,==1.2\n\
             -r other.txt\n-e git+https://example.org/x.git@1==1#egg=x\n--index-url https://example.org\n\
             i @ https://example.org/i.whl?x==1\nhttps://example.org/j.whl\n./k\n\
             Flask==2.0.1\n",
            "pkg:pypi/flask@2.0.1 (declared)\npkg:pypi/requests@2.28.0 (declared)\npkg:pypi/ujson@1.0 (declared)\npkg:pypi/a@1.0 (declared)\n\
             pkg:pypi/b@1.0 (declared)\npkg:pypi/c@1.0 (declared)",
        );
    }

    #[test]
    fn wide_characters() {
        let input: Vec<u8> =
            "\u{FEFF}a==1.0\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(read, AT, input, "pkg:pypi/a@1.0 (declared)");
    }

    #[test]
    fn what_cannot_be_a_package_is_a_gap() {
        check(read, AT, "==1\n", "gap: app/requirements.txt: `==1` is no pinned Python package");
        check(read, AT, "a==\n", "gap: app/requirements.txt: `a==` is no pinned Python package");
        check(
            read,
            AT,
            "{{x}}==1\n",
            "gap: app/requirements.txt: `{{x}}==1` is no pinned Python package",
        );
        check(read, AT, "\0\\\n\\\\\n", "");
    }

    #[test]
    fn a_file_inside_a_package_is_not_ours() {
        check(read, "usr/lib/python3/site-packages/x/requirements.txt", "a==1\n", "");
    }
}
