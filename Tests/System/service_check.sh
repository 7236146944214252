#!/usr/bin/env bash
# The service under a real systemd: boots one in a container on this machine's own disk under a throw-away
# layer, installs the package there as an operator would who follows the manual, and watches what systemd and users see.
#
#   service_check.sh BINARY      as root; takes about four minutes, ten at most; nothing is left behind
#
# Prints a line a check, then `N passed, N failed`; exits 0 when all passed. The stand-in API runs inside, on loopback:
# the container has no other network.
set -u

binary=$(readlink -f "${1:?usage: service_check.sh BINARY}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
missing=
for tool in systemd-nspawn nsenter setpriv pgrep perl mountpoint ldd sudo man curl dpkg-shlibdeps python3; do
  command -v "$tool" >/dev/null || missing+=" $tool"
done
[ -z "$missing" ] || {
  echo "service_check: missing:$missing (packages systemd, systemd-container, procps, util-linux, perl-base,
  sudo, man-db, curl, dpkg-dev, python3)" >&2
  exit 1
}
[ "$(id -u)" -eq 0 ] || { echo "service_check: root is needed, to boot a container" >&2; exit 1; }
[ -x "$binary" ] || { echo "service_check: $binary is not a program" >&2; exit 1; }
[ "${BOUNDED:-}" ] || exec env BOUNDED=yes timeout --kill-after=20 600 bash "${BASH_SOURCE[0]}" "$binary"

readonly unit=keyreg.service sandbox_port=18080 doorkeeper_port=18081
readonly first_key=check-api-first-6b1f first_app=check-app-first-93ac
readonly second_key=check-api-second-d27e third_key=check-api-third-58c0
. "$here/package_checks.sh"
work=$(mktemp -d /tmp/keyreg-service-check.XXXXXX) || exit 1
root=$work/top/root
passed=0 failed=0 nspawn= leader=

clean_up() {
  trap - EXIT INT TERM
  [ -z "$leader" ] || kill -KILL "$leader" 2>/dev/null
  # The container ends with its first process; systemd-nspawn then clears up after itself.
  [ -z "$nspawn" ] || within 5 gone "$nspawn" || kill -KILL "$nspawn" 2>/dev/null
  for place in "$root" "$work/top"; do
    ! mountpoint -q "$place" || umount "$place" 2>/dev/null || umount --lazy "$place"
  done
  rm -rf --one-file-system "$work"
}
gone() { ! kill -0 "$1" 2>/dev/null; }
trap clean_up EXIT
trap 'echo "service_check: stopped before its end" >&2; exit 1' INT TERM

ok() { passed=$((passed + 1)); echo "ok      $1"; }
no() { failed=$((failed + 1)); echo "FAILED  $1${2:+ ($2)}"; }
# check NAME COMMAND…: passes when the command succeeds. same NAME EXPECTED FOUND: passes when the two are equal.
check() { local name=$1; shift; if "$@" >/dev/null 2>&1; then ok "$name"; else no "$name"; fi; }
refuse() { local name=$1; shift; if "$@" >/dev/null 2>&1; then no "$name"; else ok "$name"; fi; }
same() { if [ "$2" = "$3" ]; then ok "$1"; else no "$1" "expected $2, found $3"; fi; }
below() { if [ "$2" -lt "$3" ]; then ok "$1"; else no "$1" "$2 is not below $3"; fi; }
# within SECONDS COMMAND…: succeeds as soon as the command does, fails when it has not by then.
within() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done
}

inside() { nsenter -t "$leader" -a -- env -i PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin LC_ALL=C.UTF-8 "$@"; }
as() { local user=$1; shift; inside setpriv --reuid "$user" --regid "$user" --init-groups -- "$@"; }
property() { inside systemctl show --property="$1" --value "${2:-$unit}"; }
holds() { local text=$1; shift; "$@" 2>/dev/null | grep -qF -- "$text"; }
property_is() { [ "$(property "$1" "${3:-$unit}")" = "$2" ]; }
main_pid_is_new() {
  local pid; pid=$(property MainPID)
  [ "$pid" != 0 ] && [ "$pid" != "$1" ] && property_is ActiveState active
}

