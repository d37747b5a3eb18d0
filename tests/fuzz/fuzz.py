"""Fuzzes the readers for a given time: ``python tests/fuzz/fuzz.py --seconds 60 [READER ...]``.

Guided by coverage with atheris where it is installed, else by mutations of good inputs. What fails is kept in
tests/fuzz/found/READER/, where the tests find it, and ends the run with 1.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BYTES_MAX = 1 << 16
#: Nothing that is so small may take longer, s of processor time; and by the clock, however busy the machine is.
SLOW_S, STUCK_S = 10.0, 600.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each reader")
    parser.add_argument("--seed", type=int, default=None, help="of the mutations (default: another one each time)")
    parser.add_argument("readers", nargs="*", help="which (default: all)")
    args = parser.parse_args()
    import readers

    failed = 0
    for name in args.readers or readers.READERS:
        guided = importlib.util.find_spec("atheris") is not None
        print(f"{name}: ", end="", flush=True)
        failed += guided_by_coverage(name, args.seconds) if guided else by_mutation(name, args.seconds, args.seed)
    return 1 if failed else 0


def by_mutation(name: str, seconds: float, seed: int | None = None) -> int:
    """Returns how many inputs failed."""
    import readers

    rng = random.Random(seed)
    seeds = [*readers.SEEDS[name], *readers.known_failures(name)]
    end, count, failed = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        data = mutated(rng.choice(seeds), rng, rng.choice(seeds))
        try:
            run_in_time(name, data)
        except Exception as error:
            failed += 1
            print(f"\n  {type(error).__name__}: {error}  kept as {keep(name, data)}")
        count += 1
    print(f"{count} inputs by mutation, {failed} failed")
    return failed


def run_in_time(name: str, data: bytes) -> None:
    """One input through one reader, which must not take longer than :data:`SLOW_S`."""
    import readers

    started = time.process_time()
    readers.run(name, data)
    assert time.process_time() - started < SLOW_S, "took too long"


def mutated(data: bytes, rng: random.Random, other: bytes) -> bytes:
    """``data`` with a few bytes, stretches or numbers changed, cut, repeated, or taken from ``other``."""
    result = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at, length = rng.randrange(len(result) + 1), rng.randint(1, 12)
        kind = rng.randrange(7)
        if kind == 0 and result:
            result[at % len(result)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            result[at:at + length] = rng.randbytes(length)
        elif kind == 2:
            del result[at:at + length]
        elif kind == 3:
            result[at:at] = result[at:at + length] * rng.randint(1, 50)
        elif kind == 4 and other:
            start = rng.randrange(len(other))
            result[at:at] = other[start:start + length]
        elif kind == 5:
            result[at:at + length] = rng.choice([b"1e400", b"-0", b"nan", b"\xff" * 4, b"\0" * 4, b"9" * 500, b"\xb2"])
        else:
            del result[at:]
    return bytes(result[:BYTES_MAX])


def keep(name: str, data: bytes) -> Path:
    import readers

    path = readers.FOUND / name / hashlib.sha256(data).hexdigest()[:16]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def guided_by_coverage(name: str, seconds: float) -> int:
    """In a process of its own, because libFuzzer ends it. Returns 1 where an input failed."""
    import readers

    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate([*readers.SEEDS[name], *readers.known_failures(name)]):
            Path(folder, f"{number}").write_bytes(data)
        found = readers.FOUND / name
        found.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([sys.executable, str(Path(__file__).with_name("guided.py")), name, folder,
                               f"-max_total_time={seconds:.0f}", f"-max_len={BYTES_MAX}", f"-timeout={STUCK_S:.0f}",
                               "-rss_limit_mb=4096", f"-artifact_prefix={found}/"],
                              capture_output=True, text=True, check=False)
        if not any(found.iterdir()):
            found.rmdir()
    last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
    print(f"guided by coverage: {'failed' if done.returncode else 'nothing failed'} ({''.join(last).strip()})")
    if done.returncode:
        print(done.stdout[-3000:], done.stderr[-3000:])
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
