"""Prototypes by likelihood: what the definition, written plainly, chooses."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, half_squares, pool_of

from rememberai._arrays import prepare
from rememberai.events import likelihood
from rememberai.events.selections import SELECTIONS, Options, select

METRICS = ["cosine", "l2"]


def log_likelihood(kernels, pools, chosen):
    """Sum up, over the seeds, the log of the part that their event has of the vote."""
    total = 0.0
    nothing = np.exp(-12)
    for i in range(len(pools)):
        votes = [kernels[i, j][:, rows].sum(axis=1) for j, rows in enumerate(chosen)]
        own = votes[i] + nothing / (len(pools) + 1)
        total += np.log(own / (sum(votes) + nothing)).sum()
    return total


def plain_likelihood(pools, n, *, chords=True):
    """Choose as `likelihood` says it does, or with logarithms where that has chords."""
    sizes = [len(pool) for pool in pools]
    t = np.average([half_squares(pool, pool).mean() for pool in pools], weights=sizes) / 12
    events = range(len(pools))
    kernels = {
        (i, j): np.exp(-half_squares(pools[i], pools[j]) / t) for i in events for j in events
    }
    for i in events:
        np.fill_diagonal(kernels[i, i], 0)
    chosen = [list(range(size)) if size <= n else [] for size in sizes]
    free = [i for i in events if sizes[i] > n]
    for turn in range(2 * n):
        for i in free:
            del chosen[i][: turn >= n]
        votes = [
            sum(kernels[i, j][:, chosen[j]].sum(axis=1) for j in events) + np.exp(-12)
            for i in events
        ]
        best = []
        for i in free:
            if turn == 0:
                scores = kernels[i, i].sum(axis=1)
            else:
                own = kernels[i, i][:, chosen[i]].sum(axis=1) + np.exp(-12) / (len(pools) + 1)
                added = kernels[i, i]
                scores = np.log((own + added) / (votes[i] + added)).sum(axis=1)
                for j in events:
                    if j != i:
                        taken = kernels[i, j]
                        usual = (taken**2).sum(axis=0) / taken.sum(axis=0)
                        chord = np.log(1 + usual / votes[j]) / usual
                        lost = taken * chord if chords else np.log(1 + taken / votes[j])
                        scores = scores - lost.sum(axis=1)
                scores[chosen[i]] = -np.inf
            best.append(int(np.argmax(scores)))
        for i, row in zip(free, best, strict=True):
            chosen[i].append(row)
    return chosen, kernels


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("few", [0, 1000])
def test_likelihood_is_what_it_says(monkeypatch, metric, seed, few):
    """Exactly where few rows may be the best, else by chords."""
    monkeypatch.setattr(likelihood, "_FEW", few)
    vectors, truth = blobs(4, [16, 15, 5, 3], 6, spread=2, seed=seed)
    vectors[truth == 2] = vectors[31] + vectors[truth == 2] / 9  # few and close together
    pools = [prepare(vectors[truth == i], metric) for i in range(4)]
    chosen = select("likelihood", [*map(pool_of, pools)], 4, Options(metric, None, 0))
    assert [rows.tolist() for rows in chosen] == plain_likelihood(pools, 4, chords=not few)[0]


@pytest.mark.parametrize("rows_kept", [1, 7, 12])
def test_kernels_that_are_forgotten_are_computed_anew(monkeypatch, rows_kept):
    vectors, truth = blobs(6, 12, 8, spread=2)
    pools = [prepare(vectors[truth == i], "cosine") for i in range(6)]
    options = Options("cosine", None, 0)
    wanted = select("likelihood", [*map(pool_of, pools)], 5, options)
    monkeypatch.setattr(likelihood, "_AT_ONCE", rows_kept * len(vectors))
    found = select("likelihood", [*map(pool_of, pools)], 5, options)
    assert [rows.tolist() for rows in found] == [rows.tolist() for rows in wanted]


def test_what_is_computed_anew_takes_away_what_was_added(monkeypatch):
    """Of vectors so near to one another that products lose digits, by one or by many otherwise."""
    vectors, truth = blobs(20, 15, 64, spread=1)
    pools = [pool_of(prepare(vectors[truth == i] * 0.02 + 3, "cosine")) for i in range(20)]
    monkeypatch.setattr(likelihood, "_AT_ONCE", 20 * len(vectors))
    vote = likelihood._Vote(pools, range(20))
    own, everyone = vote.own.copy(), vote.everyone.copy()
    some, others = ([(event, row) for event in range(20)] for row in (3, 5))
    vote.add(some)
    vote.add(others)  # there is no more room for the first ones
    for each in some + others:
        vote.add([each], -1)
    np.testing.assert_allclose(vote.own, own, rtol=1e-6)
    assert (vote.everyone >= everyone).all()


def test_the_chords_lose_little(monkeypatch):
    monkeypatch.setattr(likelihood, "_FEW", 0)
    vectors, truth = blobs(3, 120, 10, spread=2)
    pools = [prepare(vectors[truth == i], "cosine") for i in range(3)]
    chosen = select("likelihood", [*map(pool_of, pools)], 5, Options("cosine", None, 0))
    plain, kernels = plain_likelihood(pools, 5, chords=False)
    random = np.random.default_rng(0)
    by_chance = [random.permutation(120)[:5] for _ in pools]
    found, best, chance = (
        log_likelihood(kernels, pools, rows) for rows in (chosen, plain, by_chance)
    )
    assert found > best - 0.1 * (best - chance)


def test_of_many_seeds_of_other_events_a_part_counts(monkeypatch):
    vectors, truth = blobs(4, 100, 10, spread=2)
    pools = [prepare(vectors[truth == i], "cosine") for i in range(4)]
    options = Options("cosine", None, 0)
    fully = select("likelihood", [*map(pool_of, pools)], 5, options)
    monkeypatch.setattr(likelihood, "_NEAR", 30)
    monkeypatch.setattr(likelihood, "_FAR", 60)
    partly = select("likelihood", [*map(pool_of, pools)], 5, options)
    _, kernels = plain_likelihood(pools, 1)
    random = np.random.default_rng(0)
    by_chance = [random.permutation(100)[:5] for _ in pools]
    best, part, chance = (
        log_likelihood(kernels, pools, rows) for rows in (fully, partly, by_chance)
    )
    assert best > part > best - 0.1 * (best - chance)


def test_the_seeds_that_count_are_the_nearest_and_stand_for_all(monkeypatch):
    vectors, truth = blobs(4, 100, 10, spread=2)
    pools = [prepare(vectors[truth == i], "cosine") for i in range(4)]
    monkeypatch.setattr(likelihood, "_NEAR", 30)
    monkeypatch.setattr(likelihood, "_FAR", 60)
    found = likelihood._Vote([*map(pool_of, pools)], [1])._to_others(1)
    others, weights = found.rows, found.weights
    assert len(set(others.tolist())) == 90
    assert not np.isin(others, np.arange(100, 200)).any()
    assert weights.sum() == pytest.approx(300)
    away = half_squares(np.concatenate(pools), pools[1].mean(axis=0, keepdims=True))[:, 0]
    away[100:200] = np.inf
    assert sorted(others[weights == 1]) == sorted(np.argsort(away)[:30])


def test_so_many_prototypes_that_their_kernels_are_summed_in_parts(monkeypatch):
    vectors, truth = blobs(6, 20, 8, spread=2)
    pools = [prepare(vectors[truth == i], "cosine") for i in range(6)]
    prototypes = [(event, row) for event in range(6) for row in range(20)]
    _, kernels = plain_likelihood(pools, 1)
    everyone = [sum(kernels[i, j].sum(axis=1) for j in range(6)) for i in range(6)]
    own = [kernels[i, i].sum(axis=1) for i in range(6)]
    for at_once in (2**25, 700, 1):
        monkeypatch.setattr(likelihood, "_AT_ONCE", at_once)
        vote = likelihood._Vote([*map(pool_of, pools)], [])
        nothing = vote.own.copy(), vote.everyone.copy()
        vote.add(prototypes)
        np.testing.assert_allclose(vote.own - nothing[0], np.concatenate(own), rtol=1e-3)
        np.testing.assert_allclose(vote.everyone - nothing[1], np.concatenate(everyone), rtol=1e-3)
        vote.add(prototypes, -1)
        np.testing.assert_allclose(vote.own, nothing[0], rtol=1e-3)
        np.testing.assert_allclose(vote.everyone, nothing[1], rtol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_selection_makes_the_seeds_events_as_probable(seed):
    vectors, truth = blobs(4, [60, 50, 40, 30], 10, spread=2, seed=seed)
    pools = [prepare(vectors[truth == i], "cosine") for i in range(4)]
    _, kernels = plain_likelihood(pools, 1)
    found = {
        name: log_likelihood(
            kernels, pools, select(name, [*map(pool_of, pools)], 6, Options("cosine", None, 0))
        )
        for name in SELECTIONS
    }
    assert max(found, key=found.get) == "likelihood"
    assert min(found, key=found.get) == "periphery"


@pytest.mark.parametrize("metric", METRICS)
def test_what_was_given_up_leaves_no_trace(metric):
    vectors, truth = blobs(30, 25, 12, spread=1)
    pools = [prepare(vectors[truth == i], metric) for i in range(30)]
    vote = likelihood._Vote([*map(pool_of, pools)], range(30))
    own, everyone = vote.own.copy(), vote.everyone.copy()
    turns = [[(event, row) for event in range(30)] for row in range(24)]
    for times in (1, -1):
        for turn in turns:
            vote.add(turn, times)
    np.testing.assert_allclose(vote.own, own, rtol=1e-6)
    np.testing.assert_allclose(vote.everyone, everyone, rtol=1e-6)
