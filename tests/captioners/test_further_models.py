"""More families of models, saved and loaded as users do: what they say equals a call by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from asked import ASKED_MODELS
from PIL import Image
from seeing import CHATTING_MODELS, FOUR

from rememberai.captioners import TransformersCaptioner, _parts
from rememberai.errors import InputError, MissingExtraError

QUESTION = "two green squares"
FURTHER = CHATTING_MODELS | ASKED_MODELS
# Those that look at parts of a picture count them by its shape; some pad those of a batch.
SQUARE = ("llava_next", "llava_onevision", "idefics2")


@pytest.fixture(params=sorted(FURTHER))
def seeing(request):
    torch.manual_seed(0)
    return request.param, FURTHER[request.param]()


def noise(kind, n=5):
    rng = np.random.default_rng(3)
    sizes = [(int(w), int(w if kind in SQUARE else h)) for w, h in rng.integers(24, 90, (n, 2))]
    return [Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def by_hand(model, picture, *, chats):
    """Give the words of one picture, and the mean log-probability of their tokens."""
    with torch.no_grad():
        found = model.model.generate(
            **model.inputs(picture, QUESTION, chats=chats),
            max_new_tokens=4,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
    tokens = found.sequences[0, -len(found.logits) :]
    chances = [
        float(step[0].log_softmax(-1)[token])
        for step, token in zip(found.logits, tokens, strict=True)
        if model.tokenizer.decode([token], skip_special_tokens=True)
    ]
    text = model.tokenizer.decode(tokens, skip_special_tokens=True)
    return text, np.mean(chances) if chances else None


def same(said, expected, *, sure=True):
    for caption, (text, chance) in zip(said, expected, strict=True):
        assert not caption.reason.startswith("the captioner failed")
        if caption.text:
            assert caption.text == text
            assert caption.confidence == (pytest.approx(chance, abs=1e-3) if sure else None)
    assert sum(bool(caption.text) for caption in said) >= 2
    assert len({text for text, _ in expected}) > 1


@pytest.mark.parametrize("chats", [True, False], ids=["chat", "prompt"])
def test_what_further_models_say_equals_a_call_by_hand(seeing, tmp_path, monkeypatch, chats):
    kind, model = seeing
    if chats and kind in ASKED_MODELS:
        pytest.skip("it does not chat")
    model.save(tmp_path, chats=chats)
    expected = [by_hand(model, picture, chats=chats) for picture in noise(kind)]
    captioner = TransformersCaptioner(
        str(tmp_path), batch_size=3, max_new_tokens=4, prompt=QUESTION
    )
    network, calls = captioner._loaded[0], []
    generate = network.generate
    monkeypatch.setattr(network, "generate", lambda **given: calls.append(1) or generate(**given))
    same(captioner.caption(noise(kind)), expected, sure=kind != "janus")  # see the captioner
    assert len(calls) == 2  # three pictures and two


def test_a_model_that_needs_a_prompt_and_got_none_says_so(seeing, tmp_path):
    kind, model = seeing
    model.save(tmp_path, chats=False)
    captioner = TransformersCaptioner(str(tmp_path), max_new_tokens=4)
    if kind == "pix2struct" or (kind == "paligemma" and FOUR):  # these need not be asked
        assert sum(bool(caption.text) for caption in captioner.caption(noise(kind))) >= 2
        return
    with pytest.raises(
        InputError, match=rf"'{kind}.*' model .* needs a prompt, and none was given"
    ):
        captioner.caption(noise(kind))


def test_a_chat_model_has_a_question_of_its_own(tmp_path):
    model = FURTHER["llava"]()
    model.save(tmp_path, chats=True)
    question = "Describe this photo in one short sentence."
    own, asked = (
        TransformersCaptioner(str(tmp_path), max_new_tokens=4, prompt=prompt).caption(noise(""))
        for prompt in (None, question)
    )
    assert [caption.text for caption in own] == [caption.text for caption in asked]


def test_a_prompt_that_says_where_the_picture_is_stays_as_it_is(tmp_path):
    torch.manual_seed(0)
    model = FURTHER["llava"]()
    model.save(tmp_path, chats=False)
    model.prompt = "[CLS] red {image} two [SEP]"
    expected = [by_hand(model, picture, chats=False) for picture in noise("")]
    captioner = TransformersCaptioner(
        str(tmp_path), batch_size=3, max_new_tokens=4, prompt="red <image> two"
    )
    same(captioner.caption(noise("")), expected)


def test_large_pictures_stay_large_for_those_that_look_at_parts(seeing, tmp_path):
    kind, model = seeing
    model.save(tmp_path, chats=False)
    side = TransformersCaptioner(str(tmp_path), prompt=QUESTION).side
    assert side == (32 if kind in ("paligemma", "instructblip", "kosmos-2") else None)


def test_what_needs_torchvision_says_so(tmp_path, monkeypatch):
    FURTHER["llava"]().save(tmp_path, chats=True)

    def refuse(*_, **__):
        raise ImportError("LlavaProcessor requires the Torchvision library")

    monkeypatch.setattr(_parts, "find_spec", lambda name: None)
    for way in ("from_pretrained", "from_args_and_dict"):
        monkeypatch.setattr(transformers.LlavaProcessor, way, refuse)
    with pytest.raises(MissingExtraError, match=r"'llava' model needs .* pip install torchvision"):
        TransformersCaptioner(str(tmp_path)).caption(noise(""))


def test_a_model_that_makes_one_text_of_many_pictures_is_given_one_at_a_time(tmp_path, monkeypatch):
    model = FURTHER["paligemma"]()
    model.save(tmp_path, chats=False)
    captioner = TransformersCaptioner(str(tmp_path), max_new_tokens=4, prompt=QUESTION)
    expected = captioner.caption(noise(""))
    generate = captioner._loaded[0].generate

    def only_the_first(**given):
        tensors = {n: v[:1] for n, v in given.items() if isinstance(v, torch.Tensor)}
        return generate(**given | tensors)

    monkeypatch.setattr(captioner._loaded[0], "generate", only_the_first)
    said = captioner.caption(noise(""))
    assert [caption.text for caption in said] == [caption.text for caption in expected]


def test_pictures_of_several_shapes_reach_the_model_as_a_list(tmp_path, monkeypatch):
    model = FURTHER["llava"]()
    model.save(tmp_path, chats=True)
    captioner = TransformersCaptioner(
        str(tmp_path), max_new_tokens=4, prompt=QUESTION, dtype="bfloat16"
    )
    expected = captioner.caption(noise(""))
    (network, parts), given = captioner._loaded, []
    inputs, generate = parts.inputs, network.generate

    def listed(pictures):
        found = inputs(pictures)
        return found | {"pixel_values": list(found["pixel_values"]), "names": ["a", "b"]}

    def stacked(**inputs):
        given.append(inputs["pixel_values"])
        return generate(**inputs | {"pixel_values": torch.stack(inputs["pixel_values"])})

    monkeypatch.setattr(parts, "inputs", listed)
    monkeypatch.setattr(network, "generate", stacked)
    said = captioner.caption(noise(""))
    assert [caption.text for caption in said] == [caption.text for caption in expected]
    assert {part.dtype for parts in given for part in parts} == {torch.bfloat16}
