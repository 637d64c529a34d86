#!/bin/sh
# Verifies BUNDLE/log with tlog-scales, an independent C2SP client from PyPI. Beside each BUNDLE/proofs/N.entry it writes N.theirs, its
# own proof of that entry, for our program to read (crates/log/examples/read_proofs.rs).
# Usage: vectors/interop/tlog-scales/run.sh BUNDLE...      Exit status: 0 all hold, 1 one does not, 2 it could not run.
set -eu
[ $# -gt 0 ] || { echo "usage: $0 BUNDLE..." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../venv.sh"
"$venv/bin/python" -c 'import tlog_scales' 2>/dev/null || "$venv/bin/pip" install --quiet tlog-scales==0.0.3 ||
    could_not_run "pip install tlog-scales failed"

"$venv/bin/python" "$here/verify.py" "$@"

for bundle in "$@"; do
    for entry in "$bundle"/proofs/*.entry; do
        [ -e "$entry" ] || continue
        "$venv/bin/python" -m tlog_scales.cli gen-proof "$(realpath "$bundle/log")" "$(basename "$entry" .entry)" > "${entry%.entry}.theirs"
    done
done
