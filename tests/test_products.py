"""Products by oneDNN are torch's own, are taken where they can be, and never lose a gradient."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.fused import products
from gemma_vision.model.fused.products import (
    FEW,
    added_product,
    bent_product,
    gated_product,
    is_quick,
    product,
)

ROWS = (1, FEW, FEW + 1, 64, 257)
WIDTHS = ((192, 576), (127, 65), (1, 3))

needs_onednn = pytest.mark.skipif(not products.HAS_ONEDNN, reason="this torch is without oneDNN")


def numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def assert_close(got: Tensor, expected: Tensor) -> None:
    assert got.dtype == torch.float32
    torch.testing.assert_close(got.double(), expected, rtol=0, atol=2e-6 * expected.abs().max())


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("wide", "narrow"), WIDTHS)
def test_products_are_those_of_double_precision(rows, wide, narrow):
    x, weight, bias = numbers(rows, wide), numbers(wide, narrow), numbers(narrow)
    added, gate_up = numbers(rows, narrow), numbers(2 * narrow, wide).t()
    exact = x.double() @ weight.double()
    biased = exact + bias.double()
    assert_close(product(x, weight), exact)
    assert_close(product(x, weight, bias), biased)
    assert_close(bent_product(x, weight, bias), F.gelu(biased, approximate="tanh"))
    assert_close(added_product(added, x, weight), exact + added.double())
    assert_close(added_product(added, x, weight, bias), biased + added.double())
    gate, up = (x.double() @ gate_up.double()).chunk(2, dim=-1)
    assert_close(gated_product(x, gate_up), F.gelu(gate, approximate="tanh") * up)


@pytest.mark.parametrize("rows", ROWS)
def test_a_linear_layer_is_torchs(rows):
    ours, theirs = uninitialized_layers.Linear(48, 96), nn.Linear(48, 96)
    ours.load_state_dict(theirs.state_dict())
    for layer in (ours, theirs):
        layer.requires_grad_(False)
    x = numbers(2, rows, 96)[..., ::2]  # not in one piece
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=2e-6)


@needs_onednn
def test_who_multiplies(monkeypatch):
    x, weight = numbers(64, 32), numbers(32, 48)
    assert is_quick(x, weight) and is_quick(x, numbers(48, 32).t())
    assert not is_quick(x[:FEW], weight)
    assert not is_quick(x, weight[:, :24])  # in pieces
    assert not is_quick(x.bfloat16(), weight.bfloat16())
    assert not is_quick(x.double(), weight.double())
    quick = product(x, weight)
    monkeypatch.setattr(products, "HAS_ONEDNN", False)
    assert not is_quick(x, weight)
    torch.testing.assert_close(product(x, weight), quick, rtol=0, atol=5e-5)


@pytest.mark.parametrize("learns", ["input", "weight", "bias"])
def test_what_learns_has_its_gradient(learns):
    ours, theirs = uninitialized_layers.Linear(32, 48), nn.Linear(32, 48)
    ours.load_state_dict(theirs.state_dict())
    gradients = []
    for layer in (ours, theirs):
        x = numbers(64, 32).requires_grad_(learns == "input")
        layer.requires_grad_(False)
        learned = {"input": x, "weight": layer.weight, "bias": layer.bias}[learns]
        learned.requires_grad_(True)
        layer(x).square().sum().backward()
        gradients.append(learned.grad)
    assert torch.equal(*gradients)
    with torch.no_grad():
        assert is_quick(x, ours.weight.t(), ours.bias) is products.HAS_ONEDNN
