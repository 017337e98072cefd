"""Measures ingest to PostgreSQL on the servers of with-test-servers: each batch size, then the raw limit (the same rows by one
bulk client, nothing else running) and the specification's way (per event its queries and its commit)."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ENV = os.environ
DIRECTORY = pathlib.Path(ENV["OVT_TEST_DIR"])
BINARIES = pathlib.Path(ENV["OVT_TEST_BIN_DIR"])
SECONDS = float(sys.argv[1])
RUNS = [(1, 64), (10, 64), (100, 32), (500, 16)]  # batch size, connections
SERVERS = 8
TABLES = ["vpn_server", "vpn_user", "vpn_session", "vpn_event"]
TICKS = os.sysconf("SC_CLK_TCK")

# The owner's document, one event: user by name, user updated, duplicate looked up, session inserted, commit.
SPECIFICATION = """\\set n random(1, 10000)
BEGIN;
SELECT id FROM vpn_user WHERE common_name = 'user-' || :n;
UPDATE vpn_user SET last_vpn_seen_at = now() WHERE common_name = 'user-' || :n;
SELECT id FROM vpn_session WHERE id = gen_random_uuid();
INSERT INTO vpn_session (id, server_id, vpn_user_id, connected_at, last_seen_at, session_status, real_ip, real_port, virtual_ip)
SELECT gen_random_uuid(), 1, id, now(), now(), 'active', '203.0.113.5', 1194, '10.8.0.2' FROM vpn_user WHERE common_name = 'user-' || :n;
COMMIT;
"""


def database_url(name):
    return ENV["OVT_TEST_DATABASE_URL"].rsplit("/", 1)[0] + "/" + name


def psql(url, *statements):
    arguments = ["psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", url]
    for statement in statements:
        arguments += ["-c", statement]
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.strip()


def create_database(name):
    psql(ENV["OVT_TEST_DATABASE_URL"], f"CREATE DATABASE {name} TEMPLATE {ENV['OVT_TEST_TEMPLATE']}")
    return database_url(name)


def cpu_seconds(pid, with_children=False):
    """CPU time of a process; with_children: of its living and its ended children too."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = sum(map(int, fields[11:15] if with_children else fields[11:13]))
    if with_children:
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                ticks += cpu_seconds(child) * TICKS
            except OSError:
                continue
    return ticks / TICKS


