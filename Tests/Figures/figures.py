"""What the scripts of this folder share: they run the built command and read what it wrote.

The command is `.build/release/triwire` of this project, or what the environment variable TRIWIRE
names. Whatever a script starts has ended when the script ends, however that comes about.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

TRANSPORTS = ["websocket", "sse", "long-polling"]
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Failure(Exception):
    """A sentence that says what went wrong."""


def command():
    path = os.environ.get("TRIWIRE", str(ROOT / ".build/release/triwire"))
    if not os.access(path, os.X_OK):
        raise Failure(f"there is no {path}: run swift build -c release, or set TRIWIRE")
    return path


class Run:
    """One `triwire run` of some scenarios, in a folder of its own that goes away with it."""

    def __init__(self, scenarios, transports=TRANSPORTS, extra=()):
        self.folder = tempfile.TemporaryDirectory(prefix="triwire-figures-")
        for scenario in scenarios:
            path = pathlib.Path(self.folder.name) / f"{scenario['name']}.json"
            path.write_text(json.dumps(scenario))
        self.output = pathlib.Path(self.folder.name) / "report"
        self.process = subprocess.Popen(
            [command(), "run", self.folder.name, "--profile", "full", "--retries", "0", "--quiet",
             "--transports", ",".join(transports), "--output", str(self.output), *extra],
            stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # The command ends its server when it ends; one that was stopped has to go on to do so.
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.folder.cleanup()

    def trials(self):
        """Waits for the end; all trials in the order they ran, each a dictionary."""
        status = self.process.wait()
        if status != 0:
            raise Failure(f"triwire run ended with {status}")
        return json.loads((self.output / "result.json").read_text())["trials"]


def measure(scenarios, transports=TRANSPORTS):
    """Runs scenarios; their trials by scenario and transport."""
    with Run(scenarios, transports) as run:
        return {(trial["scenario"], trial["transport"]): trial for trial in run.trials()}


def table(header, rows):
    """Prints columns, the first flush left and the others flush right."""
    lines = [header] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [line[0].ljust(widths[0])] + [
            cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())
    print()


def milliseconds(microseconds):
    return "–" if microseconds is None else f"{microseconds / 1000:,.2f} ms"


def machine():
    """A line on how busy the machine is, since that is in every figure that is a time."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, load averages {load}"


def main(script):
    """Runs a script's body; status 1 and a sentence when it does not come to its end."""
    # Whoever reads the output may go away; nothing is running whenever something is printed.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if len(sys.argv) > 1:
        print(sys.modules["__main__"].__doc__.strip())
        sys.exit(0 if sys.argv[1] in ("-h", "--help") else 64)
    # So that everything that was started ends here as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        script()
    except Failure as failure:
        print(f"{sys.argv[0]}: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
