//! `foretop enroll`: an organisation, and a repository of its own.

use api::Sort;
use model::Reference;

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Asking, Whose, ask, is};
use crate::failure::Failure;

/// Enroll an organization, and a repository of it if one is named
#[derive(clap::Parser)]
#[command(name = "enroll")]
pub(crate) struct Enroll {
    /// The organization, or one of its repositories: acme, acme/web, acme/registry.example/web
    #[arg(value_name = "ORG[/REPOSITORY]", value_parser = said())]
    what: String,
}

impl Verb for Enroll {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let (organisation, repository) = parts(&self.what)?;
        ask(context, &Whose::named(organisation), async |asking| {
            enrol(asking, organisation, context).await?;
            if let Some(name) = &repository {
                let it = asking.client.enable_repository(organisation, name, true).await?;
                context.messages.done(&format!("Successfully enabled repository {}", it.name));
            }
            Ok(())
        })?;
        Ok(Outcome::Done)
    }
}

const FORM: &str = "name it like this: acme, acme/web";

/// `acme/web` is the repository of that name; behind the name of a registry, it says itself whose.
fn parts(what: &str) -> anyhow::Result<(&str, Option<String>)> {
    match what.trim().split_once('/') {
        None => Ok((what.trim(), None)),
        Some((organisation, rest)) if !organisation.is_empty() && !rest.is_empty() => {
            let first = rest.split('/').next().unwrap_or(rest);
            let registry =
                rest.contains('/') && (first == "localhost" || first.contains(['.', ':']));
            let repository =
                if registry { rest.to_owned() } else { format!("{organisation}/{rest}") };
            // What cannot be enabled enrols nobody.
            let read: Result<Reference, _> = repository.parse();
            read.map_err(|error| Failure::error(format!("enroll {what}: {error}"), FORM))?;
            Ok((organisation, Some(repository)))
        }
        Some(_) => Err(Failure::error(
            format!("enroll {what}: it is neither an organization nor a repository of one"),
            FORM,
        )),
    }
}

async fn enrol(asking: &Asking, organisation: &str, context: &Context) -> anyhow::Result<()> {
    let me = asking.client.me().await?;
    if me.organisations.iter().any(|it| it.organisation == organisation) {
        context.messages.done(&format!("Organization {organisation} is enrolled already"));
        return Ok(());
    }
    let made = asking.client.create_organisation(organisation).await.map_err(|error| {
        if is(&error, Sort::Conflict) {
            let why = format!("enroll {organisation}: the name is taken");
            return Failure::error(why, "choose another, or ask one of its owners to let you in");
        }
        error.into()
    })?;
    context.messages.done(&format!("Successfully enrolled organization {}", made.name));
    if asking.settled.as_deref() != Some(&*made.name) {
        context.messages.inform(&format!(
            "`foretop config organization {}` makes it the one that commands act for",
            made.name
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_and_its_repository() {
        let check = |what: &str, expect: &str| {
            let shown = parts(what).map(|it| format!("{it:?}"));
            assert_eq!(shown.unwrap_or_else(|error| error.to_string()), expect);
        };
        check("acme", "(\"acme\", None)");
        check("acme/web", "(\"acme\", Some(\"acme/web\"))");
        check("acme/a/b", "(\"acme\", Some(\"acme/a/b\"))");
        check("acme/ghcr.io/acme/web", "(\"acme\", Some(\"ghcr.io/acme/web\"))");
        check(
            "acme/Web",
            "enroll acme/Web: `acme/Web` is not an image reference: a repository's name is lower case",
        );
        check("acme/", "enroll acme/: it is neither an organization nor a repository of one");
    }
}
