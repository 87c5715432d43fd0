"""Requests as the gateways' documentation has them, what is made of them, and the answers."""

from __future__ import annotations

import json
from time import process_time
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messages import UssdEvent, UssdInput
from gateway.ussd.http.africastalking import AfricasTalking
from gateway.ussd.http.dialect import Asked, Dialect, Rejected
from gateway.ussd.http.hubtel import Hubtel
from gateway.ussd.http.restcomm import RestComm

ALL: list[Dialect] = [AfricasTalking(), Hubtel(), RestComm()]
PERSIAN = "مانده آب:\n۱۲٬۰۰۰ ریال <&\"'"


def heard(dialect: Dialect, body: str | bytes) -> UssdInput:
    """What a request says."""
    found = dialect.read(body.encode() if isinstance(body, str) else body).input
    assert found is not None
    return found


def said(dialect: Dialect, body: str | bytes, text: str, *, ends: bool) -> str:
    """The answer to a request."""
    asked = dialect.read(body.encode() if isinstance(body, str) else body)
    return dialect.write(asked, text, ends=ends, mark="77").decode()


def xml(answer: str | bytes) -> ET.Element:
    """An answer as its reader sees it."""
    return ET.fromstring(answer)  # noqa: S314 - our own


# --- Africa's Talking ---------------------------------------------------------------


def form(**fields: str) -> str:
    """A callback."""
    given = {"sessionId": "ATUid_9", "serviceCode": "*384*1522#", "phoneNumber": "+989161234567"}
    return urlencode(given | {"networkCode": "63902"} | fields)


def test_africas_talking_begins_with_an_empty_text_and_joins_what_follows() -> None:
    """``turn`` tells a repetition from the next input, also of a dial."""
    dialect = AfricasTalking()
    begin = heard(dialect, form(text=""))
    assert begin == UssdInput(
        UssdEvent.BEGIN, "ATUid_9", "+989161234567", "*384*1522#", "*384*1522#", "+0"
    )
    answer = heard(dialect, form(text="2*1"))
    assert (answer.event, answer.text, answer.turn) == (UssdEvent.ANSWER, "2*1", "+3")
    assert answer.joined


def test_africas_talking_is_answered_with_con_and_end() -> None:
    """In UTF-8; an end without a screen as well."""
    dialect = AfricasTalking()
    assert said(dialect, form(text=""), PERSIAN, ends=False) == f"CON {PERSIAN}"
    assert said(dialect, form(text=""), PERSIAN, ends=True) == f"END {PERSIAN}"
    assert said(dialect, form(text=""), "", ends=True) == "END "


def test_africas_talking_reports_how_a_session_ended() -> None:
    """One that was cut is an abort; one that we ended is not worth a word."""
    dialect = AfricasTalking()
    assert heard(dialect, form(status="Incomplete", input="2*1")).event is UssdEvent.ABORT
    assert heard(dialect, form(status="Failed", errorMessage="x")).event is UssdEvent.ABORT
    assert dialect.read(form(status="Success").encode()) == Asked(None)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "sessionId is missing"),
        (form(sessionId="x" * 101), "sessionId"),
        (form(sessionId="a\0b"), "sessionId"),
        (form(), "text is missing"),
        (form(text="1" * 2001), "longer than 2000"),
        (form(text="1") + "&text=2", "there twice"),
        (b"sessionId=%ff&text=", "not UTF-8"),
        ("&".join(f"a{i}=1" for i in range(50)), "too many fields"),
    ],
)
def test_a_form_that_is_none_is_told_why(body: str | bytes, why: str) -> None:
    """In words for whoever sets the gateway up."""
    with pytest.raises(Rejected, match=why):
        heard(AfricasTalking(), body)


# --- Hubtel -------------------------------------------------------------------------


def interaction(**fields: object) -> str:
    """A service interaction request."""
    given = {"Mobile": "989161234567", "SessionId": "3c796dac", "ServiceCode": "711*2"}
    given |= {"Operator": "mtn", "ClientState": "", "Platform": "USSD"}
    return json.dumps(given | fields)


def test_hubtel_tells_each_input_by_itself() -> None:
    """With a number in the session; the dial is written out."""
    dialect = Hubtel()
    dial = interaction(Type="Initiation", Message="*711*2*1#", Sequence=1)
    assert heard(dialect, dial) == UssdInput(
        UssdEvent.BEGIN, "3c796dac", "989161234567", "711*2", "*711*2*1#", "begin 1"
    )
    answer = heard(dialect, interaction(Type="response", Message="2", Sequence=2))
    assert (answer.event, answer.text, answer.turn) == (UssdEvent.ANSWER, "2", "answer 2")
    assert not answer.joined
    for kind, event in (("Release", UssdEvent.ABORT), ("TIMEOUT", UssdEvent.TIMEOUT)):
        assert heard(dialect, interaction(Type=kind)).event is event
    hijacked = heard(dialect, interaction(Type="HijackSession", Message=None))
    assert (hijacked.event, hijacked.text) == (UssdEvent.BEGIN, "711*2")


