"""Numba kernels of constraints on outlines, for variables on the processor: one pass over the control points each.

A step on torch's small tensors takes longer for its constraints than for its picture. What each means is said where it
is made (constraints.py, smooth.py); there is its form for a card, too, and tests hold both to each other.

points, grad: (K, 2) control points, px, and their derivative, changed in place. loops: (L + 1,) first control point of
each loop, as in :class:`gradvec.render.scene.Topology`.
"""

from __future__ import annotations

import math

import numpy as np

from ..render.kernel_cache import njit


@njit(nogil=True, error_model="numpy")
def pull_taut(points, grad, loops, cost):
    """:class:`.constraints.Tension`."""
    for loop in range(len(loops) - 1):
        first, last = loops[loop], loops[loop + 1]
        for i in range(first, last):
            after = i + 1 if i + 1 < last else first
            x, y = points[after, 0] - points[i, 0], points[after, 1] - points[i, 1]
            share = cost / (math.sqrt(x * x + y * y) + 1e-3)
            grad[i, 0] -= share * x
            grad[i, 1] -= share * y
            grad[after, 0] += share * x
            grad[after, 1] += share * y


@njit(nogil=True, error_model="numpy")
def space_evenly(points, loops, amount):
    """:class:`.constraints.EvenSpacing`: all points at once, so neighbours count as they were before."""
    for loop in range(len(loops) - 1):
        first, last = loops[loop], loops[loop + 1]
        start_x, start_y = points[first, 0], points[first, 1]
        before_x, before_y = points[last - 1, 0], points[last - 1, 1]
        for i in range(first, last):
            here_x, here_y = points[i, 0], points[i, 1]
            after_x, after_y = (points[i + 1, 0], points[i + 1, 1]) if i + 1 < last else (start_x, start_y)
            x, y = after_x - before_x, after_y - before_y
            off = x * (after_x + before_x - 2 * here_x) + y * (after_y + before_y - 2 * here_y)
            share = amount / 2 * off / (x * x + y * y + 1e-3)
            points[i, 0] = here_x + share * x
            points[i, 1] = here_y + share * y
            before_x, before_y = here_x, here_y


@njit(nogil=True, error_model="numpy", forceinline=True)
def _between(points, before, anchor, after, least):
    """How far along from one handle to the other an anchor lies."""
    x, y = points[after, 0] - points[before, 0], points[after, 1] - points[before, 1]
    along = (points[anchor, 0] - points[before, 0]) * x + (points[anchor, 1] - points[before, 1]) * y
    return min(max(along / (x * x + y * y + 1e-9), least), 1 - least)


@njit(nogil=True, error_model="numpy")
def hand_to_handles(points, grad, loops, corner, pull, averaging, least):
    """Before a step of :class:`.smooth.SmoothJoints`. corner: (J,) bool and pull: (J, 2) of each anchor."""
    for loop in range(len(loops) - 1):
        first, last = loops[loop], loops[loop + 1]
        for a in range(first, last, 3):
            joint = a // 3
            if corner[joint]:
                pull[joint, 0] -= averaging * pull[joint, 0]
                pull[joint, 1] -= averaging * pull[joint, 1]
                continue
            before, after = a - 1 if a > first else last - 1, a + 1
            share = _between(points, before, a, after, least)
            own_x, own_y = grad[a, 0], grad[a, 1]
            x, y = points[after, 0] - points[before, 0], points[after, 1] - points[before, 1]
            length = math.sqrt(x * x + y * y) + 1e-9
            x, y = x / length, y / length
            sliding = own_x * x + own_y * y
            pull[joint, 0] += averaging * (own_x - sliding * x - pull[joint, 0])
            pull[joint, 1] += averaging * (own_y - sliding * y - pull[joint, 1])
            grad[before, 0] += (1 - share) * own_x
            grad[before, 1] += (1 - share) * own_y
            grad[after, 0] += share * own_x
            grad[after, 1] += share * own_y
            grad[a, 0], grad[a, 1] = sliding * x, sliding * y


