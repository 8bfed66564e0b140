//! What the tests speak with: short words for long values, and the law that nothing is orphaned.

use model::{
    Act, Deployment, Digest, Distro, Gap, ImageDescription, Inventory, LayerDescription, Moment,
    OrganisationId, Package, PackageKind, Place, Platform, Purl, Recording, SourcePackage, Subject,
};

use crate::{Page, Selection, Store, When};

/// A minute of one day, by somebody.
pub(super) fn at(minute: i64) -> Act {
    let day: Moment = "2026-11-21".parse().unwrap();
    let at = day.plus_seconds(minute * 60);
    Act { who: "ann".to_owned(), origin: "ci/17".to_owned(), at }
}

/// The digest whose bytes are all the same.
pub(super) fn digest(number: u8) -> Digest {
    Digest::from_sha256(&[number; 32])
}

pub(super) fn amd64() -> Platform {
    "linux/amd64".parse().unwrap()
}

/// `acme/web:v1` with that digest.
pub(super) fn image(name: &str, number: u8) -> Recording {
    let (repository, tag) = name.split_once(':').unwrap();
    Recording {
        application: None,
        platform: amd64(),
        repository: format!("docker.io/{repository}"),
        tag: Some(tag.to_owned()),
        digest: digest(number),
    }
}

/// The same, under an application's name.
pub(super) fn workload(application: &str, name: &str, number: u8) -> Recording {
    Recording { application: Some(application.to_owned()), ..image(name, number) }
}

pub(super) async fn acme(store: &Store) -> OrganisationId {
    let acme = store.create_organisation(&at(0), "acme").await.unwrap().id;
    for name in ["production", "staging"] {
        store.create_environment(&acme, &at(0), name).await.unwrap();
    }
    acme
}

pub(super) fn within(environment: &str) -> Selection {
    Selection { environment: Some(environment.to_owned()), ..Selection::default() }
}

/// What runs, or ran, a line each: `web v1 01 12:00-12:05`.
pub(super) async fn told(
    store: &Store,
    organisation: &OrganisationId,
    environment: &str,
    when: When,
) -> String {
    let selection = within(environment);
    let page = Page::first(1000);
    let paged = store.deployments(organisation, &selection, when, &page).await.unwrap();
    paged.rows.iter().map(tell).collect::<Vec<_>>().join("\n")
}

pub(super) fn tell(it: &Deployment) -> String {
    let application = it.application.replace("docker.io/acme/", "");
    let clock = |moment: Moment| moment.to_string().get(11..16).unwrap().to_owned();
    let until = it.until.map(clock).unwrap_or_default();
    let tag = it.tag.as_deref().unwrap_or("-");
    let pending = if it.pending { " pending" } else { "" };
    let number = it.digest.hex().get(..2).unwrap();
    format!("{application} {tag} {number} {}-{until} {}{pending}", clock(it.from), it.source)
}

/// An inventory of an image of layers: `base` packages from the first, `own` from the last, whose
/// database is written anew there.
pub(super) fn inventory(number: u8, base: &[&str], own: &[&str]) -> Inventory {
    let layer = |it: u8| LayerDescription {
        digest: Some(digest(it)),
        diff_id: Some(digest(it ^ 0x80)),
        media_type: "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(),
        created_by: Some("RUN something".to_owned()),
        ..LayerDescription::default()
    };
    let layers = vec![layer(0x41), layer(number)];
    let place = |first: u32, path: &str| Place {
        path: path.to_owned(),
        layer: Some(1),
        digest: layers.get(1).and_then(|it| it.digest.clone()),
        diff_id: layers.get(1).and_then(|it| it.diff_id.clone()),
        first_layer: Some(first),
    };
    let package = |purl: &str, first: u32| {
        let purl: Purl = purl.parse().unwrap();
        let path = if purl.kind() == "deb" { "/var/lib/dpkg/status" } else { "/app/lock.json" };
        let mut package = Package::new(purl);
        package.source = (package.purl.name() == "libssl3")
            .then(|| SourcePackage { name: "openssl".to_owned(), version: None });
        package.kind = if first == 0 { PackageKind::Installed } else { PackageKind::Declared };
        package.licenses = vec!["MIT".to_owned()];
        package.places = vec![place(first, path)];
        package
    };
    let base = base.iter().map(|it| package(it, 0));
    let own = own.iter().map(|it| package(it, 1));
    let packages = base.chain(own).collect();
    let description = ImageDescription {
        name: format!("docker.io/acme/web:{number}"),
        digest: Some(digest(number)),
        config: Some(digest(number.wrapping_add(1))),
        platform: amd64(),
        size: 1234,
        layers,
        ..ImageDescription::default()
    };
    Inventory {
        subject: Subject::Image(Box::new(description)),
        distro: Some(Distro { id: "debian".to_owned(), ..Distro::default() }),
        packages,
        statements: Vec::new(),
        gaps: vec![Gap::new("/app", "a hole")],
    }
    .in_order()
}

