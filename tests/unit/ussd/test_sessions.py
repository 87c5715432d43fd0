"""A session from dialling to its end, on the shipped menu of Lorestan and that of Kerman."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.calls import Argument, Call, Outcome, Refusal
from core.dialogues.types import Ending, Event, Heard
from gateway.ussd.menu import SIGN_IN
from gateway.ussd.state import restored, stored
from tests.walks import NOW, SAMPLES, Core, Phone, is_yes, talker_of

LORESTAN = talker_of("lorestan-water")
KERMAN = talker_of("kerman-water")
MENU = LORESTAN.menus.own
N, C = "20000001", "4321"
OTHER = "20000002"
HOME = MENU.option("1", "پرداخت")


def phone(*own: str, kinds: dict[str, str] | None = None) -> tuple[Phone, Core]:
    """A handset that is registered to some subscriptions."""
    core = Core(kinds)
    return Phone(LORESTAN, core, own), core


# --- whose subscription -----------------------------------------------------------------


def test_a_registered_mobile_is_asked_for_nothing() -> None:
    """Dialling the path is enough: `*1522*2*1#` goes straight to the balance."""
    handset, core = phone(N)
    assert "۲۰۰۰۰۰۰۱" in handset.dial("*1522*2*1#")
    assert core.calls == [Call("balance", {Argument.NUMBER: N})]


def test_one_that_has_several_chooses_once() -> None:
    """And is not asked again in the same session; another number is the last choice."""
    handset, core = phone(N, OTHER)
    assert "۲ ۲۰۰۰۰۰۰۲" in handset.dial("*1522*2*1#")
    handset.type("2", "0", "1")
    assert [call.arguments[Argument.NUMBER] for call in core.calls] == [OTHER, OTHER]
    handset.dial("*1522*2*1#")
    assert MENU.identify.number in handset.type("3")


def test_a_choice_is_never_a_key_that_moves_about() -> None:
    """The ninth subscription has the digit ten."""
    handset, _ = phone(*(str(20000000 + place) for place in range(1, 12)))
    screens = [handset.dial("*1522*2*1#")]
    while MENU.words.more in screens[-1]:
        screens.append(handset.type("9"))
    shown = "\n".join(screens)
    assert "۸ ۲۰۰۰۰۰۰۸" in shown
    assert "۱۰ ۲۰۰۰۰۰۰۹" in shown


def test_a_stranger_shows_a_right_by_the_code_and_only_once() -> None:
    """It is used in one call, and is in no state and in nothing that is stored."""
    handset, core = phone()
    handset.dial()
    handset.type("2", "1", N, C)
    assert core.calls[0] == Call(SIGN_IN, {Argument.NUMBER: N, Argument.CODE: C})
    assert core.calls[1] == Call("balance", {Argument.NUMBER: N})
    handset.type("00", "2", "1")
    assert [call.operation for call in core.calls] == [SIGN_IN, "balance", "balance"]
    assert C not in handset.state
    assert handset.stored == ["*1522#", "2", "1", N, "****", "00", "2", "1"]
    assert LORESTAN.step(handset.state, _heard("0", Event.ANSWER)).shown == (N,)


def test_a_wrong_code_asks_anew_and_a_locked_one_says_for_how_long() -> None:
    """With the words of the core's own lock."""
    handset, _ = phone(kinds={SIGN_IN: Refusal.NOT_RECOGNISED.value})
    screen = handset.dial(f"*1522*2*1*{N}*{C}#")
    assert MENU.replies.render(Outcome(SIGN_IN, Refusal.NOT_RECOGNISED, {})) in screen
    assert MENU.identify.number in screen
    handset, _ = phone(kinds={SIGN_IN: Refusal.LOCKED_OUT.value})
    assert "۳۰" in handset.dial(f"*1522*2*1*{N}*{C}#")
    assert HOME in handset.type("00")


def test_another_subscription_may_be_spoken_of() -> None:
    """By an item of the menu; it takes a code unless the mobile is registered to it."""
    handset, core = phone(N)
    handset.dial()
    assert MENU.identify.choose in handset.type("5")
    assert HOME in handset.type("2", OTHER, C)
    handset.type("2", "1")
    assert core.calls[-1] == Call("balance", {Argument.NUMBER: OTHER})


