# METADATA
# title: No copyleft licenses
# description: No package is under a licence that asks for what is built with it to be given away too.
# custom:
#   name: copyleft-license
#   result_type: license
#   weight: 5
#   not_compliant_title: Copyleft licensed packages found
#   details_order:
#   - purl
#   - license
package docker.scout

import rego.v1

# Licences by their SPDX ids, with what may follow them.
licenses := object.get(data.config, "licenses", [
	"AGPL-1.0-only",
	"AGPL-1.0-or-later",
	"AGPL-3.0-only",
	"AGPL-3.0-or-later",
	"CC-BY-SA-4.0",
	"CDDL-1.0",
	"CDDL-1.1",
	"EPL-1.0",
	"EPL-2.0",
	"EUPL-1.1",
	"EUPL-1.2",
	"GPL-1.0-only",
	"GPL-1.0-or-later",
	"GPL-2.0-only",
	"GPL-2.0-or-later",
	"GPL-3.0-only",
	"GPL-3.0-or-later",
	"LGPL-2.0-only",
	"LGPL-2.0-or-later",
	"LGPL-2.1-only",
	"LGPL-2.1-or-later",
	"LGPL-3.0-only",
	"LGPL-3.0-or-later",
	"MPL-1.1",
	"MPL-2.0",
	"OSL-3.0",
	"SSPL-1.0",
])

# Packages that may have any licence, by purl; one without a version stands for all versions.
ignored_packages := object.get(data.config, "ignored_packages", [])

default pass := false

pass if count(violation) == 0

unknown contains "what is in the image is not known" if not is_array(input.artifacts)

violation := foretop.told([[form, foretop.licensed(copyleft, let_through)]])

form := {
	"message": "{purl} is under {license}",
	"detail": "{}",
	"remediation": "Replace {purl}, or list it among the ignored packages once its licence is accepted.",
}

# Many packages are under the same licence, which is looked at once.
copyleft := {license |
	some license in foretop.licenses()
	is_copyleft(license)
}

# Packages that may be under any of them.
let_through := {purl |
	count(ignored_packages) > 0
	purl := foretop.licensed(copyleft, [])[_].purl
	is_ignored(purl)
}

# Ids as they were, without `-only` and `-or-later`, mean the same.
plain(id) := trim_suffix(trim_suffix(trim_suffix(upper(id), "+"), "-ONLY"), "-OR-LATER")

listed := {plain(id) | some id in licenses}

# Of alternatives, one that is not listed is enough; of what holds together, one that is listed.
is_copyleft(expression) if {
	some alternatives in [regex.split(`(?i)\s+or\s+`, regex.replace(expression, `[()]`, ""))]
	every alternative in alternatives {
		some id in regex.split(`(?i)\s+and\s+`, alternative)
		plain(trim_space(regex.split(`(?i)\s+with\s+`, id)[0])) in listed
	}
}

is_ignored(purl) if purl in ignored_packages

is_ignored(purl) if split(purl, "?")[0] in ignored_packages

is_ignored(purl) if {
	some ignored in ignored_packages
	startswith(purl, sprintf("%s@", [ignored]))
}
