//! The portfolio itself: who has what, and what happens to it.

use std::collections::{BTreeSet, HashMap};

use model::{Distro, OrganisationId, Package};
use roaring::RoaringBitmap;

use crate::contract::{Images, InEnvironment, PackageNumber, Size, Spread, UnknownSet};
use crate::crowd::{Crowd, Scratch};
use crate::rows::Rows;

/// Every inventory at once. Numbers of sets and images, ids of environments and deployments are the
/// caller's; a number that was told to be gone may come back as something else.
///
/// Packages lead to sets, sets to images, images to environments. What is told of one organisation's
/// images is never found by another.
#[derive(Debug, Default)]
pub struct Portfolio {
    pub(crate) rows: Rows,
    sets: Vec<Set>,
    set_numbers: HashMap<i64, u32>,
    /// Sets that no image has any more; packages may still name them.
    dead: RoaringBitmap,
    free_sets: Vec<u32>,
    images: Vec<Image>,
    image_numbers: HashMap<i64, u32>,
    free_images: Vec<u32>,
    pub(crate) distros: Vec<Ground>,
    pub(crate) organisations: Vec<Organisation>,
    environments: Vec<Environment>,
    environment_numbers: HashMap<(u32, Box<str>), u32>,
    deployments: HashMap<Box<str>, Deployed>,
}

#[derive(Debug, Default)]
struct Set {
    number: i64,
    images: Crowd,
    /// How many of those are of which distribution.
    distros: Vec<(u32, u32)>,
    members: u32,
}

#[derive(Debug, Default)]
struct Image {
    number: i64,
    organisation: u32,
    /// What it has, once it was analysed.
    content: Option<Content>,
    /// Deployments of it.
    running: u32,
}

#[derive(Debug)]
struct Content {
    distro: u32,
    sets: Box<[u32]>,
}

/// A distribution, or none, and the images of it.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) distro: Option<Distro>,
    pub(crate) images: RoaringBitmap,
}

#[derive(Debug)]
pub(crate) struct Organisation {
    pub(crate) id: OrganisationId,
    /// Those with an inventory.
    pub(crate) images: RoaringBitmap,
    environments: Vec<u32>,
}

#[derive(Debug)]
struct Environment {
    id: Box<str>,
    images: RoaringBitmap,
    /// How many deployments of an image there are, where that is more than one.
    more: HashMap<u32, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Deployed {
    environment: u32,
    image: u32,
}

impl Portfolio {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of a package, which it keeps as long as the portfolio lives. Only what matching
    /// reads counts: purl, kind of evidence, source, owner, and who built it where that matters.
    pub fn know(&mut self, package: &Package) -> PackageNumber {
        PackageNumber(self.rows.know(package))
    }

    /// Is that set here? If not, it has to be added before an image that has it.
    pub fn knows_set(&self, set: i64) -> bool {
        self.set_numbers.contains_key(&set)
    }

    /// A set of packages that come together. It is forgotten with the last image that has it; one that
    /// is here stays as it is.
    pub fn add_set(&mut self, set: i64, packages: impl IntoIterator<Item = PackageNumber>) {
        if self.knows_set(set) {
            return;
        }
        let at = self.free_sets.pop().unwrap_or_else(|| {
            self.sets.push(Set::default());
            self.sets.len() as u32 - 1
        });
        let mut members = 0;
        for PackageNumber(package) in packages {
            if let Some(row) = self.rows.get_mut(package) {
                row.sets.insert(at);
                members += 1;
            }
        }
        if let Some(it) = self.sets.get_mut(at as usize) {
            *it = Set { number: set, members, ..Set::default() };
        }
        self.set_numbers.insert(set, at);
    }

