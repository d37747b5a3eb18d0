"""Path data: the ``d`` of an SVG path to and from an Outline.

Written: ``M``, then one ``C`` with all segments, then ``z``, two decimals, for each loop. With ``relative`` the curve
is a ``c``: a quarter smaller (315 against 418 bytes for a stroke of 10 cubics), and taken as differences of the rounded
absolute points, so that nothing drifts. Read: everything that SVG 1.1 allows (section 8.3).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from ...errors import EngineError, InputError
from ...model import Outline

#: How many numbers each command takes.
ARITY = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}

#: Coordinates, radii and lengths beyond this are refused, in either direction: no drawing is so large, two decimals
#: would mean nothing any more, and sums and products of what is allowed stay finite.
FARTHEST = 1e9
#: Radii of an arc below this are none: SVG draws a line instead.
_RADIUS_MIN = 1e-9
_DIGITS_MAX = 400

#: A number as SVG spells it.
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SEPARATOR = re.compile(r"[ \t\r\n\f,]*")
#: A flag of an arc may be written without anything between it and what follows.
_FLAG = re.compile("[01]")


#: Handles that turn by less than 5 degrees make a smooth node.
SMOOTH_COSINE = math.cos(math.radians(5))


def path_data(outline: Outline, relative: bool = False) -> str:
    """The ``d`` of ``outline``, coordinates in px rounded to 0.01.

    Raises:
        EngineError: a coordinate is not a finite number, or beyond :data:`FARTHEST`.
    """
    return "".join(_loop_data(loop, relative) for loop in outline.loops)


def line_data(points: np.ndarray, relative: bool = False) -> str:
    """The ``d`` of an open curve (3 S + 1, 2), as :func:`path_data` writes closed ones."""
    return _curve_data(points, points[1:], relative)


def line_node_types(points: np.ndarray) -> str:
    """As :func:`node_types`, for the nodes of :func:`line_data`; both ends are corners."""
    inner = _smooth(np.round(points[3:-1:3], 2) - np.round(points[2:-2:3], 2),
                    np.round(points[4::3], 2) - np.round(points[3:-1:3], 2))
    return f"c{inner}c"


def node_types(outline: Outline) -> str:
    """Inkscape's word for the nodes of :func:`path_data`: s where the handles, as written, lie on one line, else c.

    A closed subpath names its first node again at its end.
    """
    return "".join(_loop_types(np.round(loop, 2)) for loop in outline.loops)


def _loop_types(loop: np.ndarray) -> str:
    anchors = loop[0::3]
    types = _smooth(anchors - np.concatenate([loop[-1:], loop[2:-1:3]]), loop[1::3] - anchors)
    return types + types[:1]


def _smooth(arriving: np.ndarray, leaving: np.ndarray) -> str:
    """The types of nodes whose handles are ``arriving`` and ``leaving`` (n, 2)."""
    lengths = np.hypot(arriving[:, 0], arriving[:, 1]) * np.hypot(leaving[:, 0], leaving[:, 1])
    smooth = ((arriving * leaving).sum(1) > SMOOTH_COSINE * lengths) & (lengths > 0)
    return "".join(["s" if one else "c" for one in smooth.tolist()])


def _loop_data(loop: np.ndarray, relative: bool) -> str:
    return _curve_data(loop, np.concatenate([loop[1:], loop[:1]]), relative) + "z"


def _curve_data(points: np.ndarray, curve: np.ndarray, relative: bool) -> str:
    """A move to the first of ``points`` and the control points (3 S, 2) of ``curve`` from there on."""
    if not (np.abs(points) <= FARTHEST).all():
        raise EngineError("An outline holds a coordinate that is not a finite number, or too large for a drawing.")
    start, curve = (np.rint(np.asarray(part, np.float64) * 100).astype(np.int64) for part in (points, curve))
    if relative:
        curve = curve - np.repeat(start[:len(curve):3], 3, axis=0)
    return f"M{_join(start[0].tolist())}{'c' if relative else 'C'}{_join(curve.ravel().tolist())}"


def _join(hundredths: list[int]) -> str:
    """Numbers with a space between them, but for a minus sign, which separates by itself."""
    return " ".join(map(number, hundredths)).replace(" -", "-")


@lru_cache(1 << 17)
def number(hundredths: int) -> str:
    """``1250`` as ``12.5``: at most two decimals, no trailing zeros, no negative zero."""
    whole, rest = divmod(abs(hundredths), 100)
    sign = "-" if hundredths < 0 else ""
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{rest:02d}".rstrip("0")


def segment_count(d: str) -> int:
    """Drawn segments of path data; moves and closes do not count."""
    return sum(1 for command, _ in commands(d) if command not in "MmZz")


def commands(d: str) -> Iterator[tuple[str, list[float]]]:
    """Commands with exactly their own numbers; implicit repetitions are spelt out.

    Raises:
        InputError: the text is not path data.
    """
    for command, body in _split(d):
        arity = ARITY[command.upper()]
        numbers = _numbers(body, flags=arity == 7)
        if (arity == 0 and numbers) or (arity and (not numbers or len(numbers) % arity)):
            raise InputError(f"Path command {command} expects {arity} numbers at a time, got {len(numbers)}.")
        if arity == 0:
            yield command, []
        for start in range(0, len(numbers), arity or 1):
            yield command, numbers[start:start + arity]
            command = {"M": "L", "m": "l"}.get(command, command)


def _split(d: str) -> Iterator[tuple[str, str]]:
    """(command letter, the text up to the next one). An exponent's e is no command letter."""
    starts = [m.start() for m in re.finditer(r"[A-DF-Za-df-z]", d)]
    if not d.strip():
        return
    if not starts or d[:starts[0]].strip() or d[starts[0]] not in "Mm":
        raise InputError(f"Path data has to begin with a move, not with {d.strip()[:12]!r}.")
    for start, end in zip(starts, [*starts[1:], len(d)], strict=True):
        if d[start].upper() not in ARITY:
            raise InputError(f"Path data has no command {d[start]!r}.")
        yield d[start], d[start + 1:end]


