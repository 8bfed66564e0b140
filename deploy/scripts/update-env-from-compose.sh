#!/usr/bin/env bash
# Records what the services of a compose file run.
#
#   update-env-from-compose.sh ENVIRONMENT [COMPOSE_FILE]
#
# Variables, .env beside the file, profiles and the project's name count as they do for compose.
# foretop must be in PATH; FORETOP_SERVER and FORETOP_TOKEN say who remembers it.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ -z "$1" ]; then
  echo "usage: ${0##*/} ENVIRONMENT [COMPOSE_FILE]" >&2
  exit 1
fi
environment=$1
file=${2:-}
if [ -z "$file" ]; then
  for it in compose.yaml compose.yml docker-compose.yaml docker-compose.yml; do
    if [ -f "$it" ]; then
      file=$it
      break
    fi
  done
fi
if [ -z "$file" ]; then
  echo "error: there is no compose file here: name one" >&2
  exit 1
fi
exec foretop env --compose "$file" -- "$environment"