# Lists of COUNT keys that begin with TAG (8 hexadecimal digits), dropped by a member of the group.
list() { local i; for ((i = 0; i < $2; i++)); do printf '%s-0000-4000-8000-%012x\n' "$1" "$i"; done >"$root/srv/$3"; }
drop() { as operator sh -c "cd /var/spool/$2/incoming && cp /srv/$1 .$1 && mv .$1 $1"; }
results() { echo "$root/var/spool/${2:-keyreg}/results/$1.csv"; }
registered() { grep -c ',registered,' "$(results "$@")" 2>/dev/null || true; }
# What the stand-in API answered 201 to, one key a line: for one list, by its tag.
sent() {
  sed -n 's#.*"method":"PUT".*/\([0-9a-f-]*\)".*"status":201.*#\1#p' "$root/srv/sandbox.jsonl" | grep "^$1" || true
}
sent_more_than() { [ "$(sent "$1" | wc -l)" -gt "$2" ]; }

configure() { # port, further lines
  printf 'api:\n  url: http://127.0.0.1:%s\n%s\n' "$1" "${2:-}" >"$root/etc/keyreg/${3:-keyreg}.yaml"
}
secret() { # name, content, folder below credentials
  local file=$root/etc/keyreg/credentials/${3:+$3/}$1
  install -m 600 /dev/null "$file" && echo "$2" >"$file"
}
drop_in() { # name, unit; the lines on standard input
  mkdir -p "$root/etc/systemd/system/${2:-$unit}.d" && cat >"$root/etc/systemd/system/${2:-$unit}.d/$1.conf"
  inside systemctl daemon-reload
}

prepare_root() {
  local library service
  mkdir "$work/top" && mount -t tmpfs -o mode=755 tmpfs "$work/top" || return 1
  mkdir "$work/top/upper" "$work/top/work" "$root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$work/top/upper,workdir=$work/top/work" "$root" || return 1
  # The libraries of a program that is not a release: it may use them, and they may be on another file system.
  ldd "$binary" 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | while read -r library; do
    [ -e "$root$library" ] || install -D "$library" "$root$library"
    case $library in /usr/lib/* | /lib/*) ;; *) echo "${library%/*}" ;; esac
  done | sort -u | sed '1i [Service]\nExecPaths=/dev/null' | sed '3,$s/^/ExecPaths=/' >"$work/libraries.conf"
  for service in keyreg keyreg@; do
    install -D -m 644 "$work/libraries.conf" "$root/etc/systemd/system/$service.service.d/libraries.conf"
  done
  rm -rf "$root"/{etc,var/spool,var/lib}/keyreg "$root"/usr/{local/,}bin/keyreg "$root/etc/machine-id" \
    "$root/usr/sbin/policy-rc.d"
  people
  ln -sf /dev/null "$root/etc/systemd/system/systemd-firstboot.service"
}

boot() {
  systemd-nspawn --quiet --directory="$root" --boot --private-network --register=no --keep-unit --link-journal=no \
    --hostname=keyreg-check --console=pipe systemd.unit=basic.target </dev/null >"$work/console" 2>&1 &
  nspawn=$!
  within 20 pgrep -P "$nspawn" || return 1
  leader=$(pgrep -P "$nspawn" | head -n 1)
  within 60 inside systemctl is-active --quiet basic.target
}

start_sandbox() {
  inside systemd-run --quiet --unit=sandbox /usr/bin/keyreg sandbox --listen "127.0.0.1:$sandbox_port" \
    --limit 100000/60s --latency 500ms --journal /srv/sandbox.jsonl
}

# An API that lets one pair of keys in and answers 401 to all others.
start_doorkeeper() { # the api key
  cat >"$root/srv/doorkeeper.pl" <<'PERL'
use strict; use IO::Socket::INET;
my ($port, $file) = @ARGV;
open my $lock, '<', $file or die; chomp(my $key = <$lock>);
my $door = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1) or die;
while (1) {
  my $guest = $door->accept or next;
  my ($id, $told) = ('', '');
  while (my $line = <$guest>) {
    $line =~ s/\r?\n//;
    $id = $1 if $line =~ m{^PUT \S*/([0-9a-f-]{36}) };
    $told = $1 if $line =~ /^dd-api-key: *(.*)/i;
    last if $line eq '';
  }
  my ($status, $body) = $told eq $key
    ? ('201 Created', qq({"data":{"id":"$id","type":"app_key_registration"}}))
    : ('401 Unauthorized', '{"errors":["Unauthorized"]}');
  print $guest "HTTP/1.1 $status\r\nContent-Type: application/json\r\nContent-Length: ", length $body,
    "\r\nConnection: close\r\n\r\n$body";
  close $guest;
}
PERL
  echo "$1" >"$root/srv/doorkeeper.key" # not an argument: those are in the journal
  inside systemctl stop doorkeeper 2>/dev/null
  inside systemd-run --quiet --collect --unit=doorkeeper \
    perl /srv/doorkeeper.pl "$doorkeeper_port" /srv/doorkeeper.key
}

