"""Checks that rust-analyzer works inside annotated functions and in `retrying!` while the arguments are half typed.

Writes a small crate that depends on retry-runtime into the given directory, and opens it in rust-analyzer. For each attribute,
it requests a completion in the function's body, as an editor would, and for each call of `retrying!` one in its block. It also
requests the hover text of an annotated function.
"""

import json
import subprocess
import sys
from pathlib import Path

# The intermediate states while a user types. Most of them are errors.
ATTRIBUTES = [
    "",
    "att",
    "attempts",
    "attempts =",
    "attempts = 3",
    "attempts = 3,",
    "attempts = 3, bac",
    "attempts = 3, backoff = ",
    'backoff = "expo"',
    'backoff = "exponential", start = "1"',
    'start = "1s", on_status = [5]',
    "on_error = |",
    "on_error = |error|",
    "on_error = |error| error.",
    "policy = ",
    "budget = ",
    "attempts = 0",
    "blocking",
]
# The same in `retrying!`: what is in front of the block.
ARGUMENTS = [
    "async ",
    "att, async ",
    "attempts, async ",
    "attempts =, async ",
    "attempts = 3, async ",
    "attempts = 3 async ",
    "attempts = 3, bac, async move ",
    "attempts = 3, backoff = , async ",
    'backoff = "expo", async ',
    'start = "1s", on_status = [5], async ',
    "on_error = |, async ",
    "on_error = |error| error., async ",
    "policy = , async ",
    "attempts = 0, async ",
    "attempts = 3, async || -> std::io::Result<u32> ",
    "atempts = 3, async |attempt| -> std::io::Result<u32> ",
    "attempts = 3, async |a, b| ",
    "blocking, async ",
    "attempts = 3, ",
]
BODY = """
    let page = client.get_page("/").await?;
    page.checked_
"""
SOURCE = """
use retry_runtime::{{retry, retrying}};

pub struct Client;

impl Client {{
    pub async fn get_page(&self, path: &str) -> std::io::Result<u32> {{
        let _ = path;
        Ok(1)
    }}
}}

{functions}
"""
FUNCTION = "#[retry({attribute})]\nasync fn fetch_{number}(client: &Client) -> std::io::Result<u32> {{{body}}}\n"
BLOCK = "async fn block_{number}(client: &Client) -> std::io::Result<u32> {{\n    retrying!({arguments}{{{body}}}).await\n}}\n"
HOVERED = '#[retry(attempts = 3, backoff = "fixed", start = "1s")]\n/// Fetches.\npub async fn hovered() -> std::io::Result<u32> {\n    Ok(1)\n}\n'


class Server:
    """The required part of the language server protocol."""

    def __init__(self, command, directory):
        self.process = subprocess.Popen(command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            sys.exit("rust-analyzer exited")
        message = json.loads(self.process.stdout.read(length))
        if "method" in message and "id" in message:
            # A request from the server to the editor. The reply contains no configuration.
            reply = [None] * len(message.get("params", {}).get("items", []))
            self.send({"id": message["id"], "result": reply or None})
        return message

    def notify(self, method, **params):
        self.send({"method": method, "params": params})

    def request(self, method, **params):
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == self.number and "method" not in message:
                return message.get("result")

    def wait_until_loaded(self):
        while True:
            message = self.receive()
            if message.get("method") == "experimental/serverStatus":
                status = message["params"]
                if status["health"] == "error":
                    sys.exit(f"rust-analyzer: {status.get('message')}")
                if status["quiescent"]:
                    return


def write_crate(directory, runtime):
    functions = [
        FUNCTION.format(attribute=attribute, number=number, body=BODY) for number, attribute in enumerate(ATTRIBUTES)
    ]
    functions += [
        BLOCK.format(arguments=arguments, number=number, body=BODY) for number, arguments in enumerate(ARGUMENTS)
    ]
    (directory / "src").mkdir(parents=True, exist_ok=True)
    (directory / "Cargo.toml").write_text(
        '[package]\nname = "edited"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n'
        f"[dependencies]\nretry-runtime = {{ path = {json.dumps(str(runtime))} }}\n"
    )
    source = SOURCE.format(functions="\n".join([*functions, HOVERED]))
    (directory / "src/lib.rs").write_text(source)
    return source


def position(source, offset):
    before = source[:offset]
    return {"line": before.count("\n"), "character": offset - before.rfind("\n") - 1}


def start(command, directory, source):
    server = Server(command, directory)
    server.request(
        "initialize",
        processId=None,
        rootUri=directory.as_uri(),
        capabilities={
            "experimental": {"serverStatusNotification": True},
            "textDocument": {"hover": {"contentFormat": ["markdown"]}},
        },
        initializationOptions={"checkOnSave": False, "procMacro": {"attributes": {"enable": True}}},
    )
    server.notify("initialized")
    document = {"uri": (directory / "src/lib.rs").as_uri()}
    server.notify("textDocument/didOpen", textDocument={**document, "languageId": "rust", "version": 1, "text": source})
    server.wait_until_loaded()
    return server, document


def completes(server, document, source, function):
    """Returns true if a method is completed at the end of the first statement that is not finished in this function."""
    start = source.index(function + "(")
    end = source.index("page.checked_\n", start) + len("page.checked_")
    found = server.request("textDocument/completion", textDocument=document, position=position(source, end))
    items = found["items"] if isinstance(found, dict) else found or []
    return any(item["label"].startswith("checked_add") for item in items)


def main():
    """Prints one line for each check. Fails if a check fails."""
    analyzer, runtime, output = sys.argv[1:]
    directory = Path(output).resolve()
    source = write_crate(directory, Path(runtime).resolve())
    server, document = start([analyzer], directory, source)
    failed = 0
    places = [(f"fetch_{number}", f"below #[retry({attribute})]") for number, attribute in enumerate(ATTRIBUTES)]
    places += [(f"block_{number}", f"in retrying!({arguments}{{ … }})") for number, arguments in enumerate(ARGUMENTS)]
    for function, place in places:
        is_complete = completes(server, document, source, function)
        failed += not is_complete
        print(f"{'ok' if is_complete else 'NO':<3} completes {place}")
    name = source.index("hovered(")
    found = server.request("textDocument/hover", textDocument=document, position=position(source, name))
    text = found["contents"]["value"] if found else ""
    is_shown = "Retries" in text and "Fetches." in text
    failed += not is_shown
    print(f"{'ok' if is_shown else 'NO':<3} hovering shows the section \"Retries\"")
    if not is_shown:
        print(text)
    server.process.kill()
    sys.exit(1 if failed else 0)


main()
