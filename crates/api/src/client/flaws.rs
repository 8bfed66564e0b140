//! What is asked about flaws: all of them in what runs, what publishers say of one, and the packages
//! that have them.

use super::{Client, Error, NOTHING, segment, within};
use crate::words::{
    Advisories, AlmanacState, Flaws, FlawsQuery, FreeOfFlaw, ImageInUse, PackageVersions,
    PackageVersionsQuery, Packages, PackagesQuery, RunningImages, RunningImagesQuery,
};

impl Client {
    /// All that is wrong with what runs.
    pub async fn flaws(&self, organisation: &str, query: &FlawsQuery) -> Result<Flaws, Error> {
        self.get(&within(organisation, &["flaws"]), query).await
    }

    /// Which tags lead to images that do not have that flaw, where something runs that does.
    pub async fn free_of(&self, organisation: &str, flaw: &str) -> Result<FreeOfFlaw, Error> {
        self.get(&within(organisation, &["flaws", flaw, "free"]), &NOTHING).await
    }

    /// What is wrong with the images that run in an environment, in numbers.
    pub async fn running_images(
        &self,
        organisation: &str,
        environment: &str,
        query: &RunningImagesQuery,
    ) -> Result<RunningImages, Error> {
        let path = within(organisation, &["environments", environment, "images"]);
        self.get(&path, query).await
    }

    /// What an image loads in an environment.
    pub async fn in_use(
        &self,
        organisation: &str,
        environment: &str,
        digest: &str,
    ) -> Result<ImageInUse, Error> {
        let parts = ["environments", environment, "images", digest, "in-use"];
        self.get(&within(organisation, &parts), &NOTHING).await
    }

    /// Every publisher's word about a flaw.
    pub async fn advisories(&self, flaw: &str) -> Result<Advisories, Error> {
        self.get(&format!("/advisories/{}", segment(flaw)), &NOTHING).await
    }

    /// How old the almanac is.
    pub async fn almanac(&self) -> Result<AlmanacState, Error> {
        self.get("/almanac", &NOTHING).await
    }

    /// The packages in an organisation's images.
    pub async fn packages(
        &self,
        organisation: &str,
        query: &PackagesQuery,
    ) -> Result<Packages, Error> {
        self.get(&within(organisation, &["packages"]), query).await
    }

    /// The versions of one of them.
    pub async fn package_versions(
        &self,
        organisation: &str,
        query: &PackageVersionsQuery,
    ) -> Result<PackageVersions, Error> {
        self.get(&within(organisation, &["packages", "versions"]), query).await
    }
}
