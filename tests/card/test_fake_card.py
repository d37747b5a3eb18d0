"""The fake card sees what it is there to see: a check that misses everything would pass everything."""

import pytest
import torch
from fake_card import CARD, on_a_card

INDEX = [2, 0]


def faults():
    """name: what must not happen in a step, given a tensor (4, 2) on the card."""
    return {
        "adds the host's numbers": lambda a: a + torch.zeros(4, 2),
        "selects by the host's index": lambda a: a.index_select(0, torch.tensor(INDEX)),
        "multiplies by the host's matrix": lambda a: a @ torch.eye(2),
        "indexes by the host's numbers": lambda a: a[torch.tensor(INDEX)],
        "indexes by a mask": lambda a: a[a[:, 0] > 0],
        "writes by a mask": lambda a: a.index_put_((a[:, 0] > 0,), torch.zeros((), device=CARD)),
        "copies to the host": lambda a: a.cpu(),
        "copies into the host's tensor": lambda a: torch.zeros(4, 2).copy_(a),
        "copies from the host": lambda a: torch.zeros(4, 2).to(CARD),
        "asks for a number": lambda a: a.sum().item(),
        "asks whether": lambda a: bool((a > 0).all()),
        "asks for all": lambda a: a.tolist(),
        "makes an array": lambda a: a.numpy(),
        "decomposes": lambda a: torch.linalg.svd(a),
        "counts": lambda a: a.nonzero(),
    }


@pytest.mark.parametrize("name", faults())
def test_a_fault_is_seen(name):
    with on_a_card() as watch:
        tensor = torch.zeros(4, 2, device=CARD)
        try:
            faults()[name](tensor)
        except Exception as error:
            watch.waits.append(type(error).__name__)
    assert watch.waits


def test_what_stays_on_the_card_is_free():
    with on_a_card() as watch:
        leaf = torch.zeros(4, 2, device=CARD, requires_grad=True)
        index = torch.arange(2, device=CARD)
        (leaf[index] @ torch.eye(2, device=CARD)).square().sum().backward()
        with torch.no_grad():
            leaf.index_copy_(0, index, leaf.grad[index])
            leaf[:, 1] = 1.0
            leaf.clamp_(0.0, 1.0)
        assert leaf.grad.device.type == CARD
    assert watch.waits == []