# --- dialling a path --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "dialled"),
    [
        ((), f"*1522*3*2*{N}*{C}*1250#"),
        ((N,), "*1522*3*2*1250#"),
        ((N,), f"*1522*3*2*{N}*1250#"),
        ((N,), f"*1522*3*2*{N}*{C}*1250#"),
        ((N, OTHER), "*1522*3*2*1*1250#"),
        ((N, OTHER), f"*1522*3*2*{N}*{C}*1250#"),
        ((N,), "*۱۵۲۲*۳*۲*۱۲۵۰#"),
    ],
)
def test_a_whole_path_may_be_dialled_and_stops_at_what_is_to_be_confirmed(
    own: tuple[str, ...], dialled: str
) -> None:
    """Through menus, identification and questions; who need not say the number may."""
    handset, core = phone(*own)
    assert is_yes(MENU, handset.dial(dialled))
    assert not core.booked("submit_reading")
    assert C not in handset.stored[-1]
    handset.type("1")
    wanted = {Argument.NUMBER: N, Argument.READING: "1250"}
    assert core.booked("submit_reading") == [Call("submit_reading", wanted)]


def test_a_code_that_is_typed_with_an_own_number_is_left_out() -> None:
    """It is no reading, and is not stored."""
    handset, core = phone(N, OTHER)
    handset.dial("*1522*3*2#")
    assert "۱۲۵۰" in handset.type(f"{N}*{C}*1250")
    assert handset.stored[-1] == f"{N}******1250"
    assert core.calls == []


def test_a_yes_that_is_dialled_with_the_path_confirms_nothing() -> None:
    """Nobody has read what it would confirm."""
    handset, core = phone(N)
    assert is_yes(MENU, handset.dial("*1522*3*2*1250*1#"))
    handset.dial()
    assert is_yes(MENU, handset.type("3*2*1250*1"))
    assert not core.booked("submit_reading")


@pytest.mark.parametrize(
    ("dialled", "says"),
    [
        ("*1522*7#", MENU.words.no_item),
        ("*1522*2*8*1#", MENU.words.no_item),
        ("*1522*2*1*123*4321#", "۸ رقم"),
        (f"*1522*2*1*{N}*1*5#", "رمز"),
        ("*1522*1*2*12345678#", "پیگیری"),
    ],
)
def test_a_path_stops_with_a_clear_screen_at_the_first_piece_that_does_not_fit(
    dialled: str, says: str
) -> None:
    """What is behind it is not used, and may be a code: its digits are not stored."""
    handset, core = phone()
    assert says in handset.dial(dialled)
    assert core.calls == []
    assert "4321" not in handset.stored[-1]
    assert not handset.ended


def test_the_two_ids_of_a_bill_may_be_dialled_right_after_the_code() -> None:
    """As at a bank; of a pair with a wrong digit it is told which of the two is wrong."""
    bill_id, payment_id = SAMPLES[Argument.BILL_ID], SAMPLES[Argument.PAYMENT_ID]
    handset, core = phone()
    assert is_yes(MENU, handset.dial(f"*1522*{bill_id}*{payment_id}#"))
    handset.type("1")
    wanted = {Argument.BILL_ID: bill_id, Argument.PAYMENT_ID: payment_id}
    assert core.calls == [Call("pay", wanted)]
    wrong = payment_id[:-1] + str((int(payment_id[-1]) + 1) % 10)
    asked = MENU.questions["payment_id"].text
    assert handset.dial(f"*1522*{bill_id}*{wrong}#").startswith("شناسه پرداخت درست نیست")
    assert asked in handset.screen
    assert is_yes(MENU, handset.type(payment_id))
    wrong = bill_id[:-1] + str((int(bill_id[-1]) + 1) % 10)
    assert handset.dial(f"*1522*{wrong}*{payment_id}#").startswith("شناسه قبض درست نیست")
    assert handset.stored[-1] == f"*1522*{'*' * len(wrong)}*{'*' * len(payment_id)}#"
    assert MENU.words.no_item in handset.dial(f"*1522*{N}*{C}#")


