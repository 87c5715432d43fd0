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
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from core.database import checked_url
from core.secrecy import KEY_BYTES
from gateway.configuration import ConfigError, Frozen, as_model, did_you_mean, read_toml
from gateway.secrets import fetch_secrets

SOCKET_PATH_LIMIT = 107
"""The longest path that a Unix-domain socket can have on Linux."""
SYSTEM_ID_LIMIT = 15
PASSWORD_LIMIT = 8
"""SMPP 3.4, 4.1.1: what fits the fields of a bind request."""

_TO_ASCII_DIGITS = {ord(digit): str(i % 10) for i, digit in enumerate("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩")}


def _digits(value: object) -> object:
    """A short code as ASCII digits: Persian ones, blanks and a leading + are forgiven."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    digits = "".join(str(value).translate(_TO_ASCII_DIGITS).split()).removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("is not a number of digits")
    return digits


def _short_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) > PASSWORD_LIMIT:
        raise ValueError(f"has more than the {PASSWORD_LIMIT} characters that SMPP allows")
    return value


def _usable_url(value: SecretStr) -> SecretStr:
    url = checked_url(value.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("a database in memory would lose everything; name a file")
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    size = len(value.get_secret_value().encode())
    if size < KEY_BYTES:
        raise ValueError(f"has {size} bytes; it needs at least {KEY_BYTES}")
    return value


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
Number = Annotated[str, BeforeValidator(_digits), Field(min_length=2, max_length=20)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Password = Annotated[SecretStr, AfterValidator(_short_enough)]
SystemId = Annotated[str, Field(min_length=1, max_length=SYSTEM_ID_LIMIT)]
Alphabet = Literal["gsm7", "latin1", "ia5", "utf8", "ucs2"]


class DatabaseSettings(Frozen):
    """``[database]``."""

    url: Annotated[SecretStr, AfterValidator(_usable_url)] = SecretStr("sqlite:///peyk.db")
    """``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``."""


class Bind(Frozen):
    """``[[binds]]``: one connection to an operator's SMSC."""

    name: Name
    host: str = Field(min_length=1)
    port: Port = 2775
    tls: bool = False
    """Encrypt, and refuse an SMSC whose certificate does not verify."""
    tls_authority: Path | None = None
    """A PEM file of the authority to trust; None trusts the system's."""
    tls_name: str | None = None
    """The name the certificate must carry, where it is not ``host``."""

    system_id: SystemId
    password: Password = SecretStr("")
    system_type: str = Field("", max_length=12)
    mode: Literal["transceiver", "transmitter", "receiver"] = "transceiver"
    smsc: Name
    """The operator this bind belongs to (default: the bind's name): a receipt may come
    on any bind of the same operator."""

    window: int = Field(10, ge=1, le=10_000)
    """How many submit_sm may wait for their response at once."""
    rate: float = Field(0, ge=0)
    """Messages a second; 0 is no limit."""
    enquire_link: Seconds = 30
    """Silence after which the link is tested, in seconds."""
    bind_timeout: Seconds = 10
    response_timeout: Seconds = 30
    """After this many seconds without a response a submit_sm is uncertain."""
    reconnect_first: Seconds = 1
    reconnect_most: Seconds = 60
    """Seconds before trying again: the first pause, and what it grows to."""

    alphabet: Alphabet = "gsm7"
    """What data_coding 0 means on this SMSC, both ways."""
    long_messages: Literal["udh8", "udh16", "sar", "payload"] = "udh8"
    """How a message longer than one part is sent."""
    message_id_base: Literal["as_is", "hex", "decimal"] = "as_is"
    """In what the id of a submit_sm_resp is written, when its receipts write it otherwise."""
    receipts: bool = True
    """Whether to ask for delivery receipts."""
    source_ton: int = Field(0, ge=0, le=255)
    source_npi: int = Field(1, ge=0, le=255)
    dest_ton: int = Field(1, ge=0, le=255)
    dest_npi: int = Field(1, ge=0, le=255)

    @model_validator(mode="before")
    @classmethod
    def _smsc_is_the_bind_unless_said(cls, values: Any) -> Any:
        return {"smsc": values.get("name"), **values} if isinstance(values, dict) else values

    @property
    def sends(self) -> bool:
        """Whether messages to mobiles can go out on it."""
        return self.mode != "receiver"