check_start() {
  local pid
  inside systemctl stop $unit
  check "starts, and systemctl start returns" inside systemctl start $unit
  check "the control socket answers as soon as the service counts as started" as operator keyreg status --json
  same "is active because it said so (Type=notify)" "notify active" "$(property Type) $(property ActiveState)"
  same "the control socket belongs to the group" "keyreg keyreg 660" \
    "$(inside stat -c '%U %G %a' /run/keyreg/control.sock)"
  same "its folder is closed to others" "keyreg keyreg 750" "$(inside stat -c '%U %G %a' /run/keyreg)"
  same "so is the state" "keyreg keyreg 750" "$(inside stat -c '%U %G %a' /var/lib/keyreg)"
  as outsider keyreg status >/dev/null 2>"$work/outsider"
  same "somebody outside the group is told that it may not (exit 4)" 4 $?
  check "… and what would help" grep -q 'hint: join the group keyreg (sudo usermod -aG keyreg outsider)' "$work/outsider"
  as outsider keyreg submit /srv/operator/keys.txt >/dev/null 2>"$work/outsider"
  same "… as with a list (exit 77)" 77 $?
  check "… and what would help" grep -q 'hint: join the group keyreg' "$work/outsider"
  as outsider keyreg check >/dev/null 2>"$work/outsider"
  check "… and that credentials are checked as root" grep -q 'hint: .*sudo keyreg check' "$work/outsider"
  refuse "… and cannot drop a list" as outsider touch /var/spool/keyreg/incoming/x
  pid=$(property MainPID)
  same "runs as its own user" keyreg "$(inside stat -c %U "/proc/$pid")"
}

check_list() {
  local idle; idle=$(property StatusText)
  list aaaaaaaa 100 first.txt
  drop first.txt keyreg
  check "status text shows progress" within 20 progress_shown "$idle"
  check "a list dropped by a member of the group is done" within 60 test -e "$(results first.txt)"
  same "every key of it is registered" 100 "$(registered first.txt)"
  same "… at the API too" 100 "$(sent aaaaaaaa | sort -u | wc -l)"
  check "whoever dropped it can read the results" as operator cat /var/spool/keyreg/results/first.txt.csv
}
progress_shown() { local text; text=$(property StatusText); [ "$text" != "$1" ] && [[ $text == *[1-9]* ]]; }

