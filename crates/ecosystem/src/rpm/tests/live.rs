//! Databases made by rpm itself, on machines that have it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::sqlite;
use crate::File;
use crate::shown::{facts_of, read};

const SPEC: &str = "Name: alive
Version: 1.2~rc3
Release: 4%{?dist}
Epoch: 5
Summary: It lives
License: GPLv2+ and MIT
Vendor: Somebody
%description
Nothing.
%package libs
Summary: Libraries
Version: 9
%description libs
Nothing.
%package docs
Summary: Nothing at all
%description docs
Nothing.
%install
mkdir -p %{buildroot}/opt/alive
for n in 1 2 3 4 5 6 7 8 9; do
  for m in 1 2 3 4 5 6 7 8 9; do echo > %{buildroot}/opt/alive/a-file-with-a-name-$n-$m; done
done
echo > %{buildroot}/opt/alive/bin
%files
/opt/alive/bin
%files libs
/opt/alive/a-*
%files docs
";

fn run(command: &mut Command, input: &[u8]) -> Option<String> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    child.stdin.take().expect("it is piped").write_all(input).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn rpm(tool: &str, folder: &Path, arguments: &[&str]) -> Option<String> {
    let define = |name: &str, folder: &Path| format!("{name} {}", folder.display());
    run(
        Command::new(tool)
            .current_dir(folder)
            .env("HOME", folder)
            .args(["--define", &define("_topdir", folder)])
            .args(["--define", &define("_rpmdir", folder)])
            .args(["--define", "_rpmfilename %%{NAME}.rpm"])
            .args(["--define", "_db_backend sqlite"])
            .args(["--define", &define("_dbpath", &folder.join("db"))])
            .args(arguments),
        b"",
    )
}

#[test]
fn we_read_what_rpm_writes() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path();
    fs_err::write(folder.join("alive.spec"), SPEC).expect("it can be written");
    if rpm("rpmbuild", folder, &["-bb", "--quiet", "--target", "noarch", "alive.spec"]).is_none() {
        println!("left out: rpmbuild is not installed");
        return;
    }
    rpm("rpm", folder, &["--initdb"]).expect("it comes with rpmbuild");
    let packages = ["alive.rpm", "alive-libs.rpm", "alive-docs.rpm"];
    let install = ["-i", "--justdb", "--nodeps", "--noscripts", "--force-debian"];
    let is_debian = rpm("rpm", folder, &["--eval", "%{_host_vendor}"]).is_some()
        && run(Command::new("rpm").args(["--help"]), b"").is_some_and(|it| it.contains("debian"));
    let install = if is_debian { &install[..] } else { &install[..4] };
    rpm("rpm", folder, &[install, &packages].concat()).expect("it is there");

    let format = "%{NAME} %{VERSION}-%{RELEASE} %{EPOCH} %{ARCH} %{SOURCERPM} %{LICENSE}\n";
    let mut theirs: Vec<String> = rpm("rpm", folder, &["-qa", "--qf", format])
        .expect("it is there")
        .lines()
        .map(str::to_owned)
        .collect();
    theirs.sort();
    let bytes = fs_err::read(folder.join("db/rpmdb.sqlite")).expect("rpm wrote it");
    let found = read("rpm-database", "var/lib/rpm/rpmdb.sqlite", &bytes, &crate::Nothing);
    assert_eq!(found.gaps, []);
    let mut ours: Vec<String> = found
        .packages
        .iter()
        .map(|it| {
            let fact = |key| it.purl.qualifier(key).unwrap_or("(none)");
            let version = it.purl.version().expect("rpm demands one");
            assert_eq!(it.licenses, ["GPL-2.0-or-later AND MIT"]);
            let rest = format!("{} {} {}", fact("epoch"), fact("arch"), fact("upstream"));
            format!("{} {version} {rest} GPLv2+ and MIT", it.purl.name())
        })
        .collect();
    ours.sort();
    assert_eq!(ours, theirs);

    for order in ["1234", "4321"] {
        let Some(bytes) = hash_file(folder, &bytes, order) else {
            println!("left out: db5.3_load is not installed");
            return;
        };
        assert_eq!(
            super::sorted(&facts_of("rpm-database", "var/lib/rpm/Packages", bytes)),
            super::sorted(&crate::shown::facts(&found)),
            "byte order {order}"
        );
    }
}

/// The same headers in a hash file of BerkeleyDB.
fn hash_file(folder: &Path, database: &[u8], order: &str) -> Option<Vec<u8>> {
    use std::fmt::Write;
    let path = folder.join(order);
    let mut text = format!(
        "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=1024\ndb_lorder={order}\nHEADER=END\n \
         00000000\n 00000003\n"
    );
    let mut number = 0;
    sqlite::read(&File::in_memory("x", 0, database), None, &mut |blob| {
        number += 1;
        let hex = blob.expect("rpm wrote it").iter().fold(String::new(), |mut hex, it| {
            write!(hex, "{it:02x}").expect("a string takes everything");
            hex
        });
        write!(text, " {number:08x}\n {hex}\n").expect("a string takes everything");
    })
    .expect("rpm wrote it");
    text += "DATA=END\n";
    run(Command::new("db5.3_load").arg(&path), text.as_bytes())?;
    Some(fs_err::read(&path).expect("it was written"))
}
