//! What the parties list, in every way that they let one in.

use integration::watch::Backfill;
use testkit::{FakeRegistry, Guard, Vendor, VendorStandIn, image};

use super::watching::Kept;
use super::{VENDORS, checked, listed, name, party, party_at, registry};

const ALL: &str = "library/base: 12\nteam/app: 1 2\nteam/web: latest\n";

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

#[tokio::test]
async fn every_vendor_lists_what_is_there() {
    let registry = registry();
    for vendor in VENDORS {
        let stand_in = VendorStandIn::start(vendor, &registry.host());
        let party = party_at(&stand_in, vendor, &[]);
        let directory = party.directory().unwrap();
        assert_eq!(sorted(&listed(directory).await), ALL, "{}", name(vendor));
        // Each digest is what the registry says, whether the list told it or not.
        let expect = registry.tag("team/app", "2");
        let repositories = directory.repositories(&[]).await.unwrap().all;
        let app = repositories.iter().find(|it| it.name.ends_with("team/app")).unwrap();
        let digest = directory.digest(app, "2").await.unwrap();
        assert_eq!(digest.map(|it| it.to_string()), expect, "{}", name(vendor));
        assert_eq!(directory.digest(app, "none").await.unwrap(), None, "{}", name(vendor));
        for tagged in directory.tags(app).await.unwrap().all {
            let expect = registry.tag("team/app", &tagged.tag);
            let told = tagged.digest.map(|it| it.to_string());
            assert!(told.is_none() || told == expect, "{}", name(vendor));
        }
        assert_eq!(
            directory.repository(&app.registry, &app.name).name,
            app.name,
            "{}",
            name(vendor)
        );
    }
}

#[tokio::test]
async fn connections_are_tested() {
    let registry = registry();
    let common = "ok repositories can be listed\nok tags can be listed\nok images can be read\n";
    for (vendor, expect) in [
        (
            Vendor::Artifactory,
            "ok API reachable\nok repositories exist\nok repositories can be listed\n\
             ok tags can be listed\nok registry reachable\nok images can be read\n"
                .to_owned(),
        ),
        (Vendor::Azure, format!("ok registry reachable\n{common}")),
        (Vendor::Harbor, format!("ok API reachable\nok registry reachable\n{common}")),
        (Vendor::Nexus, format!("ok API reachable\nok registry reachable\n{common}")),
    ] {
        let stand_in = VendorStandIn::start(vendor, &registry.host());
        let party = party_at(&stand_in, vendor, &[]);
        assert_eq!(checked(party.directory().unwrap(), &stand_in.host()).await, expect);
    }
}

/// Artifactory's interface is one address, and where images are pulled from is another.
#[tokio::test]
async fn where_artifactorys_images_are_pulled_from_is_tried() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Artifactory, &registry.host());
    let elsewhere = FakeRegistry::start();
    elsewhere.plan("/v2/", 3, testkit::Fault::status(503));
    let listed = "ok API reachable\nok repositories exist\nok repositories can be listed\n\
                  ok tags can be listed\n";
    let check = async |more: &[(&str, &str)], expect: &str| {
        let party = party_at(&stand_in, Vendor::Artifactory, more);
        let told = checked(party.directory().unwrap(), &elsewhere.host()).await;
        let rest = told.strip_prefix(listed).unwrap_or_else(|| panic!("{told}"));
        assert!(rest.starts_with(expect) && rest.ends_with('\n'), "{rest}");
    };
    // Nobody asks for an image where nobody answers.
    let at = elsewhere.host();
    check(&[("registry", &at)], "failed registry reachable: HOST ").await;
    let missing = "ok registry reachable\nfailed images can be read: HOST has no ";
    check(&[("registry", &at)], &format!("{missing}docker-local/library/base:12 (say where "))
        .await;
    check(&[("registry", &at), ("layout", "port")], &format!("{missing}library/base:12 ")).await;
    check(&[("layout", "port")], "ok registry reachable\nok images can be read\n").await;
}

