//! csaf: CSAF 2.0 and 2.1 VEX. <https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>

use std::collections::BTreeMap;

use model::{Gap, Product, Statement};
use serde::Deserialize;

use crate::contract::{Document, Read, Unreadable};
use crate::shared::{head_of, status};

pub(crate) struct Csaf;

impl Document for Csaf {
    fn id(&self) -> &'static str {
        "csaf"
    }

    fn title(&self) -> &'static str {
        "CSAF 2.0 VEX"
    }

    fn claims(&self, bytes: &[u8]) -> bool {
        head_of(bytes).is_some_and(|it| it.is_csaf())
    }

    fn read(&self, origin: &str, bytes: &[u8]) -> Result<Read, Unreadable> {
        let file: File = serde_json::from_slice(bytes)
            .map_err(|e| Unreadable(format!("it is not CSAF: {e}")))?;
        let known = Products::of(&file.product_tree);
        let mut read = Read::default();
        for (number, flaw) in file.vulnerabilities.iter().enumerate() {
            let names: Vec<String> =
                flaw.cve.iter().cloned().chain(flaw.ids.iter().map(|it| it.text.clone())).collect();
            if names.is_empty() {
                let at = format!("{origin}, vulnerability {}", number + 1);
                read.gaps.push(Gap::new(at, "it has neither a CVE nor another id"));
                continue;
            }
            for (word, products) in &flaw.product_status {
                // `first_fixed`, `recommended` and their like repeat what the others say.
                let Some(status) = status(word) else { continue };
                for (said, products) in flaw.by_justification(products, &file.product_tree.groups) {
                    let (about, unknown) = known.named(&products);
                    for id in unknown {
                        let at = format!("{origin}, {}", names[0]);
                        let why = format!("the product `{id}` is not in its product tree");
                        read.gaps.push(Gap::new(at, why));
                    }
                    if about.is_empty() {
                        continue;
                    }
                    read.statements.push(Statement {
                        origin: origin.to_owned(),
                        document: file.document.tracking.id.clone(),
                        author: file.document.publisher.name.clone(),
                        said: file.document.tracking.current_release_date.clone(),
                        flaws: names.clone(),
                        products: about,
                        status,
                        justification: said.0,
                        note: said.1,
                        expires: None,
                    });
                }
            }
        }
        Ok(read)
    }
}

#[derive(Deserialize)]
struct File {
    document: Meta,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: Vec<Flaw>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    publisher: Publisher,
    #[serde(default)]
    tracking: Tracking,
}

#[derive(Default, Deserialize)]
struct Publisher {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Default, Deserialize)]
struct Tracking {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    current_release_date: Option<String>,
}

#[derive(Default, Deserialize)]
struct Tree {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    full_product_names: Vec<Named>,
    #[serde(default)]
    relationships: Vec<Relationship>,
    #[serde(default, rename = "product_groups")]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    product: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
    product_id: String,
    #[serde(default, rename = "product_identification_helper")]
    helper: Helper,
}

#[derive(Default, Deserialize)]
struct Helper {
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    purls: Vec<String>,
    #[serde(default)]
    cpe: Option<String>,
}

#[derive(Deserialize)]
struct Relationship {
    full_product_name: Named,
    product_reference: String,
    relates_to_product_reference: String,
}

