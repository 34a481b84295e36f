"""Which mask decoder belongs to which codes: never one from the wrong codebook."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import huggingface_hub
import numpy as np
import pytest
from hub_server import playing_hub

from gemma_vision.answers.parse_answer import read
from gemma_vision.checkpoints import mask_decoder_files
from gemma_vision.checkpoints.lazy_mask_decoder import lazy_decoder
from gemma_vision.checkpoints.mask_decoder_files import (
    DecoderError,
    decoder_of,
    find_decoder,
    open_decoder,
)
from gemma_vision.registry.loading import load
from postprocess.errors import UserError
from postprocess.mask_decoder import MaskDecoder


def test_none_is_no_decoder():
    assert open_decoder("none") is None


def test_a_checkpoint_with_its_own_decoder_asks_for_that(tmp_path):
    assert decoder_of(tmp_path) == "published"
    (tmp_path / "vae-oid.npz").touch()
    assert decoder_of(tmp_path) == str(tmp_path / "vae-oid.npz")
    (tmp_path / "mask_decoder.npz").touch()
    assert decoder_of(tmp_path) == str(tmp_path / "mask_decoder.npz")


@pytest.mark.parametrize(
    "name, said",
    [
        pytest.param("google/paligemma2-3b-mix-224", "take published for", id="an id of the Hub"),
        pytest.param("tiny", "take embedded for", id="what comes inside"),
        pytest.param("{folder}", "mask_decoder.npz for", id="a folder"),
        pytest.param("gone/vae.npz", "no mask decoder at gone/vae.npz", id="a file"),
        pytest.param("~/vae.npz", "no mask decoder at ~/vae.npz", id="a file at home"),
    ],
)
def test_a_checkpoint_in_the_place_of_a_decoder_is_told_which_it_is(name, said, tmp_path):
    (tmp_path / "mask_decoder.npz").touch()
    with pytest.raises(DecoderError, match=said):
        find_decoder(name.format(folder=tmp_path))


def test_a_decoder_is_named_by_a_path_too(tmp_path, monkeypatch):
    file = tmp_path / "own.npz"
    shutil.copyfile(find_decoder("embedded"), file)
    monkeypatch.setenv("HOME", str(tmp_path))
    text = "<loc0100><loc0100><loc0900><loc0900>" + "<seg001>" * 16 + " cat"
    for named in (file, str(file), "~/own.npz"):
        answer = read(text, (64, 64), mask_decoder=named)
        assert answer.instances[0].mask is not None and not answer.warnings


@pytest.mark.parametrize(
    "named, expected",
    [
        pytest.param("codebook.npz", "{folder}/codebook.npz", id="a file of its own"),
        pytest.param("published", "published", id="the published one"),
        pytest.param("embedded", "embedded", id="the embedded one"),
        pytest.param("none", "none", id="none"),
        pytest.param(None, "{folder}/mask_decoder.npz", id="left open"),
    ],
)
def test_a_folder_gets_the_decoder_that_its_notes_name(named, expected, tmp_path):
    for name in ("codebook.npz", "mask_decoder.npz"):
        (tmp_path / name).touch()
    (tmp_path / "gemma_vision.json").write_text(json.dumps({"mask_decoder": named}))
    assert decoder_of(tmp_path) == expected.format(folder=tmp_path)


@pytest.mark.parametrize(
    "named, said",
    [
        pytest.param("gone.npz", "names the mask decoder gone.npz, which is not", id="gone"),
        pytest.param("../mask_decoder.npz", "a file in its folder is wanted", id="climbing"),
        pytest.param("/etc/passwd", "a file in its folder is wanted", id="absolute"),
        pytest.param("..", "which is not in its folder", id="the parent"),
        pytest.param("a\\\\b.npz", "a file in its folder is wanted", id="another system's path"),
        pytest.param(["a.npz"], "a file in its folder is wanted", id="a list"),
    ],
)
def test_a_decoder_that_cannot_be_used_is_refused_and_not_replaced(named, said, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    for folder in (tmp_path, inside):
        (folder / "mask_decoder.npz").touch()
    (inside / "gemma_vision.json").write_text(json.dumps({"mask_decoder": named}))
    with pytest.raises(DecoderError, match=said):
        decoder_of(inside)


def test_an_adapter_may_bring_a_decoder_and_has_else_that_of_its_base(tmp_path):
    adapter, base = tmp_path / "adapter", tmp_path / "base"
    for folder in (adapter, base):
        folder.mkdir()
    (base / "mask_decoder.npz").touch()
    assert decoder_of(adapter, base) == str(base / "mask_decoder.npz")
    notes = {"mask_decoder": "mask_decoder.npz"}  # copied from those of its base
    (adapter / "gemma_vision.json").write_text(json.dumps(notes))
    assert decoder_of(adapter, base) == str(base / "mask_decoder.npz")
    (adapter / "gemma_vision.json").write_text(json.dumps({"mask_decoder": "none"}))
    assert decoder_of(adapter, base) == "none"


def test_a_pipeline_has_the_decoder_that_its_folder_names(random_checkpoint, tmp_path):
    folder = shutil.copytree(random_checkpoint, tmp_path / "noted")
    (folder / "codebook.npz").touch()
    (folder / "gemma_vision.json").write_text(json.dumps({"mask_decoder": "codebook.npz"}))
    assert load(folder, "cpu").decoder.name == str(folder / "codebook.npz")


def test_an_unknown_name_is_taken_for_a_path_and_the_names_are_told(tmp_path):
    with pytest.raises(DecoderError, match="published, embedded, none") as caught:
        find_decoder(str(tmp_path / "none.npz"))
    assert caught.value.code == "E_MASK_DECODER"


def test_a_file_that_is_no_decoder_is_refused_in_words(tmp_path):
    path = tmp_path / "broken.npz"
    path.write_bytes(b"not an archive")
    with pytest.raises(DecoderError, match=r"broken\.npz"):
        open_decoder(str(path))


@pytest.fixture(autouse=True)
def published(monkeypatch) -> None:
    """Nothing was fetched before, and no fetch was refused."""
    monkeypatch.setattr(mask_decoder_files, "PUBLISHED", mask_decoder_files.Published())


@pytest.fixture
def small(monkeypatch) -> bytes:
    """A published file of a few bytes."""
    monkeypatch.setattr(mask_decoder_files, "PUBLISHED_BYTES", 7)
    monkeypatch.setattr(
        mask_decoder_files, "PUBLISHED_SHA256", hashlib.sha256(b"decoder").hexdigest()
    )
    return b"decoder"


@pytest.fixture
def at(monkeypatch, tmp_path):
    """Point the Hub's client to a server and to an empty cache."""
    client = {
        name: getattr(huggingface_hub, name)
        for name in ("hf_hub_url", "hf_hub_download", "try_to_load_from_cache")
    }
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)  # loopback only
    huggingface_hub.utils.disable_progress_bars()

    def point(url: str) -> None:
        cache = tmp_path / "hub"
        options = {
            "hf_hub_url": {"endpoint": url},
            "hf_hub_download": {"endpoint": url, "cache_dir": cache, "token": False},
            "try_to_load_from_cache": {"cache_dir": cache},
        }
        for name, given in options.items():
            monkeypatch.setattr(huggingface_hub, name, functools.partial(client[name], **given))

    return point


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"something else", id="another size"),
        pytest.param(bytes(mask_decoder_files.PUBLISHED_BYTES), id="another SHA-256"),
    ],
)
def test_what_is_not_the_published_file_is_refused_and_removed(data, tmp_path, monkeypatch):
    blob, path = tmp_path / "blob", tmp_path / "vae-oid.npz"
    blob.write_bytes(data)
    path.symlink_to(blob)  # as the Hub's cache keeps it
    monkeypatch.setattr(mask_decoder_files, "fetch_file", lambda *given: path)
    with pytest.raises(DecoderError, match="not the published"):
        find_decoder("published")
    assert not list(tmp_path.iterdir())


