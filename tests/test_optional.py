from __future__ import annotations

import math
import sys

import pytest

from rememberai._optional import _EXTRA_OF, require
from rememberai.errors import MissingExtraError, RememberAIError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Put a package named faiss, of the given source, before the installed one."""

    def write(source):
        (tmp_path / "faiss.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "faiss", raising=False)

    return write


def test_gives_the_module(monkeypatch):
    monkeypatch.setitem(_EXTRA_OF, "math", "test")
    assert require("math") is math


@pytest.mark.parametrize(("module", "extra"), sorted(_EXTRA_OF.items()))
def test_a_missing_package_names_its_extra(module, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as caught:
        require(module)
    assert f'pip install "rememberai[{extra}]"' in str(caught.value)
    assert module in str(caught.value)
    assert caught.value.name == module
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, RememberAIError)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import a_package_that_nobody_wrote", "a_package_that_nobody_wrote"),
        ("from math import a_name_that_is_not_there", "cannot import name"),
        ("from faiss import a_name_that_is_not_there", "cannot import name"),
        ("raise ImportError('libblas.so is missing')", "libblas.so is missing"),
        ("raise ImportError('no symbol', name='faiss._swig')", "no symbol"),
        ("raise RuntimeError('no AVX2 here')", "no AVX2 here"),
    ],
)
def test_a_package_that_is_broken_inside_speaks_for_itself(package, source, message):
    package(source)
    with pytest.raises((ImportError, RuntimeError), match=message) as caught:
        require("faiss")
    assert not isinstance(caught.value, MissingExtraError)