def _numbers(body: str, flags: bool) -> list[float]:
    """The numbers of one command, in one pass. flags: every fourth and fifth of seven is a single digit, 0 or 1."""
    numbers: list[float] = []
    at = _end_of(_SEPARATOR, body, 0)
    while at < len(body):
        word = (_FLAG if flags and len(numbers) % 7 in (3, 4) else NUMBER).match(body, at)
        if word is None:
            raise InputError(f"Path data holds {body[at:at + 12]!r} where a number is expected.")
        numbers.append(number_in(word[0]))
        at = _end_of(_SEPARATOR, body, word.end())
    return numbers


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def number_in(text: str) -> float:
    """The number that ``text`` spells.

    Raises:
        InputError: it is beyond :data:`FARTHEST`, or spelt with more digits than any program writes.
    """
    if len(text) > _DIGITS_MAX or not abs(value := float(text)) <= FARTHEST:
        raise InputError(f"The number {text[:20]} is too large; at most {FARTHEST:.0e} is read.")
    return value


class _Pen:
    """Turns commands into loops of cubics, in the path's own units; with ``lines`` into open curves, which keep their
    last point and are not closed unless the path says so."""

    def __init__(self, lines: bool = False) -> None:
        self.lines = lines
        self.loops: list[list[complex]] = []
        self.start = self.at = 0j
        self.handle: complex | None = None
        self.last = ""

    def cubic(self, out: complex, into: complex, end: complex) -> None:
        if not self.loops or self.last == "Z":
            self.loops.append([self.at])
        self.loops[-1] += [out, into, end]
        self.at = end

    def line(self, end: complex) -> None:
        self.cubic(self.at + (end - self.at) / 3, end + (self.at - end) / 3, end)

    def close(self) -> None:
        """A subpath that does not end where it began is filled as if a line closed it."""
        if self.lines:
            return
        if self.loops and self.last not in ("M", "Z"):
            if abs(self.at - self.start) > 1e-6:
                self.line(self.start)
            self.loops[-1].pop()
        elif self.loops and self.last == "M":
            self.loops.pop()
        self.at = self.start

    def draw(self, command: str, n: list[float]) -> None:
        kind = command.upper()
        base = self.at if command.islower() else 0j
        p = [base + complex(n[i], n[i + 1]) for i in range(0, len(n) - 1, 2)] if kind not in "HVA" else []
        reflected = 2 * self.at - self.handle if self.handle is not None else self.at
        handle = None
        if kind == "M":
            self.close()
            self.start = self.at = p[0]
            self.loops.append([self.at])
        elif kind == "L":
            self.line(p[0])
        elif kind == "H":
            self.line(complex(base.real + n[0], self.at.imag))
        elif kind == "V":
            self.line(complex(self.at.real, base.imag + n[0]))
        elif kind == "C":
            self.cubic(*p)
            handle = p[1]
        elif kind == "S":
            self.cubic(reflected if self.last in "CS" else self.at, *p)
            handle = p[0]
        elif kind in "QT":
            handle = p[0] if kind == "Q" else (reflected if self.last in "QT" else self.at)
            self.cubic(self.at + (handle - self.at) * 2 / 3, p[-1] + (handle - p[-1]) * 2 / 3, p[-1])
        elif kind == "A":
            for out, into, end in arc_cubics(self.at, base + complex(n[5], n[6]), n[:5]):
                self.cubic(out, into, end)
        else:
            if self.lines and self.at != self.start:
                self.line(self.start)
            self.close()
            self.at = self.start
        self.handle, self.last = handle, kind


