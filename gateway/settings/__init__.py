"""What an operator of the daemon sets: one TOML file, typed and immutable.

``load_settings`` reads the file, fetches the secrets it points to, makes its paths
absolute, and checks what no single table can know: that the names in one table exist in
another. A mistake is one ``ConfigError``; nothing of it shows a secret.

Where relative paths start: ``daemon.data`` and ``daemon.profiles`` at the folder of the
settings file; every other file (database, sockets, secrets, log) in ``daemon.data``. So
it does not matter where the command is started.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr

from core.database import checked_url
from gateway.configuration import ConfigError, Frozen, as_model, read_toml
from gateway.secrets import fetch_secrets
from gateway.settings.alerts import AlertSettings, check_alerts
from gateway.settings.api import ApiSettings
from gateway.settings.binds import Bind
from gateway.settings.desk import DeskSettings
from gateway.settings.doors import UssdDoor, check_doors
from gateway.settings.lines import Line, UssdSettings, check_lines
from gateway.settings.monitoring import MonitoringSettings, check_monitoring
from gateway.settings.panels import PanelAccount, check_panels
from gateway.settings.payments import PaymentAccount, WebSettings, check_payments
from gateway.settings.retention import RetentionSettings
from gateway.settings.types import (
    DatabaseUrl,
    MasterKey,
    Password,
    Port,
    Seconds,
    SystemId,
)
from gateway.settings.ussd import BindUssd, Ussd, check_ussd
from gateway.smpp.text import Alphabet

SOCKET_PATH_LIMIT = 107
"""The longest path that a Unix-domain socket can have on Linux."""


class DatabaseSettings(Frozen):
    """``[database]``."""

    url: DatabaseUrl = SecretStr("sqlite:///peyk.db")
    """``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``."""


class DaemonSettings(Frozen):
    """``[daemon]``."""

    data: Path = Path()
    profiles: Path = Path("profiles")
    control: Path = Path("peyk.sock")
    """The Unix-domain socket behind ``peyk health`` and others."""
    key: MasterKey
    """The master key of all keyed hashes. A lost key makes every secret code useless."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    log_file: Path | None = None
    """None writes to standard error."""
    stop_timeout: Seconds = 10
    """How long a stopping daemon waits for what is in flight."""
    lease: float = Field(30, ge=5)
    """Seconds for which a daemon that is not heard of keeps the messages that it was to send;
    then another one on the same database sends them."""
    max_waiting: int = Field(10_000, ge=100)
    """Arrivals that may wait in memory; beyond it reading is paused."""

    @property
    def key_bytes(self) -> bytes:
        """The master key as ``core.secrecy.Keys`` takes it."""
        return self.key.get_secret_value().encode()


class SmscSettings(Frozen):
    """``[smsc]``: the simulated operator that ``peyk smsc`` runs."""

    host: str = "127.0.0.1"
    port: Port = 2775
    control: Path = Path("smsc.sock")
    """Its own Unix-domain socket, behind ``peyk sms``."""
    system_id: SystemId = "peyk"
    password: Password = SecretStr("")
    alphabet: Alphabet = Alphabet.GSM7
    receipt_delay: float = Field(1.0, ge=0)
    """Seconds from taking a message to its receipt."""
    ussd: Ussd | None = None
    """The USSD dialect that it speaks (default: that of the bind that connects to it)."""
    ussd_timeout: Seconds = 120
    """How long it waits for a screen or for somebody to type before it ends a session."""


class Settings(Frozen):
    """The whole file. Every path is absolute, every secret is fetched."""

    daemon: DaemonSettings
    database: DatabaseSettings = DatabaseSettings()
    alerts: AlertSettings = AlertSettings()
    binds: tuple[Bind, ...] = ()
    panels: tuple[PanelAccount, ...] = ()
    lines: tuple[Line, ...] = ()
    smsc: SmscSettings | None = None
    web: WebSettings | None = None
    desk: DeskSettings = DeskSettings()
    api: ApiSettings = ApiSettings()
    monitoring: MonitoringSettings | None = None
    retention: RetentionSettings = RetentionSettings()
    payments: tuple[PaymentAccount, ...] = ()
    ussd_doors: tuple[UssdDoor, ...] = ()
    ussd: UssdSettings = UssdSettings()

    @property
    def texted_lines(self) -> list[Line]:
        """The lines that subscribers text."""
        return [line for line in self.lines if not line.is_dialled]

    @property
    def dialled_lines(self) -> list[Line]:
        """The USSD codes that subscribers dial."""
        return [line for line in self.lines if line.is_dialled]

    @property
    def sending_binds(self) -> set[str]:
        """The names of the binds that messages can go out on."""
        return {bind.name for bind in self.binds if bind.sends}

    @property
    def ussd_carriers(self) -> set[str]:
        """The names of the binds and doors that carry USSD."""
        dialled = {bind.name for bind in self.binds if bind.ussd and bind.sends}
        return dialled | {door.name for door in self.ussd_doors}

    @property
    def database_url(self) -> str:
        """The URL with its password: for ``core.database.Database`` and nobody else."""
        return self.database.url.get_secret_value()

    def bind(self, name: str) -> Bind:
        """The bind of that name; raises ``KeyError``."""
        for bind in self.binds:
            if bind.name == name:
                return bind
        raise KeyError(name)

    def profile_folder(self, name: str) -> Path:
        """Where the profile of that name is."""
        return self.daemon.profiles / name


