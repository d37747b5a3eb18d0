"""``gradvec engine``: the warm engine process that Inkscape's extension talks to."""

from __future__ import annotations

import argparse
import json

from ...errors import EXIT_DONE
from ..arguments import number

NAME = "engine"
USAGE = "serve | status [--json] | stop | restart | logs [-n LINES] | once"
HELP = "look after the engine process"
DESCRIPTION = """\
The engine process keeps torch loaded between runs, so that Inkscape does not wait for
it. It is started on demand and ends by itself; these commands look after it."""
EXAMPLES = """\
  gradvec engine status --json
  gradvec engine stop
  gradvec engine restart
  gradvec engine logs -n 50"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    serve = actions.add_parser("serve", help="run the engine here until it is idle for long", allow_abbrev=False)
    serve.add_argument("--idle-minutes", type=float, default=10.0, metavar="MIN",
                       help="end after so many minutes without work (default 10)")
    serve.add_argument("--tcp", action="store_true",
                       help="listen on a loopback port, too, for an Inkscape in a sandbox such as Flatpak's")
    status = actions.add_parser("status", help="whether an engine runs, and which", allow_abbrev=False)
    status.add_argument("--json", action="store_true", help="as one JSON object: running, pid, version, device")
    actions.add_parser("stop", help="end the engine that runs", allow_abbrev=False)
    actions.add_parser("restart", help="end the engine that runs, and start another", allow_abbrev=False)
    logs = actions.add_parser("logs", help="the last lines of the engine's log", allow_abbrev=False)
    logs.add_argument("-n", "--lines", type=number("lines", 1, 100_000, "is no number of lines"), default=100.0,
                      metavar="LINES", help="how many (default 100)")
    actions.add_parser("once", help="one job over stdin and stdout, then end (docs/protocol.md)", allow_abbrev=False)


def run(args: argparse.Namespace) -> int:
    from ... import ipc

    if args.action == "serve":
        return ipc.serve_command(args.idle_minutes, tcp=args.tcp)
    if args.action == "once":
        return ipc.one_shot_command()
    if args.action == "stop":
        print("The engine was stopped." if ipc.stop() else "No engine runs.")
        return EXIT_DONE
    if args.action == "restart":
        print("The engine was restarted." if ipc.restart() else "No engine ran; one was started.")
        return EXIT_DONE
    if args.action == "logs":
        print(ipc.log_lines(int(args.lines)), end="")
        return EXIT_DONE
    status = ipc.status()
    if args.json:
        print(json.dumps(status))
    elif status["running"]:
        where = status["device"] or "a device that it has not told yet"
        print(f"Engine {status['version']} runs as process {status['pid']} on {where}.")
        if not status["answering"]:
            print("It does not answer. End it with `gradvec engine stop`; a new one starts when it is needed.")
    else:
        print("No engine runs; one is started when Inkscape needs it.")
    return EXIT_DONE
