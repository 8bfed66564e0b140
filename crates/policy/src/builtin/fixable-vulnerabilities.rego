# METADATA
# title: No fixable critical or high vulnerabilities
# description: Nothing in the image has a serious flaw that its publisher has mended already.
# custom:
#   name: fixable-vulnerabilities
#   result_type: vulnerability
#   weight: 20
#   not_compliant_title: Fixable critical or high vulnerabilities found
#   details_order:
#   - purl
#   - vulnerability
#   - severity
#   - fixedBy
#   - cvssScore
package docker.scout

import rego.v1

# Which severities count.
severities := object.get(data.config, "severities", ["CRITICAL", "HIGH"])

# Whether what cannot be mended yet is let through.
fixable_only := object.get(data.config, "fixable_only", true)

# Types of purls that count; none listed: all of them.
package_types := object.get(data.config, "package_types", [])

# For so many days after it became known, a flaw is let through.
grace_period_days := object.get(data.config, "grace_period_days", 0)

# Whether flaws are let through that nothing loads where the image runs, as somebody saw.
in_use_only := object.get(data.config, "in_use_only", false)

default pass := false

pass if count(violation) == 0

violation := foretop.told([[form(remedy), flaws(fixable)] | some remedy, fixable in remedies])

remedies["Update {purl} to {fixedBy} or later."] := true

remedies["There is no version of {purl} yet that mends it: remove it, or state why it does no harm."] := false if {
	not fixable_only
}

form(remedy) := {"message": "{purl} has {vulnerability}", "detail": "{}", "remediation": remedy}

flaws(fixable) := foretop.flaws(
	{
		"severities": severities,
		"fixable": fixable,
		"in_use_only": in_use_only,
		"packages_other_than": of_other_types,
		"flaws_other_than": in_grace(grace_period_days),
	},
	["purl", "vulnerability", "severity", "fixedBy", "cvssScore"],
)

# Packages that do not count.
of_other_types := {entry.purl |
	count(package_types) > 0
	entry := oci.referrer("https://scout.docker.com/vulnerabilities/v0.1").statement.predicate[_]
	not scout.parse_purl(entry.purl).type in package_types
}

# Flaws that are let through for some days.
in_grace(days) := {flaw |
	days > 0
	flaw := foretop.flaws(counting, ["flaw"])[_].flaw
	age := time.now_ns() - time.parse_rfc3339_ns(flaw.published_at)
	age < days * 86400000000000
}

# Of a flaw that does not count, nobody asks when it became known.
counting := object.union(counting_at_all, {"fixable": true}) if fixable_only

counting := counting_at_all if not fixable_only

counting_at_all := {
	"severities": severities,
	"packages_other_than": of_other_types,
	"in_use_only": in_use_only,
}

# Without advisories nothing has a flaw, which says nothing.
unknown contains "the image was compared with no advisories" if not input.vulnerabilities

unknown contains "the image was compared with no advisories" if {
	input.analysis.basis.almanac == ""
	not input.analysis.basis.starter
}

unknown contains "the image was compared with the best-known flaws alone: there is no almanac" if {
	input.analysis.basis.starter
}
