#!/bin/sh
# Fuzzes with libFuzzer and coverage: fuzz.sh SECONDS [TARGET…]
#
# Builds the fuzz program in a temporary folder from the sources of this tree, and from the third-party modules of the last
# `swift build`; then runs each target for SECONDS, from its corpus in Tests/Fuzz/corpus.
#
# KEYREG_FUZZ_RUNS=N                       a target ends after N inputs
# KEYREG_FUZZ_SEED=N                       draws the same inputs again
# KEYREG_FUZZ_FOLDER=PATH                  keeps what was built and found there; what is there is not built again
# KEYREG_FUZZ_SANITIZER=fuzzer,address     with the address sanitizer: an input takes twice as long
set -eu
seconds=${1:-10}
[ $# -eq 0 ] || shift
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/Tests/Fuzz
if [ -n "${KEYREG_FUZZ_FOLDER:-}" ]; then
  folder=$KEYREG_FUZZ_FOLDER
  mkdir -p "$folder"
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
built=$(cd "$root" && swift build --show-bin-path)
flags="-O -wmo -parse-as-library -swift-version 6 -package-name keyreg -enable-testing
  -sanitize=${KEYREG_FUZZ_SANITIZER:-fuzzer}
  -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature ExistentialAny
  -I . -I $built/Modules -I $root/Sources/CCurl"
for map in GRDB.swift/Sources/GRDBSQLite Yams/Sources/CYaml/include swift-crypto/Sources/CCryptoBoringSSL/include; do
  flags="$flags -I $root/.build/checkouts/$map"
done

# Third-party modules that ours are built on, as `swift build` left them.
others="CCryptoBoringSSL CCryptoBoringSSLShims CYaml Crypto CryptoBoringWrapper GRDB HTTPTypes Logging Yams"

# module NAME PATH…: the sources in these folders and files
module() {
  name=$1
  shift
  [ ! -f "$name.o" ] || return 0
  # shellcheck disable=SC2046,SC2086 # the flags are words, and no source has a space in its name
  swiftc $flags -module-name "$name" -emit-module -emit-module-path "$name.swiftmodule" -c -o "$name.o" $(
    cd "$root/Sources" && find "$@" -name '*.swift' -exec realpath {} +)
}

build() {
  module Registration Registration
  module RegistrationQueue RegistrationQueue &
  queue=$!
  module KeyList KeyList
  module RateLimit RateLimit
  module Secrets Secrets
  module Curl Curl
  module RegistrationAPI RegistrationAPI
  module RegistrationCore RegistrationCore
  # Of these, the folders that need no server and no disk.
  module ControlAPI ControlAPI/Documents ControlAPI/Requests
  module Spool Spool/Names
  module Settings RegistrationDaemon/Settings
  wait "$queue"
  for other in $others; do find "$built/$other.build" -name '*.o'; done > others
  rm -f libothers.a
  ar rcs libothers.a @others
  # shellcheck disable=SC2086 # the flags are words
  swiftc $flags -module-name Fuzz -o fuzz "$here"/*.swift Registration.o RegistrationQueue.o KeyList.o RateLimit.o \
    Secrets.o Curl.o RegistrationAPI.o RegistrationCore.o ControlAPI.o Spool.o Settings.o -L . -lothers -lsqlite3 -lcurl
}

# The fuzzer prints the input itself.
export SWIFT_BACKTRACE=enable=no
cd "$folder"
[ -x fuzz ] || build
for target in ${*:-lists answers headers pacer settings routes queue}; do
  mkdir -p "found/$target"
  dictionary=$here/$target.dict
  [ "$target" != pacer ] || dictionary=$here/headers.dict
  options="-max_total_time=$seconds -seed=${KEYREG_FUZZ_SEED:-0} -max_len=2048 -timeout=60 -print_final_stats=1 -artifact_prefix=$folder/$target-"
  [ ! -f "$dictionary" ] || options="$options -dict=$dictionary"
  [ -z "${KEYREG_FUZZ_RUNS:-}" ] || options="$options -runs=$KEYREG_FUZZ_RUNS"
  # shellcheck disable=SC2086 # the options are words
  if KEYREG_FUZZ=$target ./fuzz $options "found/$target" "$here/corpus/$target" > "$target.log" 2>&1; then
    echo "ok    $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$target.log") inputs"
  else
    tail -60 "$target.log"
    echo "FAIL  $target"
    exit 1
  fi
done
