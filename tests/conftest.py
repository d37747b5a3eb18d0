"""Before anything else: engine threads sleep while they wait (OpenMP reads this when torch is loaded)."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
