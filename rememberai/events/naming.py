"""Titles: the words that tell a cluster from the others, its place and its dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category, normalize

import numpy as np

from rememberai.events.grammar import Evidence, deeds, evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Self

    from numpy.typing import NDArray

# Vowel signs and accents of many scripts are letters of their words, which re does not know.
_MARKS = "".join(c for c in map(chr, range(0x300, 0xABFF)) if category(c) in ("Mn", "Mc"))
_LETTERS = rf"[^\W\d_]+(?:[{_MARKS}\u200c\u200d]+[^\W\d_]*)*"
_WORD = re.compile(rf"{_LETTERS}(?:'{_LETTERS})*")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff가-힣]")  # kana, Han, Hangul: short words tell
_HANGUL = re.compile("[가-힣]")
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ies|y|es?|s|ed|ions?|ing|ers?)$")
_LONGEST = 40
_STOP_WORDS = frozenset(
    """a about above across after afterwards again against all almost along already also
    although always am among an and another any anyhow anyone anything anyway anywhere are
    around as at available away back be because been before behind being below beside besides
    between beyond big bit both but by came can cannot come comes coming could day did different
    do does doing done down due during each eight either eleven else elsewhere enough etc even
    ever every everybody everyone everything everywhere except female few finally first five for
    four from front full fun further get gets getting go goes going gone good got great guys had
    has have having he hence her here hers herself him himself his how however huge hundred i if
    in indeed into is it its itself just kept kind last later least left less let like little
    location lot lots made mainly make makes making male many may maybe me meanwhile might more
    most mostly much must my myself namely near neither never nevertheless new next nine no
    nobody none nor not nothing now nowhere of off often on once one ones only onto or
    organization other others otherwise our ours ourselves out over own people per perhaps photo
    photos picture pictures please possibly probably quite rather ready really right said same
    saw say says see seem seemed seems seen several shall she should since six so some somehow
    someone something sometimes somewhat somewhere soon start still such take taken takes taking
    ten than that the their theirs them themselves then there therefore these they thing things
    this those though three through throughout thus till time to today together tonight too took
    toward towards twelve twenty two under until up upon us usually very via want wanted was way
    we well went were what whatever when whenever where whereas wherever whether which while who
    whoever whole whom whose why will with within without would yet you your yours yourself
    yourselves""".split()
)


class Reading(NamedTuple):
    """The words and phrases of one text, each once, and what it tells of their classes."""

    terms: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Terms:
    """The words and phrases of n texts.

    Attributes
    ----------
    names
        Each term once.
    numbers, lengths
        (m,) int32 places of terms in `names`, those of one text after those of another, each once;
        and (n,) how many a text has.
    doing
        The words that say what is done, see `deeds`.
    readings
        By text.
    """

    names: tuple[str, ...]
    numbers: NDArray[np.int32]
    lengths: NDArray[np.intp]
    doing: frozenset[str]
    readings: dict[str, Reading]

    @classmethod
    def of(cls, texts: Sequence[str], before: Self | None = None) -> Self:
        """Read texts, but for those that were read before."""
        known = before.readings if before else {}
        readings = {text: known.get(text) or _read(text) for text in dict.fromkeys(texts)}
        each = [readings[text] for text in texts]
        terms = [name for reading in each for name in reading.terms]
        place = {name: number for number, name in enumerate(dict.fromkeys(terms))}
        return cls(
            tuple(place),
            np.array([place[name] for name in terms], np.int32),
            np.array([len(reading.terms) for reading in each], np.intp),
            deeds([reading.evidence for reading in each]),
            readings,
        )

    def telling(
        self,
        labels: Sequence[int],
        weights: Sequence[float],
        n_clusters: int,
        n_words: int = 3,
    ) -> list[list[str]]:
        """Rank those of each cluster by class-based TF-IDF.

        A term counts once a text, by the text's weight. It tells as much as its count in the
        cluster times log(1 + a / f), where f is its count in all clusters and a the mean over the
        clusters of all words' counts (Grootendorst, "BERTopic", arXiv 2203.05794). A term of one
        text only is often an accident, so those of two texts of the cluster stand before it. Terms
        are words, and phrases of two words that stand side by side in two texts of the cluster.

        Parameters
        ----------
        labels, weights
            The clusters of the n texts, from 0 to n_clusters - 1 (-1 is left out), and how typical
            each is of its cluster, above 0.

        Returns
        -------
        list of list of str
            Up to n_words terms for each cluster, the most telling first, equals by the alphabet; of
            terms that seem to share a stem (candle, candles; party, birthday party) the first
            alone.
        """
        inside = np.repeat(labels, self.lengths).astype(np.int64)
        weight = np.repeat(weights, self.lengths)[inside >= 0]
        terms, inside = self.numbers[inside >= 0], inside[inside >= 0]
        overall = np.bincount(terms, weight, len(self.names))
        phrase = np.array([" " in name for name in self.names], bool)
        mean = float(overall[~phrase].sum()) / max(n_clusters, 1)
        pairs, pair_of, texts = np.unique(
            inside * max(len(self.names), 1) + terms, return_inverse=True, return_counts=True
        )
        counts = np.bincount(pair_of, weight, len(pairs))
        keys: list[dict[str, tuple[bool, bool, float, bool]]] = [{} for _ in range(n_clusters)]
        for pair, count, n_texts in zip(
            pairs.tolist(), counts.tolist(), texts.tolist(), strict=True
        ):
            cluster, term = divmod(pair, len(self.names))
            if n_texts > 1 or not phrase[term]:
                name = self.names[term]
                keys[cluster][name] = (
                    not self.doing.isdisjoint(name.split()),
                    n_texts < 2,
                    # Rounded: weights are of float32, whose last digits differ between processors.
                    -round(count * log(1 + mean / overall[term]), 5),
                    not phrase[term],
                )
        return [_distinct(sorted(own, key=lambda term: (own[term], term)), n_words) for own in keys]


def words(text: str) -> list[str]:
    """List the words of a text that can tell.

    Left out are stop words, numbers, words of fewer than three letters (two in East Asian scripts)
    and endless ones. Of a word with apostrophes its longest part stands: grandma's, l'anniversaire.
    """
    return [term for term in _terms(_plain(text)) if " " not in term]


def _read(text: str) -> Reading:
    plain = _plain(text)
    return Reading(tuple(dict.fromkeys(_terms(plain))), evidence(plain, _STOP_WORDS))


def _terms(plain: str) -> Iterator[str]:
    """Yield the words that can tell, and each pair of them with only spaces between."""
    before, end = "", 0
    for found in _WORD.finditer(plain):
        if word := _telling_part(found[0]):
            yield word
            if before and before != word and plain[end : found.start()].isspace():
                yield f"{before} {word}"
        before, end = word, found.end()


@lru_cache(2**16)  # a book's words come again and again
def _telling_part(found: str) -> str:
    """Give the longest part of a word with apostrophes; nothing when it can't tell."""
    word = max(found.split("'"), key=len)
    return "" if found.endswith("n't") or not _can_tell(word) else word


