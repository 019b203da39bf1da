"""Whether something is of a learned event at all: shares written out, refits, scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs
from sklearn.linear_model import LogisticRegression

from rememberai import EventAssigner, EventPrototypes, InputError
from rememberai._arrays import prepare
from rememberai.events import OCCASIONS
from rememberai.events.calibration import Calibration
from rememberai.events.descriptions import EventDescriptions
from rememberai.events.gaussian import GaussianHead
from rememberai.events.novelty import Novelty, _regress
from rememberai.events.others import OtherEvents
from rememberai.events.seedset import SeedSet

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


def world(n_events=8, size=24, seed=0):
    """Photos of eight events in albums of four, and a name near to each event."""
    vectors, labels = blobs(n_events, size, 24, spread=1.0, seed=seed)
    labels = np.array(labels)
    centres = np.stack([vectors[labels == i].mean(axis=0) for i in range(n_events)])
    names = centres + np.random.default_rng(5).normal(size=centres.shape) * 0.2
    groups = [int(i) for i in np.arange(len(labels)) // 4]
    return vectors, labels, names.astype(np.float32), groups


def taught(learned, others=None, metric="cosine", **options):
    vectors, labels, names, groups = world()
    rows = np.flatnonzero(np.isin(labels, learned))
    return EventAssigner(**options).fit(
        vectors[rows],
        [f"event {i}" for i in labels[rows]],
        descriptions={f"event {i}": names[i] for i in learned},
        groups=[groups[i] for i in rows],
        others=None if others is None else names[others],
    )


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# --- the share of the learned events --------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_an_opinion_tells_learned_events_as_it_would_without_the_others(metric):
    vectors, labels, names, _ = world()
    rows = labels < 5
    seeds = SeedSet.sorted(
        prepare(vectors[rows], metric), labels[rows], [None] * rows.sum(), 5, metric
    )
    words, others = prepare(names[:5], metric), prepare(names[5:], metric)
    asked = prepare(vectors, metric)
    events = [str(i) for i in range(5)]
    told = dict(zip(events, names[:5], strict=True))
    pairs = [
        [
            EventDescriptions(metric).fit(told, events, seeds.vectors, seeds.truth, some)
            for some in (None, others)
        ],
        [GaussianHead().fit(seeds, words, some) for some in (None, others)],
    ]
    for alone, beside in pairs:
        np.testing.assert_allclose(beside.left_out_, alone.left_out_, atol=1e-6)
        logits = beside.logits(asked)
        assert logits.shape == (len(asked), 8)
        for found in (beside.probabilities(asked), softmax(logits[:, :5])):
            np.testing.assert_allclose(found, alone.probabilities(asked), atol=1e-5)
        np.testing.assert_allclose(softmax(beside.left_out_logits_[:, :5]), alone.left_out_)


def test_a_gaussian_of_another_event_stands_where_its_name_lets_expect_it():
    vectors, labels, names, _ = world()
    seeds = SeedSet.sorted(prepare(vectors, "l2"), labels, [None] * len(labels), 8, "l2")
    words = prepare(names, "l2")
    head = GaussianHead().fit(seeds, words, words)  # the same names once more
    logits = head.logits(head.expected_.astype(np.float32))
    precision = np.linalg.inv(np.linalg.inv(head._precision))
    away = head.expected_[:, None] - head.expected_
    expected = -0.5 * np.einsum("ncd,de,nce->nc", away, precision, away) / head.temperature_
    np.testing.assert_allclose(softmax(logits[:, 8:]), softmax(expected), atol=1e-4)


def test_the_share_is_that_of_the_learned_events_in_all_that_are_not_the_same():
    random = np.random.default_rng(0)
    learned = np.eye(6, dtype=np.float32)[:3]
    others = np.concatenate([learned[1:2] + 0.1, np.eye(6, dtype=np.float32)[3:5]])
    logits = [random.normal(size=(4, 6)) for _ in range(2)]
    truth = np.array([0, 1, 2, 1])
    seeds = SeedSet.sorted(prepare(np.eye(4), "l2"), truth, [None] * 4, 3, "l2")
    told = OtherEvents(learned, others).fit(logits, seeds)

    def share(rows, known, unknown):
        powers = [np.exp(each[rows]) for each in logits]
        both = [(p[known].sum(), p[known].sum() + p[unknown].sum()) for p in powers]
        return np.mean([a / b for a, b in both])

    for row, own in enumerate(seeds.truth):
        assert told.left_out_[row] == pytest.approx(share(row, [0, 1, 2], [4, 5]))
        left = [i for i in range(3) if i != own]
        back = [3] if own == 1 else []  # its own name is another event's now
        assert told.left_out_unlearned_[row] == pytest.approx(share(row, left, [*back, 4, 5]))


# --- the probability ------------------------------------------------------------------------------


def test_the_regression_is_logistic():
    random = np.random.default_rng(0)
    known = random.normal(1, 1, (20_000, 3))
    unknown = random.normal([-0.5, 0.7, 0.8], 1, (20_000, 3))
    scale = [1, 100, 0.01]  # evidence has units
    weights = _regress(known * scale, unknown * scale)
    rows = np.concatenate([known, unknown])
    model = LogisticRegression(C=1e6, tol=1e-8).fit(rows, np.arange(40_000) < 20_000)
    expected = [*model.intercept_, *model.coef_[0]]  # many seeds, a faint prior
    np.testing.assert_allclose(weights * [1, *scale], expected, atol=0.02)


def test_few_seeds_hardly_teach_more_than_the_leading_evidence():
    random = np.random.default_rng(0)
    known, unknown = random.normal(1, 1, (4, 2)), random.normal(-1, 1, (4, 2))
    _, lead, other = _regress(known, unknown)
    assert lead > 0.9
    assert other < 0.1


def test_evidence_that_speaks_the_other_way_is_left_out():
    random = np.random.default_rng(0)
    known, unknown = random.normal(1, 1, (400, 3)), random.normal(-1, 1, (400, 3))
    known[:, 1], unknown[:, 1] = random.normal(-1, 1, 400), random.normal(1, 1, 400)
    weights = _regress(known, unknown)
    assert weights[2] == 0
    without = _regress(known[:, [0, 2]], unknown[:, [0, 2]])
    np.testing.assert_allclose(weights[[0, 1, 3]], without, atol=1e-6)


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize(
    ("known", "unknown"),
    [([], []), ([4.6] * 9, [4.6] * 9), ([4.6] * 50, [-4.6] * 50), ([-4.6] * 50, [4.6] * 50)],
)
def test_whatever_the_evidence_more_of_it_is_more_probable(known, unknown, columns):
    weights = _regress(*(np.tile(np.array(side)[:, None], columns) for side in (known, unknown)))
    assert np.isfinite(weights).all()
    assert weights[1] > 0
    assert (weights[2:] >= 0).all()


def test_each_event_in_turn_plays_the_unknown():
    random = np.random.default_rng(0)
    truth = np.arange(600) % 3
    pool = random.dirichlet(np.ones(3), size=600)
    pool[np.arange(600), truth] += 1
    pool /= 2
    seeds = SeedSet.sorted(
        prepare(random.normal(size=(600, 5)), "l2"), truth, [None] * 600, 3, "l2"
    )
    pool = pool[seeds.rows]
    calibration = Calibration().fit(pool, seeds, 0.0)
    novelty = Novelty(0.1).fit(calibration, pool, seeds, 0.0)
    without = pool * (seeds.truth[:, None] != np.arange(3))
    without /= without.sum(axis=1, keepdims=True)
    best = [calibration.of_photos(some).max(axis=1) for some in (pool, without)]
    odds = np.log(np.minimum(best, 0.99) / (1 - np.minimum(best, 0.99))).ravel()
    model = LogisticRegression(C=1e6, tol=1e-8).fit(odds[:, None], np.arange(1200) < 600)
    expected = model.predict_proba(odds[:600, None])[:, 1]
    found = novelty.of_photos(calibration.of_photos(pool), None)
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert novelty.least_ == pytest.approx(np.sort(found)[600 - int(np.ceil(601 * 0.9))])


def test_events_held_out_are_told_by_the_names_of_others():
    asked, labels, _, _ = world(seed=0)
    of_known = labels < 5
    named, alone = taught(range(5), range(8)), taught(range(5))
    hits = [
        (found.known[of_known, None] > found.known[~of_known]).mean()
        for found in (named.assign(asked), alone.assign(asked))
    ]
    assert hits[0] > 0.95
    assert hits[0] > hits[1]
    np.testing.assert_allclose(
        named.assign(asked).probabilities, alone.assign(asked).probabilities, atol=1e-5
    )


@pytest.mark.parametrize("metric", METRICS)
def test_a_single_event_is_told_from_the_names_of_others(metric):
    vectors, labels, names, groups = world(size=48)
    members = np.flatnonzero(labels == 0)
    assigner = EventAssigner(EventPrototypes(metric=metric)).fit(
        vectors[members[:24]],
        ["event 0"] * 24,
        descriptions={"event 0": names[0]},
        groups=groups[:24],
        others=names[1:6],
    )
    known = assigner.assign(vectors[members[24:]]).known
    unknown = assigner.assign(vectors[labels > 0]).known
    assert known.mean() - unknown.mean() > 0.15  # it was 0.03
    assert (known[:, None] > unknown).mean() > 0.9


def test_where_the_names_of_others_say_nothing_the_most_probable_event_still_does():
    random = np.random.default_rng(0)
    truth = np.arange(2000) % 4
    pool = random.dirichlet(np.full(4, 10.0), size=2000)
    pool[np.arange(2000), truth] += random.uniform(0, 1, 2000)
    vectors = prepare(random.normal(size=(2000, 5)), "l2")
    seeds = SeedSet.sorted(vectors, truth, [None] * 2000, 4, "l2")
    pool = pool[seeds.rows] / pool[seeds.rows].sum(axis=1)[:, None]
    others = OtherEvents(*np.split(np.eye(5, dtype=np.float32), [4]))
    others.left_out_, others.left_out_unlearned_ = random.uniform(0.1, 0.9, (2, 2000))
    calibration = Calibration().fit(pool, seeds, 0.0)
    without = pool * (seeds.truth[:, None] != np.arange(4))
    shares = [calibration.of_photos(some) for some in (pool, without / without.sum(1)[:, None])]
    hits = []
    for some in (None, others):
        novelty = Novelty(0.1).fit(calibration, pool, seeds, 0.0, some)
        sides = (others.left_out_, others.left_out_unlearned_) if some else (None, None)
        known, unknown = map(novelty.of_photos, shares, sides)
        hits.append((known[:, None] > unknown).mean())
    assert hits[0] > 0.8
    assert hits[1] > hits[0] - 0.03


def test_an_album_has_the_weighted_mean_of_its_photos_log_odds():
    vectors, labels, _, _ = world()
    assigner = taught(range(5), range(8))
    two = vectors[[np.flatnonzero(labels == 2)[0], np.flatnonzero(labels == 6)[0]]]

    def odds(some, weights):
        known = assigner.assign_album(some, weights=weights).known
        return np.log(known / (1 - known))

    first, last = (odds(two[[i]], [1]) for i in range(2))
    even = odds(two, [1, 1])
    ratio = (first - even) / (even - last)  # how much the last tells
    for trust in (0.2, 3, 10):
        expected = (first + trust * ratio * last) / (1 + trust * ratio)
        assert odds(two, [1, trust]) == pytest.approx(expected, abs=1e-4)
    assert odds(two[[0, 0, 0]], [1, 1, 1]) == pytest.approx(first, abs=1e-4)


def test_an_album_has_what_its_photos_tell():
    vectors, labels, _, _ = world()
    assigner = taught(range(5), range(8))
    answers = {
        i: assigner.assign_album(vectors[labels == i][:4], weights=[1, 2, 3, 4]) for i in range(8)
    }
    known = np.array([answers[i].known for i in range(8)])
    assert known[:5].min() > 0.9
    assert known[5:].max() < 0.5
    assert [answers[i].event for i in range(8)] == [f"event {i}" for i in range(5)] + [None] * 3
    assert "nothing stands out" in answers[6].reason or "nothing is near" in answers[6].reason


def test_known_albums_fall_short_of_the_limit_as_often_as_the_risk_says():
    missed = []
    for seed in range(12):
        vectors, labels = blobs(4, 80, 8, spread=2.0, seed=seed)
        labels, groups = np.array(labels), np.arange(320) // 4
        test = groups % 2 == 1
        rows = np.flatnonzero(~test)
        assigner = EventAssigner(max_risk=0.2).fit(
            vectors[rows], [str(i) for i in labels[rows]], groups=groups[rows].tolist()
        )
        known = [assigner.assign_album(vectors[groups == g]).known for g in groups[test][::4]]
        missed.append(np.mean(np.array(known) < assigner.novelty_.album_least_))
    assert np.mean(missed) == pytest.approx(0.2, abs=0.07)


@pytest.mark.parametrize("n_events", [1, 3])
def test_too_few_albums_have_no_limit_of_their_own(n_events):
    random = np.random.default_rng(0)
    truth = np.repeat(np.arange(9) % n_events, 4)
    pool = random.dirichlet(np.ones(n_events), size=36)
    seeds = SeedSet.sorted(
        prepare(random.normal(size=(36, 5)), "l2"),
        truth,
        np.repeat(np.arange(9), 4).tolist(),
        n_events,
        "l2",
    )
    calibration = Calibration().fit(pool, seeds, 0.0)
    novelty = Novelty(0.05).fit(calibration, pool, seeds, 0.0)
    assert novelty.album_least_ is None
    photos = novelty.of_photos(calibration.of_photos(pool[:4]), None)
    assert novelty.of_album(pool[:4], None, np.full(4, 0.25)) == pytest.approx(photos.mean())


# --- the door -------------------------------------------------------------------------------------


def test_others_need_descriptions_and_vectors_like_the_seeds():
    vectors, labels, names, _ = world()
    events = [str(i) for i in labels]
    with pytest.raises(InputError, match="others"):
        EventAssigner().fit(vectors, events, others=names)
    told = {str(i): names[i] for i in range(8)}
    with pytest.raises(InputError, match="others must"):
        EventAssigner().fit(vectors, events, descriptions=told, others=names[:, :5])
    with pytest.raises(InputError, match="others must be finite"):
        EventAssigner().fit(vectors, events, descriptions=told, others=names * np.nan)
    none = EventAssigner().fit(vectors, events, descriptions=told, others=names[:0])
    assert set(none.assign(vectors).events) > {"0", "1"}


def test_others_last_when_seeds_are_added():
    vectors, labels, names, groups = world()
    every = EventPrototypes(24)  # else those of the events before stay as they were
    assigner = taught(range(5), range(8), prototypes=every)
    rows = labels == 5
    assigner.add(
        vectors[rows],
        ["event 5"] * rows.sum(),
        descriptions={"event 5": names[5]},
        groups=[g for g, own in zip(groups, rows, strict=True) if own],
    )
    assert assigner.assign_album(vectors[labels == 5][:4]).event == "event 5"
    assert assigner.assign_album(vectors[labels == 6][:4]).event is None
    again = taught(range(6), range(8), prototypes=every)
    np.testing.assert_allclose(assigner.assign(vectors).known, again.assign(vectors).known)


def test_occasions_are_words_each_once():
    assert len(set(OCCASIONS)) == len(OCCASIONS) > 40
    assert all(words.strip() == words and words for words in OCCASIONS)
