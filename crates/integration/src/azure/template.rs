//! The template that Azure makes its side of the integration from, and the names in it.

use serde_json::{Value, json};

/// The token that it makes, whose password we are told.
pub const TOKEN: &str = "docker-scout-readonly-token";
/// The system topic that it makes, unless it is called otherwise.
pub const TOPIC: &str = "docker-scout-repository";

const ARM: &str = include_str!("../../../../deploy/azure/template.json");
/// The same as Bicep.
pub const BICEP: &str = include_str!("../../../../deploy/azure/template.bicep");

/// The ARM template, with the address that events go to and the registry at `host` filled in.
pub fn arm(webhook: Option<&str>, host: Option<&str>) -> String {
    let mut template: Value = serde_json::from_str(ARM).expect("our own file is JSON");
    let name = host.map(super::registry_name);
    for (parameter, value) in [("DockerScoutWebhook", webhook), ("RegistryName", name)] {
        if let Some((value, parameter)) = value.zip(template["parameters"].get_mut(parameter)) {
            parameter["defaultValue"] = json!(literal(value));
        }
    }
    serde_json::to_string_pretty(&template).expect("a value can be written")
}

/// A text as itself: one that begins with a bracket would be a formula.
/// <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions#escape-characters>
fn literal(text: &str) -> String {
    if text.starts_with('[') { format!("[{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Value {
        serde_json::from_str(ARM).unwrap()
    }

    fn resource(kind: &str) -> Value {
        let template = template();
        let all = template["resources"].as_array().unwrap();
        let mut found = all.iter().filter(|it| it["type"] == kind);
        let one = found.next().unwrap().clone();
        assert!(found.next().is_none());
        one
    }

    #[test]
    fn has_the_documented_parameters() {
        let template = template();
        let parameters = template["parameters"].as_object().unwrap();
        let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["DockerScoutWebhook", "RegistryName", "systemTopics_dockerScoutRepository"]
        );
        assert!(parameters.values().all(|it| it["type"] == "string"));
        assert_eq!(parameters["systemTopics_dockerScoutRepository"]["defaultValue"], TOPIC);
        assert_eq!(template["resources"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn makes_the_documented_topic() {
        let topic = resource("Microsoft.EventGrid/systemTopics");
        assert_eq!(topic["apiVersion"], "2023-06-01-preview");
        assert_eq!(topic["location"], "[resourceGroup().location]");
        assert_eq!(topic["identity"]["type"], "None");
        assert_eq!(topic["properties"]["topicType"], "Microsoft.ContainerRegistry.Registries");
        assert_eq!(
            topic["properties"]["source"],
            "[resourceId('Microsoft.ContainerRegistry/registries', parameters('RegistryName'))]"
        );
    }

    #[test]
    fn makes_the_documented_subscription() {
        let subscription = resource("Microsoft.EventGrid/systemTopics/eventSubscriptions");
        assert_eq!(subscription["apiVersion"], "2023-06-01-preview");
        assert!(subscription["name"].as_str().unwrap().contains("/image-change"));
        assert!(subscription["dependsOn"][0].as_str().unwrap().contains("systemTopics"));
        assert_eq!(
            subscription["properties"],
            json!({
                "destination": {"endpointType": "WebHook", "properties": {
                    "endpointUrl": "[parameters('DockerScoutWebhook')]",
                    "maxEventsPerBatch": 1, "preferredBatchSizeInKilobytes": 64,
                }},
                "eventDeliverySchema": "EventGridSchema",
                "filter": {"enableAdvancedFilteringOnArrays": true, "includedEventTypes": [
                    "Microsoft.ContainerRegistry.ImagePushed",
                    "Microsoft.ContainerRegistry.ImageDeleted",
                ]},
                "labels": [],
                "retryPolicy": {"eventTimeToLiveInMinutes": 1440, "maxDeliveryAttempts": 30},
            })
        );
    }

    #[test]
    fn makes_a_token_that_only_reads() {
        let token = resource("Microsoft.ContainerRegistry/registries/tokens");
        assert_eq!(token["apiVersion"], "2023-01-01-preview");
        assert!(token["name"].as_str().unwrap().contains(&format!("/{TOKEN}'")));
        assert_eq!(token["properties"]["credentials"], json!({}));
        let map = token["properties"]["scopeMapId"].as_str().unwrap();
        assert!(map.contains("'_repositories_pull_metadata_read'"), "{map}");
        assert!(!ARM.contains("scopeMaps\""), "no scope map of its own");
    }

    /// Every name, version and value of the one is in the other.
    #[test]
    fn bicep_says_the_same() {
        fn words(value: &Value, all: &mut Vec<String>) {
            match value {
                Value::Object(fields) => fields.iter().for_each(|(key, it)| {
                    all.push(key.clone());
                    words(it, all);
                }),
                Value::Array(entries) => entries.iter().for_each(|it| words(it, all)),
                Value::String(text) if !text.starts_with('[') => all.push(text.clone()),
                Value::Number(number) => all.push(number.to_string()),
                _ => {}
            }
        }
        let template = template();
        let mut all = Vec::new();
        for resource in template["resources"].as_array().unwrap() {
            words(&resource["properties"], &mut all);
            words(&resource["identity"], &mut all);
            let (kind, version) = (&resource["type"], &resource["apiVersion"]);
            all.push(format!("'{}@{}'", kind.as_str().unwrap(), version.as_str().unwrap()));
        }
        for (name, parameter) in template["parameters"].as_object().unwrap() {
            all.push(format!("param {name} string"));
            words(&parameter["metadata"]["description"], &mut all);
        }
        all.extend([TOKEN.to_owned(), TOPIC.to_owned(), "'image-change'".to_owned()]);
        for word in all {
            assert!(BICEP.contains(&word), "{word} is not in the Bicep file");
        }
    }

    #[test]
    fn is_filled_in() {
        let text = arm(Some("https://foretop.example/hooks/1?code=a\"b"), Some("acme.azurecr.io"));
        let filled: Value = serde_json::from_str(&text).unwrap();
        let default = |name: &str| filled["parameters"][name]["defaultValue"].clone();
        assert_eq!(default("DockerScoutWebhook"), "https://foretop.example/hooks/1?code=a\"b");
        assert_eq!(default("RegistryName"), "acme");
        let formula: Value = serde_json::from_str(&arm(Some("[x]"), None)).unwrap();
        assert_eq!(formula["parameters"]["DockerScoutWebhook"]["defaultValue"], "[[x]");
        assert!(formula["parameters"]["RegistryName"].get("defaultValue").is_none());
    }
}