def test_what_was_dialled_with_another_code_is_no_path() -> None:
    """Some networks tell less of it, some more."""
    handset, _ = phone(N)
    for dialled in ("", "1522", "*1522#", "*780*2*1#"):
        assert HOME in handset.dial(dialled), dialled


# --- what counts is confirmed, once -----------------------------------------------------


def test_what_was_confirmed_is_booked_once_whatever_comes_again() -> None:
    """The key that confirmed finds the session in another state."""
    handset, core = phone(N)
    handset.dial("*1522*3*2*1250#")
    for _ in range(4):
        handset.type("1")
    assert len(core.booked("submit_reading")) == 1


def test_an_implausible_reading_is_confirmed_once_more() -> None:
    """The same call again is what the operation asks for."""
    handset, core = phone(N, kinds={"submit_reading": Refusal.CONFIRM_READING.value})
    handset.dial("*1522*3*2*1250#")
    assert is_yes(MENU, handset.type("1"))
    handset.core = after = Core()
    handset.type("1")
    assert core.booked("submit_reading") == after.booked("submit_reading")
    assert "ثبت شد" in handset.screen


def test_a_bill_is_computed_before_it_is_made() -> None:
    """The figures that are confirmed are those of the operation that books nothing."""
    handset, core = phone(N)
    assert "۱۲۳٬۴۵۶٬۰۰۰" in handset.dial("*1522*3*1*1250#")
    assert [call.operation for call in core.calls] == ["quick_bill"]
    handset.type("1")
    assert [call.operation for call in core.calls] == ["quick_bill", "mid_bill"]


def test_a_reading_that_cannot_be_is_asked_for_again() -> None:
    """With what was wrong with it, above the same question."""
    for kinds, path in (
        ({"submit_reading": Refusal.READING_BELOW_LAST.value}, "*1522*3*2*12#"),
        ({"quick_bill": Refusal.READING_TOO_LONG.value}, "*1522*3*1*12#"),
    ):
        handset, _ = phone(N, kinds=kinds)
        handset.dial(path)
        if is_yes(MENU, handset.screen):
            handset.type("1")
        handset.core = core = Core()
        assert is_yes(MENU, handset.type("1250"))
        handset.type("1")
        assert core.calls[-1].arguments[Argument.READING] == "1250"


def test_nothing_is_ordered_when_nothing_is_owed() -> None:
    """The balance says so, and there is nothing to confirm."""
    handset = Phone(LORESTAN, core := Core(empty=True), (N,))
    assert "بدهی ندارد" in handset.dial("*1522*1*1#")
    handset.type("1")
    assert [call.operation for call in core.calls] == ["balance"]


def test_a_connection_fee_is_paid_by_its_tracking_number() -> None:
    """Annex 3, 1: the request's voucher gives the two IDs."""
    handset, core = phone()
    handset.dial(f"*1522*1*2*{SAMPLES[Argument.TRACKING]}#")
    handset.type("1")
    assert core.calls[-1].operation == "pay"
    assert set(core.calls[-1].arguments) == {Argument.BILL_ID, Argument.PAYMENT_ID}
    assert len(handset.texts) == 1
    assert "https://" in handset.texts[0]


def test_a_code_that_a_right_was_shown_by_may_be_needed_again() -> None:
    """The mobile was removed between two inputs."""
    handset, _ = phone(N, kinds={"submit_reading": Refusal.CODE_NEEDED.value})
    handset.dial("*1522*3*2*1250#")
    handset.own = ()
    assert MENU.identify.code in handset.type("1")
    handset.core = core = Core()
    assert is_yes(MENU, handset.type(C))
    handset.type("1")
    assert len(core.booked("submit_reading")) == 1


# --- moving about -----------------------------------------------------------------------


