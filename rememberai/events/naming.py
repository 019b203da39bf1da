"""Titles: the words that tell a cluster from the others, and its dates."""

from __future__ import annotations

import re
from collections import defaultdict
from math import log
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff가-힣]")  # kana, Han, Hangul: short words tell
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ies|y|es?|s|ed|ions?|ing|ers?)$")
_LONGEST = 40
_STOP_WORDS = frozenset(
    """a about above after again against all along already also always am among an and another any
    anyone anything are around as at away back be because been before behind being below between
    both but by came can cannot come comes coming could day did do does doing done down during each
    either else enough even ever every everybody everyone everything few first for from front full
    get gets getting go goes going gone good got great had has have having he her here hers herself
    him himself his how i if in into is it its itself just kept last later least left less let like
    little location lot lots made make makes making many may maybe me more most much must my myself
    near never new next no none nor not nothing now of off on once one only onto or organization
    other others our ours out over own people picture photo photos quite rather really right said
    same saw say says see seen several shall she should since so some someone something sometimes
    soon still such take taken takes taking than that the their theirs them themselves then there
    these they thing things this those though three through till time to today together too took
    toward two under until up upon us very via want wanted was way we well went were what when where
    whether which while who whole whom whose why will with within without would yet you your
    yours""".split()
)


def telling_words(
    texts: Sequence[str],
    labels: Sequence[int],
    weights: Sequence[float],
    n_clusters: int,
    n_words: int = 3,
) -> list[list[str]]:
    """Rank the words of each cluster by class-based TF-IDF.

    A word counts once a text, by the text's weight. It tells as much as its count in the cluster
    times log(1 + a / f), where f is its count in all clusters and a the mean over the clusters of
    all their counts (Grootendorst, "BERTopic", arXiv 2203.05794).

    Parameters
    ----------
    texts, labels, weights
        n texts, their clusters from 0 to n_clusters - 1 (-1 is left out), and how typical each is
        of its cluster, above 0.

    Returns
    -------
    list of list of str
        Up to n_words words for each cluster, the most telling first, equals by the alphabet; of
        words that seem to share a stem (candle, candles; party, parties) the first alone.
    """
    counts: list[dict[str, float]] = [defaultdict(float) for _ in range(n_clusters)]
    overall: dict[str, float] = defaultdict(float)
    for text, label, weight in zip(texts, labels, weights, strict=True):
        for word in set(words(text)) if label >= 0 else ():
            counts[label][word] += weight
            overall[word] += weight
    mean = sum(overall.values()) / max(n_clusters, 1)
    scores = [
        {word: n * log(1 + mean / overall[word]) for word, n in count.items()} for count in counts
    ]
    return [
        # Rounded, since the last digits depend on the order of the texts.
        _distinct(sorted(score, key=lambda word: (-round(score[word], 9), word)), n_words)
        for score in scores
    ]


def words(text: str) -> list[str]:
    """List the words of a text that can tell.

    Left out are stop words, numbers, words of fewer than three letters (two in East Asian scripts)
    and endless ones. Of a word with apostrophes its longest part stands: grandma's, l'anniversaire.
    """
    found = [
        max(word.split("'"), key=len)
        for word in _WORD.findall(normalize("NFC", text).casefold().replace("’", "'"))
        if not word.endswith("n't")
    ]
    return [
        word
        for word in found
        if word not in _STOP_WORDS
        and (2 if _EAST_ASIAN.search(word) else 3) <= len(word) <= _LONGEST
    ]


def title(telling: Sequence[str], first: datetime | None, last: datetime | None) -> str:
    """Write a title such as ``"Birthday, cake and candles · 14 June 2014"``."""
    *most, final = telling or ["no telling words"]
    head = f"{', '.join(most)} and {final}" if most else final
    dates = date_range(first, last)
    return head[0].upper() + head[1:] + (f" · {dates}" if dates else "")


def date_range(first: datetime | None, last: datetime | None) -> str:
    """Write a day, or a range of days with nothing said twice; empty when nothing is known."""
    if first is None or last is None:
        return ""
    end = f"{last.day} {_MONTHS[last.month - 1]} {last.year}"
    if first.date() == last.date():
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    start = f"{first.day} {_MONTHS[first.month - 1]}"
    return f"{start} – {end}" if first.year == last.year else f"{start} {first.year} – {end}"


_MONTHS = (
    "January February March April May June July August September October November December"
).split()


def _distinct(ranked: list[str], n_words: int) -> list[str]:
    chosen: list[str] = []
    for word in ranked:
        if not any(_akin(word, other) for other in chosen):
            chosen.append(word)
        if len(chosen) == n_words:
            break
    return chosen


def _akin(word: str, other: str) -> bool:
    return word.startswith(_ENDING.sub("", other)) or other.startswith(_ENDING.sub("", word))
