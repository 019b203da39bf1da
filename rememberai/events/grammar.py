"""Which words say what is done or how it was, and so name nothing: told by the word before them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def deeds(texts: Iterable[str], between: frozenset[str]) -> frozenset[str]:
    """Find the words that stand after pronouns, "to" and forms of "be" more than after articles.

    Verbs and adjectives do ("we decided", "were ready"), nouns do not ("the cake", "of candles").
    A word before another that can tell is no evidence for a thing: in "a happy birthday" the
    article belongs to the birthday. A word in -ed must be found to name a thing. This is
    a distributional test of word classes (Fries, "The structure of English", 1952), for English;
    the words of other languages pass it.

    Parameters
    ----------
    texts
        Case folded.
    between
        Words that can't tell, such as "and".
    """
    balance: Counter[str] = Counter()
    past = set()
    for text in texts:
        tokens = ["", "", *_TOKEN.findall(text), "."]
        for i in range(2, len(tokens) - 1):
            earlier, before, word, after = tokens[i - 2 : i + 2]
            if _PAST.fullmatch(word):
                past.add(word)
            if before in _BEFORE_THINGS or (before == "to" and earlier in _ON_THE_WAY):
                balance[word] += after in between or not after.isalpha()
            elif before in _BEFORE_DEEDS:
                balance[word] -= 1
    return frozenset(word for word in past | balance.keys() if balance[word] < (word in past))