def test_the_published_file_is_fetched_and_checked_once(tmp_path, at, small):
    (tmp_path / "vae-oid.npz").write_bytes(small)
    with playing_hub(tmp_path) as server:
        at(server.url)
        path = find_decoder("published")
        assert path.read_bytes() == small
        assert sum("GET" in one for one in server.asked) == 1
    assert find_decoder("published") == path
    mask_decoder_files.PUBLISHED = mask_decoder_files.Published()
    assert find_decoder("published") == path  # from the cache, with no Hub left to ask


def counted(monkeypatch) -> list[str]:
    """The addresses that the Hub's client is asked about from now on."""
    asked, ask = [], huggingface_hub.get_hf_file_metadata
    monkeypatch.setattr(
        huggingface_hub,
        "get_hf_file_metadata",
        lambda url, **options: asked.append(url) or ask(url, **options),
    )
    return asked


def no_network() -> DecoderError:
    with pytest.raises(DecoderError, match=r"vae-oid\.npz") as caught:
        find_decoder("published")
    assert caught.value.code == "E_MASK_DECODER"
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    return caught.value


def test_without_a_network_that_is_known_at_once_and_remembered(at, monkeypatch, caplog):
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("waited for another try"))
    at("http://127.0.0.1:9")  # the port of discard, which nobody listens on
    asked = counted(monkeypatch)
    assert str(no_network()) == str(no_network())
    assert len(asked) == 1
    assert not caplog.records
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now + mask_decoder_files.AGAIN + 1)
    no_network()
    assert len(asked) == 2


