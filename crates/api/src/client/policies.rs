//! What is asked about policies: which are in force where, and what they say of what runs.

use http::Method;

use super::{Client, Error, NOTHING, within};
use crate::words::{
    ImagePolicies, Page, PoliciesKept, PolicyChoice, PolicyChoicesQuery, PolicyPlace,
    PolicyResults, PolicySample, PolicySet, PolicySetQuery, PolicyTrendQuery, PolicyTrial,
    PolicyVersion, SettingPolicies, TryingPolicies,
};

/// Where policies are asked for: in an environment, or of the organisation.
fn place(organisation: &str, environment: Option<&str>, more: &[&str]) -> String {
    let mut path = Vec::new();
    if let Some(environment) = environment {
        path.extend(["environments", environment]);
    }
    path.push("policies");
    path.extend(more);
    within(organisation, &path)
}

impl Client {
    /// Which policies are in force where: in the organisation first, then in each environment.
    pub async fn policy_places(&self, organisation: &str) -> Result<Page<PolicyPlace>, Error> {
        self.get(&place(organisation, None, &["places"]), &NOTHING).await
    }

    /// The policies that are in force there, or were as that version.
    pub async fn policies(
        &self,
        organisation: &str,
        environment: Option<&str>,
        version: Option<u32>,
    ) -> Result<PolicySet, Error> {
        self.get(&place(organisation, environment, &[]), &PolicySetQuery { version }).await
    }

    /// Their versions there, the latest first.
    pub async fn policy_versions(
        &self,
        organisation: &str,
        environment: Option<&str>,
    ) -> Result<Page<PolicyVersion>, Error> {
        self.get(&place(organisation, environment, &["versions"]), &NOTHING).await
    }

    /// Puts policies into force there.
    pub async fn set_policies(
        &self,
        organisation: &str,
        environment: Option<&str>,
        setting: &SettingPolicies,
    ) -> Result<PoliciesKept, Error> {
        self.send(Method::PUT, &place(organisation, environment, &[]), setting).await
    }

    /// None of its own are in force there any more.
    pub async fn unset_policies(
        &self,
        organisation: &str,
        environment: Option<&str>,
    ) -> Result<(), Error> {
        let path = place(organisation, environment, &[]);
        self.bytes(Method::DELETE, &path, &NOTHING, None).await.map(|_| ())
    }

    /// What policies say of what runs there.
    pub async fn policy_results(
        &self,
        organisation: &str,
        environment: &str,
    ) -> Result<PolicyResults, Error> {
        self.get(&place(organisation, Some(environment), &["results"]), &NOTHING).await
    }

    /// How many images met them there, by day.
    pub async fn policy_trend(
        &self,
        organisation: &str,
        environment: &str,
        days: Option<u32>,
    ) -> Result<Page<PolicySample>, Error> {
        let path = within(organisation, &["environments", environment, "trend"]);
        self.get(&path, &PolicyTrendQuery { days }).await
    }

    /// The policies that there are to choose from, where those of that place are in force.
    pub async fn policy_choices(
        &self,
        organisation: &str,
        environment: Option<&str>,
    ) -> Result<Page<PolicyChoice>, Error> {
        let query = PolicyChoicesQuery { environment: environment.map(str::to_owned) };
        self.get(&place(organisation, None, &["choices"]), &query).await
    }

    /// What would be if these policies were in force; they are kept nowhere.
    pub async fn try_policies(
        &self,
        organisation: &str,
        trying: &TryingPolicies,
    ) -> Result<PolicyTrial, Error> {
        self.send(Method::POST, &place(organisation, None, &["trials"]), trying).await
    }

    /// What policies say of an image, wherever it runs.
    pub async fn image_policies(
        &self,
        organisation: &str,
        digest: &str,
    ) -> Result<Page<ImagePolicies>, Error> {
        self.get(&within(organisation, &["images", digest, "policies"]), &NOTHING).await
    }
}
