"""How the events benchmark judges: scores and intervals against others' and by hand."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from benchmarks import _event_arms as arms
from benchmarks._event_data import Encodings, Labelled, read_texts
from benchmarks._event_tables import plot, table
from benchmarks._event_tasks import folded
from benchmarks._event_unknown import NAMED, PROBABILITY, PUBLISHED, TAUGHT, unknown, unknown_texts
from benchmarks._records import Run, newest_run
from benchmarks.events_memex import MemexAlbum
from rememberai.phrasings import phrasings


def test_hits_are_kept_in_few_digits():
    hits = np.random.default_rng(0).random(37) < 0.5
    assert arms.unpacked(arms.packed(hits), 37).tolist() == hits.tolist()


def test_noise_is_wrong_and_names_of_clusters_do_not_matter():
    truth = np.array(["a", "a", "b", "b", "b", "c"])
    found = arms.cluster_scores(np.array([7, 7, 0, 0, -1, 3]), truth)
    assert found["accuracy"] == pytest.approx(5 / 6)
    assert (found["clusters"], found["classes"], found["noise"]) == (3, 3, pytest.approx(1 / 6))
    assert arms.cluster_scores(np.full(6, -1), truth)["accuracy"] == 0


def test_an_interval_is_that_of_units_not_of_answers():
    random = np.random.default_rng(0)
    hits = np.repeat(random.random(20) < 0.5, 50)  # the answers of a unit are all alike
    alone = arms.judged(hits, [])
    grouped = arms.judged(hits, np.repeat(np.arange(20), 50).tolist())
    (low, high), (lowest, highest) = arms.interval([alone]), arms.interval([grouped])
    assert low < hits.mean() < high
    assert highest - lowest > 4 * (high - low)
    spread = np.sqrt(hits.mean() * (1 - hits.mean()) / 20)
    assert highest - lowest == pytest.approx(2 * 1.96 * spread, rel=0.2)


def test_whitened_vectors_have_no_covariance_within_their_classes():
    random = np.random.default_rng(0)
    labels = np.arange(4000) % 3
    mixing = random.normal(size=(5, 5))
    vectors = random.normal(size=(3, 5))[labels] + random.normal(size=(4000, 5)) @ mixing
    vectors = vectors.astype(np.float32)
    view, metric = arms.view_of("whitened", vectors, labels)
    white = view(vectors)
    within = white - np.stack([white[labels == c].mean(axis=0) for c in range(3)])[labels]
    assert metric == "l2"
    np.testing.assert_allclose(within.T @ within / 4000, np.eye(5), atol=0.1)


def test_a_calibrated_answer_has_no_error():
    sure = np.repeat([0.25, 0.75], 400)
    hits = np.r_[np.arange(400) % 4 == 0, np.arange(400) % 4 > 0]
    assert arms.calibration_error(sure, hits) == pytest.approx(0)
    assert arms.calibration_error(sure, ~hits) == pytest.approx(0.5)


def test_folds_part_the_rows():
    tests = np.concatenate([folded(103, fold)[1] for fold in range(5)])
    assert sorted(tests.tolist()) == list(range(103))
    assert not set(folded(103, 1)[0].tolist()) & set(folded(103, 1)[1].tolist())


def test_vectors_are_made_once_for_a_model_and_texts(tmp_path):
    class Counting:
        model_id, dimension, calls = "a@1", 2, 0

        def encode(self, texts):
            self.calls += 1
            return np.ones((len(texts), 2), np.float32)

    rows = [{"text": "t", "concepts": ["food"]}, {"text": "u", "concepts": ["0"]}]
    rows.append({"text": "v", "concepts": ["food", "party"]})
    lines = [json.dumps(row) for row in rows]
    (tmp_path / "happydb_concepts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    embedder = Counting()
    for _ in range(2):
        found = read_texts(tmp_path, "happydb_concepts", Encodings(embedder, tmp_path / "c"))
    assert found.texts == ["t"]
    assert found.labels.tolist() == ["food"]
    assert embedder.calls == 1


def test_events_held_out_are_hidden_from_all_but_the_oracle(tmp_path):
    pytest.importorskip("faiss")
    random = np.random.default_rng(0)
    centres = random.normal(size=(8, 12)).astype(np.float32)

    class Names:
        dimension, model_id = 12, "made@1"

        def encode(self, texts):
            return random.normal(size=(len(texts), 12)).astype(np.float32)

    albums = [
        MemexAlbum(user, f"event {i}", centres[i] + 0.3 * random.normal(size=(3, 12)))
        for user in range(8)
        for i in range(8)
    ]
    albums = [album._replace(vectors=album.vectors.astype(np.float32)) for album in albums]
    names = {f"event {i}": centre for i, centre in enumerate(centres)}
    run = Run("made", {}, folder=tmp_path)
    unknown(run, Encodings(Names(), None), albums, names, 2)
    by = {arm: [r for r in run.records if r["arm"]["by"] == arm] for arm in (TAUGHT, PROBABILITY)}
    assert all(r["figures"]["auroc"] > 0.99 for r in by[TAUGHT])
    for record in by[PROBABILITY]:  # six events are known, of four users each
        assert len(record["figures"]["hits"]) == 24
        assert np.mean(record["figures"]["hits"]) > 0.9
    shown = table(run.records)
    for arm in (PROBABILITY, NAMED, PUBLISHED, TAUGHT):
        assert shown.count(f"albums a side, {arm} |") == 2


def test_texts_of_concepts_held_out_are_asked_for_beside_the_others(tmp_path):
    random = np.random.default_rng(0)
    centres = random.normal(size=(8, 12)).astype(np.float32)
    labels = np.arange(400) % 8
    vectors = centres[labels] + 0.3 * random.normal(size=(400, 12)).astype(np.float32)
    texts = Labelled([""] * 400, np.array([f"concept {i}" for i in labels]), vectors)

    class Names:
        dimension, model_id = 12, "made@1"

        def encode(self, said):
            known = [re.search(r"concept (\d)", phrasing) for phrasing in said]
            ways = len(phrasings("other"))  # others are all of them in turn
            return centres[[int(k[1]) if k else i // ways % 8 for i, k in enumerate(known)]]

    run = Run("made", {}, folder=tmp_path)
    unknown_texts(run, Encodings(Names(), None), texts, 2)
    for record in run.records:
        assert 130 < len(record["figures"]["hits"]) < 170  # six of eight, of half of the texts
        assert np.mean(record["figures"]["hits"]) > 0.9
        assert record["figures"]["auroc"] > 0.95 or record["arm"]["by"] == PROBABILITY
    shown = table(run.records)
    assert [shown.count(f"happydb, single texts, {arm} |") for arm in (NAMED, TAUGHT)] == [1, 0]


def test_the_words_follow_the_records():
    def record(arm, figures, repeat=0):
        return {"arm": arm, "figures": figures, "repeat": repeat}

    def grid(better):
        for data in ("memex", "happydb"):
            for metric in arms.METRICS:
                for selection in arms.SELECTIONS:
                    hits = np.arange(100) < (80 if selection == better else 50)
                    figures = {str(n): arms.judged(hits, []) for n in arms.NUMBERS}
                    arm = {"task": "grid", "data": data, "metric": metric, "selection": selection}
                    yield record(arm, figures)

    lengths = {"cosine": 0.5, "raw L2": 0.5, "centred cosine": 0.5, "centred raw L2": 0.5}
    arm = {"task": "pairs", "encoder": "made"}
    unit = record(arm, {**lengths, "shortest": 1.0, "longest": 1.0})
    other = record(arm, {**lengths, "raw L2": 0.4, "shortest": 0.5, "longest": 2.0})
    assert "rank alike by algebra" in table([unit])
    assert "by up to 10.00 points" in table([other])
    assert "beats its periphery in 48 of 48" in table([*grid("centroid"), unit])
    assert "beats its periphery in 0 of 48" in table([*grid("periphery"), unit])
    assert "In 108 of 108 runs" in table([*grid("centroid"), unit])


def test_the_plot_is_drawn_from_the_records_kept(tmp_path):
    pytest.importorskip("matplotlib")
    plot(newest_run("events"), tmp_path)
    drawn = (tmp_path / "events.svg").read_text("utf-8")
    assert drawn.startswith("<?xml")


def test_each_tasks_newest_run_counts(tmp_path):
    kept = [
        {"run": run, "arm": {"task": task, "encoder": encoder}}
        for run, task, encoder in (
            ("2026-01-01", "sweep", "one"),
            ("2026-01-01", "grid", None),
            ("2026-01-02", "sweep", "one"),
            ("2026-01-01", "sweep", "other"),
        )
    ]
    lines = "".join(json.dumps(record) + "\n" for record in kept)
    (tmp_path / "some.jsonl").write_text(lines, "utf-8")
    assert newest_run("some", tmp_path) == kept[1:]
