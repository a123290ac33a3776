# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
.DEFAULT_GOAL := help
.PHONY: help demo test build check replay sandbox deb bench sim fuzz soak chaos install format hooks coverage

help: ## list the targets
	@Scripts/help $(MAKEFILE_LIST)

demo: ## real caches give memory back under real pressure, in a table
	@Scripts/demo

test: ## every test that this host allows; the rest is listed with its reason
	@Scripts/test

build: ## release executables in build/bin/
	@Scripts/build

check: ## format, lint, scripts, man pages, units, the embedded subset
	@Scripts/check

replay: ## the same events through debug, release and Embedded builds decide the same
	@Scripts/check-replay

sandbox: ## a suite in a whole system under emulation: SUITE=smoke GUEST=bookworm SHORT=1
	@Scripts/sandbox

deb: ## Debian packages in build/
	@Scripts/deb

bench: ## speed and size against the targets; SHORT=1
	@Scripts/bench

sim: ## the policy against simulated hosts; SHORT=1
	@Scripts/sim

fuzz: ## hostile input; SHORT=1
	@Scripts/later fuzz 'Endurance'

soak: ## hours of load; SHORT=1
	@Scripts/later soak 'Endurance'

chaos: ## failures on purpose; SHORT=1
	@Scripts/later chaos 'Endurance'

install: ## into DESTDIR=, below PREFIX=/usr/local
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' Scripts/install

format: ## rewrite the sources in the house format
	@Scripts/format

hooks: ## check each commit before it is made
	@git config core.hooksPath .githooks

coverage: ## lines that no test runs
	@Scripts/coverage
