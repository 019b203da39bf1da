"""Albums of events that were not learned: told from the others, by what, and how sure."""

from __future__ import annotations

from statistics import mean, stdev
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks import _event_arms as arms
from benchmarks._records import figures, markdown, of_arm
from benchmarks.events_memex import split_by_user
from rememberai import EventAssigner
from rememberai.events import OCCASIONS
from rememberai.phrasings import name_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks._event_data import Encodings, Labelled, Vectors
    from benchmarks._records import Record, Run
    from benchmarks.events_memex import MemexAlbum, Split
    from rememberai.events import Assignment

PROBABILITY, NAMED, PUBLISHED = "probability alone", "OCCASIONS", "names of PEC and CUFED"
TAUGHT = "an oracle, taught the events held out"
_MOST_TEXTS = 3000
# The classes of two sets of personal albums, by other hands than OCCASIONS: Bossard et al., "Event
# recognition in photo collections with a stopwatch HMM", ICCV 2013; Wang et al., "Event-specific
# image importance", CVPR 2016.
_PEC = (
    "birthday, children's birthday, Christmas, concert, boat cruise, Easter, exhibition, "
    "graduation, Halloween, hiking, road trip, Saint Patrick's Day, skiing, wedding"
)
_CUFED = (
    "Wedding; Birthday; Graduation; Protest; Personal Music Activity; Religious Activity; Casual "
    "Family or Friends Gathering; Group Activity; Personal Sports; Personal Art Activity; Theme "
    "Park; Urban Trip; Cruise; Beach Trip; Show; Sports Game; Zoo, Aquarium or Botanic Garden; "
    "Museum; Nature Trip; Architecture and Art; Business Activity; Halloween; Christmas"
)


