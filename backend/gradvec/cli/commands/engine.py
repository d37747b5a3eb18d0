"""``gradvec engine``: the warm engine process that Inkscape's extension talks to."""

from __future__ import annotations

import argparse
import json
import os

from ...errors import EXIT_DONE
from ..arguments import number

NAME = "engine"
USAGE = "serve [--at-login | --no-at-login] | status [--json] | stop | restart | logs [-n LINES] | once"
HELP = "look after the engine process"
DESCRIPTION = """\
The engine process keeps torch loaded between runs, so that Inkscape does not wait for
it. It is started on demand and ends by itself; these commands look after it."""
EXAMPLES = """\
  gradvec engine status --json
  gradvec engine stop
  gradvec engine restart
  gradvec engine logs -n 50
  gradvec engine serve --at-login"""
#: What is started at login is to be there.
_YEAR_MINUTES = 365 * 24 * 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    serve = actions.add_parser("serve", help="run the engine here until it is idle for long", allow_abbrev=False)
    serve.add_argument("--idle-minutes", type=float, default=None, metavar="MIN",
                       help="end after so many minutes without work (default 10; at login: a year)")
    serve.add_argument("--tcp", action="store_true",
                       help="listen on a loopback port, too, for an Inkscape in a sandbox such as Flatpak's")
    login = serve.add_mutually_exclusive_group()
    login.add_argument("--at-login", action="store_true",
                       help="run none here; have the system start one at each login, with a loopback port")
    login.add_argument("--no-at-login", action="store_true", help="take that back")
    status = actions.add_parser("status", help="whether an engine runs, and which", allow_abbrev=False)
    status.add_argument("--json", action="store_true", help="as one JSON object: running, pid, version, device")
    actions.add_parser("stop", help="end the engine that runs", allow_abbrev=False)
    actions.add_parser("restart", help="end the engine that runs, and start another", allow_abbrev=False)
    logs = actions.add_parser("logs", help="the last lines of the engine's log", allow_abbrev=False)
    logs.add_argument("-n", "--lines", type=number("lines", 1, 100_000, "is no number of lines"), default=100.0,
                      metavar="LINES", help="how many (default 100)")
    actions.add_parser("once", help="one job over stdin and stdout, then end (docs/protocol.md)", allow_abbrev=False)


def _at_login(args: argparse.Namespace) -> int:
    from ...tools import at_login

    if args.no_at_login:
        removed = at_login.remove()
        for path in removed:
            print(f"Removed {path}. An engine that runs now goes on until it is stopped.")
        if not removed:
            print("No engine was to be started at login.")
        return EXIT_DONE
    idle = _YEAR_MINUTES if args.idle_minutes is None else args.idle_minutes
    written = at_login.write(idle, os.environ.get("GRADVEC_STATE_DIR", ""))
    print(f"Written to {written.path}. The engine starts with your next login.")
    if written.now:
        print(f"To start it now: {written.now}")
    return EXIT_DONE


def run(args: argparse.Namespace) -> int:
    from ... import ipc

    if args.action == "serve" and (args.at_login or args.no_at_login):
        return _at_login(args)
    if args.action == "serve":
        return ipc.serve_command(10.0 if args.idle_minutes is None else args.idle_minutes, tcp=args.tcp)
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
