"""Events told by words, by pictures, or by both, as far as an album and the seeds have them."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from makers import Ticks, WordsEmbedder, picture, reason_of, remember, statuses
from PIL import ImageColor
from test_pictures import ColourEmbedder

from rememberai import InputError, RememberAI, display, learned_pictures
from rememberai.events import EventAssigner
from rememberai.store.schema import column_matrix, vector_array

SHADES = {"sea": ["blue", "navy", "mediumblue"], "lawn": ["green", "darkgreen", "lime"]}
WORDS = {
    "sea": ["waves and sand", "a swim in the sea", "sand in my shoes"],
    "lawn": ["grass and bees", "mowing the grass", "bees on the lawn"],
}


@pytest.fixture
def seeds(tmp_path):
    """A folder of pictures and words for each event."""
    for event, shades in SHADES.items():
        for i, shade in enumerate(shades):
            picture(tmp_path / event / f"{i}.png", shade)
        remember(tmp_path / event, **{str(i): text for i, text in enumerate(WORDS[event])})
    return {event: [tmp_path / event] for event in SHADES}


@pytest.fixture
def book(tmp_path):
    return RememberAI.create(
        tmp_path / "b", embedder=WordsEmbedder(), image_embedder=ColourEmbedder()
    )


def album(tmp_path, *shades, **words):
    folder = tmp_path / "album"
    for i, shade in enumerate(shades):
        picture(folder / f"{i}.png", shade)
    remember(folder, **words)
    return folder


def first(answer) -> str:
    """The most probable event, with so few seeds also where it is in doubt."""
    return answer.ranking[0][0]


def test_pictures_have_a_say_beside_words(book, seeds, tmp_path):
    report = book.learn_events(seeds)
    assert reason_of(report, "sea") == "learned from 3 seeds and 3 pictures"
    answer = book.assign(album(tmp_path, "royalblue", "darkblue"))
    assert (first(answer), answer.n_photos, answer.outcomes) == ("sea", 2, ())
    assert first(book.assign(["bees on the grass"])) == "lawn"
    # Words that are of both events: the pictures settle it.
    doubtful = {"0": "sand and grass", "1": "sand and grass"}
    for shade, event in (("mediumblue", "sea"), ("darkgreen", "lawn")):
        folder = album(tmp_path / event, shade, shade, **doubtful)
        assert first(book.assign(folder)) == event


def test_what_is_learned_later_is_weighed_anew(book, seeds, tmp_path):
    book.learn_events(seeds)
    folder = album(tmp_path, "purple", **{"0": "a cake"})
    book.assign(folder)
    picture(tmp_path / "party" / "0.png", "purple")
    remember(tmp_path / "party", **{"0": "cake and candles"})
    book.learn_events({"party": [tmp_path / "party"]})
    again = RememberAI.open(
        book.store.path, embedder=WordsEmbedder(), image_embedder=ColourEmbedder()
    )
    assert {event for event, _ in book.assign(folder).ranking} == {"sea", "lawn", "party"}
    assert book.assign(folder) == again.assign(folder)


def test_learning_before_the_first_answer_is_counted(book, seeds, tmp_path):
    book.learn_events(seeds)
    folder = album(tmp_path, "darkblue", **{"0": "sand in my shoes"})
    for learned in ({"learning": 9, "looks": 9}, {}):  # words and pictures; both are kept then
        book.assign(folder, progress=(ticks := Ticks()))
        told = ticks.stages()
        assert {stage: told[stage] for stage in ("learning", "looks") if stage in told} == learned


def test_telling_photos_are_counted_among_all_of_the_album(book, seeds, tmp_path):
    book.learn_events(seeds)
    silent = "gray", "silver", "darkblue"
    wordless = book.assign(album(tmp_path / "without", *silent))
    spoken = book.assign(album(tmp_path / "with", *silent, **{"2": "sand in my shoes"}))
    assert {told.position for told in wordless.telling_photos} <= {0, 1, 2}
    assert [told.position for told in spoken.telling_photos] == [2]
    for each in (wordless, spoken):
        assert (first(each), each.n_photos) == ("sea", 3)


def test_a_terminal_tells_of_an_album_without_words(book, seeds, tmp_path, capsys):
    book.learn_events(seeds)
    display.show_assignment(book.assign(album(tmp_path, "royalblue", "darkblue")), "album")
    shown = capsys.readouterr().out
    assert "2 photos had a vote" in shown
    assert "a picture" in shown


def test_what_was_learned_lasts_and_is_forgotten(book, seeds, tmp_path):
    book.learn_events(seeds)
    folder = album(tmp_path, "darkgreen")
    for other in (ColourEmbedder(), None):
        again = RememberAI.open(book.store.path, embedder=WordsEmbedder(), image_embedder=other)
        if other is None:  # the model can't be had: words alone
            with pytest.raises(InputError, match="no photo with words"):
                again.assign(folder)
        else:
            assert first(again.assign(folder)) == "lawn"
    book.learn_events({"sea": WORDS["sea"], "lawn": WORDS["lawn"]}, replace_all=True)
    with pytest.raises(InputError, match="no photo with words"):
        book.assign(folder)


def test_pictures_alone_can_be_learned(book, tmp_path):
    for event, shades in SHADES.items():
        for i, shade in enumerate(shades):
            picture(tmp_path / event / f"{i}.png", shade)
    report = book.learn_events({event: [tmp_path / event] for event in SHADES})
    assert reason_of(report, "lawn") == "only 3 pictures: give it ten or more for a sure answer"
    assert first(book.assign(album(tmp_path, "mediumblue"))) == "sea"
    with pytest.raises(InputError, match="learn texts too"):
        book.assign(["waves"])
    book.learn_events({"lawn": WORDS["lawn"]})
    assert first(book.assign(tmp_path / "album")) == "sea"
    with pytest.raises(InputError):
        book.learn_events({"sea": [tmp_path / "nowhere.png"]})


def test_pictures_of_one_album_are_judged_without_each_other(book, tmp_path):
    random, rows = np.random.default_rng(1), []
    for event, shade in {"sea": (20, 40, 160), "lawn": (40, 140, 60)}.items():
        for place in range(3):
            of_place = random.integers(0, 80, 3)
            for i in range(4):
                colour = tuple(int(c) for c in shade + of_place + random.integers(0, 15, 3))
                path = picture(tmp_path / f"{event}-{place}-{i}.png", colour)
                rows.append({"event": event, "photo": path.name, "album": f"{event} {place}"})
    (tmp_path / "seeds.jsonl").write_text("\n".join(map(json.dumps, rows)))
    book.learn_events(tmp_path / "seeds.jsonl")
    learned = book._learned_pictures()
    table = learned.table()
    assert len(set(table["album"].to_pylist())) == 6
    vectors, events = column_matrix(table["vector"]), table["event"].to_pylist()
    by_album, alone = (
        EventAssigner().fit(vectors, events, groups=groups).limits_.tolist()
        for groups in (table["album"].to_pylist(), None)
    )
    assert learned.assigner(None).limits_.tolist() == by_album
    assert by_album != alone


def test_a_picture_that_can_not_be_read_is_an_outcome(book, seeds, tmp_path):
    book.learn_events(seeds)
    folder = album(tmp_path, "blue", "blue")
    data = (folder / "0.png").read_bytes()
    (folder / "0.png").write_bytes(data[: len(data) // 2])
    answer = book.assign(folder)
    assert (first(answer), answer.n_photos) == ("sea", 1)
    (outcome,) = answer.outcomes
    assert outcome.item == "0.png"
    assert outcome.status == "failed"


def test_a_picture_whose_vector_can_not_be_searched_is_told_of(tmp_path, seeds):
    class Blind(ColourEmbedder):
        def encode_images(self, images):
            vectors = super().encode_images(images)
            vectors[vectors[:, 2] > 200] = 0  # of what is blue
            return vectors

    book = RememberAI.create(tmp_path / "b", embedder=WordsEmbedder(), image_embedder=Blind())
    failed = book.learn_events(seeds).with_status("failed")
    assert {outcome.item for outcome in failed} == {"0.png", "2.png"}
    assert all("can't be searched" in outcome.reason for outcome in failed)
    picture(tmp_path / "asked" / "blue.png", "blue")
    picture(tmp_path / "asked" / "navy.png", "navy")
    (outcome,) = book.assign(tmp_path / "asked").outcomes
    assert outcome.item == "blue.png"
    assert "can't be searched" in outcome.reason


def test_stored_pictures_are_not_embedded_again(book, seeds, tmp_path):
    book.learn_events(seeds)
    folder = album(tmp_path, "blue", "navy", "red")
    book.add_folder(folder)
    assert set(statuses(book.embed_images()).values()) == {"done"}
    seen = book._image_embedder.seen
    picture(folder / "new.png", "aqua")
    answer = book.assign(folder)
    assert book._image_embedder.seen == seen + 1
    assert answer.n_photos == 4


def test_a_model_of_both_knows_events_by_their_names(tmp_path, trained_clip):
    import towers

    random = np.random.default_rng(5)
    book = RememberAI.create(
        tmp_path / "b", embedder=WordsEmbedder(), image_embedder=str(trained_clip)
    )
    kinds = towers.KINDS[:4]
    for kind in kinds:
        folder = tmp_path / "seeds" / "-".join(kind)
        folder.mkdir(parents=True)
        for i in range(3):
            towers.drawing(*kind, random).save(folder / f"{i}.png")
    book.learn_events({towers.said(*kind): [tmp_path / "seeds" / "-".join(kind)] for kind in kinds})
    assigner = book._learned_pictures().assigner(book._learned.table())
    assert "descriptions" in assigner.opinions_.opinions_
    right = 0
    for kind in kinds:
        folder = tmp_path / "asked" / "-".join(kind)
        folder.mkdir(parents=True)
        towers.drawing(*kind, random).save(folder / "x.png")
        right += first(book.assign(folder)) == towers.said(*kind)
    assert right >= 3


class NamedColours(ColourEmbedder):
    """Knows the colour that a text ends with, too."""

    def encode(self, texts):
        named = [ImageColor.getrgb(text.split()[-1]) for text in texts]
        return np.array(named, np.float32).reshape(-1, 3) + 1


def test_a_search_weighs_words_and_pictures_by_what_the_seeds_tell(tmp_path):
    book = RememberAI.create(
        tmp_path / "b", embedder=WordsEmbedder(), image_embedder=NamedColours()
    )
    random = np.random.default_rng(2)
    for event, hue in (("sea", 2), ("lawn", 1)):
        said = {}
        for i in range(15):
            rgb = random.integers(0, 60, 3)
            rgb[hue] = random.integers(150, 250)
            colour = "#" + bytes(rgb.tolist()).hex()
            picture(tmp_path / event / f"{i}.png", colour)
            said[str(i)] = f"day {i} {colour}"  # the words of a day are of both events
        remember(tmp_path / event, **said)
    shades = ("maroon", "navy", "darkblue", "red", "brown", "maroon", "red", "brown")
    told = {"0": "day navy"} | {str(i): "a walk at night" for i in range(1, 8)}
    book.add_folder(album(tmp_path, *shades, **told))
    book.embed_images()
    assert book.search("day navy", 1)[0].name == "0.png"  # the words, since nothing is known
    queries = book._queries(book.store.pinned(), "day navy")
    assert book._weights(queries) is None
    seeds = {event: [tmp_path / event] for event in ("sea", "lawn")}
    book.learn_events(seeds)
    again = RememberAI.open(
        book.store.path, embedder=WordsEmbedder(), image_embedder=NamedColours()
    )
    for either in (book, again):
        weights = either._weights(queries)
        assert weights["picture"] > 1.5 * weights["words"]
        assert either.search("day navy", 1)[0].name == "1.png"
    assert book._weights({"words": queries["words"]}) is None
    kept = book.store.read_artifact("seeds-vector_2")
    book.store.replace_artifact("seeds-vector_2", kept.drop_columns("said"))  # of an earlier store
    assert book._weights(queries) is None
    book.learn_events(seeds)
    assert book._weights(queries) == weights
    book.learn_events({"sea": ["waves"], "lawn": ["grass"]}, replace_all=True)
    assert book._weights(queries) is None


@pytest.mark.parametrize("most", [500, 2])
def test_seeds_of_one_album_or_of_equal_words_are_not_asked_for_each_other(monkeypatch, most):
    texts, albums = ["s", "t", "u", "u", "v"], ["a", "a", None, None, "b"]
    vectors = vector_array(np.eye(5, dtype=np.float32))
    turned = np.roll(np.eye(5, dtype=np.float32), 1, axis=1)  # seed i's text is picture i + 1
    seen = pa.table({
        "event": ["e"] * 5,
        "text": texts,
        "album": albums,
        "photo_id": [f"p{i}" for i in range(5)],
        "vector": vectors,
        "said": vector_array(turned),
    })  # fmt: skip
    spoken = seen.take([0, 1, 2, 4])
    asked = []
    monkeypatch.setattr(learned_pictures, "_MOST", most)
    monkeypatch.setattr(
        learned_pictures, "balance", lambda *given: asked.extend(given) or (1.0, 1.0)
    )
    learned_pictures._weights(spoken, seen.take([3, 1, 4, 0, 2]), "cosine")
    rows = [0, 3] if most == 2 else range(5)
    apart = [
        [texts[a] != texts[b] and (albums[a] is None or albums[a] != albums[b]) for b in rows]
        for a in rows
    ]
    by_words, by_looks, events, asked_apart = asked
    assert events == ["e"] * len(rows)
    np.testing.assert_array_equal(by_words, [[texts[a] != texts[b] for b in rows] for a in rows])
    np.testing.assert_array_equal(by_looks, 1 - turned[np.ix_(rows, rows)])
    np.testing.assert_array_equal(asked_apart, apart)


def test_a_higher_risk_draws_the_limits_of_pictures_closer_too(book, seeds, tmp_path):
    for event, (red, green, blue) in {"sea": (0, 40, 120), "lawn": (20, 120, 0)}.items():
        for i in range(12):
            colour = (red + 3 * i, green + 7 * (i % 5), blue + 9 * (i % 4))
            picture(tmp_path / event / f"more-{i}.png", colour)
    book.learn_events(seeds)
    limits = []
    for risk in (0.01, 0.7):
        each = RememberAI.open(
            book.store.path,
            embedder=WordsEmbedder(),
            image_embedder=ColourEmbedder(),
            max_risk=risk,
        )
        limits.append(each._learned_pictures().assigner(None).limits_.max())
    assert limits[0] > limits[1]
