//! Compose files: which images their services run.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::record::Wanted;
use super::yaml;
use crate::Context;
use crate::failure::Failure;

/// Defaults within defaults.
const DEEPEST: usize = 16;
/// Bytes of the longest text that a variable leads to.
const LONGEST: usize = 64 << 10;
/// Bytes of the largest `.env`.
const LARGEST: u64 = 1 << 20;

/// What a variable stands for.
type LookUp<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The image of each service of the file that is meant to run.
pub(super) fn read(path: &Path, context: &Context) -> anyhow::Result<Vec<Wanted>> {
    let environment = &context.environment;
    let beside = path.with_file_name(".env");
    let set = |name: &str| environment.named(name);
    let file = match fs_err::metadata(&beside) {
        Ok(it) if it.is_file() && it.len() <= LARGEST => fs_err::read_to_string(&beside)?,
        _ => String::new(),
    };
    let file = variables(&file, &set);
    let look_up = |name: &str| set(name).or_else(|| file.get(name).cloned());
    let profiles = environment.compose_profiles()?;
    let project = environment.compose_project()?;
    let project = project.or_else(|| file.get("COMPOSE_PROJECT_NAME").cloned());
    let documents = yaml::read(path)?;
    let document = documents.first().unwrap_or(&Value::Null);
    let read = services(document, project, &profiles, &look_up);
    let (wanted, remarks) = read.map_err(|why| {
        Failure::error(
            format!("{}: {why}", path.display()),
            "set the variable, or write it into .env beside the file",
        )
    })?;
    for remark in remarks {
        context.messages.warn(&remark);
    }
    if wanted.is_empty() {
        return Err(Failure::error(
            format!("{}: there is no service with an image in it", path.display()),
            "a compose file has `services:`, each with an `image:`",
        ));
    }
    Ok(wanted)
}

/// The images, and what is worth a remark.
fn services(
    document: &Value,
    project: Option<String>,
    profiles: &[String],
    look_up: &LookUp<'_>,
) -> Result<(Vec<Wanted>, Vec<String>), String> {
    let (mut wanted, mut remarks) = (Vec::new(), Vec::new());
    let text = |at: &str, value: &Value, key: &str| match value.get(key) {
        Some(Value::String(text)) => {
            let text = expand(text, look_up, 0).map_err(|why| format!("{at}{key}: {why}"))?;
            Ok(Some(text).filter(|it| !it.trim().is_empty()))
        }
        _ => Ok::<_, String>(None),
    };
    let project = match project {
        Some(name) => Some(name),
        None => text("", document, "name")?,
    };
    if document.get("include").is_some() {
        remarks.push("What the file includes is not looked at".to_owned());
    }
    let services = document.get("services").and_then(Value::as_object);
    for (name, service) in services.into_iter().flatten() {
        let at = format!("services.{name}");
        let own = service.get("profiles").and_then(Value::as_array);
        let own: Vec<&str> = own.into_iter().flatten().filter_map(Value::as_str).collect();
        let on = |it: &&str| profiles.iter().any(|wanted| wanted == it || wanted == "*");
        if !own.is_empty() && !own.iter().any(on) {
            let own = own.join(", ");
            remarks.push(format!("{at} is left out: it only runs with the profiles {own}"));
            continue;
        }
        let Some(image) = text(&format!("{at}."), service, "image")? else {
            let why = if service.get("build").is_some() {
                "it is built where it runs, and names no image"
            } else if service.get("extends").is_some() {
                "it takes its image from another service"
            } else {
                "it names no image"
            };
            remarks.push(format!("{at} is left out: {why}"));
            continue;
        };
        let platform = text(&format!("{at}."), service, "platform")?;
        let platform = platform.map(|it| it.parse().map_err(|why| format!("{at}.platform: {why}")));
        let application = match &project {
            Some(project) => format!("{project}/{name}"),
            None => name.clone(),
        };
        wanted.push(Wanted {
            application: Some(application),
            image,
            platform: platform.transpose()?,
            at,
        });
    }
    Ok((wanted, remarks))
}

