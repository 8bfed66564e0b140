//! Packages from evidence: placed, proven, licensed, each told once.

use std::collections::HashMap;

use model::{Evidence, LayerDescription, LayerInventory, Package, PackageKind, Place, Purl};

use super::Seen;
use super::sight::Sight;

/// Every package of every visible file, with the number of its evidence and its place.
pub(super) fn gather(
    layers: &[Option<&LayerInventory>],
    descriptions: &[LayerDescription],
    seen: &[Seen<'_>],
) -> Vec<(usize, Package)> {
    let firsts = firsts(layers);
    let mut packages = Vec::new();
    for (number, it) in seen.iter().enumerate() {
        let description = descriptions.get(it.layer);
        let place = |inside: &str, first: usize| Place {
            path: match inside.trim_start_matches('/') {
                "" => format!("/{}", it.path),
                inside => format!("/{}!/{inside}", it.path),
            },
            layer: description.and(u32::try_from(it.layer).ok()),
            digest: description.and_then(|it| it.digest.clone()),
            diff_id: description.and_then(|it| it.diff_id.clone()),
            first_layer: description.and(u32::try_from(first).ok()),
        };
        for package in &it.evidence.found.packages {
            let key = (it.evidence.path.as_str(), &package.purl);
            let first = firsts.get(&key).map_or(it.layer, |first| it.layer.min(*first));
            let mut package = package.clone();
            package.places = if package.places.is_empty() {
                vec![place("", first)]
            } else {
                package.places.iter().map(|inside| place(&inside.path, first)).collect()
            };
            packages.push((number, package));
        }
    }
    packages
}

/// The lowest layer in which a file that several layers hold lists a package.
fn firsts<'a>(layers: &[Option<&'a LayerInventory>]) -> HashMap<(&'a str, &'a Purl), usize> {
    let mut files: HashMap<&str, Vec<(usize, &Evidence)>> = HashMap::new();
    for (number, layer) in layers.iter().enumerate() {
        for evidence in layer.map_or(&[][..], |it| &it.evidence) {
            files.entry(&evidence.path).or_default().push((number, evidence));
        }
    }
    let mut firsts = HashMap::new();
    for (path, versions) in files.into_iter().filter(|(_, versions)| versions.len() > 1) {
        for (number, evidence) in versions {
            for package in &evidence.found.packages {
                firsts.entry((path, &package.purl)).or_insert(number);
            }
        }
    }
    firsts
}

/// A package none of whose proofs exists is only declared. With a layer missing, nobody knows.
pub(super) fn demote_unproven(packages: &mut [(usize, Package)], sight: &Sight<'_>) {
    for (_, package) in packages {
        let proof = std::mem::take(&mut package.proof);
        let proven = proof.is_empty()
            || sight.is_partial()
            || proof.iter().any(|it| sight.layer_of(it.trim_start_matches('/')).is_some());
        if !proven && matches!(package.kind, PackageKind::Installed | PackageKind::Vendored) {
            package.kind = PackageKind::Declared;
        }
    }
}

/// The same purl with the same kind of evidence is one package.
pub(super) fn merge(packages: Vec<(usize, Package)>) -> Vec<Package> {
    let mut packages: Vec<Package> = packages.into_iter().map(|(_, package)| package).collect();
    packages.sort_by(|left, right| {
        (&left.purl, left.kind, &left.places).cmp(&(&right.purl, right.kind, &right.places))
    });
    let mut merged: Vec<Package> = Vec::with_capacity(packages.len());
    for package in packages {
        match merged.last_mut() {
            Some(last) if last.purl == package.purl && last.kind == package.kind => {
                absorb(last, package);
            }
            // A document about a package that is there: one more place, not one more package.
            Some(last) if last.purl == package.purl && package.kind == PackageKind::Attested => {
                last.places.extend(package.places);
            }
            _ => merged.push(package),
        }
    }
    for package in &mut merged {
        package.places.sort();
        package.places.dedup();
    }
    merged
}

fn absorb(package: &mut Package, other: Package) {
    package.places.extend(other.places);
    for (mine, theirs) in [(&mut package.licenses, other.licenses), (&mut package.cpes, other.cpes)]
    {
        for it in theirs {
            if !mine.contains(&it) {
                mine.push(it);
            }
        }
    }
    // A copy that nobody owns must not vanish behind one that somebody does.
    package.owner = package.owner.take().filter(|_| other.owner.is_some());
    package.source = package.source.take().or(other.source);
    package.author = package.author.take().or(other.author);
    package.description = package.description.take().or(other.description);
    package.url = package.url.take().or(other.url);
    package.size = package.size.or(other.size);
    package.installed_size = package.installed_size.or(other.installed_size);
}

/// Gives packages without a licence the one that another file states.
pub(super) fn license(seen: &[Seen<'_>], packages: &mut [Package]) {
    let mut stated: HashMap<(&str, &str), &[String]> = HashMap::new();
    for remark in seen.iter().flat_map(|it| &it.evidence.found.remarks) {
        stated.entry((&remark.ecosystem, &remark.package)).or_insert(&remark.licenses);
    }
    for package in packages.iter_mut().filter(|it| it.licenses.is_empty()) {
        let purl = &package.purl;
        let full_name = purl.full_name();
        let names = [purl.name(), &full_name];
        if let Some(licenses) = names.iter().find_map(|it| stated.get(&(purl.kind(), *it))) {
            package.licenses = licenses.to_vec();
        }
    }
}