def test_calls_side_by_side_ask_once(at, monkeypatch):
    at("http://127.0.0.1:9")
    asked = counted(monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: no_network(), range(4)))
    assert len(asked) == 1


@pytest.mark.parametrize("mood", ["a Hub that says nothing", "a name server that says nothing"])
def test_silence_is_waited_for_a_short_while_only(mood, at, monkeypatch):
    monkeypatch.setattr("gemma_vision.checkpoints.download.CONNECT", 0.2)
    heard = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at(f"http://127.0.0.1:{silent.getsockname()[1]}")
        if "name server" in mood:
            monkeypatch.setattr(
                huggingface_hub, "get_hf_file_metadata", lambda *given, **options: heard.wait(60)
            )
        began = time.monotonic()
        no_network()
        assert time.monotonic() - began < 10
    heard.set()


def test_a_hub_out_of_order_is_asked_once(tmp_path, at, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("waited for another try"))
    with playing_hub(tmp_path, "forbidden") as server:
        at(server.url)
        no_network()
        no_network()
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("quoted", "said"),
    [
        ("a\nb", "a b"),
        ("a \r\n  b", "a b"),
        ("a\u2028b\x85c", "a b c"),
        ("\x1b[2Ja", "\ufffd[2Ja"),
        ("a" * 2000, None),
        ("  a  ", "  a  "),
    ],
)
def test_an_error_is_one_line_whatever_it_quotes(quoted, said):
    told = str(UserError(f"It has {quoted}. Take another."))
    assert said is None or told == f"It has {said}. Take another."
    assert len(told) < 1000 and told.splitlines() == [told] and told.endswith("Take another.")


def test_the_name_of_an_array_breaks_no_sentence(tmp_path):
    np.savez(tmp_path / "a.npz", **{"\x1b[31mup\nside\u2028down": np.zeros(3, np.float32)})
    with pytest.raises(UserError) as caught:
        MaskDecoder.load(tmp_path / "a.npz")
    assert "up side down" in str(caught.value) and "\x1b" not in str(caught.value)


@pytest.mark.parametrize("given", [5, b"a.npz", MaskDecoder, [1]], ids=repr)
def test_what_decodes_no_masks_is_told_at_once(given) -> None:
    with pytest.raises(DecoderError, match="came for a mask decoder; give"):
        lazy_decoder(given)
    with pytest.raises(DecoderError, match="came for a mask decoder; give"):
        read("<loc0001><loc0001><loc0500><loc0500> cat", size=(64, 48), mask_decoder=given)
