#!/usr/bin/env bash
# Records what a workload runs, after it was rolled out: every container of it, by the digest that really
# runs.
#
#   post-deploy.sh NAMESPACE WORKLOAD ENVIRONMENT [PLATFORM]
#
# WORKLOAD is KIND/NAME, or the name of a deployment. foretop and kubectl must be in PATH;
# FORETOP_SERVER and FORETOP_TOKEN say who remembers it, KUBECONFIG which cluster is asked.
set -euo pipefail

if [ $# -lt 3 ] || [ $# -gt 4 ] || [ -z "$1" ] || [ -z "$2" ] || [ -z "$3" ]; then
  echo "usage: ${0##*/} NAMESPACE WORKLOAD ENVIRONMENT [PLATFORM]" >&2
  exit 1
fi
namespace=$1 environment=$3
case $2 in
  */*) workload=$2 ;;
  *) workload=deployment/$2 ;;
esac
platform=()
if [ -n "${4:-}" ]; then platform=(--platform "$4"); fi

# What was there before may still run until the new one is ready.
kubectl rollout status "$workload" --namespace "$namespace" --timeout "${ROLLOUT_TIMEOUT:-5m}"

# shellcheck disable=SC2016 # They are kubectl's variables, not the shell's.
selector=$(kubectl get "$workload" --namespace "$namespace" \
  --output go-template='{{range $key, $value := .spec.selector.matchLabels}}{{$key}}={{$value}},{{end}}')
selector=${selector%,}
if [ -z "$selector" ]; then
  echo "error: $workload: it selects its pods by no labels" >&2
  exit 1
fi

# Name, image as it was written, and image as it runs, of each container of each pod that is not about to go.
pods=$(kubectl get pods --namespace "$namespace" --selector "$selector" --output go-template='
{{- range .items}}{{if not .metadata.deletionTimestamp}}
{{- range .status.containerStatuses}}{{.name}} {{.image}} {{.imageID}}{{"\n"}}{{end}}
{{- end}}{{end -}}')
pods=$(sort -u <<<"$pods")
if [ -z "$pods" ]; then
  echo "error: $workload: no container of it runs" >&2
  exit 1
fi

twice=$(cut -d ' ' -f 1 <<<"$pods" | uniq -d)
if [ -n "$twice" ]; then
  echo "error: $workload: several images run at once as: ${twice//$'\n'/ }" >&2
  exit 1
fi

# Each is looked at before one is recorded: half a workload is none.
containers=() images=()
while read -r container image running; do
  # What stands alone is the id of a configuration, by which no registry knows an image.
  case $running in
    *@sha256:*) digest=${running##*@} ;;
    *)
      echo "error: $workload: nobody knows by which digest $container runs $image" >&2
      exit 1
      ;;
  esac
  name=${image%%@*}
  # Where only an id is told, what really runs says the name.
  case $name in
    sha256:* | '') name=${running%%@*} name=${name#*://} ;;
  esac
  containers+=("$container") images+=("$name@$digest")
done <<<"$pods"

for at in "${!images[@]}"; do
  foretop env ${platform[@]+"${platform[@]}"} --app "$namespace/$workload/${containers[at]}" -- "$environment" "${images[at]}"
done
