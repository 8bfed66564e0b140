//! Tests of Go's build information and go.mod.

use std::process::Command;

use super::Golang;
use crate::executable::building::{elf, elf_without_sections, mach_o, pe};
use crate::shown::{Read, check, shown};
use crate::{Ecosystem as _, File, Nothing};

fn binary() -> Read {
    Golang.catalogers()[0].read
}

fn manifest() -> Read {
    Golang.catalogers()[1].read
}

/// Build information as Go 1.18 and later write it.
fn inline(toolchain: &str, modules: &str) -> Vec<u8> {
    let mut blob = b"\xff Go buildinf:\x08\x02".to_vec();
    blob.resize(32, 0);
    for text in [toolchain.as_bytes(), &framed(modules)] {
        let mut length = text.len();
        while length >= 0x80 {
            blob.push(length as u8 | 0x80);
            length >>= 7;
        }
        blob.push(length as u8);
        blob.extend(text);
    }
    blob
}

fn framed(modules: &str) -> Vec<u8> {
    [&[7; 16], modules.as_bytes(), &[9; 16]].concat()
}

const MODULES: &str = "\
path\texample.com/Acme/hello/cmd
mod\texample.com/Acme/hello\tv1.4.2\th1:x=
dep\tgithub.com/spf13/cobra/v2\tv2.0.1\th1:x=
dep\tgithub.com/old/name\tv1.0.0
=>\tgithub.com/new/Name\tv1.0.1\th1:x=
dep\tgithub.com/local/one\tv1.0.0
=>\t../one\t(devel)\t
build\tGOOS=linux
";

const PACKAGES: &str = "
    pkg:golang/example.com/Acme/hello@v1.4.2
    pkg:golang/github.com/spf13/cobra/v2@v2.0.1
    pkg:golang/github.com/new/Name@v1.0.1
    pkg:golang/github.com/local/one
    pkg:golang/stdlib@1.22.3";

#[test]
fn reads_programs_of_every_format() {
    let blob = inline("go1.22.3", MODULES);
    check(binary(), "app", elf(&[(".text", b"code"), (".go.buildinfo", &blob)]), PACKAGES);
    check(binary(), "app", elf_without_sections(&blob), PACKAGES);
    check(binary(), "app.exe", pe(".data", &blob), PACKAGES);
    check(binary(), "app", mach_o("__go_buildinfo", &blob), PACKAGES);
}

#[test]
fn finds_the_record_behind_other_data() {
    for before in [16, 65_520, 65_536, 200_000] {
        let data = [vec![1; before], inline("go1.22.3", MODULES)].concat();
        check(binary(), "app.exe", pe(".data", &data), PACKAGES);
    }
}

#[test]
fn reads_one_of_several_processors() {
    let inner = mach_o("__go_buildinfo", &inline("go1.22.3", MODULES));
    let mut fat = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1];
    for field in [0x0100_000c_u32, 0, 64, inner.len() as u32, 0] {
        fat.extend(field.to_be_bytes());
    }
    fat.resize(64, 0);
    fat.extend(inner);
    check(binary(), "app", fat, PACKAGES);
}

#[test]
fn follows_the_pointers_of_older_toolchains() {
    let modules = framed(MODULES);
    let mut data = b"\xff Go buildinf:\x04\x01".to_vec();
    for field in [0x1020, 0x1028, 0, 0, 0x1030, 8, 0x1040, modules.len() as u32] {
        data.extend(field.to_be_bytes());
    }
    data.extend(b"go1.17.2");
    data.resize(64, 0);
    data.extend(modules);
    check(binary(), "app", elf_without_sections(&data), &PACKAGES.replace("1.22.3", "1.17.2"));
}

#[test]
fn a_main_module_without_a_version_gets_one_where_it_can() {
    let main = |settings: &str| {
        let modules = format!("mod\texample.com/a\t(devel)\t\n{settings}");
        let file = elf(&[(".go.buildinfo", &inline("go1.22.3", &modules))]);
        let found = binary()(&File::in_memory("a", 0o755, &file), &Nothing);
        found.packages[0].purl.to_string()
    };
    assert_eq!(main(""), "pkg:golang/example.com/a");
    assert_eq!(
        main("build\t-ldflags=\"-s -w -X main.version=1.4.2 -X main.commit=abc\"\n"),
        "pkg:golang/example.com/a@v1.4.2"
    );
    assert_eq!(
        main(
            "build\t-ldflags=\"-X 'k8s.io/version.gitVersion=v9.9.9' -X 'example.com/a/cmd.Version=v1.5.0-rc1'\"\n"
        ),
        "pkg:golang/example.com/a@v1.5.0-rc1"
    );
    assert_eq!(main("build\t-ldflags=\"-X main.goversion=1.22.1\"\n"), "pkg:golang/example.com/a");
    assert_eq!(
        main("build\tvcs.revision=0123456789abcdef0123\nbuild\tvcs.time=2024-05-06T07:08:09Z\n"),
        "pkg:golang/example.com/a@v0.0.0-20240506070809-0123456789ab"
    );
    assert_eq!(main("build\tvcs.revision=01\nbuild\tvcs.time=x\n"), "pkg:golang/example.com/a");
}

