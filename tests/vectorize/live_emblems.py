"""Emblems of known shapes, 200 x 200 px, rendered by resvg."""

import resvg_py

SIZE = 200
GRADIENTS = """<defs>
<linearGradient id="a" gradientUnits="userSpaceOnUse" x1="0" y1="20" x2="0" y2="180">
<stop offset="0" stop-color="#ff7043"/><stop offset="1" stop-color="#4a148c"/></linearGradient>
<linearGradient id="b" gradientUnits="userSpaceOnUse" x1="60" y1="60" x2="140" y2="140">
<stop offset="0" stop-color="#ffffff"/><stop offset="1" stop-color="#29b6f6"/></linearGradient></defs>"""

#: name: (colour of the ground or None, shapes from bottom to top)
EMBLEMS = {
    # A star on a disc on a disc, and a bar that nearly has the ground's colour and lies across the lower disc's edge.
    "badge": ("#f4efe6", [
        '<circle cx="100" cy="100" r="80" fill="#1d3b6f"/>',
        '<circle cx="100" cy="100" r="58" fill="#e8c547"/>',
        '<path d="M100 50 L112 86 L150 86 L119 108 L131 145 L100 122 L69 145 L81 108 L50 86 L88 86Z" fill="#b3261e"/>',
        '<rect x="60" y="158" width="80" height="16" fill="#ffffff"/>']),
    # The upper bar hides the middle of the lower one.
    "cross": ("#ffffff", [
        '<rect x="80" y="20" width="40" height="160" fill="#2e7d32"/>',
        '<rect x="20" y="80" width="160" height="40" fill="#c62828"/>',
        '<circle cx="45" cy="45" r="20" fill="#1565c0"/>',
        '<path d="M150 30 L185 60 L140 65Z" fill="#f9a825"/>']),
    # A ring through which the ground is seen.
    "ring": ("#203040", [
        '<path d="M100 20 A80 80 0 1 1 99.9 20Z M100 55 A45 45 0 1 0 100.1 55Z" fill="#ef6c00"/>',
        '<path d="M100 70 C130 70 130 130 100 130 C70 130 70 70 100 70Z" fill="#80deea"/>',
        '<path d="M10 180 Q100 140 190 180 L190 195 L10 195Z" fill="#aed581"/>']),
    "gradients": ("#fafafa", [
        GRADIENTS + '<circle cx="100" cy="100" r="80" fill="url(#a)"/>',
        '<rect x="65" y="65" width="70" height="70" rx="18" fill="url(#b)"/>',
        '<path d="M20 150 C60 120 140 190 190 150 L190 190 L20 190Z" fill="#33691e"/>']),
    # Letters with a hole and with corners, and a disc partly over one.
    "letters": ("#eceff1", [
        '<path d="M20 170 L55 40 L85 40 L120 170 L92 170 L85 140 L55 140 L48 170Z M61 115 L79 115 L70 78Z" '
        'fill="#263238"/>',
        '<path d="M130 40 L190 40 L190 62 L155 62 L155 95 L185 95 L185 117 L155 117 L155 170 L130 170Z" '
        'fill="#d81b60"/>',
        '<circle cx="100" cy="25" r="10" fill="#fb8c00"/>',
        '<rect x="10" y="180" width="180" height="8" fill="#3949ab"/>',
        '<circle cx="172" cy="145" r="16" fill="#fb8c00"/>']),
    # On nothing.
    "clear": (None, [
        '<circle cx="80" cy="90" r="60" fill="#7b1fa2"/>',
        '<circle cx="125" cy="110" r="50" fill="#00897b"/>',
        '<path d="M60 60 L140 50 L100 150Z" fill="#fdd835"/>']),
}


def paths(name):
    """How many paths the emblem has."""
    return len(EMBLEMS[name][1])


def svg(name):
    ground, shapes = EMBLEMS[name]
    under = f'<rect width="{SIZE}" height="{SIZE}" fill="{ground}"/>' if ground else ""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">'
            f'{under}{"".join(shapes)}</svg>')


def png(name):
    return bytes(resvg_py.svg_to_bytes(svg_string=svg(name), skip_system_fonts=True))