def test_hubtel_writes_its_keys_in_any_case() -> None:
    """Its channels differ in it."""
    body = interaction(Type="Response", Message=2, Sequence="3")
    plain = heard(Hubtel(), body)
    for change in (str.lower, str.upper):
        keys = json.dumps({change(key): value for key, value in json.loads(body).items()})
        assert heard(Hubtel(), keys) == plain


def test_hubtel_without_a_sequence_tells_turns_by_the_state_it_was_given() -> None:
    """The mark of the screen that is answered."""
    answer = json.loads(
        said(Hubtel(), interaction(Type="initiation", Message="*711#"), PERSIAN, ends=False)
    )
    assert answer["Type"] == "Response"
    assert (answer["SessionId"], answer["Message"]) == ("3c796dac", PERSIAN)
    after = interaction(Type="response", Message="1", ClientState=answer["ClientState"])
    assert heard(Hubtel(), after).turn == "after 77"
    assert heard(Hubtel(), interaction(Type="response", Message="1")).turn == ""
    last = json.loads(said(Hubtel(), after, "", ends=True))
    assert (last["Type"], last["Message"], last["ClientState"]) == ("Release", "", "")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"[" * 15_000, "not JSON"),
        (b'{"Sequence": ' + b"9" * 9000 + b"}", "not JSON"),
        (interaction(Type="AddToCart"), "Type is none of"),
        (interaction(Type="Response", Mobile=""), "Mobile is missing"),
        (interaction(Type="Response", SessionId=["x"]), "sessionid is not a text"),
    ],
)
def test_an_interaction_that_is_none_is_told_why(body: str | bytes, why: str) -> None:
    """However deep or long it is."""
    with pytest.raises(Rejected, match=why):
        heard(Hubtel(), body)


def test_half_a_character_is_stored_as_a_sign_for_it() -> None:
    """JSON can write what no database stores."""
    body = interaction(Type="Response", Message="PLACE").replace("PLACE", "1\\ud800\\u0000")
    assert heard(Hubtel(), body).text == "1\ufffd"


# --- RestComm -----------------------------------------------------------------------

HEAD = '<?xml version="1.0" encoding="UTF-8" ?>'
ADDRESSES = """<localAddress pc="1" ssn="8"><ai value="67"/></localAddress>
<remoteAddress pc="2" ssn="8"><ai value="67"/></remoteAddress>
<destinationReference number="204208300008002" nai="international_number" npi="land_mobile"/>
<originationReference number="989167654321" nai="international_number" npi="ISDN"/>"""
BEGIN = f"""{HEAD}
<dialog type="Begin" appCntx="networkUnstructuredSsContext_version2" networkId="0"
 localId="12" remoteId="13" mapMessagesSize="1" returnMessageOnError="false">
{ADDRESSES}
<processUnstructuredSSRequest_Request invokeId="5" dataCodingScheme="15" string="*1522*2#">
 <msisdn nai="international_number" npi="ISDN" number="989161234567"/>
 <alertingPattern size="1"><value value="6"/></alertingPattern>
</processUnstructuredSSRequest_Request></dialog>"""
ANSWER = f"""{HEAD}
<dialog type="Continue" localId="12" remoteId="13" mapMessagesSize="1" userObject="5.77">
<unstructuredSSRequest_Response invokeId="1" dataCodingScheme="15" string="2"/></dialog>"""
END = '{}<dialog type="Unknown" localId="12" remoteId="13" mapMessagesSize="0" {}><errComponents/>'


def test_restcomm_says_the_mobile_only_when_a_session_begins() -> None:
    """The dialogue's ids name the session."""
    dialect = RestComm()
    assert heard(dialect, BEGIN) == UssdInput(
        UssdEvent.BEGIN, "12.13", "989161234567", "", "*1522*2#", "begin 5"
    )
    assert heard(dialect, ANSWER) == UssdInput(UssdEvent.ANSWER, "12.13", "", "", "2", "1.77")
    by_reference = BEGIN.replace("msisdn", "imsi")
    assert heard(dialect, by_reference).mobile == "989167654321"
    as_elements = ANSWER.replace(' string="2"/>', "><ussdString>2</ussdString></unstructuredSSRe")
    assert heard(dialect, as_elements.replace("SSRe</", "SSRequest_Response></")).text == "2"


