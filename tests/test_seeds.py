"""Learning events: where seeds come from, what becomes of bad ones, and what is asked of albums."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from makers import (
    SAMPLE,
    ColourCaptioner,
    WordsEmbedder,
    picture,
    reason_of,
    remember,
    statuses,
    words_alone,
)

from rememberai import Album, EventAssigner, InputError, RememberAI, StoreError
from rememberai.events import OCCASIONS
from rememberai.phrasings import phrasings

SEA = ["waves and sand", "a swim in the sea", "sand in my shoes"]
CAKE = ["candles on the cake", "birthday cake", "presents and cake"]


@pytest.fixture
def words():
    return WordsEmbedder()


@pytest.fixture
def book(tmp_path, words):
    return RememberAI.create(tmp_path / "book.memories", embedder=words)


@pytest.fixture
def learned(book):
    book.learn_events({"sea": SEA, "cake": CAKE})
    return book


def seeds_of(book) -> set[tuple[str, str]]:
    return {(row["event"], row["text"]) for row in rows_of(book) if row["role"] == "seed"}


def rows_of(book) -> list[dict]:
    return book.store.read_artifact("seeds").to_pylist()


def pairs(**events):
    return {(event, text) for event, texts in events.items() for text in texts}


def write_jsonl(path: Path, *rows) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def write_csv(path: Path, rows, delimiter=",", header=("event", "text")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


# --- sources -------------------------------------------------------------------------------------


def test_a_dictionary_a_jsonl_and_a_csv_teach_the_same(tmp_path, words):
    events = {"sea": SEA, "cake": CAKE}
    rows = [(event, text) for event, texts in events.items() for text in texts]
    sources = [
        events,
        {event: tuple(texts) for event, texts in events.items()},
        write_jsonl(tmp_path / "a.jsonl", *({"event": e, "text": t} for e, t in rows)),
        str(write_csv(tmp_path / "b.csv", rows)),
        write_csv(tmp_path / "c.CSV", rows, ";", ("\ufeffEvent", " TEXT ")),
    ]
    for number, source in enumerate(sources):
        book = RememberAI.create(tmp_path / f"s{number}", embedder=words)
        report = book.learn_events(source)
        assert statuses(report) == {"cake": "done", "sea": "done"}
        assert seeds_of(book) == pairs(**events)
        assert book.assign(["sand and waves in the sea"]).event == "sea"
        assert book.info().events == ("cake", "sea")


def test_a_single_text_stands_for_a_list(book):
    book.learn_events({"sea": "waves", "cake": CAKE})
    assert seeds_of(book) == pairs(sea=["waves"], cake=CAKE)


def test_photo_seeds_are_pictures_or_folders(book, tmp_path, monkeypatch):
    for colour in ("blue", "cyan", "red"):
        picture(tmp_path / "sea" / f"{colour}.png", colour)
    remember(tmp_path / "sea", blue="waves and sand", cyan="a swim")
    picture(tmp_path / "cake" / "pink.png", "pink")
    remember(tmp_path / "cake", pink="candles")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    report = book.learn_events({"sea": [Path("../sea")], "cake": [Path("../cake/pink.png")]})
    assert statuses(report) == {"cake": "done", "sea": "done"}
    assert seeds_of(book) == pairs(sea=["waves and sand", "a swim"], cake=["candles"])


def test_photo_seeds_of_a_file_lie_beside_it(book, tmp_path, monkeypatch):
    picture(tmp_path / "a" / "sea" / "blue.png", "blue")
    remember(tmp_path / "a", **{"sea/blue": "waves and sand"})
    write_jsonl(
        tmp_path / "a" / "seeds.jsonl",
        {"event": "sea", "photo": "sea/blue.png"},
        {"event": "sea", "photo": "sea\\blue.png"},
        {"event": "cake", "text": "candles", "photo": None},
    )
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    report = book.learn_events("../a/seeds.jsonl")
    assert statuses(report) == {"cake": "done", "sea": "done"}
    assert seeds_of(book) == pairs(sea=["waves and sand"], cake=["candles"])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_photo_seeds_are_found_composed_decomposed_and_in_another_case(book, tmp_path, form):
    name = normalize("NFC" if form == "NFD" else "NFD", "Été/blue")
    picture(tmp_path / f"{name}.png", "blue")
    remember(tmp_path, **{name: "waves and sand"})
    write_jsonl(
        tmp_path / "seeds.jsonl", {"event": "sea", "photo": normalize(form, "Été\\BLUE.png")}
    )
    book.learn_events(tmp_path / "seeds.jsonl")
    assert seeds_of(book) == pairs(sea=["waves and sand"])


def test_a_seed_that_is_a_copy_of_a_photo_beside_it_counts(book, tmp_path):
    picture(tmp_path / "sea" / "blue.png", "blue")
    shutil.copy(tmp_path / "sea" / "blue.png", tmp_path / "sea" / "copy.png")
    remember(tmp_path / "sea", blue="waves")
    book.learn_events({"sea": [tmp_path / "sea" / "copy.png"]})
    assert seeds_of(book) == pairs(sea=["waves"])


def test_a_folder_of_words_alone_is_a_seed(book):
    book.learn_events({"bicycle": [SAMPLE / "query_unknown"]})
    memories = (SAMPLE / "query_unknown" / "memories.jsonl").read_text("utf-8").splitlines()
    assert seeds_of(book) == pairs(bicycle=[json.loads(line)["text"] for line in memories])


def test_a_photo_seed_without_memory_takes_its_caption(book, tmp_path):
    picture(tmp_path / "sea" / "blue.png", "blue")
    picture(tmp_path / "sea" / "cyan.png", "cyan")
    book.add_folder(tmp_path / "sea")
    book.captioner = ColourCaptioner()
    book.learn_events({"sea": [tmp_path / "sea"]})
    assert seeds_of(book) == pairs(sea=["colour 0-0-255", "colour 0-255-255"])
    assert book.info().captions == 0  # a seed is not stored as a photo


def test_a_photo_seed_takes_the_words_that_the_store_has_of_it(book, tmp_path):
    picture(tmp_path / "sea" / "blue.png", "blue")
    book.add_folder(tmp_path / "sea")
    book.caption(ColourCaptioner())
    book.learn_events({"sea": [tmp_path / "sea" / "blue.png"]})
    assert seeds_of(book) == pairs(sea=["colour 0-0-255"])


# --- more, again, anew ---------------------------------------------------------------------------


def test_seeds_add_up(learned, words):
    report = learned.learn_events({"sea": ["a sandcastle", SEA[0]], "snow": ["a snowman"] * 3})
    assert seeds_of(learned) == pairs(sea=[*SEA, "a sandcastle"], cake=CAKE, snow=["a snowman"])
    assert reason_of(report, "sea").startswith("only 4 seeds")
    again = RememberAI.open(learned.store.path, embedder=words)
    assert again.assign(["a snowman"]).event == "snow"
    assert again.assign(["a swim in the sea"]) == learned.assign(["a swim in the sea"])


def test_replace_all_forgets(learned):
    learned.learn_events({"snow": ["a snowman", "deep snow"]}, replace_all=True)
    assert seeds_of(learned) == pairs(snow=["a snowman", "deep snow"])
    assert learned.info().events == ("snow",)


def test_an_event_with_one_seed_is_learned_and_remarked_on(learned):
    report = learned.learn_events({"snow": ["a snowman"]})
    assert statuses(report)["snow"] == "done"
    assert "only 1 seed:" in reason_of(report, "snow")
    assert learned.assign(["a snowman"]).event == "snow"


def test_an_event_with_enough_seeds_has_no_warning(learned):
    report = learned.learn_events({"snow": [f"snow {i}" for i in range(5)]})
    assert reason_of(report, "snow") == "learned from 5 seeds"


def test_nothing_is_embedded_twice(book, words):
    book.add_album(words_alone(SEA[0]))
    book.learn_events({"sea": SEA, "cake": CAKE})
    named = [text for name in ("sea", "cake", *OCCASIONS) for text in phrasings(name)]
    assert sorted(words.seen) == sorted([*SEA, *CAKE, *named])
    book.learn_events({"sea": SEA, "cake": [*CAKE, "cake crumbs"]})
    assert sorted(words.seen) == sorted([*SEA, *CAKE, "cake crumbs", *named])
    again = WordsEmbedder()
    reopened = RememberAI.open(book.store.path, embedder=again)
    reopened.learn_events({"sea": SEA})
    reopened.assign([SEA[0], SEA[1], CAKE[0], "never seen", "never seen"])
    assert again.seen == ["never seen"]


def test_the_order_of_the_seeds_changes_no_answer(tmp_path, words):
    answers = []
    for number, turn in enumerate((1, -1)):
        book = RememberAI.create(tmp_path / str(number), embedder=words)
        book.learn_events({"sea": SEA[::turn], "cake": CAKE[::turn]})
        answers.append(book.assign(["sand on the cake", "waves"]))
    assert answers[0].event == answers[1].event
    assert dict(answers[0].ranking) == pytest.approx(dict(answers[1].ranking))


# --- bad seeds -----------------------------------------------------------------------------------


def test_each_bad_row_is_named_and_the_good_ones_count(book, tmp_path):
    picture(tmp_path / "silent.png")
    (tmp_path / "broken.png").write_text("no picture")
    path = write_jsonl(
        tmp_path / "seeds.jsonl",
        {"event": "sea", "text": "waves"},
        "not JSON",
        ["a", "list"],
        {"text": "no event"},
        {"event": "  ", "text": "blank event"},
        {"event": 7, "text": "a number"},
        {"event": "sea"},
        {"event": "sea", "text": " "},
        {"event": "sea", "text": 7},
        {"event": "sea", "photo": "absent.png"},
        {"event": "sea", "photo": "silent.png"},
        {"event": "sea", "photo": "broken.png"},
        {"event": "sea", "photo": "../outside.png"},
        {"event": "sea", "photo": "/etc/passwd"},
        {"event": "sea", "photo": "C:/Users/mia/blue.png"},
        "",
        {"event": "cake", "text": "candles"},
    )
    report = book.learn_events(path)
    failed = {o.item: o.reason for o in report.outcomes if o.status == "failed"}
    wanted = {
        2: "no JSON object",
        3: "{event, text}",
        4: "event has no name",
        5: "event has no name",
        6: "event has no name",
        7: "neither a text nor a photo",
        8: "neither a text nor a photo",
        9: "neither a text nor a photo",
        10: "there is no photo at",
        11: "no words",
        12: "no readable",
        13: "outside of the file's folder",
        14: "outside of the file's folder",
        15: "outside of the file's folder",
    }
    assert failed.keys() == {f"seeds.jsonl, line {line}" for line in wanted}
    for line, reason in wanted.items():
        assert reason in failed[f"seeds.jsonl, line {line}"]
    assert seeds_of(book) == pairs(sea=["waves"], cake=["candles"])


def test_a_comma_outside_quotes_cuts_no_text_short(book, tmp_path):
    path = tmp_path / "seeds.csv"
    path.write_text('event,text\nsea,"waves, sand"\nsea,waves, and a swim\n', encoding="utf-8")
    report = book.learn_events(path)
    assert "put double quotes" in reason_of(report, "seeds.csv, line 3")
    assert seeds_of(book) == pairs(sea=["waves, sand"])


@pytest.mark.parametrize(
    "seeds",
    [
        {3: ["waves"]},
        {"": ["waves"]},
        {"sea": []},
        {"sea": [""]},
        {"sea": None},
        {"sea": [7]},
        {"sea": [Path("/no/such/photo.jpg")]},
        {},
    ],
    ids=str,
)
def test_not_one_usable_seed_is_an_error_and_the_earlier_ones_stay(learned, seeds):
    for replace_all in (False, True):
        with pytest.raises(InputError, match="not one seed can be used"):
            learned.learn_events(seeds, replace_all=replace_all)
    assert seeds_of(learned) == pairs(sea=SEA, cake=CAKE)
    assert learned.assign([SEA[0]]).event == "sea"


def test_what_is_no_source_of_seeds_is_refused(learned, tmp_path):
    (tmp_path / "latin.csv").write_bytes("event,text\nsea,caf\xe9\n".encode("latin-1"))
    for source, wanted in (
        (7, "a .jsonl or .csv file or a dictionary"),
        (["waves"], "a .jsonl or .csv file or a dictionary"),
        (tmp_path / "seeds.txt", "a .jsonl or .csv file or a dictionary"),
        (tmp_path / "absent.csv", "absent.csv can't be read"),
        (tmp_path / "latin.csv", "UTF-8"),
    ):
        with pytest.raises(InputError, match=wanted):
            learned.learn_events(source)
    assert seeds_of(learned) == pairs(sea=SEA, cake=CAKE)


def test_half_characters_are_mended(book):
    book.learn_events({"sea \ud83c": ["waves \ud800"], "cake": CAKE})
    assert ("sea ?", "waves ?") in seeds_of(book)


def test_spoilt_seeds_are_said_so_and_can_be_learned_anew(learned, words):
    (file,) = learned.store.path.glob("seeds*")
    file.write_bytes(file.read_bytes()[:-9])
    book = RememberAI.open(learned.store.path, embedder=words)
    for job in (lambda: book.assign(["waves"]), lambda: book.learn_events({"sea": SEA})):
        with pytest.raises(StoreError, match="truncated or altered"):
            job()
    book.add_album(words_alone("photos go on"))
    book.learn_events({"sea": SEA, "cake": CAKE}, replace_all=True)
    assert book.assign(["waves and sand"]).event == "sea"


# --- albums that are asked about -----------------------------------------------------------------


def test_assigning_before_learning(book):
    with pytest.raises(InputError, match="no events are learned yet"):
        book.assign(["waves"])


@pytest.mark.parametrize("nothing", [[], [""], [" ", "\n"], ()])
def test_an_album_without_words(learned, nothing):
    with pytest.raises(InputError, match="no photo with words"):
        learned.assign(nothing)


def test_an_empty_folder_and_one_without_words(learned, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="neither photos"):
        learned.assign(tmp_path / "empty")
    picture(tmp_path / "silent" / "red.png")
    with pytest.raises(InputError, match="no photo with words"):
        learned.assign(tmp_path / "silent")


@pytest.mark.parametrize("other", [None, 7, [7], [None], [b"waves"]])
def test_what_is_no_album_is_refused(learned, other):
    with pytest.raises(InputError, match="a list of texts"):
        learned.assign(other)


def test_photos_without_words_do_not_vote(learned, tmp_path):
    for colour in ("red", "green", "blue"):
        picture(tmp_path / "a" / f"{colour}.png", colour)
    remember(tmp_path / "a", blue="waves and sand")
    answer = learned.assign(tmp_path / "a")
    assert (answer.event, answer.n_photos) == ("sea", 1)


def test_photos_without_words_are_captioned_when_asked_about_and_not_stored(learned, tmp_path):
    learned.learn_events({"blue things": ["colour 0-0-255", "colour 0-0-254"]})
    picture(tmp_path / "a" / "blue.png", "blue")
    captioner = ColourCaptioner()
    book = RememberAI.open(learned.store.path, embedder=WordsEmbedder(), captioner=captioner)
    answer = book.assign(tmp_path / "a")
    assert (answer.event, answer.n_photos, captioner.seen) == ("blue things", 1, 1)
    assert len(book) == 0


def test_a_path_like_object_and_an_album_are_taken(learned, tmp_path):
    picture(tmp_path / "a" / "blue.png", "blue")
    remember(tmp_path / "a", blue="waves and sand")

    class Place:
        def __fspath__(self):
            return str(tmp_path / "a")

    answer = learned.assign(Place())
    assert answer.event == "sea"
    assert learned.assign(Album.from_folder(tmp_path / "a")) == answer
    assert learned.assign(iter(["waves and sand"])) == answer


def test_more_votes_than_prototypes_is_no_trouble(book):
    book.learn_events({"sea": ["waves"], "cake": ["candles"]})
    answer = book.assign(["waves", "high waves", "candles"])
    assert answer.n_photos == 3
    assert answer.ranking[0][0] == "sea"
    assert len(answer.nearest) == 2


# --- several books of one store, and paths by mistake --------------------------------------------


def test_books_that_learn_at_once_lose_no_seeds(tmp_path, book):
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[3])\n"
        "from makers import WordsEmbedder\n"
        "from rememberai import RememberAI\n"
        "book = RememberAI.open(sys.argv[1], embedder=WordsEmbedder())\n"
        "print('open', flush=True); sys.stdin.readline()\n"
        "for i in range(5):\n"
        "    book.learn_events({sys.argv[2]: [f'{sys.argv[2]} {i} words']})\n"
    )
    arguments = [sys.executable, "-c", code, str(book.store.path)]
    here = str(Path(__file__).parent)
    learners = [
        subprocess.Popen(
            [*arguments, name, here], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two", "three")
    ]
    for learner in learners:
        assert learner.stdout.readline() == "open\n"
    for learner in learners:
        learner.stdin.write("go\n")
        learner.stdin.flush()
    assert [learner.wait() for learner in learners] == [0, 0, 0]
    for learner in learners:
        learner.stdin.close()
        learner.stdout.close()
    expected = {(name, f"{name} {i} words") for name in ("one", "two", "three") for i in range(5)}
    assert seeds_of(book) == expected


def test_a_book_sees_what_another_learned_since(book, words):
    book.learn_events({"sea": SEA})
    assert [event for event, _ in book.assign(["waves"]).ranking] == ["sea"]
    RememberAI.open(book.store.path, embedder=words).learn_events({"cake": CAKE})
    assert {event for event, _ in book.assign(["waves"]).ranking} == {"sea", "cake"}


def test_a_path_given_as_a_text_is_no_seed(book, tmp_path):
    picture(tmp_path / "snow" / "a.png", "white")
    report = book.learn_events(
        {"snow": [str(tmp_path / "snow"), str(tmp_path / "snow" / "a.png"), "We built a snowman"]}
    )
    assert [o.status for o in report.outcomes] == ["failed", "failed", "done"]
    assert "pathlib.Path" in report.outcomes[0].reason
    assert seeds_of(book) == {("snow", "We built a snowman")}
    with pytest.raises(InputError, match="is a path"):
        book.assign([str(tmp_path / "snow" / "a.png")])


def test_an_answer_names_the_photos_that_had_no_vote(learned, tmp_path):
    picture(tmp_path / "new" / "good.png", "blue")
    picture(tmp_path / "new" / "silent.png", "gray")
    (tmp_path / "new" / "broken.jpg").write_bytes(b"no picture")
    remember(tmp_path / "new", good="waves and sand")
    answer = learned.assign(tmp_path / "new")
    assert answer.n_photos == 1
    assert {o.item: o.status for o in answer.outcomes} == {
        "broken.jpg": "failed",
        "silent.png": "waiting",
    }


def described(book) -> dict[tuple[str, str], list[str]]:
    found = {}
    for row in rows_of(book):
        if row["role"] not in ("seed", "occasion"):
            found.setdefault((row["event"], row["role"]), []).append(row["text"])
    return found


def test_an_event_is_described_by_its_name_in_each_phrasing(book, words):
    book.learn_events({"sea": SEA, "birthday_cake": CAKE, "바다": ["파도"]})
    names = {"sea": "sea", "birthday_cake": "birthday cake", "바다": "바다"}
    assert described(book) == {
        (event, "name"): sorted(phrasings(name)) for event, name in names.items()
    }
    for row in rows_of(book):
        assert row["vector"] == words.encode([row["text"]])[0].tolist()
    assert book.info().seeds == len(SEA + CAKE) + 1


def test_the_name_has_a_say(tmp_path, words):
    plain = {"one": ["a walk"], "two": ["a talk"]}
    named = {"sunflower": ["a walk"], "violin": ["a talk"]}
    answers = []
    for number, events in enumerate((plain, named)):
        book = RememberAI.create(tmp_path / f"s{number}", embedder=words)
        book.learn_events(events)
        answers.append(dict(book.assign(["violin"]).ranking))
    assert answers[0]["two"] == pytest.approx(answers[0]["one"], abs=0.05)
    assert answers[1]["violin"] > answers[1]["sunflower"] + 0.05


@pytest.mark.parametrize("given", ["dictionary", "file"])
def test_a_description_takes_the_place_of_the_name_and_the_last_one_counts(
    tmp_path, learned, given
):
    def describe(text):
        if given == "dictionary":
            learned.learn_events({"cake": CAKE}, descriptions={"cake": text})
        else:
            row = {"event": "cake", "description": text}
            learned.learn_events(write_jsonl(tmp_path / "d.jsonl", row))

    before = dict(learned.assign(["trumpet"]).ranking)["cake"]
    describe("trumpet")
    assert dict(learned.assign(["trumpet"]).ranking)["cake"] > before + 0.1
    describe("trombone")
    assert described(learned)["cake", "description"] == ["trombone"]
    assert dict(learned.assign(["trombone"]).ranking)["cake"] > before + 0.1
    assert seeds_of(learned) == pairs(sea=SEA, cake=CAKE)


@pytest.mark.parametrize("seed", ["text", "photo"])
def test_a_row_may_hold_a_seed_and_a_description(book, tmp_path, seed):
    picture(tmp_path / "0.png")
    remember(tmp_path, **{"0": SEA[0]})
    given = {"text": SEA[0], "photo": "0.png"}[seed]
    row = {"event": "sea", seed: given, "description": "a day on the beach"}
    write_jsonl(tmp_path / "seeds.jsonl", row, {"event": "cake", "text": CAKE[0]})
    book.learn_events(tmp_path / "seeds.jsonl")
    assert seeds_of(book) == pairs(sea=SEA[:1], cake=CAKE[:1])
    assert described(book)["sea", "description"] == ["a day on the beach"]


def test_an_event_without_seeds_is_told_by_its_description(learned):
    report = learned.learn_events({}, descriptions={"concert": "a band on stage"})
    assert reason_of(report, "concert").startswith("only 1 seed")
    assert learned.assign(["a band on stage"]).event == "concert"
    learned.learn_events({"concert": ["songs and guitars"]})
    assert ("concert", "a band on stage") not in seeds_of(learned)
    assert learned.info().seeds == len(SEA + CAKE) + 1


@pytest.mark.parametrize("wrong", [None, 3, "", "  "])
def test_a_description_that_is_no_text_is_named(book, wrong):
    report = book.learn_events({"sea": SEA}, descriptions={"sea": wrong})
    assert "a description is a text" in reason_of(report, "sea, description")
    assert statuses(report)["sea"] == "done"


@pytest.mark.parametrize("later", [["role", "album"], ["album"]])
def test_seeds_that_an_older_version_kept_are_used_and_get_names(learned, later):
    new = learned.store.read_artifact("seeds")
    old = new.filter(pc.equal(new["role"], "seed")).drop_columns(later)
    learned.store.replace_artifact("seeds", old)
    again = RememberAI.open(learned.store.path, embedder=WordsEmbedder())
    assert again.assign(SEA[:2]).event == "sea"
    assert again.info().seeds == len(SEA + CAKE)
    again.learn_events({"snow": ["skis and a sledge"]})
    assert set(described(again)) == {(event, "name") for event in ("cake", "sea", "snow")}
    assert seeds_of(again) == pairs(sea=SEA, cake=CAKE, snow=["skis and a sledge"])


# --- seeds of one album, and the risk ------------------------------------------------------------


def test_occasions_are_kept_once_beside_the_seeds_and_are_no_events(learned):
    learned.learn_events({"wedding": ["the rings", "the bride"]})
    learned.learn_events({"snow": ["skis"]}, replace_all=True)
    learned.learn_events({"wedding": ["the rings", "the bride"]})
    kept = [(row["event"], row["text"]) for row in rows_of(learned) if row["role"] == "occasion"]
    assert sorted(kept) == sorted((name, text) for name in OCCASIONS for text in phrasings(name))
    assert learned._learned.assigner().events_ == ["snow", "wedding"]
    assert learned.info().events == ("snow", "wedding")


def said(names, words) -> np.ndarray:
    """Average each name's phrasings by hand: counted words are not of unit length."""
    found = []
    for name in names:
        each = words.encode(phrasings(name)).astype(float)
        lengths = np.linalg.norm(each, axis=1, keepdims=True)
        mean = (each / lengths).mean(axis=0)
        found.append(mean / np.linalg.norm(mean) * lengths.mean())
    return np.array(found)