#[tokio::test]
async fn a_wrong_password_is_told() {
    let registry = registry();
    for (vendor, expect) in [
        (
            Vendor::Artifactory,
            "failed API reachable: HOST does not give it to the user reader: Bad credentials",
        ),
        (
            Vendor::Azure,
            "ok registry reachable\nfailed repositories can be listed: HOST does not give it to the user reader",
        ),
        (
            Vendor::Harbor,
            "ok API reachable\nfailed registry reachable: HOST does not give it to the user reader",
        ),
        (Vendor::Nexus, "failed API reachable: HOST does not give it to the user reader"),
    ] {
        let stand_in = VendorStandIn::start(vendor, &registry.host());
        let party = party_at(&stand_in, vendor, &[("password", "wrong")]);
        let told = checked(party.directory().unwrap(), &stand_in.host()).await;
        assert!(told.starts_with(expect), "{told}");
    }
}

#[tokio::test]
async fn an_access_token_needs_no_user() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Artifactory, &registry.host());
    let party = party_at(&stand_in, Vendor::Artifactory, &[("user", "")]);
    assert_eq!(sorted(&listed(party.directory().unwrap()).await), ALL);
    let shown = stand_in.seen();
    assert!(shown.iter().all(|it| it.authorization.as_deref() == Some("Bearer pass")));
}

#[tokio::test]
async fn a_missing_repository_is_told_with_those_that_are_there() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Artifactory, &registry.host());
    let party = party_at(&stand_in, Vendor::Artifactory, &[("repository", "docker-remote")]);
    let told = checked(party.directory().unwrap(), &stand_in.host()).await;
    let expect = "ok API reachable\nfailed repositories exist: it shows no Docker repository \
                  docker-remote (it shows docker-local)\n";
    assert!(told.starts_with(expect), "{told}");
}

#[tokio::test]
async fn any_registry_lists_in_every_way_in() {
    for guard in [
        Guard::Open,
        Guard::Basic("reader".into(), "pass".into()),
        Guard::Anonymous,
        Guard::Token("reader".into(), "pass".into()),
    ] {
        let is_anonymous = guard == Guard::Anonymous;
        let registry = registry().guarded(guard.clone());
        let host = registry.host();
        let mut settings = vec![("registry", host.as_str())];
        if !is_anonymous {
            settings.extend([("user", "reader"), ("password", "pass")]);
        }
        for kind in ["oci", "distribution"] {
            let party = party(kind, &settings);
            assert_eq!(sorted(&listed(party.directory().unwrap()).await), ALL, "{kind} {guard:?}");
        }
    }
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let registry = FakeRegistry::start();
    let built = image();
    for number in 0..2_345 {
        registry.push("many/tags", &format!("v{number}"), &built);
    }
    let host = registry.host();
    let oci = party("oci", &[("registry", &host)]);
    let directory = oci.directory().unwrap();
    let tags =
        directory.tags(&directory.repository(directory.registry(), "many/tags")).await.unwrap();
    assert_eq!((tags.all.len(), tags.gaps.len()), (2_345, 0));
    let asked = registry.seen();
    let pages: Vec<&str> =
        asked.iter().map(|it| it.path.as_str()).filter(|it| it.contains("tags/list")).collect();
    assert_eq!(pages.len(), 3, "{pages:?}");
}

#[tokio::test]
async fn azure_lists_what_it_may() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Azure, &registry.host());
    stand_in.hide_catalog();
    let party = party_at(&stand_in, Vendor::Azure, &[]);
    let directory = party.directory().unwrap();
    let why = directory.repositories(&[]).await.unwrap_err();
    assert_eq!(why.error.hint(), Some("allow it to list the catalog, or name the repositories"));
    // What was learnt from events is asked for instead, and the gap stays.
    let listed = directory.repositories(&["team/app".to_owned()]).await.unwrap();
    assert_eq!(listed.all.len(), 1);
    assert_eq!(listed.gaps.len(), 1);
    let named = party_at(&stand_in, Vendor::Azure, &[("repository", "team/web")]);
    let listed = named.directory().unwrap().repositories(&[]).await.unwrap();
    assert_eq!((listed.all.len(), listed.gaps.len()), (1, 0));
}

