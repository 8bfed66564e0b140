//! What `--registry` of `watch` takes: a host, or `key=value` fields with commas between them.
//!
//! A field that has a comma in it is quoted, as in CSV: `"repository=a,b"`.

use crate::contract::{BadSetting, Given};
use crate::{Kind, Role};

/// Bytes of the whole string.
const LONGEST: usize = 64 << 10;

/// The kind of party that `text` means, and what it says of it. The settings are still to be settled.
pub fn parse(text: &str) -> Result<(&'static Kind, Vec<Given>), BadSetting> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(BadSetting::new("registry", "it is too long"));
    }
    if text.is_empty() {
        return Err(BadSetting::new("registry", "it is empty").with_hint(HINT));
    }
    if !text.contains(['=', ',', '"']) {
        return Ok((kind("oci")?, vec![("registry".to_owned(), text.to_owned())]));
    }
    let mut named: Option<String> = None;
    let mut given: Vec<Given> = Vec::new();
    for field in fields(text)?.into_iter().filter(|it| !it.trim().is_empty()) {
        let Some((key, value)) = field.split_once('=') else {
            let shown: String = field.chars().take(100).collect();
            return Err(BadSetting::new(&shown, "it has no value").with_hint(HINT));
        };
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().to_owned());
        if value.is_empty() {
            return Err(BadSetting::new(&key, "it has no value"));
        }
        if key != "type" {
            given.push((key, value));
        } else if named.replace(value).is_some() {
            return Err(BadSetting::new("type", "it is told more than once"));
        }
    }
    let Some(named) = named else {
        return Err(BadSetting::new("type", "it must be told")
            .with_hint(format!("it is one of {}", ids().join(", "))));
    };
    let kind = kind(&named)?;
    for (key, _) in &given {
        known(kind, key)?;
    }
    for setting in kind.settings.iter().filter(|it| !it.kind.is_list()) {
        let times = given
            .iter()
            .filter(|(key, _)| setting.key == key || setting.also.contains(&key.as_str()));
        if times.count() > 1 {
            return Err(BadSetting::new(setting.key, "it is told more than once"));
        }
    }
    Ok((kind, given))
}

const HINT: &str = "write it like this: \
                    type=artifactory,registry=registry.example,\"repository=a,b\"";

fn ids() -> Vec<&'static str> {
    crate::ALL.iter().filter(|it| it.role == Role::Registry).map(|it| it.id).collect()
}

fn kind(id: &str) -> Result<&'static Kind, BadSetting> {
    let found = crate::find(&id.to_ascii_lowercase()).filter(|it| it.role == Role::Registry);
    found.ok_or_else(|| {
        let shown: String = id.chars().take(40).collect();
        BadSetting::new("type", format!("`{shown}` is none of {}", ids().join(", ")))
    })
}

/// A key that the kind has. Secrets have no place where everybody sees them.
fn known(kind: &Kind, key: &str) -> Result<(), BadSetting> {
    let found = kind.settings.iter().find(|it| it.key == key || it.also.contains(&key));
    match found {
        Some(setting) if setting.kind == crate::SettingKind::Secret => {
            let variables = setting.variables.join(" or ");
            Err(BadSetting::new(key, "whoever lists processes would see it")
                .with_hint(format!("put it into {variables}")))
        }
        Some(_) => Ok(()),
        None => {
            let keys = kind.settings.iter().filter(|it| it.kind != crate::SettingKind::Secret);
            let keys: Vec<&str> = keys.map(|it| it.key).collect();
            Err(BadSetting::new(key, format!("type={} has no such key", kind.id))
                .with_hint(format!("it has type, {}", keys.join(", "))))
        }
    }
}

/// The fields, unquoted. A quote may stand around a field, or around a value.
pub fn fields(text: &str) -> Result<Vec<String>, BadSetting> {
    let mut all = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.trim().is_empty() || field.ends_with('=') => quoted = true,
            ',' if !quoted => all.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    if quoted {
        let key: String = field.split('=').next().unwrap_or_default().chars().take(40).collect();
        return Err(BadSetting::new(&key, "its quote is never closed"));
    }
    all.push(field);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let shown = match parse(text) {
            Ok((kind, given)) => {
                let given: Vec<String> =
                    given.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                format!("{}: {}", kind.id, given.join("; "))
            }
            Err(bad) => bad.to_string(),
        };
        assert_eq!(shown, expect, "{text}");
    }

    #[test]
    fn what_the_guide_writes() {
        check(
            "type=artifactory,registry=example.jfrog.io,api=https://example.jfrog.io/artifactory,\
             include=*/frontend*,exclude=*/dta/*,repository=docker-local,port=9000,subdomain-mode=true",
            "artifactory: registry = example.jfrog.io; api = https://example.jfrog.io/artifactory; \
             include = */frontend*; exclude = */dta/*; repository = docker-local; port = 9000; \
             subdomain-mode = true",
        );
        check("registry.example:5000", "oci: registry = registry.example:5000");
    }

    #[test]
    fn quotes() {
        let expect = "nexus: registry = a; repository = x,y";
        check(r#"type=nexus,registry=a,"repository=x,y""#, expect);
        check(r#""type=nexus" , registry=a, repository="x,y""#, expect);
        check(r#"type=oci,"registry=a""b""#, "oci: registry = a\"b");
        check(r#"type=nexus,"repository=x,y"#, "repository: its quote is never closed");
        check("type=oci,registry=a,", "oci: registry = a");
    }

    #[test]
    fn an_error_names_the_key() {
        check("", "registry: it is empty");
        check("registry=a", "type: it must be told");
        check(
            "type=docker,registry=a",
            "type: `docker` is none of artifactory, azure, distribution, harbor, nexus, oci",
        );
        check("type=oci,type=oci", "type: it is told more than once");
        check("type=oci,registry=a,registry=b", "registry: it is told more than once");
        check("type=oci,repo=a", "repo: type=oci has no such key");
        check("type=oci,port=1", "port: type=oci has no such key");
        check("type=oci,registry=", "registry: it has no value");
        check("type=oci,registry", "registry: it has no value");
        check("type=harbor,password=x", "password: whoever lists processes would see it");
        check("type=nexus,include=a,includes=b", "nexus: include = a; includes = b");
    }
}
