"""A template's words: what may be saved, and where a mistake is."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import EventKind
from core.events.facts import EVENT_FACTS, FactKinds
from gateway.templates.bodies import check_body, sandbox_of
from gateway.templates.errors import BodyError
from gateway.templates.examples import written_out

BILL: FactKinds = EVENT_FACTS[EventKind.BILL_ISSUED]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (" \n", "line 1, column 1: it says nothing"),
        ("x" * 4001, "4001 characters; 4000"),
        ("قبض {{ number|fa }}\nمبلغ {{ amunt|rial }}",
         "line 2, column 9: there is no variable 'amunt'; did you mean 'amount'?"),
        ("{% if number is defined and amunt %}x{% endif %}", "column 29: there is no variable"),
        ("{{ due }}", "line 1, column 4: due is a date: write {{ due|jalali }}"),
        ("{{ due|rial }}", "column 8: due is a date, which 'rial' does not take; write {{ due|j"),
        ("{{ number|rial }}", "number is a text, which 'rial' does not take; write {{ number|fa"),
        ("{{ number|fr }}", "line 1, column 11: there is no filter 'fr'"),
        ("{{ number is odder }}", "column 14: there is no test 'odder'"),
        ("a\n\n {% for x in number %}{% endfor %}", "line 3, column 5: 'for' has no place"),
        ("{% set x = 'a' %}", "'set' has no place"),
        ("{{ 'a' * 1000000000 }}", "column 8: '*' has no place"),
        ("{{ '%1000000000d' % 1 }}", "'%' has no place"),
        ("{{ number.__class__ }}", "column 10: '.' has no place"),
        ("{{ range(3) }}", "column 9: '(' has no place"),
        ("سلام {{ number", "unexpected end of template"),
        ("سلام\n{{ number }", "line 2, column 10: unexpected '}'"),
        ("{% if number %}", "line 1, column 14: Unexpected end of template"),
        ("{{ $ }}", "unexpected char '$'"),
        ("a\n  {{ payable // 0 }}", "line 2, column 3: cannot be filled in: integer division"),
        ("{{ number + amount }}", "cannot be filled in"),
        ("{{ " + "(" * 1500 + "1" + ")" * 1500 + " }}", "it is nested too deeply"),
        ("{% if due %}" * 100 + "x" + "{% endif %}" * 100, "it is nested too deeply"),
        ("{{ number" + "|fa" * 1000 + " }}", "it is nested too deeply"),
        ("{{ 100 // amount }}", "cannot be filled in: integer division"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_words(body: str, said: str) -> None:
    """An error names the line, the column, and what to write instead."""
    with pytest.raises(BodyError) as error:
        check_body(body, sandbox_of({}, "fa"), BILL)
    assert said in str(error.value)


def test_what_words_may_do() -> None:
    """Conditions, filters, parts of a text, sums; in the digits of their language."""
    body = (
        "{% if kind in ('period', 'mid_period') and payable > 1000 %}{{ kind|word }} {% endif %}"
        "{{ number[-4:]|fa }} {{ (payable // 10)|rial }} {{ due|jalali if due else 'فوری' }}"
    )
    facts = {**written_out(BILL), "kind": "period", "number": "10000001", "payable": 1_234_000}
    words = {"period": "قبض دوره"}
    said = check_body(body, sandbox_of(words, "fa"), BILL).write({**facts, "due": ""})
    assert said == "قبض دوره ۰۰۰۱ ۱۲۳٬۴۰۰ فوری"
    said = check_body(body, sandbox_of({}, "en"), BILL).write(facts)
    assert said == "period 0001 123,400 1404/06/15"


_WORDS = (
    "{{", "}}", "{%", "%}", "{#", "#}", " ", "\n", "if", "endif", "else", "for", "in", "set",
    "number", "amount", "due", "|", "rial", "fa", "jalali", "truncate", "(", ")", "[", "]", "-1",
    "3", "'a'", '"', "==", "not", "and", "is", "defined", "+", "//", "~", "%", ".", "raw", "متن",
)  # fmt: skip


@given(st.lists(st.sampled_from(_WORDS), max_size=14), st.booleans())
def test_whatever_is_written_is_taken_or_told(words: list[str], in_tag: bool) -> None:  # noqa: FBT001
    """No other error comes of it."""
    body = " ".join(words)
    with suppress(BodyError):
        check_body(f"{{{{ {body} }}}}" if in_tag else body, sandbox_of({}, "fa"), BILL)
