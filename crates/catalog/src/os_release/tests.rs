//! Tests of os-release in its oddities.

use ecosystem::Nothing;

use super::*;

fn check(path: &str, text: impl AsRef<[u8]>, expect: &str) {
    let found = read(&File::in_memory(path, 0o644, text.as_ref()), &Nothing);
    let shown = match found.distro {
        Some(distro) => {
            let Distro { codename, name, like, variant, .. } = &distro;
            let codename = codename.as_deref().unwrap_or("-");
            let name = name.as_deref().unwrap_or("-");
            let variant = variant.as_deref().unwrap_or("-");
            format!("{} {codename} `{name}` {variant} {}", distro.qualifier(), like.join(","))
        }
        None => format!("gap: {}", found.gaps[0].why),
    };
    assert_eq!(shown, expect);
}

#[test]
fn os_release() {
    let check = |text: &str, expect: &str| check("etc/os-release", text, expect);
    check(
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n",
        "debian-12 bookworm `Debian GNU/Linux 12 (bookworm)` - ",
    );
    check(
        "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\n",
        "alpine-3.20.3 - `Alpine Linux` - ",
    );
    check(
        "ID=\"rhel\"\nID_LIKE=\"fedora centos\"\nVERSION_ID='9.4'\nVARIANT_ID=bci\n",
        "rhel-9.4 - `-` bci fedora,centos",
    );
    check("ID=arch\nBUILD_ID=rolling\n", "arch - `-` - ");
    check(
        "PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nVERSION_CODENAME=trixie\nID=debian\n",
        "debian trixie `Debian GNU/Linux trixie/sid` - ",
    );
}

#[test]
fn oddities() {
    let check = |text: &[u8], expect: &str| check("etc/os-release", text, expect);
    check(b"ID=debian\r\nVERSION_ID=\"12\"\r\n", "debian-12 - `-` - ");
    check(b"\xef\xbb\xbfID=debian\n", "debian - `-` - ");
    check(b"# ID=no\n  ID=Debian # comment\nID_LIKE=\n", "debian - `-` - ");
    check(b"export ID=debian", "debian - `-` - ");
    check(b"ID=a\nID=b\n", "b - `-` - ");
    check(b"ID=a\nNAME=\"x \\\"y\\\" \\$z \\q\"\n", "a - `x \"y\" $z \\q` - ");
    check(b"ID=a\0b\nNAME='\xff'\n", "ab - `\u{fffd}` - ");
    check(b"ID=\"unclosed\n", "unclosed - `-` - ");
    let missing = "gap: it has no ID, so the distribution cannot be told from it";
    check(b"", missing);
    check(b"ID=\n", missing);
    check(b"<html>", missing);
    let endless = format!("ID=debian\nVERSION_ID={}\n", "1".repeat(257));
    check(endless.as_bytes(), "gap: a value in it is longer than 256 bytes");
    check(&vec![b'#'; 70_000], "gap: larger than 65536 bytes");
}

#[test]
fn older_files() {
    check("etc/alpine-release", "3.20.3\n", "alpine-3.20.3 - `Alpine Linux 3.20.3` - ");
    check("etc/debian_version", "12.5\n", "debian-12 - `Debian GNU/Linux 12.5` - ");
    check("etc/debian_version", "trixie/sid\n", "debian trixie `Debian GNU/Linux trixie/sid` - ");
    check(
        "etc/centos-release",
        "CentOS release 6.10 (Final)\n",
        "centos-6.10 Final `CentOS release 6.10 (Final)` - ",
    );
    check(
        "etc/redhat-release",
        "Red Hat Enterprise Linux Server release 7.9 (Maipo)\n",
        "rhel-7.9 Maipo `Red Hat Enterprise Linux Server release 7.9 (Maipo)` - ",
    );
    check("etc/redhat-release", "Something\n", "gap: it names no distribution");
    check(
        "etc/lsb-release",
        "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\nDISTRIB_DESCRIPTION=\"Ubuntu 22.04.4 LTS\"\n",
        "ubuntu-22.04 jammy `Ubuntu 22.04.4 LTS` - ",
    );
}
