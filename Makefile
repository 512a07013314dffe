# Two commands: `make demo` brings everything up, `make test` proves it. What each needs is installed when it is missing.
MULU = .venv/bin/mulu
.PHONY: demo up down status test lint bench shots bootstrap
.DEFAULT_GOAL := demo

bootstrap:
	@sh deploy/local/bootstrap.sh

demo: bootstrap
	@$(MULU) demo $(if $(PROFILE),--profile $(PROFILE))

up: bootstrap
	@$(MULU) up $(if $(PROFILE),--profile $(PROFILE))

down:
	@if [ -x $(MULU) ]; then $(MULU) down; fi

status:
	@if [ -x $(MULU) ]; then $(MULU) status; else echo '没有安装：先运行 make demo'; fi

# make test SUITES="rules site" runs only these
test:
	@sh deploy/local/bootstrap.sh test
	@.venv/bin/python -m mulu_ops.suites $(SUITES)

lint: bootstrap
	@.venv/bin/ruff check --quiet
	@.venv/bin/mypy mulu deploy/mulu_ops
	@.venv/bin/lint-imports --no-logo

# the pictures of site/pages/develop/look.md, from the running demo
shots: bootstrap
	@.venv/bin/python -m mulu_ops.shots

bench: bootstrap
	@.venv/bin/python -m bench.run $(WHAT)
