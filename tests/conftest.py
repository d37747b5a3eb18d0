"""Before anything else: engine threads sleep while they wait (OpenMP reads this when torch is loaded), and tests that
take a home of their own still find the kernels that this machine has compiled."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("NUMBA_CACHE_DIR", os.path.expanduser("~/.cache/gradvec-tests"))