check_drain() {
  local begin=$SECONDS before
  list bbbbbbbb 400 second.txt
  drop second.txt keyreg
  check "work is under way" within 30 sent_more_than bbbbbbbb 20
  begin=$SECONDS
  check "systemctl stop returns" inside systemctl stop $unit
  below "… within the limit (45 s)" $((SECONDS - begin)) 45
  same "… without having to kill" "success exited 0" \
    "$(property Result) $(property ExecMainCode | sed 's/^1$/exited/') $(property ExecMainStatus)"
  before=$(sent bbbbbbbb | wc -l)
  below "it stopped in the middle of the list" "$before" 400
  check "starts again" inside systemctl start $unit
  check "… and finishes the list" within 60 test -e "$(results second.txt)"
  same "no key of it is lost" "400 400" "$(registered second.txt) $(sent bbbbbbbb | sort -u | wc -l)"
  same "no key of it was sent twice" 400 "$(sent bbbbbbbb | wc -l)"
}

check_kill() {
  local pid
  list cccccccc 400 third.txt
  drop third.txt keyreg
  check "work is under way again" within 30 sent_more_than cccccccc 20
  pid=$(property MainPID)
  inside kill -KILL "$pid"
  check "killed, it comes back by itself" within 30 main_pid_is_new "$pid"
  check "… and finishes the list" within 60 test -e "$(results third.txt)"
  same "no key of it is lost" "400 400" "$(registered third.txt) $(sent cccccccc | sort -u | wc -l)"
  below "what was sent twice is no more than was in hand" "$(sent cccccccc | sort | uniq -d | wc -l)" 65
}

# What `systemctl freeze` writes, for 0 or 1. That refuses on a machine that still has the older control groups, too.
freeze() {
  local pid; pid=$(property MainPID)
  inside sh -c "for top in /sys/fs/cgroup/unified /sys/fs/cgroup; do
      file=\$top\$(sed -n 's/^0:://p' /proc/$pid/cgroup)/cgroup.freeze
      [ ! -e \$file ] || { echo $1 >\$file; exit; }
    done
    exit 1"
}

# A machine that is suspended stops its processes likewise.
check_freeze() {
  local restarts before
  restarts=$(property NRestarts)
  list f0f0f0f0 300 frozen.txt
  drop frozen.txt keyreg
  check "work is under way before it is frozen" within 30 sent_more_than f0f0f0f0 20
  check "it is frozen" freeze 1
  # What is under way in the sandbox takes half a second.
  sleep 1
  before=$(sent f0f0f0f0 | wc -l)
  sleep 8
  same "frozen, it sends nothing" "$before" "$(sent f0f0f0f0 | wc -l)"
  check "it is thawed" freeze 0
  check "frozen for longer than the watchdog waits, it goes on" within 60 test -e "$(results frozen.txt)"
  below "… after one restart at most" "$(($(property NRestarts) - restarts))" 2
  same "no key of it is lost" "300 300" "$(registered frozen.txt) $(sent f0f0f0f0 | sort -u | wc -l)"
}

check_watchdog() {
  local pid
  printf '[Service]\nWatchdogSec=6s\nRestartSec=1s\n' | drop_in watchdog
  inside systemctl restart $unit
  pid=$(property MainPID)
  refuse "with nothing to do it says that it lives" within 10 main_pid_is_new "$pid"
  inside kill -STOP "$pid"
  check "hung, it is killed and comes back" within 15 main_pid_is_new "$pid"
  check "… because of the watchdog" holds "Watchdog timeout" inside journalctl --no-pager -u $unit
  check_freeze
  rm "$root/etc/systemd/system/$unit.d/watchdog.conf"
  inside systemctl daemon-reload
  inside systemctl restart $unit
}

# The files of /proc and what systemd shows, of the running service.
exposed_texts() {
  local pid; pid=$(property MainPID)
  inside cat "/proc/$pid/environ" "/proc/$pid/cmdline" | tr '\0' '\n'
  inside systemctl show $unit sandbox
  inside systemctl status --no-pager --full --lines=1000 $unit
  inside journalctl --no-pager -o export
  inside grep -r . /proc/1/environ | tr '\0' '\n'
}
check_secrets() { # when
  local pid texts; pid=$(property MainPID); texts=$work/texts
  exposed_texts >"$texts" 2>/dev/null
  check "$1: the search for secrets finds what is there" \
    grep -q '^CREDENTIALS_DIRECTORY=/run/credentials/keyreg.service' "$texts"
  refuse "$1: no secret in journal, systemctl, environment or arguments" grep -qE 'check-(api|app)-' "$texts"
  refuse "… nor in state, spool and runtime folders" grep -raqE 'check-(api|app)-' \
    "$root/var/lib/keyreg" "$root/var/spool/keyreg"
  same "its memory is closed to its own user" root "$(inside stat -c %U "/proc/$pid/environ")"
  check "it leaves no core" inside grep -Eq 'Max core file size +0 +0 ' "/proc/$pid/limits"
}

