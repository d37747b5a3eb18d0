"""Compiles the engine's kernels before the first picture needs them, and tells how far that is.

Started in the engine's own Python: ``main`` prints the share that is done, one number in [0, 1] a line.
"""

from __future__ import annotations

from collections.abc import Callable

#: Small runs that together need every stage and kernel.
_WAYS: tuple[dict[str, object], ...] = (
    {"fidelity": 1.0}, {"brush": "marker", "gradient": "kmeans", "paths_per_stroke": 2})


def warm_up(tell: Callable[[float], None] = lambda share: None) -> None:
    """Paints small pictures, so that all kernels are compiled and kept before the first real one.

    tell: called with the share that is done, in [0, 1], rising.
    """
    import numpy as np

    from ..io.images import png_bytes
    from ..options import Options
    from ..pipeline import paint_picture
    from ..progress import Progress, Run

    picture = png_bytes(np.random.default_rng(0).random((24, 32, 3), np.float32))
    for count, way in enumerate(_WAYS):
        def report(progress: Progress, count: int = count) -> None:
            tell((count + progress.fraction) / len(_WAYS))

        paint_picture(picture, Options.from_dict({"strokes": 6, "size": 32, **way}), Run(on_progress=report))
    tell(1.0)


def main() -> None:
    warm_up(lambda share: print(f"{share:.4f}", flush=True))