    /// An image was analysed: it is of that distribution and has those sets, whatever it had before.
    pub fn add_image(
        &mut self,
        organisation: &OrganisationId,
        image: i64,
        distro: Option<&Distro>,
        sets: &[i64],
    ) -> Result<(), UnknownSet> {
        let find = |it: &i64| self.set_numbers.get(it).copied().ok_or(UnknownSet(*it));
        let mut sets: Vec<u32> = sets.iter().map(find).collect::<Result<_, _>>()?;
        sets.sort_unstable();
        sets.dedup();
        let distro = self.distro(distro);
        let at = self.image(organisation, image);
        for set in &sets {
            if let Some(set) = self.sets.get_mut(*set as usize) {
                set.join(at, distro);
            }
        }
        let Some(it) = self.images.get_mut(at as usize) else { return Ok(()) };
        let organisation = it.organisation;
        let content = Content { distro, sets: sets.clone().into() };
        let former = it.content.replace(content);
        if let Some(former) = former {
            self.leave(at, &former, &sets);
        }
        if let Some(it) = self.distros.get_mut(distro as usize) {
            it.images.insert(at);
        }
        if let Some(it) = self.organisations.get_mut(organisation as usize) {
            it.images.insert(at);
        }
        Ok(())
    }

    /// An image is gone, or what was known of it. Whatever runs it goes on until that is ended.
    pub fn remove_image(&mut self, image: i64) {
        let Some(at) = self.image_numbers.get(&image).copied() else { return };
        let Some(it) = self.images.get_mut(at as usize) else { return };
        let organisation = it.organisation;
        if let Some(former) = it.content.take() {
            self.leave(at, &former, &[]);
        }
        if let Some(it) = self.organisations.get_mut(organisation as usize) {
            it.images.remove(at);
        }
        self.forget_image(at);
    }

    /// An image runs in an environment, under a deployment's id; where that was told of before, it
    /// runs there no more. The image need not be analysed yet.
    pub fn start(
        &mut self,
        organisation: &OrganisationId,
        deployment: &str,
        environment: &str,
        image: i64,
    ) {
        self.end(deployment);
        let image = self.image(organisation, image);
        let environment = self.environment(organisation, environment);
        let deployed = Deployed { environment, image };
        self.deployments.insert(deployment.into(), deployed);
        if let Some(it) = self.images.get_mut(image as usize) {
            it.running += 1;
        }
        if let Some(it) = self.environments.get_mut(environment as usize)
            && !it.images.insert(image)
        {
            *it.more.entry(image).or_insert(1) += 1;
        }
    }

    /// A deployment ended.
    pub fn end(&mut self, deployment: &str) {
        let Some(deployed) = self.deployments.remove(deployment) else { return };
        let Deployed { environment, image } = deployed;
        if let Some(it) = self.environments.get_mut(environment as usize) {
            match it.more.get_mut(&image) {
                Some(2) => {
                    it.more.remove(&image);
                }
                Some(count) => *count -= 1,
                None => {
                    it.images.remove(image);
                }
            }
        }
        if let Some(it) = self.images.get_mut(image as usize) {
            it.running = it.running.saturating_sub(1);
        }
        self.forget_image(image);
    }

    /// What the caller calls so many of these images, whichever.
    pub fn some_image_numbers(&self, images: &Images, most: usize) -> Vec<i64> {
        let some = images.0.iter().take(most);
        some.filter_map(|it| self.images.get(it as usize).map(|it| it.number)).collect()
    }

    /// Is it one of these images?
    pub fn is_among(&self, image: i64, images: &Images) -> bool {
        self.image_numbers.get(&image).is_some_and(|it| images.0.contains(*it))
    }

    /// Which of these images run in that environment.
    pub fn running_in(
        &self,
        organisation: &OrganisationId,
        environment: &str,
        images: &Images,
    ) -> Images {
        let number = self.organisation(organisation);
        let number = number.and_then(|it| self.environment_numbers.get(&(it, environment.into())));
        let there = number.and_then(|it| self.environments.get(*it as usize));
        Images(there.map(|it| &it.images & &images.0).unwrap_or_default())
    }

    /// The families of spaces in which somebody may speak of what runs of an organisation: of its
    /// distributions, and of its packages.
    pub fn families(&self, organisation: &OrganisationId) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let number = self.organisation(organisation);
        let Some(own) = number.and_then(|it| self.organisations.get(it as usize)) else {
            return found;
        };
        let mut running = RoaringBitmap::new();
        for it in own.environments.iter().filter_map(|it| self.environments.get(*it as usize)) {
            running |= &it.images;
        }
        for ground in self.distros.iter().filter(|it| !it.images.is_disjoint(&running)) {
            found.extend(ground.distro.iter().map(|it| it.id.clone()));
        }
        for (number, _) in self.rows.iter() {
            let purl = self.rows.purl_text(number);
            let kind = purl.strip_prefix("pkg:").unwrap_or(purl).split('/').next();
            // Of each kind, one that runs is enough.
            if let Some(kind) = kind.filter(|it| !found.contains(*it))
                && self.is_in(number, |it| running.contains(it))
            {
                found.insert(kind.to_owned());
            }
        }
        found
    }

