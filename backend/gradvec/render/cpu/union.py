"""numba kernels of the cpu engine: from a loop that crosses itself to the border of what it goes round.

A px in which two borders of one outline meet has the winding of both, and coverage from a winding's mean counts what
both cover twice (reference.py). Where the loop goes round a place twice, its inner border is therefore left out here:
the result winds once, holes not at all, and coverage is exact.

The loop is cut where its edges cross and goes on along the other edge there, which makes simple loops of it, each with
the same winding all along its outer side. Those with 0 there are kept. Vertices are moved by some 1e-5 px to find the
crossings, so that no edge runs through a vertex or along another edge.
"""

from __future__ import annotations

import numpy as np

from ..kernel_cache import njit
from .kernels import _INNER, _SHARED

#: px by which vertices are moved, to each side.
NUDGE = 1e-5
#: Edges that are looked at together.
GROUP = 8
#: px^2 below which a loop is nothing.
LEAST_AREA = 1e-4


@njit(**_INNER)
def nudged(i, axis):
    """A number in [-NUDGE, NUDGE], always the same."""
    mixed = ((2 * i + axis + 1) * 2654435761) & 0xffffffff
    mixed = ((mixed ^ (mixed >> 15)) * 2246822519) & 0xffffffff
    return (((mixed >> 8) & 0xffff) / 32767.5 - 1.0) * NUDGE


@njit(**_INNER)
def _boxes(place, box, group):
    """Fills box (M, 4), low x, high x, low y, high y of the edge from each vertex, and group (., 4), those of GROUP
    edges each."""
    count = place.shape[0]
    for g in range(group.shape[0]):
        low_x, high_x, low_y, high_y = np.inf, -np.inf, np.inf, -np.inf
        for i in range(g * GROUP, min((g + 1) * GROUP, count)):
            j = i + 1 if i + 1 < count else 0
            box[i, 0], box[i, 1] = min(place[i, 0], place[j, 0]), max(place[i, 0], place[j, 0])
            box[i, 2], box[i, 3] = min(place[i, 1], place[j, 1]), max(place[i, 1], place[j, 1])
            low_x, high_x = min(low_x, box[i, 0]), max(high_x, box[i, 1])
            low_y, high_y = min(low_y, box[i, 2]), max(high_y, box[i, 3])
        group[g, 0], group[g, 1], group[g, 2], group[g, 3] = low_x, high_x, low_y, high_y


@njit(**_INNER)
def _overlap(a, i, b, j):
    return (a[i, 0] <= b[j, 1]) & (a[i, 1] >= b[j, 0]) & (a[i, 2] <= b[j, 3]) & (a[i, 3] >= b[j, 2])


@njit(**_INNER)
def _crossing(place, i, j):
    """(whether edges i and j cross, where on i, where on j, whether j comes from i's right side)."""
    count = place.shape[0]
    a, b = i + 1 if i + 1 < count else 0, j + 1 if j + 1 < count else 0
    ax, ay = place[a, 0] - place[i, 0], place[a, 1] - place[i, 1]
    bx, by = place[b, 0] - place[j, 0], place[b, 1] - place[j, 1]
    gx, gy = place[j, 0] - place[i, 0], place[j, 1] - place[i, 1]
    cross = ax * by - ay * bx
    up, down = gx * by - gy * bx, gx * ay - gy * ax
    if cross > 0:
        return (up >= 0) & (up < cross) & (down >= 0) & (down < cross), up / cross, down / cross, True
    if cross < 0:
        return (up <= 0) & (up > cross) & (down <= 0) & (down > cross), up / cross, down / cross, False
    return False, 0.0, 0.0, False


@njit(**_INNER)
def crossings(place, where, edges, ups):
    """All crossings of the loop's edges: (-1 where there is no room for them, else) how many there are.

    where (C, 2): place on either edge. edges (C, 2). ups (C,): whether the second one comes from the first one's right.
    """
    count, found = place.shape[0], 0
    groups = (count + GROUP - 1) // GROUP
    box, group = np.empty((count, 4)), np.empty((groups, 4))
    _boxes(place, box, group)
    for g in range(groups):
        for h in range(g, groups):
            if not _overlap(group, g, group, h):
                continue
            for i in range(g * GROUP, min((g + 1) * GROUP, count)):
                if not _overlap(box, i, group, h):
                    continue
                # Neighbours share a vertex.
                for j in range(max(i + 2, h * GROUP), min((h + 1) * GROUP, count if i > 0 else count - 1)):
                    if not _overlap(box, i, box, j):
                        continue
                    hit, s, t, up = _crossing(place, i, j)
                    if hit:
                        if found == where.shape[0]:
                            return -1
                        where[found, 0], where[found, 1], edges[found, 0], edges[found, 1] = s, t, i, j
                        ups[found] = up
                        found += 1
    return found


