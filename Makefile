# Names for the checks of tools/checks.bash: `make check` runs all of them, `make lint` one.

CHECKS := format lint types fast slow docs wheel
TIMES ?= 50

.PHONY: help check tests fix repeat $(CHECKS)

help:
	@echo "make check                       all checks: $(CHECKS)"
	@echo "make NAME                        one check"
	@echo "make tests                       all tests in one run, types, pages and wheel included"
	@echo "make fix                         format the code and repair what ruff can repair"
	@echo "make repeat TEST=path::name TIMES=50    one test many times, each in a fresh process"

check: $(CHECKS)

# In the order of the list and one at a time: the tests use all cores already.
.NOTPARALLEL:

$(CHECKS) tests fix: .venv/bin/pytest
	@bash tools/checks.bash $@

repeat: .venv/bin/pytest
	@bash tools/checks.bash repeat "$(TEST)" "$(TIMES)"

.venv/bin/pytest:
	@bash tools/checks.bash install
