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

default pass := false

pass if count(violation) == 0

# What is the same for all flaws is looked up before they are gone through.
violation contains {
	"message": sprintf("%s has %s", [purl, name]),
	"detail": {
		"purl": purl,
		"vulnerability": name,
		"severity": severity,
		"fixedBy": fixed,
		"cvssScore": concat("", [sprintf("%.1f", [score]) | score := flaw.cvss.score; score]),
	},
	"remediation": sprintf("Update %s to %s or later.", [purl, fixed]),
} if {
	counting := severities
	entries := oci.referrer("https://scout.docker.com/vulnerabilities/v0.1").statement.predicate
	others := of_other_types(entries)
	late := in_grace(entries)
	entry := entries[_]
	purl := entry.purl
	not purl in others
	flaw := entry.vulnerabilities[_]
	severity := flaw.cvss.severity
	severity in counting
	fixed := object.get(flaw, "fixed_by", "")
	fixed != ""
	not flaw in late
	name := flaw.source_id
}

violation contains {
	"message": sprintf("%s has %s", [purl, name]),
	"detail": {
		"purl": purl,
		"vulnerability": name,
		"severity": severity,
		"fixedBy": "",
		"cvssScore": concat("", [sprintf("%.1f", [score]) | score := flaw.cvss.score; score]),
	},
	"remediation": sprintf("There is no version of %s yet that mends it: remove it, or state why it does no harm.", [purl]),
} if {
	not fixable_only
	counting := severities
	entries := oci.referrer("https://scout.docker.com/vulnerabilities/v0.1").statement.predicate
	others := of_other_types(entries)
	late := in_grace(entries)
	entry := entries[_]
	purl := entry.purl
	not purl in others
	flaw := entry.vulnerabilities[_]
	severity := flaw.cvss.severity
	severity in counting
	object.get(flaw, "fixed_by", "") == ""
	not flaw in late
	name := flaw.source_id
}

# Packages that do not count.
of_other_types(entries) := {entry.purl |
	count(package_types) > 0
	entry := entries[_]
	not scout.parse_purl(entry.purl).type in package_types
}

# Flaws that are let through for some days.
in_grace(entries) := {flaw |
	grace_period_days > 0
	entry := entries[_]
	flaw := entry.vulnerabilities[_]
	flaw.cvss.severity in severities
	counts_as_fixable(flaw)
	age := time.now_ns() - time.parse_rfc3339_ns(flaw.published_at)
	age < grace_period_days * 86400000000000
}

counts_as_fixable(_) if not fixable_only

counts_as_fixable(flaw) if object.get(flaw, "fixed_by", "") != ""

# Without advisories nothing has a flaw, which says nothing.
unknown contains "the image was compared with no advisories" if not input.vulnerabilities

unknown contains "the image was compared with no advisories" if {
	input.analysis.basis.almanac == ""
	not input.analysis.basis.starter
}

unknown contains "the image was compared with the best-known flaws alone: there is no almanac" if {
	input.analysis.basis.starter
}
