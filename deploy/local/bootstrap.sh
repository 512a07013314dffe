#!/bin/sh
# Everything that must be there before Python can take over: Debian's packages, .venv from the lock file, Solr's jars.
# Installs only what is missing; the second run does nothing and takes less than a second.
set -eu
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*"; }
stop() { printf '✗ %s\n' "$*" >&2; exit 1; }

# --- Debian's packages: what must be there | package that brings it
missing=
need() { [ -e "$1" ] || command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
present() { for f in "$@"; do [ -e "$f" ] && return 0; done; return 1; }
need python3 python3
need cc gcc
need java default-jre-headless
need mvn maven
need redis-server redis-server
need chromium chromium
need pg_config libpq-dev
present /usr/lib/postgresql/*/bin/initdb || missing="$missing postgresql"
present /usr/lib/*/libmagic.so.1 || missing="$missing libmagic1"
present /usr/lib/*/libpangoft2-1.0.so.0 || missing="$missing libpangoft2-1.0-0"
present /usr/share/fonts/opentype/noto/NotoSansCJK* || missing="$missing fonts-noto-cjk"
if command -v python3 >/dev/null 2>&1; then
  python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
  python3 -c 'import os, sysconfig; exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
    missing="$missing python3-dev"
else
  missing="$missing python3-venv python3-dev"
fi
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null 2>&1 || stop "缺少：$missing。本机没有 apt，请用系统自己的办法安装后重试。"
  sudo=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || stop "缺少：$missing。请以 root 运行，或先安装 sudo。"
    sudo=sudo
  fi
  say "安装系统软件包：$missing"
  $sudo apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
python3 -c 'import sys; exit(sys.version_info < (3, 11))' || stop "需要 Python 3.11 或更新版本，本机是 $(python3 -V)。"

# --- Python: exactly the locked packages
stamp=$(cat requirements.lock pyproject.toml | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/mulu.stamp 2>/dev/null || true)" != "$stamp" ]; then
  say "安装 Python 软件包（requirements.lock）"
  [ -x .venv/bin/python ] || python3 -m venv .venv
  uv=$(command -v uv || true)
  if [ -z "$uv" ]; then
    .venv/bin/python -m ensurepip -U >/dev/null 2>&1 || true
    .venv/bin/python -m pip install -q --disable-pip-version-check 'uv>=0.5'
    uv=.venv/bin/uv
  fi
  "$uv" pip install -q --python .venv/bin/python --require-hashes -r requirements.lock
  "$uv" pip install -q --python .venv/bin/python --no-deps -e .
  printf '%s' "$stamp" > .venv/mulu.stamp
fi

# --- Solr: its jars from Maven Central, unless another Solr is used
if [ -z "${CKAN_SOLR_URL:-}" ]; then
  stamp=$(sha256sum deploy/local/solr/pom.xml | cut -d' ' -f1)
  if [ "$(cat var/solr/lib/mulu.stamp 2>/dev/null || true)" != "$stamp" ]; then
    say "下载 Solr"
    mkdir -p var/solr
    rm -rf var/solr/lib
    mvn -q -B -f deploy/local/solr/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/var/solr/lib" ||
      stop "Solr 下载不成功：请检查 Maven 能否取得软件包。"
    rm -f var/solr/lib/javax.servlet-api-3.1.0.jar # would hide the newer one of Jetty 10
    printf '%s' "$stamp" > var/solr/lib/mulu.stamp
  fi
fi
