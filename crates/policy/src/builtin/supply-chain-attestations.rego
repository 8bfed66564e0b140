# METADATA
# title: Supply chain attestations
# description: The image tells what is in it and how it was built.
# custom:
#   name: supply-chain-attestations
#   result_type: generic
#   weight: 15
#   not_compliant_title: Required supply chain attestations missing
#   details_order:
#   - attestation
#   - reason
package docker.scout

import rego.v1

# Each of these must be there. What goes by several names counts under any of them.
required_attestations := object.get(data.config, "required_attestations", [
	"https://spdx.dev/Document",
	"https://slsa.dev/provenance/v0.2",
])

sboms := {
	"https://spdx.dev/Document",
	"https://cyclonedx.org/bom",
	"https://cyclonedx.org/bom/v1.5",
	"https://cyclonedx.org/bom/v1.6",
}

provenances := {
	"https://slsa.dev/provenance/v0.2",
	"https://slsa.dev/provenance/v1",
}

families := [sboms, provenances]

default pass := false

pass if count(violation) == 0

not_applicable contains "only images have attestations, and this is none" if not input.source.image

violation contains {
	"message": sprintf("The attestation %s is missing", [kind]),
	"detail": {"attestation": kind, "reason": "missing"},
	"remediation": missing(kind),
} if {
	input.source.image
	some kind in required_attestations
	count(found(kind)) == 0
}

violation contains {
	"message": sprintf("The provenance %s does not tell all: it was not made with mode=max", [kind]),
	"detail": {"attestation": kind, "reason": "not mode=max"},
	"remediation": "Build with `--provenance=mode=max`.",
} if {
	input.source.image
	some required in required_attestations
	required in provenances
	kinds := found(required)
	count(kinds) > 0
	count([kind | some kind in kinds; is_complete(kind)]) == 0
	kind := min(kinds)
}

# The names that mean the same.
alike(kind) := union({{kind}} | {family | some family in families; kind in family})

found(kind) := {name | some name in alike(kind); not is_null(oci.referrer(name))}

# What tells of a Dockerfile or of build arguments was made with mode=max.
is_complete(kind) if oci.referrer(kind).statement.predicate.metadata.completeness.parameters == true

is_complete(kind) if count(oci.referrer(kind).statement.predicate.buildConfig) > 0

is_complete(kind) if {
	metadata := oci.referrer(kind).statement.predicate.runDetails.metadata
	metadata.buildkit_completeness.request == true
}

is_complete(kind) if {
	count(oci.referrer(kind).statement.predicate.buildDefinition.internalParameters.buildConfig) > 0
}

# Whatever else builds images has no modes.
is_complete(kind) if not is_from_buildkit(kind)

is_from_buildkit(kind) if {
	contains(lower(oci.referrer(kind).statement.predicate.buildType), "buildkit")
}

is_from_buildkit(kind) if {
	contains(lower(oci.referrer(kind).statement.predicate.buildDefinition.buildType), "buildkit")
}

missing(kind) := "Build with `--sbom=true`, or attach a document of what is in the image." if kind in sboms

missing(kind) := "Build with `--provenance=mode=max`." if kind in provenances

missing(kind) := "Attach the attestation to the image." if not kind in sboms | provenances
