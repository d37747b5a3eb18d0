"""``python -m gradvec`` and the command ``gradvec``: the command line. Ctrl-C ends it quietly from the first moment."""

import sys


def main() -> int:
    """The command line's exit code. Its own handling of Ctrl-C begins only when it is loaded, which takes a moment."""
    try:
        from .cli import main as command_line

        return command_line()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
