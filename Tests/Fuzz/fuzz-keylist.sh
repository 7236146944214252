#!/bin/sh
# Builds the fuzz target of the key list reader in a temporary folder and runs it: fuzz-keylist.sh [SECONDS]
set -eu
seconds=${1:-60}
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

flags="-O -parse-as-library -swift-version 6 -package-name keyreg -sanitize=fuzzer,address
  -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature ExistentialAny"
# shellcheck disable=SC2086 # the flags are words
swiftc $flags -module-name Registration -emit-module -emit-module-path Registration.swiftmodule \
  -emit-library -static -o libRegistration.a "$root"/Sources/Registration/*.swift
# shellcheck disable=SC2086
swiftc $flags -module-name KeyListFuzz -I . -L . -lRegistration -o keylist-fuzz \
  "$root"/Sources/KeyList/*.swift "$root"/Tests/Fuzz/KeyListFuzz.swift

mkdir corpus
id=00000000-0000-4000-8000-00000000000a
printf '%s\n# x\n"%s"\n' "$id" "$id" > corpus/text
printf 'name;App Key ID\r\n"a ""b""";%s\r\n' "$id" > corpus/csv
printf '{"id":"%s"}\n{"app_key_id":"%s","x":[{"id":1}]}\n' "$id" "$id" > corpus/lines
printf '{\n "meta": {},\n "data": [\n  {"id": "%s", "x": {"id": "\\u0041"}}\n ]\n}\n' "$id" > corpus/answer
printf '["%s",\n null, [], {"data": {"id": "%s"}}]' "$id" "$id" > corpus/array
./keylist-fuzz -max_total_time="$seconds" -max_len=2048 -timeout=5 -dict="$root/Tests/Fuzz/KeyList.dict" corpus
