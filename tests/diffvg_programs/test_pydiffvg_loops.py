"""The loops that papers wrote around diffvg, small and in our own words: each must find what can be found.

Targets are drawn from known parameters, or are flat fields whose best loss is a closed form.
"""

from __future__ import annotations

import gradvec.pydiffvg as pydiffvg
import pytest
import torch

tensor = torch.tensor
SIZE = 48
WHITE = torch.ones(SIZE, SIZE, 3)


def shown(shapes, groups, background=None) -> torch.Tensor:
    args = pydiffvg.RenderFunction.serialize_scene(SIZE, SIZE, shapes, groups)
    return pydiffvg.RenderFunction.apply(SIZE, SIZE, 2, 2, 0, background, *args)


def on_white(shapes, groups) -> torch.Tensor:
    """(H, W, 3), put over white as programs do it: with straight colours."""
    picture = shown(shapes, groups)
    return picture[..., 3:] * picture[..., :3] + 1 - picture[..., 3:]


def optimized(rates: dict[float, list[torch.Tensor]], loss_of, steps: int, after=lambda: None) -> list[float]:
    """Losses of Adam's steps. rates: learning rate to variables."""
    groups = [{"params": [v.requires_grad_() for v in variables], "lr": rate} for rate, variables in rates.items()]
    adam = torch.optim.Adam(groups)
    losses = []
    for _ in range(steps):
        adam.zero_grad()
        loss = loss_of()
        loss.backward()
        adam.step()
        after()
        losses.append(loss.item())
    return losses


def group(n: int = 0, fill=None, stroke=None, **more):
    return pydiffvg.ShapeGroup(tensor([n]), fill, stroke_color=stroke, **more)


@pytest.mark.parametrize("kind", ["linear", "radial"])
def test_a_gradient_is_found(kind):
    """Circle and gradient at once: radius, centre, both ends and both colours."""
    def fill(a, b, colors):
        made = pydiffvg.LinearGradient if kind == "linear" else pydiffvg.RadialGradient
        return made(a, b, tensor([0.0, 1.0]), colors)

    truth = [tensor([10.0, 10.0]), tensor([38.0, 30.0]), tensor([[0.2, 0.5, 0.7, 1.0], [0.7, 0.2, 0.5, 1.0]])]
    if kind == "radial":
        truth[:2] = [tensor([22.0, 25.0]), tensor([20.0, 12.0])]
    circle = pydiffvg.Circle(tensor(14.0), tensor([24.0, 24.0]))
    target = shown([circle], [group(fill=fill(*truth))])
    radius, center = tensor(9.0), tensor([20.0, 27.0])
    a, b = truth[0] + tensor([5.0, 4.0]), truth[1] - tensor([5.0, 2.0])
    colors = tensor([[0.3, 0.6, 0.5, 1.0], [0.5, 0.3, 0.6, 1.0]])

    def loss():
        circle.radius, circle.center = radius, center
        return (shown([circle], [group(fill=fill(a, b, colors))]) - target).pow(2).sum()

    losses = optimized({0.3: [radius, center, a, b], 0.02: [colors]}, loss, 150)
    assert losses[-1] <= 2e-3 * losses[0]
    assert radius.item() == pytest.approx(14, abs=0.1)
    assert center.tolist() == pytest.approx([24, 24], abs=0.1)


def test_a_groups_transform_is_found():
    """A circle becomes the ellipse that the target's matrix made of it; the matrix is the variable."""
    circle = pydiffvg.Circle(tensor(8.0), tensor([0.0, 0.0]))
    truth = tensor([[1.4, 0.5, 25.0], [-0.3, 0.9, 22.0], [0, 0, 1]])
    target = shown([circle], [group(fill=tensor([0.2, 0.4, 0.6, 1.0]), shape_to_canvas=truth)])
    linear, shift = torch.eye(2), tensor([20.0, 26.0])

    def loss():
        matrix = torch.cat([torch.cat([linear, shift[:, None]], 1), tensor([[0.0, 0, 1]])])
        picture = shown([circle], [group(fill=tensor([0.2, 0.4, 0.6, 1.0]), shape_to_canvas=matrix)])
        return (picture - target).pow(2).sum()

    losses = optimized({0.02: [linear], 0.3: [shift]}, loss, 200)
    assert losses[-1] <= 1e-3 * losses[0]
    # A circle turned is the same: what is known is its matrix times its transpose.
    assert torch.allclose((linear @ linear.T).detach(), truth[:2, :2] @ truth[:2, :2].T, atol=0.03)


def test_an_outline_is_found():
    """A circle that is only stroked: the ring's inner and outer radius."""
    ring = pydiffvg.Circle(tensor(14.0), tensor([24.0, 24.0]), tensor(3.0))
    color = tensor([0.6, 0.3, 0.6, 0.8])
    target = shown([ring], [group(stroke=color)])
    radius, width, center = tensor(10.0), tensor(1.5), tensor([26.0, 22.0])

    def loss():
        ring.radius, ring.stroke_width, ring.center = radius, width, center
        return (shown([ring], [group(stroke=color)]) - target).pow(2).sum()

    losses = optimized({0.2: [radius, width, center]}, loss, 150)
    assert losses[-1] <= 1e-3 * losses[0]
    assert (radius.item(), width.item()) == pytest.approx((14, 3), abs=0.1)


