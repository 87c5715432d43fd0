"""A real browser on the real daemon: headless Chromium, ``peyk run``, a simulated operator.

All three are started once for the tests of a process, with sample subscribers of Kerman and
Lorestan. A test gets a ``page`` (a fresh browser context: no cookies), logs somebody in with
``staff`` and lets ``accessible`` look at what it opened. What it needs besides it makes through
``house.database`` or ``house.peyk(...)``, under names of its own, since the data is shared with
the other tests.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from sqlalchemy import Connection

from core import demo, schema
from core.access.roles import ids_of
from core.access.sessions import Browser as Client
from core.access.sessions import Lifetime, begin_session
from core.access.users import NewUser, add_user, user_named
from core.database import Database
from core.jalali import TEHRAN
from core.secrecy import Keys
from tests.conftest import without_waiting_for_the_disk
from tests.ports import free_port
from tests.processes import REPOSITORY, Peyk, call_peyk

KEY = "a key that only tests have, of 32 or more bytes"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEADLINE = 60.0
PHONE: ViewportSize = {"width": 390, "height": 800}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}

SETTINGS = """
[daemon]
data = "data"
profiles = "{profiles}"
control = "peyk.sock"
key = "{key}"
log_level = "info"
log_file = "peyk.log"

[database]
url = "sqlite:///peyk.db"

[[binds]]
name = "operator"
host = "127.0.0.1"
port = {smsc}
system_id = "peyk"
password = "demo"
backoff_first = 0.05
backoff_longest = 0.2
ussd = "sixdee"

[[lines]]
number = "100034122"
profile = "kerman-water"
binds = ["operator"]

[[lines]]
number = "100066133"
profile = "lorestan-water"
binds = ["operator"]

[[lines]]
number = "*1522#"
profile = "lorestan-water"
binds = ["operator"]
sms_line = "100066133"

[web]
listen = "127.0.0.1:{web}"
url = "http://127.0.0.1:{web}"
demo = true

[[payments]]
name = "demo-bank"
profiles = []
provider = "simulated"

[smsc]
host = "127.0.0.1"
port = {smsc}
control = "smsc.sock"
system_id = "peyk"
password = "demo"
receipt_delay = 0.05
"""


class House(NamedTuple):
    """The daemon as it runs, and its data."""

    url: str
    config: Path
    database: Database

    def peyk(self, *arguments: str) -> str:
        """Run the command on this daemon's settings; what it prints."""
        done = call_peyk("--config", str(self.config), *arguments, seconds=DEADLINE)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The daemon and its operator."""
    home = Path(tempfile.mkdtemp(prefix="peyk-b-"))
    (home / "data").mkdir()
    config = home / "peyk.toml"
    web = free_port()
    config.write_text(
        SETTINGS.format(
            profiles=REPOSITORY / "config" / "profiles", key=KEY, smsc=free_port(), web=web
        )
    )
    database = without_waiting_for_the_disk(Database(f"sqlite:///{home}/data/peyk.db"))
    schema.upgrade(database)
    today = datetime.now(TEHRAN).date()
    for utility in ("kerman-water", "lorestan-water"):
        demo.fill(database, Keys(KEY.encode()), today=today, utility=utility, subscribers=60)
    said = home / "output"
    running = [
        Peyk("--config", str(config), command, output=said, errors=said)
        for command in ("smsc", "run")
    ]
    made = House(f"http://127.0.0.1:{web}", config, database)
    try:
        _wait(made, home, running[1])
        yield made
    finally:
        for process in running[::-1]:
            process.kill()
            process.wait(DEADLINE)
        database.close()
        shutil.rmtree(home, ignore_errors=True)


def _wait(house: House, home: Path, daemon: Peyk) -> None:
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            with urllib.request.urlopen(f"{house.url}/desk/login", timeout=DEADLINE):  # noqa: S310
                return
        except (URLError, ConnectionError, TimeoutError):
            if daemon.poll() is not None or time.monotonic() > deadline:
                log = home / "data" / "peyk.log"
                said = log.read_text() if log.exists() else ""
                pytest.fail(f"the daemon does not serve\n{(home / 'output').read_text()}\n{said}")
            time.sleep(0.05)


# --- the browser ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser; tests fail, with what to install, where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.fail(
            "no Chromium on the PATH: install your distribution's package "
            "(Debian: apt install chromium; Fedora: dnf install chromium)",
            pytrace=False,
        )
    with sync_playwright() as playwright:
        # Root may not use Chromium's own sandbox.
        sandboxed = os.geteuid() != 0
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=sandboxed)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, house: House) -> Iterator[Page]:
    """A browser window without a past; whatever its console complains of fails the test."""
    context = chromium.new_context(base_url=house.url, locale="fa-IR", viewport=DESKTOP)
    context.set_default_timeout(DEADLINE * 1000)
    expect.set_options(timeout=DEADLINE * 1000)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: _note(said, complaints))
    yield opened
    context.close()
    assert complaints == []


def _note(said: Any, complaints: list[str]) -> None:
    # An answer with a code of 400 and more is what some tests are about.
    if said.type == "error" and "Failed to load resource" not in said.text:
        complaints.append(said.text)


class Staff:
    """Lets people in without the pages for that."""

    def __init__(self, house: House) -> None:
        self._house = house

    def __call__(
        self, page: Page, *roles: str, name: str = "", utility: str = "", office: str = ""
    ) -> str:
        """Have ``page`` logged in as somebody with these roles; the user's name."""
        name = name or "-".join((*roles, utility)).strip("-").replace("*", "")
        token = self._house.database.transact("staff", _let_in, name, roles, utility, office)
        page.context.add_cookies(
            [{"name": "peyk_session", "value": token, "url": self._house.url, "httpOnly": True}]
        )
        return name