def load_settings(file: Path) -> Settings:
    """Read ``file``. Raises ``ConfigError`` for the first mistake in it."""
    if not file.exists():
        hint = "go to Peyk's folder, or name another with --config or PEYK_CONFIG"
        raise ConfigError(file, "", "there is no such file", hint)
    tables = read_toml(file)
    data = data_folder(file, tables)
    fetch_secrets(file, tables, data)
    settings = _absolute(as_model(file, tables, Settings), file.absolute().parent, data)
    _check_sockets(file, settings)
    _check_binds(file, settings.binds)
    if settings.smsc:
        check_ussd(file, "smsc.ussd", settings.smsc.ussd)
    check_doors(file, settings.web, settings.ussd_doors, {bind.name for bind in settings.binds})
    taken = {bind.name: f"bind {bind.name!r}" for bind in settings.binds}
    for door in settings.ussd_doors:
        taken |= dict.fromkeys((door.name, door.path), f"door {door.name!r}")
    check_panels(file, settings.panels, settings.web, settings.lines, taken)
    _check_unique(file, "lines", "number", [line.number for line in settings.lines])
    check_lines(
        file,
        settings.lines,
        settings.daemon.profiles,
        {bind.name: bind.sends for bind in settings.binds}
        | {panel.name: True for panel in settings.panels},
        settings.ussd_carriers,
    )
    sending = settings.sending_binds
    check_alerts(
        file,
        settings.alerts,
        {line.number: [b for b in line.binds if b in sending] for line in settings.texted_lines},
    )
    profiles = {line.profile for line in settings.lines}
    check_payments(file, settings.web, settings.payments, profiles)
    check_monitoring(file, settings.web, settings.monitoring)
    return settings


def data_folder(file: Path, tables: dict[str, Any]) -> Path:
    """Where the daemon keeps its files, as far as it can be told before validation."""
    daemon = tables.get("daemon")
    said = daemon.get("data") if isinstance(daemon, dict) else None
    folder = file.absolute().parent / (said if isinstance(said, str) else "")
    return folder.resolve()


def _absolute(settings: Settings, home: Path, data: Path) -> Settings:
    daemon = settings.daemon
    paths: dict[str, Path] = {
        "data": data,
        "profiles": (home / daemon.profiles).resolve(),
        "control": data / daemon.control,
    }
    if daemon.log_file:
        paths["log_file"] = data / daemon.log_file
    update: dict[str, object] = {
        "daemon": daemon.model_copy(update=paths),
        "database": DatabaseSettings(url=_absolute_url(settings.database.url, data)),
        "binds": tuple(
            bind.model_copy(update={"tls_ca_file": data / bind.tls_ca_file})
            if bind.tls_ca_file
            else bind
            for bind in settings.binds
        ),
    }
    if settings.web:
        files = {"tls_certificate": settings.web.tls_certificate, "tls_key": settings.web.tls_key}
        found = {name: data / path for name, path in files.items() if path}
        update["web"] = settings.web.model_copy(update=found)
    if settings.smsc:
        smsc = {"control": data / settings.smsc.control, "ussd": _dialect(settings.smsc, settings)}
        update["smsc"] = settings.smsc.model_copy(update=smsc)
    return settings.model_copy(update=update)


def _dialect(smsc: SmscSettings, settings: Settings) -> BindUssd:
    """The dialect of a simulated operator: one that its bind does not speak shows nothing."""
    place = (smsc.host, smsc.port)
    of_binds = [bind.ussd for bind in settings.binds if (bind.host, bind.port) == place]
    return smsc.ussd or next((each for each in of_binds if each), None) or BindUssd()


def _absolute_url(secret: SecretStr, data: Path) -> SecretStr:
    url = checked_url(secret.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database:
        url = url.set(database=str(data / url.database))
    return SecretStr(url.render_as_string(hide_password=False))


def _check_sockets(file: Path, settings: Settings) -> None:
    sockets = {"daemon.control": settings.daemon.control}
    if settings.smsc:
        sockets["smsc.control"] = settings.smsc.control
    for key, path in sockets.items():
        if len(str(path).encode()) > SOCKET_PATH_LIMIT:
            problem = f"{path} is longer than a socket's path can be ({SOCKET_PATH_LIMIT} bytes)"
            raise ConfigError(file, key, problem, "give a shorter absolute path")


def _check_binds(file: Path, binds: Sequence[Bind]) -> None:
    _check_unique(file, "binds", "name", [bind.name for bind in binds])
    for place, bind in enumerate(binds, 1):
        if bind.tls_ca_file and not bind.tls_ca_file.is_file():
            key = f"binds[{place}].tls_ca_file"
            raise ConfigError(file, key, f"there is no file {bind.tls_ca_file}")
        check_ussd(file, f"binds[{place}].ussd", bind.ussd)


def _check_unique(file: Path, table: str, key: str, values: Iterable[str]) -> None:
    seen: dict[str, int] = {}
    for place, value in enumerate(values, 1):
        if value in seen:
            problem = f"{value!r} is already the {key} of {table}[{seen[value]}]"
            raise ConfigError(file, f"{table}[{place}].{key}", problem)
        seen[value] = place
