#!/bin/sh
# Verifies every record of BUNDLE with cwt, a COSE library from PyPI.
# Usage: vectors/interop/cwt/run.sh BUNDLE...      Exit status: 0 all hold, 1 one does not, 2 it could not run.
set -eu
[ $# -gt 0 ] || { echo "usage: $0 BUNDLE..." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../venv.sh"
"$venv/bin/python" -c 'import cwt' 2>/dev/null || "$venv/bin/pip" install --quiet cwt==3.3.0 ||
    could_not_run "pip install cwt failed"

"$venv/bin/python" "$here/verify.py" "$@"
