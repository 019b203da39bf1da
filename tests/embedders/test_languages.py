from __future__ import annotations

import warnings

import pytest

from rememberai.embedders.languages import LanguageWatch, foreign_script, scripts_of
from rememberai.embedders.models import MODELS
from rememberai.errors import LanguageWarning

ENGLISH = MODELS["all-MiniLM-L6-v2"]
LATIN = scripts_of(["en"])


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("졸업식에서 친구들과", "HANGUL"),
        ("卒業", "CJK"),
        ("たんじょうび", "HIRAGANA"),
        ("ケーキー", "KATAKANA"),
        ("ｹｰｷ", "KATAKANA"),
        ("С днём рождения", "CYRILLIC"),
        ("عيد ميلاد سعيد", "ARABIC"),
        ("γενέθλια", "GREEK"),
        ("जन्मदिन", "DEVANAGARI"),
        ("오늘 party", None),  # two letters of seven
        ("With 지은 and 민수 at the lake", None),
        ("Fête à Zürich, smørrebrød – 100 €", None),
        ("ＦＵＬＬ　ＷＩＤＴＨ", None),
        ("🎂🎉 123 !!", None),
        ("", None),
    ],
)
def test_the_script_of_most_letters(text, script):
    assert foreign_script(text, LATIN) == script


def test_a_multilingual_model_knows_its_scripts():
    known = scripts_of(MODELS["use-multilingual"].languages)
    for text in ("졸업식", "誕生日ケーキ", "С днём рождения", "عيد ميلاد", "生日", "วันเกิด"):
        assert foreign_script(text, known) is None
    assert foreign_script("γενέθλια", known) == "GREEK"


def test_warns_once_and_names_a_model_that_knows_the_script():
    watch = LanguageWatch(ENGLISH)
    with pytest.warns(LanguageWarning, match=r"1 of 2 texts.*Han,.*embedder='use-multilingual'"):
        watch.check(["卒業", "cake"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch.check(["卒業"])


def test_the_advice_holds_in_python_and_in_a_shell():
    with pytest.warns(LanguageWarning) as caught:
        LanguageWatch(ENGLISH).check(["졸업식", "cake", "생일"])
    assert str(caught[0].message) == (
        "2 of 3 texts are in Hangul, which the model 'all-MiniLM-L6-v2' does not know: their "
        "places will be poor. Make the store with embedder='use-multilingual', or let it go over "
        "to that model (in a shell: rememberai reembed STORE use-multilingual)."
    )


def test_greek_is_sent_to_the_model_that_knows_greek():
    with pytest.warns(LanguageWarning, match="embedder='paraphrase-multilingual-MiniLM-L12-v2'"):
        LanguageWatch(MODELS["use-multilingual"]).check(["γενέθλια"])


def test_a_script_that_no_model_knows_gets_no_advice():
    with pytest.warns(LanguageWarning, match="Cherokee") as caught:
        LanguageWatch(ENGLISH).check(["ᏣᎳᎩ"])
    assert "Make the store" not in str(caught[0].message)


def test_nothing_to_say():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LanguageWatch(ENGLISH).check(["a cake", "naïve", ""])
        LanguageWatch(None).check(["졸업식"])
