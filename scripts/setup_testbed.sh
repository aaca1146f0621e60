#!/usr/bin/env bash
# Installs what the testbed needs on Debian 12 and later, as root: runc, rsync, iproute2, and CRIU 4.2 or newer.
#
#   sudo scripts/setup_testbed.sh
#
# Where the system's CRIU is too old or does not work on this kernel, Debian's newest is unpacked into a folder of its own, with the
# libraries that it needs, and started by its own loader: nothing else on the system is touched. What is there already stays as it is.
# To remove it: rm -r /opt/msmf-testbed
set -euo pipefail
umask 022

least=4.2
suite=forky
home=/opt/msmf-testbed
own=$home/bin/criu
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
part=
told=no

say() { echo "setup_testbed.sh: $1"; }
give_up() { say "$1" >&2; told=yes; exit "${2:-1}"; }
clean() {
    local code=$?
    [ "$code" = 0 ] || [ "$told" = yes ] || say "that failed, for the reason above; nothing was left half done" >&2
    [ -n "$part" ] || return 0
    rm -rf "$part"
    # gone where nothing was put there
    rmdir "$home/bin" "$home" 2> /dev/null || true
}
trap clean EXIT

# a program that is there although an administrator's PATH does not reach it is found
export PATH="$PATH:/usr/sbin:/sbin"

version_of() { "$@" --version 2> /dev/null | sed -n 's/^Version: *//p'; }

# Whether a CRIU is new enough and works on this kernel.
is_good() {
    local version
    version=$(version_of "$@") || return 1
    [ -n "$version" ] && [ "$(printf '%s\n' "$least" "$version" | sort -V | head -n 1)" = "$least" ] && "$@" check > /dev/null 2>&1
}

install_programs() {
    local missing=() pair
    for pair in runc:runc rsync:rsync ip:iproute2 tc:iproute2; do
        command -v "${pair%:*}" > /dev/null || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    apt-get update -q > /dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" > /dev/null
    changed=yes
}

# The mirror of Debian that this machine uses already.
mirror() { apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(SITE)' | sed -n 's/^Debian\/Debian //p' | head -n 1; }

# apt with lists, sources and downloads of its own, all in the folder $part.
own_apt() {
    local program=$1
    shift
    "$program" -q -o Dir::State="$part/state" -o Dir::State::status="$part/state/status" -o Dir::Cache="$part/cache" \
        -o Dir::Etc::sourcelist="$part/sources.list" -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root "$@"
}

unpack_criu() {
    local site names loader libraries
    site=$(mirror)
    if [ -z "$site" ]; then
        apt-get update -q > /dev/null
        site=$(mirror)
    fi
    [ -n "$site" ] || give_up "none of apt's sources is Debian's; install CRIU $least or newer by other means, so that it is in PATH"
    [ -f "$keyring" ] || give_up "there is no $keyring, by which downloads are judged; type: apt-get install debian-archive-keyring"
    say "unpacking CRIU of Debian's $suite into $home/criu"
    mkdir -p "$home/bin"
    part=$(mktemp -d "$home/.part-XXXXXX")
    mkdir -p "$part"/{state/lists/partial,cache/archives/partial,debs,criu}
    touch "$part/state/status"
    echo "deb [signed-by=$keyring] $site $suite main" > "$part/sources.list"
    own_apt apt-get update > /dev/null
    # packages proper only, without the names that several of them provide
    names=$(own_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances criu |
        grep '^[a-z0-9]' | sort -u | sed "s/\$/\/$suite/")
    # shellcheck disable=SC2086 # a word for each package
    (cd "$part/debs" && own_apt apt-get download $names > /dev/null)
    for package in "$part"/debs/*.deb; do
        dpkg -x "$package" "$part/criu"
    done
    # whatever the machine: the loader lies among the libraries
    loader=$(find "$part/criu/usr/lib" -mindepth 2 -maxdepth 2 \( -name 'ld-linux*.so.*' -o -name 'ld64.so.*' \) | head -n 1)
    [ -n "$loader" ] || give_up "the downloaded C library has no loader where it is looked for, in usr/lib/*/; please report that"
    libraries=$(dirname "$loader")
    is_good "$loader" --library-path "$libraries" "$part/criu/usr/sbin/criu" || give_up "$(
        "$loader" --library-path "$libraries" "$part/criu/usr/sbin/criu" check 2>&1 | tail -n 1 |
            sed "s/^/CRIU was unpacked, but does not work on kernel $(uname -r), so that it was removed again: /" || true
    )"
    cat > "$part/wrapper" << END
#!/bin/sh
root=$home/criu
exec "\$root/${loader#"$part/criu/"}" --library-path "\$root/${libraries#"$part/criu/"}" "\$root/usr/sbin/criu" "\$@"
END
    chmod 755 "$part/wrapper" "$part/criu"
    [ ! -e "$home/criu" ] || mv "$home/criu" "$part/earlier"
    mv "$part/criu" "$home/criu"
    mv "$part/wrapper" "$own"
    changed=yes
}

# Whether a command works in a network namespace that ends with it.
works() { unshare --net "$@" > /dev/null 2>&1; }

check() {
    if command -v msmf-traci-testbed > /dev/null; then
        msmf-traci-testbed check
        return
    fi
    say "Linux $(uname -r), $(runc --version | head -n 1), $(rsync --version | head -n 1 | tr -s ' '), criu $(version_of "$criu") ($criu)"
    is_good "$criu" || give_up "$criu does not work"
    works true || give_up "the kernel has no network namespaces, and the testbed's hosts are such"
    works ip link add name one type veth peer name other || give_up "the kernel has no veth, by which the testbed's hosts are joined"
    works ip link add name one type bridge || give_up "the kernel has no bridge, by which the testbed's hosts are joined"
    works tc qdisc add dev lo root tbf rate 1mbit burst 32kbit latency 50ms ||
        give_up "the kernel has no tbf, which gives the testbed's links their rate"
    if works tc qdisc add dev lo root netem delay 1ms; then
        say "netem: links are delayed by the kernel"
    elif (: <> /dev/net/tun) 2> /dev/null; then
        say "no netem: links are delayed by a relay in user space"
    else
        give_up "the kernel has neither netem nor /dev/net/tun, and links cannot be delayed"
    fi
    if "$criu" check --feature mem_dirty_track > /dev/null 2>&1; then
        say "soft-dirty tracking: snapshots leave out what has not changed"
    else
        say "no soft-dirty tracking: every dump is of the whole memory"
    fi
    say "the testbed can run here"
}

[ "$(id -u)" = 0 ] || give_up "this installs programs and needs root; type: sudo $0" 2
command -v apt-get > /dev/null || give_up "there is no apt-get; this is for Debian 12 and later, elsewhere install runc, rsync, iproute2 and CRIU $least" 2

changed=no
install_programs
criu=$(command -v criu) || criu=
if [ -z "$criu" ] || ! is_good "$criu"; then
    criu=$own
    is_good "$criu" || unpack_criu
fi
[ "$changed" = yes ] || say "everything is there already"
check
