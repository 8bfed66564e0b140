//! Who is asking, and what they may.

use api::{Membership, ORIGIN, Role, Sort};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use model::OrganisationId;

use crate::app::App;
use crate::refusal::Refusal;

/// Who may ask.
#[derive(Clone, Debug)]
pub enum Access {
    /// Whoever runs this process, and they own everything: embedded mode.
    Local {
        /// Their name.
        name: String,
    },
}

/// Who is asking.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Their name.
    pub(crate) name: String,
    /// By which way they proved it.
    pub(crate) by: &'static str,
    /// From where they ask.
    pub(crate) origin: String,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let origin = parts.headers.get(ORIGIN).and_then(|it| it.to_str().ok()).unwrap_or_default();
        match &app.access {
            Access::Local { name } => {
                Ok(Self { name: name.clone(), by: "local", origin: origin.to_owned() })
            }
        }
    }
}

impl Caller {
    /// The organisation of that name, in which the caller is `least` or more.
    ///
    /// Of one they do not belong to they learn nothing: not even that it is there.
    pub(crate) async fn within(
        &self,
        app: &App,
        organisation: &str,
        least: Role,
    ) -> Result<OrganisationId, Refusal> {
        let found = app.store.organisation(organisation).await?;
        let role = match &app.access {
            Access::Local { .. } => Role::Owner,
        };
        if role < least {
            return Err(Sort::Forbidden
                .because(format!(
                    "{} is {} of {}, and this takes {}",
                    self.name,
                    article(role),
                    found.name,
                    article(least),
                ))
                .with_hint(format!("ask an owner of {}", found.name))
                .into());
        }
        Ok(found.id)
    }

    /// What they belong to.
    pub(crate) async fn memberships(&self, app: &App) -> Result<Vec<Membership>, Refusal> {
        match &app.access {
            Access::Local { .. } => {
                let all = app.store.organisations().await?;
                let owner = |it: model::Organisation| Membership {
                    organisation: it.name,
                    role: Role::Owner,
                };
                Ok(all.into_iter().map(owner).collect())
            }
        }
    }
}

fn article(role: Role) -> &'static str {
    match role {
        Role::Member => "a member",
        Role::Editor => "an editor",
        Role::Owner => "an owner",
    }
}
