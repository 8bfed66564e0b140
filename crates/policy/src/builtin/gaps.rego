# METADATA
# title: No gaps
# description: All of the image could be read and judged.
# custom:
#   name: gaps
#   opt_in: true
#   result_type: generic
#   not_compliant_title: Gaps found
#   details_order:
#   - at
#   - why
package docker.scout

import rego.v1

# Patterns of places whose gaps are accepted.
ignored := object.get(data.config, "ignored", [])

default pass := false

pass if count(violation) == 0

unknown contains "this is not a document of an image" if not input.source

gaps := [gap |
	some list in [
		object.get(input, "gaps", []),
		object.get(input, ["analysis", "gaps"], []),
		object.get(input, ["source", "image", "gaps"], []),
	]
	some gap in list
]

violation contains {
	"message": sprintf("%s: %s", [gap.at, gap.why]),
	"detail": {"at": gap.at, "why": gap.why},
	"remediation": "See what could not be read, and mend it, or accept the gap in the configuration.",
} if {
	some gap in gaps
	not is_ignored(gap.at)
}

is_ignored(at) if {
	some pattern in ignored
	glob.match(pattern, null, at)
}
