//! Is a package what a statement is about? Leniently, with a reason where it is not.

use ecosystem::{order, range};
use model::{Inventory, Package, Product, Purl, Space, filed_name};

use super::Fit;
use super::image::Identity;
use super::index::Names;
use crate::scope::Cpe;

/// Anything at all.
pub(super) const ANYTHING: u8 = 1;
/// Whatever the statement travels with.
pub(super) const COMPANION: u8 = 2;
/// A product that is the distribution, or a package that holds this one.
pub(super) const AROUND: u8 = 6;
/// The package in any version, more than all that is around it.
const PACKAGE: u8 = 10;
/// The package in this version.
const VERSION: u8 = 20;

/// How well one of these products fits.
pub(super) fn fit(
    products: &[Product],
    package: &Package,
    image: &Identity,
    names: &Names<'_>,
    inventory: &Inventory,
) -> Fit {
    if products.is_empty() {
        return Ok(COMPANION);
    }
    best(products.iter().map(|it| fit_product(it, package, image, names, inventory)))
}

/// The best; with none, the first reason.
fn best(fits: impl Iterator<Item = Fit>) -> Fit {
    let mut best: Option<u8> = None;
    let mut reason: Option<String> = None;
    for fit in fits {
        match fit {
            Ok(fit) => best = best.max(Some(fit)),
            Err(why) => reason = reason.or(Some(why)),
        }
    }
    best.ok_or_else(|| reason.unwrap_or_else(|| "it names nothing".to_owned()))
}

fn fit_product(
    product: &Product,
    package: &Package,
    image: &Identity,
    names: &Names<'_>,
    inventory: &Inventory,
) -> Fit {
    let has_parts = !product.parts.is_empty();
    let whole = best(product.names.iter().map(|name| {
        if name == "*" {
            Ok(ANYTHING)
        } else if let Some(fit) = image.fit(name) {
            fit
        } else if name.starts_with("cpe:") {
            fit_cpe(name, package, inventory)
        } else if has_parts && names.holds(name) {
            Ok(AROUND)
        } else if has_parts {
            Err(format!("product {name} is not in this image"))
        } else {
            fit_package(name, package)
        }
    }))?;
    if let Some(range) = &product.versions {
        in_range(range, package)?;
    }
    if !has_parts {
        return Ok(whole);
    }
    let part = best(product.parts.iter().flatten().map(|name| match name.as_str() {
        "*" => Ok(0),
        name if name.starts_with("cpe:") => fit_cpe(name, package, inventory),
        name => fit_package(name, package),
    }))?;
    Ok(whole.saturating_add(part))
}

pub(super) fn fit_cpe(name: &str, package: &Package, inventory: &Inventory) -> Fit {
    let Some(wanted) = Cpe::parse(name) else {
        return Err(format!("product {name} is no CPE that can be read"));
    };
    let covers = |it: &str| Cpe::parse(it).is_some_and(|it| wanted.covers(&it));
    if package.cpes.iter().any(|it| covers(it)) {
        return Ok(VERSION);
    }
    let system = inventory.distro.as_ref().and_then(|it| it.cpe.as_deref());
    if system.is_some_and(covers) {
        return Ok(AROUND);
    }
    Err(format!("product {name} is none of the CPEs of this package or image"))
}

/// Is the package the one of that name, or built from it?
pub(super) fn fit_package(name: &str, package: &Package) -> Fit {
    let Ok(wanted) = name.parse::<Purl>() else {
        return Err(format!("product {name} is not understood"));
    };
    let purl = &package.purl;
    let not = |why: String| Err(format!("product {name} is not this package ({why})"));
    if wanted.kind() != purl.kind() {
        return not(format!("type is {}", purl.kind()));
    }
    let filed = |it: &Purl| filed_name(it.kind(), &it.full_name()).into_owned();
    let is_own = filed(&wanted) == filed(purl)
        || (wanted.namespace().is_none()
            && crate::spaces::is_system(purl.kind())
            && wanted.name() == purl.name());
    let source = package.source.as_ref().filter(|it| it.name == wanted.name());
    if !is_own && source.is_none() {
        return not(format!("name is {}", purl.full_name()));
    }
    if let (Some(wanted), Some(own)) = (wanted.namespace(), purl.namespace())
        && !is_own
        && wanted != own
    {
        return not(format!("it is of {own}"));
    }
    for key in ["arch", "classifier", "type", "platform"] {
        if let (Some(wanted), Some(own)) = (wanted.qualifier(key), purl.qualifier(key))
            && wanted != own
            && !matches!(wanted, "src" | "source" | "*")
        {
            return not(format!("{key} is {own}"));
        }
    }
    let Some(version) = wanted.version().filter(|it| *it != "*") else { return Ok(PACKAGE) };
    let own = purl.version().unwrap_or_default();
    let epoch = purl.qualifier("epoch").map(|it| format!("{it}:{own}"));
    let source = source.and_then(|it| it.version.as_deref());
    let same = [Some(own), epoch.as_deref(), source]
        .into_iter()
        .flatten()
        .any(|it| is_same_version(purl.kind(), version, it));
    if same { Ok(VERSION) } else { not(format!("version is {own}")) }
}

fn is_same_version(kind: &str, left: &str, right: &str) -> bool {
    let bare = |it: &str| {
        let it = it.strip_prefix("go").unwrap_or(it);
        it.strip_prefix('v').unwrap_or(it).to_owned()
    };
    left == right
        || (kind == "golang" && bare(left) == bare(right))
        || order::of(&Space::of(kind))
            .and_then(|it| it.compare(left, right).ok())
            .is_some_and(std::cmp::Ordering::is_eq)
}

/// Is the package's version in that range?
pub(super) fn in_range(range: &str, package: &Package) -> Result<(), String> {
    let version = package.purl.version().unwrap_or_default();
    let kind = package.purl.kind();
    let cannot =
        |why: String| format!("its range {range} cannot be compared with {version}: {why}");
    let order = range::order_of(kind).map_err(cannot)?;
    let spans = range::parse(kind, range).map_err(|why| cannot(why.to_string()))?;
    match range::contains(order, &spans, version) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("version {version} is not in its range {range}")),
        Err(why) => Err(cannot(why.to_string())),
    }
}
