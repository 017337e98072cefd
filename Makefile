# Every target is one line; the work is done by the scripts in deploy/local/. Variables: PORT_BASE, PROFILE, DEMO, FILTER.
.DEFAULT_GOAL := help
.PHONY: help run up down status logs server replay test lint fmt generate bench-ingest reset
export PORT_BASE PROFILE DEMO FILTER RUN_MODE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## install, build, start everything, follow the logs; Ctrl-C stops it (DEMO=0: no simulated fleet)
	@deploy/local/run

up: ## the same in the background; again: start what is missing, restart what was rebuilt
	@deploy/local/up

down: ## stop everything; data stays
	@deploy/local/down

status: ## what runs, and where
	@deploy/local/status

logs: ## follow all logs
	@deploy/local/logs

server: ## register a VPN server and print a new API key for its agent: make server NAME=vpn-1
	@deploy/local/server "$(NAME)"

replay: ## post the recorded OpenVPN sessions to the running stack
	@deploy/local/replay

test: ## format, lints, arrows, then all tests on real servers (FILTER='package(ingest)': only these, no lints)
	@deploy/local/test

lint: ## format, shell scripts, lints, arrows
	@deploy/local/lint

fmt: ## format the code
	@cargo fmt --all

generate: ## write the OpenAPI snapshots anew
	@deploy/local/generate

bench-ingest: ## events per second from agent to database, beside PostgreSQL's own limit
	@deploy/local/bench-ingest

reset: ## stop everything and delete its data
	@deploy/local/reset
