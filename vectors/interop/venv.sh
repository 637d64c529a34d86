# Sourced by the checks: makes the Python environment that they share. The caller has set $here, its own folder.
venv=$here/../../../target/venv

could_not_run() { echo "$1" >&2; exit 2; }

[ -x "$venv/bin/python" ] || python3 -m venv "$venv" || could_not_run "python3 -m venv failed"