def _let_in(
    connection: Connection, name: str, roles: tuple[str, ...], utility: str, office: str
) -> str:
    now = time.time_ns() // 1_000_000
    user = user_named(connection, name)
    if user is None:
        held = [(each, utility) for each in ids_of(connection, roles).values()]
        new = NewUser(name, f"کاربر {name}", "none", office=office)
        user_id = add_user(connection, new, held, now)
    else:
        user_id = user.id
    lifetime = Lifetime(3_600_000, 3_600_000)
    return begin_session(
        connection, user_id, Client("127.0.0.1", "test"), lifetime, now, verified=True
    )


@pytest.fixture
def staff(house: House) -> Staff:
    """``staff(page, "administrator")`` logs somebody in."""
    return Staff(house)


Accessible = Callable[[Page], None]


@pytest.fixture(scope="session")
def accessible() -> Accessible:
    """``accessible(page)`` fails for what axe finds against WCAG 2.1 AA, contrast included."""
    axe = Axe()
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}

    def check(page: Page) -> None:
        found = axe.run(page, options=rules)
        said = "\n".join(
            f"{each['id']}: {each['help']}: {node['html'][:200]}"
            for each in found.response["violations"]
            for node in each["nodes"]
        )
        assert not said, f"{page.url}\n{said}"

    return check


Shoot = Callable[[Page, str], Path]


@pytest.fixture
def shoot(tmp_path: Path) -> Shoot:
    """``shoot(page, "login")`` takes a picture of the whole page.

    Into the folder that the environment names as PEYK_SCREENSHOTS, to be looked at.
    """
    folder = Path(os.environ.get("PEYK_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> Path:
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take


@pytest.fixture
def seen(page: Page, accessible: Any, shoot: Any) -> Any:
    """``seen("name")``: right to left, accessible, no wider than a phone; pictures of both."""

    def look(name: str) -> None:
        assert page.evaluate("document.dir") == "rtl"
        accessible(page)
        shoot(page, name)
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name
        shoot(page, f"{name}-phone")
        page.set_viewport_size(DESKTOP)

    return look
