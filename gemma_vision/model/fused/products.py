"""Products of rows and a matrix: in float32 on a CPU by oneDNN, and of prepacked matrices.

torch gives them to MKL, which leaves half the width of the registers unused on processors that are
not Intel's: 110 GFLOP/s of one Zen 5 core, where oneDNN reaches 220. Its linear map is what
torch.compile makes of one, and is an operation of every CPU build of torch that has oneDNN; where
it has none, on other devices and in other types, where gradients are wanted, and for a few rows, it
is torch's own product. Weights are (in, out). Prepacked ones have no gradient either.
"""

import math
import platform
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# On other processors than these torch's own products were not compared with oneDNN's.
HAS_ONEDNN: bool = (
    platform.machine().lower() in ("x86_64", "amd64")
    and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    and hasattr(torch.ops.mkldnn, "_linear_pointwise")
)
MANY = 4096  # numbers from which on GELU's parts are quicker than the whole
GELU_SCALE = torch.tensor((2 / math.pi) ** 0.5)  # of the tanh form of GELU, and of its cube
GELU_CUBE = 0.044715 * (2 / math.pi) ** 0.5
FEW = 8  # rows up to which torch's own product begins sooner


def is_quick(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> bool:
    """Whether oneDNN multiplies these rows, (R, W), by a matrix, (W, V).

    Not by one that lies in pieces, which takes it a thousand times as long, and not where anything
    learns: the operation has no gradient.
    """
    learns = x.requires_grad or weight.requires_grad or (bias is not None and bias.requires_grad)
    return (
        HAS_ONEDNN
        and x.dtype == weight.dtype == torch.float32
        and x.device.type == "cpu"
        and len(x) > FEW
        and (weight.is_contiguous() or weight.t().is_contiguous())
        and not (learns and torch.is_grad_enabled())
    )


def multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x @ weight.T + bias by oneDNN   (R, W), (V, W) plain or prepacked, (V,) -> (R, V)"""
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return out


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x @ weight + bias   (R, W), (W, V), (V,) -> (R, V)"""
    if weight.is_mkldnn:
        return multiply(x, weight, bias)
    if is_quick(x, weight, bias):
        return multiply(x, weight.t(), bias)
    return torch.mm(x, weight) if bias is None else torch.addmm(bias, x, weight)


def bent_product(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The tanh form of GELU of x @ weight + bias   (R, W), (W, V), (V,) -> (R, V)"""
    if not weight.is_mkldnn and is_quick(x, weight, bias):
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight.t(), bias, "gelu", [], "tanh")
        return out
    return tanh_gelu(product(x, weight, bias))


def gated_product(x: Tensor, gate_up: Tensor) -> Tensor:
    """The tanh form of GELU of the first half of x @ gate_up, times the second.

    (R, W), (W, 2 M) -> (R, M)
    """
    if not gate_up.is_mkldnn and gate_up.t().is_contiguous() and is_quick(x, gate_up):
        gate, up = gate_up.t().chunk(2)
        bent = torch.ops.mkldnn._linear_pointwise(x, gate, None, "gelu", [], "tanh")
        out: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, bent, up, None, "mul")
        return out
    plain, factors = product(x, gate_up).chunk(2, dim=-1)
    return tanh_gelu(plain).mul_(factors)


def added_product(added: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """added + x @ weight + bias   (R, V), (R, W), (W, V), (V,) -> (R, V)"""
    if weight.is_mkldnn and bias is None:
        out: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, added, weight, None, "add")
        return out
    if not weight.is_mkldnn and is_quick(x, weight, bias):
        out = torch.ops.mkldnn._linear_pointwise.binary(x, added, weight.t(), bias, "add")
        return out
    out = added_product(added, x, weight) if weight.is_mkldnn else torch.addmm(added, x, weight)
    return out if bias is None else out.add_(bias)


def tanh_gelu(x: Tensor) -> Tensor:
    """F.gelu(x, approximate="tanh"), which many float32 numbers on a CPU have sooner this way."""
    if x.dtype != torch.float32 or x.device.type != "cpu" or x.numel() < MANY:
        return F.gelu(x, approximate="tanh")
    bent = torch.addcmul(GELU_SCALE, x, x, value=GELU_CUBE).mul_(x).tanh_()
    return torch.addcmul(x, x, bent).mul_(0.5)


def fuse_weights(
    maps: Sequence[nn.Linear], *, apart: bool = False, prepacks: bool = False
) -> Tensor:
    """Weights (out, in) of several maps -> one (in, sum of outs) that they become views of.

    In float32 it lies as it is read, which one row is multiplied with sooner; in bfloat16, or where
    the maps are multiplied apart from each other too, as the maps' own do. prepacks: a prepacked
    one, a copy.
    """
    whole = torch.cat([one.weight.data for one in maps])
    if prepacks:
        return prepack(whole.t())
    if whole.dtype == torch.float32 and not apart:
        whole = whole.t().contiguous().t()
    parts = torch.split(whole, [one.out_features for one in maps])
    for one, part in zip(maps, parts, strict=True):
        one.weight.data = part
    return whole.t()


def prepack(weight: Tensor) -> Tensor:
    """(in, out) in bfloat16 on a CPU -> the same, prepacked (see prepacking.py): a copy."""
    prepacked: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.t().contiguous())
    return prepacked
