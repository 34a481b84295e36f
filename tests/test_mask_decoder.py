"""The mask decoder: equal to the reference, strict about its file, batched, never raising oddly."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from noise_decoder import noise_arrays, write_noise

from postprocess.mask_decoder import MaskDecoder, MaskDecoderError
from postprocess.tokens import CODES_PER_MASK, MASK_SIDE, NUM_CODES

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    return MaskDecoder.load(write_noise(tmp_path_factory.mktemp("decoder") / "noise.npz"))


@pytest.fixture(scope="module")
def reference():
    return dict(np.load(DATA / "vqvae_seed0.npz", allow_pickle=False))


def test_logits_are_those_of_the_reference(decoder, reference):
    logits = decoder.decode(reference["codes"], logits=True)
    assert logits.shape == (8, 64, 64) and logits.dtype == np.float32
    assert np.abs(logits - reference["logits"]).max() < 1e-4


def test_codes_are_those_of_the_reference(decoder, reference):
    codes = decoder.encode(reference["masks"])
    assert codes.dtype == np.int64
    assert np.array_equal(codes, reference["mask_codes"])


def test_probability_is_half_the_logit_plus_a_half_clipped(decoder, reference):
    probability = decoder.decode(reference["codes"])
    assert np.allclose(probability, np.clip(reference["logits"] / 2 + 0.5, 0, 1), atol=1e-4)
    assert probability.min() == 0 and probability.max() == 1


def test_float_masks_and_boolean_masks_have_the_same_codes(decoder, reference):
    soft = reference["masks"].astype(np.float64)
    assert np.array_equal(decoder.encode(soft), decoder.encode(reference["masks"]))


def test_a_batch_is_its_masks_one_by_one(decoder):
    codes = np.random.default_rng(5).integers(0, NUM_CODES, (70, CODES_PER_MASK))
    whole = decoder.decode(codes, logits=True)
    for index in (0, 63, 64, 69):  # on both sides of the border between two batches
        alone = decoder.decode(codes[index : index + 1], logits=True)[0]
        assert np.abs(whole[index] - alone).max() < 1e-4


@pytest.mark.parametrize("codes", [[], np.empty((0, 16), np.int64)], ids=["list", "array"])
def test_no_codes_are_no_masks(decoder, codes):
    assert decoder.decode(codes).shape == (0, 64, 64)
    assert decoder.encode(np.empty((0, 64, 64), bool)).shape == (0, 16)


def test_the_mean_code_vector_stands_in_for_unknown_codes(tmp_path, decoder):
    arrays = noise_arrays(0)
    mean = arrays["_vq_vae._embedding"].astype(np.float64).mean(0).astype(np.float32)
    book = arrays["_vq_vae._embedding"].copy()
    book[7] = mean  # a decoder whose code 7 is the mean of the other's codes
    changed = MaskDecoder.load(write_noise(tmp_path / "mean.npz", **{"_vq_vae._embedding": book}))
    known = [3, 9, 27, 81]
    streamed = decoder.decode([known + [-1] * 12], logits=True)
    expected = changed.decode([known + [7] * 12], logits=True)
    assert np.abs(streamed - expected).max() < 1e-4


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param([[0] * 15 + [128]], id="above the codebook"),
        pytest.param([[-2] + [0] * 15], id="below the codebook"),
        pytest.param([[0] * 15], id="fifteen"),
        pytest.param([[0] * 17], id="seventeen"),
        pytest.param([0] * 16, id="one dimension"),
        pytest.param([[0.0] * 16], id="not whole numbers"),
    ],
)
def test_codes_that_mean_nothing_are_refused(decoder, codes):
    with pytest.raises(MaskDecoderError, match=r"[Cc]odes"):
        decoder.decode(codes)


@pytest.mark.parametrize(
    "masks",
    [
        pytest.param(np.zeros((1, 32, 32)), id="wrong size"),
        pytest.param(np.zeros((64, 64)), id="one dimension too few"),
        pytest.param(np.full((1, 64, 64), 255.0), id="0 to 255"),
        pytest.param(np.full((1, 64, 64), np.nan), id="not a number"),
        pytest.param(np.ones((1, 64, 64), np.uint8), id="integers"),
    ],
)
def test_masks_that_cannot_be_encoded_are_refused(decoder, masks):
    with pytest.raises(MaskDecoderError, match=r"[Mm]ask"):
        decoder.encode(masks)


@pytest.mark.parametrize("name", sorted(noise_arrays(0)))
def test_a_missing_array_is_named(tmp_path, name):
    with pytest.raises(MaskDecoderError, match=name.replace(".", r"\.")):
        MaskDecoder.load(write_noise(tmp_path / "lacking.npz", **{name: None}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decoder.0.weight": np.zeros((128, 256, 1, 1), np.float32)}, r"decoder\.0\.weight"),
        ({"decoder.12.bias": np.zeros(1, np.int32)}, r"decoder\.12\.bias .* int32"),
        ({"encoder.0.bias": np.full(16, np.nan, np.float32)}, r"encoder\.0\.bias .* finite"),
        ({"decoder.14.bias": np.zeros(1, np.float32)}, r"unknown decoder\.14\.bias"),
        ({"decoder.0.bias": np.array([{}] * 128, object)}, r"decoder\.0\.bias"),
    ],
    ids=["shape", "type", "not finite", "surplus", "pickled"],
)
def test_an_unsound_array_is_named(tmp_path, changes, said):
    with pytest.raises(MaskDecoderError, match=said):
        MaskDecoder.load(write_noise(tmp_path / "unsound.npz", **changes))


def test_the_training_state_of_the_codebook_is_ignored(tmp_path, decoder, reference):
    extra = {
        "_vq_vae._ema_w": np.zeros((128, 512), np.float32),
        "_vq_vae._ema_cluster_size": np.ones(128, np.float32),
    }
    with_state = MaskDecoder.load(write_noise(tmp_path / "state.npz", **extra))
    assert np.array_equal(with_state.decode(reference["codes"]), decoder.decode(reference["codes"]))


def test_a_file_in_half_precision_is_read(tmp_path, decoder, reference):
    half = {name: array.astype(np.float16) for name, array in noise_arrays(0).items()}
    logits = MaskDecoder.load(write_noise(tmp_path / "half.npz", **half)).decode(
        reference["codes"], logits=True
    )
    assert np.abs(logits - reference["logits"]).max() < 0.1


@pytest.mark.parametrize(
    "content",
    [None, b"", b"not an archive", b"PK\x03\x04 cut short"],
    ids=["absent", "empty", "text", "cut"],
)
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "decoder.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MaskDecoderError, match=r"decoder\.npz"):
        MaskDecoder.load(path)


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(MaskDecoderError, match="single array"):
        MaskDecoder.load(tmp_path / "single.npy")


def test_the_module_carries_the_names_of_the_file():
    from postprocess.vqvae import MaskVQVAE

    shapes = {name: tuple(value.shape) for name, value in MaskVQVAE().state_dict().items()}
    assert shapes == {name: array.shape for name, array in noise_arrays(0).items()}


def test_a_mask_is_as_large_as_the_language_says(decoder):
    assert decoder.decode([[0] * CODES_PER_MASK]).shape == (1, MASK_SIDE, MASK_SIDE)


def test_torch_comes_in_with_the_first_decoder_alone():
    said = (
        "import sys, postprocess.mask_decoder, postprocess.instances; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_damaged_array_is_named(tmp_path):
    path = write_noise(tmp_path / "damaged.npz")
    content = bytearray(path.read_bytes())
    middle = content.index(b"encoder.4.weight") + 1000
    content[middle : middle + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(content)
    with pytest.raises(MaskDecoderError, match=r"encoder\.4\.weight"):
        MaskDecoder.load(path)