    /// How much there is.
    pub fn size(&self) -> Size {
        let of_set = |it: &Set| it.images.bytes() + it.distros.capacity() * 8;
        let of_image =
            |it: &Image| it.content.as_ref().map_or(0, |it| size_of_val::<[u32]>(&it.sets));
        let sets: usize = self.sets.iter().map(of_set).sum();
        let images: usize = self.images.iter().map(of_image).sum();
        let bitmaps = self.distros.iter().map(|it| &it.images);
        let bitmaps = bitmaps.chain(self.organisations.iter().map(|it| &it.images));
        let bitmaps = bitmaps.chain(self.environments.iter().map(|it| &it.images));
        let deployments: usize = self.deployments.keys().map(|it| it.len() + 32).sum();
        Size {
            packages: self.rows.len(),
            sets: self.set_numbers.len(),
            members: self.sets.iter().map(|it| u64::from(it.members)).sum(),
            images: self.images.iter().filter(|it| it.content.is_some()).count(),
            deployments: self.deployments.len(),
            bytes: self.rows.bytes()
                + sets
                + images
                + self.sets.capacity() * size_of::<Set>()
                + self.images.capacity() * size_of::<Image>()
                + (self.set_numbers.capacity() + self.image_numbers.capacity()) * 17
                + bitmaps.map(RoaringBitmap::serialized_size).sum::<usize>()
                + deployments,
        }
    }

    /// The images that have any of these packages.
    pub(crate) fn images_of(&self, rows: &[u32], scratch: &mut Scratch) -> RoaringBitmap {
        let mut visit = |set: u32| {
            if let Some(set) = self.sets.get(set as usize) {
                set.images.for_each(|it| scratch.insert(it));
            }
        };
        if let [row] = rows {
            if let Some(row) = self.rows.get(*row) {
                row.sets.for_each(visit);
            }
        } else {
            // What is built together is mostly in the same sets.
            let mut sets = Scratch::default();
            for row in rows.iter().filter_map(|it| self.rows.get(*it)) {
                row.sets.for_each(|it| sets.insert(it));
            }
            sets.drain(&mut visit);
        }
        scratch.take()
    }

    /// Is any of the images that have that package one of those?
    pub(crate) fn is_in(&self, row: u32, is_one: impl Fn(u32) -> bool) -> bool {
        let has = |set: u32| {
            let set = self.sets.get(set as usize);
            set.is_some_and(|it| it.images.any(&is_one))
        };
        self.rows.get(row).is_some_and(|it| it.sets.any(has))
    }

    /// Does any image have it?
    pub(crate) fn is_held(&self, row: u32) -> bool {
        let has = |set: u32| self.sets.get(set as usize).is_some_and(|it| !it.images.is_empty());
        self.rows.get(row).is_some_and(|it| it.sets.any(has))
    }

    /// The distributions of the images that have that package, ascending.
    pub(crate) fn distros_of(&self, row: u32) -> Vec<u32> {
        let mut found = Vec::new();
        if let Some(row) = self.rows.get(row) {
            row.sets.for_each(|set| {
                let Some(set) = self.sets.get(set as usize) else { return };
                for (distro, _) in &set.distros {
                    if !found.contains(distro) {
                        found.push(*distro);
                    }
                }
            });
        }
        found.sort_unstable();
        found
    }

    pub(crate) fn organisation(&self, id: &OrganisationId) -> Option<u32> {
        (0..).zip(&self.organisations).find(|(_, it)| it.id == *id).map(|(number, _)| number)
    }

