"""Compares the attempts that the examples log with the requests that a real server receives.

Each example runs with the URL of the server. The number of its events "attempt … starts", plus the redirects that its client
follows, must equal the number of new lines in the server's access log. Both servers listen on 127.0.0.1, and stop at the end.
"""

import argparse
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

# A number that depends on time, or on the random status from httpbin.
ANY = range(1, 50)

# Example, path, attempts, redirects, connections. A retry reuses the connection of the previous attempt. A request that follows
# a response immediately may come too early for that: the next call, or a redirect that reqwest follows.
HTTPBIN = [
    ("quickstart", "/status/503", [3], 0, range(1, 3)),
    ("bodies", "", [5], 0, range(1, 3)),
    ("body_decides", "", [6], 0, range(1, 3)),
    ("manual_loop", "", ANY, 0, ANY),
    ("custom_backoff", "", ANY, 0, [1]),
    ("deadline", "", ANY, 0, ANY),
    ("log", "", ANY, 0, [1]),
    ("middleware", "", [5], 0, range(1, 3)),
    ("observer", "", ANY, 0, range(1, 5)),
    ("other_parameters", "", [8], 0, range(1, 3)),
    ("own_client", "", [4], 1, range(1, 4)),
    ("own_error", "", ANY, 0, range(1, 3)),
    ("random_source", "", ANY, 0, [1]),
    ("requests", "", [12], 0, range(1, 6)),
    ("run_closure", "", ANY, 0, [1]),
    ("trait_methods", "", [6], 0, range(1, 3)),
    ("connections", "", [3], 2, range(1, 4)),
]
# Five calls. The server accepts one request per second, and may have accepted another one just before.
NGINX = [("rate_limit", "/", range(9, 12), 0, ANY)]

STARTS = re.compile(r"attempt \d+( of \d+)? starts")
# For the quickstart, which does not log starts.
ENDS = re.compile(r"attempt \d+ of \d+ (?:failed|succeeded)")
REDIRECTED = re.compile(r"redirected to \S+ with status 3\d\d")
ROW = "{:<17} {:>8} {:>9} {:>5} {:>11}  {:<4} {}"
# The client's port, the status, and the request.
LOG_FORMAT = "%({remote_port}e)s %(s)s %(m)s %(U)s"


@contextmanager
def httpbin(gunicorn, workdir):
    command = [gunicorn, "httpbin:app", "--bind=127.0.0.1:0", "--worker-class=gthread", "--threads=8"]
    command += ["--keep-alive=30", "--graceful-timeout=1", "--no-control-socket"]
    command += ["--access-logfile=access.log", f"--access-logformat={LOG_FORMAT}"]
    with running(command, workdir / "httpbin") as directory:

        def listening():
            return re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", (directory / "output").read_text())

        port = int(wait_for(listening, f"no port in {directory}/output")[1])
        yield ready(port, directory)


@contextmanager
def nginx(binary, workdir):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    directory = workdir / "nginx"
    directory.mkdir(exist_ok=True)
    template = Path(__file__).with_name("nginx.conf").read_text()
    (directory / "nginx.conf").write_text(template.replace("PORT", str(port)))
    with running([binary, "-p", "./", "-c", "nginx.conf", "-e", "error.log"], directory):
        yield ready(port, directory)


@contextmanager
def running(command, directory):
    """Runs a server, for at most five minutes even if this process is killed."""
    directory.mkdir(exist_ok=True)
    (directory / "access.log").unlink(missing_ok=True)
    with (directory / "output").open("w") as output:
        server = subprocess.Popen(
            ["timeout", "--kill-after=5", "300", *command], cwd=directory, stdout=output, stderr=output
        )
    try:
        yield directory
    finally:
        server.terminate()
        server.wait(timeout=10)


def ready(port, directory):
    """Waits until the access log of a server has a line. Returns the server's base URL and the log."""
    log = directory / "access.log"

    def responds():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()
        return wait_for(lambda: lines_of(log), f"no line in {log}")

    wait_for(responds, f"no response, see {directory}/output")
    return f"http://127.0.0.1:{port}", log


def wait_for(condition, message, seconds=20):
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            sys.exit(message)
        time.sleep(0.05)
    return found


def lines_of(log):
    return log.read_text().splitlines() if log.exists() else []


def compare(examples, cases, url, log):
    """Runs the cases one after the other. Returns the number of those that passed."""
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    environment.pop("RUST_LOG", None)
    passed = 0
    for example, path, expected, redirects, connections in cases:
        before = len(lines_of(log))
        done = subprocess.run(
            [examples / example, url + path],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        attempts = len(STARTS.findall(done.stdout)) or len(ENDS.findall(done.stdout))
        hits = hits_of(log, before, attempts + redirects)
        ports, statuses, requests = zip(*(line.split(" ", 2) for line in hits)) if hits else ((), (), ())
        ok = (
            done.returncode == 0
            and attempts in expected
            and len(hits) == attempts + redirects
            and sum(status.startswith("3") for status in statuses) == redirects
            and len(set(ports)) in connections
            # The example that logs redirects.
            and (example != "connections" or len(REDIRECTED.findall(done.stdout)) == redirects)
        )
        passed += ok
        paths = ", ".join(f"{number} {request}" for request, number in Counter(requests).items())
        print(ROW.format(example, attempts, redirects, len(hits), len(set(ports)), "yes" if ok else "NO", paths))
        if not ok:
            print(f"{example} ended with {done.returncode}; expected: {expected} attempts on {connections} connections")
            print(done.stdout)
        sys.stdout.flush()
    return passed


def hits_of(log, before, expected):
    """The new lines. Servers write them at the end of a request, even if the client no longer waits for the response."""
    end = time.monotonic() + 3
    while len(lines_of(log)) - before < expected and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.1)
    return lines_of(log)[before:]


def examples_with_httpbin():
    sources = Path(__file__).resolve().parents[2].glob("examples/**/*.rs")
    return {source.stem for source in sources if "retry_examples::httpbin()" in source.read_text()}


def version_of(server, binary):
    if server is httpbin:
        return " on ".join(f"{package} {metadata.version(package)}" for package in ("httpbin", "gunicorn"))
    return subprocess.run([binary, "-v"], stderr=subprocess.PIPE, text=True).stderr.strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--httpbin", metavar="GUNICORN")
    parser.add_argument("--nginx", metavar="NGINX")
    parser.add_argument("workdir", type=Path)
    parser.add_argument("examples", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    workdir, examples = options.workdir.resolve(), options.examples.resolve()
    if missing := examples_with_httpbin() - {case[0] for case in HTTPBIN}:
        sys.exit(f"not in the table of {__file__}: {', '.join(sorted(missing))}")

    passed = failed = 0
    for server, cases, binary in [(httpbin, HTTPBIN, options.httpbin), (nginx, NGINX, options.nginx)]:
        if not binary:
            continue
        binary = Path(binary).absolute()
        print(f"\n{version_of(server, binary)}")
        print(ROW.format("example", "attempts", "redirects", "hits", "connections", "ok", "requests"))
        with server(binary, workdir) as (url, log):
            ok = compare(examples, cases, url, log)
        passed += ok
        failed += len(cases) - ok
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
