#!/bin/sh
# Tries the extension in the Inkscape of another Debian, in a chroot: by default Debian 13 with Inkscape 1.4.
#
# usage: sudo sh scripts/inkscape_in_chroot.sh FOLDER [SUITE [MIRROR]]
#        sudo TESTS=tests sh scripts/inkscape_in_chroot.sh FOLDER [SUITE [MIRROR]]
#
# FOLDER gets the system (1.5 GB; used again where it is there already). The zip is built here, unpacked there as Inkscape's
# extension manager does it, given an engine by install-extension's own code, and the main command paints one picture on a
# virtual display with the tests' stand-in for the engine, which needs no torch. Needs debootstrap and root's rights.
# Says what Inkscape it was and how many strokes the document holds afterwards; fails where these are not the four of the
# stand-in. With TESTS, files or folders of tests, it then runs those of them that need an Inkscape, real windows included,
# with that one in place of this system's (from an installed clone: make test).
set -eu

if [ $# -lt 1 ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
suite=${2:-trixie}
mirror=${3:-http://deb.debian.org/debian}
root=$(cd "$(dirname "$0")/.." && pwd)
packages="inkscape xvfb xauth dbus python3 python3-lxml python3-numpy python3-tinycss2 python3-cssselect python3-pil
    python3-polib fonts-dejavu-core at-spi2-core libglib2.0-bin python3-gi gir1.2-gtk-3.0 adwaita-icon-theme"

if ! command -v debootstrap >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "This needs debootstrap and root's rights: apt-get install debootstrap, then sudo sh $0 FOLDER" >&2
    exit 1
fi
if [ ! -e "$folder/etc/debian_version" ]; then
    debootstrap --variant=minbase "$suite" "$folder" "$mirror"
fi
mkdir -p "$folder/proc" "$folder/dev"
mounted=
finish() {
    for place in $mounted; do umount "$folder$place" || true; done
    [ -z "${programs:-}" ] || rm -rf "$programs"
}
# The same place inside as outside.
show() {
    mkdir -p "$folder$1"
    mountpoint -q "$folder$1" || { mount --bind "$1" "$folder$1" && mounted="$1 $mounted"; }
}
trap finish EXIT
mount -t proc proc "$folder/proc" && mounted="/proc"
show /dev
cp /etc/resolv.conf "$folder/etc/resolv.conf" 2>/dev/null || true

chroot "$folder" env DEBIAN_FRONTEND=noninteractive sh -c \
    "apt-get -qq update && apt-get -qq install --yes --no-install-recommends $(echo $packages) >/dev/null"

rm -rf "$folder/gradvec" "$folder/trial"
mkdir -p "$folder/gradvec" "$folder/trial/profile/extensions/org.gradvec.paint" "$folder/packages"
(cd "$root" && tar -cf - --exclude=__pycache__ backend inkscape_ext gradvec.inx tests) | tar -xf - -C "$folder/gradvec"
python=$root/.venv/bin/python
[ -x "$python" ] || python=python3
"$python" "$root/scripts/package.py" "$folder/packages" >/dev/null
chroot "$folder" python3 -m zipfile -e "$(cd "$folder" && ls -t packages/gradvec-inkscape-*.zip | head -n 1)" \
    trial/profile/extensions/org.gradvec.paint

cat > "$folder/trial/try.py" <<'EOF'
import base64, subprocess, sys
from pathlib import Path

sys.path[:0] = ["/gradvec/tests/inkscape", "/gradvec/backend"]
from fake_engine import SUCCESS
from inkscape import Inkscape

private = Inkscape(Path("/trial"), sys.executable)
assert private.extension == Path("/trial/profile/extensions/org.gradvec.paint/gradvec"), private.extension
picture = base64.b64encode(Path("/gradvec/tests/host/data/plain.png").read_bytes()).decode()
Path("/trial/in.svg").write_text(
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="400" height="300"'
    ' viewBox="0 0 400 300"><image id="photo" x="20" y="30" width="360" height="180"'
    f' xlink:href="data:image/png;base64,{picture}"/></svg>')
try:
    private.run_effect(Path("/trial/in.svg"), ["photo"], Path("/trial/out.svg"), seed=SUCCESS)
finally:
    private.stop_engine()
print(subprocess.run(["inkscape", "--version"], capture_output=True, text=True, check=True).stdout.strip())
strokes = Path("/trial/out.svg").read_text().count("gradvec:stroke=") if Path("/trial/out.svg").exists() else 0
print(f"Strokes in the document afterwards: {strokes}")
if strokes != 4 and private.log.exists():
    print(private.log.read_text()[-3000:])
sys.exit(strokes != 4)
EOF
chroot "$folder" env LC_ALL=C.UTF-8 HOME=/root python3 /trial/try.py

[ -n "${TESTS:-}" ] || exit 0
for place in "$root" /tmp /run "$HOME" "$("$python" -c 'import sys; print(sys.base_prefix)')"; do show "$place"; done
programs=$(mktemp -d)
cat > "$programs/inkscape" <<EOF
#!/bin/sh
exec chroot "$folder" env -C "\$PWD" /usr/bin/inkscape "\$@"
EOF
chmod +x "$programs/inkscape"
cd "$root"
PATH=$programs:$PATH "$python" -m pytest -q -p no:cacheprovider -m "window or inkscape" $TESTS