def knows(assigner, words):
    found = assigner.assign(words.encode(["sea", "wedding", "a cake"]))
    return np.column_stack([found.probabilities, found.known]).round(4).tolist()


def test_seeds_of_one_album_are_judged_without_each_other(tmp_path, words):
    rows = [
        {"event": event, "text": f"{event} {place} {place} {i}", "album": place}
        for event, places in {"sea": "busan jeju sokcho", "cake": "home school cafe"}.items()
        for place in places.split()
        for i in range(3)
    ]
    alone = [{key: row[key] for key in ("event", "text")} for row in rows]
    limits = []
    for name, seeds in (("albums", rows), ("alone", alone)):
        book = RememberAI.create(tmp_path / name, embedder=words)
        book.learn_events(write_jsonl(tmp_path / f"{name}.jsonl", *seeds))
        limits.append(book._learned.assigner().limits_.tolist())
        oracle = EventAssigner().fit(
            words.encode([row["text"] for row in seeds]),
            [row["event"] for row in seeds],
            descriptions=dict(zip(["cake", "sea"], said(["cake", "sea"], words), strict=True)),
            groups=[row.get("album") for row in seeds],
            others=said(OCCASIONS, words),
        )
        assert knows(book._learned.assigner(), words) == knows(oracle, words)
        assert limits[-1] == oracle.limits_.tolist()
    assert limits[0] != limits[1]