def halves() -> torch.Tensor:
    """(SIZE, SIZE, 3): the left half one colour, the right half another. The best flat colour has their variance."""
    return torch.cat([tensor([0.9, 0.3, 0.1]).expand(SIZE, SIZE // 2, 3),
                      tensor([0.1, 0.4, 0.8]).expand(SIZE, SIZE // 2, 3)], 1)


def best_flat(target: torch.Tensor) -> float:
    return float(target.flatten(0, 1).var(0, correction=0).mean())


def blob(center, size, generator) -> pydiffvg.Path:
    steps = (torch.rand(12, 2, generator=generator) - 0.5) * size
    return pydiffvg.Path(torch.full((4,), 2), tensor(center) + steps.cumsum(0) * 0.4, True)


def test_painting_with_blobs():
    generator = torch.Generator().manual_seed(1)
    target = halves()
    shapes = [blob((torch.rand(2, generator=generator) * SIZE).tolist(), 14.0, generator) for _ in range(40)]
    groups = [group(n, torch.rand(4, generator=generator)) for n in range(40)]
    colors = [g.fill_color for g in groups]
    losses = optimized({1.0: [s.points for s in shapes], 0.02: colors},
                       lambda: (on_white(shapes, groups) - target).pow(2).mean(), 60,
                       lambda: [c.data.clamp_(0, 1) for c in colors])
    assert losses[-1] <= 0.35 * best_flat(target)
    assert losses[-1] <= 0.1 * losses[0]


def test_painting_with_strokes():
    generator = torch.Generator().manual_seed(2)
    target = halves()
    shapes = [pydiffvg.Path(tensor([2]), torch.rand(2, generator=generator) * SIZE
                            + (torch.rand(4, 2, generator=generator) - 0.5) * 20, False, tensor(1.0))
              for _ in range(40)]
    groups = [group(n, None, torch.rand(4, generator=generator)) for n in range(40)]
    colors, widths = [g.stroke_color for g in groups], [s.stroke_width for s in shapes]

    def clamp():
        for c in colors:
            c.data.clamp_(0, 1)
        for w in widths:
            w.data.clamp_(1.0, 4.0)

    losses = optimized({1.0: [s.points for s in shapes], 0.1: widths, 0.02: colors},
                       lambda: (on_white(shapes, groups) - target).pow(2).mean(), 60, clamp)
    assert losses[-1] <= 0.35 * losses[0]
    assert all(1 <= w.item() <= 4 for w in widths)


FLAG = """<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><path d="M4 6H44V22H4Z" fill="#30a060"/>
<path d="M8 26C20 20 30 34 42 28L40 44L10 42Z" fill="#a03050"/></svg>"""


def test_an_svg_is_refined(tmp_path):
    """From a disturbed file back to the picture of the file as it was."""
    (tmp_path / "flag.svg").write_text(FLAG)
    width, height, shapes, groups = pydiffvg.svg_to_scene(str(tmp_path / "flag.svg"))
    assert (width, height) == (SIZE, SIZE)
    target = on_white(shapes, groups)
    generator = torch.Generator().manual_seed(3)
    for shape in shapes:
        shape.points = shape.points + torch.randn(shape.points.shape, generator=generator)
    colors = [g.fill_color for g in groups]
    for color in colors:
        color[:3] = (color[:3] + 0.2 * torch.rand(3, generator=generator)).clamp(0, 1)
    losses = optimized({0.2: [s.points for s in shapes], 0.01: colors},
                       lambda: (on_white(shapes, groups) - target).pow(2).mean(), 120,
                       lambda: [c.data.clamp_(0, 1) for c in colors])
    assert losses[-1] <= 0.02 * losses[0]
    pydiffvg.save_svg(str(tmp_path / "out.svg"), width, height, shapes, groups)
    again = pydiffvg.svg_to_scene(str(tmp_path / "out.svg"))
    with torch.no_grad():
        assert (on_white(*again[2:]) - on_white(shapes, groups)).abs().max() <= 0.02


def test_layers_are_added_where_the_error_is_largest():
    """LIVE's main loop: a circle of cubics comes where the error is largest, all are fitted on, errors near outlines
    weigh more, and a penalty keeps handles uncrossed."""
    y, x = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    target = WHITE.clone()
    target[(x - 15)**2 + (y - 16)**2 < 81] = tensor([0.8, 0.1, 0.2])
    target[(x - 33).abs().maximum((y - 33).abs()) < 9] = tensor([0.1, 0.3, 0.7])
    shapes, groups, end = [], [], []
    angle = torch.arange(12) * torch.pi / 6
    for _ in range(2):
        with torch.no_grad():
            error = (on_white(shapes, groups) if shapes else WHITE).sub(target).pow(2).sum(2)
            smooth = torch.nn.functional.avg_pool2d(error[None, None], 9, 1, 4)[0, 0]
            row, column = divmod(int(smooth.argmax()), SIZE)
        ring = tensor([column + 0.5, row + 0.5]) + 5 * torch.stack([angle.cos(), angle.sin()], 1)
        shapes.append(pydiffvg.Path(torch.full((4,), 2), ring, True))
        groups.append(group(len(shapes) - 1, torch.cat([target[row, column], torch.ones(1)])))

        def loss(smooth=smooth):
            wrong = (shown(shapes, groups, WHITE)[..., :3] - target).pow(2).sum(2)
            crossed = sum(_crossing(s.points) for s in shapes)
            return (wrong * (1 + smooth / smooth.max())).mean() + 0.01 * crossed

        end.append(optimized({1.0: [s.points for s in shapes], 0.01: [g.fill_color for g in groups]}, loss, 80)[-1])
    assert end[1] <= 0.05 * end[0]
    assert end[1] <= 0.01


def _crossing(points: torch.Tensor) -> torch.Tensor:
    """How far handles of cubics turn against each other, 0 where they do not."""
    p = torch.cat([points, points[:1]])
    a, b, c, d = (p[i:i + len(points):3][:len(points) // 3] for i in range(4))
    first, last, turn = b - a, d - c, c - b
    side = first[:, 0] * turn[:, 1] - first[:, 1] * turn[:, 0]
    swing = first[:, 0] * last[:, 1] - first[:, 1] * last[:, 0]
    size = (first.norm(dim=1) * last.norm(dim=1)).clamp_min(1e-6)
    return (torch.where(side >= 0, -swing, swing) / size).clamp_min(0).mean()


def test_a_sketch_is_fitted_through_features_of_crops():
    """CLIPasso's render loop: black strokes of one width on white, seen through random crops by a network; here by the
    means over patches of several sizes, which need no weights."""
    truth = tensor([[8.0, 38], [16, 4], [32, 44], [40, 10]])
    line = pydiffvg.Path(tensor([2]), truth, False, tensor(1.5))
    black = tensor([0.0, 0, 0, 1])
    target = on_white([line], [group(stroke=black)]).detach()
    points = truth + tensor([[3.0, 2], [4, 6], [-5, -4], [-2, 4]])
    generator = torch.Generator().manual_seed(4)

    def features(picture):
        batch = picture.permute(2, 0, 1)[None]
        return torch.cat([torch.nn.functional.avg_pool2d(batch, k, 2).flatten() for k in (2, 4, 8)])

    def loss():
        line.points = points
        picture = on_white([line], [group(stroke=black)])
        x, y = (int(v) for v in torch.randint(0, 9, (2,), generator=generator))
        return sum((features(p[0]) - features(p[1])).pow(2).mean() for p in (
            (picture, target), (picture[y:y + 40, x:x + 40], target[y:y + 40, x:x + 40])))

    losses = optimized({0.5: [points]}, loss, 200)
    assert losses[-1] <= 0.02 * losses[0]
    assert (on_white([line], [group(stroke=black)]) - target).pow(2).mean().sqrt().item() <= 0.03


def test_shapes_are_optimized_and_reduced():
    """Optimize-and-reduce's loop: fit many, keep those without which the loss is worst, fit again. Two squares need two
    shapes, and white alone has the loss that they are measured by."""
    target = WHITE.clone()
    target[6:20, 6:20], target[26:42, 22:42] = tensor([0.8, 0.2, 0.1]), tensor([0.1, 0.4, 0.6])
    generator = torch.Generator().manual_seed(5)
    shapes, fills = [], []
    for cx, cy in ((13, 13), (32, 34), (36, 10), (10, 36), (24, 24), (40, 40)):
        angle = torch.arange(12) * torch.pi / 6
        shapes.append(pydiffvg.Path(torch.full((4,), 2),
                                    tensor([cx, cy]) + 5.0 * torch.stack([angle.cos(), angle.sin()], 1), True))
        fills.append(torch.cat([target[cy, cx] * 0.8 + 0.1 * torch.rand(3, generator=generator), torch.ones(1)]))

    def loss_of(chosen):
        picture = shown([shapes[n] for n in chosen], [group(i, fills[n]) for i, n in enumerate(chosen)], WHITE)
        return (picture[..., :3] - target).pow(2).mean()

    kept = list(range(6))
    for left in (6, 4, 2):
        with torch.no_grad():
            worth = {n: float(loss_of([m for m in kept if m != n])) for n in kept}
        kept = sorted(sorted(kept, key=worth.__getitem__)[-left:])
        losses = optimized({0.7: [shapes[n].points for n in kept], 0.02: [fills[n] for n in kept]},
                           lambda: loss_of(kept), 100,  # noqa: B023 (used up within the round)
                           lambda: [fills[n].data.clamp_(0, 1) for n in kept])  # noqa: B023
    assert len(kept) == 2
    assert losses[-1] <= 0.02 * float((WHITE - target).pow(2).mean())
