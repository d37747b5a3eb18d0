"""The engine as a process of its own: frames, one warm engine per user, and the client that talks to it.

Standard library only, and Python 3.9 is enough, because Inkscape's own Python imports this package. docs/protocol.md
says what travels; ``gradvec.ipc.client.Client`` is what a caller needs.
"""

from __future__ import annotations
