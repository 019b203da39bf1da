"""Which event is this album: real albums of real people, their own sentences, split by user.

Half of the users give the seeds, the albums of the others are asked for. What the model sees is
`photo_captions` alone; the event comes from the owner's title or tags, which it never sees.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from benchmarks._records import Run, arguments, figures, markdown, of_arm
from rememberai import EventAssigner, EventPrototypes, SentenceEmbedder, phrasings
from rememberai.events import OCCASIONS
from rememberai.learned import words_of_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks._records import Record
    from rememberai import Embedder
    from rememberai.records import Metric

    Ask = Callable[[NDArray[np.float32]], "Answer"]  # album to answer
    Method = Callable[["Split", int], Ask]  # learns from a split's seeds

NAME = "events_memex"
FILE = "memex_albums.jsonl"
N_PROTOTYPES = 10
_NEIGHBORS = 20
_SPELT_OUT = {"babyshower": "baby shower", "july4": "4th of July", "newyear": "New Year"}
_DRAWS = 2000


class MemexAlbum(NamedTuple):
    """A labelled album: the number of its user, its event, a vector for each photo."""

    user: int
    event: str
    vectors: NDArray[np.float32]


class Split(NamedTuple):
    """Seeds of the training users, albums of the others, and albums of events not trained.

    Attributes
    ----------
    groups
        The album of each seed, as a number.
    names
        The vector of each event's name.
    occasions
        The vectors of `OCCASIONS`, if they are to be told of.
    """

    vectors: NDArray[np.float32]
    events: list[str]
    groups: list[int]
    asked: list[MemexAlbum]
    foreign: list[MemexAlbum]
    names: dict[str, NDArray[np.float32]]
    occasions: NDArray[np.float32] | None = None


class Answer(NamedTuple):
    """The most probable event of an album, and whether the library would have said so."""

    event: str
    known: bool = True


def main(argv: list[str] | None = None) -> None:
    """Embed the albums once, and judge each arm on each split."""
    parser = arguments(__doc__, splits=5)
    parser.add_argument("--data", type=Path, required=True, help=f"folder with {FILE}")
    options = parser.parse_args(argv)
    settings = {"data": FILE, "splits": options.splits, "n_prototypes": N_PROTOTYPES}
    run = Run(NAME, settings, folder=options.records)
    embedder = SentenceEmbedder(offline=True)
    albums = read_albums(options.data / FILE, embedder)
    names = name_vectors(albums, embedder)
    occasions = phrasings.name_vectors(OCCASIONS, embedder.encode)
    for least in (2, 1):
        for seed in range(options.splits):
            split = split_by_user(albums, names, seed, least)._replace(occasions=occasions)
            for method, make in METHODS.items():
                found = judge(split, make(split, seed))
                run.add({"least": least, "method": method}, seed, found, seed=seed)
    print(table(run.records))


def read_albums(path: Path, embedder: Embedder) -> list[MemexAlbum]:
    """Read the labelled albums and embed their photos' sentences."""
    with path.open(encoding="utf-8") as file:
        rows = [row for line in file if (row := json.loads(line)).get("weak_event")]
    lengths = [len(row["photo_captions"]) for row in rows]
    texts = [caption for row in rows for caption in row["photo_captions"]]
    number = {user: i for i, user in enumerate(sorted({row["user"] for row in rows}))}
    vectors = np.split(embedder.encode(texts), np.cumsum(lengths)[:-1])
    return [
        MemexAlbum(number[row["user"]], row["weak_event"], some)
        for row, some in zip(rows, vectors, strict=True)
    ]


def name_vectors(
    albums: Sequence[MemexAlbum], embedder: Embedder
) -> dict[str, NDArray[np.float32]]:
    """Embed the events' names as a store does, spelt as a person would."""
    events = sorted({album.event for album in albums})
    words = [_SPELT_OUT.get(event, words_of_name(event)) for event in events]
    return dict(zip(events, phrasings.name_vectors(words, embedder.encode), strict=True))


