//! Layers stacked: what is still to be seen of each, joined to one inventory.

use ecosystem::Cataloger;
use model::{
    Distro, Evidence, Gap, Inventory, LayerDescription, LayerInventory, Package, Statement, Subject,
};

use crate::claims::Claims;
use crate::os_release;

mod distribution;
mod links;
mod owners;
mod packages;
mod sight;
#[cfg(test)]
mod tests;

use sight::Sight;

/// What the layers of an image say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stacked {
    /// What it is built on.
    pub distro: Option<Distro>,
    /// Each purl and kind once, with all places.
    pub packages: Vec<Package>,
    /// What documents inside say about flaws.
    pub statements: Vec<Statement>,
    /// Holes.
    pub gaps: Vec<Gap>,
    /// Links to databases that were not read where they lead: read these layers again with
    /// [`crate::ReadOptions::extra`] and stack again, until there are none (a link may lead to a
    /// link; eight times are enough for honest ones).
    pub missing: Vec<Missing>,
}

/// A file that should be read as if it were at another path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Number of the layer that holds it.
    pub layer: usize,
    /// Where it is.
    pub path: String,
    /// The claimed path that leads there.
    pub pretend: String,
}

/// Stacks layers, bottom first. `None` is a layer that was not read: that is a gap.
/// A directory is a single layer with a description of nothing.
pub fn stack(layers: &[Option<&LayerInventory>], descriptions: &[LayerDescription]) -> Stacked {
    Claims::all().stack(layers, descriptions)
}

impl Claims {
    /// Stacks layers that were read with these claims.
    pub fn stack(
        &self,
        layers: &[Option<&LayerInventory>],
        descriptions: &[LayerDescription],
    ) -> Stacked {
        let sight = Sight::new(layers);
        let mut stacked = Stacked { gaps: layer_gaps(layers, descriptions), ..Stacked::default() };
        let mut seen = visible(layers, &sight);
        links::follow(self, layers, &sight, &mut seen, &mut stacked);

        stacked.distro = distribution::of(&seen);
        let known = stacked.distro.is_some();
        let told = seen.iter().filter(|it| !(known && it.is_by(&os_release::CATALOGER)));
        stacked.gaps.extend(told.flat_map(|it| {
            it.evidence.found.gaps.iter().map(|gap| from_the_root(gap, &it.evidence.path))
        }));

        stacked.statements =
            seen.iter().flat_map(|it| it.evidence.found.statements.clone()).collect();
        let mut packages = packages::gather(layers, descriptions, &seen);
        packages::demote_unproven(&mut packages, &sight);
        distribution::name_packages(stacked.distro.as_ref(), &mut packages, &mut stacked.gaps);
        owners::join(&seen, &mut packages);
        stacked.packages = packages::merge(packages);
        packages::license(&seen, &mut stacked.packages);
        distribution::look_for_holes(&mut stacked);
        stacked
    }
}

impl Stacked {
    /// The inventory of `subject`. What is still missing is a gap.
    pub fn into_inventory(self, subject: Subject) -> Inventory {
        let Self { distro, packages, statements, mut gaps, missing } = self;
        gaps.extend(missing.into_iter().map(|Missing { path, pretend, .. }| {
            Gap::new(pretend, format!("it leads to {path}, which was not read"))
        }));
        Inventory { subject, distro, packages, statements, gaps }.in_order()
    }
}

/// Evidence that no higher layer hides.
struct Seen<'a> {
    layer: usize,
    /// Where it is to be seen: for a hard link whose first name is gone, another name.
    path: &'a str,
    evidence: &'a Evidence,
}

impl Seen<'_> {
    fn is_by(&self, cataloger: &Cataloger) -> bool {
        self.evidence.cataloger == cataloger.id
    }
}

/// Catalogers name paths as archives do; people read them from the root, as places are.
fn from_the_root(gap: &Gap, path: &str) -> Gap {
    let at = if gap.at.starts_with(path) { format!("/{}", gap.at) } else { gap.at.clone() };
    Gap { at, why: gap.why.clone() }
}

fn visible<'a>(layers: &[Option<&'a LayerInventory>], sight: &Sight<'_>) -> Vec<Seen<'a>> {
    let layers = layers.iter().enumerate().filter_map(|(number, it)| Some((number, (*it)?)));
    layers
        .flat_map(|(layer, inventory)| inventory.evidence.iter().map(move |it| (layer, it)))
        .filter(|(layer, evidence)| !sight.is_hidden(&evidence.path, *layer))
        .map(|(layer, evidence)| Seen { layer, path: &evidence.path, evidence })
        .collect()
}

fn layer_gaps(layers: &[Option<&LayerInventory>], descriptions: &[LayerDescription]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let Some(layer) = layer else {
            let description = descriptions.get(number);
            let absent = description.and_then(|it| it.absent.as_deref());
            let digest = description.and_then(|it| it.digest.as_ref().or(it.diff_id.as_ref()));
            let name = digest.map_or_else(String::new, |it| format!(" ({})", it.short()));
            let why = absent.unwrap_or("its content is not known");
            gaps.push(Gap::new(format!("layer {number}{name}"), why));
            continue;
        };
        gaps.extend(layer.gaps.iter().cloned());
    }
    gaps
}
