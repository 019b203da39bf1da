"""Titles: telling words and dates."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rememberai.events.naming import Terms, date_range, korean_dates, led_by, title, words


def telling(*clusters, n_words=3):
    """Telling words of clusters of equally typical texts."""
    texts = [text for cluster in clusters for text in cluster]
    labels = [i for i, cluster in enumerate(clusters) for _ in cluster]
    return Terms.of(texts).telling(labels, [1.0] * len(texts), len(clusters), n_words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Blowing out the candles!", ["blowing", "candles"]),
        ("", []),
        ("the and of I", []),
        (
            "a photo of vegetables, perhaps broccoli; possibly four, mostly green",
            ["vegetables", "broccoli", "green"],
        ),
        ("2024 12:30 3rd_place", ["place"]),
        ("a tv in my zoo", ["zoo"]),
        ("Grandma's and GRANDMA’S cake", ["grandma", "grandma", "cake"]),
        ("We didn't, couldn’t and DON'T; it's she'll I'm they've", []),
        ("l'anniversaire de Zoé", ["anniversaire", "zoé"]),
        ("Straße, ΣΊΣΥΦΟΣ", ["strasse", "σίσυφοσ"]),
        ("생일 파티를 했다 꽃", ["생일", "파티를", "했다"]),
        ("生日 快乐 誕生日", ["生日", "快乐", "誕生日"]),
        ("x" * 100_000, []),
    ],
)
def test_words_that_can_tell(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize("text", ["생일 파티", "café Zoé"])
def test_decomposed_letters_make_the_same_words(text):
    assert words(unicodedata.normalize("NFD", text)) == words(text) == text.casefold().split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("जन्मदिन की पार्टी", ["जन्मदिन", "पार्टी"]),
        ("งานวันเกิด เค้ก", ["งานวันเกิด", "เค้ก"]),
        ("শুভ জন্মদিন!", ["শুভ", "জন্মদিন"]),
        ("İstanbul gezisi", ["i̇stanbul", "gezisi"]),  # a dot of its own, once in lower case
    ],
)
def test_vowel_signs_and_accents_are_part_of_their_words(text, expected):
    assert words(text) == expected


def test_scores_are_those_of_class_based_tf_idf():
    texts = ["cake cake candles", "cake song", "beach song", "beach sand cake", "never counted"]
    labels = [0, 0, 1, 1, -1]
    weights = [1.0, 0.5, 1.0, 0.25, 9.0]
    counts = [
        {"cake": 1.5, "candles": 1.0, "song": 0.5},
        {"beach": 1.25, "song": 1.0, "sand": 0.25, "cake": 0.25},
    ]
    overall = {"cake": 1.75, "candles": 1.0, "song": 1.5, "beach": 1.25, "sand": 0.25}
    mean = sum(overall.values()) / 2
    expected = [
        sorted(count, key=lambda w: -count[w] * log(1 + mean / overall[w])) for count in counts
    ]
    assert expected == [["cake", "candles", "song"], ["beach", "song", "sand", "cake"]]
    assert Terms.of(texts).telling(labels, weights, 2, 9) == expected
    assert Terms.of(texts).telling(labels, weights, 2, 2) == [each[:2] for each in expected]


def test_a_word_of_this_cluster_beats_a_commoner_one_of_all():
    found = telling(["cake, party", "cake, party", "party"], ["party", "party", "walk, party"])
    assert found[0][0] == "cake"


def test_typical_texts_weigh_more():
    found = Terms.of(["walk", "cake", "song"]).telling([0, 0, 1], [0.2, 0.9, 1.0], 2)
    assert found[0] == ["cake", "walk"]


def test_a_text_that_is_a_little_more_typical_tells_first():
    assert Terms.of(["apple", "zebra"]).telling([0, 0], [1.0, 1.02], 1) == [["zebra", "apple"]]


def test_a_term_of_two_texts_stands_before_one_of_a_single_text():
    clusters = ["cake unicorn", "cake walk"], ["cake", "cake", "cake walk", "cake", "walk"]
    assert telling(*clusters)[0] == ["cake", "unicorn", "walk"]
    alone = ["cake unicorn", "walk"], clusters[1]
    assert telling(*alone)[0][0] == "unicorn"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a birthday party", "our birthday party!", "party birthday"], ["birthday party"]),
        (["a birthday party", "a birthday, a party"], ["birthday", "party"]),  # together once
        (["birthday, party", "birthday, party"], ["birthday", "party"]),
        (["birthday of party"] * 2, ["birthday", "party"]),
        (["cha cha dance", "cha cha"], ["cha", "dance"]),
        (["ice fishing trip", "ice fishing trip"], ["fishing trip", "ice"]),
        (["생일 파티", "생일 파티 케이크"], ["생일 파티", "케이크"]),
    ],
)
def test_words_that_stand_side_by_side_in_two_texts_are_a_phrase(texts, expected):
    assert telling(texts, ["a dull text", "party of the year", "birthday"])[0] == expected


def test_ties_follow_the_alphabet_in_whatever_order_the_texts_come():
    clusters = ["pear fig", "apple pear", "fig apple"], ["dog"]
    assert telling(*clusters)[0] == ["apple", "fig", "pear"]
    # 0.1 + 0.2 + 0.3 differs from 0.3 + 0.2 + 0.1 in its last digit.
    texts = ["pear", "pear", "pear", "apple", "apple", "apple"]
    for weights in ([0.1, 0.2, 0.3, 0.3, 0.2, 0.1], [0.3, 0.2, 0.1, 0.1, 0.2, 0.3]):
        assert Terms.of(texts).telling([0] * 6, weights, 1) == [["apple", "pear"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("candles candles candle", 1),
        ("party parties", 1),
        ("baby babies", 1),
        ("graduation graduate graduates graduating", 1),
        ("beach beaches", 1),
        ("생일 생일에 생일을", 1),
        ("grandma grandpa", 2),
        ("christmas tree", 2),
    ],
)
def test_words_of_one_stem_are_named_once(text, expected):
    assert len(telling([text])[0]) == expected


def test_the_place_of_a_dropped_word_goes_to_the_next():
    found = telling(["candles, cake", "candles, cake", "candle", "candle, zoo"], n_words=3)
    assert found == [["cake", "candle", "zoo"]]


def test_clusters_without_words_stay_empty():
    assert telling(["the 12", ""], [], ["cake"]) == [[], [], ["cake"]]
    assert Terms.of([]).telling([], [], 2) == [[], []]
    assert Terms.of([]).telling([], [], 0) == []
    assert Terms.of(["cake"]).telling([-1], [1.0], 1) == [[]]


def test_korean_texts():
    found = telling(
        ["할머니 생신에 케이크 촛불을 불었다", "케이크 앞에서 할머니와"],
        ["바다에서 모래성을 쌓았다", "모래성을 지키다가 바다에서"],
    )
    assert found[0][0] == "케이크"
    assert set(found[1][:2]) == {"모래성을", "바다에서"}


@given(
    texts=st.lists(st.text("aebdwit '가나é,", max_size=30), max_size=12),
    others=st.lists(st.text("aebdwit '가나é,", max_size=30), max_size=6),
    kept=st.integers(0, 12),
)
@settings(max_examples=80, deadline=None)
def test_what_was_read_before_changes_no_term(texts, others, kept):
    fresh, again = Terms.of(texts), Terms.of(texts, Terms.of(others + texts[:kept]))
    assert again.names == fresh.names
    assert again.numbers.tolist() == fresh.numbers.tolist()
    assert again.lengths.tolist() == fresh.lengths.tolist()
    assert again.doing == fresh.doing
    assert again.readings == fresh.readings  # none is kept that is needed no longer


def test_a_long_text_counts_as_any_other():
    long = "sand " * 10_000 + "y" * 50_000
    assert telling([long, "cake", "cake"]) == [["cake", "sand"]]


@given(
    texts=st.lists(st.text("abcde '’가나éñ1!", max_size=30), max_size=12),
    seed=st.randoms(use_true_random=False),
)
@settings(max_examples=80, deadline=None)
def test_the_order_of_the_texts_does_not_matter(texts, seed):
    rows = [(text, seed.randrange(-1, 3), seed.choice([0.1, 0.2, 0.3, 0.7])) for text in texts]
    shuffled = seed.sample(rows, len(rows))
    first, again = (
        Terms.of([r[0] for r in each]).telling([r[1] for r in each], [r[2] for r in each], 3)
        for each in (rows, shuffled)
    )
    assert first == again
    for cluster, found in enumerate(first):
        assert len(found) <= 3
        own = {word for text, label, _ in rows if label == cluster for word in words(text)}
        assert {word for term in found for word in term.split()} <= own
        assert bool(found) == bool(own)


DAY = datetime(2024, 6, 14, 9)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, ""),
        (DAY, None, ""),
        (None, DAY, ""),
        (DAY, DAY, "14 June 2024"),
        (DAY, DAY.replace(hour=23), "14 June 2024"),
        (DAY, DAY.replace(day=15, hour=1), "14–15 June 2024"),
        (DAY, DAY.replace(month=7, day=2), "14 June – 2 July 2024"),
        (DAY, DAY.replace(month=7), "14 June – 14 July 2024"),
        (DAY.replace(month=12, day=31), datetime(2025, 1, 1), "31 December 2024 – 1 January 2025"),
        (DAY, DAY.replace(year=2025), "14 June 2024 – 14 June 2025"),
    ],
)
def test_dates_say_nothing_twice(first, last, expected):
    assert date_range(first, last) == expected


@pytest.mark.parametrize(
    ("telling", "expected"),
    [
        (["birthday", "cake", "candles"], "Birthday, cake and candles"),
        (["birthday", "cake"], "Birthday and cake"),
        (["birthday"], "Birthday"),
        ([], "No telling words"),
    ],
)
def test_titles(telling, expected):
    assert title(telling, None, None) == expected
    assert title(telling, DAY, DAY) == f"{expected} · 14 June 2024"
    assert title(telling, DAY, DAY, "Busan") == f"{expected} · Busan · 14 June 2024"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, DAY, ""),
        (DAY, DAY.replace(hour=23), "2024년 6월 14일"),
        (DAY, DAY.replace(day=15), "2024년 6월 14–15일"),
        (DAY, DAY.replace(month=7, day=2), "2024년 6월 14일 – 7월 2일"),
        (DAY, DAY.replace(year=2025), "2024년 6월 14일 – 2025년 6월 14일"),
    ],
)
def test_dates_in_korean(first, last, expected):
    assert korean_dates(first, last) == expected


@pytest.mark.parametrize(
    ("telling", "expected"),
    [
        (["생일", "케이크", "촛불"], "생일, 케이크, 촛불"),
        (["birthday", "케이크"], "Birthday, 케이크"),
        (["생일"], "생일"),
    ],
)
def test_titles_of_korean_words_are_korean(telling, expected):
    assert title(telling, None, None) == expected
    assert title(telling, DAY, DAY) == f"{expected} · 2024년 6월 14일"


def test_a_known_event_leads_and_says_nothing_twice():
    assert led_by("birthday_party", ["candles", "birthday", "cake"]) == [
        "birthday party",
        "candles",
        "cake",
    ]
    assert led_by("wedding", ["door", "mum", "stand"]) == ["wedding", "door", "mum"]
    assert led_by("wedding", []) == ["wedding"]
    assert led_by(None, ["door", "mum", "stand"]) == ["door", "mum", "stand"]


@pytest.mark.parametrize("noise", [-1e-7, 0, 1e-7])
def test_the_last_digits_of_weights_decide_nothing(noise):
    """Two photos are equally far from their middle, but for the rounding of a processor."""
    texts = ["a flag and a moat", "a lolly, freezing", "a dog"]
    found = Terms.of(texts).telling([0, 0, 1], [0.4 + noise, 0.4, 1.0], 2)
    assert found[0] == ["flag", "freezing", "lolly"]