def test_back_goes_one_step_and_home_all_the_way() -> None:
    """From pages, questions and menus; back from the first menu says goodbye."""
    handset, _ = phone(N)
    handset.dial("*1522*3*2*1250#")
    assert "عدد مشکی" in handset.type("0")
    assert MENU.option("2", "اعلام کارکرد کنتور") in handset.type("0")
    assert HOME in handset.type("0")
    assert handset.type("0") == MENU.words.goodbye
    assert handset.ended
    handset.dial("*1522*2*2#")
    first = handset.screen
    handset.type("9")
    assert handset.type("0") == first
    assert MENU.words.no_item in handset.type("7")
    handset.type("9")
    assert handset.type("0") == first, "back is no mistake"
    assert HOME in handset.type("00")


def test_a_list_goes_on_with_its_next_rows() -> None:
    """After the last page of those that one answer holds."""
    handset, core = phone(N)
    handset.dial("*1522*2*2#")
    for _ in range(30):
        if len(core.calls) == 2:
            break
        handset.type("9")
    assert core.calls[1].arguments == {Argument.NUMBER: N, Argument.START: "13"}


def test_what_must_be_kept_is_offered_by_sms_once() -> None:
    """A bill ID and a payment ID; the text is the reply to the same question by text."""
    handset, _ = phone(N)
    handset.dial("*1522*2*1#")
    assert MENU.words.sms not in handset.screen
    handset.dial("*1522*3*1*1250#")
    handset.type("1", "9")
    assert MENU.option("1", MENU.words.sms) in handset.screen
    handset.type("1", "1")
    assert len(handset.texts) == 1
    assert "شناسه پرداخت" in handset.texts[0]
    silent = Phone(talker_of("lorestan-water", texts=False), Core(), (N,))
    silent.dial("*1522*3*1*1250#")
    assert MENU.words.sms not in silent.type("1", "9")
    silent.dial("*1522*1*1#")
    assert "https://" in silent.type("1")


def test_the_language_is_the_sessions_own() -> None:
    """Every screen from there on, and the item leads back."""
    handset, _ = phone(N)
    assert "Payment" in handset.dial("*1522*6#")
    assert "Debt" in handset.type("2")
    assert "rial" in handset.type("1")
    assert HOME in handset.type("00", "6")


def test_an_item_is_hidden_when_its_condition_is_known_not_to_hold() -> None:
    """It is asked about quietly, and only for a subscription that is known."""
    paying = KERMAN.menus.own.option("1", "بدهی اشتراک من")
    owing = Phone(KERMAN, asked := Core(), (N,))
    assert paying in owing.dial("*1522*2#")
    assert [call.operation for call in asked.calls] == ["balance"]
    clear = Phone(KERMAN, Core(empty=True), (N,))
    assert paying not in clear.dial("*1522*2#")
    assert KERMAN.menus.own.words.no_item in clear.type("1")
    stranger = Phone(KERMAN, quiet := Core(), ())
    assert paying in stranger.dial("*1522*2#")
    assert quiet.calls == []


def test_who_is_registered_is_not_asked_to_register() -> None:
    """And who has just been is not from there on."""
    register = MENU.option("3", "ثبت این شماره همراه")
    handset, core = phone()
    assert register in handset.dial("*1522*4#")
    handset.type("3", N, C, "1")
    assert core.calls[-1] == Call("register_mobile", {Argument.NUMBER: N})
    handset.own = (N,)
    assert register not in handset.type("0")


# --- sessions that are cut, opened by us, or older than the menu ------------------------


def test_a_session_that_was_cut_is_offered_to_go_on_with() -> None:
    """Exactly where it was; or from the beginning."""
    handset, core = phone(N)
    handset.dial("*1522*3*2*1250#")
    before, cut = handset.screen, handset.lose()
    assert MENU.words.cut in handset.dial(cut=cut)
    assert handset.type("1") == before
    handset.type("1")
    assert len(core.booked("submit_reading")) == 1
    handset.dial(cut=cut)
    handset.dial(cut=handset.lose())
    assert handset.type("1") == before
    handset.dial(cut=cut)
    assert HOME in handset.type("2")
    assert "ریال" in handset.dial("*1522*2*1#", cut=cut)
    handset.dial()
    assert HOME in handset.dial(cut=handset.lose(Event.TIMEOUT))


