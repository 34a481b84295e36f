"""Which mask decoder belongs to which codes: never one from the wrong codebook."""

from __future__ import annotations

import hashlib

import pytest

from gemma_vision import decoders
from gemma_vision.decoders import DecoderError, decoder_of, find_decoder, open_decoder


def test_none_is_no_decoder():
    assert open_decoder("none") is None


def test_a_checkpoint_with_its_own_decoder_asks_for_that(tmp_path):
    assert decoder_of(tmp_path) == "published"
    (tmp_path / "vae-oid.npz").touch()
    assert decoder_of(tmp_path) == str(tmp_path / "vae-oid.npz")
    (tmp_path / "mask_decoder.npz").touch()
    assert decoder_of(tmp_path) == str(tmp_path / "mask_decoder.npz")


def test_an_unknown_name_is_taken_for_a_path_and_the_names_are_told(tmp_path):
    with pytest.raises(DecoderError, match="published, embedded, none") as caught:
        find_decoder(str(tmp_path / "none.npz"))
    assert caught.value.code == "E_MASK_DECODER"


def test_a_file_that_is_no_decoder_is_refused_in_words(tmp_path):
    path = tmp_path / "broken.npz"
    path.write_bytes(b"not an archive")
    with pytest.raises(DecoderError, match=r"broken\.npz"):
        open_decoder(str(path))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"something else", id="another size"),
        pytest.param(bytes(decoders.PUBLISHED_BYTES), id="another SHA-256"),
    ],
)
def test_what_is_not_the_published_file_is_refused_and_removed(data, tmp_path, monkeypatch):
    blob, path = tmp_path / "blob", tmp_path / "vae-oid.npz"
    blob.write_bytes(data)
    path.symlink_to(blob)  # as the Hub's cache keeps it
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *a, **k: str(path))
    decoders._fetch_published.cache_clear()
    with pytest.raises(DecoderError, match="not the published"):
        find_decoder("published")
    assert not list(tmp_path.iterdir())


def test_the_published_file_is_checked_once(tmp_path, monkeypatch):
    path, reads = tmp_path / "vae-oid.npz", []
    path.write_bytes(b"decoder")
    monkeypatch.setattr(decoders, "PUBLISHED_BYTES", 7)
    monkeypatch.setattr(decoders, "PUBLISHED_SHA256", hashlib.sha256(b"decoder").hexdigest())
    monkeypatch.setattr(
        "huggingface_hub.hf_hub_download", lambda *a, **k: reads.append(a) or str(path)
    )
    decoders._fetch_published.cache_clear()
    assert find_decoder("published") == find_decoder("published") == path
    assert len(reads) == 1
    decoders._fetch_published.cache_clear()


def test_without_a_network_the_way_out_is_told(monkeypatch, tmp_path):
    def refuse(*arguments, **options):
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    decoders._fetch_published.cache_clear()
    with pytest.raises(DecoderError, match=r"vae-oid\.npz"):
        find_decoder("published")
