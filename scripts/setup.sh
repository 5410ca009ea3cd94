#!/bin/sh
# Makes everything the portal needs on this machine: a Python environment in .venv and, where that is possible, the
# system libraries documents are set with. Does nothing when all is there already.
#
#   sh scripts/setup.sh            what `make run` and `make demo` need (and the Python tools of the tests)
#   sh scripts/setup.sh --tests    the browser of the tests as well (without PostgreSQL its tests are skipped, with a word)
#   sh scripts/setup.sh --ci       the database server too: there nothing is skipped
#
# Settings: PYTHON (an interpreter, 3.11 or newer), VENV (where to put the environment).
set -eu
cd "$(dirname "$0")/.."
VENV="${VENV:-.venv}"

say() { printf '%s\n' "$*" >&2; }

is_new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed. Install it (Debian, Ubuntu: apt-get install python3 python3-venv),"
    say "or name it: make run PYTHON=/path/to/python3.12"
    exit 1
}

# install_system <what for> <package…>: with apt-get where we may, otherwise the exact command to run.
install_system() {
    reason="$1"
    shift
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        say "Installing $* ($reason) …"
        log="$(mktemp)"
        if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
            >"$log" 2>&1; then
            rm -f "$log"
            return 0
        fi
        cat "$log" >&2
        rm -f "$log"
        say "That did not work; please mend it and run this again."
        exit 1
    fi
    say "Missing: $reason. Please run this once, then try again:"
    if command -v brew >/dev/null 2>&1 && [ "$reason" = "$PDF_REASON" ]; then
        say "    brew install pango"
    else
        say "    sudo apt-get install -y $*"
        say "(on other systems: the packages of the same name)"
    fi
    exit 1
}

make_environment() {
    python="$(find_python)"
    if ! "$python" -m venv "$VENV" 2>/dev/null || [ ! -x "$VENV/bin/pip" ]; then
        rm -rf "$VENV"
        install_system "Python's venv module" python3-venv
        "$python" -m venv "$VENV"
    fi
}

install_packages() {
    wanted="$(cat requirements.txt requirements-dev.txt | cksum)"
    if [ "$(cat "$VENV/.requirements" 2>/dev/null)" = "$wanted" ]; then
        return 0
    fi
    say "Installing Python packages into $VENV (once, a minute or two) …"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
        -r requirements.txt -r requirements-dev.txt
    printf '%s\n' "$wanted" >"$VENV/.requirements"
}

PDF_REASON="the libraries that set PDF documents (Pango)"

check_pdf_libraries() {
    if "$VENV/bin/python" - <<'CHECK'
import ctypes.util
import sys

# WeasyPrint loads these by name; without the subsetter documents would carry whole fonts.
wanted = ("gobject-2.0", "pango-1.0", "pangoft2-1.0", "harfbuzz", "harfbuzz-subset", "fontconfig")
if any(ctypes.util.find_library(name) is None for name in wanted):
    sys.exit(1)
CHECK
    then
        return 0
    fi
    install_system "$PDF_REASON" \
        libglib2.0-0 libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz0b libharfbuzz-subset0 libfontconfig1
}

check_test_tools() {
    if ! command -v chromium >/dev/null 2>&1 && ! command -v google-chrome >/dev/null 2>&1; then
        install_system "a browser for the tests" chromium
    fi
}

check_database_server() {
    if ! command -v psql >/dev/null 2>&1 && [ -z "${PORTAL_TEST_POSTGRES_URL:-}" ]; then
        install_system "PostgreSQL for the tests" postgresql
    fi
}

[ -x "$VENV/bin/python" ] && "$VENV/bin/python" -c '' 2>/dev/null || make_environment
install_packages
check_pdf_libraries
case "${1:-}" in
    --tests) check_test_tools ;;
    --ci) check_test_tools; check_database_server ;;
esac