def test_restcomm_gets_the_first_invoke_id_back_with_the_last_screen() -> None:
    """Which it handed back with every input, as its user object."""
    asks = xml(said(RestComm(), BEGIN, PERSIAN, ends=False))
    assert asks.attrib == {"mapMessagesSize": "1", "userObject": "5.77"}
    (message,) = asks
    assert message.tag == "unstructuredSSRequest_Request"
    assert message.attrib == {"dataCodingScheme": "72", "string": PERSIAN}

    last = xml(said(RestComm(), ANSWER, "Thank you\n1", ends=True))
    assert last.get("prearrangedEnd") == "false"
    (message,) = last
    assert message.tag == "processUnstructuredSSRequest_Response"
    assert message.attrib == {
        "invokeId": "5", "dataCodingScheme": "15", "string": "Thank you\n1"
    }  # fmt: skip

    nothing = xml(said(RestComm(), ANSWER, "", ends=True))
    assert nothing.attrib == {"mapMessagesSize": "0", "prearrangedEnd": "false"}
    assert len(nothing) == 0


@pytest.mark.parametrize(
    ("attributes", "event"),
    [
        ('mapUserAbortChoice="isUserSpecificReason"', UssdEvent.ABORT),
        ('mapAbortProviderReason="SupportingDialogueTransactionReleased"', UssdEvent.ABORT),
        ('mapRefuseReason="NoReasonGiven"', UssdEvent.ABORT),
        ('dialogTimedOut="true"', UssdEvent.TIMEOUT),
        ('invokeTimedOut="1"', UssdEvent.TIMEOUT),
    ],
)
def test_restcomm_tells_how_a_session_ended(attributes: str, event: UssdEvent) -> None:
    """The subscriber, the network or the time."""
    assert heard(RestComm(), END.format(HEAD, attributes) + "</dialog>").event is event


def test_restcomm_tells_of_an_error_of_the_handset() -> None:
    """As of an abort; and of a notification that was shown."""
    error = '<errComponents><invokeId value="1"/><errorComponent errorCode="6"/></errComponents>'
    body = f'<dialog type="End" localId="1" mapMessagesSize="0">{error}</dialog>'
    assert heard(RestComm(), body).event is UssdEvent.ABORT
    shown = '<dialog localId="1"><unstructuredSSNotify_Response invokeId="0"/></dialog>'
    assert heard(RestComm(), shown).event is UssdEvent.CONFIRM


LAUGHS = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
ATTACKS = {
    "billion laughs": f'<!DOCTYPE d [<!ENTITY l0 "ha">{LAUGHS}]><dialog localId="&l9;"/>',
    "external entity": '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><dialog>&x;</dialog>',
    "external DTD": '<!DOCTYPE d SYSTEM "http://127.0.0.1:1/x.dtd"><dialog localId="1"/>',
    "parameter entity": "<!DOCTYPE d [<!ENTITY % p \"<!ENTITY q 'x'>\">%p;]><dialog/>",
    "unknown entity": "<dialog>&x;</dialog>",
    "deep nesting": "<dialog>" * 300_000,
    "many elements": f"<dialog>{'<a/>' * 300_000}</dialog>",
    "ten megabytes": f'<dialog localId="{"9" * 10_000_000}"/>',
    "many attributes": "<dialog " + " ".join(f'a{i}="1"' for i in range(2000)) + "/>",
    "another encoding": '<?xml version="1.0" encoding="UTF-7"?><dialog localId="1"/>',
    "another root": "<dialogue/>",
    "two roots": '<dialog localId="1"/><dialog localId="2"/>',
    "nothing": "",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_document_grows_or_fetches_anything(attack: str) -> None:
    """Each is refused in words, at once."""
    began = process_time()
    with pytest.raises(Rejected):
        heard(RestComm(), attack)
    assert process_time() - began < 1


# --- all ----------------------------------------------------------------------------

SEEDS = [
    form(text="2*1").encode(),
    interaction(Type="Response", Message="2", Sequence=2).encode(),
    BEGIN.encode(),
    ANSWER.encode(),
]


@given(seed=st.sampled_from(SEEDS), data=st.data())
def test_nothing_but_a_refusal_comes_of_a_broken_body(seed: bytes, data: st.DataObject) -> None:
    """Whatever is understood can be stored, and answered."""
    broken = bytearray(seed)
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(broken)))
        broken[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    for dialect in ALL:
        for body in (bytes(broken), data.draw(st.binary(max_size=30))):
            try:
                asked = dialect.read(body)
            except Rejected:
                continue
            if asked.input is not None:
                for value in asked.input[1:6]:
                    assert "\0" not in str(value)
                    str(value).encode()
            dialect.write(asked, PERSIAN, ends=False, mark="1")


@given(st.text(max_size=200), st.booleans())
def test_every_screen_can_be_written(text: str, ends: bool) -> None:  # noqa: FBT001
    """Whatever characters it has; RestComm's remains XML."""
    for dialect in ALL:
        dialect.write(Asked(None, "1"), text, ends=ends, mark="1")
    xml(RestComm().write(Asked(None, "1"), text, ends=ends, mark="1"))