    /// Where these images are, all of which are that organisation's.
    pub(crate) fn spread(&self, organisation: &Organisation, images: RoaringBitmap) -> Spread {
        let environments = organisation.environments.iter();
        let environments = environments.filter_map(|it| self.environments.get(*it as usize));
        let mut environments: Vec<InEnvironment> = environments
            .map(|it| InEnvironment {
                environment: it.id.to_string(),
                images: it.images.intersection_len(&images),
            })
            .filter(|it| it.images > 0)
            .collect();
        environments.sort_by(|left, right| left.environment.cmp(&right.environment));
        Spread { images: Images(images), environments }
    }

    fn distro(&mut self, distro: Option<&Distro>) -> u32 {
        let known = self.distros.iter().position(|it| it.distro.as_ref() == distro);
        let at = known.unwrap_or_else(|| {
            let images = RoaringBitmap::new();
            self.distros.push(Ground { distro: distro.cloned(), images });
            self.distros.len() - 1
        });
        at as u32
    }

    fn know_organisation(&mut self, id: &OrganisationId) -> u32 {
        self.organisation(id).unwrap_or_else(|| {
            let (images, environments) = (RoaringBitmap::new(), Vec::new());
            self.organisations.push(Organisation { id: id.clone(), images, environments });
            self.organisations.len() as u32 - 1
        })
    }

    fn environment(&mut self, organisation: &OrganisationId, id: &str) -> u32 {
        let organisation = self.know_organisation(organisation);
        let key = (organisation, Box::from(id));
        if let Some(number) = self.environment_numbers.get(&key) {
            return *number;
        }
        let number = self.environments.len() as u32;
        let images = RoaringBitmap::new();
        self.environments.push(Environment { id: id.into(), images, more: HashMap::new() });
        self.environment_numbers.insert(key, number);
        if let Some(it) = self.organisations.get_mut(organisation as usize) {
            it.environments.push(number);
        }
        number
    }

    fn image(&mut self, organisation: &OrganisationId, number: i64) -> u32 {
        if let Some(at) = self.image_numbers.get(&number) {
            return *at;
        }
        let organisation = self.know_organisation(organisation);
        let fresh = Image { number, organisation, content: None, running: 0 };
        let at = if let Some(at) = self.free_images.pop() {
            if let Some(it) = self.images.get_mut(at as usize) {
                *it = fresh;
            }
            at
        } else {
            self.images.push(fresh);
            self.images.len() as u32 - 1
        };
        self.image_numbers.insert(number, at);
        at
    }

    /// Of what is neither analysed nor running nothing is kept.
    fn forget_image(&mut self, at: u32) {
        let Some(it) = self.images.get(at as usize) else { return };
        if it.content.is_none()
            && it.running == 0
            && self.image_numbers.get(&it.number) == Some(&at)
        {
            self.image_numbers.remove(&it.number);
            self.free_images.push(at);
        }
    }

    /// Takes an image out of its former distribution and sets, but for those that it has now.
    fn leave(&mut self, image: u32, former: &Content, now: &[u32]) {
        if let Some(it) = self.distros.get_mut(former.distro as usize) {
            it.images.remove(image);
        }
        for at in &former.sets {
            let Some(set) = self.sets.get_mut(*at as usize) else { continue };
            set.part(image, former.distro, now.contains(at));
            if set.images.is_empty() {
                self.set_numbers.remove(&set.number);
                *set = Set::default();
                self.dead.insert(*at);
            }
        }
        self.sweep();
    }

    /// Takes sets that are gone out of their packages, once there are many of them.
    fn sweep(&mut self) {
        const MANY: u64 = 1000;
        if self.dead.len() < MANY.max(self.sets.len() as u64 / 8) {
            return;
        }
        for row in self.rows.iter_mut() {
            row.sets.remove_all(&self.dead);
        }
        self.free_sets.extend(self.dead.iter());
        self.dead.clear();
    }
}

impl Set {
    fn join(&mut self, image: u32, distro: u32) {
        self.images.insert(image);
        match self.distros.iter_mut().find(|it| it.0 == distro) {
            Some((_, count)) => *count += 1,
            None => self.distros.push((distro, 1)),
        }
    }

    fn part(&mut self, image: u32, distro: u32, stays: bool) {
        if !stays {
            self.images.remove(image);
        }
        for (_, count) in self.distros.iter_mut().filter(|it| it.0 == distro) {
            *count = count.saturating_sub(1);
        }
        self.distros.retain(|it| it.1 > 0);
    }
}
