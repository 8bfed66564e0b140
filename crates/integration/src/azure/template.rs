//! The template that Azure makes its side of the integration from, and the names in it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::registry_name;
use crate::contract::{Settings, Template};

/// The token that it makes, whose password we are told.
pub(super) const TOKEN: &str = "docker-scout-readonly-token";
/// The system topic that it makes, unless it is called otherwise.
pub(super) const TOPIC: &str = "docker-scout-repository";

const ARM: &str = include_str!("../../../../deploy/azure/template.json");
const BICEP: &str = include_str!("../../../../deploy/azure/template.bicep");

/// The parameters that are filled in: the address that events go to, and the registry.
const WEBHOOK: &str = "DockerScoutWebhook";
const REGISTRY: &str = "RegistryName";

pub(super) const ALL: &[Template] = &[
    Template {
        format: "json",
        media: "application/json",
        file: "foretop-azure.json",
        fill: |webhook, settings| arm(webhook, name(settings)),
    },
    Template {
        format: "bicep",
        media: "text/plain; charset=utf-8",
        file: "foretop-azure.bicep",
        fill: |webhook, settings| bicep(webhook, name(settings)),
    },
];

fn name(settings: &Settings) -> &str {
    registry_name(settings.text("registry").unwrap_or_default())
}

/// The ARM template.
fn arm(webhook: &str, registry: &str) -> String {
    let mut template: Value = serde_json::from_str(ARM).expect("our own file is JSON");
    for (parameter, value) in [(WEBHOOK, webhook), (REGISTRY, registry)] {
        if let Some(parameter) = template["parameters"].get_mut(parameter) {
            parameter["defaultValue"] = json!(literal(value));
        }
    }
    let mut text = serde_json::to_string_pretty(&template).expect("a value can be written");
    text.push('\n');
    text
}

/// A text as itself: one that begins with a bracket would be a formula.
/// <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions#escape-characters>
fn literal(text: &str) -> String {
    if text.starts_with('[') { format!("[{text}") } else { text.to_owned() }
}

/// The same as Bicep.
fn bicep(webhook: &str, registry: &str) -> String {
    let mut text = BICEP.to_owned();
    for (parameter, value) in [(WEBHOOK, webhook), (REGISTRY, registry)] {
        let line = format!("param {parameter} string\n");
        let filled = format!("param {parameter} string = {}\n", quoted(value));
        text = text.replace(&line, &filled);
    }
    text
}

/// A string of Bicep.
/// <https://learn.microsoft.com/azure/azure-resource-manager/bicep/data-types#strings>
fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '\\' => quoted.extend(['\\', letter]),
            '$' if letters.peek() == Some(&'{') => quoted.push_str("\\$"),
            it if it.is_control() => {
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(it));
            }
            it => quoted.push(it),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests;
