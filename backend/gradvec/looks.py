"""Looks: whole sets of options with a name, so that a picture needs one choice. Standard library only.

One table; the menu, ``--look``, ``gradvec looks``, the wire and docs/looks.md read it. An option that is given besides
a look counts more than the look's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Look:
    """name: the word for programs. label: what an artist reads. about: one sentence. options: those that differ from
    the defaults of :class:`gradvec.options.Options`. job: what runs it, paint, lines or vectorize."""

    name: str
    label: str
    about: str
    options: dict[str, Any] = field(default_factory=dict)
    job: str = "paint"


LOOKS = (
    Look("oil", "Oil", "opaque strokes with bristle ends that follow the form, in relief",
         {"brush": "oil", "fidelity": 0.0, "detail": 0.3, "strokes": 600, "texture": "impasto"}),
    Look("gouache", "Gouache poster", "flat, opaque strokes on paper, each in one colour",
         {"brush": "oil", "fidelity": 0.0, "detail": 0.2, "strokes": 450, "one_color": True, "texture": "paper"}),
    Look("watercolor", "Watercolour", "translucent washes with darker rims; light places stay white paper",
         {"brush": "watercolor", "fidelity": 0.0, "detail": 0.2, "strokes": 450, "background": "#fdfbf5",
          "texture": "watercolor"}),
    Look("marker", "Marker", "even, slightly translucent lines with round ends, darker where they overlap",
         {"brush": "marker", "fidelity": 0.0, "detail": 0.3, "strokes": 500, "background": "#ffffff"}),
    Look("cut", "Cut paper", "straight-cut sheets in flat colours, glued over each other",
         {"brush": "tape", "fidelity": 0.2, "detail": 0.2, "cubics": 4, "strokes": 350, "texture": "cut"}),
    Look("dry", "Dry brush", "strokes that tear into streaks and let a toned paper show",
         {"brush": "dry", "fidelity": 0.0, "detail": 0.3, "strokes": 500, "background": "#e9dcc6",
          "texture": "paper"}),
    Look("print", "Screen print", "six true inks, flat and opaque, in layers by ink",
         {"brush": "oil", "inks": True, "palette": "6", "fidelity": 0.4, "strokes": 400, "layers": "ink",
          "detail": 0.6}),
    Look("lines", "Line drawing", "pen lines along edges and form, as Inkscape strokes with a width, on white paper",
         {"strokes": 300, "background": "#ffffff"}, job="lines"),
    Look("shapes", "Illustrator's shapes", "few free shapes, built up from the largest areas to the smallest",
         {"strokes": 64, "detail": 0.5}, job="vectorize"),
    Look("photo", "Close to photo", "see-through strokes whose outlines follow the picture", {}),
    Look("paper", "As in the paper", "oil strokes on a grid with the published two-stage K-means gradients",
         {"mode": "grid", "gradient": "kmeans", "fidelity": 0.0}),
)
NAMES = tuple(look.name for look in LOOKS)
#: What painting takes where nobody chose; programs that make Options themselves get PLAIN.
DEFAULT, PLAIN = "oil", "photo"


def look_of(name: str) -> Look:
    """The look of that name, which must be one of :data:`NAMES`."""
    return LOOKS[NAMES.index(name)]


def with_look(values: dict[str, Any]) -> dict[str, Any]:
    """Options by name with those of ``values["look"]``, if it names one, filled in where they are not given."""
    name = values.get("look")
    return {**look_of(name).options, **values} if name in NAMES else dict(values)