#[tokio::test]
async fn azure_tells_the_newest_first() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Azure, &registry.host());
    stand_in.changed("team/app", "1", "2026-11-22T10:00:00Z");
    let party = party_at(&stand_in, Vendor::Azure, &[]);
    let directory = party.directory().unwrap();
    let tags =
        directory.tags(&directory.repository(directory.registry(), "team/app")).await.unwrap().all;
    let told: Vec<String> =
        tags.iter().map(|it| format!("{} {}", it.tag, it.at.unwrap())).collect();
    assert_eq!(told, ["1 2026-11-22T10:00:00Z", "2 2026-11-21T10:00:00Z"]);
    assert!(tags.iter().all(|it| it.digest.is_some()));
}

#[tokio::test]
async fn azure_pages_without_links() {
    let registry = FakeRegistry::start();
    for number in 0..230 {
        registry.push("team/app", &format!("v{number}"), &image());
    }
    let stand_in = VendorStandIn::start(Vendor::Azure, &registry.host());
    let party = party_at(&stand_in, Vendor::Azure, &[]);
    let directory = party.directory().unwrap();
    let tags =
        directory.tags(&directory.repository(directory.registry(), "team/app")).await.unwrap();
    assert_eq!((tags.all.len(), tags.gaps.len()), (230, 0));
}

#[tokio::test]
async fn artifactory_tells_what_changed() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Artifactory, &registry.host());
    stand_in.changed("team/app", "2", "2026-11-22T10:00:00.000Z");
    stand_in.changed("team/web", "latest", "2026-11-23T10:00:00.000Z");
    let party = party_at(&stand_in, Vendor::Artifactory, &[("subdomain-mode", "false")]);
    let directory = party.directory().unwrap();
    let changes = |since: &str| {
        let since = since.parse().unwrap();
        async move {
            let listed = directory.changes(since).await.unwrap().unwrap();
            assert_eq!(listed.gaps, []);
            let told =
                listed.all.iter().map(|it| format!("{}:{}", it.repository.name, it.tagged.tag));
            assert!(
                listed.all.iter().all(|it| it.tagged.digest.is_some() && it.tagged.at.is_some())
            );
            told.collect::<Vec<_>>().join(" ")
        }
    };
    assert_eq!(
        changes("2026-11-21T12:00:00Z").await,
        "docker-local/team/app:2 docker-local/team/web:latest"
    );
    assert_eq!(changes("2026-11-22T12:00:00Z").await, "docker-local/team/web:latest");
    assert_eq!(changes("2026-11-24T12:00:00Z").await, "");
    assert_eq!(changes("2026-11-01T12:00:00Z").await.split(' ').count(), 4);
}

#[tokio::test]
async fn harbor_sees_a_tag_that_moved_without_a_push() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Harbor, &registry.host());
    let party = party_at(&stand_in, Vendor::Harbor, &[("repository", "team")]);
    let directory = party.directory().unwrap();
    assert_eq!(listed(directory).await, "team/app: 1 2\nteam/web: latest\n");
    let app = directory.repository(directory.registry(), "team/app");
    let digests = |tags: Vec<integration::Tagged>| {
        tags.into_iter().map(|it| it.digest.unwrap().to_string()).collect::<Vec<_>>()
    };
    let before = digests(directory.tags(&app).await.unwrap().all);
    assert_ne!(before[0], before[1]);
    let built = image().layer(testkit::layer().file("etc/name", "team/app:2"));
    registry.push("team/app", "1", &built);
    let after = digests(directory.tags(&app).await.unwrap().all);
    assert_eq!(after[0], after[1]);
    assert_eq!(after[1], before[1]);
}

/// A robot of one project may not list projects.
#[tokio::test]
async fn harbor_robots_list_what_was_seen() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Harbor, &registry.host());
    stand_in.hide_catalog();
    let party = party_at(&stand_in, Vendor::Harbor, &[]);
    let directory = party.directory().unwrap();
    assert!(directory.repositories(&[]).await.is_err());
    let listed = directory.repositories(&["team/app".to_owned()]).await.unwrap();
    let names: Vec<String> = listed.all.into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["team/app", "team/web"]);
    assert_eq!(listed.gaps.len(), 1);
}

