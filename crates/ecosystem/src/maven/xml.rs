//! XML documents as small trees.

use crate::xml::{self, Visit};

/// An element: its name without a prefix, its own text, and the elements in it.
#[derive(Default)]
pub(super) struct Element {
    pub(super) name: String,
    text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The root element of `text`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut growing = Growing(vec![Self::default()]);
        xml::read(text.as_bytes(), &mut growing)?;
        growing.0.pop().and_then(|it| it.children.into_iter().next()).ok_or("it is empty".into())
    }

    /// The first element of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|it| it.name == name)
    }

    /// The text of the first element of that name; empty without one.
    pub(super) fn text(&self, name: &str) -> &str {
        self.child(name).map_or("", Self::own_text)
    }

    /// Its own text, trimmed.
    pub(super) fn own_text(&self) -> &str {
        &self.text
    }

    /// The elements in the first element of that name.
    pub(super) fn list(&self, name: &str) -> &[Self] {
        self.child(name).map_or(&[], |it| &it.children)
    }
}

/// The elements that are open, each in the one before it; the first stands for the document.
struct Growing(Vec<Element>);

impl Visit for Growing {
    fn open(&mut self, element: &xml::Element) {
        self.0.push(Element { name: element.name.clone(), ..Element::default() });
    }

    fn close(&mut self, _: &str, text: &str) {
        if let (Some(done), Some(parent)) = (self.0.pop(), self.0.last_mut()) {
            parent.children.push(Element { text: text.to_owned(), ..done });
        }
    }
}