class Line(Frozen):
    """``[[lines]]``: a number that subscribers text, and whose answers come from it."""

    number: Number
    profile: str
    """The folder of ``daemon.profiles`` that says what may be texted here."""
    binds: tuple[str, ...] = ()
    """In order of preference: the next is used while the one before is down."""


class AlertSettings(Frozen):
    """``[alerts]``: from when on something counts as trouble."""

    oldest_waiting: Seconds = 60
    """A message that has been due for longer makes the daemon "degraded"."""


class DaemonSettings(Frozen):
    """``[daemon]``."""

    data: Path = Path()
    profiles: Path = Path("profiles")
    control: Path = Path("peyk.sock")
    """The Unix-domain socket behind ``peyk health`` and others."""
    key: Annotated[SecretStr, AfterValidator(_long_enough)]
    """The master key of all keyed hashes. A lost key makes every secret code useless."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    log_file: Path | None = None
    """None writes to standard error."""
    stop_timeout: Seconds = 10
    """How long a stopping daemon waits for what is in flight."""
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
    alphabet: Alphabet = "gsm7"
    receipt_delay: float = Field(1.0, ge=0)
    """Seconds from taking a message to its receipt."""


class Settings(Frozen):
    """The whole file. Every path is absolute, every secret is fetched."""

    daemon: DaemonSettings
    database: DatabaseSettings = DatabaseSettings()
    alerts: AlertSettings = AlertSettings()
    binds: tuple[Bind, ...] = ()
    lines: tuple[Line, ...] = ()
    smsc: SmscSettings | None = None

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
    tables = read_toml(file)
    data = data_folder(file, tables)
    fetch_secrets(file, tables, data)
    settings = _absolute(as_model(file, tables, Settings), file.absolute().parent, data)
    _check_sockets(file, settings)
    _check_binds(file, settings.binds)
    _check_lines(file, settings)
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
            bind.model_copy(update={"tls_authority": data / bind.tls_authority})
            if bind.tls_authority
            else bind
            for bind in settings.binds
        ),
    }
    if settings.smsc:
        update["smsc"] = settings.smsc.model_copy(update={"control": data / settings.smsc.control})
    return settings.model_copy(update=update)


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
        if bind.tls_authority and not bind.tls_authority.is_file():
            key = f"binds[{place}].tls_authority"
            raise ConfigError(file, key, f"there is no file {bind.tls_authority}")


def _check_lines(file: Path, settings: Settings) -> None:
    _check_unique(file, "lines", "number", [line.number for line in settings.lines])
    binds = {bind.name: bind for bind in settings.binds}
    profiles = _folders(settings.daemon.profiles)
    for place, line in enumerate(settings.lines, 1):
        key = f"lines[{place}]"
        if line.profile not in profiles:
            problem = f"there is no profile {line.profile!r} in {settings.daemon.profiles}"
            raise ConfigError(file, f"{key}.profile", problem, did_you_mean(line.profile, profiles))
        if not line.binds:
            hint = did_you_mean("", binds) or "add one under [[binds]]"
            raise ConfigError(file, f"{key}.binds", f"line {line.number} names no bind", hint)
        for name in line.binds:
            if name not in binds:
                hint = did_you_mean(name, binds)
                raise ConfigError(file, f"{key}.binds", f"there is no bind {name!r}", hint)
        if not any(binds[name].sends for name in line.binds):
            problem = f"line {line.number} could not answer: its binds only receive"
            raise ConfigError(file, f"{key}.binds", problem, "add a transmitter or transceiver")


def _check_unique(file: Path, table: str, key: str, values: Iterable[str]) -> None:
    seen: dict[str, int] = {}
    for place, value in enumerate(values, 1):
        if value in seen:
            problem = f"{value!r} is already the {key} of {table}[{seen[value]}]"
            raise ConfigError(file, f"{table}[{place}].{key}", problem)
        seen[value] = place


def _folders(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
