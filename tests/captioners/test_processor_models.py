"""Models that see through a processor: what they say equals a call by hand, one picture a time."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from PIL import Image

from rememberai.captioners import TransformersCaptioner
from rememberai.errors import InputError

QUESTION = "two green squares"


def noise(n, *, square=False, seed=3):
    rng = np.random.default_rng(seed)
    sizes = [(int(w), int(w if square else h)) for w, h in rng.integers(24, 90, (n, 2))]
    return [Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def inputs_by_hand(checkpoint, picture, question):
    """Lay out what the model takes, with the places of the picture written out."""
    seen = dict(checkpoint.image_processor(images=[picture], return_tensors="pt"))
    kind = checkpoint.kind
    if kind == "blip-2":
        text = "<image>" * 4 + "[CLS]" + (f" {question}" if question else "")
    elif kind == "florence2":
        text = "<image>" * 65 + "[CLS] What does the image describe? [SEP]"
    else:
        if kind == "qwen2_vl":
            n = int(seen["image_grid_thw"][0].prod()) // 4
            image = "<|vision_start|>" + "<|image_pad|>" * n + "<|vision_end|>"
        else:
            fake = "<fake_token_around_image>"
            image = f"{fake}<global-img>{'<image>' * 4}{fake}"
            seen = {name: seen[name] for name in ("pixel_values", "pixel_attention_mask")}
        text = f"[CLS] red {image}{question} a"
    ids = checkpoint.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    if kind == "blip-2" and question:  # its tokenizer ends what it is given
        ids = torch.cat([ids, torch.tensor([[3]])], 1)
    inputs = seen | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if kind == "qwen2_vl":
        places = (ids == checkpoint.model.config.image_token_id).int()
        if "mm_token_type_ids" in inspect.signature(checkpoint.model.forward).parameters:
            inputs["mm_token_type_ids"] = places
    return inputs


def by_hand(checkpoint, picture, question, **options):
    """Give the words of one picture, and the mean log-probability of their tokens."""
    inputs = inputs_by_hand(checkpoint, picture, question)
    with torch.no_grad():
        found = checkpoint.model.generate(
            **inputs,
            max_new_tokens=4,
            do_sample=False,
            output_logits=True,
            output_scores=True,
            return_dict_in_generate=True,
            **options,
        )
    n = len(found.logits)
    tokens = found.sequences[0, -n:]
    text = checkpoint.tokenizer.decode(tokens, skip_special_tokens=True)
    chances = [
        float(step[0].log_softmax(-1)[token])
        for step, token in zip(found.logits, tokens, strict=True)
        if checkpoint.tokenizer.decode([token], skip_special_tokens=True)
    ]
    return text, np.mean(chances) if chances else None


def question_of(checkpoint):
    return "<CAPTION>" if checkpoint.kind == "florence2" else QUESTION


def test_captions_equal_a_call_by_hand(processed):
    # Idefics3 and SmolVLM pad the pictures of a batch to one shape, and see that they did.
    pictures = noise(5, square=processed.kind in ("idefics3", "smolvlm"))
    expected = [by_hand(processed, picture, QUESTION) for picture in pictures]
    assert len({text for text, _ in expected}) > 1
    captioner = TransformersCaptioner(
        str(processed.folder), batch_size=3, max_new_tokens=4, prompt=question_of(processed)
    )
    said = captioner.caption(pictures)
    for caption, (text, chance) in zip(said, expected, strict=True):
        if caption.text:
            assert caption.text == text
            assert caption.confidence == pytest.approx(chance, abs=1e-3)
        else:
            assert caption.reason
    assert sum(bool(caption.text) for caption in said) >= 2
    assert {caption.model_id for caption in said} == {captioner.model_id}
    assert all(caption.seconds > 0 for caption in said)


def test_beams_find_what_is_likelier(processed):
    # A model's own wish for longer texts would make the score no mean of its tokens.
    processed.model.generation_config.update(num_beams=2, length_penalty=3.0)
    processed.save()
    pictures = noise(4, square=True)
    name, prompt = str(processed.folder), question_of(processed)
    greedy = TransformersCaptioner(name, max_new_tokens=4, prompt=prompt).caption(pictures)
    beams = TransformersCaptioner(name, max_new_tokens=4, prompt=prompt, num_beams=4)
    options = {"num_beams": 4, "length_penalty": 1.0}
    for caption, picture in zip(beams.caption(pictures), pictures, strict=True):
        inputs = inputs_by_hand(processed, picture, QUESTION)
        with torch.no_grad():
            found = processed.model.generate(
                **inputs,
                max_new_tokens=4,
                do_sample=False,
                output_scores=True,
                return_dict_in_generate=True,
                **options,
            )
        if caption.text:
            assert caption.confidence == pytest.approx(float(found.sequences_scores[0]), abs=1e-3)
            assert processed.tokenizer.decode(
                found.sequences[0], skip_special_tokens=True
            ).endswith(caption.text)
    assert len(greedy) == 4


def test_without_a_prompt_each_kind_has_its_own(processed):
    captioner = TransformersCaptioner(str(processed.folder), max_new_tokens=4)
    said = captioner.caption(noise(3))
    if processed.kind == "florence2":
        asked = TransformersCaptioner(
            str(processed.folder), max_new_tokens=4, prompt="<CAPTION>"
        ).caption(noise(3))
        assert [c.text for c in said] == [c.text for c in asked]
    if processed.kind == "blip-2":
        expected = [by_hand(processed, picture, "")[0] for picture in noise(3)]
        assert all(c.text in ("", e) for c, e in zip(said, expected, strict=True))
    assert not any("failed" in caption.reason for caption in said)


def test_one_picture_of_a_size_that_the_model_refuses_does_not_cost_the_others(build):
    checkpoint = build("qwen2_vl")
    pictures = noise(3)
    thin = Image.new("RGB", (2000, 4))  # it takes up to 200 times as wide as high
    captioner = TransformersCaptioner(str(checkpoint.folder), max_new_tokens=4, prompt=QUESTION)
    alone = captioner.caption(pictures)
    first, failed, *rest = captioner.caption([pictures[0], thin, *pictures[1:]])
    assert [c.text for c in (first, *rest)] == [c.text for c in alone]
    assert failed.text == ""
    assert failed.reason.startswith("the captioner failed on it (ValueError: absolute aspect ratio")


def test_a_florence_task_that_gives_no_plain_words(build):
    folder = str(build("florence2").folder)
    with pytest.raises(InputError, match=r"<CAPTION>, <DETAILED_CAPTION>.*'<OD>' came"):
        TransformersCaptioner(folder, prompt="<OD>").caption(noise(1))


@pytest.mark.parametrize("kind", ["blip", "smolvlm"])
def test_half_precision_runs(build, kind):
    captioner = TransformersCaptioner(
        str(build(kind).folder), max_new_tokens=4, dtype="bfloat16", batch_size=2
    )
    said = captioner.caption(noise(3))
    assert not any("failed" in caption.reason for caption in said)
    assert next(captioner._loaded[0].parameters()).dtype == torch.bfloat16


def test_it_tells_how_large_a_picture_it_looks_at_unless_it_looks_at_parts(processed):
    captioner = TransformersCaptioner(str(processed.folder))
    chats = bool(getattr(captioner._loaded[1]._processor, "chat_template", None))
    assert captioner.side == (None if chats else 32)