/// The text with its variables replaced, as compose replaces them.
/// <https://docs.docker.com/reference/compose-file/interpolation/>
fn expand(text: &str, look_up: &LookUp<'_>, depth: usize) -> Result<String, String> {
    if depth > DEEPEST {
        return Err("its defaults lead too deep".to_owned());
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix('$') {
            out.push('$');
            rest = behind;
        } else if let Some(inside) = behind.strip_prefix('{') {
            let end = closing(inside).ok_or("a `${` has no `}`")?;
            let (inside, behind) = inside.split_at_checked(end).ok_or("a `${` has no `}`")?;
            out.push_str(&replaced(inside, look_up, depth)?);
            rest = behind.strip_prefix('}').unwrap_or(behind);
        } else {
            let (name, behind) = named(behind);
            if name.is_empty() {
                return Err("a `$` stands alone; `$$` means one".to_owned());
            }
            out.push_str(&look_up(name).ok_or_else(|| unset(name))?);
            rest = behind;
        }
        if out.len() > LONGEST {
            return Err("its variables lead to too long a text".to_owned());
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// What stands for `NAME`, `NAME:-default`, `NAME-default`, `NAME:?why`, `NAME?why`, `NAME:+instead`
/// or `NAME+instead`.
fn replaced(inside: &str, look_up: &LookUp<'_>, depth: usize) -> Result<String, String> {
    let (name, rest) = named(inside);
    if name.is_empty() {
        return Err(format!("`${{{inside}}}` names no variable"));
    }
    let value = look_up(name);
    // With a colon, an empty one is as good as none.
    let (value, rest) = match rest.strip_prefix(':') {
        Some(rest) => (value.filter(|it| !it.is_empty()), rest),
        None => (value, rest),
    };
    let mut letters = rest.chars();
    let sign = letters.next();
    let word = letters.as_str();
    match (sign, value) {
        (None, value) if !inside.ends_with(':') => value.ok_or_else(|| unset(name)),
        (Some('-' | '?'), Some(value)) => Ok(value),
        (Some('-'), None) | (Some('+'), Some(_)) => expand(word, look_up, depth + 1),
        (Some('?'), None) if word.is_empty() => Err(unset(name)),
        (Some('?'), None) => Err(format!("{}: {word}", unset(name))),
        (Some('+'), None) => Ok(String::new()),
        _ => Err(format!("`${{{inside}}}` makes no sense")),
    }
}

/// compose would go on with an empty text, which is no image's tag.
fn unset(name: &str) -> String {
    format!("the variable {name} is not set")
}

/// The place of the brace that closes what was open before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

/// The name at the start of `text`, and the rest.
fn named(text: &str) -> (&str, &str) {
    let may = |it: char| it.is_ascii_alphanumeric() || it == '_';
    if text.starts_with(|it: char| it.is_ascii_digit()) {
        return ("", text);
    }
    let end = text.find(|it: char| !may(it)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or(("", text))
}

/// The variables of an `.env`; what is set already goes before them.
fn variables(text: &str, set: &LookUp<'_>) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let value = value.trim();
        let (value, literal) = match value.chars().next() {
            Some('\'') => (value.split('\'').nth(1).unwrap_or_default(), true),
            Some('"') => (value.split('"').nth(1).unwrap_or_default(), false),
            _ => (value.split_once(" #").map_or(value, |(it, _)| it.trim_end()), false),
        };
        let look_up = |name: &str| set(name).or_else(|| all.get(name).cloned());
        let expanded = if literal { None } else { expand(value, &look_up, 0).ok() };
        all.insert(name.trim().to_owned(), expanded.unwrap_or_else(|| value.to_owned()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(name: &str) -> Option<String> {
        match name {
            "TAG" => Some("v1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_replaced_as_compose_does() {
        let check = |text: &str, expect: &str| {
            let shown = expand(text, &look_up, 0).unwrap_or_else(|why| why);
            assert_eq!(shown, expect, "{text}");
        };
        check("acme/web:$TAG", "acme/web:v1");
        check("acme/web:${TAG}-x", "acme/web:v1-x");
        check("a$$b", "a$b");
        check("${NO:-latest}", "latest");
        check("${EMPTY:-latest}${EMPTY-kept}", "latest");
        check("${NO-${ALSO_NO:-${TAG}}}", "v1");
        check("${TAG:+with}${NO:+without}${EMPTY+there}", "withthere");
        check("${NO}", "the variable NO is not set");
        check("$NO", "the variable NO is not set");
        check("${NO:?name the tag}", "the variable NO is not set: name the tag");
        check("${TAG:?}${TAG?}", "v1v1");
        check("${TAG", "a `${` has no `}`");
        check("${}", "`${}` names no variable");
        check("${TAG!}", "`${TAG!}` makes no sense");
        check("${TAG:}", "`${TAG:}` makes no sense");
        check("5$", "a `$` stands alone; `$$` means one");
        let deep = format!("{}x{}", "${NO:-".repeat(100), "}".repeat(100));
        check(&deep, "its defaults lead too deep");
    }

    #[test]
    fn a_file_of_variables() {
        let text = "# TAG=no\nexport A=1 # one\nB='$A'\nC=\"$A-$TAG\"\n\nnothing\nD = x\n";
        let all = variables(text, &look_up);
        let all: Vec<String> = all.iter().map(|(name, it)| format!("{name}={it}")).collect();
        assert_eq!(all.join(" "), "A=1 B=$A C=1-v1 D=x");
    }

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let document = yaml::parse(text.as_bytes()).unwrap();
        let document = document.first().unwrap_or(&Value::Null);
        let shown = match services(document, None, &["debug".to_owned()], &look_up) {
            Ok((wanted, remarks)) => {
                let line = |it: Wanted| {
                    let platform = it.platform.map(|it| format!(" {it}")).unwrap_or_default();
                    format!("{} {}{platform}", it.application.unwrap(), it.image)
                };
                wanted.into_iter().map(line).chain(remarks).collect()
            }
            Err(why) => vec![why],
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn each_service() {
        let text = "
x-base: &base {image: \"acme/web:${TAG:-latest}\", platform: linux/arm64}
name: shop
services:
  web: {<<: *base, restart: always}
  api: {image: acme/api}
  built: {build: .}
  seldom: {image: acme/seldom, profiles: [seldom]}
  debug: {image: acme/debug, profiles: [debug]}
";
        check(
            text,
            &[
                "shop/api acme/api",
                "shop/debug acme/debug",
                "shop/web acme/web:v1 linux/arm64",
                "services.built is left out: it is built where it runs, and names no image",
                "services.seldom is left out: it only runs with the profiles seldom",
            ],
        );
        check("services: {web: {image: a}}", &["web a"]);
        check(
            "services: {web: {image: \"a:${V}\"}}",
            &["services.web.image: the variable V is not set"],
        );
    }

    #[test]
    fn what_makes_no_sense() {
        for text in ["", "1", "services: 1", "services: {}", "[]"] {
            check(text, &[]);
        }
        check("services: {a: 1}", &["services.a is left out: it names no image"]);
    }
}