def parse_path(d: str) -> Outline:
    """The outline that path data fills: every subpath closed, every segment a cubic.

    Raises:
        InputError: the text is not path data, or leads beyond :data:`FARTHEST`.
    """
    pen = _Pen()
    for command, numbers in commands(d):
        pen.draw(command, numbers)
    pen.close()
    loops = tuple(np.array(loop).view(np.float64).reshape(-1, 2) for loop in pen.loops if len(loop) >= 3)
    if not all((np.abs(loop) <= FARTHEST).all() for loop in loops):
        raise InputError(f"Path data leads farther than {FARTHEST:.0e} away.")
    return Outline(loops)


def parse_lines(d: str) -> list[np.ndarray]:
    """The open curves (3 S + 1, 2) that path data draws, one for each subpath that has a segment.

    Raises:
        InputError: as :func:`parse_path`.
    """
    pen = _Pen(lines=True)
    for command, numbers in commands(d):
        pen.draw(command, numbers)
    curves = [np.array(loop).view(np.float64).reshape(-1, 2) for loop in pen.loops if len(loop) >= 4]
    if not all((np.abs(curve) <= FARTHEST).all() for curve in curves):
        raise InputError(f"Path data leads farther than {FARTHEST:.0e} away.")
    return curves


def arc_cubics(start: complex, end: complex, arc: list[float]) -> list[tuple[complex, complex, complex]]:
    """An elliptic arc as cubics of at most a quarter turn each (SVG 1.1, appendix F.6); exact to 3e-4 of its radius.

    arc: rx, ry, rotation in degrees, large-arc flag, sweep flag.
    """
    rx, ry, degrees, large, sweep = arc
    rx, ry = abs(rx), abs(ry)
    if start == end:
        return []
    if min(rx, ry) < _RADIUS_MIN or abs(end - start) < _RADIUS_MIN * min(rx, ry):
        return [(start + (end - start) / 3, end + (start - end) / 3, end)]
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))

    def unit(point: complex) -> complex:
        """Into the frame in which the ellipse is the unit circle."""
        local = point / turn
        return complex(local.real / rx, local.imag / ry)

    def back(point: complex) -> complex:
        return complex(point.real * rx, point.imag * ry) * turn

    a, b = unit(start), unit(end)
    chord = abs(b - a) / 2
    if chord > 1:
        rx, ry = rx * chord, ry * chord
        a, b, chord = a / chord, b / chord, 1.0
    side = 1 if bool(large) != bool(sweep) else -1
    center = (a + b) / 2 + side * math.sqrt(max(1 - chord * chord, 0.0)) * (b - a) / (2 * chord) * 1j
    first = math.atan2((a - center).imag, (a - center).real)
    span = (math.atan2((b - center).imag, (b - center).real) - first) % (2 * math.pi)
    if not sweep:
        span -= 2 * math.pi
    pieces = max(1, math.ceil(abs(span) / (math.pi / 2) - 1e-9))
    reach = 4 / 3 * math.tan(span / pieces / 4)
    cubics = []
    for i in range(pieces):
        p, q = (complex(math.cos(t), math.sin(t)) for t in (first + span * i / pieces, first + span * (i + 1) / pieces))
        last = end if i == pieces - 1 else back(center + q)
        cubics.append((back(center + p + reach * p * 1j), back(center + q - reach * q * 1j), last))
    return cubics