#[test]
fn programs_without_modules_still_hold_the_standard_library() {
    let file = |toolchain: &str| elf(&[(".go.buildinfo", &inline(toolchain, ""))]);
    check(binary(), "a", file("go1.21.0 X:boringcrypto"), "pkg:golang/stdlib@1.21.0");
    check(
        binary(),
        "a",
        file("devel go1.23-abc"),
        "gap: a: was built by `devel go1.23-abc`, which is no release of Go",
    );
}

#[test]
fn tells_of_programs_it_cannot_read() {
    let broken = "gap: a: its Go build information is broken";
    check(binary(), "a", elf(&[(".go.buildinfo", b"\xff Go buildinf:\x08\x02")]), broken);
    check(
        binary(),
        "a",
        elf(&[(".go.buildinfo", b"\xff Go buildinf:\x07\0aaaaaaaaaaaaaaaaa")]),
        broken,
    );
    let long = [b"\xff Go buildinf:\x08\x02".as_slice(), &[0; 16], &[0xff; 40]].concat();
    check(binary(), "a", elf(&[(".go.buildinfo", &long)]), broken);
    let none = "gap: a: a Go program without build information";
    check(binary(), "a", elf(&[(".gopclntab", b"x")]), none);
    let packed = elf_without_sections(b"UPX!");
    let why = "gap: a: a program packed by UPX, so its build information is hidden";
    check(binary(), "a", packed, why);
}

#[test]
fn other_executables_say_nothing() {
    check(binary(), "libc.so", elf(&[(".text", b"code")]), "");
    check(binary(), "a.dll", pe(".text", b"code"), "");
    for start in ["\x7fELF", "\x7fELF\x02\x01", "MZ", "MZ\0\0\0\0\0\0"] {
        check(binary(), "a", start, "");
    }
}

#[test]
fn cut_files_do_no_harm() {
    let blob = inline("go1.22.3", MODULES);
    for whole in
        [elf(&[(".go.buildinfo", &blob)]), pe(".data", &blob), mach_o("__go_buildinfo", &blob)]
    {
        for end in 0..whole.len() {
            let file = File::in_memory("a", 0o755, &whole[..end]);
            shown(&binary()(&file, &Nothing));
        }
    }
}

#[test]
fn reads_manifests() {
    check(
        manifest(),
        "go.mod",
        "module example.com/a // here\n\ngo 1.22\ntoolchain go1.22.3\n\nrequire github.com/one/two v1.0.0\n\
         require (\n\tgithub.com/spf13/cobra v1.8.0\n\t\"gopkg.in/yaml.v3\" v3.0.1 // indirect\n\
         \tgithub.com/b/c v1.0.0\n\tgithub.com/d/e v1.1.0\n\tgithub.com/bad/one v0.1.0\n)\n\
         replace github.com/b/c => ../c\nreplace (\n\tgithub.com/d/e v1.1.0 => github.com/f/g v1.1.1\n\
         \tgithub.com/one/two v0.9.0 => github.com/no/no v0.0.1\n)\nexclude github.com/bad/one v0.1.0\n\
         retract v1.0.0 // oops\n",
        "pkg:golang/github.com/one/two@v1.0.0 (declared)
         pkg:golang/github.com/spf13/cobra@v1.8.0 (declared)
         pkg:golang/gopkg.in/yaml.v3@v3.0.1 (declared)
         pkg:golang/github.com/b/c (declared)
         pkg:golang/github.com/f/g@v1.1.1 (declared)",
    );
    check(
        manifest(),
        "go.mod",
        "module a\nrequire b\nreplace c\n",
        "gap: go.mod: a line that cannot be read: `require b`
         gap: go.mod: a line that cannot be read: `replace c`",
    );
}

/// The real linker's work; left out where there is no Go.
#[test]
fn reads_what_the_installed_go_builds() {
    let Ok(version) = Command::new("go").args(["env", "GOVERSION"]).output() else {
        println!("left out: needs the program `go` (package golang-go)");
        return;
    };
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, text: &str| {
        fs_err::write(folder.path().join(name), text).expect("the folder can be written to");
    };
    write("go.mod", "module example.com/tiny\n\ngo 1.18\n");
    write("main.go", "package main\n\nfunc main() { println(1) }\n");
    for (system, processor) in [("linux", "amd64"), ("windows", "amd64")] {
        let built = Command::new("go")
            .args(["build", "-trimpath", "-ldflags=-s -w", "-o", "tiny", "."])
            .current_dir(folder.path())
            .envs([("GOOS", system), ("GOARCH", processor), ("CGO_ENABLED", "0"), ("GOFLAGS", "")])
            .envs([
                ("GOCACHE", folder.path().join("cache")),
                ("GOPATH", folder.path().join("path")),
            ])
            .output()
            .expect("go was there a moment ago");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let bytes = fs_err::read(folder.path().join("tiny")).expect("go has built it");
        let expect = format!(
            "pkg:golang/example.com/tiny\npkg:golang/stdlib@{}",
            version.trim_start_matches("go")
        );
        check(binary(), "tiny", bytes, &expect);
    }
}
