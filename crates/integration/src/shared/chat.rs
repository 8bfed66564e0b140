//! A chat: it takes what is posted to a secret address, in a form of its own.

use async_trait::async_trait;
use http::HeaderMap;
use image::{Error, Posted};
use serde_json::Value as Json;

use super::fit::Escape;
use super::receiver::Receiver;
use super::template::{Dress, Template};
use crate::contract::{Check, Integration, Message, Notifier, Notifies, Settings, Untold, Ways};

/// What one takes, and how it answers.
pub(crate) struct Form {
    /// Puts a character so that it stands for itself in its texts.
    pub(crate) escape: Escape,
    /// The message, and why it does not say what the template would, where that is so.
    pub(crate) payload: fn(&Message, Option<&str>) -> Json,
    /// The message with the text that a template made of it.
    pub(crate) templated: fn(&Message, &str) -> Json,
    /// Was it taken?
    pub(crate) judge: fn(&Receiver, &Posted) -> Result<(), Untold>,
}

struct Chat {
    form: &'static Form,
    receiver: Receiver,
    template: Option<Template>,
}

/// Gets ready to post to one that takes this form.
pub(crate) fn connect(
    form: &'static Form,
    settings: &Settings,
    ways: &Ways,
) -> Result<Box<dyn Integration>, Error> {
    let receiver = Receiver::new(settings, ways, &[])?;
    let template = Template::of(settings, Dress::Text(form.escape))?;
    Ok(Box::new(Notifies(Chat { form, receiver, template })))
}

#[async_trait]
impl Notifier for Chat {
    fn receiver(&self) -> &str {
        self.receiver.host()
    }

    async fn say(&self, message: &Message, _: &str) -> Result<String, Untold> {
        let payload = match self.template.as_ref().map(|it| it.fill(message)) {
            None => (self.form.payload)(message, None),
            Some(Ok(text)) => (self.form.templated)(message, &text),
            Some(Err(fault)) => (self.form.payload)(message, Some(&fault)),
        };
        let posted = self.receiver.post(HeaderMap::new(), payload.to_string()).await?;
        (self.form.judge)(&self.receiver, &posted)?;
        Ok(self.receiver.took(&posted))
    }

    async fn checks(&self) -> Vec<Check> {
        vec![self.receiver.check().await]
    }
}
