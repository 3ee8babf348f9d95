"""A real server in a process of its own, to be started, killed and started again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

TOKEN = "a-token-for-tests-0123456789"
OTHER_TOKEN = "another-token-for-tests-0123456789"
ROOT = Path(__file__).parents[2]


class Server:
    """A server on a port of 127.0.0.1 that stays the same when it is started again.

    Parameters
    ----------
    folder
        Where it keeps its files.
    light
        Compute in threads of the server instead of in two worker processes.
    """

    def __init__(self, folder: Path, *, light: bool = True, **options: Any) -> None:
        self.folder = folder
        self.log = folder.parent / f"{folder.name}.log"
        self._options = {"folder": str(folder), "light": light, "port": 0, **options}
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def start(self) -> Server:
        command = [sys.executable, "-m", "tests.client.serving", json.dumps(self._options)]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
            )
        found = None
        for line in self._process.stdout:
            found = re.search(r"serves at (https?://\S+)", line)
            if found:
                break
        if not found:
            self.stop()
            raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-4000:]}")
        self.url = found[1].rstrip("/")
        self._options["port"] = self.port
        threading.Thread(target=self._process.stdout.read, daemon=True).start()
        return self

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it politely, and with force when that does not help."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


def main(options: dict[str, Any]) -> None:
    from napari_lightbox.server.config import Limits, ServerConfig
    from napari_lightbox.server.serve import log_discreetly, serve

    config = ServerConfig(
        folder=Path(options["folder"]),
        tokens={"admin": TOKEN, "guest": OTHER_TOKEN},
        port=options["port"],
        roots=tuple(Path(p) for p in options.get("roots", [tempfile.gettempdir()])),
        cert=Path(options["cert"]) if "cert" in options else None,
        key=Path(options["key"]) if "key" in options else None,
        workers=2,
        threads=1,
        limits=Limits(**{"least_free": 0, **options.get("limits", {})}),
    )
    log_discreetly(config)
    if options["light"]:
        serve_light(config)
    else:
        serve(config, show_token=False, say=lambda line: print(line, flush=True))


def serve_light(config: Any) -> None:
    """Serve without workers."""
    from napari_lightbox.server.app import make_app
    from napari_lightbox.server.serve import heeding_signals, welcome
    from napari_lightbox.server.services import open_services
    from napari_lightbox.server.web_server import WebServer, listen, url_of

    with listen(config) as listening, heeding_signals() as stop:
        services = open_services(config)
        try:
            server = WebServer(make_app(services), config)
            stop.append(server.stop)
            for line in welcome(config, url_of(config, listening), show_token=False):
                print(line, flush=True)
            server.run(sockets=[listening])
        finally:
            services.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
