//! csaf: CSAF 2.0 and 2.1 VEX. <https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>

use std::collections::{BTreeMap, HashMap, HashSet};

use model::{Product, Statement};
use serde::Deserialize;

use crate::contract::{Document, Read, Unreadable};
use crate::room::{PRODUCT, Room, weight_of};
use crate::shared::{head_of, said, status};

pub(crate) struct Csaf;

impl Document for Csaf {
    fn id(&self) -> &'static str {
        "csaf"
    }

    fn title(&self) -> &'static str {
        "CSAF 2.0 VEX"
    }

    fn claims(&self, bytes: &[u8]) -> bool {
        head_of(bytes).is_some_and(|it| it.is_csaf)
    }

    fn read(&self, origin: &str, bytes: &[u8]) -> Result<Read, Unreadable> {
        let file: File = serde_json::from_slice(bytes)
            .map_err(|e| Unreadable(format!("it is not CSAF: {e}")))?;
        let known = Products::of(&file.product_tree);
        let mut read = Read::default();
        let mut room = Room::of(bytes);
        for (number, flaw) in file.vulnerabilities.iter().enumerate() {
            let names: Vec<String> =
                flaw.cve.iter().cloned().chain(flaw.ids.iter().map(|it| it.text.clone())).collect();
            let Some(name) = names.first() else {
                let at = format!("{origin}, vulnerability {}", number + 1);
                read.hole(at, "it has neither a CVE nor another id");
                continue;
            };
            let Some(remarks) = Remarks::of(flaw, &known, &mut room) else {
                room.leave_out();
                continue;
            };
            for (word, products) in &flaw.product_status {
                // `first_fixed`, `recommended` and their like repeat what the others say.
                let Some(status) = status(word) else { continue };
                for ((justification, note), products) in remarks.parted(products) {
                    let Some((about, unknown)) = known.named(&products, &room) else {
                        room.leave_out();
                        continue;
                    };
                    for id in unknown {
                        let at = format!("{origin}, {}", said(name));
                        let why = format!("the product `{}` is not in its product tree", said(id));
                        read.hole(at, why);
                    }
                    if about.is_empty() {
                        continue;
                    }
                    let statement = Statement {
                        origin: origin.to_owned(),
                        document: file.document.tracking.id.clone(),
                        author: file.document.publisher.name.clone(),
                        said: file.document.tracking.current_release_date.clone(),
                        flaws: names.clone(),
                        products: about,
                        status,
                        justification: justification.map(str::to_owned),
                        note: note.map(str::to_owned),
                        expires: None,
                    };
                    room.tell(&mut read, statement);
                }
            }
        }
        room.end(&mut read, origin);
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
type Why<'a> = (Option<&'a str>, Option<&'a str>);

/// What flags and threats say about the products of a flaw.
struct Remarks<'a> {
    labels: Sayings<'a>,
    details: Sayings<'a>,
}

/// One kind of remark: its texts in order, and which of them is said about a product.
struct Sayings<'a> {
    texts: Vec<Option<&'a str>>,
    about: HashMap<&'a str, usize>,
}

impl<'a> Remarks<'a> {
    /// `None`: there is no room for all that is said of groups.
    fn of(flaw: &'a Flaw, known: &Products<'a>, room: &mut Room) -> Option<Self> {
        let flags = flaw.flags.iter().map(|it| (it, it.label.as_deref()));
        let impacts = flaw.threats.iter().filter(|it| it.category.as_deref() == Some("impact"));
        let impacts = impacts.map(|it| (it, it.details.as_deref()));
        Some(Self {
            labels: Sayings::of(&flags.collect::<Vec<_>>(), known, room)?,
            details: Sayings::of(&impacts.collect::<Vec<_>>(), known, room)?,
        })
    }

    /// The products of one status, parted by what is said about them.
    fn parted(&self, products: &'a [String]) -> Vec<(Why<'a>, Vec<&'a str>)> {
        let mut parted: BTreeMap<(Option<usize>, Option<usize>), Vec<&str>> = BTreeMap::new();
        for product in products {
            let why = (self.labels.number(product), self.details.number(product));
            parted.entry(why).or_default().push(product);
        }
        let told = |((label, details), products)| {
            ((self.labels.text(label), self.details.text(details)), products)
        };
        parted.into_iter().map(told).collect()
    }
}

impl<'a> Sayings<'a> {
    /// Of several remarks about a product the first counts, so each group is gone through once.
    fn of(
        remarks: &[(&'a Remark, Option<&'a str>)],
        known: &Products<'a>,
        room: &mut Room,
    ) -> Option<Self> {
        let mut texts: Vec<Option<&str>> = remarks.iter().map(|(_, text)| *text).collect();
        texts.sort_unstable();
        texts.dedup();
        let mut about: HashMap<&str, usize> = HashMap::new();
        let mut groups = HashSet::new();
        for (remark, text) in remarks {
            let Ok(number) = texts.binary_search(text) else { continue };
            for product in &remark.product_ids {
                about.entry(product).or_insert(number);
            }
            for group in remark.group_ids.iter().filter(|it| groups.insert(&***it)) {
                for members in known.groups.get(&**group).into_iter().flatten() {
                    if !room.take(members.len().saturating_mul(MEMBER)) {
                        return None;
                    }
                    for product in *members {
                        about.entry(product).or_insert(number);
                    }
                }
            }
        }
        Some(Self { texts, about })
    }

    fn number(&self, product: &str) -> Option<usize> {
        self.about.get(product).copied().filter(|it| self.text(Some(*it)).is_some())
    }

    fn text(&self, number: Option<usize>) -> Option<&'a str> {
        self.texts.get(number?).copied().flatten()
    }
}

/// What it costs to go through a group, for each member.
const MEMBER: usize = 8;

/// Every product id of a tree, with the names it goes by.
struct Products<'a> {
    named: BTreeMap<&'a str, Vec<String>>,
    /// A part, and the whole it is a part of.
    parts: BTreeMap<&'a str, (&'a str, &'a str)>,
    groups: HashMap<&'a str, Vec<&'a [String]>>,
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
        let mut groups: HashMap<&str, Vec<&[String]>> = HashMap::new();
        for group in &tree.groups {
            groups.entry(&group.group_id).or_default().push(&group.product_ids);
        }
        Self { named, parts, groups }
    }

    /// The products of these ids, and the ids that nobody explained; `None`: there is no room for them.
    fn named<'b>(&self, ids: &[&'b str], room: &Room) -> Option<(Vec<Product>, Vec<&'b str>)> {
        let weigh = |id: &str| self.named.get(id).map_or(id.len(), weight_of) + PRODUCT;
        let mut weight = 0_usize;
        let mut wholes: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
        let mut products = Vec::new();
        let mut unknown = Vec::new();
        for id in ids {
            let part = self.parts.get(id);
            weight = weight.saturating_add(weigh(part.map_or(id, |(part, _)| part)));
            if !room.holds(weight) {
                return None;
            }
            if let Some((part, whole)) = part {
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
            weight = weight.saturating_add(weigh(whole));
            if !room.holds(weight) {
                return None;
            }
            let names = self.named.get(whole).cloned().unwrap_or_else(|| vec![whole.to_owned()]);
            products.push(Product { names, parts, versions: None });
        }
        Some((products, unknown))
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