/// The law: no row without the rows that give it a meaning.
pub(crate) async fn no_orphans(store: &Store) {
    let laws = [
        (
            "a set that no image has",
            "SELECT id FROM package_sets s WHERE NOT EXISTS (SELECT 1 FROM image_sets i WHERE i.package_set = s.id)",
        ),
        (
            "a package that no set has",
            "SELECT id FROM packages p WHERE NOT EXISTS (SELECT 1 FROM set_packages s WHERE s.package = p.id)",
        ),
        (
            "a name that no package has",
            "SELECT package FROM package_names n WHERE NOT EXISTS (SELECT 1 FROM packages p WHERE p.id = n.package)",
        ),
        (
            "a package without a name",
            "SELECT id FROM packages p WHERE NOT EXISTS (SELECT 1 FROM package_names n WHERE n.package = p.id)",
        ),
        (
            "a member of no set",
            "SELECT package FROM set_packages p WHERE NOT EXISTS (SELECT 1 FROM package_sets s WHERE s.id = p.package_set)",
        ),
        (
            "a set of no image",
            "SELECT image FROM image_sets s WHERE NOT EXISTS (SELECT 1 FROM inventories i WHERE i.image = s.image)",
        ),
        (
            "an inventory of no image",
            "SELECT image FROM inventories v WHERE NOT EXISTS (SELECT 1 FROM images i WHERE i.id = v.image AND i.state = 'analysed')",
        ),
        (
            "an analysed image without an inventory",
            "SELECT id FROM images i WHERE i.state = 'analysed' AND NOT EXISTS (SELECT 1 FROM inventories v WHERE v.image = i.id)",
        ),
        (
            "a repository of no image",
            "SELECT image FROM image_repositories r WHERE NOT EXISTS (SELECT 1 FROM images i WHERE i.id = r.image)",
        ),
        (
            "an image of nobody",
            "SELECT id FROM images i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "a tag of nobody",
            "SELECT id FROM tags i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "an event of nobody",
            "SELECT id FROM events i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "a repository of nobody",
            "SELECT name FROM repositories i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "a member of nothing",
            "SELECT person FROM members m WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = m.organisation) OR NOT EXISTS (SELECT 1 FROM users u WHERE u.id = m.person)",
        ),
        (
            "a session of nobody",
            "SELECT id FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.person)",
        ),
        (
            "a token of nobody",
            "SELECT id FROM tokens t WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.person) AND NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = t.organisation)",
        ),
        (
            "an invitation of nobody",
            "SELECT id FROM invitations i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "an answer to nobody",
            "SELECT key FROM idempotency_keys t WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.person) AND NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = t.organisation)",
        ),
        (
            "a setting of nobody",
            "SELECT key FROM settings i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "a secret of nobody",
            "SELECT name FROM secrets i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "an integration of nobody",
            "SELECT id FROM integrations i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "a notice of no integration",
            "SELECT id FROM notices n WHERE NOT EXISTS (SELECT 1 FROM integrations i WHERE i.id = n.integration)",
        ),
        (
            "a tag that nobody watches",
            "SELECT tag FROM watched_tags w WHERE NOT EXISTS (SELECT 1 FROM integrations i WHERE i.id = w.integration)",
        ),
        (
            "an image that nobody watches",
            "SELECT digest FROM watched_images w WHERE NOT EXISTS (SELECT 1 FROM integrations i WHERE i.id = w.integration)",
        ),
        (
            "a repository that nobody awaits",
            "SELECT repository FROM awaited_repositories w WHERE NOT EXISTS (SELECT 1 FROM integrations i WHERE i.id = w.integration)",
        ),
        (
            "an integration that miscounts",
            "SELECT id FROM integrations i WHERE waiting <> (SELECT COUNT(*) FROM notices n WHERE n.integration = i.id AND n.since = i.address_since AND n.state = 'waiting')",
        ),
        (
            "a rule of nobody",
            "SELECT id FROM rules r WHERE NOT EXISTS (SELECT 1 FROM integrations i WHERE i.id = r.integration AND i.organisation = r.organisation) OR NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = r.organisation)",
        ),
        (
            "a rule whose events nobody looks through",
            "SELECT id FROM rules r WHERE NOT EXISTS (SELECT 1 FROM told_until t WHERE t.organisation = r.organisation)",
        ),
        (
            "a message by no channel",
            "SELECT id FROM outbox m WHERE NOT EXISTS (SELECT 1 FROM integrations i WHERE i.id = m.integration AND i.organisation = m.organisation)",
        ),
        (
            "a message of no rule",
            "SELECT id FROM outbox m WHERE m.rule IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rules r WHERE r.id = m.rule)",
        ),
        (
            "something that no rule told",
            "SELECT what FROM told t WHERE NOT EXISTS (SELECT 1 FROM rules r WHERE r.id = t.rule)",
        ),
        (
            "a schedule of nobody",
            "SELECT id FROM schedules i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "a stale feed of nobody",
            "SELECT feed FROM stale_feeds i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "policies of nobody",
            "SELECT id FROM policy_sets i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "two versions in force",
            "SELECT a.id FROM policy_sets a JOIN policy_sets b ON a.organisation = b.organisation AND COALESCE(a.environment, '') = COALESCE(b.environment, '') AND a.id <> b.id AND a.in_force = 1 AND b.in_force = 1",
        ),
        (
            "a verdict of nobody",
            "SELECT digest FROM policy_verdicts i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "a judging of nowhere",
            "SELECT stance FROM policy_judgings j WHERE NOT EXISTS (SELECT 1 FROM environments e WHERE e.id = j.environment)",
        ),
        (
            "an evaluation of nobody",
            "SELECT almanac FROM evaluations i WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = i.organisation)",
        ),
        (
            "a count of nowhere",
            "SELECT at FROM environment_counts c WHERE NOT EXISTS (SELECT 1 FROM environments e WHERE e.id = c.environment)",
        ),
        (
            "an environment that miscounts",
            "SELECT id FROM environments e WHERE running <> (SELECT COUNT(*) FROM deployments d WHERE d.environment = e.id AND d.until_at IS NULL)",
        ),
        (
            "a deployment known as another image",
            "SELECT id FROM deployments d WHERE analysed IS NOT NULL AND NOT EXISTS (SELECT 1 FROM images i WHERE i.id = d.analysed AND i.organisation = d.organisation AND i.digest = d.digest AND i.state = 'analysed')",
        ),
        ("an event without a turn", "SELECT id FROM events WHERE turn < 1"),
        (
            "a deployment of nowhere",
            "SELECT id FROM deployments d WHERE NOT EXISTS (SELECT 1 FROM environments e WHERE e.id = d.environment AND e.organisation = d.organisation)",
        ),
        (
            "a deployment that ended before it began",
            "SELECT id FROM deployments WHERE until_at <= from_at",
        ),
        (
            "two deployments of one key at one time",
            "SELECT a.id FROM deployments a JOIN deployments b ON a.environment = b.environment AND a.slot = b.slot AND a.application = b.application AND a.platform = b.platform AND a.id <> b.id AND a.from_at <= b.from_at AND (a.until_at IS NULL OR a.until_at > b.from_at)",
        ),
    ];
    for (law, sql) in laws {
        let rows = store.db.rows(sql, vec![]).await.unwrap();
        assert!(rows.is_empty(), "{} times {law}", rows.len());
    }
}

/// How the database goes about a statement, as it tells itself.
pub(super) async fn plan(store: &Store, statement: &str) -> String {
    let (explain, column) = if store.db.is_file() {
        ("EXPLAIN QUERY PLAN", "detail")
    } else {
        ("EXPLAIN", "QUERY PLAN")
    };
    let rows = store.db.few(format!("{explain} {statement}"), vec![]).await.unwrap();
    rows.iter().map(|it| it.text(column).unwrap()).collect::<Vec<_>>().join("\n")
}

/// Rows of a table.
pub(super) async fn rows(store: &Store, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS rows FROM {table}");
    store.db.row(sql, vec![]).await.unwrap().unwrap().int("rows").unwrap()
}
