# Two commands for everyone: make demo, make test. Both make .venv on first use.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# The exact versions that were tested; LOCK= takes the newest that requirements.txt allows.
LOCK ?= requirements.lock

.PHONY: demo test long matrix fuzz bench studies presets verify-presets page page-test serving-test \
    kserve-test lint format clean

demo: $(VENV)/installed
	$(RUN) -m trainers --dataset=mnist --generator=dcgan --conditional --filters=32 \
	    --batch_size=64 --schedule=simultaneous --epochs=4 --ema_decay=0.999 \
	    --steps_per_execution=8 --output_dir=runs/demo
	$(RUN) -m export --model=runs/demo/gan.keras --output_dir=serving/demo

test: $(VENV)/installed
	$(RUN) -m pytest -n auto --maxprocesses=4 --dist=loadgroup

long: $(VENV)/installed
	$(RUN) -m pytest -n auto --maxprocesses=4 --dist=loadgroup -m long

matrix: $(VENV)/installed
	$(RUN) -m pytest -n auto --maxprocesses=4 --dist=loadgroup tests/matrix/full.py

fuzz: $(VENV)/installed
	$(RUN) -m pytest -s tests/fuzz/full.py

bench: $(VENV)/installed .bench/installed
	$(RUN) -m benchmarks.speed --torch=.bench/bin/python

studies: $(VENV)/installed
	$(RUN) -m studies --run=quick; status=$$?; $(RUN) -m studies --publish && exit $$status

presets: $(VENV)/installed
	$(RUN) -m trainers --recipe=all --publish

verify-presets: $(VENV)/installed
	$(RUN) -m evaluation --verify=all; status=$$?; \
	$(RUN) -m pytest -q tests/test_notes.py tests/studies/test_gallery.py && exit $$status

# The page of docs/page, and its test in a browser: apt-get install npm chromium.
PAGE_PRESETS := conditional_dcgan_mnist,conditional_dcgan_fashion_mnist,mlp_mnist_gan,unrolled_ring,consensus_ring

page: $(VENV)/installed
	$(RUN) -m export page --presets=$(PAGE_PRESETS) --output_dir=docs/page

page-test: $(VENV)/installed
	$(RUN) -m tests.export.page.end_to_end --presets=$(PAGE_PRESETS)

# A server of exported models, asked everything: TF_SERVING_URL, or what is on the PATH, or a stand-in.
serving-test: $(VENV)/installed
	$(RUN) -m tests.export.over_the_wire

# The same of KServe's server, in an environment of its own (2.5 GB, of which TensorFlow is the most).
kserve-test: $(VENV)/installed .kserve/installed
	$(RUN) -m tests.export.over_the_wire --kserve=.kserve/bin/python

lint: $(VENV)/installed
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: $(VENV)/installed
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean:
	rm -rf runs serving build dist *.egg-info

$(VENV)/installed: requirements.txt requirements-dev.txt $(LOCK)
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet -r requirements-dev.txt $(if $(LOCK),-c $(LOCK))
	touch $@

.bench/installed: requirements-bench.txt
	$(PYTHON) -m venv .bench
	.bench/bin/python -m pip install --quiet -r requirements-bench.txt
	touch $@

.kserve/installed: requirements-kserve.txt
	$(PYTHON) -m venv .kserve
	.kserve/bin/python -m pip install --quiet -r requirements-kserve.txt
	touch $@
