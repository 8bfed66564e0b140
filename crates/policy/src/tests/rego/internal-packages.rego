# METADATA
# title: No packages of patterns that are blocked
# custom:
#   name: internal-packages
#   result_type: generic
#   weight: 1
#   details_order: [purl, path, flaws]
package docker.scout

import rego.v1

default pass := false

pass if {
	count(violation) == 0
}

blocked := object.get(data.config, "blocked", [])

sbom := oci.referrer("https://scout.docker.com/sbom/v0.1").statement.predicate

violation contains v if {
	some artifact in sbom.artifacts
	some pattern in blocked
	print("looking at", artifact.purl)
	glob.match(pattern, null, artifact.purl)
	purl := scout.parse_purl(artifact.purl)
	places := scout.package_provenance(artifact.purl).locations
	flaws := count([flaw | some entry in scout.vulnerabilities([artifact.purl]); some flaw in entry.vulnerabilities])
	v := {
		"message": sprintf("%q %s of type %v is blocked (pattern %q), found in %s, %d flaws, better %v", [
			purl.name, purl.version, purl.type, pattern, places[0].path, flaws,
			scout.package_recommendation(artifact.purl),
		]),
		"detail": {"purl": artifact.purl, "path": places[0].path, "flaws": flaws},
	}
}