def unknown(
    run: Run,
    encodings: Encodings,
    albums: Sequence[MemexAlbum],
    names: dict[str, Vectors],
    splits: int,
) -> None:
    """Hold out a quarter of the events, and see whether their albums are told from the others."""
    told = _others(encodings)
    for least in (1, 2):
        for seed in range(splits):
            split = split_by_user(albums, names, seed, least)
            every = sorted(split.names)
            hidden = set(np.random.default_rng(seed).permutation(every)[: len(every) // 4].tolist())
            known = [event for event in every if event not in hidden]
            taught = _taught(split, every, None)
            answers = [taught.assign_album(album.vectors) for album in split.asked]
            sure = [sum(p for e, p in a.ranking if e not in hidden) for a in answers]
            figures = {"auroc": _area(split, hidden, np.array(sure))}
            what = {"task": "unknown", "data": "memex", "least": least}
            run.add({**what, "by": TAUGHT}, seed, figures, seed=seed)
            for by, others in told.items():
                assigner = _taught(split, known, others)
                answers = [assigner.assign_album(album.vectors) for album in split.asked]
                run.add({**what, "by": by}, seed, _judged(split, hidden, answers), seed=seed)


def unknown_texts(run: Run, encodings: Encodings, texts: Labelled, splits: int) -> None:
    """Do the same with single texts, of concepts of which most are no occasions at all."""
    concepts = sorted(set(texts.labels.tolist()))
    for seed in range(splits):
        random = np.random.default_rng(seed)
        hidden = set(random.permutation(concepts)[: len(concepts) // 4].tolist())
        rows = random.permutation(len(texts.labels))[:_MOST_TEXTS]
        asked = rows[len(rows) // 2 :]
        seeds = [i for i in rows[: len(rows) // 2] if texts.labels[i] not in hidden]
        known = [concept for concept in concepts if concept not in hidden]
        names = dict(zip(known, name_vectors(known, encodings.encode), strict=True))
        truth = np.array([label not in hidden for label in texts.labels[asked].tolist()])
        for by, others in _others(encodings).items():
            assigner = EventAssigner().fit(
                texts.vectors[seeds],
                texts.labels[seeds].tolist(),
                descriptions=names,
                others=others,
            )
            found = assigner.assign(texts.vectors[asked])
            silent = np.array([event is None for event in found.events])
            best = np.array(assigner.events_)[found.probabilities.argmax(axis=1)]
            figures = {
                "auroc": float(roc_auc_score(truth, found.known)),
                "unknown_of_known": float(silent[truth].mean()),
                "unknown_of_hidden": float(silent[~truth].mean()),
                "probabilities": found.probabilities.max(axis=1)[truth].round(4).tolist(),
                "hits": (best == texts.labels[asked])[truth].tolist(),
            }
            run.add({"task": "unknown", "data": "happydb", "by": by}, seed, figures, seed=seed)


def _others(encodings: Encodings) -> dict[str, Vectors | None]:
    return {
        PROBABILITY: None,
        NAMED: name_vectors(OCCASIONS, encodings.encode),
        PUBLISHED: name_vectors([*_PEC.split(", "), *_CUFED.split("; ")], encodings.encode),
    }


def _taught(split: Split, events: Sequence[str], others: Vectors | None) -> EventAssigner:
    rows = [i for i, event in enumerate(split.events) if event in set(events)]
    return EventAssigner().fit(
        split.vectors[rows],
        [split.events[i] for i in rows],
        descriptions={event: split.names[event] for event in events},
        groups=[split.groups[i] for i in rows],
        others=others,
    )


def _area(split: Split, hidden: set[str], known: NDArray[np.float64]) -> float | None:
    truth = [album.event not in hidden for album in split.asked]
    return float(roc_auc_score(truth, known)) if len(set(truth)) == 2 else None


def _judged(split: Split, hidden: set[str], answers: Sequence[Assignment]) -> Record:
    truth = np.array([album.event not in hidden for album in split.asked])
    silent = np.array([answer.event is None for answer in answers])
    hits = [a.ranking[0][0] == b.event for a, b in zip(answers, split.asked, strict=True)]
    sure = np.array([answer.probability for answer in answers])
    return {
        "auroc": _area(split, hidden, np.array([answer.known for answer in answers])),
        "unknown_of_known": float(silent[truth].mean()),
        "unknown_of_hidden": float(silent[~truth].mean()) if not truth.all() else None,
        "probabilities": sure[truth].round(4).tolist(),
        "hits": np.array(hits)[truth].tolist(),
    }


def table(records: list[Record]) -> str:
    """Write means over the splits; calibration over the answers of all of them."""
    arms_of = {f"{n} or more albums a side": {"data": "memex", "least": n} for n in (1, 2)}
    rows = []
    for what, arm in (*arms_of.items(), ("happydb, single texts", {"data": "happydb"})):
        for by in (PROBABILITY, NAMED, PUBLISHED, TAUGHT):
            some = of_arm(records, **arm, by=by)
            if some:
                rows.append([f"{what}, {by}", *_row(some)])
    if not rows:
        return ""
    header = ["known by", "AUROC", "calibration error", "the same of one calibrated"]
    return (
        "Albums of events that were not learned (a quarter of the events is held out; calibration "
        "of the others' probabilities):\n\n"
    ) + markdown([*header, "unknown of known", "unknown of held out"], rows)


def _row(records: list[Record]) -> list[str]:
    areas = [area for area in figures(records, "auroc") if area is not None]
    cells = [f"{mean(areas):.3f} (sd {stdev(areas) if len(areas) > 1 else 0:.3f})"]
    if "hits" not in records[0]["figures"]:
        return [*cells, "", "", "", ""]
    sure = np.concatenate(figures(records, "probabilities"))
    hits = np.concatenate(figures(records, "hits")).astype(bool)
    random = np.random.default_rng(0)
    floor = [arms.calibration_error(sure, random.random(len(sure)) < sure) for _ in range(200)]
    hidden = [x for x in figures(records, "unknown_of_hidden") if x is not None]
    return [
        *cells,
        f"{arms.calibration_error(sure, hits):.3f}",
        f"{mean(floor):.3f}, at most {np.quantile(floor, 0.95):.3f} in 95%",
        f"{mean(figures(records, 'unknown_of_known')):.1%}",
        f"{mean(hidden):.1%}" if hidden else "",
    ]