def _plain(text: str) -> str:
    return normalize("NFC", text).casefold().replace("’", "'")


def _can_tell(word: str) -> bool:
    shortest = 2 if _EAST_ASIAN.search(word) else 3
    return word not in _STOP_WORDS and shortest <= len(word) <= _LONGEST


def title(
    telling: Sequence[str], first: datetime | None, last: datetime | None, place: str = ""
) -> str:
    """Write a title such as ``"Birthday party, cake and candles · Busan · 14 June 2014"``.

    Words of which some are Korean are joined, and dated, as in Korean.
    """
    korean = any(map(_HANGUL.search, telling))
    *most, final = telling or ["no telling words"]
    head = f"{', '.join(most)}{', ' if korean else ' and '}{final}" if most else final
    dates = korean_dates(first, last) if korean else date_range(first, last)
    parts = (head[0].upper() + head[1:], place, dates)
    return " · ".join(part for part in parts if part)


def led_by(event: str | None, telling: Sequence[str]) -> list[str]:
    """Put a known event's name before the words that tell, in place of the least telling ones."""
    lead = [event.replace("_", " ")] if event else []
    return _distinct([*lead, *telling], max(len(telling), 1))


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


def korean_dates(first: datetime | None, last: datetime | None) -> str:
    """Write the same in Korean."""
    if first is None or last is None:
        return ""
    start = f"{first.year}년 {first.month}월 {first.day}일"
    if first.date() == last.date():
        return start
    if (first.year, first.month) == (last.year, last.month):
        return f"{start[:-1]}–{last.day}일"
    end = f"{last.month}월 {last.day}일"
    return f"{start} – {end}" if first.year == last.year else f"{start} – {last.year}년 {end}"


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


def _akin(term: str, other: str) -> bool:
    """Tell whether two terms have a word in common, by its stem."""
    return any(_same_stem(a, b) for a in term.split() for b in other.split())


def _same_stem(word: str, other: str) -> bool:
    return word.startswith(_ENDING.sub("", other)) or other.startswith(_ENDING.sub("", word))
