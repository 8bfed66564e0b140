//! What settings may say.

use crate::{ALL, Given, find, registry_string};

fn check(text: &str, variables: &[(&str, &str)], expect: &str) {
    let variable = |name: &str| {
        variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned())
    };
    let shown = match registry_string::parse(text) {
        Err(bad) => bad.to_string(),
        Ok((kind, given)) => match kind.settle(&given, &variable) {
            Err(faults) => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            Ok(settled) => {
                let mut keys: Vec<&str> = settled.keys().collect();
                keys.sort_unstable();
                let one = |key: &&str| match settled.secret(key) {
                    Some(secret) => format!("{key} {secret:?}"),
                    None => format!("{key} {}", settled.all(key).join("|")),
                };
                keys.iter().map(one).collect::<Vec<_>>().join("\n")
            }
        },
    };
    assert_eq!(shown, expect, "{text}");
}

#[test]
fn the_guides_string_is_understood() {
    check(
        "type=artifactory,registry=example.jfrog.io,api=https://example.jfrog.io/artifactory,\
         include=*/frontend*,exclude=*/dta/*,repository=docker-local,port=9000,subdomain-mode=true",
        &[
            ("DOCKER_SCOUT_ARTIFACTORY_API_USER", "ada"),
            ("DOCKER_SCOUT_ARTIFACTORY_API_PASSWORD", "secret"),
            ("DOCKER_SCOUT_ARTIFACTORY_WEBHOOK_SECRET", "secret\n"),
        ],
        "api https://example.jfrog.io/artifactory\nexclude */dta/*\ninclude */frontend*\n\
         password ***\nport 9000\nregistry example.jfrog.io\nrepository docker-local\n\
         subdomain-mode true\nuser ada\nwebhook-mode auto\nwebhook-secret ***",
    );
}

#[test]
fn faults_name_their_keys() {
    check(
        "type=artifactory,port=65536,subdomain-mode=perhaps,includes=[",
        &[],
        "registry: it must be told\napi: it must be told\nrepository: it must be told\n\
         include: `[` is no pattern: unclosed character class; missing ']'\n\
         port: `65536` is no port\nsubdomain-mode: `perhaps` is neither true nor false",
    );
    check(
        "type=harbor,registry=a b,api=ftp://x,tag=(",
        &[],
        "registry: `a b` is no host\napi: `ftp://x` is no http or https URL\n\
         tag: `(` is no regular expression: unclosed group",
    );
    check(
        "type=nexus,registry=a.example,api=https://u:p@x",
        &[],
        "api: `https://u:p@x` has a user in it, or no host",
    );
}

#[test]
fn lists_and_spellings() {
    check(
        "type=nexus,registry=https://A.example:8082/,api=https://a.example/,\"repository=a,b\",includes=x,include=y",
        &[],
        "api https://a.example\ninclude x|y\nregistry a.example:8082\nrepository a|b\n\
         template {registry}/{image}",
    );
    check("registry.example", &[("FORETOP_REGISTRY_USER", " ")], "registry registry.example");
}

#[test]
fn hints_say_what_to_do() {
    let given: Vec<Given> = vec![("registri".into(), "a".into())];
    let faults = find("acr").unwrap().settle(&given, &|_| None).unwrap_err();
    assert_eq!(faults[0].to_string(), "registri: azure has no such setting");
    assert!(faults[0].hint.as_ref().unwrap().starts_with("it has registry, repository"));
    let hint = faults[1].hint.as_ref().unwrap();
    assert_eq!(hint, "the registry's login server, such as acme.azurecr.io");
}

/// A form, a parameter list and a page are made of this.
#[test]
fn settings_are_data() {
    let harbor = find("harbor").unwrap();
    let setting = harbor.settings.iter().find(|it| it.key == "webhook-auth").unwrap();
    let json = serde_json::to_value(setting).unwrap();
    assert_eq!(json["kind"]["kind"], "secret");
    assert_eq!(json["variables"][1], "DOCKER_SCOUT_HARBOR_WEBHOOK_AUTH");
    let json = serde_json::to_value(find("azure").unwrap()).unwrap();
    assert_eq!(json["leftovers"][1]["name"], "docker-scout-repository");
    assert_eq!(json["settings"][0]["required"], true);
    let check = crate::Check::ok("registry reachable", "acme.azurecr.io");
    let json = serde_json::to_value(check).unwrap();
    assert_eq!(json["outcome"], "ok");
    let ids: Vec<&str> = ALL.iter().map(|it| it.id).collect();
    let expect = [
        "artifactory",
        "azure",
        "distribution",
        "email",
        "harbor",
        "nexus",
        "oci",
        "slack",
        "sysdig",
        "teams",
        "webhook",
    ];
    assert_eq!(ids, expect);
}

#[test]
fn what_contradicts_itself_does_not_connect() {
    let check = |text: &str, expect: &str| {
        let (kind, given) = registry_string::parse(text).unwrap();
        let settings = kind.settle(&given, &|_| None).unwrap();
        let why = (kind.connect)(&settings, &super::ways()).err().map(|it| it.to_string());
        assert_eq!(why.as_deref(), Some(expect));
    };
    let start = "type=artifactory,registry=a.example,api=https://a.example/artifactory,repository=";
    check(
        &format!("{start}k,layout=port,subdomain-mode=true"),
        "layout: it is port, and subdomain-mode is true",
    );
    check(&format!("{start}k,template=x"), "template: it makes no name of an image");
    check(&format!("{start}../k"), "repository: `../k` is no key of a repository");
    check(
        "type=harbor,registry=a.example,api=http://a.example",
        "http://a.example: it is without TLS",
    );
}

#[test]
fn short_secrets_are_warned_of() {
    let check = |kind: &str, secret: &str, expect: &str| {
        let kind = find(kind).unwrap();
        let needed = kind.settings.iter().filter(|it| it.required);
        let mut given: Vec<Given> =
            needed.map(|it| (it.key.to_owned(), it.example.to_owned())).collect();
        given.extend(kind.webhook_secret.map(|it| (it.to_owned(), secret.to_owned())));
        let settings = kind.settle(&given, &|_| None).unwrap();
        let shown = match kind.check_webhooks(&settings).map(|it| it.outcome) {
            None => "nothing".to_owned(),
            Some(crate::Outcome::Ok { detail }) => format!("ok {detail}"),
            Some(crate::Outcome::Warned { why, .. }) => format!("warned {why}"),
            Some(crate::Outcome::Failed { why, .. }) => format!("failed {why}"),
        };
        assert_eq!(shown, expect);
    };
    check(
        "artifactory",
        "",
        "warned no secret is set, so whoever knows their address can send some",
    );
    check("harbor", "token foo", "warned the secret has only 9 characters");
    check("distribution", super::SECRET, "ok a secret of 64 characters");
    check("oci", "", "nothing");
}
