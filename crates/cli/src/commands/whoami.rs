//! `foretop whoami`: who one is, and where.

use std::fmt::Write as _;

use api::Me;
use serde::Serialize;

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{Whose, ask, server, there};
use crate::table::{Format, second};

/// Show who you are, at which server, and what you belong to
#[derive(clap::Parser)]
#[command(name = "whoami")]
pub(crate) struct Whoami {
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Answer<'a> {
    server: Option<&'a str>,
    #[serde(flatten)]
    me: &'a Me,
}

impl Verb for Whoami {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let server = server(context)?;
        let me = match &server {
            Some(url) => crate::runtime()?
                .block_on(async { anyhow::Ok(there(context, url).await?.me().await?) })?,
            None => ask(context, &Whose::default(), async |asking| Ok(asking.client.me().await?))?,
        };
        let answer = Answer { server: server.as_deref(), me: &me };
        context.messages.tell_as(self.format, &answer, || text(&answer))?;
        Ok(Outcome::Done)
    }
}

fn text(answer: &Answer<'_>) -> String {
    let me = answer.me;
    let mut text = String::new();
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key:<14}{value}");
    };
    match answer.server {
        Some(url) => line("Server", url),
        None => line("Server", "none: everything is on this machine, and nobody needs to log in"),
    }
    line("Name", &me.name);
    if let Some(scope) = me.scope {
        line("Token", &format!("it may {}", model::Scope::from(scope)));
    }
    if let Some(expires) = &me.expires {
        line("Until", &second(expires));
    }
    let organisations = me.organisations.iter();
    let all: Vec<String> =
        organisations.map(|it| format!("{} ({})", it.organisation, it.role.as_str())).collect();
    line("Organizations", if all.is_empty() { "none" } else { "" });
    for one in all {
        let _ = writeln!(text, "  {one}");
    }
    text
}
