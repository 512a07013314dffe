#!/bin/sh
# Everything that must be there before Python can take over: Debian's packages, .venv from the lock file, Solr's jars.
# Installs only what is missing; the second run does nothing and takes less than a second.
#   bootstrap.sh        what the portal needs         bootstrap.sh test        and a browser for the tests
set -eu
cd "$(dirname "$0")/../.."
uv_version=0.13.8

say() { printf '%s\n' "$*"; }
stop() { printf '✗ %s\n' "$*" >&2; exit 1; }

# --- Debian's packages: what must be there, and the package that brings it
missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
present() { for f in "$@"; do [ -e "$f" ] && return 0; done; return 1; }
find_python() {
  for python in python3 python3.13 python3.12 python3.11; do
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && return 0
  done
  return 1
}
if find_python; then
  package=$("$python" -c 'import sys; print("python3." + str(sys.version_info[1]))')
  "$python" -c 'import ensurepip' 2>/dev/null || missing="$missing $package-venv"
  "$python" -c 'import os, sysconfig; exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
    missing="$missing $package-dev"
elif python3 -c '' 2>/dev/null; then
  missing="$missing python3.11 python3.11-venv python3.11-dev" # Ubuntu 22.04: its python3 is older
else
  missing="$missing python3 python3-venv python3-dev"
fi
need cc gcc
need pg_config libpq-dev
present /usr/lib/*/libmagic.so.1 || missing="$missing libmagic1"
present /usr/lib/*/libpangoft2-1.0.so.0 || missing="$missing libpangoft2-1.0-0"
present /usr/share/fonts/opentype/noto/NotoSansCJK* || missing="$missing fonts-noto-cjk"
[ -n "${CKAN_SQLALCHEMY_URL:-}" ] || present /usr/lib/postgresql/*/bin/initdb || missing="$missing postgresql"
[ -n "${CKAN_REDIS_URL:-}" ] || need redis-server redis-server
if [ -z "${CKAN_SOLR_URL:-}" ]; then
  need java default-jre-headless
  need mvn maven
fi
if [ "${1:-}" = test ] && [ -z "${MULU_CHROMIUM:-}" ]; then
  need chromium chromium
fi
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null 2>&1 || stop "缺少：$missing。本机没有 apt，请用系统自己的办法安装后重试。"
  sudo=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || stop "缺少：$missing。请以 root 运行，或先安装 sudo。"
    sudo=sudo
  fi
  say "安装系统软件包：$missing"
  log=${MULU_VAR:-var}/log/apt.log
  mkdir -p "$(dirname "$log")"
  apt() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1 || {
      tail -5 "$log" >&2
      stop "apt 没有装成：$missing。全文见 $log"
    }
  }
  apt update
  # shellcheck disable=SC2086
  apt install -y --no-install-recommends $missing
fi
find_python || stop "需要 Python 3.11 至 3.13，本机是 $(python3 -V 2>&1)。"

# --- Python: exactly the locked packages
stamp=$(cat requirements.lock pyproject.toml | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/mulu.stamp 2>/dev/null || true)" != "$stamp" ]; then
  say "安装 Python 软件包（requirements.lock）"
  .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
  uv=$(command -v uv || true)
  if ! "${uv:-false}" --version >/dev/null 2>&1; then
    .venv/bin/python -m ensurepip >/dev/null 2>&1 || true
    .venv/bin/python -m pip install -q --disable-pip-version-check "uv==$uv_version"
    uv=.venv/bin/uv
  fi
  "$uv" pip install -q --python .venv/bin/python --require-hashes -r requirements.lock
  "$uv" pip install -q --python .venv/bin/python --no-deps -e .
  printf '%s' "$stamp" > .venv/mulu.stamp
fi

# --- Solr: its jars from Maven Central, unless another Solr is used. A folder for each version of pom.xml (mulu_ops/solr.py).
if [ -z "${CKAN_SOLR_URL:-}" ]; then
  var=${MULU_VAR:-var}
  lib="$var/solr/lib-$(sha256sum deploy/local/solr/pom.xml | cut -c1-12)"
  if [ ! -d "$lib" ]; then
    say "下载 Solr"
    mkdir -p "$var/solr"
    new=$(cd "$var/solr" && pwd)/lib.new
    rm -rf "$new"
    mvn -q -B -Dstyle.color=never -f deploy/local/solr/pom.xml -DoutputDirectory="$new" -DincludeScope=runtime \
      org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies </dev/null ||
      stop "Solr 没有下载成：请检查本机能否访问 Maven 的软件源，或用 CKAN_SOLR_URL 指定已有的 Solr。"
    mv "$new" "$lib"
  fi
fi
