# The package in the hands of an operator, as a part of service_check.sh, which reads this file: the commands of the
# manual, typed as they stand there, on the booted machine.

readonly manual=$here/../../systemd/man/keyreg.1 readme=$here/../../README.md
readonly spool=/var/spool/keyreg

build_package() { # version, or nothing for the program's own; prints the package's path
  "$here/../../systemd/package/build" --binary "$binary" --uncompressed ${1:+--version "$1"} "$work/packages" \
    2>"$work/build" || cat "$work/build" >&2
}

# typed FILE HEADING N [ANSWER…]: types the commands of an example as the operator after logging in, and succeeds if each
# of them does. A command that reads a key from the terminal gets the next ANSWER; others get a yes.
typed() {
  local file=$1 heading=$2 number=$3 command answer; shift 3
  local commands=()
  mapfile -d '' -t commands < <("$here/manual.py" "$file" "$heading" "$number")
  [ ${#commands[@]} -gt 0 ] || return 1
  for command in "${commands[@]}"; do
    answer=y
    [[ $command != */dev/stdin* ]] || { answer=$1; shift; }
    inside runuser -l operator -c "$command" <<<"$answer" >>"$work/typed" 2>&1 || {
      echo "        typed: $command" && tail -n 5 "$work/typed" | sed 's/^/        | /'
      return 1
    }
  done
}
# follow NAME FILE HEADING N [ANSWER…]
follow() { local name=$1; shift; if typed "$@"; then ok "$name"; else no "$name"; fi; }

people() {
  install -d "$root/srv/operator"
  printf 'u %s - - /srv/operator /bin/bash\n' operator outsider >"$root/usr/lib/sysusers.d/people.conf"
  install -d -m 755 "$root/etc/sudoers.d"
  echo 'operator ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/operator"
}
on_the_desk() { # package
  rm -f "$root"/srv/operator/keyreg_*.deb
  cp "$1" "$root/srv/operator/"
}

check_package() {
  local first=$1 second
  mv "$first" "$work/first.deb"
  second=$(build_package)
  check "the package has the same bytes when it is built again" cmp "$work/first.deb" "$second"
  if command -v lintian >/dev/null; then
    # Of a binary that is not a release, and of a package that is not compressed.
    same "lintian has nothing to say" "" "$(lintian --fail-on none --suppress-tags \
      custom-library-search-path,uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball \
      "$second" 2>/dev/null)"
  fi
  same "every command has its place in the manual" "" "$(
    "$binary" --help | sed -n '/^SUBCOMMANDS/,/^$/{s/^  \([a-z][a-z]*\) .*/\1/p;s/^  \([a-z][a-z]*\)$/\1/p}' |
      while read -r name; do grep -Eq "^\.B(R|I)? \"?(.*, \" )?$name\b" "$manual" || echo "$name"; done
  )"
  same "README and manual install in the same way" "$("$here/manual.py" "$manual" INSTALL 1 | tr '\0' '\n')" \
    "$("$here/manual.py" "$readme" "As a service" 2 | tr '\0' '\n')"
}

check_first_hour() {
  local begin=$SECONDS
  list 99999999 20 operator/keys.txt
  inside chown -R operator: /srv/operator
  follow "the first commands of the README install and start the service" \
    "$readme" "As a service" 2 $first_key $first_app
  follow "… which can be pointed at the sandbox" "$manual" INSTALL 2
  follow "… and does a first list" "$manual" "FIRST LIST" 1
  below "… all within three minutes" $((SECONDS - begin)) 180
  same "every key of it is registered" 20 "$(registered keys.txt)"
  follow "what the manual shows for watching works" "$manual" WATCH 1
  follow "… and so does the socket" "$manual" WATCH 2
  follow "the sandbox can be left again" "$manual" INSTALL 3
  for page in keyreg.1 keyreg.yaml.5 keyreg-pacing.7; do
    same "man finds no fault with ${page%.*}(${page##*.})" "" \
      "$(inside man --warnings -E UTF-8 "${page##*.}" "${page%.*}" 2>&1 >/dev/null)"
  done
  check "the completion for bash can be sourced" inside bash -c '. /usr/share/bash-completion/completions/keyreg'
}

check_backup() {
  follow "a backup is made" "$manual" "BACKUP AND MOVE" 1
  follow "… and restored" "$manual" "BACKUP AND MOVE" 2
  check "… and the daemon goes on with it" as operator keyreg status
  inside systemctl stop $unit
  as operator keyreg status 2>"$work/stopped"
  check "while it is stopped, the command that starts it is named" \
    grep -q 'hint: start it (sudo systemctl start keyreg)' "$work/stopped"
  inside chown root: /var/lib/keyreg/queue.sqlite
  inside chmod 600 /var/lib/keyreg/queue.sqlite
  refuse "a queue that belongs to root is refused" inside systemctl start $unit
  same "… without trying again" "77 failed" "$(property ExecMainStatus) $(property SubState)"
  check "… with the command that helps" holds "sudo chown keyreg: /var/lib/keyreg/queue.sqlite" \
    inside journalctl --no-pager -u $unit -n 20
  inside chown keyreg: /var/lib/keyreg/queue.sqlite
  check "… after which it starts" inside systemctl start $unit
}

check_upgrade() {
  local before pid
  list 77777777 400 upgrade.txt
  drop upgrade.txt keyreg
  check "work is under way before an upgrade" within 30 sent_more_than 77777777 20
  pid=$(property MainPID)
  on_the_desk "$(build_package 0.1.0+later)"
  follow "an upgrade in the middle of it succeeds" "$manual" UPGRADE 1
  check "… and starts the new version" main_pid_is_new "$pid"
  check "… which finishes the list" within 60 test -e "$(results upgrade.txt)"
  same "no key of it is lost, or sent twice" "400 400 400" \
    "$(registered upgrade.txt) $(sent 77777777 | sort -u | wc -l) $(sent 77777777 | wc -l)"
  on_the_desk "$work/first.deb"
  mv "$root/srv/operator/first.deb" "$root/srv/operator/keyreg_0.1.0_all.deb"
  pid=$(property MainPID)
  refuse "a downgrade is refused" inside sh -c 'dpkg -i /srv/operator/keyreg_*.deb >/srv/downgrade 2>&1'
  check "… in words" grep -q 'older than the installed keyreg 0.1.0+later' "$root/srv/downgrade"
  same "… and changes nothing" "$pid active" "$(property MainPID) $(property ActiveState)"
}

check_removal() {
  as operator keyreg pause >/dev/null
  list 66666666 5 never.txt
  drop never.txt keyreg
  check "a list is read during a pause" within 20 test -e "$root$spool/done/never.txt.receipt.json"
  follow "the service and its data can be packed up" "$manual" "BACKUP AND MOVE" 3
  follow "the package can be removed" "$manual" UNINSTALL 1
  refuse "… and the program is gone" test -e "$root/usr/bin/keyreg"
  check "… and the data is not" test -e "$root/var/lib/keyreg/queue.sqlite"
  on_the_desk "$work/packages/keyreg_0.1.0+later_"*.deb
  check "it can be purged" inside apt-get purge -y keyreg
  refuse "… and its queue, configuration and credentials are gone" \
    ls -d "$root"/var/lib/keyreg* "$root"/etc/keyreg "$root"/etc/tmpfiles.d/keyreg*
  same "… but not a list that was not worked off" "$spool/incoming/never.txt" "$(inside find $spool -type f)"
  rm "$root$spool/incoming/never.txt"
  check "installed on another machine, …" typed "$manual" UPGRADE 1
  follow "… it takes over what was packed up" "$manual" "BACKUP AND MOVE" 4
  check "… with the pause" holds paused as operator keyreg status
  check "… and goes on" as operator keyreg resume
  check "… with the list" within 30 test -e "$(results never.txt)"
  same "… of which every key is registered once" "5 5" "$(registered never.txt) $(sent 66666666 | wc -l)"
}