#[derive(Deserialize)]
struct Group {
    group_id: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Flaw {
    #[serde(default)]
    cve: Option<String>,
    #[serde(default)]
    ids: Vec<OtherId>,
    #[serde(default)]
    product_status: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    flags: Vec<Remark>,
    #[serde(default)]
    threats: Vec<Remark>,
}

#[derive(Deserialize)]
struct OtherId {
    text: String,
}

/// A flag or a threat: something said about some of the products.
#[derive(Deserialize)]
struct Remark {
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    product_ids: Vec<String>,
    #[serde(default)]
    group_ids: Vec<String>,
}

/// Why something is said: the justification, and in the author's words.
type Why = (Option<String>, Option<String>);

impl Flaw {
    /// The products of one status, parted by what flags and threats say about them.
    fn by_justification<'a>(
        &self,
        products: &'a [String],
        groups: &[Group],
    ) -> BTreeMap<Why, Vec<&'a str>> {
        let members = |remark: &Remark| {
            let of_groups = groups.iter().filter(|it| remark.group_ids.contains(&it.group_id));
            let mut all: Vec<String> = remark.product_ids.clone();
            all.extend(of_groups.flat_map(|it| it.product_ids.iter().cloned()));
            all.sort_unstable();
            all
        };
        let flags: Vec<_> = self.flags.iter().map(|it| (it, members(it))).collect();
        let impacts = self.threats.iter().filter(|it| it.category.as_deref() == Some("impact"));
        let impacts: Vec<_> = impacts.map(|it| (it, members(it))).collect();
        let about = |list: &[(&Remark, Vec<String>)], product: &String| {
            let found = list.iter().find(|(_, members)| members.binary_search(product).is_ok());
            found.map(|(remark, _)| (remark.label.clone(), remark.details.clone()))
        };
        let mut parted: BTreeMap<Why, Vec<&str>> = BTreeMap::new();
        for product in products {
            let label = about(&flags, product).and_then(|(label, _)| label);
            let details = about(&impacts, product).and_then(|(_, details)| details);
            parted.entry((label, details)).or_default().push(product);
        }
        parted
    }
}

/// Every product id of a tree, with the names it goes by.
struct Products<'a> {
    named: BTreeMap<&'a str, Vec<String>>,
    /// A part, and the whole it is a part of.
    parts: BTreeMap<&'a str, (&'a str, &'a str)>,
}

impl<'a> Products<'a> {
    fn of(tree: &'a Tree) -> Self {
        let mut named = BTreeMap::new();
        let mut waiting: Vec<&Branch> = tree.branches.iter().collect();
        let mut all: Vec<&Named> = tree.full_product_names.iter().collect();
        while let Some(branch) = waiting.pop() {
            waiting.extend(&branch.branches);
            all.extend(&branch.product);
        }
        for product in all {
            named.insert(&*product.product_id, product.names());
        }
        let mut parts = BTreeMap::new();
        for it in &tree.relationships {
            let id = &*it.full_product_name.product_id;
            parts.insert(id, (&*it.product_reference, &*it.relates_to_product_reference));
            named.entry(id).or_insert_with(|| it.full_product_name.names());
        }
        Self { named, parts }
    }

    /// The products of these ids, and the ids that nobody explained.
    fn named<'b>(&self, ids: &[&'b str]) -> (Vec<Product>, Vec<&'b str>) {
        let mut wholes: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
        let mut products = Vec::new();
        let mut unknown = Vec::new();
        for id in ids {
            if let Some((part, whole)) = self.parts.get(id) {
                let part =
                    self.named.get(part).cloned().unwrap_or_else(|| vec![(*part).to_owned()]);
                wholes.entry(whole).or_default().push(part);
            } else if let Some(names) = self.named.get(id) {
                products.push(Product { names: names.clone(), ..Product::default() });
            } else {
                unknown.push(*id);
            }
        }
        for (whole, parts) in wholes {
            let names = self.named.get(whole).cloned().unwrap_or_else(|| vec![whole.to_owned()]);
            products.push(Product { names, parts, versions: None });
        }
        (products, unknown)
    }
}

impl Named {
    fn names(&self) -> Vec<String> {
        let helper = &self.helper;
        let mut names: Vec<String> =
            helper.purl.iter().chain(&helper.purls).chain(&helper.cpe).cloned().collect();
        // A name without an identifier may still be a reference or a package's name.
        names.push(if self.name.is_empty() { self.product_id.clone() } else { self.name.clone() });
        names
    }
}
