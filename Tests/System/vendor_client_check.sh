#!/bin/bash
# The sandbox against the vendor's own client (datadog-api-client from PyPI): what the real API's users run must not be
# able to tell the two apart. Needs python3 with venv and a package index.
#
# Usage: vendor_client_check.sh PATH_OF_KEYREG
# Prints "N passed, N failed". Exit code 0 when all passed, 1 otherwise.
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "usage: $0 PATH_OF_KEYREG" >&2
  exit 1
fi
keyreg=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
sandboxes=()

cleanup() {
  for sandbox in "${sandboxes[@]}"; do
    kill "$sandbox" 2>/dev/null || true # It may have ended by itself.
    wait "$sandbox" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap cleanup EXIT

# start NAME OPTION…: starts a sandbox and leaves its address in $address.
start() {
  local name=$1
  shift
  : >"$folder/$name" # So that it is there, however late the sandbox starts.
  "$keyreg" sandbox --listen 127.0.0.1:0 "$@" >"$folder/$name" &
  sandboxes+=($!)
  for _ in $(seq 100); do
    address=$(sed -n 's/^listening on //p' "$folder/$name")
    [ -n "$address" ] && return
    sleep 0.1
  done
  echo "the sandbox did not start" >&2
  exit 1
}

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install 'datadog-api-client>=2.36'

# The client does not send an empty key, so a key that is forbidden stands for credentials that are.
forbidden=00000000-0000-4000-8000-000000000403
start wide --limit 100000/24h --faults "403:key=$forbidden"
wide=$address
start narrow --limit 3/24h
narrow=$address
"$folder/venv/bin/python" "$here/vendor_client_check.py" "$wide" "$narrow" "$forbidden"
