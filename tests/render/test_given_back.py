"""What engines and large pictures leave in memory."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from gradvec import render
from gradvec.model import Outline, Shape, SolidColor
from gradvec.render.scene import scene_from_shapes

#: Freed in pieces: glibc has learned to keep 20 MB, then every second of a hundred arrays of 2 MB goes.
CHILD = """
import re, sys
import numpy as np
from gradvec.render.memory import LARGE, give_back_at_once
give_back_at_once(LARGE if sys.argv[1] == "large" else LARGE - 1)
learned = np.ones(20 << 20, np.uint8)
del learned
arrays = [np.ones(2 << 20, np.uint8) for _ in range(100)]
del arrays[::2]
print(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's own way of keeping memory")
def test_what_a_large_picture_needed_goes_back_in_pieces() -> None:
    used = {what: int(subprocess.run([sys.executable, "-c", CHILD, what], capture_output=True, text=True, check=True,
                                     timeout=120).stdout) for what in ("small", "large")}
    assert used["small"] - used["large"] > 70 * 1024  # KB, of 100 MB that were freed


def test_a_topology_forgets_what_engines_keep_with_it() -> None:
    loop = np.array([[2, 2], [8, 2], [14, 2], [20, 2], [20, 8], [20, 14], [20, 20], [14, 20], [8, 20], [2, 20], [2, 14],
                     [2, 8]], float)
    scene = scene_from_shapes([Shape(Outline((loop,)), SolidColor((0.2, 0.4, 0.6)))], 24, 24, (1, 1, 1, 1))
    scene.points.requires_grad_(True)
    before = render.render(scene, engine="cpu")
    before.sum().backward()
    first, slope = before.detach().clone(), scene.points.grad.clone()
    del before
    (pool,) = vars(scene.topology)["_cpu_pools"].values()
    kept = weakref.ref(pool.free[0])
    del pool
    scene.topology.forget()
    gc.collect()
    assert kept() is None
    scene.points.grad = None
    again = render.render(scene, engine="cpu")
    again.sum().backward()
    assert torch.equal(again, first)
    assert torch.equal(scene.points.grad, slope)
