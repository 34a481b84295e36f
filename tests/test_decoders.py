"""Which mask decoder belongs to which codes: never one from the wrong codebook."""

from __future__ import annotations

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


def test_the_published_file_is_refused_unless_its_checksum_is_right(tmp_path, monkeypatch):
    path = tmp_path / "vae-oid.npz"
    path.write_bytes(b"something else")
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *a, **k: str(path))
    decoders._fetch_published.cache_clear()
    with pytest.raises(DecoderError, match="not the published"):
        find_decoder("published")


def test_without_a_network_the_way_out_is_told(monkeypatch, tmp_path):
    def refuse(*arguments, **options):
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    decoders._fetch_published.cache_clear()
    with pytest.raises(DecoderError, match=r"vae-oid\.npz"):
        find_decoder("published")
