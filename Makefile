# Every target is one line; the work is done by the scripts in deploy/local/. Variables: PORT_BASE, PROFILE, DEMO, FILTER, FUZZ_SECONDS.
.DEFAULT_GOAL := help
.PHONY: help run up down status logs server replay test lint fmt generate web web-dev journeys screenshots bench-ingest bench-realtime bench-portal lighthouse bench-agent agent-deb agent-host fuzz fuzz-keep reset
export PORT_BASE PROFILE DEMO FILTER RUN_MODE FUZZ_SECONDS

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

fuzz: ## feed what the agent reads with nonsense for a minute (FUZZ_SECONDS=600: longer)
	@deploy/local/fuzz

fuzz-keep: ## bring what the fuzzer has found into the repository, as few and small files as reach all of it
	@deploy/local/fuzz keep

lint: ## format, shell scripts, lints, arrows
	@deploy/local/lint

fmt: ## format the code
	@cargo fmt --all && deploy/local/web npm run --silent format

generate: ## write the OpenAPI snapshots and the portal's client anew
	@deploy/local/generate

web: ## build the portal, and tell how much its first load weighs
	@deploy/local/web build

web-dev: ## the portal on http://127.0.0.1:5173, rebuilt while it is edited, on the stack of `make up`
	@deploy/local/web npm run dev

journeys: ## visit the portal in Chromium on a stack of its own (STACK=running: on that of `make up`)
	@deploy/local/web-journeys

screenshots: ## every page, light and dark, from the running stack into docs/screenshots
	@STACK=running JOURNEYS=screenshots deploy/local/web-journeys

bench-ingest: ## events per second from agent to database, beside PostgreSQL's own limit
	@deploy/local/bench-ingest

bench-realtime: ## thousands of WebSocket clients, each of which must get every change once
	@deploy/local/bench-realtime

bench-portal: ## the portal in Chromium with 10,000 active sessions and 200 events a second (MINUTES=10)
	@deploy/local/bench-portal

lighthouse: ## first loads of the portal on a slow machine and line: paints, shifts, blocked time, bytes
	@BENCH=loads SESSIONS=200 RATE=10 deploy/local/bench-portal

bench-agent: ## memory and processor time of an agent that holds 10,000 sessions
	@deploy/local/bench-agent

agent-deb: ## the agent's Debian package
	@deploy/agent/build-deb

agent-host: agent-deb ## install that package on a host with systemd in a container, and follow docs/agents.md there
	@deploy/agent/try-host

reset: ## stop everything and delete its data
	@deploy/local/reset
