"""Lets the services work with parties that this project did not write: servers and clients of grpcio, and nginx.

Each check prints one line. Everything listens on 127.0.0.1, and waits for a limited time. Nothing outlives this process for long, even if
it is killed: the services end with their standard input, the servers of grpcio run in this process, and `timeout` ends nginx.
"""

import argparse
import http.client
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc

PATIENCE = 20
SERVICE = "chain.Chain"
EXHAUSTED = "x-retries-exhausted"
# The deadline that a service gives its own calls, in seconds.
LIMIT = 4

results = []


def check(what, ok, found):
    results.append(ok)
    print(f"{'ok' if ok else 'FAILED':<7} {what}: {found}", flush=True)


class Service:
    """A process of the binary `service`, whose reports a thread collects."""

    def __init__(self, binary, protocol, next_port=None, coordinated=True):
        command = [binary, protocol] + ["--coordinated"] * coordinated
        if next_port is not None:
            command += ["--next", f"http://127.0.0.1:{next_port}"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.reports = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.port = int(self.wait("port")[1])

    def read(self):
        for line in self.process.stdout:
            self.reports.put(line.split())

    def wait(self, event):
        """The next report of this event."""
        while (report := self.reports.get(timeout=PATIENCE))[0] != event:
            pass
        return report

    def end(self):
        """Ends the process, and returns the reports that are still unread."""
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)
        time.sleep(0.1)
        return [self.reports.get() for _ in range(self.reports.qsize())]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Server:
    """A server of grpcio, the last service of a chain. It replies by the name in a request, and records each request."""

    def __init__(self):
        self.calls = queue.Queue()
        self.cancelled = queue.Queue()
        self.server = grpc.server(ThreadPoolExecutor(8))
        methods = {method: grpc.unary_unary_rpc_method_handler(getattr(self, method)) for method in ("fail", "spawned")}
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, methods)])
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def record(self, context):
        metadata = dict(context.invocation_metadata())
        self.calls.put((time.monotonic(), context.time_remaining(), metadata.get("grpc-previous-rpc-attempts")))

    def fail(self, request, context):
        """Fails with the pair `name=value` of trailers that the name of the request has. After `250`, the second attempt succeeds."""
        self.record(context)
        name = request[2:].decode()
        if "=" in name:
            key, value = name.split("=")
            if value == "250" and self.calls.qsize() == 2:
                return b""
            # What is sent after the initial metadata is in trailers, and not in the headers of a response that has nothing else.
            context.send_initial_metadata(())
            context.set_trailing_metadata([(key, value)])
        context.abort(grpc.StatusCode.UNAVAILABLE, "not available")

    def spawned(self, request, context):
        """Works until the client cancels, or for ten seconds."""
        self.record(context)
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait(10)
        self.cancelled.put(time.monotonic())
        return b""

    def take(self):
        """The requests since the last call of this function."""
        return [self.calls.get() for _ in range(self.calls.qsize())]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop(0).wait(5)


@contextmanager
def nginx_before(port, protocol, number, options):
    """Runs nginx in front of a port. Returns its own port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        own = listener.getsockname()[1]
    directory = options.workdir / f"nginx-{number}"
    directory.mkdir(exist_ok=True)
    upstream = {"http": f"proxy_pass http://127.0.0.1:{port}", "grpc": f"grpc_pass grpc://127.0.0.1:{port}"}[protocol]
    template = Path(__file__).with_name("nginx.conf").read_text()
    text = template.replace("PORT", str(own)).replace("PROTOCOL", "http2" if protocol == "grpc" else "")
    (directory / "nginx.conf").write_text(text.replace("UPSTREAM", upstream))
    command = ["timeout", "--kill-after=5", "120", options.nginx, "-p", "./", "-c", "nginx.conf", "-e", "error.log"]
    with (directory / "output").open("w") as output:
        server = subprocess.Popen(command, cwd=directory, stdout=output, stderr=output)
    try:
        wait_for_port(own, server, directory)
        yield own
    finally:
        server.terminate()
        server.wait(timeout=10)


def wait_for_port(port, server, directory):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
    sys.exit(f"nginx does not listen, see {directory}/output and error.log")


def call(port, method, name, timeout=PATIENCE):
    """Calls a service of tonic. Returns the status, its metadata, and the seconds that the call took."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        started = time.monotonic()
        try:
            channel.unary_unary(f"/{SERVICE}/{method}")(b"\x0a" + bytes([len(name)]) + name.encode(), timeout=timeout)
            return "OK", {}, time.monotonic() - started
        except grpc.RpcError as error:
            metadata = dict(error.initial_metadata() or ()) | dict(error.trailing_metadata() or ())
            return error.code().name, metadata, time.monotonic() - started


