"""Every path of every shipped menu is walked, and no way of using one leaves its session stuck."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calls import DONE, Argument, Refusal
from core.dialogues.types import Event
from core.operations import REGISTRY
from gateway.ussd.menu import SIGN_IN, Leaf, Menu
from gateway.ussd.pages import RIGHT_TO_LEFT
from gateway.ussd.state import State, restored
from gateway.ussd.talker import MenuTalker
from tests.walks import CODE, DIALLED, SAMPLES, Core, Phone, paths_of, sample, talker_of

LEAVES: Final = [
    (name, path, registered)
    for name in DIALLED
    for registered in (False, True)
    for path in paths_of(talker_of(name).menus.own, registered=registered)
]
BOOKING: Final = (
    "submit_reading", "mid_bill", "pay", "register_request", "bill_by_sms", "stop_bill_by_sms",
)  # fmt: skip
"""What counts, or costs somebody something."""


def fits(talker: MenuTalker, screen: str) -> bool:
    """Whether the handset shows all of a screen."""
    return talker.rules.size.fits(screen.replace(RIGHT_TO_LEFT, ""))


def own_of(talker: MenuTalker, *, registered: bool) -> tuple[str, ...]:
    """The subscriptions of a mobile."""
    return (sample(talker.menus.own, Argument.NUMBER),) if registered else ()


def outcomes_of(leaf: Leaf) -> list[dict[str, str]]:
    """Each outcome of a leaf's operation, and of the one whose figures are confirmed."""
    found = [{leaf.operation: kind} for kind in (*REGISTRY[leaf.operation].outcomes, "failed")]
    if leaf.preview:
        found += [{leaf.preview: kind} for kind in REGISTRY[leaf.preview].outcomes]
    return found


def test_the_menus_that_ship_are_those_of_the_seeds() -> None:
    """Annex 3 of Lorestan, and the services of Kerman, Qazvin and Qom."""
    assert DIALLED == ("kerman-water", "lorestan-water", "qazvin-gas", "qom-power")


@pytest.mark.parametrize("name", DIALLED)
def test_every_path_of_a_menu_ends_in_words_whatever_comes_of_it(name: str) -> None:
    """For strangers and registered mobiles, each outcome, all languages, narrow pages too."""
    for page, registered in ((80, False), (80, True), (60, True)):
        talker = talker_of(name, page, marks=page == 60)
        for language, menu in talker.menus.of.items():
            if language and not registered:
                continue
            for path in paths_of(menu, registered=registered):
                node = menu.nodes[path.node]
                for kinds in outcomes_of(node) if isinstance(node, Leaf) else [{}]:
                    core = Core(kinds)
                    phone = Phone(talker, core, own_of(talker, registered=registered))
                    phone.dial()
                    if language:
                        phone.type(*_language_key(menu))
                    _walk(phone, core, path.typed, node if isinstance(node, Leaf) else None)


def _language_key(menu: Menu) -> list[str]:
    start = menu.nodes[menu.start]
    return [item.key for item in start.items if item.language]  # type: ignore[union-attr]


def _walk(phone: Phone, core: Core, typed: tuple[str, ...], leaf: Leaf | None) -> None:
    for key in typed:
        assert fits(phone.talker, phone.screen), phone.screen
        phone.type(key)
    if leaf is not None and restored(phone.state).state is State.CONFIRM:
        assert not core.booked(*BOOKING)
        phone.type("1")
    if leaf is not None:
        assert {leaf.operation, leaf.preview} & {call.operation for call in core.calls}
        assert len(core.booked(leaf.operation)) <= 1
    for _ in range(20):
        assert phone.screen
        assert fits(phone.talker, phone.screen), phone.screen
        before = phone.screen
        if phone.ended or restored(phone.state).next or phone.type("9") == before:
            break
    if not phone.ended:
        phone.type("00")
        assert restored(phone.state).state is State.MENU


