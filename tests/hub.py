"""A hub of one model on this machine, which speaks as much of its language as a client asks."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0" * 40


class _Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path

    def do_GET(self) -> None:
        found = self._found(unquote(urlsplit(self.path).path))
        data, headers = found or (b"", {"X-Error-Code": "EntryNotFound"})
        self.send_response(200 if found else 404)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET  # noqa: N815

    def _found(self, path: str) -> tuple[bytes, dict[str, str]] | None:
        below = {f.relative_to(self.folder).as_posix(): f for f in self.folder.rglob("*.*")}
        oid = {name: hashlib.sha1(name.encode()).hexdigest() for name in below}
        if "/resolve/" in path:
            name = path.partition("/resolve/")[2].partition("/")[2]
            headers = {"ETag": f'"{oid.get(name)}"', "X-Repo-Commit": COMMIT}
            return (below[name].read_bytes(), headers) if name in below else None
        if "/tree/" in path:
            tree = [
                {"type": "file", "path": name, "size": file.stat().st_size, "oid": oid[name]}
                for name, file in below.items()
            ]
            return json.dumps(tree).encode(), {}
        if path.startswith("/api/models/"):
            siblings = [{"rfilename": name} for name in below]
            said = {"id": "some/model", "sha": COMMIT, "siblings": siblings}
            return json.dumps(said).encode(), {}
        return None

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def hub_of(model: Path) -> Iterator[str]:
    """Serve the files of a model's folder; gives the address."""
    handler = type("Hub", (_Hub,), {"folder": model})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
