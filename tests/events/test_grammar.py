"""Words that name nothing are told by the words before them."""

from __future__ import annotations

import pytest

from rememberai.events.grammar import deeds, evidence
from rememberai.events.naming import Terms


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["we decided to join the parade."], {"decided", "join"}),
        (["so ready for the cake", "the cake was delicious"], {"ready", "delicious"}),
        (["she sings", "her songs"], {"sings"}),
        (["they play in the park", "a school play", "the play", "a play."], set()),  # more often
        (["we went to church", "we got home"], {"went", "got"}),
        (["to church", "the church"], set()),  # no more for than against
        (["a happy birthday", "was happy"], {"happy"}),  # the article is the birthday's
        (["everything started", "the bed", "a wicked red seed"], {"started", "wicked"}),
        (["the beloved", "my beloved"], set()),
        (["birthday party, cake and candles"], set()),
        (["", "?!"], set()),
        (["우리는 케이크를 먹었다", "der Hund am Strand", "il était une fois"], set()),
    ],
)
def test_deeds_stand_where_no_thing_does(texts, expected):
    assert deeds([evidence(text, frozenset({"and", "was"})) for text in texts]) == expected


def test_titles_name_things_before_deeds():
    texts = ["We gathered around the candles", "They gathered, and a cake", "we all gathered"]
    found = Terms.of([*texts, "a dog"]).telling([0, 0, 0, 1], [1.0] * 4, 2)
    assert found[0] == ["cake", "candles", "gathered"]


def test_where_nothing_else_is_said_deeds_are_told():
    assert Terms.of(["we ran", "they ran"]).telling([0, 0], [1.0] * 2, 1) == [["ran"]]