@njit(nogil=True, error_model="numpy")
def put_on_line(points, loops, corner, least):
    """After a step of :class:`.smooth.SmoothJoints`."""
    for loop in range(len(loops) - 1):
        first, last = loops[loop], loops[loop + 1]
        for a in range(first, last, 3):
            if not corner[a // 3]:
                before, after = a - 1 if a > first else last - 1, a + 1
                share = _between(points, before, a, after, least)
                for k in range(2):
                    points[a, k] = points[before, k] + share * (points[after, k] - points[before, k])


@njit(nogil=True, error_model="numpy")
def price_turning(points, grad, loops, cost, calm, restless, soft_px, soft_turn):
    """:class:`.smooth.TurningPrice`. cost: with what a pixel is wrong by; calm, restless: full turns."""
    turn = np.empty(len(points))
    for loop in range(len(loops) - 1):
        first, last = loops[loop], loops[loop + 1]
        back_x, back_y = points[first, 0] - points[last - 1, 0], points[first, 1] - points[last - 1, 1]
        doubled, total = 0.0, 0.0
        for i in range(first, last):
            after = i + 1 if i + 1 < last else first
            x, y = points[after, 0] - points[i, 0], points[after, 1] - points[i, 1]
            turn[i] = math.atan2(back_x * y - back_y * x, back_x * x + back_y * y)
            total += abs(turn[i])
            # Areas around the loop's own first point lose no digits far from the picture's corner.
            doubled += ((points[i, 0] - points[first, 0]) * (points[after, 1] - points[first, 1])
                        - (points[after, 0] - points[first, 0]) * (points[i, 1] - points[first, 1]))
            back_x, back_y = x, y
        price = cost * min(max((total / math.tau - calm) / (restless - calm), 0.0), 1.0)
        if price == 0.0 or doubled == 0.0:
            continue
        way = 1.0 if doubled > 0 else -1.0
        slope = -way * min(max(-turn[first] * way / soft_turn, 0.0), 1.0) * price
        start = slope
        for i in range(first, last):
            after = i + 1 if i + 1 < last else first
            next_slope = start if after == first else -way * min(max(-turn[after] * way / soft_turn, 0.0), 1.0) * price
            if slope != next_slope:
                x, y = points[after, 0] - points[i, 0], points[after, 1] - points[i, 1]
                share = (slope - next_slope) / (x * x + y * y + soft_px * soft_px)
                grad[i, 0] += share * y
                grad[i, 1] -= share * x
                grad[after, 0] -= share * y
                grad[after, 1] += share * x
            slope = next_slope


@njit(nogil=True, error_model="numpy")
def widen_hairs(points, grad, loops, cost, compact):
    """:class:`.smooth.HairPrice`. cost: with what a pixel is wrong by; compact: what a loop should be."""
    for loop in range(len(loops) - 1):
        first, last = loops[loop], loops[loop + 1]
        doubled, around = 0.0, 0.0
        for i in range(first, last):
            after = i + 1 if i + 1 < last else first
            x, y = points[after, 0] - points[i, 0], points[after, 1] - points[i, 1]
            around += math.sqrt(x * x + y * y)
            doubled += (points[i, 0] - points[first, 0]) * y - x * (points[i, 1] - points[first, 1])
        area = doubled / 2
        if 4 * math.pi * abs(area) >= compact * (around * around + 1e-9):
            continue
        weight = around * cost
        # An outline of no area has no side to be widened to: then its length goes alone.
        wider = weight / area / 2 if abs(area) >= 1e-3 else 0.0
        shorter = 2 * weight / (around + 1e-9)
        for i in range(first, last):
            after = i + 1 if i + 1 < last else first
            x, y = points[after, 0] - points[i, 0], points[after, 1] - points[i, 1]
            # Half the chord past a point is half of either edge at it: each edge gives its share to both its ends.
            share = shorter / (math.sqrt(x * x + y * y) + 1e-3)
            grad[i, 0] -= wider * y + share * x
            grad[i, 1] += wider * x - share * y
            grad[after, 0] -= wider * y - share * x
            grad[after, 1] += wider * x + share * y


@njit(nogil=True, error_model="numpy")
def hold_within(points, starts, basis, solve, limit):
    """:class:`.constraints.WithinReach`. starts: (N + 1,) first control point of each outline; basis, solve: (K, 3) as
    :class:`.affine.AffineImages` has them; limit: (N,) px."""
    for n in range(len(starts) - 1):
        ax = ay = bx = by = cx = cy = 0.0
        for i in range(starts[n], starts[n + 1]):
            x, y = points[i, 0], points[i, 1]
            ax += solve[i, 0] * x
            ay += solve[i, 0] * y
            bx += solve[i, 1] * x
            by += solve[i, 1] * y
            cx += solve[i, 2] * x
            cy += solve[i, 2] * y
        for i in range(starts[n], starts[n + 1]):
            image_x = basis[i, 0] * ax + basis[i, 1] * bx + basis[i, 2] * cx
            image_y = basis[i, 0] * ay + basis[i, 1] * by + basis[i, 2] * cy
            x, y = points[i, 0] - image_x, points[i, 1] - image_y
            length = math.sqrt(x * x + y * y)
            if length > limit[n]:
                points[i, 0] = image_x + x * (limit[n] / length)
                points[i, 1] = image_y + y * (limit[n] / length)
