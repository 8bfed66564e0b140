//! The template is what is documented, and what the published schemas demand.

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
    assert_eq!(names, ["DockerScoutWebhook", "RegistryName", "systemTopics_dockerScoutRepository"]);
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
    let webhook = "https://foretop.example/hooks/1?code=a\"b";
    let filled: Value = serde_json::from_str(&arm(webhook, "acme")).unwrap();
    let default = |name: &str| filled["parameters"][name]["defaultValue"].clone();
    assert_eq!(default("DockerScoutWebhook"), webhook);
    assert_eq!(default("RegistryName"), "acme");
    let formula: Value = serde_json::from_str(&arm("[x]", "")).unwrap();
    assert_eq!(formula["parameters"]["DockerScoutWebhook"]["defaultValue"], "[[x]");
    let text = bicep(webhook, "ac'${me}\\");
    let line = format!("\nparam DockerScoutWebhook string = '{webhook}'\n");
    assert!(text.contains(&line), "{text}");
    assert!(text.contains("\nparam RegistryName string = 'ac\\'\\${me}\\\\'\n"), "{text}");
    assert_eq!(text.lines().count(), BICEP.lines().count());
}

/// What the published schemas demand, said by hand; the template was validated against the documents
/// themselves, too, as `deploy/azure/README.md` tells.
/// <https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json>,
/// <https://schema.management.azure.com/schemas/2023-06-01-preview/Microsoft.EventGrid.json>,
/// <https://schema.management.azure.com/schemas/2023-01-01-preview/Microsoft.ContainerRegistry.json>
#[test]
fn is_what_the_schemas_demand() {
    let filled: Value = serde_json::from_str(&arm("https://x.example/", "acme")).unwrap();
    assert_eq!(faults(&filled), Vec::<String>::new());
    // What is spoiled is seen.
    for (at, spoiled) in [
        ("/$schema", json!("https://schema.example/")),
        ("/contentVersion", json!("1")),
        ("/extra", json!(1)),
        ("/parameters/RegistryName/type", json!("text")),
        ("/parameters/RegistryName/defaultValue", json!(7)),
        ("/resources/0/properties", Value::Null),
        ("/resources/0/identity/type", json!("Nobody")),
        ("/resources/1/properties/destination/endpointType", json!("Hook")),
        ("/resources/1/properties/eventDeliverySchema", json!("Mine")),
        ("/resources/1/properties/retryPolicy/maxDeliveryAttempts", json!("30")),
        ("/resources/1/properties/labels", json!(5)),
        ("/resources/1/name", json!("image-change!")),
        ("/resources/2/name", json!("registry/a")),
        ("/resources/2/apiVersion", json!("2020-01-01")),
        ("/resources/2/properties/scopeMapId", json!(5)),
        ("/resources/2/properties/passwords", json!([])),
    ] {
        let mut template = filled.clone();
        let (parent, key) = at.rsplit_once('/').unwrap();
        template.pointer_mut(parent).unwrap()[key] = spoiled;
        assert_ne!(faults(&template), Vec::<String>::new(), "{at}");
    }
}

/// A member of an object: its name, whether it must be there, and what it is.
type Member<'a> = (&'a str, bool, &'a dyn Fn(&Value) -> bool);

