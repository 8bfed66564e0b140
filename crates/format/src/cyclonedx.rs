//! cyclonedx: JSON, written in version 1.6, read from 1.2 on. <https://cyclonedx.org/docs/1.6/json/>

mod read;
mod write;

pub(crate) use write::{Beside, fleet, write_with};

use model::Inventory;

use crate::contract::{Format, Glance, Options, Unreadable};

pub(crate) struct CycloneDx;

impl Format for CycloneDx {
    fn id(&self) -> &'static str {
        "cyclonedx"
    }

    fn title(&self) -> &'static str {
        "CycloneDX 1.6 JSON"
    }

    fn writes(&self) -> bool {
        true
    }

    fn write(&self, inventory: &Inventory, options: &Options) -> String {
        write_with::<()>(inventory, options, |_| None)
    }

    fn claims(&self, glance: &Glance<'_>) -> bool {
        glance.whole().is_some_and(|head| {
            head.text("bomFormat").as_deref() == Some("CycloneDX")
                || head.text("$schema").is_some_and(|it| it.contains("cyclonedx.org/schema/bom-"))
        })
    }

    fn read(&self, bytes: &[u8]) -> Result<Inventory, Unreadable> {
        read::read(bytes)
    }
}

/// Names of the properties in which we say what CycloneDX has no field for.
mod property {
    pub(super) const SUBJECT: &str = "foretop:subject";
    pub(super) const GAP: &str = "foretop:gap";
    pub(super) const ANALYSIS_GAP: &str = "foretop:analysis:gap";
    pub(super) const ANALYSIS_BASIS: &str = "foretop:analysis:basis";

    pub(super) const INDEX: &str = "foretop:image:index";
    pub(super) const CONFIG: &str = "foretop:image:config";
    pub(super) const TAG: &str = "foretop:image:tag";
    pub(super) const PLATFORM: &str = "foretop:image:platform";
    pub(super) const CREATED: &str = "foretop:image:created";
    pub(super) const LAYER: &str = "foretop:image:layer";
    pub(super) const ATTESTATION: &str = "foretop:image:attestation";
    pub(super) const RAW_MANIFEST: &str = "foretop:image:raw-manifest";
    pub(super) const RAW_CONFIG: &str = "foretop:image:raw-config";
    pub(super) const IMAGE_SIZE: &str = "foretop:image:size";
    pub(super) const DEPLOYMENT: &str = "foretop:deployment";
    pub(super) const IMAGE_GAP: &str = "foretop:image:gap";

    pub(super) const CODENAME: &str = "foretop:distro:codename";
    pub(super) const LIKE: &str = "foretop:distro:like";
    pub(super) const VARIANT: &str = "foretop:distro:variant";

    pub(super) const KIND: &str = "foretop:package:kind";
    pub(super) const SOURCE: &str = "foretop:package:source";
    pub(super) const SOURCE_VERSION: &str = "foretop:package:source-version";
    pub(super) const URL: &str = "foretop:package:url";
    pub(super) const SIZE: &str = "foretop:package:size";
    pub(super) const INSTALLED_SIZE: &str = "foretop:package:installed-size";
    pub(super) const CPE: &str = "foretop:package:cpe";
    pub(super) const OWNER: &str = "foretop:package:owner";
}