def split_by_user(
    albums: Sequence[MemexAlbum], names: dict[str, NDArray[np.float32]], seed: int, least: int
) -> Split:
    """Part the albums by user; an event is kept that has `least` albums or more on each side."""
    users = sorted({album.user for album in albums})
    np.random.default_rng(seed).shuffle(users)
    training = set(users[: len(users) // 2])
    ours = [album for album in albums if album.user in training]
    theirs = [album for album in albums if album.user not in training]
    counts = [Counter(album.event for album in side) for side in (ours, theirs)]
    kept = {event for event in counts[0] if min(count[event] for count in counts) >= least}
    ours = [album for album in ours if album.event in kept]
    return Split(
        np.concatenate([album.vectors for album in ours]),
        [album.event for album in ours for _ in album.vectors],
        [i for i, album in enumerate(ours) for _ in album.vectors],
        [album for album in theirs if album.event in kept],
        [album for album in theirs if album.event not in kept],
        {event: names[event] for event in kept},
    )


def judge(split: Split, answer: Ask) -> Record:
    """Answer for every album; the raw record keeps each answer, so that scores can change."""
    names = sorted(set(split.events))
    place = {name: i for i, name in enumerate(names)}
    answers = [answer(album.vectors) for album in split.asked]
    rows = [
        [album.user, place[album.event], place[event], known]
        for album, (event, known) in zip(split.asked, answers, strict=True)
    ]
    of_event: dict[int, list[bool]] = {}
    for _, truth, event, _ in rows:
        of_event.setdefault(truth, []).append(truth == event)
    return {
        "accuracy": mean(truth == event for _, truth, event, _ in rows),
        "macro_accuracy": mean(mean(hits) for hits in of_event.values()),
        "accuracy_unknown_is_wrong": mean(k and truth == event for _, truth, event, k in rows),
        "unknown": mean(not known for *_, known in rows),
        "unknown_of_foreign": mean(not answer(album.vectors).known for album in split.foreign),
        "events": len(names),
        "albums": len(rows),
        "foreign_albums": len(split.foreign),
        "seeds": len(split.events),
        "event_names": names,
        "answers": rows,
    }


def interval(records: Sequence[Record]) -> tuple[float, float]:
    """Bootstrap the mean accuracy over splits: users are drawn anew, training is not repeated."""
    splits = [record["figures"]["answers"] for record in records]
    users = sorted({user for rows in splits for user, *_ in rows})
    place = {user: i for i, user in enumerate(users)}
    random = np.random.default_rng(0)
    times = random.multinomial(len(users), np.full(len(users), 1 / len(users)), size=_DRAWS)
    means = np.zeros(_DRAWS)
    for rows in splits:
        weights = times[:, [place[user] for user, *_ in rows]]
        hits = np.array([truth == event for _, truth, event, _ in rows])
        means += (weights @ hits) / weights.sum(axis=1) / len(splits)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _library(metric: Metric, *, names: bool = True) -> Method:
    def learn(split: Split, _seed: int) -> Ask:
        assigner = EventAssigner(EventPrototypes(N_PROTOTYPES, metric=metric))
        assigner.fit(
            split.vectors,
            split.events,
            descriptions=split.names if names else None,
            groups=split.groups,
            others=split.occasions if names else None,
        )

        def answer(vectors: NDArray[np.float32]) -> Answer:
            found = assigner.assign_album(vectors)
            return Answer(found.ranking[0][0], found.event is not None)

        return answer

    return learn


def _on_random_seeds(method: Method) -> Method:
    """Give a method a few seeds an event, drawn at random, in place of all."""

    def learn(split: Split, seed: int) -> Ask:
        random = np.random.default_rng(seed)
        events = np.array(split.events)
        chosen = np.concatenate(
            [
                random.permutation(np.flatnonzero(events == event))[:N_PROTOTYPES]
                for event in sorted(set(split.events))
            ]
        )
        few = split._replace(
            vectors=split.vectors[chosen],
            events=events[chosen].tolist(),
            groups=[split.groups[i] for i in chosen],
        )
        return method(few, seed)

    return learn


def _plain_votes(split: Split, _seed: int) -> Ask:
    """Let the k nearest seeds of each photo vote, all alike."""
    k = min(_NEIGHBORS, len(split.events))
    model = KNeighborsClassifier(k, metric="cosine", algorithm="brute")
    model.fit(split.vectors, split.events)
    return lambda album: Answer(model.classes_[model.predict_proba(album).mean(axis=0).argmax()])


def _class_mean(split: Split, _seed: int) -> Ask:
    model = NearestCentroid().fit(split.vectors, split.events)
    return lambda album: Answer(str(model.predict(album.mean(axis=0, keepdims=True))[0]))


def _nearest_name(split: Split, _seed: int) -> Ask:
    events = sorted(split.names)
    names = np.stack([split.names[event] for event in events])
    return lambda album: Answer(events[int((album @ names.T).mean(axis=0).argmax())])


def _most_frequent(split: Split, _seed: int) -> Ask:
    event = Counter(split.events).most_common(1)[0][0]
    return lambda _: Answer(event)


METHODS: dict[str, Method] = {
    "RememberAI, cosine": _library("cosine"),
    "RememberAI, l2": _library("l2"),
    "RememberAI, cosine, without names": _library("cosine", names=False),
    "RememberAI, l2, without names": _library("l2", names=False),
    "random seeds, RememberAI's vote": _on_random_seeds(_library("cosine")),
    "random seeds, the same without names": _on_random_seeds(_library("cosine", names=False)),
    "random seeds, plain k-NN": _on_random_seeds(_plain_votes),
    "all seeds, plain k-NN": _plain_votes,
    "nearest class mean": _class_mean,
    "nearest name, no seeds": _nearest_name,
    "most frequent event": _most_frequent,
}


def table(records: list[Record]) -> str:
    """Write means over the splits, first for the strict reading of which events count."""
    parts = []
    for least in (2, 1):
        some = of_arm(records, least=least)
        sizes = [f"{mean(figures(some, name)):.1f}" for name in ("events", "albums", "seeds")]
        parts += [
            f"Events with {least} or more albums on each side (a mean of {sizes[0]} events, "
            f"{sizes[1]} albums asked for, {sizes[2]} seed sentences a split):",
            markdown(_HEADER, [_row(some, method) for method in METHODS]),
        ]
    return "\n\n".join(parts)


_HEADER = ["", "album accuracy", "sd over splits", "worst to best", "95% interval", "macro"]
_HEADER += ["unknown counts as wrong", "unknown", "unknown of events not learned"]


def _row(records: list[Record], method: str) -> list[str]:
    arm = of_arm(records, method=method)
    hits = figures(arm, "accuracy")
    low, high = interval(arm)
    names = ("accuracy_unknown_is_wrong", "unknown", "unknown_of_foreign")
    library = method.startswith("RememberAI")
    return [
        method,
        f"{mean(hits):.1%}",
        f"{stdev(hits):.1%}" if len(hits) > 1 else "",
        f"{min(hits):.0%} to {max(hits):.0%}",
        f"{low:.0%} to {high:.0%}",
        f"{mean(figures(arm, 'macro_accuracy')):.1%}",
        *(f"{mean(figures(arm, name)):.1%}" if library else "" for name in names),
    ]


if __name__ == "__main__":
    main()
