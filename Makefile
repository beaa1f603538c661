# make demo | test | test-fast | soak | bench | docs
#
# Each target installs what it needs into .venv and .build in this folder, and writes nowhere else. As root on Debian,
# `make test` also installs packages. To select a Python: make test PYTHON=python3.13
# To run one or more stages of the tests: make test STAGES="ruff sanity"

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
DEMO_ROOT ?= $(CURDIR)/.demo
STAGES ?=
PYTHON ?=
COLLECTIONS := $(CURDIR)/.build/collections
DOCS := $(CURDIR)/.build/docs

export PATH := $(BIN):$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export ANSIBLE_HOME := $(CURDIR)/.build/ansible
export ANSIBLE_REMOTE_TMP := $(ANSIBLE_HOME)/tmp
export ANSIBLE_LOCALHOST_WARNING := false
export ANSIBLE_CALLBACK_RESULT_FORMAT := yaml
export ANSIBLE_INVENTORY_UNPARSED_WARNING := false

.PHONY: demo test test-fast soak bench docs collection clean

demo: $(VENV)/demo.done collection
	@ansible-playbook playbooks/demo.yml -e cloudsync_root=$(DEMO_ROOT)
	@set -e; export CLOUDSYNC_ROOT=$(DEMO_ROOT) PATH=$(DEMO_ROOT)/usr/local/bin:$$PATH; \
	cloudsync status; \
	for task in library-push library-restore; do echo; echo "$$task"; cloudsync preview $$task --count 3; done; \
	echo; echo "Report: $(DEMO_ROOT)/report/index.html"; \
	echo "Logs: $(DEMO_ROOT)/var/log/cloudsync/   Try: CLOUDSYNC_ROOT=$(DEMO_ROOT) $(DEMO_ROOT)/usr/local/bin/cloudsync logs library-push"

test: $(VENV)/test.done
	@python tests/runner $(STAGES)

test-fast: $(VENV)/test.done
	@python tests/runner fast

soak: $(VENV)/test.done
	@python tests/runner pythons next-core soak

bench: $(VENV)/test.done collection
	@python tests/bench/run.py

docs: $(VENV)/docs.done collection
	@python docs/sphinx/build.py $(DOCS)
	@rm -rf site && cp -R $(DOCS)/html site
	@echo "Documentation: $(CURDIR)/site/index.html"

# Build and install the collection, as users get it.
collection: $(VENV)/demo.done
	@rm -rf .build/dist $(COLLECTIONS)
	@ansible-galaxy collection build --output-path .build/dist >/dev/null
	@ansible-galaxy collection install --offline -p $(COLLECTIONS) .build/dist/*.tar.gz >/dev/null

clean:
	rm -rf .venv .build .demo site

# All targets use one environment. Each target adds its packages.
$(VENV)/bin/python:
	@PYTHON="$(PYTHON)" tests/make-venv $(VENV)

$(VENV)/demo.done: requirements.txt tests/requirements-demo.txt | $(VENV)/bin/python
	@echo "installing the Python packages of $(lastword $^) ..."
	@python -m pip install --quiet --disable-pip-version-check -r tests/requirements-demo.txt
	@touch $@

$(VENV)/test.done: tests/requirements.txt $(VENV)/demo.done
	@echo "installing the Python packages of $< ..."
	@python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(VENV)/docs.done: docs/requirements.txt $(VENV)/demo.done
	@echo "installing the Python packages of $< ..."
	@python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
