"""ShieldGemma 2, asked whether a picture violates a policy: prompts and chances of transformers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny_models import make_config, make_processor, make_tokenizer, randomise
from tokenizers import AddedToken, Tokenizer
from transformers import ShieldGemma2Config, ShieldGemma2ForImageClassification
from transformers.utils.chat_template_utils import render_jinja_template

from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.loading import load
from gemma_vision.requests.prompts import POLICIES, SHIELDGEMMA2
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from gemma_vision.runtime.choices import ChoiceGrammar
from gemma_vision.runtime.grammar import GrammarError
from gemma_vision.web.jobs.viewer_value import spoken

# As its processor renders it: what stands between two expressions is part of the text.
TEMPLATE = """{{ bos_token }}
{%- for message in messages -%}
        {%- for item in message['content'] -%}
            {{ '<start_of_turn>user\\n' }}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ 'You are a policy expert trying to help determine whether a generated or real image is in' }}
                {{ ' violation of the safety policy below. Your decision must very clearly follow the specific'}}
                {{ ' language used in the safety policy and should not include any interpretation outside of the' }}
                {{ ' safety policy.\\n\\n' }}
                {{ '<BEGIN_SAFETY_POLICY>\\n' }}
                {{ item['text'] + '\\n' }}
                {{ '</END_SAFETY_POLICY>\\n\\n' }}
                {{ "Does the image violate the above policy? Your Answer must start with 'Yes' or 'No'." }}
                {{ '<end_of_turn>\\n' }}
            {%- endif -%}
        {%- endfor -%}
        {{'<start_of_turn>model\\n'}}
{%- endfor -%}
"""  # noqa: E501
OWN = "No Cats: The image shall not contain a cat."
PICTURE = Image.fromarray(np.random.default_rng(3).integers(0, 256, (90, 70, 3), dtype=np.uint8))


def rendered(policy: str) -> str:
    """The prompt of transformers, without <bos>, its picture's mark included."""
    content = [{"type": "image"}, {"type": "text", "text": policy}]
    texts, _ = render_jinja_template(
        [[{"role": "user", "content": content}]], chat_template=TEMPLATE, bos_token=""
    )
    return str(texts[0])


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = make_tokenizer("gemma3")
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in ("Yes", "No")])
    return tokenizer


@pytest.fixture(scope="module")
def theirs(tokenizer: Tokenizer) -> ShieldGemma2ForImageClassification:
    parts = make_config("gemma3", tokenizer).to_dict()
    parts.pop("model_type"), parts.pop("architectures", None)
    ids = {f"{word}_token_index": tokenizer.token_to_id(word.title()) for word in ("yes", "no")}
    model = ShieldGemma2ForImageClassification(ShieldGemma2Config(**parts, **ids)).eval()
    randomise(model, 4)
    return model


@pytest.fixture(scope="module", params=["published", "saved by transformers"])
def folder(request, theirs, tokenizer: Tokenizer, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shieldgemma") / "shield"
    if request.param == "published":
        folder.mkdir()
        tensors = {
            name.replace("model.model.language_model.", "model.language_model.model.", 1).replace(
                "model.model.", "model.", 1
            ): tensor.clone()
            for name, tensor in theirs.state_dict().items()
            if not name.endswith("lm_head.weight")
        }
        save_file(tensors, folder / "model.safetensors")
        (folder / "config.json").write_text(theirs.config.to_json_string(use_diff=False))
    else:
        theirs.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> Pipeline:
    return load(folder, "cpu")


@torch.no_grad()
def their_chances(theirs, folder: Path, policy: str, tokenizer: Tokenizer) -> list[float]:
    processor = make_processor(folder, make_config("gemma3", tokenizer))
    inputs = processor(
        images=[[PICTURE]],
        text=["<bos>" + rendered(policy)],
        add_special_tokens=False,
        return_tensors="pt",
    )
    return theirs(**inputs).probabilities[0].tolist()


@pytest.mark.parametrize("asked", [*POLICIES, OWN])
def test_prompts_are_those_of_the_template(asked: str) -> None:
    request = Request(PICTURE, Task.ask, asked)
    assert SHIELDGEMMA2.write_prompt(request) == rendered(POLICIES.get(asked, asked))


@pytest.mark.parametrize("asked", [*POLICIES, "Violence", OWN])
def test_chances_are_those_of_transformers(asked, pipeline, theirs, folder, tokenizer) -> None:
    answer = pipeline.ask(PICTURE, asked)
    yes, no = their_chances(theirs, folder, POLICIES.get(asked.lower(), asked), tokenizer)
    assert answer.probabilities == pytest.approx({"Yes": yes, "No": no}, abs=1e-5)
    assert 0.001 < yes < 0.999, "a chance that is not sure of itself"
    assert answer.plain == ("Yes" if yes > no else "No") and answer.finish == "stop"
    told = json.loads(json.dumps(answer.to_dict()))
    assert told["probabilities"] == {"Yes": round(yes, 4), "No": round(no, 4)}


def test_policies_asked_together_are_answered_as_alone(pipeline) -> None:
    requests = [Request(PICTURE, Task.ask, name) for name in POLICIES]
    together = [answer.probabilities["Yes"] for answer in pipeline.batch(requests)]
    alone = [pipeline.run(request).probabilities["Yes"] for request in requests]
    assert together == pytest.approx(alone, abs=1e-5) and len(set(alone)) == 3


def test_it_judges_and_does_nothing_else(pipeline) -> None:
    assert pipeline.tasks == (Task.ask,)
    with pytest.raises(TaskError, match="cannot caption"):
        pipeline.caption(PICTURE)


def test_a_tokenizer_without_the_words_is_refused(folder) -> None:
    with pytest.raises(GrammarError, match="no token 'Yes'"):
        ChoiceGrammar(("Yes", "No")).rules(make_tokenizer("gemma3"), (1,))


def test_free_words_have_no_chances(random_checkpoint: Path) -> None:
    answer = load(random_checkpoint, "cpu").ask(PICTURE, "what is it", max_tokens=3)
    assert answer.probabilities == {} and "probabilities" not in answer.to_dict()


def test_the_page_says_how_likely_it_is() -> None:
    assert spoken({"plain": "No", "probabilities": {"Yes": 0.0241, "No": 0.9759}}) == "No · 98%"
    assert spoken({"plain": " a cat "}) == "a cat"