/// One that is not there, or may not be seen, hides no other; where none can be had, that is a failure.
#[tokio::test]
async fn one_of_several_may_fail() {
    let registry = registry();
    for (vendor, repositories, path, why) in [
        (
            Vendor::Artifactory,
            "docker-gone,docker-local",
            "docker-local",
            "the catalog of docker-gone: HOST does not have it",
        ),
        (
            Vendor::Harbor,
            "team,library",
            "repositories",
            "the repositories of team: HOST does not give it to the user reader",
        ),
        (
            Vendor::Nexus,
            "docker-gone,docker-hosted",
            "docker-hosted",
            "the components of docker-gone: HOST does not have it",
        ),
    ] {
        let stand_in = VendorStandIn::start(vendor, &registry.host());
        let party = party_at(&stand_in, vendor, &[("repository", repositories)]);
        let directory = party.directory().unwrap();
        if vendor == Vendor::Harbor {
            stand_in.plan("projects/team/repositories", 1, testkit::Fault::status(403));
        }
        let listed = directory.repositories(&[]).await.unwrap();
        let gaps: Vec<String> = listed.gaps.iter().map(ToString::to_string).collect();
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert!(gaps[0].replace(&stand_in.host(), "HOST").starts_with(why), "{gaps:?}");
        let base = listed.all.iter().any(|it| it.name.ends_with("library/base"));
        assert!(base, "{:?}", listed.all);
        stand_in.plan(path, 9, testkit::Fault::status(403));
        let failure = directory.repositories(&[]).await.unwrap_err();
        assert!(failure.wait.is_none(), "{failure}");
    }
}

#[tokio::test]
async fn nexus_goes_on_with_tokens() {
    let registry = FakeRegistry::start();
    for number in 0..25 {
        registry.push("team/app", &format!("v{number}"), &image());
        registry.push("team/app-two", &format!("v{number}"), &image());
    }
    let stand_in = VendorStandIn::start(Vendor::Nexus, &registry.host());
    let party = party_at(&stand_in, Vendor::Nexus, &[]);
    let directory = party.directory().unwrap();
    let repositories = directory.repositories(&[]).await.unwrap().all;
    let names: Vec<&str> = repositories.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["team/app", "team/app-two"]);
    let tags = directory.tags(&repositories[0]).await.unwrap();
    assert_eq!((tags.all.len(), tags.gaps.len()), (25, 0));
    assert!(tags.all.iter().all(|it| it.digest.is_some() && it.at.is_some()));
}

/// Who names a repository hears when there is none of that name; once it was seen, it may go.
#[tokio::test]
async fn one_that_was_named_and_is_not_there_is_told_of() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Harbor, &registry.host());
    let named = |vendor: Option<Vendor>, repository: &str| match vendor {
        Some(vendor) => party_at(&stand_in, vendor, &[("repository", repository)]),
        None => party("oci", &[("registry", &registry.host()), ("repository", repository)]),
    };
    for vendor in [None, Some(Vendor::Harbor)] {
        let party = named(vendor, "team/ap,team/ap");
        let gone = |name: &str| {
            let path = format!("team/repositories/{name}/artifacts");
            stand_in.plan(&path, usize::from(vendor.is_some()), testkit::Fault::status(404));
        };
        gone("ap");
        let (directory, kept) = (party.directory().unwrap(), Kept::default());
        let report = kept.look(directory, Backfill::None).await;
        assert_eq!((report.repositories, report.unlisted), (1, 1));
        assert!(report.hint.is_some() && report.or_failure().is_err());
        let party = named(vendor, "team/app");
        let directory = party.directory().unwrap();
        kept.look(directory, Backfill::None).await;
        gone("app");
        for tag in ["1", "2"] {
            registry.untag("team/app", tag);
        }
        assert_eq!(kept.look(directory, Backfill::None).await.gone, 2, "{vendor:?}");
        for tag in ["1", "2"] {
            registry.push("team/app", tag, &image());
        }
    }
    for name in ["team/app:v1", "Team", "team/app@sha256"] {
        let kind = integration::find("oci").unwrap();
        let given = [("registry", "r.example"), ("repository", name)];
        let given: Vec<_> = given.map(|(key, it)| (key.to_owned(), it.to_owned())).to_vec();
        let settled = kind.settle(&given, &|_| None).unwrap();
        let why = (kind.connect)(&settled, &super::ways()).err().unwrap();
        assert_eq!(why.to_string(), format!("repository: `{name}` is no name of one"));
    }
}
