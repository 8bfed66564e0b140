//! Packages: which there are, which images have them, and where those run.

use std::collections::BTreeMap;

use model::{OrganisationId, Package, PackageKind, Purl, SourcePackage};

use crate::contract::{Error, KnownPackage, Running, SetPackage, Sought};
use crate::db::{Query, Row, runs, values};
use crate::inventories::name_key;
use crate::{Store, deployments};

impl Store {
    /// The packages meant that some image of the organisation has, by purl.
    pub async fn known_packages(
        &self,
        organisation: &OrganisationId,
        sought: &Sought,
    ) -> Result<Vec<KnownPackage>, Error> {
        let name = match sought {
            Sought::Named(name) => name_key(name),
            Sought::Purl(purl) => name_key(&purl.full_name()),
        };
        let mut tx = self.db.read().await?;
        tx.expect_few().await?;
        let rows = tx
            .rows(
                format!(
                    "{SELECT} JOIN package_names n ON n.package = p.id
                     WHERE n.name = $2 AND EXISTS
                         (SELECT 1 FROM set_packages t
                          JOIN image_sets s ON s.package_set = t.package_set
                          JOIN images i ON i.id = s.image
                          WHERE t.package = p.id AND i.organisation = $1)"
                ),
                values![&organisation.0, name],
            )
            .await?;
        let mut packages: Vec<KnownPackage> = rows.iter().map(read).collect::<Result<_, _>>()?;
        if let Sought::Purl(purl) = sought {
            packages.retain(|it| fits(&it.package.purl, purl));
        }
        packages.sort_by(|left, right| {
            let key = |it: &KnownPackage| (it.package.purl.clone(), it.number);
            key(left).cmp(&key(right))
        });
        Ok(packages)
    }

    /// The packages that go by any of these names, whoever has them.
    pub async fn packages_called(&self, names: &[String]) -> Result<Vec<KnownPackage>, Error> {
        let mut names: Vec<String> = names.iter().map(|it| name_key(it)).collect();
        names.sort_unstable();
        names.dedup();
        let mut found = BTreeMap::new();
        let mut tx = self.db.read().await?;
        tx.expect_few().await?;
        for run in runs(&names) {
            let mut query = Query::new(SELECT, vec![]);
            query.then("WHERE p.id IN (SELECT n.package FROM package_names n");
            query.with_all("WHERE n.name IN $?)", run);
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                let known = read(&row)?;
                found.insert(known.number, known);
            }
        }
        Ok(found.into_values().collect())
    }

    /// Which sets have any of these packages, by set and package.
    pub async fn sets_with(&self, packages: &[i64]) -> Result<Vec<SetPackage>, Error> {
        let mut found = Vec::new();
        let mut tx = self.db.read().await?;
        tx.expect_few().await?;
        for run in runs(packages) {
            let mut query =
                Query::new("SELECT package_set, package FROM set_packages WHERE", vec![]);
            query.with_all("package IN $?", run);
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                found.push(set_package(&row)?);
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Where packages run, by package, environment and application.
    pub async fn running_with(
        &self,
        organisation: &OrganisationId,
        packages: &[i64],
    ) -> Result<Vec<Running>, Error> {
        let mut found = Vec::new();
        let mut tx = self.db.read().await?;
        tx.expect_few().await?;
        for run in runs(packages) {
            let text = format!(
                "SELECT DISTINCT t.package, {}
                 FROM set_packages t CROSS JOIN image_sets s CROSS JOIN images i
                 CROSS JOIN deployments d CROSS JOIN environments e",
                deployments::COLUMNS
            );
            let mut query = Query::new(&text, vec![]);
            // SQLite joins in this order, because they are cross joins: from the few to the many,
            // which it would not guess. PostgreSQL counts, and decides for itself.
            query.then("WHERE s.package_set = t.package_set AND i.id = s.image");
            query.then("AND d.organisation = i.organisation AND d.digest = i.digest");
            query.then("AND e.id = d.environment AND d.until_at IS NULL");
            query.with("AND i.organisation = $?", &organisation.0);
            query.with_all("AND t.package IN $?", run);
            query.then("ORDER BY t.package, e.name, d.application, d.platform, d.slot");
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                let deployment = deployments::read(&row)?;
                found.push(Running { package: row.int("package")?, deployment });
            }
        }
        Ok(found)
    }
}

impl Store {
    /// In which environments, and of which repositories, images run that have any of these packages.
    pub async fn repositories_with(
        &self,
        organisation: &OrganisationId,
        packages: &[i64],
    ) -> Result<Vec<(String, String)>, Error> {
        let mut found = Vec::new();
        let mut tx = self.db.read().await?;
        tx.expect_few().await?;
        for run in runs(packages) {
            let mut query = Query::new(
                "SELECT DISTINCT e.name AS environment, d.repository
                 FROM set_packages t CROSS JOIN image_sets s CROSS JOIN images i
                 CROSS JOIN deployments d CROSS JOIN environments e
                 WHERE s.package_set = t.package_set AND i.id = s.image
                 AND d.organisation = i.organisation AND d.digest = i.digest
                 AND e.id = d.environment AND d.until_at IS NULL",
                vec![],
            );
            query.with("AND i.organisation = $?", &organisation.0);
            query.with_all("AND t.package IN $?", run);
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                found.push((row.text("environment")?, row.text("repository")?));
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Is `purl` what `sought` means? What `sought` does not say may be anything.
fn fits(purl: &Purl, sought: &Purl) -> bool {
    purl.kind() == sought.kind()
        && purl.full_name() == sought.full_name()
        && sought.version().is_none_or(|it| purl.version() == Some(it))
        && sought.qualifiers().all(|(key, value)| purl.qualifier(key) == Some(value))
        && sought.subpath().is_none_or(|it| purl.subpath() == Some(it))
}

fn set_package(row: &Row) -> Result<SetPackage, Error> {
    Ok(SetPackage { set: row.int("package_set")?, package: row.int("package")? })
}

/// What is read of a package.
pub(crate) const SELECT: &str =
    "SELECT p.id, p.purl, p.source, p.kind, p.source_version, p.author, p.owner FROM packages p";

/// A row with a package's columns.
pub(crate) fn read(row: &Row) -> Result<KnownPackage, Error> {
    let number = row.int("id")?;
    let kind = row.maybe_text("kind")?;
    // Its set could not be read when this column was filled in.
    let kind = kind.as_deref().and_then(PackageKind::parse).ok_or_else(|| Error::Corrupt {
        what: format!("package {number}"),
        why: "nobody knows of what kind it is".to_owned(),
    })?;
    let mut package = Package::new(row.parsed("purl")?).of_kind(kind);
    let version = row.maybe_text("source_version")?;
    package.source = row.maybe_text("source")?.map(|name| SourcePackage { name, version });
    package.author = row.maybe_text("author")?;
    package.owner = match row.maybe_text("owner")? {
        Some(_) => Some(row.parsed("owner")?),
        None => None,
    };
    Ok(KnownPackage { number, package })
}
