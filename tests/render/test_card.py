"""Which device is chosen, on machines whose card is simulated: missing, broken, full, slow, or lost in the middle."""

from __future__ import annotations

import json
import logging
import subprocess
import time
import warnings

import gradvec.render
import pytest
import torch
from gradvec.errors import EngineError
from gradvec.render import away, card, choose, computes_on, quicker, render_flat
from render_scenes import random_scene


def forget() -> None:
    """Makes the next question about the card the first one."""
    card._found.cache_clear()
    card._passing.trouble, card._passing.until = None, 0.0
    quicker.times.cache_clear()
    gradvec.render._say_once.cache_clear()


#: As it is without the fixture below.
TRITON_PRESENT = card.triton_present


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """A machine with a good NVIDIA card that is quicker than the processor, and a cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    for name, value in {"is_available": True, "get_device_capability": (9, 0), "get_device_name": "Some Card",
                        "mem_get_info": (6e9, 8e9), "memory_reserved": 0}.items():
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    monkeypatch.setattr(card, "_compute", lambda: None)
    monkeypatch.setattr(card, "triton_present", lambda: True)
    monkeypatch.setattr(card, "probe", lambda device: None)
    monkeypatch.setattr(quicker, "step_ms", lambda engine, device: {"cuda": 1.5, "cpu": 9.0}[engine])
    forget()
    yield
    forget()


def failing(error: Exception):
    """Something to call that fails."""
    def fail(*args):
        raise error
    return fail


def told(caplog) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def test_a_good_card_is_chosen():
    assert choose() == choose("cuda") == choose(device="cuda") == ("cuda", "cuda")
    assert choose(device="cpu") == choose("cpu") == ("cpu", "cpu")
    assert choose("reference") == ("reference", "cpu")
    assert choose("reference", "cuda") == ("reference", "cuda")


def test_what_really_computed_is_told(monkeypatch):
    monkeypatch.setattr(gradvec.render, "_last_device", "")
    monkeypatch.setattr(gradvec.render, "_load", lambda engine: lambda scene: scene.points)
    assert computes_on() is None
    scene = random_scene(1)
    render_flat(scene, device="cpu")
    assert computes_on() == "cpu", "a good card that was not asked is not named"
    monkeypatch.setattr(away, "render_away", lambda scene, *rest: scene.points)
    render_flat(scene)
    assert computes_on() == "cuda (Some Card)"
    card.lose(RuntimeError("CUDA error: unspecified launch failure"))
    assert computes_on() == "cpu"


def test_a_card_is_asked_once(monkeypatch):
    asked = []
    monkeypatch.setattr(card, "probe", asked.append)
    for _ in range(3):
        choose()
    assert asked == ["cuda"]


ABSENT = {
    "no card": lambda m: m.setattr(torch.cuda, "is_available", lambda: False),
    "a card that torch has no code for": lambda m: m.setattr(card, "_compute", failing(RuntimeError(
        "CUDA error: no kernel image is available for execution on the device"))),
    "AMD": lambda m: m.setattr(torch.version, "hip", "6.2"),
    "an old driver": lambda m: m.setattr(torch.cuda, "is_available", old_driver),
    "a driver that fails": lambda m: m.setattr(torch.cuda, "is_available", unknown_fault),
}


def old_driver() -> bool:
    """As torch 2.13 answers."""
    warnings.warn("CUDA initialization: The NVIDIA driver on your system is too old (found version 11040).",
                  stacklevel=1)
    return False


def unknown_fault() -> bool:
    warnings.warn("CUDA initialization: CUDA unknown error - this may be due to an incorrectly set up environment.",
                  stacklevel=1)
    return False


@pytest.mark.parametrize("name", ABSENT)
def test_without_a_card_that_torch_can_use_the_processor_computes(name, monkeypatch, caplog):
    ABSENT[name](monkeypatch)
    assert choose() == choose() == ("cpu", "cpu")
    assert len(told(caplog)) == (name not in ("no card", "AMD"))
    for pair in (("cuda", "auto"), ("auto", "cuda"), ("reference", "cuda")):
        with pytest.raises(EngineError, match="No CUDA device can be used here") as raised:
            choose(*pair)
        assert raised.value.remedy


def test_each_fault_has_its_remedy(monkeypatch):
    for name, word in {"an old driver": "Update the driver", "a driver that fails": "nvidia-smi",
                       "a card that torch has no code for": "pytorch.org", "AMD": "torch"}.items():
        with monkeypatch.context() as patched:
            ABSENT[name](patched)
            forget()
            found = card.trouble()
        assert found is not None
        assert word in found.remedy, name


def test_apples_gpu_is_no_wrong_choice(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setenv("PATH", "")
    assert choose() == ("cpu", "cpu")
    found = card.trouble()
    assert found is not None
    assert "Apple" in found.what


KERNELS = {
    "no C compiler": (RuntimeError("Failed to find C compiler. Please specify via CC environment variable."), "gcc"),
    "no headers": (subprocess.CalledProcessError(1, ["gcc", "main.c"]), "python3-dev"),
    "an old driver for Triton": (RuntimeError("Triton Error [CUDA]: device kernel image is invalid"), "driver"),
    "wrong sums": (EngineError("A kernel of two additions gives wrong sums."), "driver"),
}


@pytest.mark.parametrize("name", KERNELS)
def test_where_kernels_do_not_run_the_processor_computes_and_one_sentence_says_so(name, monkeypatch, caplog):
    error, word = KERNELS[name]
    monkeypatch.setattr(card, "probe", failing(error))
    assert choose() == choose() == ("cpu", "cpu")
    (sentence,) = told(caplog)
    assert word in sentence
    assert sentence.endswith("The processor computes.")
    assert choose(device="cuda") == ("cuda", "cuda"), "who asks for it gets the dense torch path on the card"
    assert card.kernels_fail()


@pytest.mark.parametrize(("version", "enough"), [("3.0.0", False), ("3.2.0", False), ("3.3.0", True),
                                                 ("3.10.1+git4f2", True), ("4.0", True)])
def test_triton_has_to_be_new_enough(version, enough, monkeypatch):
    monkeypatch.setattr(card.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(card.metadata, "version", lambda name: version)
    assert TRITON_PRESENT.__wrapped__() is enough


@pytest.mark.parametrize("what", ["triton_present", "get_device_capability"])
def test_without_triton_or_with_an_old_card_the_processor_computes(what, monkeypatch):
    where, answer = (card, False) if what == "triton_present" else (torch.cuda, (6, 1))
    monkeypatch.setattr(where, what, lambda: answer)
    assert choose() == ("cpu", "cpu")
    assert card.kernels_fail()


def test_memory_that_others_hold_is_looked_at_again(monkeypatch, caplog):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1e8, 8e9))
    assert choose() == ("cpu", "cpu")
    assert "other programs hold all but 0.1 of its 8.0 GB" in told(caplog)[0]
    assert choose("cuda") == ("cuda", "cuda"), "who asks for it may try"
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (6e9, 8e9))
    assert choose() == ("cpu", "cpu")
    now = time.monotonic() + card.RETRY_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert choose() == ("cuda", "cuda")


def test_our_own_memory_is_not_held_by_others(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1e8, 8e9))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 7e9)
    assert choose() == ("cuda", "cuda")


def test_a_card_that_is_full_while_it_is_asked_is_asked_again(monkeypatch):
    monkeypatch.setattr(card, "_compute", failing(torch.cuda.OutOfMemoryError("CUDA out of memory")))
    assert choose() == ("cpu", "cpu")
    monkeypatch.setattr(card, "_compute", lambda: None)
    now = time.monotonic() + card.RETRY_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert choose() == ("cuda", "cuda")


def test_a_lost_card_is_not_asked_again_and_told_once(caplog):
    assert choose() == ("cuda", "cuda")
    for _ in range(2):
        card.lose(RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA"))
    assert choose() == choose("cuda") == choose(device="cuda") == ("cpu", "cpu")
    assert choose("reference", "cuda") == ("reference", "cpu")
    (sentence,) = told(caplog)
    assert "unspecified launch failure). The processor goes on." in sentence


def test_what_is_a_fault_of_the_card():
    faults = [torch.cuda.OutOfMemoryError("out of memory"), RuntimeError("CUDA error: device-side assert triggered"),
              RuntimeError("Triton Error [CUDA]: an illegal memory access"), subprocess.CalledProcessError(1, "gcc"),
              RuntimeError("CUBLAS_STATUS_ALLOC_FAILED"), card.CardLost("gone")]
    if hasattr(torch, "AcceleratorError"):
        faults.append(torch.AcceleratorError("CUDA error: unspecified launch failure"))
    assert all(card.is_fault(error) for error in faults)
    assert not any(card.is_fault(error) for error in (
        ValueError("CUDA"), RuntimeError("shapes do not match"), EngineError("Scene.points"), KeyError("cuda")))


def test_the_probe_is_a_kernel_that_runs(monkeypatch):
    """Under the interpreter where there is no card; a kernel that computes nonsense is told."""
    pytest.importorskip("triton", "3.3", reason="Triton exists for Linux only")
    monkeypatch.undo()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    card.probe(device)
    monkeypatch.setattr(torch, "empty_like", lambda numbers: numbers)
    with pytest.raises(EngineError, match="wrong sums"):
        card.probe(device)


def test_under_the_interpreter_the_cuda_engine_works_on_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert choose("cuda") == ("cuda", "cpu")
    assert choose() == ("cpu", "cpu")
    monkeypatch.delenv("TRITON_INTERPRET")
    with pytest.raises(EngineError, match="No CUDA device"):
        choose("cuda")


class TestQuicker:
    def test_a_card_that_is_slower_is_left_alone_silently(self, monkeypatch, caplog):
        monkeypatch.setattr(quicker, "step_ms", lambda engine, device: {"cuda": 9.5, "cpu": 9.0}[engine])
        assert choose() == ("cpu", "cpu")
        assert choose(device="cuda") == ("cuda", "cuda")
        assert not told(caplog)

    def test_it_is_measured_once_a_machine(self, monkeypatch):
        assert choose() == ("cuda", "cuda")
        monkeypatch.setattr(quicker, "step_ms", failing(AssertionError("measured again")))
        assert choose() == ("cuda", "cuda")
        quicker.times.cache_clear()  # as a new process
        assert choose() == ("cuda", "cuda")

    @pytest.mark.parametrize("other", [{"get_device_name": "Another Card"}, {"is_available": False}])
    def test_another_card_is_measured_anew(self, other, monkeypatch):
        quicker.measure()
        assert quicker.remembered() is not None
        for name, value in other.items():
            monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
        assert quicker.remembered() is None

    @pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", "times", "infinite", "negative"])
    def test_a_damaged_file_is_as_good_as_none(self, damage, monkeypatch):
        quicker.measure()
        if isinstance(damage, bytes):
            quicker.state_path().write_bytes(damage)
        else:
            bad = {"times": "fast", "infinite": float("inf"), "negative": -1.0}[damage]
            kept = json.loads(quicker.state_path().read_text()) | {"cuda_ms": bad}
            quicker.state_path().write_text(json.dumps(kept))
        assert quicker.remembered() is None
        assert quicker.times() == quicker.Times(1.5, 9.0)
        assert quicker.remembered() == quicker.Times(1.5, 9.0)

    def test_a_cache_that_cannot_be_written_does_no_harm(self, monkeypatch, tmp_path):
        blocked = tmp_path / "file"
        blocked.write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
        assert choose() == ("cuda", "cuda")
        assert quicker.remembered() is None

    def test_a_card_that_fails_while_it_is_measured_is_lost(self, monkeypatch):
        monkeypatch.setattr(quicker, "step_ms", failing(RuntimeError("CUDA error: unspecified launch failure")))
        assert choose() == choose("cuda") == ("cpu", "cpu")

    def test_a_mistake_of_ours_is_not_the_cards(self, monkeypatch):
        monkeypatch.setattr(quicker, "step_ms", failing(ZeroDivisionError()))
        with pytest.raises(ZeroDivisionError):
            choose()


def test_a_step_takes_time(monkeypatch):
    monkeypatch.undo()
    assert 0 < quicker.step_ms("cpu", "cpu", strokes=5, side=32, runs=2) < 1e5
