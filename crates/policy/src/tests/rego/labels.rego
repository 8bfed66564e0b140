# METADATA
# title: The labels say what it is
# custom:
#   name: labels
#   result_type: boolean
package docker.scout

import rego.v1

default pass := false

pass if count(violation) == 0

default config := {}

config := data.config

least := object.get(config, "least", "1.0.0")

labels := input.source.image.config.config.Labels

version := object.get(labels, "org.opencontainers.image.version", "")

violation contains {"message": "no label org.opencontainers.image.version"} if {
	not labels["org.opencontainers.image.version"]
}

violation contains {"message": sprintf("%v is no release from %v on", [version, least])} if {
	version != ""
	not is_release(version)
}

violation contains {"message": "no owner anywhere"} if count(owners) == 0

is_release(text) if {
	semver.is_valid(text)
	not regex.match(`-(alpha|beta|rc)`, text)
	semver.compare(text, least) >= 0
}

owners[place] := owner if {
	some path, value
	walk(input, [path, value])
	is_object(value)
	some key, owner in value
	endswith(key, ".owner")
	place := concat("/", [sprintf("%v", [part]) | some part in path])
}
