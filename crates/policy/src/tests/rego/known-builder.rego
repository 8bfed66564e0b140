# METADATA
# title: Built from a repository of ours
# custom:
#   name: known-builder
#   result_type: generic
package docker.scout

import rego.v1

default pass := false

pass if count(violation) == 0

ours := object.get(data.config, "repositories", ["https://git.example.org/*"])

provenance := oci.referrer("https://scout.docker.com/provenance/v0.1").statement.predicate

violation contains {"message": "nobody says what it is built from"} if not provenance.source

violation contains {"message": sprintf("it is built from %s", [provenance.source.repository])} if {
	every pattern in ours {
		not glob.match(pattern, null, provenance.source.repository)
	}
}

violation contains {"message": sprintf("the commit %s is not signed", [provenance.source.commit])} if {
	answer := gpg.verify_commit(provenance.source.commit, provenance.source.signature)
	not answer.verified
}
