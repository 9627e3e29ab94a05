#!/usr/bin/env python3
"""Checks the schema of scenario files with a validator that nobody here wrote.

    Tests/Schema/check.py [TRIWIRE]

The schema is a valid one (draft 2020-12); every shipped file passes; each of these files with a
mistake fails, in the schema and in `triwire validate` alike. What short runs of each kind write as
result.json passes the schema of results. Needs the Python package jsonschema.
"""

import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from jsonschema import Draft202012Validator

ROOT = pathlib.Path(__file__).resolve().parents[2]

BASE = {
    "name": "x", "clients": 4,
    "traffic": [{"direction": "echo", "rate": "10/s per client", "payload": "64 B"}],
}

# What is wrong, and what makes it so.
MISTAKES = {
    "an unknown key": lambda file: file.update(colour=1),
    "a misspelt key": lambda file: file.update(warmup="1 s"),
    "no name": lambda file: file.pop("name"),
    "a name with a blank": lambda file: file.update(name="a b"),
    "clients as text": lambda file: file.update(clients="4"),
    "half a client": lambda file: file.update(clients=4.5),
    "no clients": lambda file: file.update(clients=0),
    "a time without a unit": lambda file: file.update(duration="10"),
    "a time as a number": lambda file: file.update(duration=10),
    "an unknown unit": lambda file: file.update(warmUp="10 sec"),
    "an unknown transport": lambda file: file.update(transports=["websockets"]),
    "no transport": lambda file: file.update(transports=[]),
    "an unknown mode of TLS": lambda file: file.update(tls="1.1"),
    "an unknown network": lambda file: file.update(network="wam"),
    "a network with an unknown key": lambda file: file.update(network={"rtt": "1 ms"}),
    "more loss than there can be": lambda file: file.update(network={"loss": 1.5}),
    "a burst of less than one":
        lambda file: file.update(network={"loss": 0.1, "lossBurst": 0.5}),
    "a rate of bits without a unit": lambda file: file.update(network={"down": "5"}),
    "unknown headers": lambda file: file.update(headers="browser"),
    "a flow with an unknown key": lambda file: file["traffic"][0].update(size="1 B"),
    "a flow without a payload": lambda file: file["traffic"][0].pop("payload"),
    "an unknown direction": lambda file: file["traffic"][0].update(direction="sideways"),
    "a rate of nobody": lambda file: file["traffic"][0].update(rate="10/s"),
    "a payload of one bound": lambda file: file["traffic"][0].update(payload={"uniform": ["64 B"]}),
    "a burst without a length":
        lambda file: file["traffic"][0].update(burst={"factor": 5, "every": "5 s"}),
    "a fault without a time": lambda file: file.update(faults=[{"fault": "reset"}]),
    "an unknown profile": lambda file: file.update(profiles={"fast": {}}),
    "a profile with an unknown key": lambda file: file.update(profiles={"smoke": {"seed": 1}}),
    "idle in one step": lambda file: file.update(idle={"steps": [5]}),
    "visitors who do not say how long": lambda file: file.update(
        visitors={"every": "1 s", "lines": 1, "payload": "64 B"}),
    "slow clients that say not how slow": lambda file: file.update(slow={"clients": 1}),
    "a way to compress that is none": lambda file: file.update(compression="gzip"),
    "a published figure without a unit": lambda file: file.update(published={
        "source": "x", "citation": "y", "values": [{"of": "z", "value": 1}]}),
    "suite as text": lambda file: file.update(suite="no"),
}


SHORT = {
    "clients": 4, "warmUp": "50 ms", "duration": "300 ms", "drain": "2 s", "repetitions": 1,
    "traffic": [{"direction": "echo", "rate": "50/s per client", "payload": "64 B"}],
}

# What runs, and with which options.
RUNS = {
    "plain": ({"tls": ["off", "1.3"]}, ["--repetitions", "3", "--control", "--retries", "1"]),
    "network": ({"network": {"roundTrip": "10 ms", "loss": 0.01, "lossBurst": 3}}, []),
    "faults": ({"faults": [{"at": "100 ms", "fault": "reset"}], "drain": "10 s"}, []),
    "compression": ({"compression": ["off", "on"]}, []),
    "idle": ({"idle": {"steps": [2, 4], "hold": "50 ms"}}, ["--ceiling"]),
    "search": (
        {"search": {"vary": "clients", "to": 8, "slo": {"p50": "10 s"}, "probes": 4},
         "duration": "1 s"}, []),
}


def parse(text):
    """JSON with comments; a string is kept as it is."""
    token = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.S)
    return json.loads(token.sub(lambda m: m[0] if m[0].startswith('"') else " ", text))


def serve(triwire):
    """A server that lets itself be measured, and its URL."""
    server = subprocess.Popen(
        [triwire, "serve", "--listen", "127.0.0.1:0", "--trials"], stdout=subprocess.PIPE, text=True)
    return server, server.stdout.readline().split()[-1]


def main():
    triwire = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / ".build/release/triwire")
    printed = subprocess.run([triwire, "schema"], capture_output=True, text=True, check=True).stdout
    schema = json.loads(printed)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    failures = []

    def expect(what, holds):
        print(("ok      " if holds else "FAILED  ") + what)
        if not holds:
            failures.append(what)

    expect("a right file passes", validator.is_valid(BASE))
    for path in sorted((ROOT / "Scenarios").glob("*.json")):
        errors = [error.message for error in validator.iter_errors(parse(path.read_text()))]
        expect(f"{path.name} passes {errors or ''}", not errors)
    with tempfile.TemporaryDirectory() as folder:
        for what, change in MISTAKES.items():
            file = copy.deepcopy(BASE)
            change(file)
            target = pathlib.Path(folder) / "x.json"
            target.write_text(json.dumps(file))
            status = subprocess.run([triwire, "validate", target], capture_output=True).returncode
            expect(f"{what} fails", not validator.is_valid(file) and status == 65)
        text = subprocess.run(
            [triwire, "schema", "result"], capture_output=True, text=True, check=True).stdout
        Draft202012Validator.check_schema(json.loads(text))
        results = Draft202012Validator(json.loads(text))
        urls = pathlib.Path(folder) / "urls.json"
        elsewhere = {
            "target": ({}, lambda url: ["--target", url]),
            "foreign": ({}, lambda url: ["--foreign", str(urls), "--transports", "websocket"])}
        server, url = serve(triwire)
        urls.write_text(json.dumps({"websocket": f"{url}/echo"}))
        runs = RUNS | {name: (changes, words(url)) for name, (changes, words) in elsewhere.items()}
        for name, (changes, options) in runs.items():
            target = pathlib.Path(folder) / f"{name}.json"
            target.write_text(json.dumps(SHORT | changes | {"name": name}))
            run = subprocess.run(
                [triwire, "run", target, "--profile", "full", "--quiet", "--output", f"{folder}/{name}"]
                + options, capture_output=True, text=True)
            result = json.loads((pathlib.Path(folder) / name / "result.json").read_text())
            errors = [f"{error.json_path}: {error.message[:100]}" for error in results.iter_errors(result)]
            expect(
                f"the result of {name} passes {errors[:5] or ''} {run.stderr}",
                not errors and len(result["trials"]) > 0)
            for key in ["trials", "environment", "comparisons"]:
                expect(f"without {key} it fails", not results.is_valid(
                    {name: value for name, value in result.items() if name != key}))
        server.terminate()
        server.wait(10)
    print(f"{len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
