# METADATA
# title: Default non-root user
# description: What the image runs has no more rights than it needs.
# custom:
#   name: default-non-root-user
#   result_type: boolean
#   weight: 5
#   not_compliant_title: No default non-root user found
#   details_order:
#   - user
#   - explicit
package docker.scout

import rego.v1

default pass := false

pass if count(violation) == 0

not_applicable contains "only images run as a user, and this is none" if not input.source.image

unknown contains "the configuration of the image could not be read" if not input.source.image.config

user := trim_space(object.get(input, ["source", "image", "config", "config", "User"], ""))

# What stands before a group.
name := split(user, ":")[0]

violation contains {
	"message": "The image says nothing of a user, so it runs as root",
	"detail": {"user": "root", "explicit": false},
	"remediation": "Add a user to the image, and name it with USER at the end of the Dockerfile.",
} if {
	input.source.image.config
	name == ""
}

violation contains {
	"message": sprintf("The image runs as %s", [user]),
	"detail": {"user": user, "explicit": true},
	"remediation": "Name a user other than root with USER at the end of the Dockerfile.",
} if {
	is_root
}

is_root if lower(name) == "root"

is_root if regex.match(`^\+?0+$`, name)