def test_a_description_stands_as_it_was_written(book, words):
    told = {"cake": "candles and a cake", "sea": "sand and waves"}
    book.learn_events({"sea": SEA, "cake": CAKE}, descriptions=told)
    oracle = EventAssigner().fit(
        words.encode([*CAKE, *SEA]),
        ["cake"] * len(CAKE) + ["sea"] * len(SEA),
        descriptions=dict(zip(told, words.encode(list(told.values())), strict=True)),
        others=said(OCCASIONS, words),
    )
    assert knows(book._learned.assigner(), words) == knows(oracle, words)


def test_names_that_an_older_version_kept_alone_are_used_so_and_said_anew_when_it_learns(
    tmp_path, words
):
    events = {"sea": SEA, "cake": CAKE}
    anew = RememberAI.create(tmp_path / "anew", embedder=words)
    old = RememberAI.create(tmp_path / "old", embedder=words)
    for book in (anew, old):
        book.learn_events(events)
    name_of = [
        row["event"] if row["role"] in ("name", "occasion") else None for row in rows_of(old)
    ]
    alone = [name in (None, row["text"]) for name, row in zip(name_of, rows_of(old), strict=True)]
    gone = {"event": "picnick", "text": "picnick", "role": "occasion", "album": None}
    table = old.store.read_artifact("seeds")
    gone = pa.Table.from_pylist([gone | {"vector": [1.0] * 64}], table.schema)
    old.store.replace_artifact("seeds", pa.concat_tables([table.filter(alone), gone]))
    oracle = EventAssigner().fit(
        words.encode([*CAKE, *SEA]),
        ["cake"] * len(CAKE) + ["sea"] * len(SEA),
        descriptions=dict(zip(["cake", "sea"], words.encode(["cake", "sea"]), strict=True)),
        others=np.concatenate([words.encode(list(OCCASIONS)), np.ones((1, 64))]),
    )
    assert knows(old._learned.assigner(), words) == knows(oracle, words)
    for book in (anew, old):
        book.learn_events({"snow": ["skis and a sledge"]})
    assert sorted(map(repr, rows_of(old))) == sorted(map(repr, rows_of(anew)))