fn members(at: &str, value: &Value, known: &[Member<'_>], faults: &mut Vec<String>) {
    let Some(object) = value.as_object() else {
        return faults.push(format!("{at} is no object"));
    };
    for key in object.keys().filter(|key| !known.iter().any(|it| it.0 == *key)) {
        faults.push(format!("{at}/{key} is not known"));
    }
    for (key, required, is_good) in known {
        match object.get(*key) {
            None if *required => faults.push(format!("{at}/{key} is missing")),
            Some(it) if !is_good(it) => faults.push(format!("{at}/{key} is {it}")),
            _ => {}
        }
    }
}

fn faults(template: &Value) -> Vec<String> {
    const SCHEMA: &str =
        "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
    let mut faults = Vec::new();
    let text = |it: &Value| it.is_string();
    let object = |it: &Value| it.is_object();
    let texts = |it: &Value| it.as_array().is_some_and(|it| it.iter().all(Value::is_string));
    let is = |expect: &'static str| move |it: &Value| it == expect;
    // A formula is worth what it comes to.
    let or_formula =
        |it: &Value| it.as_str().is_some_and(|it| it.starts_with('[') && it.ends_with(']'));
    let version = |it: &Value| {
        let parts = it.as_str().unwrap_or_default().split('.');
        let numbers: Vec<_> = parts.map(str::parse::<u32>).collect();
        numbers.len() == 4 && numbers.iter().all(Result::is_ok)
    };
    let some = |it: &Value| it.as_array().is_some_and(|it| !it.is_empty());
    let whole: [Member<'_>; 5] = [
        ("$schema", true, &is(SCHEMA)),
        ("contentVersion", true, &version),
        ("metadata", false, &object),
        ("parameters", false, &object),
        ("resources", true, &some),
    ];
    members("", template, &whole, &mut faults);
    for (name, parameter) in template["parameters"].as_object().into_iter().flatten() {
        let known: [Member<'_>; 3] = [
            ("type", true, &is("string")),
            ("defaultValue", false, &text),
            ("metadata", false, &object),
        ];
        members(&format!("/parameters/{name}"), parameter, &known, &mut faults);
    }
    let number = |range: std::ops::RangeInclusive<u64>| {
        move |it: &Value| it.as_u64().is_some_and(|it| range.contains(&it))
    };
    for (at, resource) in template["resources"].as_array().into_iter().flatten().enumerate() {
        let at = format!("/resources/{at}");
        let properties = &resource["properties"];
        let below = format!("{at}/properties");
        let (kind, version) = match resource["type"].as_str().unwrap_or_default() {
            it @ "Microsoft.EventGrid/systemTopics" => {
                let identity = |it: &Value| {
                    let kinds =
                        ["None", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned"];
                    it["type"].as_str().is_some_and(|it| kinds.contains(&it))
                };
                let known: [Member<'_>; 2] =
                    [("source", false, &text), ("topicType", false, &text)];
                members(&below, properties, &known, &mut faults);
                if !identity(&resource["identity"]) {
                    faults.push(format!("{at}/identity"));
                }
                (it, "2023-06-01-preview")
            }
            it @ "Microsoft.EventGrid/systemTopics/eventSubscriptions" => {
                let schema = |it: &Value| {
                    let all = ["EventGridSchema", "CustomInputSchema", "CloudEventSchemaV1_0"];
                    it.as_str().is_some_and(|it| all.contains(&it))
                };
                let known: [Member<'_>; 5] = [
                    ("destination", false, &object),
                    ("eventDeliverySchema", false, &schema),
                    ("filter", false, &object),
                    ("labels", false, &texts),
                    ("retryPolicy", false, &object),
                ];
                members(&below, properties, &known, &mut faults);
                let destination = &properties["destination"];
                let known: [Member<'_>; 2] =
                    [("endpointType", true, &is("WebHook")), ("properties", false, &object)];
                members(&format!("{below}/destination"), destination, &known, &mut faults);
                let known: [Member<'_>; 3] = [
                    ("endpointUrl", false, &text),
                    ("maxEventsPerBatch", false, &number(1..=5000)),
                    ("preferredBatchSizeInKilobytes", false, &number(1..=1024)),
                ];
                let below = format!("{below}/…");
                members(&below, &destination["properties"], &known, &mut faults);
                let known: [Member<'_>; 2] = [
                    ("eventTimeToLiveInMinutes", false, &number(1..=1440)),
                    ("maxDeliveryAttempts", false, &number(1..=30)),
                ];
                members(&below, &properties["retryPolicy"], &known, &mut faults);
                let known: [Member<'_>; 2] = [
                    ("enableAdvancedFilteringOnArrays", false, &Value::is_boolean),
                    ("includedEventTypes", false, &texts),
                ];
                members(&below, &properties["filter"], &known, &mut faults);
                (it, "2023-06-01-preview")
            }
            it @ "Microsoft.ContainerRegistry/registries/tokens" => {
                let known: [Member<'_>; 2] =
                    [("credentials", false, &object), ("scopeMapId", false, &text)];
                members(&below, properties, &known, &mut faults);
                (it, "2023-01-01-preview")
            }
            _ => ("one that is known", ""),
        };
        let known: [Member<'_>; 7] = [
            ("type", true, &|it: &Value| it == kind),
            ("apiVersion", true, &|it: &Value| it == version),
            ("name", true, &or_formula),
            ("location", false, &text),
            ("identity", false, &object),
            ("dependsOn", false, &texts),
            ("properties", true, &object),
        ];
        members(&at, resource, &known, &mut faults);
    }
    faults
}
