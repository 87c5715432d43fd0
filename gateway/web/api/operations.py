"""What subscribers may ask for, asked by another system on their behalf."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from core.access.permissions import Permission
from core.calls import Argument, Fact, Scalar
from core.calls import Call as CoreCall
from core.operations import REGISTRY, Operation
from core.outside_calls import WITHOUT_MOBILE, Outside, Ran, run_call
from core.requests.kinds import Door
from core.text import storable
from gateway.minds import LineMind
from gateway.rules.values import settled, unproven
from gateway.web.api.call import Call
from gateway.web.api.models import Mobile, Model, Nothing
from gateway.web.api.problems import invalid, not_found
from gateway.web.api.routes import Routes

routes = Routes("operations", "Operations")

_WORDS: Final = frozenset({Argument.TEXT, Argument.KIND, Argument.TOPIC, Argument.METER_SERIAL})
"""What is not made of digits alone."""
_DIGITS: Final = 20

Said = Annotated[str, Field(min_length=1, max_length=500)]


class Known(Model):
    """An operation."""

    name: str
    required: list[str] = Field(description="Arguments that it must be given.")
    optional: list[str]
    outcomes: dict[str, list[str]] = Field(description="What may come of it, with its facts.")
    needs_mobile: bool


class AllOperations(Model):
    """All there are."""

    items: list[Known]


class Run(Model):
    """An operation, and who is said to ask for it."""

    utility: str | None = None
    line: str | None = Field(
        None, max_length=20, description="Whose words answer, and what later messages come from."
    )
    mobile: Mobile | None = Field(
        None, description="Who asks; may be left out where nothing is changed for them."
    )
    arguments: dict[Argument, Said] = Field(
        default_factory=dict, description="`number`, `code`, `reading` … all of them texts."
    )
    vouched: bool = Field(
        default=False,
        description="The caller knows that whoever asks has a right to the subscription "
        "`number`: no code is needed. The token needs `personal.see`.",
    )
    language: str = Field("", max_length=10, description="Of `text`; empty: the utility's own.")


class CameOf(Model):
    """What came of it; a refusal to the subscriber is no problem of the request."""

    operation: str
    outcome: str = Field(description="`done`, or why not: `not_recognised`, `no_bill` …")
    subscription: str | None
    facts: dict[str, Any] = Field(description="Money in rial, dates and instants as ISO 8601.")
    text: str | None = Field(description="The utility's own words for it; null: it has none.")


@routes.route(
    "GET",
    "/operations",
    Permission.OPERATION_RUN,
    summary="All operations",
    answers=AllOperations,
)
async def listed(call: Call[Nothing, None]) -> AllOperations:  # noqa: ARG001 - the same for all
    """With what each takes, and what may come of it."""
    return AllOperations(items=[_known(each) for each in REGISTRY.values()])


@routes.route(
    "POST",
    "/operations/<name>",
    Permission.OPERATION_RUN,
    summary="Run an operation",
    body=Run,
    answers=CameOf,
    action="operation.run",
    example={"mobile": "09131234567", "arguments": {"number": "100001", "code": "1234"}},
)
def run(call: Call[Nothing, Run], connection: Any, name: str) -> CameOf:
    """As if the subscriber had texted it; nothing is sent to anybody for it.

    Wrong codes count against the subscription, and against the mobile, or the token where no
    mobile is said: too many lock it for a while.
    """
    operation = REGISTRY.get(name)
    if operation is None:
        raise not_found()
    body, utility = call.body, call.utility(call.body.utility)
    line, mind = _mind(call, utility)
    if body.mobile is None and name not in WITHOUT_MOBILE:
        raise invalid("/mobile", "is needed by this operation", "برای این عملیات لازم است")
    arguments = _arguments(operation, body.arguments, mind)
    _check_voucher(call, utility, arguments)
    outside = Outside(
        utility,
        mind.terms,
        line,
        body.mobile or call.actor.who,
        CoreCall(name, arguments),
        body.vouched,
        call.now,
    )
    ran = run_call(connection, call.means.keys, call.means.ids, outside)
    call.note(
        f"subscriber:{ran.subscriber_id}" if ran.subscriber_id is not None else "",
        utility,
        operation=name,
        outcome=ran.outcome.kind,
        vouched=body.vouched,
    )
    return _told(ran, mind, body.language)


def _known(operation: Operation) -> Known:
    return Known(
        name=operation.name,
        required=sorted(operation.required),
        optional=sorted(operation.optional),
        outcomes={kind: sorted(facts) for kind, facts in sorted(operation.outcomes.items())},
        needs_mobile=operation.name not in WITHOUT_MOBILE,
    )


def _mind(call: Call[Nothing, Run], utility: str) -> tuple[str, LineMind]:
    own = call.minds(utility)
    line = next(iter(own)) if call.body.line is None else call.body.line
    if line not in own:
        raise invalid("/line", "is no line of this utility", "خط این شرکت نیست")
    return line, own[line]


def _arguments(
    operation: Operation, said: Mapping[Argument, str], mind: LineMind
) -> dict[Argument, str]:
    """What is said, checked as what is texted is. Raises ``Problem``."""
    for argument in sorted(operation.required - said.keys()):
        raise invalid(_pointer(argument), "is missing", "لازم است")
    values = {argument: storable(value).strip() for argument, value in said.items()}
    for argument, value in values.items():
        if argument not in operation.required | operation.optional:
            raise invalid(
                _pointer(argument), f"{operation.name} takes none", "این عملیات آن را نمی‌گیرد"
            )
        is_digits = value.isascii() and value.isdigit() and len(value) <= _DIGITS
        if not value or (argument not in _WORDS and not is_digits):
            raise invalid(
                _pointer(argument),
                f"is made of ASCII digits, {_DIGITS} at the most",
                "تنها رقم لاتین دارد، دست‌بالا ۲۰ رقم",
            )
    wrong = unproven(values)
    if wrong is not None:
        raise invalid(_pointer(wrong), "cannot be: look at its digits", "رقم‌های آن درست نیست")
    _check_names(values, mind)
    return settled(values)


def _check_names(values: Mapping[Argument, str], mind: LineMind) -> None:
    kind = mind.terms.services.kinds.get(values.get(Argument.KIND, ""))
    if Argument.KIND in values and (kind is None or Door.TEXT not in kind.doors):
        raise invalid(
            _pointer(Argument.KIND),
            "is no service that is asked for by text: see /requests",
            "خدمتی نیست که با پیامک ثبت شود: /requests را ببینید",
        )


def _check_voucher(
    call: Call[Nothing, Run], utility: str, arguments: Mapping[Argument, str]
) -> None:
    if not call.body.vouched:
        return
    if not call.sees_personal(utility):
        raise invalid(
            "/vouched",
            "needs the permission personal.see: whoever vouches sees what is the subscriber's",
            "اجازهٔ personal.see می‌خواهد: اطلاعات مشترک دیده می‌شود",
        )
    if Argument.NUMBER not in arguments or Argument.CODE in arguments:
        raise invalid(
            "/vouched", "is for a number without its code", "برای شماره اشتراک بدون رمز است"
        )


def _told(ran: Ran, mind: LineMind, language: str) -> CameOf:
    outcome = ran.outcome
    has_words = mind.profile.replies.speak_of(outcome.operation, outcome.kind)
    return CameOf(
        operation=outcome.operation,
        outcome=outcome.kind,
        subscription=ran.number,
        facts={name: _plain(fact) for name, fact in outcome.facts.items()},
        text="".join(mind.reply(outcome, language)) if has_words else None,
    )


def _plain(fact: Fact) -> Any:
    if isinstance(fact, tuple):
        return [{name: _scalar(value) for name, value in row.items()} for row in fact]
    return _scalar(fact)


def _scalar(value: Scalar) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _pointer(argument: Argument) -> str:
    return f"/arguments/{argument.value}"
