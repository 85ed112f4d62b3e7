# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target is a session of noxfile.py, which says what it runs; here stand their arguments only.
# Each makes its own environment; only Python 3.10 or newer and make have to be there.
#   make test PYTHON=python3.12              another Python
#   make test PYTEST_ARGS='-k refuse -x'     arguments for pytest
#   make test ALL=1                          what takes minutes too: every molecule scenario, the jobs of AWX, the page in a browser
#   make contract URL=https://host:9200 USER=admin PASSWORD=… [CA_CERT=ca.pem | INSECURE=1]
#   make matrix [CI=1] [ONLY=2.16,2.21] [PYTHONS=/opt/python3.14/bin/python3.14]
#   make bench [QUICK=1] [ONLY=deprovision,nodes,crowd,read,start] [SIZES=100,1000] [RUNS=1] [URL=… as for contract]

PYTHON ?= python3
PYTEST_ARGS ?=

SESSION = @"$(PYTHON)" tests/environment.py nox -s $@ --

# Sessions without arguments of their own, and those that have some, below.
PLAIN := demo demo-opensearch lint licences importer docs changelog build
OTHERS := test test-opensearch unit molecule contract campaign bench matrix sanity

.DEFAULT_GOAL := help
.PHONY: help clean $(PLAIN) $(OTHERS)

help: ## this list
	@echo "make TARGET, where TARGET is one of"
	@sed -n '/(session: nox.Session) -> None:$$/{N; s/^def \([a-z]*\)_*\([a-z]*\)(.*"""\(.*\)"""/\1-\2|\3/p}' noxfile.py \
	| while IFS='|' read -r name text; do printf '  %-16s %s\n' "$${name%-}" "$$text"; done
	@printf '  %-16s %s\n' clean "remove environments and artifacts"

$(PLAIN):
	$(SESSION)

test:
	$(SESSION) $(if $(WORKERS),-n $(WORKERS)) $(if $(ALL),-m 'not opensearch') $(PYTEST_ARGS)

test-opensearch unit molecule:
	$(SESSION) $(PYTEST_ARGS)

# These count only if they stand in the command line: USER is always in the environment, and the others may be.
# The password goes by the environment: the arguments of a process are visible to everybody.
given = $(if $(filter command,$(firstword $(origin $(1)))),$(2))
server = $(call given,URL,--url "$(URL)") $(call given,USER,--user "$(USER)") $(call given,CA_CERT,--ca-cert "$(CA_CERT)") $(call given,INSECURE,--insecure)
ifeq ($(origin PASSWORD),command line)
contract: export CONTRACT_PASSWORD := $(value PASSWORD)
bench: export BENCH_PASSWORD := $(value PASSWORD)
endif

contract:
	$(SESSION) $(server) $(PYTEST_ARGS)

campaign:
	$(SESSION) --count $(or $(N),1000) --seed $(or $(SEED),1) --seconds $(or $(SECONDS),3600)

bench:
	$(SESSION) $(server) $(call given,QUICK,--quick) $(call given,ONLY,--only "$(ONLY)") $(call given,SIZES,--sizes "$(SIZES)") \
	$(call given,RUNS,--runs "$(RUNS)") $(call given,DOCS,--docs)

# CI and ONLY may be in the environment, where they mean something else.
matrix:
	$(SESSION) $(call given,ONLY,--only "$(ONLY)") $(call given,CI,--ci) $(addprefix --python ,$(PYTHONS))

clean:
	@"$(PYTHON)" tests/environment.py clean
	@rm -rf dist .ansible .coverage .mypy_cache .nox .pytest_cache .ruff_cache tests/output
