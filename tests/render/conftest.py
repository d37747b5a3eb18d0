import os

import pytest
import torch

# Triton reads this when it is imported: without a graphics card its kernels run under its interpreter.
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture(autouse=True)
def one_thread_for_torch():
    """The reference makes thousands of tiny tensors: more threads than one only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
