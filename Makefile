VENV ?= .venv
RUN = $(VENV)/bin/python -m
DATA ?= ../shared/data
export TOKENIZERS_PARALLELISM = false

.PHONY: demo test test-slow test-oldest lint format bare bench docs vendor

demo: $(VENV)/ready ## install, then the main job on the sample album
	$(VENV)/bin/rememberai demo

test: $(VENV)/ready ## install, then all tests but the slow ones
	$(RUN) pytest -m "not slow"

test-slow: $(VENV)/ready ## the tests that take minutes
	$(RUN) pytest -m slow

test-oldest: $(VENV)/ready ## what sees and embeds, with the oldest libraries of models that are promised to do
	$(VENV)/bin/pip install -q --no-deps --upgrade --target $(VENV)-oldest "transformers==4.57.1" "tokenizers==0.22.1" "huggingface-hub<1" "sentence-transformers==5.0.0"
	PYTHONPATH=$(VENV)-oldest $(RUN) pytest -m "not slow" --ignore tests/captioners/test_labels.py --ignore tests/embedders/test_universal_embedder.py tests/captioners tests/embedders tests/test_pictures.py

lint: $(VENV)/ready ## style, docstrings, annotations, types
	$(RUN) ruff check && $(RUN) ruff format --check && $(RUN) mypy

format: $(VENV)/ready
	$(RUN) ruff check --fix && $(RUN) ruff format

bare: ## a built package without extras: imports, and typed errors
	rm -rf $(VENV)-bare && python3 -m venv $(VENV)-bare && $(VENV)-bare/bin/pip install -q -c constraints.txt . && cd $(VENV)-bare && bin/python $(CURDIR)/tests/bare_install.py

bench: $(VENV)/ready ## every benchmark, and the table in docs/benchmarks.md
	$(RUN) benchmarks --data $(DATA)

docs: $(VENV)/ready ## the pages as a site, in site/; a warning is an error
	$(VENV)/bin/pip install -q -c constraints.txt -e ".[docs]" && NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict

vendor: ## what the page takes from npm, byte for byte as it stands in rememberai/report/assets/vendor
	cd vendor && npm ci --ignore-scripts && node build.js

$(VENV)/ready: pyproject.toml constraints.txt
	python3 -m venv $(VENV) && $(VENV)/bin/pip install -q -c constraints.txt -e ".[cpu,sbert,offline,caption,vision,heif,map,onnx,plots,serve,test,dev]" && touch $@
