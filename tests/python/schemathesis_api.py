"""Asks a live server whatever its OpenAPI document allows and forbids, and looks for answers that break it.

    python3 -m venv /tmp/api && /tmp/api/bin/pip install 'schemathesis==4.*'
    cargo build --release
    /tmp/api/bin/python tests/python/schemathesis_api.py target/release/wasmlops [SECONDS]

Makes a project, runs it, serves it with a token, and lets schemathesis work for SECONDS (60). Ends with its exit code, or
with 1 where the server answered a 5xx that its own metrics count, or did not stay alive.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request

# What the protocol says, and not this server: `/v2` bodies depend on the model.
CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "missing_required_header",
        "unsupported_method",
        "ignored_auth",
    ]
)


def serve(binary, folder):
    subprocess.run([binary, "init", folder], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([binary, "run", "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    command = [binary, "serve", "--bind", "127.0.0.1:0", "--json"]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = json.loads(server.stdout.readline())
    return server, line["listening"], line["admin_token"]


def get(url, token):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def faults(url, token):
    """Answers of 500 and 502 and their like; 503 is the server's way to say `not now`."""
    lines = [line for line in get(f"{url}/metrics", token).splitlines() if line.startswith("wasmlops_requests_total{")]
    return [line for line in lines if 'status="5' in line and 'status="503"' not in line and 'status="504"' not in line]


def main(binary, seconds):
    binary = os.path.abspath(binary)
    tool = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    with tempfile.TemporaryDirectory() as folder:
        server, url, token = serve(binary, os.path.join(folder, "project"))
        try:
            run = [tool, "run", f"{url}/openapi.json", "-H", f"Authorization: Bearer {token}"]
            run += ["--checks", CHECKS, "--max-time", str(seconds), "--seed", "7", "--request-timeout", "60"]
            # A stream of events has no end.
            run += ["--exclude-path-regex", "/events$|/stream$"]
            code = subprocess.run(run, cwd=folder, env={**os.environ, "NO_COLOR": "1"}).returncode
            found = faults(url, token)
            for line in found:
                print(f"fault: {line}", file=sys.stderr)
            alive = server.poll() is None and "ok" in get(f"{url}/healthz", token)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)
    return code or int(bool(found) or not alive)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 60))
