#!/bin/sh
# Installs what the lab needs on Debian and Ubuntu: as root without asking, with
# sudo otherwise. Does nothing, quickly, when nothing is missing.
set -eu

packages="qemu-system-arm gcc libc6-dev make flex bison bc perl patch tar xz-utils bzip2
	binutils ca-certificates git gdb-multiarch iproute2"
if [ "$(uname -m)" != aarch64 ]; then
	packages="$packages gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu libc6-dev-arm64-cross"
fi
# The first of these that the distribution has: 5.15 itself, or what stands in
# for it where kernel.org cannot be reached.
sources="linux-source-5.15.0 linux-source-6.1 linux-source-6.12"
# Where neither a Go of the distribution's nor another is new enough to fetch
# toolchains by itself, this one is fetched as a module.
go_release=go1.26.0
# It has a place of its own, which the Makefile's PATH names first: what the user has
# elsewhere stays as it is.
go_dir=/usr/local/lib/ghostlab/go
links=/usr/local/bin
PATH=$go_dir/bin:$PATH

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# One question for all packages: one for each takes a fifth of a second.
# shellcheck disable=SC2086 # lists of words
present=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages $sources 2>/dev/null |
	sed -n 's/^installed //p' | tr '\n' ' ')"

installed() {
	case "$present" in *" $1 "*) return 0 ;; esac
	return 1
}

go_is_new() {
	v=$(go env GOVERSION 2>/dev/null) || return 1
	v=${v#go1.}
	[ "${v%%[!0-9]*}" -ge 21 ] 2>/dev/null
}

have_source() {
	for s in $sources; do
		if installed "$s"; then return 0; fi
	done
	return 1
}

# The tests of the HTML report want a browser. Ubuntu has it as a snap only.
lacks_browser() {
	! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null &&
		[ -n "$(apt-cache madison chromium 2>/dev/null)" ]
}

# Go releases are modules too, checked against the checksum database like any
# other; an old go command can download them but not run them by itself.
fetch_go() {
	arch=$(dpkg --print-architecture)
	tmp=$(mktemp -d)
	module="golang.org/toolchain@v0.0.1-$go_release.linux-$arch"
	(cd "$tmp" && printf 'module setup\n' >go.mod && GOFLAGS=-modcacherw GOMODCACHE="$tmp/mod" go mod download "$module")
	as_root rm -rf "$go_dir"
	as_root mkdir -p "$(dirname "$go_dir")"
	as_root cp -r "$tmp/mod/$module" "$go_dir"
	as_root sh -c "chmod 755 $go_dir/bin/* $go_dir/pkg/tool/*/*"
	# For bin/lab outside of make, in the place of a distribution's old one.
	for name in go gofmt; do
		if [ ! -e "$links/$name" ] && [ ! -L "$links/$name" ]; then
			as_root ln -s "$go_dir/bin/$name" "$links/$name"
		elif [ "$(readlink "$links/$name")" != "$go_dir/bin/$name" ]; then
			echo "setup: $links/$name stays as it is; lab needs PATH=$go_dir/bin:\$PATH"
		fi
	done
	rm -rf "$tmp"
}

if ! command -v apt-get >/dev/null; then
	echo "setup: this host has no apt-get; \`lab doctor\` names what to install" >&2
	exit 3
fi
missing=
for p in $packages; do
	installed "$p" || missing="$missing $p"
done
command -v go >/dev/null || missing="$missing golang-go"
if [ -n "$missing" ] || ! have_source || lacks_browser; then
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
	if ! have_source; then
		for s in $sources; do
			if [ -n "$(apt-cache madison "$s" 2>/dev/null)" ]; then
				missing="$missing $s"
				break
			fi
		done
	fi
	if lacks_browser; then missing="$missing chromium"; fi
	echo "setup: installing$missing"
	# shellcheck disable=SC2086 # a list of words
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
if ! go_is_new; then
	echo "setup: fetching $go_release"
	fetch_go
fi