def get(port, path, headers):
    """Sends a GET request. Returns the status and the headers of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, dict(response.getheaders())


def python_server(port, server, through):
    """A service of tonic calls a server of grpcio. `port` is the service's."""
    status, _, _ = call(port, "fail", "own")
    lefts = [left for _, left, _ in server.take()]
    check(f"{through}: grpcio reads the service's deadline of {LIMIT} s", LIMIT * 0.9 < lefts[0] <= LIMIT, f"{lefts[0]:.4f} s")

    status, metadata, _ = call(port, "fail", "caller", timeout=2)
    calls = server.take()
    lefts = [round(left, 3) for _, left, _ in calls]
    # grpcio rounds a timeout up, by at most 0.5 %, which the service passes on.
    fits = all(1.5 < left <= 2.01 for left in lefts) and lefts == sorted(lefts, reverse=True)
    check(f"{through}: grpcio reads what is left of its client's 2 s, in each attempt", fits and len(lefts) == 3, lefts)
    numbers = [number for _, _, number in calls]
    check(f"{through}: grpcio reads the number of previous attempts", numbers == [None, "1", "2"], numbers)
    found = f"{status}, {EXHAUSTED}: {metadata.get(EXHAUSTED)}"
    check(f"{through}: grpcio's client receives our mark", metadata.get(EXHAUSTED) == "1", found)

    for pair in ("grpc-retry-pushback-ms=-1", f"{EXHAUSTED}=1"):
        status, _, _ = call(port, "fail", pair)
        count = len(server.take())
        check(f"{through}: the trailer {pair} ends the retries", count == 1, f"{count} call, {status}")
    status, _, _ = call(port, "fail", "grpc-retry-pushback-ms=250")
    times = [at for at, _, _ in server.take()]
    delays = [round(later - earlier, 3) for earlier, later in zip(times, times[1:])]
    ok = status == "OK" and len(delays) == 1 and 0.25 <= delays[0] < 1
    check(f"{through}: the trailer grpc-retry-pushback-ms=250 delays the retry", ok, f"{delays} s, {status}")


def python_client(binary):
    """A client of grpcio with a deadline calls a service whose handler spawns its work, and calls a server of grpcio."""
    for coordinated in (False, True):
        with Server() as server, Service(binary, "grpc", server.port, coordinated) as service:
            before = time.monotonic()
            status, _, took = call(service.port, "spawned", "spawned", timeout=0.5)
            started, stopped = int(service.wait("started")[2]), int(service.wait("stopped")[2])
            worked = (stopped - started) / 1e6
            inner = server.cancelled.get(timeout=PATIENCE) - before
            bounds = (0.3, 1.0) if coordinated else (3.0, 8.0)
            # Three timers race for the status: the client's, that of tonic's server, and that of the call.
            ok = status in ("DEADLINE_EXCEEDED", "CANCELLED", "UNAVAILABLE") and all(bounds[0] < time < bounds[1] for time in (worked, inner))
            found = f"{status}, client {took:.3f} s, work {worked:.3f} s, inner call {inner:.3f} s"
            check(f"grpcio's client gives up after 0.5 s, {'with' if coordinated else 'without'} coordination", ok, found)


def chain_through_nginx(protocol, coordinated, options):
    """Three services, with nginx in front of each."""
    with ExitStack() as stack:
        port, services = None, []
        for number in range(3):
            service = stack.enter_context(Service(options.service, protocol, port, coordinated))
            services.insert(0, service)
            port = stack.enter_context(nginx_before(service.port, protocol, number, options))
        if protocol == "http":
            status, answer = get(port, "/fail/nginx", {"x-envoy-expected-rq-timeout-ms": "2000", "x-envoy-attempt-count": "7"})
        else:
            status, answer, _ = call(port, "fail", "nginx", timeout=2)
        reports = [service.end() for service in services]
    calls = [sum(report[0] == "called" for report in service) for service in reports]
    expected = [1, 1, 3] if coordinated else [1, 3, 9]
    text = f"{'with' if coordinated else 'without'} coordination"
    check(f"nginx, {protocol}, {text}: calls of the three services", calls == expected, calls)
    if not coordinated:
        return
    check(f"nginx, {protocol}: our mark arrives in the response", answer.get(EXHAUSTED) == "1", f"{status}, {answer.get(EXHAUSTED)}")
    received = [report[3:] for service in reports for report in service if report[0] == "received"]
    lefts = [int(left) for _, left in received]
    check(f"nginx, {protocol}: the time left arrives in each request", all(1000 < left <= 2010 for left in lefts), lefts)
    numbers = [number for number, _ in received]
    expected = ["7", "1", "1", "2", "3"] if protocol == "http" else ["-", "-", "-", "2", "3"]
    check(f"nginx, {protocol}: the number of the attempt arrives in each request", numbers == expected, numbers)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nginx", metavar="NGINX")
    parser.add_argument("workdir", type=Path)
    parser.add_argument("service", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    options.workdir, options.service = options.workdir.resolve(), options.service.resolve()

    print(f"grpcio {grpc.__version__} on Python {sys.version.split()[0]}")
    with Server() as server, Service(options.service, "grpc", server.port) as service:
        python_server(service.port, server, "directly")
    python_client(options.service)
    if options.nginx:
        print(subprocess.run([options.nginx, "-v"], stderr=subprocess.PIPE, text=True).stderr.strip())
        with Server() as server, nginx_before(server.port, "grpc", "python", options) as port:
            with Service(options.service, "grpc", port) as service:
                python_server(service.port, server, "through nginx")
        for protocol in ("http", "grpc"):
            for coordinated in (False, True):
                chain_through_nginx(protocol, coordinated, options)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(not all(results))


main()
