//! The product tree: from an id in a document to a platform and what is part of it.

use std::cell::RefCell;
use std::collections::HashMap;

use super::component::{self, Component, Named};
use super::csaf::{Branch, Product, ProductTree, Relationship};
use super::platform::Platform;

/// Products and how they hang together, by id.
pub(super) struct Tree<'a> {
    products: HashMap<&'a str, &'a Product<'a>>,
    relationships: HashMap<&'a str, &'a Relationship<'a>>,
    platforms: RefCell<HashMap<&'a str, Result<Platform, String>>>,
}

/// What an id names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A package on a platform.
    Package(Platform, Component),
    /// A product as a whole, or something that no image holds as a package.
    Nothing,
}

/// A module in a product is one step; nobody needs more than two.
const STEPS: usize = 5;

impl<'a> Tree<'a> {
    pub(super) fn new(tree: &'a ProductTree<'a>) -> Self {
        let mut products = HashMap::new();
        let mut open: Vec<&Branch<'a>> = tree.branches.iter().collect();
        while let Some(branch) = open.pop() {
            open.extend(&branch.branches);
            if let Some(product) = &branch.product {
                products.insert(&*product.product_id, product);
            }
        }
        products.extend(tree.full_product_names.iter().map(|it| (&*it.product_id, it)));
        let relationships =
            tree.relationships.iter().map(|it| (&*it.full_product_name.product_id, it)).collect();
        Self { products, relationships, platforms: RefCell::default() }
    }

    /// What the id names, or why that cannot be told.
    pub(super) fn find(&self, id: &str) -> Result<Found, String> {
        let Some(relationship) = self.relationships.get(id) else {
            return match self.products.get(id) {
                Some(_) => Ok(Found::Nothing),
                None => Err("it is not in the product tree".to_owned()),
            };
        };
        let mut part = &*relationship.product_reference;
        for _ in 0..STEPS {
            let Some(deeper) = self.relationships.get(part) else { break };
            part = &deeper.product_reference;
        }
        let mut module = None;
        let mut whole = &*relationship.relates_to_product_reference;
        for _ in 0..STEPS {
            let Some(higher) = self.relationships.get(whole) else { break };
            module = module.or_else(|| self.module(&higher.product_reference));
            whole = &higher.relates_to_product_reference;
        }
        let platform = self.platform(whole)?;
        let mut component = match self.component(part, &platform) {
            Named::Component(component) => component,
            Named::Nothing => return Ok(Found::Nothing),
            Named::Bad(why) => return Err(why),
        };
        component.module = component.module.or(module);
        Ok(Found::Package(platform, component))
    }

    fn module(&self, id: &str) -> Option<String> {
        let helper = &self.products.get(id)?.product_identification_helper;
        component::module_of_purl(helper.purl.as_deref()?)
    }

    fn platform(&self, id: &'a str) -> Result<Platform, String> {
        let known = || match self.products.get(id) {
            None => Err("its product is not in the product tree".to_owned()),
            Some(product) => match &product.product_identification_helper.cpe {
                None => Err("its product has no CPE".to_owned()),
                Some(cpe) => Platform::of(cpe, &product.name, id)
                    .ok_or_else(|| "the CPE of its product is none".to_owned()),
            },
        };
        self.platforms.borrow_mut().entry(id).or_insert_with(known).clone()
    }

    fn component(&self, id: &str, platform: &Platform) -> Named {
        let purl = match self.products.get(id) {
            None => return Named::Bad("its part is not in the product tree".to_owned()),
            Some(product) => product.product_identification_helper.purl.as_deref(),
        };
        match purl {
            Some(purl) => component::of_purl(purl),
            // Of a layered product it is a jar or a file, of Enterprise Linux itself a package.
            None if platform.product.is_some() => Named::Nothing,
            None => component::of_id(id),
        }
    }
}
