"""Which words say what is done or how it was, and so name nothing: told by the word before them."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

_PAST = re.compile(r"[a-z]{2,}[^\We]ed")
_TOKEN = re.compile(r"[^\W\d_]+|[^\w\s']")
_BEFORE_THINGS = frozenset(
    """a an the this these those my our your his her its their some any every each another no of
    with for at in on from into""".split()
)
_BEFORE_DEEDS = frozenset(
    """i we he she they you it who was were is are be been being had have has did does will would
    can could should shall must might not to so very too really all also just then never always
    finally""".split()
)
# "We went to church" names a place, "we began to sing" a deed.
_ON_THE_WAY = frozenset(
    """go goes going gone went come comes coming came get gets got getting head headed heading back
    way trip return returned returning welcome drive drove walk walked off over next""".split()
)


class Evidence(NamedTuple):
    """What one text tells of its words; a word stands once for each place that it has."""

    things: tuple[str, ...]
    deeds: tuple[str, ...]
    past: tuple[str, ...]


def evidence(text: str, between: frozenset[str]) -> Evidence:
    """Find the words that stand after articles, those after pronouns, "to" and forms of "be".

    A word before another that can tell is no evidence for a thing: in "a happy birthday" the
    article belongs to the birthday.

    Parameters
    ----------
    text
        Case folded.
    between
        Words that can't tell, such as "and".
    """
    tokens = ["", "", *_TOKEN.findall(text), "."]
    things, done = [], []
    for i in range(2, len(tokens) - 1):
        earlier, before, word, after = tokens[i - 2 : i + 2]
        if before in _BEFORE_THINGS or (before == "to" and earlier in _ON_THE_WAY):
            if after in between or not after.isalpha():
                things.append(word)
        elif before in _BEFORE_DEEDS:
            done.append(word)
    return Evidence(tuple(things), tuple(done), tuple(filter(_PAST.fullmatch, tokens)))


def deeds(texts: Collection[Evidence]) -> frozenset[str]:
    """Find the words that stand after pronouns, "to" and forms of "be" more than after articles.

    Verbs and adjectives do ("we decided", "were ready"), nouns do not ("the cake", "of candles").
    A word in -ed must be found to name a thing. This is a distributional test of word classes
    (Fries, "The structure of English", 1952), for English; the words of other languages pass it.
    """
    things = Counter(chain.from_iterable(text.things for text in texts))
    done = Counter(chain.from_iterable(text.deeds for text in texts))
    past = set(chain.from_iterable(text.past for text in texts))
    return frozenset(
        word for word in past | done.keys() if things[word] - done[word] < (word in past)
    )
