#!/usr/bin/env bash
# Runs the pages of a bundle in a real browser: run.sh BUNDLE_DIR. Screenshots go to target/browser/.
set -euo pipefail

if [ $# -ne 1 ] || [ ! -f "$1/site/index.html" ]; then
  echo "usage: $0 BUNDLE_DIR (a folder with site/index.html)" >&2
  exit 2
fi
bundle=$(realpath "$1")
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
BUNDLE=$bundle CHROMIUM=$chromium SCREENSHOTS=$(realpath ../target/browser) node --test --test-reporter=spec