def cpu_of_all(processes):
    postgres = int((DIRECTORY / "postgres/data/postmaster.pid").read_text().split()[0])
    nats = int((DIRECTORY / "nats/pid").read_text().split()[0])
    used = {name: cpu_seconds(process.pid) for name, process in processes.items()}
    return used | {"nats": cpu_seconds(nats), "postgres": cpu_seconds(postgres, with_children=True)}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait(what, condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            sys.exit(f"after {seconds} s still waiting for {what}")
        time.sleep(0.02)
    return value


def is_ready(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3).status == 200
    except OSError:
        return False


def start_services(environment):
    processes = {}
    for name in ["ingest", "session-processor"]:
        port = free_port()
        log = open(DIRECTORY / f"{name}.log", "w")
        own = environment | {"HTTP_ADDR": f"127.0.0.1:{port}"}
        processes[name] = subprocess.Popen([BINARIES / name], env=own, stdout=log, stderr=log)
        wait(f"{name} to be ready", lambda: is_ready(port))
        environment[f"{name} port"] = str(port)
    return processes, environment.pop("ingest port")


def create_keys(environment):
    lines = []
    for number in range(SERVERS):
        name = f"bench-{number}"
        for command in ["create-server", "create-key"]:
            done = subprocess.run([BINARIES / "auth", command, name], env=environment, check=True, capture_output=True, text=True)
        lines.append(f"{name}={done.stdout.split()[-1]}")
    path = DIRECTORY / "bench-keys"
    path.write_text("\n".join(lines))
    return path


def measure(batch, connections):
    """One batch size on an empty database: the simulator's report, with the rate of fully processed events and CPU per event."""
    name = f"bench_{batch}"
    url = create_database(name)
    environment = {
        "DATABASE_URL": url, "NATS_URL": ENV["OVT_TEST_NATS_URL"], "BUS_NAMESPACE": name, "REDIS_URL": ENV["OVT_TEST_REDIS_URL"],
        "REDIS_PREFIX": name, "INGEST_EVENTS_PER_SECOND": "1000000", "INGEST_EVENTS_BURST": "1000000", "LOG_LEVEL": "warn",
    }
    keys = create_keys(environment)
    processes, port = start_services(environment)
    before, started = cpu_of_all(processes), time.monotonic()
    load = [BINARIES / "fleet-simulator", "load", "--base-url", f"http://127.0.0.1:{port}", "--keys", keys, "--json", "--retry"]
    load += ["--batch-size", str(batch), "--connections", str(connections), "--duration", str(SECONDS), "--seed", "1"]
    report = json.loads(subprocess.run(load, check=True, capture_output=True, text=True).stdout)
    accepted = report["events_accepted"]
    wait("all events to be processed", lambda: int(psql(url, "SELECT count(*) FROM vpn_event")) >= accepted, 600)
    elapsed = time.monotonic() - started
    report["processed_per_second"] = accepted / elapsed
    after = cpu_of_all(processes)
    report["cpu_micros"] = {name: (after[name] - before[name]) / accepted * 1e6 for name in after}
    for process in processes.values():
        process.terminate()
        process.wait(60)
    return report


def raw_limit():
    """Events per second when the rows of the largest batch size come from files, by one client in bulk."""
    source = database_url(f"bench_{RUNS[-1][0]}")
    target = create_database("bench_raw")
    events = int(psql(source, "SELECT count(*) FROM vpn_event"))
    months = psql(source, "SELECT DISTINCT date_trunc('month', event_time) FROM vpn_event").splitlines()
    for month in months:
        psql(target, f"SELECT ensure_event_partition('{month}')")
    psql(target, "TRUNCATE vpn_server CASCADE")
    copies = []
    for table in TABLES:
        path = DIRECTORY / f"{table}.copy"
        path.write_text(subprocess.run(
            ["psql", "-qAt", "-d", source, "-c", f"COPY (SELECT * FROM {table}) TO STDOUT"], check=True, capture_output=True, text=True).stdout)
        copies.append(f"\\copy {table} FROM '{path}'")
    started = time.monotonic()
    psql(target, *copies)
    return events / (time.monotonic() - started)


def specification_way():
    url = create_database("bench_specification")
    psql(url, "INSERT INTO vpn_server (name) VALUES ('bench')",
         "INSERT INTO vpn_user (common_name) SELECT 'user-' || n FROM generate_series(1, 10000) n")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(SPECIFICATION)
        script.flush()
        pgbench = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pgbench"))[-1]
        out = subprocess.run([pgbench, "-n", "-M", "prepared", "-c", "1", "-T", str(int(SECONDS)), "-f", script.name, url],
                             check=True, capture_output=True, text=True).stdout
    return next(float(line.split()[2]) for line in out.splitlines() if line.startswith("tps"))


def main():
    print(f"{'batch':>5} {'conns':>5} {'accepted/s':>10} {'processed/s':>11} {'p50 ms':>7} {'p95 ms':>7} {'p99 ms':>7}  CPU µs per event", flush=True)
    rates = {}
    for batch, connections in RUNS:
        report = measure(batch, connections)
        rates[batch], latency = report["processed_per_second"], report["latency_ms"]
        cpu = "  ".join(f"{name} {micros:.0f}" for name, micros in report["cpu_micros"].items())
        print(f"{batch:>5} {connections:>5} {report['events_per_second']:>10.0f} {rates[batch]:>11.0f} {latency['p50']:>7.1f} "
              f"{latency['p95']:>7.1f} {latency['p99']:>7.1f}  {cpu}", flush=True)
    raw, slow, best = raw_limit(), specification_way(), rates[RUNS[-1][0]]
    print(f"\nraw limit (the same rows, one bulk client)        {raw:>8.0f} events/s; batch {RUNS[-1][0]} reaches {best / raw:.2f} of it (aim 0.5)")
    print(f"specification's way (a commit per event, pgbench) {slow:>8.0f} events/s; batch {RUNS[-1][0]} is {best / slow:.0f} times that (aim 60)")


main()
