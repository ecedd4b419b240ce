"""A stand-in of the endpoint that gTTS asks: real HTTP on loopback, answering what a test prepared."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import soundfile


@dataclass
class Answer:
    """What one request gets. `delay` seconds pass before it, `drip` seconds between its bytes."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0


def spoken(mp3: bytes) -> Answer:
    """The service's answer with sound, in its own wrapping."""
    payload = json.dumps([["wrb.fr", "jQ1olc", json.dumps([base64.b64encode(mp3).decode()]), None]])
    return Answer(body=b")]}'\n\n" + str(len(payload)).encode() + b"\n" + payload.replace(" ", "").encode() + b"\n")


def mp3_of(samples: np.ndarray, rate: int) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="MP3")
    return out.getvalue()


class SpeechService:
    """Start with `with`. `answers` are given in order, then `otherwise(text)`; `asked` holds (text, speed, moment)."""

    def __init__(self, otherwise: Callable[[str], Answer]) -> None:
        self.otherwise = otherwise
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, bool | None, float]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/_/TranslateWebserverUi/data/batchexecute"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        request = json.loads(urllib.parse.parse_qs(body)["f.req"][0])
        text, language, speed, _ = json.loads(request[0][0][1])
        assert language == "nl"
        self.asked.append((text, speed, time.monotonic()))
        answer = self.answers.pop(0) if self.answers else self.otherwise(text)
        time.sleep(answer.delay)
        try:
            handler.send_response(answer.status)
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            if answer.drip:
                for byte in answer.body:
                    handler.wfile.write(bytes([byte]))
                    handler.wfile.flush()
                    time.sleep(answer.drip)
            else:
                handler.wfile.write(answer.body)
        except OSError:
            return  # the asker gave up, which is what some tests want

    def __enter__(self) -> SpeechService:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
