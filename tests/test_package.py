"""What `import rememberai` gives, and what it does not load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import rememberai


@pytest.mark.parametrize("name", rememberai.__all__)
def test_every_public_name_can_be_imported_and_is_documented(name):
    value = getattr(rememberai, name)
    assert name == "__version__" or value.__doc__


def test_dir_lists_the_public_names():
    assert set(dir(rememberai)) == set(rememberai.__all__)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'Rememberall'"):
        _ = rememberai.Rememberall


def test_import_loads_no_heavy_library():
    code = "import sys, json, rememberai; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"faiss", "lance", "numpy", "pyarrow", "torch", "transformers", "PIL", "rich", "click"}
    assert not heavy & set(json.loads(done.stdout))