def test_who_hangs_up_on_all_that_was_asked_for_is_offered_nothing() -> None:
    """But on a page with more behind it, and on what was booked: it may not have been seen."""
    handset, _ = phone(N)
    handset.dial("*1522*2*1#")
    assert HOME in handset.dial(cut=handset.lose())
    handset.dial("*1522*2*2#")
    assert MENU.words.cut in handset.dial(cut=handset.lose())
    handset.dial("*1522*3*2*1250#")
    handset.type("1")
    assert MENU.words.cut in handset.dial(cut=handset.lose())
    assert "ثبت شد" in handset.type("1")


def test_we_may_begin_at_a_node() -> None:
    """A question or a menu; a node that is gone is the first menu."""
    handset, _ = phone(N)
    assert "عدد مشکی" in handset.open("reading")
    assert MENU.option("2", "اقساط آب و فاضلاب") in handset.open("debt")
    assert HOME in handset.open("gone")
    assert "قرائت نشد" in handset.open("nobody_home")
    assert handset.ended
    assert "reading" in LORESTAN.nodes


def test_an_answer_to_no_session_says_that_it_is_over() -> None:
    """And so does one to a session that has ended."""
    said = LORESTAN.step("", _heard("1234", Event.ANSWER))
    assert (said.screen, said.ends, said.call) == (LORESTAN.last_words(Ending.OVER), True, None)
    assert said.masked == "****"


def test_a_menu_that_was_edited_in_between_begins_again_with_a_word() -> None:
    """Its nodes may be gone, its questions others."""
    handset, _ = phone(N)
    handset.dial("*1522*3*2#")
    session = restored(handset.state)
    for changed in (
        replace(session, trail=("home", "gone")),
        replace(session, leaf="gone"),
        replace(session, leaf="water_balance"),
    ):
        handset.state = stored(changed)
        assert MENU.words.changed in handset.type("1")
        assert restored(handset.state).leaf == ""
    handset.dial("*1522*3*2*1250#")
    session = restored(handset.state)
    handset.state = stored(replace(session, leaf="mid_bill"))
    assert MENU.words.changed in handset.type("1")


def test_what_the_menu_has_no_more_is_not_offered_to_go_on_with() -> None:
    """The connection was lost, and the daemon started again with another menu."""
    handset, _ = phone(N)
    handset.dial()
    handset.type("1")
    session = restored(handset.lose())
    assert session.trail == ("home", "payment")
    gone = stored(replace(session, trail=("home", "gone")))
    assert HOME in handset.dial(cut=gone)


@pytest.mark.parametrize(
    "state",
    ["{", "[]", "null", '{"v":2,"state":"menu"}', '{"v":1,"state":"menu","page":"x"}',
     '{"v":1,"state":"lunch"}', '{"v":1,"state":"menu","new":1}', '{"v":1,"state":"menu"}'],
)  # fmt: skip
def test_a_state_that_cannot_be_read_begins_again(state: str) -> None:
    """Such as one that a newer version has stored."""
    said = LORESTAN.step(state, _heard("1", Event.ANSWER))
    assert HOME in said.screen
    assert not said.ends


def test_an_operation_that_fails_says_so_and_the_session_goes_on() -> None:
    """A poisonous message is set aside by the core; the handset is told."""
    handset = Phone(LORESTAN, lambda call: Outcome(call.operation, Refusal.FAILED, {}), (N,))
    failed = MENU.replies.render(Outcome("", Refusal.FAILED.value, {}))
    assert failed.split()[0] in handset.dial("*1522*2*1#")
    assert HOME in handset.type("00")
    waiting = LORESTAN.step("", _heard("*1522*2*1#", Event.BEGIN, own=(N,)))
    assert waiting.call
    lost = LORESTAN.step(waiting.state, _heard("1", Event.ANSWER, own=(N,)))
    assert failed.split()[0] in lost.screen


def test_a_session_is_small() -> None:
    """Hundreds of thousands are open at once."""
    handset, _ = phone(N)
    handset.dial()
    assert len(handset.state) < 60
    assert json.loads(handset.state)["v"] == 1


def _heard(text: str, event: Event, own: tuple[str, ...] = ()) -> Heard:
    return Heard(event, text, NOW, own)