# What its process may do, and what of the file system is there for it.
check_privilege() { # instance, or nothing
  local name=keyreg${1:+-$1} pid; pid=$(property MainPID "keyreg${1:+@$1}.service")
  same "$name has no capability, and gets none" "CapBnd 0 CapEff 0 CapPrm 0 NoNewPrivs 1 Seccomp 2" "$(
    inside sed -En 's/^(CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):[[:space:]]*0*([0-9a-f])$/\1 \2/p' "/proc/$pid/status" |
      sort | xargs)"
  same "$name sees no folder of another instance" "$name $name $name" \
    "$(inside sh -c "cd /proc/$pid/root && ls var/lib && ls var/spool && ls run | grep keyreg" | xargs)"
  same "$name can write nowhere else" "" "$(
    for place in etc usr var/lib var/spool var/log run srv root home opt dev; do
      ! inside touch "/proc/$pid/root/$place/x" 2>/dev/null || echo "$place"
    done)"
  refuse "$name can execute no other program" inside nsenter -m -t "$pid" -- /usr/bin/true
  check "… and that check can succeed" inside nsenter -m -t 1 -- /usr/bin/true
}

check_journal() {
  local lines; lines=$work/journal
  inside journalctl --no-pager -o json _SYSTEMD_UNIT=$unit >"$lines"
  check "what is worth a look has its priority in the journal: notice" grep -q '"PRIORITY":"5"' "$lines"
  check "… and trouble has another: warning or error" grep -q '"PRIORITY":"[34]"' "$lines"
  refuse "… which is not left in the text" grep -q '"MESSAGE":"<[0-7]>' "$lines"
  refuse "the runtime did not print memory on a crash" grep -qE 'Backtracing|Fatal error' "$lines"
  refuse "every line is text, not bytes that the journal escaped" grep -q '"MESSAGE":\[' "$lines"
}

on_hold() { as operator keyreg status --json | grep -Eq '"state" ?: ?"holding"'; }

check_credentials() {
  local pid
  start_doorkeeper "$second_key"
  configure $doorkeeper_port
  inside systemctl restart $unit
  list dddddddd 5 fourth.txt
  drop fourth.txt keyreg
  check "refused credentials make it hold" within 30 on_hold
  secret api-key "$second_key"
  check "handed over by systemd, new ones are there after a restart" inside systemctl restart $unit
  check "… and the list is done" within 60 test -e "$(results fourth.txt)"
  same "… with no key failed meanwhile" 5 "$(registered fourth.txt)"

  # Encrypted for this machine; root's files then go.
  follow "credentials can be encrypted as the manual shows" "$manual" CREDENTIALS 1
  refuse "… and their text is nowhere" grep -r check-api- "$root/etc/keyreg"
  list 88888888 5 encrypted.txt
  drop encrypted.txt keyreg
  check "… and are used" within 60 test -e "$(results encrypted.txt)"
  check "… of which a check has the daemon's word" holds "the daemon has some" inside keyreg check
  check "… and with which it makes the call of an online check" \
    holds "those of the daemon" inside keyreg check --online
  rm "$root/etc/systemd/system/$unit.d/encrypted.conf"

  # Files of its own that it reads by itself.
  secret api-key "$second_key"
  secret app-key "$first_app"
  start_doorkeeper "$third_key"
  follow "it can read the files by itself as the manual shows" "$manual" CREDENTIALS 2
  check "… which a check by root accepts, though they are the service's" inside keyreg check
  pid=$(property MainPID)
  list eeeeeeee 5 fifth.txt
  drop fifth.txt keyreg
  check "it holds again" within 30 on_hold
  echo "$third_key" >"$root/etc/keyreg/credentials/api-key"
  check "read by itself, new ones are there after systemctl reload" inside systemctl reload $unit
  check "… and the list is done" within 60 test -e "$(results fifth.txt)"
  same "… by the same process" "5 $pid" "$(registered fifth.txt) $(property MainPID)"
  rm "$root/etc/systemd/system/$unit.d/own-files.conf"
  inside systemctl daemon-reload
}

