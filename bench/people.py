"""People at the desk: a process that opens pages as they do and keeps a dashboard open each.

Each has a browser that is logged in: one thread reads the dashboard's stream, another opens one
page after the other with a pause between, each in full. It begins with a line of JSON on
standard input, the cookies, and says what came of it when standard input ends.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from itertools import cycle, islice
from typing import Final

STREAM: Final = "/desk/dashboard/live"
PAGES: Final = (
    "/desk/dashboard",
    "/desk/inbox",
    "/desk/outbox",
    "/desk/services",
    "/desk/alerts",
    "/desk/templates",
    "/desk/campaigns",
    "/desk/users",
    "/desk/audit",
)
_PATIENCE: Final = 30.0


class Person:
    """One browser."""

    def __init__(
        self, port: int, cookie: str, number: int, pause: float, over: threading.Event
    ) -> None:
        """``pause``: for how many seconds a page is looked at."""
        self._pause = pause
        self._port = port
        self._headers = {"Cookie": cookie}
        self._number = number
        self._over = over
        self.times: list[float] = []
        self.events = 0
        self.errors: list[str] = []

    def click(self) -> None:
        """Open pages until it is over."""
        pages = islice(cycle(PAGES), self._number % len(PAGES), None)
        self._over.wait(self._pause * (self._number % 10) / 10)
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        while not self._over.is_set():
            page, began = next(pages), time.perf_counter()
            try:
                connection.request("GET", page, headers=self._headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException) as error:
                self.errors.append(f"{page}: {error!r}")
                connection.close()
            else:
                self.times.append(time.perf_counter() - began)
                if answer.status != 200:
                    self.errors.append(f"{page}: {answer.status}")
            self._over.wait(self._pause)
        connection.close()

    def watch(self) -> None:
        """Read the dashboard's events until it is over."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        try:
            connection.request("GET", STREAM, headers=self._headers)
            answer = connection.getresponse()
            if answer.status != 200:
                self.errors.append(f"{STREAM}: {answer.status}")
            while not self._over.is_set() and (line := answer.readline()):
                self.events += line.startswith(b"event: blocks")
        except (OSError, HTTPException) as error:
            self.errors.append(f"{STREAM}: {error!r}")
        connection.close()


def main() -> None:
    """``python -m bench.people PORT PAUSE``."""
    port, pause = int(sys.argv[1]), float(sys.argv[2])
    over = threading.Event()
    cookies: list[str] = json.loads(sys.stdin.readline())
    people = [Person(port, cookie, number, pause, over) for number, cookie in enumerate(cookies)]
    threads = [
        threading.Thread(target=act, daemon=True)
        for person in people
        for act in (person.click, person.watch)
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join(_PATIENCE)
    times = sorted(each for person in people for each in person.times)
    said = {
        "pages": len(times),
        "events": sum(person.events for person in people),
        "p50": times[len(times) // 2] * 1000 if times else 0.0,
        "p99": times[int(len(times) * 0.99)] * 1000 if times else 0.0,
        "errors": [each for person in people for each in person.errors],
    }
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
