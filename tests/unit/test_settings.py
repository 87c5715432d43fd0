"""The settings file: what it means, and what each mistake in it is told as."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.configuration import ConfigError, read_toml
from gateway.secrets import create_key
from gateway.settings import Settings, data_folder, load_settings
from gateway.smpp.settings import Mode

KEY = "k" * 32
DAEMON = f'[daemon]\nkey = "{KEY}"\n'
BIND = '[[binds]]\nname = "mci"\nhost = "smsc.example"\nsystem_id = "peyk"\npassword = "pw"\n'
LINE = '[[lines]]\nnumber = "100034122"\nprofile = "kerman-water"\nbinds = ["mci"]\n'
SHIPPED = Path(__file__).parents[2] / "config" / "peyk.toml"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An empty settings file with two profiles beside it."""
    for profile in ("kerman-water", "qom-power"):
        (tmp_path / "profiles" / profile).mkdir(parents=True)
    return tmp_path / "peyk.toml"


def _load(config: Path, *tables: str) -> Settings:
    config.write_text("\n".join(tables), encoding="utf-8")
    return load_settings(config)


def _mistake(config: Path, *tables: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        _load(config, *tables)
    assert str(config) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_defaults_are_enough_for_a_small_installation(config: Path) -> None:
    """A key, a bind and a line make a whole file; the SMSC is the bind unless said."""
    settings = _load(config, DAEMON, BIND, LINE)

    bind = settings.bind("mci")
    assert (bind.port, bind.mode, bind.window, bind.rate, bind.smsc) == (
        2775,
        Mode.TRANSCEIVER,
        10,
        0,
        "mci",
    )
    assert settings.lines[0].binds == ("mci",)
    assert settings.smsc is None
    assert settings.profile_folder("kerman-water").is_dir()


def test_the_protocol_is_told_what_was_set(config: Path) -> None:
    """Every setting of a bind reaches the protocol, the password in clear."""
    (config.parent / "ca.pem").touch()
    bind = BIND + 'tls = true\ntls_ca_file = "ca.pem"\nwindow = 7\nmode = "transmitter"'

    told = _load(config, DAEMON, bind).binds[0].for_smpp()

    assert (told.name, told.password, told.window, told.tls) == ("mci", "pw", 7, True)
    assert told.tls_ca_file == str(config.parent / "ca.pem")
    assert told.mode is Mode.TRANSMITTER


def test_relative_paths_do_not_depend_on_where_the_command_is_started(config: Path) -> None:
    """The data folder starts at the file's folder, everything else in the data folder."""
    daemon = f'[daemon]\ndata = "var"\nlog_file = "peyk.log"\nkey = "{KEY}"\n'
    home = config.parent

    settings = _load(config, daemon, '[smsc]\ncontrol = "op.sock"')

    assert settings.daemon.data == home / "var"
    assert settings.daemon.control == home / "var" / "peyk.sock"
    assert settings.daemon.log_file == home / "var" / "peyk.log"
    assert settings.database_url == f"sqlite:///{home / 'var' / 'peyk.db'}"
    assert settings.smsc is not None
    assert settings.smsc.control == home / "var" / "op.sock"


def test_absolute_paths_stay(config: Path) -> None:
    """A path that starts at the root is taken as it is."""
    settings = _load(config, DAEMON, '[database]\nurl = "sqlite:////srv/peyk.db"')

    assert settings.database_url == "sqlite:////srv/peyk.db"


def test_persian_digits_of_a_line_are_the_same_number(config: Path) -> None:
    """A number copied from a Persian letter, or written without quotes, is understood."""
    persian = LINE.replace('"100034122"', '"۱۰۰۰ ۳۴۱۲۲"')
    bare = LINE.replace('"100034122"', "100034122")

    assert _load(config, DAEMON, BIND, persian).lines[0].number == "100034122"
    assert _load(config, DAEMON, BIND, bare).lines[0].number == "100034122"


def test_secrets_come_from_the_environment_and_from_files(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each secret may be fetched; the newline that an editor adds is not part of it."""
    monkeypatch.setenv("DB_URL", "postgresql://peyk:hush@db/peyk")
    (config.parent / "pw").write_text("swordfi\n")

    settings = _load(
        config,
        DAEMON,
        '[database]\nurl = { env = "DB_URL" }',
        BIND.replace('"pw"', '{ file = "pw" }'),
    )

    assert settings.binds[0].password.get_secret_value() == "swordfi"
    assert settings.database_url == "postgresql+psycopg://peyk:hush@db/peyk"


def test_no_secret_is_shown(config: Path) -> None:
    """Printing or logging the settings shows no password and no key."""
    database = '[database]\nurl = "postgresql://peyk:hush@db/peyk"'

    shown = repr(_load(config, DAEMON, database, BIND.replace('"pw"', '"sesame"')))

    assert not [secret for secret in (KEY, "hush", "sesame") if secret in shown]


def test_a_mistake_in_a_secret_does_not_show_it(config: Path) -> None:
    """The error for a bad key or URL says what is wrong with it, not what it is."""
    key = str(_mistake(config, '[daemon]\nkey = "short-secret"'))
    url = str(_mistake(config, DAEMON, '[database]\nurl = "mysql://peyk:hush@db/x"'))

    assert "short-secret" not in key
    assert "12 bytes; it needs at least 32" in key
    assert "hush" not in url
    assert "'mysql' is not supported" in url


@pytest.mark.parametrize(
    ("tables", "key", "says"),
    [
        ([DAEMON, "[deamon]"], "deamon", "did you mean 'daemon'?"),
        ([DAEMON, BIND + 'mode = "transciever"'], "binds[1].mode", "did you mean 'transceiver'?"),
        ([DAEMON + 'log_level = "loud"'], "daemon.log_level", "known here: debug, error, info"),
        ([DAEMON, BIND + "windw = 5"], "binds[1].windw", "did you mean 'window'?"),
        ([DAEMON, BIND + "window = 0"], "binds[1].window", "greater than or equal to 1"),
        ([DAEMON, BIND + 'mode = "both"'], "binds[1].mode", "known here: receiver, transceiver"),
        ([DAEMON, BIND + "port = 70000"], "binds[1].port", "less than or equal to 65535"),
        ([DAEMON, BIND.replace('"pw"', '"far too long"')], "binds[1].password", "8 characters"),
        ([DAEMON, BIND.replace('host = "smsc.example"\n', "")], "binds[1].host", "is missing"),
        ([DAEMON, BIND, BIND], "binds[2].name", "'mci' is already the name of binds[1]"),
        ([DAEMON, BIND + 'tls_ca_file = "no.pem"'], "binds[1].tls_ca_file", "there is no"),
        ([DAEMON, BIND, LINE, LINE], "lines[2].number", "already the number of lines[1]"),
        (
            [DAEMON, BIND, LINE, LINE.replace("100034122", "۱۰۰۰۳۴۱۲۲")],
            "lines[2].number",
            "'100034122' is already",
        ),
        ([DAEMON, BIND, LINE.replace("100034122", "12a")], "lines[1].number", "not a number"),
        ([DAEMON, BIND, LINE.replace('["mci"]', "[]")], "lines[1].binds", "names no bind"),
        (
            [DAEMON, BIND, LINE.replace('"mci"]', '"mcci"]')],
            "lines[1].binds",
            "did you mean 'mci'?",
        ),
        (
            [DAEMON, BIND + 'mode = "receiver"', LINE],
            "lines[1].binds",
            "its binds only receive",
        ),
        (
            [DAEMON, BIND, LINE.replace("kerman-water", "kerman-wter")],
            "lines[1].profile",
            "did you mean 'kerman-water'?",
        ),
        ([BIND], "daemon", "is missing"),
        ([DAEMON, '[database]\nurl = "sqlite://"'], "database.url", "in memory"),
        ([DAEMON, '[database]\nurl = { env = "NOT_SET" }'], "database.url", "NOT_SET is not set"),
        ([DAEMON, '[database]\nurl = { evn = "X" }'], "database.url.evn", "did you mean 'env'?"),
        ([DAEMON, '[database]\nurl = { env = "A", file = "b" }'], "database.url", "write {"),
        (['[daemon]\nkey = { file = "key" }'], "daemon.key", "`peyk init` makes it"),
        ([DAEMON + f'control = "{"x" * 120}"'], "daemon.control", "longer than a socket"),
        (["[daemon"], "", "not valid TOML"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_and_hint(
    config: Path, tables: list[str], key: str, says: str
) -> None:
    """Every mistake names its place, and the nearest name where there is one."""
    mistake = _mistake(config, *tables)

    assert mistake.key == key
    assert says in str(mistake)


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    """A wrong path is told as a wrong path."""
    with pytest.raises(ConfigError, match=r"no such file; .*PEYK_CONFIG"):
        load_settings(tmp_path / "nowhere.toml")


def test_a_key_is_made_once_and_kept(config: Path) -> None:
    """The first init makes a key that only its owner can read; the next leaves it."""
    config.write_text('[daemon]\ndata = "var"\nkey = { file = "secrets/key" }\n')
    tables = read_toml(config)
    data = data_folder(config, tables)

    made = create_key(tables, data)
    first = load_settings(config).daemon.key_bytes

    assert made == config.parent / "var" / "secrets" / "key"
    assert made.stat().st_mode & 0o777 == 0o600
    assert create_key(tables, data) is None
    assert load_settings(config).daemon.key_bytes == first


def test_no_key_file_is_made_for_a_key_from_elsewhere(config: Path) -> None:
    """A literal key, or one from the environment, needs no file."""
    tables = {"daemon": {"key": {"env": "PEYK_KEY"}}}

    assert create_key(tables, config.parent) is None
    assert create_key({"daemon": {"key": KEY}}, config.parent) is None


def test_the_shipped_file_is_valid(tmp_path: Path) -> None:
    """What `make run` starts from loads, with the profiles it names."""
    config = tmp_path / "config" / "peyk.toml"
    for profile in (SHIPPED.parent / "profiles").iterdir():
        (config.parent / "profiles" / profile.name).mkdir(parents=True)
    config.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    create_key(read_toml(config), tmp_path / "run")

    settings = load_settings(config)

    assert settings.lines[0].number == "100034122"
    assert settings.smsc is not None
    assert settings.smsc.password == settings.binds[0].password


DOOR = (
    '[web]\nlisten = "127.0.0.1:8080"\nurl = "https://pay.example.ir"\n'
    '[[ussd_doors]]\nname = "hub"\ndialect = "hubtel"\npath = "/ussd/hub"\n'
    'secret = "0123456789abcdef"\n'
)
CODE = '[[lines]]\nnumber = "*۱۵۲۲"\nprofile = "kerman-water"\nbinds = ["hub"]\n'


def test_a_code_that_is_dialled_is_a_line(config: Path) -> None:
    """It is written as people write it, and has what a screen needs to know."""
    settings = _load(config, DAEMON, BIND, LINE, CODE + 'sms_line = "100034122"\n', DOOR)

    (code,) = settings.dialled_lines
    assert (code.number, code.page, code.sms_line) == ("*1522#", 80, "100034122")
    assert [line.number for line in settings.texted_lines] == ["100034122"]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ((LINE + "page = 60\n",), "page: only for a code that is dialled"),
        ((CODE.replace("*۱۵۲۲", "*15a#"), DOOR), "is not a code that can be dialled"),
        ((CODE.replace('"hub"', '"mci"'), DOOR), "bind 'mci' carries no USSD"),
        ((CODE + 'sms_line = "100034129"\n', LINE, DOOR), "there is no line '100034129'"),
        ((LINE.replace('"mci"', '"mci", "hub"'), DOOR), "'hub' is a door for USSD"),
        ((CODE.replace('"hub"', '"hop"'), DOOR), "there is no bind 'hop'"),
        (
            ('ussd = "mica"\n', CODE.replace('"hub"', '"hub", "mci"') + "page = 160\n", DOOR),
            "lines[1].page: a screen on bind 'mci' holds 127 units at most",
        ),
    ],
)
def test_a_mistake_about_a_code_is_told(config: Path, tables: tuple[str, ...], said: str) -> None:
    """What only a code has is not written for a texted number, and the other way round."""
    assert said in str(_mistake(config, DAEMON, BIND, *tables))