@pytest.mark.parametrize(
    ("name", "path", "registered"), LEAVES, ids=lambda each: getattr(each, "node", each)
)
def test_every_node_is_reached_by_dialling_its_path(
    name: str, path: object, registered: object
) -> None:
    """At once, and with all that it asks for; what is to be confirmed is not."""
    talker = talker_of(name)
    node, typed = path.node, path.typed  # type: ignore[attr-defined]
    own = own_of(talker, registered=bool(registered))
    by_keys = Phone(talker, Core(), own)
    by_keys.dial()
    by_keys.type(*typed)
    at_once = Phone(talker, core := Core(), own)
    words = sample(talker.menus.own, Argument.TEXT) in typed
    at_once.dial("*".join([CODE.removesuffix("#"), *typed]) + "#")
    assert at_once.screen == by_keys.screen
    leaf = talker.menus.own.nodes[node]
    if isinstance(leaf, Leaf) and leaf.confirm:
        assert words or not core.booked(*BOOKING)


# --- whatever is done to a session ----------------------------------------------------------

N, OTHER = "20000001", "20000002"
TYPED: Final = st.one_of(
    st.sampled_from(
        ["0", "00", "9", "1", "2", "3", "4", "5", "6", "۱", " 2 ", N, OTHER, "4321", "1250",
         "101100000101", f"{N}*4321", "2*1", "*", "#", "", "سلام", "abc", "1*1*1*1",
         *SAMPLES.values()]
    ),
    st.text(max_size=12),
)  # fmt: skip
DEEP: Final = st.lists(
    st.sampled_from(["1", "2", "3", "4", "5", "6", "7", N, OTHER, "4321", "1250", "00", "x"]),
    max_size=7,
).map(lambda pieces: "*".join([CODE.removesuffix("#"), *pieces]) + "#")
ACTION: Final = st.one_of(
    st.tuples(st.just("type"), TYPED),
    st.tuples(st.just("type"), TYPED),
    st.tuples(st.just("type"), st.just("1")),
    st.tuples(st.just("walk"), st.integers(0, 20).map(str)),
    st.tuples(st.just("walk"), st.integers(0, 20).map(str)),
    st.tuples(st.just("again"), st.just("")),
    st.tuples(st.just("dial"), DEEP),
    st.tuples(st.just("cut"), st.sampled_from([Event.ABORT.value, Event.TIMEOUT.value])),
    st.tuples(st.just("edit"), st.sampled_from(DIALLED)),
    st.tuples(st.just("own"), st.sampled_from(["", N, f"{N} {OTHER}"])),
    st.tuples(st.just("open"), st.sampled_from(["debt", "reading", "gone", "pay_bill"])),
    st.tuples(
        st.just("outcome"),
        st.sampled_from(
            [DONE, *(each.value for each in Refusal)],
        ),
    ),
)


@settings(max_examples=150)
@given(name=st.sampled_from(DIALLED), actions=st.lists(ACTION, max_size=25))
def test_no_way_of_using_a_session_leaves_it_stuck_books_twice_or_raises(
    name: str, actions: list[tuple[str, str]]
) -> None:
    """Each step goes through the stored state, as after a restart."""
    talker = talker_of(name)
    core = Core()
    phone = Phone(talker, core)
    phone.dial()
    confirmed, last = 0, ""
    for what, text in actions:
        if what == "edit":
            # The menu that a daemon reads when it is started again may be quite another one.
            phone.talker = talker = talker_of(text)
            continue
        if what == "own":
            phone.own = tuple(text.split())
        elif what == "outcome":
            kinds = {each: text for each in REGISTRY if text in REGISTRY[each].outcomes}
            core.kinds = kinds if text != Refusal.NOT_RECOGNISED else {SIGN_IN: text}
        elif what == "walk":
            paths = paths_of(talker.menus.own, registered=len(phone.own) == 1)
            phone.dial("*".join([CODE.removesuffix("#"), *paths[int(text) % len(paths)].typed]))
        elif what == "dial" or phone.ended:
            phone.dial(text if what == "dial" else CODE)
        elif what == "open":
            phone.open(text)
        elif what == "cut":
            phone.dial(cut=phone.lose(Event(text)))
        else:
            last = last if what == "again" else text
            confirmed += restored(phone.state).state is State.CONFIRM
            phone.type(last)
        assert phone.screen
        assert fits(talker, phone.screen), phone.screen
        assert len(core.booked(*BOOKING)) <= confirmed
        assert restored(phone.state).state is not State.CALL
    if not phone.ended and restored(phone.state).state is not State.OVER:
        phone.type("00")
        assert restored(phone.state).trail == ("home",)
