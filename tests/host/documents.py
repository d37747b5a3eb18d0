"""Documents and drawings that the host tests work on."""

import base64
from pathlib import Path

DATA = Path(__file__).parent / "data"
HEAD = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        ' xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
        ' xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"')


def embedded(name: str = "plain.png") -> str:
    """A data: address of one of the small pictures."""
    kind = name.rpartition(".")[2]
    return f"data:image/{kind};base64,{base64.b64encode((DATA / name).read_bytes()).decode()}"


def load(body: str, root: str = 'width="400" height="400" viewBox="0 0 400 400"'):
    """An inkex document; ``{png}`` in ``body`` stands for an embedded 40 x 20 px picture."""
    import inkex

    return inkex.load_svg(f'{HEAD} {root}>{body.replace("{png}", embedded())}</svg>'.encode()).getroot()


#: What an engine answers for a 40 x 20 px picture: a canvas of 80 x 40 px, two layers, a gradient each.
DRAWING = b"""<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"
 xmlns:gradvec="urn:uuid:83444402-4a95-4bda-a0ae-cbe0ced3f869" version="1.1" width="80" height="40" viewBox="0 0 80 40">
<metadata gradvec:run='{"options":{"seed":7,"strokes":2},"source_width":40,"source_height":20}'/>
<defs><linearGradient id="s1-fill" inkscape:collect="always" gradientUnits="userSpaceOnUse" x1="0" y1="0" x2="80"
 y2="40"><stop offset="0" stop-color="#ff0000"/><stop offset="1" stop-color="#0000ff"/></linearGradient></defs>
<g inkscape:groupmode="layer" inkscape:label="1 shapes" id="gradvec-size-1">
<path id="s1" d="M0 0C26.67 0 53.33 0 80 0C80 13.33 80 26.67 80 40C53.33 40 26.67 40 0 40C0 26.67 0 13.33 0 0Z"
 fill="url(#s1-fill)"/></g>
<g inkscape:groupmode="layer" inkscape:label="2 details" id="gradvec-size-2">
<path id="s2" d="M10 10L20 10L20 20L10 20Z" fill="#00ff00" gradvec:level="1"/></g>
</svg>
"""