@njit(**_INNER)
def _in_order(count, found, where, edges, first, node):
    """node (2 C,): crossings along the loop, 2 c for the first edge of c and 2 c + 1 for the second; first (M + 1,):
    where those of each edge begin."""
    first[:count + 1] = 0
    for c in range(found):
        first[edges[c, 0] + 1] += 1
        first[edges[c, 1] + 1] += 1
    for i in range(count):
        first[i + 1] += first[i]
    filled = first[:count].copy()
    for c in range(found):
        for q in range(2):
            i = edges[c, q]
            at = filled[i]
            while at > first[i] and where[node[at - 1] // 2, node[at - 1] % 2] > where[c, q]:
                node[at] = node[at - 1]
                at -= 1
            node[at] = 2 * c + q
            filled[i] += 1


@njit(**_INNER)
def _levels(place, found, ups, first, node, level, after):
    """level (2 C,): winding on the right side of what follows each crossing; after: the place in ``node`` that the
    smoothed loop comes to there. Returns whether they fit together."""
    count = place.shape[0]
    at = np.empty(2 * found, np.int64)
    for p in range(2 * found):
        at[node[p]] = p
    lowest = 0
    for i in range(count):
        if place[i, 0] < place[lowest, 0]:
            lowest = i
    a, b = lowest - 1 if lowest > 0 else count - 1, lowest + 1 if lowest + 1 < count else 0
    turn = ((place[lowest, 0] - place[a, 0]) * (place[b, 1] - place[lowest, 1])
            - (place[lowest, 1] - place[a, 1]) * (place[b, 0] - place[lowest, 0]))
    # Nothing lies beyond the loop's outermost vertex; what follows it is on the edge of the same number.
    now = start = 0 if turn > 0 else -1
    for q in range(2 * found):
        p = (first[lowest] + q) % (2 * found)
        up = ups[node[p] // 2] == (node[p] % 2 == 0)
        now += -1 if up else 1
        level[p] = now
        after[p] = at[node[p] ^ 1]
    return now == start


@njit(**_INNER)
def _walk(start, count, found, edges, where, node, first, level, after, done, out, used):
    """Follows the loop that leaves crossing ``start``; its vertices go to out (., 2): edge, place. Returns the number
    used, -1 where levels do not fit or there is no room."""
    p = start
    while True:
        done[p] = True
        c, q = node[p] // 2, node[p] % 2
        if used + 2 > out.shape[0] or level[p] != level[start]:
            return -1
        out[used, 0], out[used, 1] = edges[c, q], where[c, q]
        used += 1
        # From here along its edge to the next crossing, then on along the other edge.
        following = p + 1 if p + 1 < 2 * found else 0
        i, last = edges[c, q], edges[node[following] // 2, node[following] % 2]
        if following <= p or i != last:
            while True:
                i = i + 1 if i + 1 < count else 0
                if used + 2 > out.shape[0]:
                    return -1
                out[used, 0], out[used, 1] = i, 0.0
                used += 1
                if i == last:
                    break
        out[used, 0], out[used, 1] = last, where[node[following] // 2, node[following] % 2]
        used += 1
        p = after[following]
        if p == start:
            return used
        if done[p]:
            return -1


@njit(**_SHARED)
def at_edge(place, edge, t):
    """x, y at t on the edge from a vertex."""
    i = int(edge)
    j = i + 1 if i + 1 < place.shape[0] else 0
    return place[i, 0] + t * (place[j, 0] - place[i, 0]), place[i, 1] + t * (place[j, 1] - place[i, 1])


@njit(**_INNER)
def _area(place, out, a, b):
    x0, y0 = at_edge(place, out[b - 1, 0], out[b - 1, 1])
    ox, oy, total = x0, y0, 0.0
    for k in range(a, b):
        x1, y1 = at_edge(place, out[k, 0], out[k, 1])
        total += (x0 - ox) * (y1 - oy) - (y0 - oy) * (x1 - ox)
        x0, y0 = x1, y1
    return total / 2.0


@njit(**_INNER)
def outer_border(place, out):
    """Fills out (., 2), edge and place on it, with the border of what the loop ``place`` (M, 2) goes round.

    One loop: others hang on the first one by a way there and back. Returns how many vertices it has; 0 where it was not
    found, which numbers that are too large for their digits may bring about.
    """
    count, room = place.shape[0], 2 * place.shape[0] + 64
    where, edges, ups = np.empty((room, 2)), np.empty((room, 2), np.int64), np.empty(room, np.bool_)
    moved = np.empty_like(place)
    for i in range(count):
        moved[i, 0], moved[i, 1] = place[i, 0] + nudged(i, 0), place[i, 1] + nudged(i, 1)
    found = crossings(moved, where, edges, ups)
    if found < 0:
        return 0
    if found == 0:
        for i in range(count):
            out[i, 0], out[i, 1] = i, 0.0
        return count
    first, node = np.empty(count + 1, np.int64), np.empty(2 * found, np.int64)
    level, after = np.empty(2 * found, np.int64), np.empty(2 * found, np.int64)
    done = np.zeros(2 * found, np.bool_)
    _in_order(count, found, where, edges, first, node)
    if not _levels(moved, found, ups, first, node, level, after):
        return 0
    used = 0
    for p in range(2 * found):
        if done[p] or level[p] < -1 or level[p] > 0:
            continue
        end = _walk(p, count, found, edges, where, node, first, level, after, done, out, used)
        if end < 0:
            return 0
        if abs(_area(place, out, used, end)) < LEAST_AREA:
            continue
        if used > 0:
            end = _hang_on(place, out, used, end)
            if end < 0:
                return 0
        used = end
    return used


@njit(**_INNER)
def _hang_on(place, out, a, b):
    """Hangs the loop out[a:b] on the vertex out[0]: there, to its own nearest vertex, round, and back to that.

    Returns the new end, -1 where there is no room.
    """
    if b + 2 > out.shape[0]:
        return -1
    x0, y0 = at_edge(place, out[0, 0], out[0, 1])
    nearest, least = a, np.inf
    for k in range(a, b):
        x, y = at_edge(place, out[k, 0], out[k, 1])
        if (x - x0)**2 + (y - y0)**2 < least:
            nearest, least = k, (x - x0)**2 + (y - y0)**2
    turned = np.concatenate((out[nearest:b], out[a:nearest]))
    out[a] = out[0]
    out[a + 1:b + 1] = turned
    out[b + 1] = turned[0]
    return b + 2
