#!/bin/sh
# Runs the extension's own tests (tests/host) with every inkex from 1.2 to 1.4 that is on PyPI: the library that Inkscape
# brings in these versions. Arguments go to pytest. INKEX: other versions, separated by blanks.
set -u
cd "$(dirname "$0")/.."

python=.venv/bin/python
versions=${INKEX:-1.2.2 1.3.0 1.3.1 1.4.0 1.4.1}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
failed=
schema=inkex/tester/inkscape.extension.rng
site=$("$python" -c 'import inkex, pathlib; print(pathlib.Path(inkex.__file__).parents[1])')

for version in $versions; do
    # Without what it needs, which wants GTK's headers; lxml, numpy, cssselect and tinycss2 are in the environment.
    "$python" -m pip --disable-pip-version-check --quiet install --no-deps --target "$folder/$version" "inkex==$version" ||
        { failed="$failed $version(not-installed)"; continue; }
    # The wheel of 1.2.2 brings no schema of menu files: there, that of the environment's inkex stands in.
    [ -e "$folder/$version/$schema" ] || cp "$site/$schema" "$folder/$version/$schema"
    PYTHONPATH="$folder/$version" "$python" -c 'import inkex, sys; assert sys.argv[1] in inkex.__file__' "$version" ||
        { failed="$failed $version(not-found)"; continue; }
    echo "inkex $version"
    PYTHONPATH="$folder/$version" "$python" -m pytest -q -p no:cacheprovider tests/host "$@" || failed="$failed $version"
done
if [ -n "$failed" ]; then
    echo "inkex versions that failed:$failed" >&2
    exit 1
fi
echo "The extension's tests pass with inkex $versions."
