#!/usr/bin/env bash
# Finds foretop for the step behind it, or fetches it. Nothing is run that was fetched from an address of
# the user's without a SHA-256 of the user's.
set -euo pipefail

# What is told from outside is no command to the runner.
fail() {
  local said=$1
  said=${said//'%'/%25} said=${said//$'\r'/%0D} said=${said//$'\n'/%0A}
  printf '::error title=Foretop::%s\n' "$said"
  exit 1
}

found() {
  printf 'program=%s\n' "$1" >>"$GITHUB_OUTPUT"
  "$1" version || fail "foretop does not run on this machine"
  exit 0
}

from=${INSTALL_FROM:-}
wanted=${INSTALL_SHA256:-}
version=${INSTALL_VERSION:-}

if [ -z "$from" ] && [ -z "$version" ] && there=$(command -v foretop); then
  found "$there"
fi

case $(uname -s) in
  Linux) system=linux ;;
  Darwin) system=darwin ;;
  *) fail "there is no foretop for $(uname -s): run it in a container, or put one into PATH" ;;
esac
case $(uname -m) in
  x86_64 | amd64) machine=amd64 ;;
  aarch64 | arm64) machine=arm64 ;;
  *) fail "there is no foretop for $(uname -m): build one, and put it into PATH" ;;
esac

folder=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/foretop.XXXXXX")

fetch() {
  case $1 in
    https://*) ;;
    http://127.0.0.1:* | http://localhost:*) ;;
    *) fail "$1: nothing is fetched but by https" ;;
  esac
  curl --fail --silent --show-error --location --proto-redir '=https' --retry 3 --max-time 300 \
    --max-filesize 500000000 --output "$2" -- "$1" || fail "$1: it cannot be fetched${3:+; $3}"
}

sum() {
  if command -v sha256sum >/dev/null; then
    sha256sum "$1" | cut -d ' ' -f 1
  else
    shasum -a 256 "$1" | cut -d ' ' -f 1
  fi
}

if [ -n "$from" ]; then
  [ -n "$wanted" ] || fail "install-from needs sha256: nobody runs what anybody may have put there"
else
  repository=${INSTALL_REPOSITORY:-}
  version=${version:-${INSTALL_REF:-}}
  [ -n "$repository" ] || fail "foretop is not in PATH, and no install-from says where it is"
  [ -n "$version" ] || fail "foretop is not in PATH, and no version says which release is meant"
  from=${GITHUB_SERVER_URL:-https://github.com}/$repository/releases/download/$version
  from=$from/foretop_${system}_$machine.tar.gz
  if [ -z "$wanted" ]; then
    fetch "$from.sha256" "$folder/sha256" "deploy/action/README.md tells how foretop gets there"
    read -r wanted _ <"$folder/sha256" || true
  fi
fi

fetch "$from" "$folder/fetched"
wanted=$(printf '%s' "$wanted" | tr 'A-F' 'a-f')
is=$(sum "$folder/fetched")
[ "$is" = "$wanted" ] || fail "$from: its SHA-256 is $is, and $wanted is wanted"
case $from in
  *.tar.gz | *.tgz) tar -xzf "$folder/fetched" -C "$folder" foretop || fail "$from: there is no foretop in it" ;;
  *) mv "$folder/fetched" "$folder/foretop" ;;
esac
chmod 755 "$folder/foretop"
found "$folder/foretop"
