//! What is asked about the bases that images stand on.

use super::{Client, Error, NOTHING, within};
use crate::words::{FootedImages, FootingTold, Footings, FootingsQuery, StandsOn};

impl Client {
    /// The bases that images stand on.
    pub async fn footings(
        &self,
        organisation: &str,
        query: &FootingsQuery,
    ) -> Result<Footings, Error> {
        self.get(&within(organisation, &["footings"]), query).await
    }

    /// One of them, and where images would stand better.
    pub async fn footing(&self, organisation: &str, base: &str) -> Result<FootingTold, Error> {
        self.get(&within(organisation, &["footings", base]), &NOTHING).await
    }

    /// What an image stands on.
    pub async fn stands_on(&self, organisation: &str, digest: &str) -> Result<StandsOn, Error> {
        self.get(&within(organisation, &["images", digest, "footing"]), &NOTHING).await
    }

    /// What stands on it; of `unknown`, the images of which nobody can tell what they stand on.
    pub async fn footed_images(
        &self,
        organisation: &str,
        base: &str,
        query: &FootingsQuery,
    ) -> Result<FootedImages, Error> {
        self.get(&within(organisation, &["footings", base, "images"]), query).await
    }
}
