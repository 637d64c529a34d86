#!/usr/bin/env bash
# Runs the pages of a bundle and the report of a drill in a real browser: run.sh BUNDLE_DIR [REPORT.html].
# Without a report it takes the made-up one. Screenshots go to target/browser/.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ ! -f "$1/site/index.html" ] || { [ $# -eq 2 ] && [ ! -f "$2" ]; }; then
  echo "usage: $0 BUNDLE_DIR [REPORT.html] (a folder with site/index.html, a report of tallyproof drill)" >&2
  exit 2
fi
bundle=$(realpath "$1")
report=${2:+$(realpath "$2")}
cd "$(dirname "$(realpath "$0")")"

chromium=${CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$chromium" ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
fi
if ! cmp -s package-lock.json node_modules/.installed-for; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed-for
fi
mkdir -p ../target/browser
if [ -z "$report" ]; then
  report=$(realpath ../target/browser)/drill.html
  cargo run --quiet --locked --package tallyproof-site --example render_drill -- "$report"
fi
BUNDLE=$bundle REPORT=$report CHROMIUM=$chromium SCREENSHOTS=$(realpath ../target/browser) node --test --test-reporter=spec