def test_a_photo_of_a_seeds_file_has_its_album_too(book, tmp_path):
    picture(tmp_path / "red.png")
    remember(tmp_path, red="the red boat")
    row = {"event": "sea", "photo": "red.png", "album": " our boats\n"}
    book.learn_events(write_jsonl(tmp_path / "seeds.jsonl", row))
    assert {row["album"] for row in rows_of(book) if row["role"] == "seed"} == {"our boats"}


def test_the_album_of_a_seed_may_be_told_later_and_stays(book, tmp_path):
    rows = [{"event": "sea", "text": text} for text in SEA]
    told = [row | {"album": "2023"} for row in rows]
    for seeds in (rows, told, rows):
        book.learn_events(write_jsonl(tmp_path / "seeds.jsonl", *seeds))
    seeds = [row for row in rows_of(book) if row["role"] == "seed"]
    assert sorted((row["text"], row["album"]) for row in seeds) == sorted(
        (text, "2023") for text in SEA
    )


def test_a_higher_risk_draws_the_limits_of_events_closer(tmp_path, words):
    path = tmp_path / "s"
    book = RememberAI.create(path, embedder=words, max_risk=0.01)
    book.learn_events({"sea": [f"waves {'sand ' * i}{i}" for i in range(12)], "cake": CAKE})
    risky = RememberAI.open(path, embedder=words, max_risk=0.7)
    usual = RememberAI.open(path, embedder=words)
    limits = [each._learned.assigner().limits_.max() for each in (book, usual, risky)]
    assert limits[0] >= limits[1] > limits[2]


@pytest.mark.parametrize("risk", [0, 1, -0.1, 7, float("nan"), "0.1", None])
def test_a_risk_that_is_none_is_refused_where_it_is_given(tmp_path, learned, risk):
    for make, path in ((RememberAI.open, learned.store.path), (RememberAI.create, tmp_path / "t")):
        with pytest.raises(InputError, match="max_risk must be above 0 and below 1"):
            make(path, embedder=WordsEmbedder(), max_risk=risk)
    assert not (tmp_path / "t").exists()
