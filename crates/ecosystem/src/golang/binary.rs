//! Go programs: main module, dependencies as replaced, and the standard library.

use std::sync::LazyLock;

use model::{Found, Gap, Package};
use regex::Regex;

use super::build_info::{self, BuildInfo, Missing};
use super::module;
use crate::executable::{Executable, Format};
use crate::{Beside, File};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let Some(executable) = Executable::read(file) else { return Found::default() };
    match build_info::read(file, &executable) {
        Ok(info) => packages(file, &info),
        Err(Missing::Unreadable(why)) => Found::gap(file.path(), why),
        Err(Missing::NotGo) if is_packed(file, &executable) => {
            Found::gap(file.path(), "a program packed by UPX, so its build information is hidden")
        }
        Err(Missing::NotGo) => Found::default(),
    }
}

fn is_packed(file: &File<'_>, executable: &Executable) -> bool {
    if executable.format != Format::Elf || executable.has_sections {
        return false;
    }
    let mut start = vec![0; usize::try_from(file.size().min(512)).unwrap_or_default()];
    file.read_exact_at(0, &mut start).is_ok() && memchr::memmem::find(&start, b"UPX!").is_some()
}

fn packages(file: &File<'_>, info: &BuildInfo) -> Found {
    let mut found = Found::default();
    let list = List::parse(&info.modules);
    if let Some(main) = &list.main {
        let version = main_version(main, &list);
        found.packages.push(Package::new(module(main.path, &version)));
    }
    for dependency in &list.dependencies {
        found.packages.push(Package::new(module(dependency.path, dependency.version)));
    }
    match standard_library(&info.toolchain) {
        Some(version) => found.packages.push(Package::new(module("stdlib", version))),
        None => found.gaps.push(Gap::new(
            file.path(),
            format!("was built by `{}`, which is no release of Go", info.toolchain),
        )),
    }
    found
}

/// `1.22.3` for `go1.22.3 X:boringcrypto`.
fn standard_library(toolchain: &str) -> Option<&str> {
    let version = toolchain.split_whitespace().next()?.strip_prefix("go")?;
    version.starts_with(|it: char| it.is_ascii_digit()).then_some(version)
}

#[derive(Clone, Copy)]
struct Module<'a> {
    path: &'a str,
    version: &'a str,
}

/// The list of modules, parsed.
#[derive(Default)]
struct List<'a> {
    main: Option<Module<'a>>,
    dependencies: Vec<Module<'a>>,
    settings: Vec<(String, String)>,
}

impl<'a> List<'a> {
    fn parse(text: &'a str) -> Self {
        let mut list = Self::default();
        let mut last_is_main = false;
        for line in text.lines() {
            let mut fields = line.split('\t');
            let kind = fields.next().unwrap_or_default();
            let path = fields.next().unwrap_or_default();
            if kind == "build" {
                list.settings.extend(setting(line));
                continue;
            }
            if path.trim_matches('/').is_empty() {
                continue;
            }
            let module = Module { path, version: fields.next().unwrap_or_default() };
            match kind {
                "mod" => {
                    list.main = Some(module);
                    last_is_main = true;
                }
                "dep" => {
                    list.dependencies.push(module);
                    last_is_main = false;
                }
                "=>" => {
                    let replaced = if last_is_main {
                        list.main.as_mut()
                    } else {
                        list.dependencies.last_mut()
                    };
                    if let Some(replaced) = replaced {
                        // A directory has neither a module's name nor a version.
                        *replaced = if path.starts_with(['.', '/']) {
                            Module { path: replaced.path, version: "" }
                        } else {
                            module
                        };
                    }
                }
                _ => {}
            }
        }
        list
    }

    fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str())
    }
}

/// `build\tkey=value`; either side may be quoted.
fn setting(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("build\t")?;
    let (key, rest) = if rest.starts_with('"') {
        unquote(rest)?
    } else {
        rest.split_once('=').map(|(key, value)| (key.to_owned(), value))?
    };
    let value = rest.strip_prefix('=').unwrap_or(rest);
    let value = match value.chars().next() {
        Some('"' | '`') => unquote(value)?.0,
        _ => value.to_owned(),
    };
    Some((key, value))
}

/// The text between the quotes at the start, and what follows them.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut characters = text.char_indices();
    let (_, quote) = characters.next()?;
    let mut plain = String::new();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Some((plain, text.get(at + 1..)?));
        }
        if character == '\\' && quote == '"' {
            let (_, escaped) = characters.next()?;
            plain.push(match escaped {
                'n' => '\n',
                't' => '\t',
                other => other,
            });
        } else {
            plain.push(character);
        }
    }
    None
}

/// The main module's version. A program built in its own source tree says `(devel)`; then the
/// linker was often told a version, and else the commit makes a pseudo-version.
fn main_version(main: &Module<'_>, list: &List<'_>) -> String {
    if !matches!(main.version, "(devel)" | "") {
        return main.version.to_owned();
    }
    list.setting("-ldflags")
        .and_then(|flags| linked_version(main.path, flags))
        .or_else(|| {
            let revision = list.setting("vcs.revision")?.get(..12)?;
            let time: String =
                list.setting("vcs.time")?.chars().take(19).filter(char::is_ascii_digit).collect();
            (time.len() == 14).then(|| format!("v0.0.0-{time}-{revision}"))
        })
        .unwrap_or_default()
}

/// The version in `-X main.version=1.2.3`; the program's own variable before that of a library.
fn linked_version(main: &str, flags: &str) -> Option<String> {
    static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?x)
            -X[=\ ]+ ['"]?
            ([^\s='"]+) \. (?i:(?:git|build|app|release|semantic)?_?(?:version|ver|tag|semver)) =
            ['"]? (v?\d+\.\d+(?:\.\d+)?[0-9A-Za-z.+\-]*)
            "#,
        )
        .expect("a constant expression compiles")
    });
    let versions: Vec<(&str, &str)> = ASSIGNMENT
        .captures_iter(flags)
        .filter_map(|it| Some((it.get(1)?.as_str(), it.get(2)?.as_str())))
        .collect();
    let own = |package: &str| {
        package == "main"
            || package
                .strip_prefix(main)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let (_, version) = versions.iter().find(|(it, _)| own(it)).or_else(|| versions.first())?;
    Some(if version.starts_with('v') { (*version).to_owned() } else { format!("v{version}") })
}
