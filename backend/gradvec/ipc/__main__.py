"""``python -I -m gradvec.ipc ROLE`` or, where the package is not installed, ``python -I .../ipc/__main__.py ROLE``.

The processes of the engine are started with this; people use ``gradvec engine``.
"""

from __future__ import annotations

import argparse
import json
import os
import site
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parents[2]
    if not __package__:
        sys.path.insert(0, str(root))
        if str(root) == site.getusersitepackages():
            site.addsitedir(str(root))  # -I leaves it out, but that is where gradvec's libraries are then
    from gradvec.errors import EXIT_DONE, EXIT_ENGINE, GradvecError
    from gradvec.ipc.launch import DEFAULT_JOBS, Launch, launch_and_wait
    from gradvec.ipc.protocol import SILENCE_SECONDS
    from gradvec.ipc.state import State

    parser = argparse.ArgumentParser(prog="gradvec.ipc", description=__doc__)
    parser.add_argument("role", choices=("start", "serve", "one-shot", "worker"))
    parser.add_argument("--jobs", default=DEFAULT_JOBS, help="module:function that runs the jobs")
    parser.add_argument("--path", action="append", default=[], help="a further directory to import from")
    parser.add_argument("--state-dir", type=Path, help="directory of the engine")
    parser.add_argument("--idle-minutes", type=float, default=10.0, help="end after so long without work")
    parser.add_argument("--tcp", action="store_true", help="listen on a loopback port as well")
    parser.add_argument("--silence-seconds", type=float, default=SILENCE_SECONDS, help="when a worker counts as hung")
    parser.add_argument("--parent", type=int, default=0, help="worker: process of the supervisor")
    parser.add_argument("--log", default="", help="worker: path of the log, to tell the user")
    args = parser.parse_args(arguments)
    launch = Launch(sys.executable, str(root), args.jobs, tuple(args.path), args.idle_minutes,
                    args.tcp, args.silence_seconds)
    state = State(args.state_dir)
    try:
        if args.role == "start":
            options = ["--state-dir", str(state.directory), "--idle-minutes", repr(args.idle_minutes)]
            launch_and_wait(launch.command("serve", *options, *(["--tcp"] if args.tcp else [])), state)
        elif args.role == "worker":
            from gradvec.ipc import worker

            worker.main(launch, args.parent, args.log)
        elif args.role == "serve":
            from gradvec.ipc.supervisor import serve

            serve(launch, state)
        else:
            from gradvec.ipc.supervisor import serve_standard_streams

            serve_standard_streams(launch, state.log_path)
    except GradvecError as error:
        print(json.dumps({"code": error.code, "message": error.message, "remedy": error.remedy}), flush=True)
        return EXIT_ENGINE
    return EXIT_DONE


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # no thread that waits in a read, and no child that goes on, may keep this process
