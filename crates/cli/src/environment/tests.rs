//! What variables mean, and which of two names counts.

use super::*;

fn check<T: std::fmt::Debug>(
    set: &[(&str, &str)],
    read: impl Fn(&Environment) -> anyhow::Result<T>,
    expect: &str,
) {
    let shown = match read(&Environment::of(set)) {
        Ok(value) => format!("{value:?}"),
        Err(error) => {
            let hint = crate::failure::hint(&error).unwrap_or_default();
            format!("error: {error}; hint: {hint}")
        }
    };
    assert_eq!(shown, expect);
}

#[test]
fn our_name_counts_before_theirs() {
    let offline = Environment::offline;
    check(&[], offline, "false");
    check(&[("DOCKER_SCOUT_OFFLINE", "1")], offline, "true");
    check(&[("DOCKER_SCOUT_OFFLINE", "1"), ("FORETOP_OFFLINE", "no")], offline, "false");
    check(&[("DOCKER_SCOUT_OFFLINE", "1"), ("FORETOP_OFFLINE", "")], offline, "true");
    check(
        &[("FORETOP_OFFLINE", "perhaps")],
        offline,
        "error: FORETOP_OFFLINE: `perhaps` is neither yes nor no; \
         hint: set FORETOP_OFFLINE=1, or unset it",
    );
}

#[test]
fn credentials_are_whole_or_refused() {
    let credentials = Environment::credentials;
    check(&[], credentials, "None");
    check(&[("FORETOP_REGISTRY_TOKEN", "t")], credentials, "Some(Bearer(***))");
    check(
        &[("DOCKER_SCOUT_REGISTRY_USER", "me"), ("FORETOP_REGISTRY_PASSWORD", "p")],
        credentials,
        "Some(Basic { user: \"me\", password: *** })",
    );
    check(
        &[("DOCKER_SCOUT_REGISTRY_USER", "me")],
        credentials,
        "error: DOCKER_SCOUT_REGISTRY_USER is set without DOCKER_SCOUT_REGISTRY_PASSWORD; \
         hint: set both, or neither",
    );
    check(
        &[("FORETOP_REGISTRY_PASSWORD", "p")],
        credentials,
        "error: FORETOP_REGISTRY_PASSWORD is set without FORETOP_REGISTRY_USER; \
         hint: set both, or neither",
    );
}

/// What an integration or a watch is told: what is empty is not told, and a token goes first.
#[test]
fn settings_of_registries() {
    let check = |set: &[(&str, &str)], is_user_named: bool, expect: [Option<&str>; 2]| {
        let environment = Environment::of(set);
        let user = "FORETOP_REGISTRY_USER";
        let told = [environment.setting(user), environment.watched_setting(user, is_user_named)];
        assert_eq!(told.each_ref().map(Option::as_deref), expect);
    };
    let (user, token) = (("FORETOP_REGISTRY_USER", "ann"), ("DOCKER_SCOUT_REGISTRY_TOKEN", "t"));
    check(&[], false, [None, None]);
    check(&[("FORETOP_REGISTRY_USER", "")], false, [None, None]);
    check(&[user], false, [Some("ann"), Some("ann")]);
    check(&[user, token], false, [Some("ann"), None]);
    check(&[user, token], true, [Some("ann"), Some("ann")]);
    assert_eq!(Environment::of(&[("HOME", "/h")]).setting("HOME"), Some("/h".to_owned()));
    assert_eq!(Environment::of(&[("OTHER", "x")]).setting("OTHER"), None);
}

#[test]
fn the_cache_has_a_place_and_a_size() {
    let place =
        |it: &Environment| Ok(it.cache()?.map(|it| (it.root().display().to_string(), it.limit())));
    check(&[], place, "None");
    if cfg!(target_os = "linux") {
        check(&[("HOME", "/h")], place, "Some((\"/h/.cache/foretop\", 1073741824))");
    }
    check(
        &[("HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("FORETOP_CACHE_SIZE", "5MB")],
        place,
        "Some((\"/x/foretop\", 5000000))",
    );
    check(&[("HOME", "h")], place, "None");
    check(
        &[("DOCKER_SCOUT_CACHE_DIR", "/c"), ("FORETOP_CACHE_SIZE", "2 GiB")],
        place,
        "Some((\"/c\", 2147483648))",
    );
    check(&[("HOME", "/h"), ("DOCKER_SCOUT_NO_CACHE", "true")], place, "None");
    for bad in ["-1", "GiB", "1 furlong", "99999999999GiB"] {
        check(
            &[("HOME", "/h"), ("FORETOP_CACHE_SIZE", bad)],
            place,
            &format!(
                "error: FORETOP_CACHE_SIZE: `{bad}` is not a size; \
                 hint: 512MB, 2GiB or a number of bytes will do"
            ),
        );
    }
}

#[test]
fn the_time_to_state() {
    check(&[("SOURCE_DATE_EPOCH", "0")], Environment::created, "Some(\"1970-01-01T00:00:00Z\")");
    check(
        &[("SOURCE_DATE_EPOCH", "now")],
        Environment::created,
        "error: SOURCE_DATE_EPOCH: `now` is not a number of seconds since 1970; \
         hint: `git log -1 --format=%ct` prints one",
    );
}

#[test]
fn what_a_terminal_can_show() {
    let shows = |it: &Environment| Ok((it.colour(), it.unicode()));
    check(&[], shows, "(true, true)");
    check(&[("NO_COLOR", "1"), ("LANG", "C")], shows, "(false, false)");
    check(&[("TERM", "dumb"), ("LANG", "de_DE.UTF-8")], shows, "(false, true)");
    check(&[("LC_ALL", "C.utf8"), ("LANG", "C")], shows, "(true, true)");
}

#[test]
fn lists() {
    check(
        &[("FORETOP_INSECURE_REGISTRIES", "a:5000, b,")],
        Environment::insecure_registries,
        "{\"a:5000\", \"b\"}",
    );
    if cfg!(unix) {
        check(
            &[("FORETOP_CA_CERTIFICATES", "/a.pem:/b.pem")],
            |it| Ok(it.certificate_authorities()),
            "[\"/a.pem\", \"/b.pem\"]",
        );
    }
    check(&[], |it| Ok(it.certificate_authorities()), "[]");
}

#[test]
fn every_name_is_told_once() {
    let mut names: Vec<_> = ALL.iter().flat_map(|it| it.names).collect();
    names.sort_unstable();
    let before = names.len();
    names.dedup();
    assert_eq!(names.len(), before);
}