check_refusals() {
  configure $sandbox_port 'workers: many'
  refuse "a wrong configuration does not start" inside systemctl restart $unit
  same "… exits 78 and is not restarted" "78 failed 0" \
    "$(property ExecMainStatus) $(property SubState) $(property NRestarts)"
  check "… and says where it is wrong" holds "keyreg.yaml:" inside journalctl --no-pager -u $unit -n 20
  configure $sandbox_port
  inside chown root /etc/keyreg/credentials/api-key
  mv "$root/etc/keyreg/credentials/api-key" "$root/srv/kept"
  refuse "without a key it does not start" inside systemctl restart $unit
  check "… exits with a code that is not restarted" \
    inside sh -c "systemctl show -p ExecMainStatus $unit | grep -Eq '=(77|78)$'"
  same "… and is not restarted" "failed 0" "$(property SubState) $(property NRestarts)"
  check "… and names the file" holds /etc/keyreg/credentials/api-key inside journalctl --no-pager -u $unit -n 20
  mv "$root/srv/kept" "$root/etc/keyreg/credentials/api-key"
  check "put right, it starts" inside systemctl restart $unit
}

check_instance() {
  local instance=keyreg@acme.service pid; pid=$(property MainPID)
  follow "an instance starts beside as the manual shows" "$manual" "SEVERAL ORGANISATIONS" 1 $first_key $first_app
  same "the folder of its credentials is closed" "root keyreg 710" \
    "$(inside stat -c '%U %G %a' /etc/keyreg/credentials/acme)"
  # Its spool is elsewhere, to see that the documented drop-in is all that takes.
  inside cp -a /var/spool/keyreg-acme /srv/acme
  configure $sandbox_port $'spool:\n  directory: /srv/acme' acme
  printf '[Service]\nReadWritePaths=/srv/acme\n' | drop_in spool $instance
  check "its spool can be elsewhere" inside systemctl restart $instance
  check "… with a control socket of its own" as operator env KEYREG_INSTANCE=acme keyreg status --json
  list ffffffff 10 acme.txt
  as operator cp /srv/acme.txt /srv/acme/incoming/acme.txt
  check "… and does a list in a spool elsewhere" within 60 test -e "$root/srv/acme/results/acme.txt.csv"
  same "… while the other goes on" "$pid active" "$(property MainPID) $(property ActiveState)"
  check "its exposure level is 1.4 at most" inside systemd-analyze security --no-pager --threshold=14 $instance
  check_privilege
  check_privilege acme
}

prepare_root || { echo "service_check: the container's root cannot be mounted" >&2; exit 1; }
boot || { echo "service_check: the container does not boot:" >&2; tail -n 20 "$work/console" >&2; exit 1; }
package=$(build_package)
on_the_desk "$package"
check_package "$package"
check_first_hour
configure $sandbox_port
start_sandbox
check "the exposure level is 1.4 at most" inside systemd-analyze security --no-pager --threshold=14 $unit
check_start
check_list
check_drain
check_kill
check_watchdog
check_secrets "at work"
check_credentials
check_journal
check_refusals
check_instance
check_secrets "in the end"
check_backup
check_upgrade
check_removal

[ "$failed" -eq 0 ] || { echo "--- the end of the journal:"; inside journalctl --no-pager -n 60; } >&2
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
