#!/usr/bin/env bash
# The unit files as systemd reads them: `systemd-analyze verify` says nothing, the exposure level is 1.4 at most, and the
# template is the plain unit with the name of the instance in it. Needs no root and starts nothing.
set -u

limit=14 # tenths, as --threshold wants them
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
units=$here/../../systemd
command -v systemd-analyze >/dev/null || { echo "units_check: systemd-analyze is missing (package systemd)" >&2; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() { # description, output that must be empty
  if [ -z "$2" ]; then
    passed=$((passed + 1)) && echo "ok      $1"
  else
    failed=$((failed + 1)) && echo "FAILED  $1" && printf '%s\n' "$2" | sed 's/^/        /'
  fi
}

# Comments and blank lines gone, the name of the instance taken out.
plain() {
  sed -e '/^#/d' -e '/^$/d' -e '/^Environment=KEYREG_INSTANCE=%i$/d' -e 's# (%i)$##' -e 's#/%i.yaml#/keyreg.yaml#' \
    -e 's#/%i/#/#' -e 's#-%i$##' "$1"
}

for unit in keyreg.service keyreg@.service; do
  # verify needs the program to exist; nothing else is changed.
  sed 's#/usr/bin/keyreg#/bin/true#' "$units/$unit" >"$work/$unit"
  check "$unit: systemd-analyze verify is silent" "$(systemd-analyze verify --man=no "$work/$unit" 2>&1)"
  report=$(systemd-analyze security --no-pager --offline=true --threshold=$limit "$work/$unit" 2>&1)
  code=$?
  check "$unit: ${report##*$'\n'}" "$([ $code -eq 0 ] || echo "above 1.4")"
done
# A threshold that nothing can pass: if it is passed, the checks above say nothing.
check "a threshold that is missed is noticed" "$(
  systemd-analyze security --no-pager --offline=true --threshold=1 "$work/keyreg.service" >/dev/null 2>&1 &&
    echo "it is not"
)"
check "the template is the unit with the name of the instance in it" \
  "$(diff <(plain "$units/keyreg.service") <(plain "$units/keyreg@.service"))"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
