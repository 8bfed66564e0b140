//! What integrations told, listed, and looked into once more.

use ::integration::Kind;
use api::{NoticeQuery, NoticeState, Retrying};
use clap::ValueEnum;

use crate::Context;
use crate::asking::{Asking, latest};
use crate::commands::Outcome;
use crate::messages::count;
use crate::table::{Format, columns, second};

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum State {
    /// It is to be looked into
    Waiting,
    /// It was
    Done,
    /// It cannot be
    Aside,
}

pub(super) async fn list(
    asking: &Asking,
    kind: &Kind,
    name: &str,
    (state, limit): (Option<State>, u32),
    format: Format,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let state = state.map(|it| match it {
        State::Waiting => NoticeState::Waiting,
        State::Done => NoticeState::Done,
        State::Aside => NoticeState::Aside,
    });
    let (all, are_more) = latest(limit, async |after, limit| {
        let query = NoticeQuery { state, after, limit: Some(limit) };
        asking.client.notices(&asking.organisation, kind.id, name, &query).await
    })
    .await?;
    let text = || {
        let rows = all.iter().map(|it| {
            let state = match it.state {
                NoticeState::Waiting => "waiting",
                NoticeState::Done => "done",
                NoticeState::Aside => "aside",
            };
            let why = it.why.clone().unwrap_or_default();
            vec![second(&it.heard), state.to_owned(), it.about.clone(), why, it.id.clone()]
        });
        columns(&["Heard", "State", "About", "Why", "Id"], rows.collect())
    };
    if all.is_empty() && format == Format::Text {
        context.messages.inform("It told nothing like that");
    } else {
        context.messages.tell_as(format, &all, text)?;
    }
    if are_more {
        context.messages.inform(&format!("The latest {limit}: --limit asks for more"));
    }
    Ok(Outcome::Done)
}

pub(super) async fn retry(
    asking: &Asking,
    kind: &Kind,
    name: &str,
    notice: Option<String>,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let retrying = Retrying { notice };
    let retried = asking.client.retry_notices(&asking.organisation, kind.id, name, &retrying);
    let retried = retried.await?.notices;
    let messages = &context.messages;
    if retried == 0 {
        messages.inform("Nothing of it is set aside that can be looked into");
    } else {
        let notices = count(retried, "notice is", "notices are");
        messages.done(&format!("{notices} looked into once more"));
    }
    Ok(Outcome::Done)
}
