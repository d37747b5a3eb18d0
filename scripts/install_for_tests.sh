#!/bin/sh
# Brings what the tests need beside the package: Inkscape, a virtual screen for the tests that open its window, Triton.
set -eu

venv=$1
packages="inkscape xvfb xauth openbox xdotool x11-apps imagemagick fonts-dejavu-core at-spi2-core dbus libglib2.0-bin
    python3-gi gir1.2-gtk-3.0 gir1.2-atspi-2.0 python3-lxml python3-numpy python3-cssselect python3-tinycss2"

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    # A browser for the documentation's pages, where there is one as a package and not as a snap.
    case $(apt-cache policy chromium 2>/dev/null) in *"Candidate: "[0-9]*) packages="$packages chromium" ;; esac
    missing=
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        if [ "$(id -u)" = 0 ]; then
            as_root=
        elif sudo -n true 2>/dev/null; then
            as_root=sudo
        else
            echo "The tests with Inkscape need packages that only an administrator can install:" >&2
            echo "    sudo apt-get install$missing" >&2
            exit 1
        fi
        echo "Installing$missing"
        export DEBIAN_FRONTEND=noninteractive
        $as_root apt-get -qq update
        $as_root apt-get -qq install --yes --no-install-recommends $missing >/dev/null
    fi
elif ! command -v inkscape >/dev/null; then
    echo "The tests need Inkscape, Xvfb, openbox, xdotool and AT-SPI, which this script cannot install here." >&2
    echo "Install them and run make test again, or run the other tests:" >&2
    echo "    $venv/bin/python -m pytest -m 'not inkscape and not window'" >&2
    exit 1
fi

# Triton's kernels run on a processor, too, under Triton's interpreter; it exists for Linux alone.
if [ "$(uname -s)" = Linux ]; then
    lock=tests/locked-$("$venv/bin/python" -c 'import sys; print("{}.{}".format(*sys.version_info[:2]))').txt
    if [ -z "${LOCKED:-}" ] || [ ! -e "$lock" ]; then lock=/dev/null; fi
    "$venv/bin/python" -m pip --disable-pip-version-check --quiet install 'triton>=3.3' --constraint "$lock"
fi
