# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target makes its own environment; only Python 3.10 or newer and make have to be there.
#   make test PYTHON=python3.12              another Python
#   make test PYTEST_ARGS='-k refuse -x'     arguments for pytest
#   make test ALL=1                          what takes minutes too: every molecule scenario, the jobs of AWX, the page in a browser
#   make contract URL=https://host:9200 USER=admin PASSWORD=… [CA_CERT=ca.pem | INSECURE=1]
#   make bench [QUICK=1] [ONLY=deprovision,nodes,crowd,read,start] [SIZES=100,1000] [RUNS=1] [URL=… as for contract]

PYTHON ?= python3
WORKERS ?= 4
REQUIREMENTS ?= test
PYTEST_ARGS ?=

RUN := "$(PYTHON)" tests/environment.py run
LINT := $(RUN) --requirements lint
PYTEST := $(RUN) --requirements $(REQUIREMENTS) pytest

.DEFAULT_GOAL := help
.PHONY: help demo demo-opensearch test test-opensearch unit contract campaign bench molecule lint changelog build clean

help: ## this list
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 \2/p' Makefile | while read -r name text; do printf '  %-16s %s\n' "$$name" "$$text"; done

demo: ## provision environments on a simulated server, and tear them down, with playbooks
	@$(RUN) python -m tests.demo

demo-opensearch: ## the same on a real OpenSearch 3.6.0 (needs Java and Maven)
	@$(RUN) python -m tests.demo --opensearch

test: ## unit tests, contract, playbooks, a molecule scenario; ALL=1: everything, in some minutes more
	@$(PYTEST) -m 'not opensearch$(if $(ALL),, and not extended)' -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# Of the tests that were written for the simulator, those that are about what becomes of real resources.
OPENSEARCH_TESTS = $(addprefix tests/opensearch/test_,contract_with_security.py contract.py) tests/molecule tests/opensearch \
	$(addprefix tests/integration/test_,allow_delete.py check_mode.py guards.py partial_failure.py second_run.py) \
	$(addprefix tests/real/test_,delete_workflow.py left_behind.py partial_failure.py shared.py stale_records.py)

test-opensearch: ## on real OpenSearch 3.6.0 and 2.19.1, put together from Maven artifacts (needs Java and Maven)
	@$(RUN) python -m tests.opensearch --fetch > /dev/null
	@$(PYTEST) -m opensearch --opensearch 3.6.0 -n 3 --dist loadfile --no-loadscope-reorder $(OPENSEARCH_TESTS) $(PYTEST_ARGS)

unit: ## the unit tests only
	@$(PYTEST) tests/unit $(PYTEST_ARGS)

# These count only if they stand in the command line: USER is always in the environment, and the others may be.
# The password goes by the environment: the arguments of a process are visible to everybody.
given = $(if $(filter command,$(firstword $(origin $(1)))),$(2))
contract: CONTRACT_ARGS = $(call given,URL,--url "$(URL)")
contract: CONTRACT_ARGS += $(call given,USER,--user "$(USER)")
contract: CONTRACT_ARGS += $(call given,CA_CERT,--ca-cert "$(CA_CERT)")
contract: CONTRACT_ARGS += $(call given,INSECURE,--insecure)
ifeq ($(origin PASSWORD),command line)
contract: export CONTRACT_PASSWORD := $(value PASSWORD)
endif
contract: ## what any server must answer: the simulator, or a real one (URL= USER= PASSWORD= CA_CERT=)
	@$(PYTEST) tests/contract $(CONTRACT_ARGS) $(PYTEST_ARGS)

campaign: ## faults, kills and runs at once in generated worlds (N=1000 SEED=1 SECONDS=3600)
	@$(RUN) python -m tests.campaign --count $(or $(N),1000) --seed $(or $(SEED),1) --seconds $(or $(SECONDS),3600)

bench: BENCH_ARGS = $(call given,URL,--url "$(URL)")
bench: BENCH_ARGS += $(call given,USER,--user "$(USER)")
bench: BENCH_ARGS += $(call given,CA_CERT,--ca-cert "$(CA_CERT)")
bench: BENCH_ARGS += $(call given,INSECURE,--insecure)
bench: BENCH_ARGS += $(call given,QUICK,--quick)
bench: BENCH_ARGS += $(call given,ONLY,--only "$(ONLY)")
bench: BENCH_ARGS += $(call given,SIZES,--sizes "$(SIZES)")
bench: BENCH_ARGS += $(call given,RUNS,--runs "$(RUNS)")
bench: BENCH_ARGS += $(call given,DOCS,--docs)
ifeq ($(origin PASSWORD),command line)
bench: export BENCH_PASSWORD := $(value PASSWORD)
endif
bench: ## measured beside a loop of uri and bare HTTP (QUICK=1 ONLY= SIZES= RUNS= DOCS=1, URL= as for contract)
	@$(RUN) --requirements bench python -m tests.bench $(BENCH_ARGS)

molecule: ## every molecule scenario
	@$(PYTEST) tests/molecule -n $(WORKERS) $(PYTEST_ARGS)

lint: ## style, types, documentation (Python 3.11 or newer)
	@$(LINT) ruff check .
	@$(LINT) yamllint .
	@$(LINT) mypy -p ansible_collections.opensearch_ops.flow_framework.plugins -p tests
	@$(LINT) ansible-lint
	@$(LINT) antsibull-changelog lint
	@$(LINT) antsibull-docs lint-collection-docs --plugin-docs .

changelog: ## CHANGELOG.md and .rst for the version in galaxy.yml; takes changelogs/fragments/ in
	@$(LINT) antsibull-changelog release --update-existing

build: ## the artifact for Galaxy, in dist/
	@$(RUN) ansible-galaxy collection build --force --output-path dist

clean: ## remove environments and artifacts
	@"$(PYTHON)" tests/environment.py clean
	@rm -rf dist .ansible .coverage .mypy_cache .pytest_cache .ruff_cache tests/output
