"""Registering and editing a request: a form made of what its kind asks for."""

from __future__ import annotations

from datetime import date
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

from core.access.permissions import Permission
from core.jalali import jalali
from core.requests.browse import find_request
from core.requests.changes import edit
from core.requests.counter import NewRequest, RequestError, register
from core.requests.fields import FieldError, checked
from core.requests.kinds import About, Door, FieldType, RequestKind, Services, Words
from core.requests.rows import Request
from core.text import ascii_digits
from gateway.web.desk import counter_desk
from gateway.web.desk.applicants import NUMBER, Looked, look_up, may_look
from gateway.web.desk.counter_desk import FIELD, Opened, entry_of, opened_for, put_mistake
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import Forbidden, NotFound, Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
_NEW = "/requests/new/<utility>/<kind>"
_EDIT = "/requests/<int:request_id>/edit"


@routes.route("GET", "/requests/new", Permission.REQUEST_REGISTER)
async def choose(visit: Visit) -> bytes:
    """What may be asked for at a counter, of each utility; about a subscription that is named."""
    only, number = visit.query.raw("utility"), visit.query.text("number", most=40)
    offered = {
        utility: [kind for kind in services.kinds.values() if Door.COUNTER in kind.doors]
        for utility, services in counter_desk.all_services(
            visit, Permission.REQUEST_REGISTER
        ).items()
        if only in {"", utility}
    }
    return visit.page(
        "request_kinds.html",
        asked=f"?{urlencode({'number': number})}" if number else "",
        offered={utility: kinds for utility, kinds in offered.items() if kinds},
        titles=visit.means.utilities,
    )


@routes.route("GET", _NEW, Permission.REQUEST_REGISTER)
async def begin(visit: Visit, utility: str, kind: str) -> bytes:
    """The form of one kind; of a subscription that is named, with whose it is."""
    _, wanted = _kind(visit, utility, kind)
    form = visit.blank(once=_once(visit), number=visit.query.text("number", most=40))
    looked = Looked()
    if form.raw(NUMBER) and may_look(visit, utility, wanted):
        looked = await look_up(visit, utility, wanted, form)
    return _form_page(visit, form, utility, wanted, looked=looked)


@routes.route("POST", _NEW, Permission.REQUEST_REGISTER)
async def add(visit: Visit, utility: str, kind: str) -> bytes:
    """Register it, once however often the form is sent."""
    services, wanted = _kind(visit, utility, kind)
    form = visit.form
    if form.raw("do") == "look" or _looks_first(visit, form, utility, wanted):
        looked = await look_up(visit, utility, wanted, form)
        code = 200 if form.is_right else 422
        return _form_page(visit, form, utility, wanted, code, looked=looked)
    values = _fields(form, wanted)
    has_own = wanted.field_of(FieldType.MOBILE) is not None
    new = NewRequest(
        wanted.key,
        number=_number(form, wanted),
        mobile="" if has_own else form.mobile("mobile") or "",
        fields=values,
        text=_words(form, wanted),
        office=visit.user.office,
        id=_id_of(visit, form.raw("once")),
    )
    if wanted.agreement and not form.tick("agreed"):
        form.wrong("agreed", "requests.wrong.agreement")
    if not form.is_right:
        return _form_page(visit, form, utility, wanted, 422)
    counter = counter_desk.counter_of(visit, utility, services)
    details = {"kind": wanted.key, "office": visit.user.office}
    if wanted.agreement:
        details["agreed"] = "yes"

    def work(connection: Any) -> Request:
        is_there = new.id is not None and find_request(connection, new.id) is not None
        made = register(connection, counter, new)
        if not is_there:
            entry = entry_of("request.register", made, **details)
            visit.means.scribe.write(connection, counter.now, visit.actor, entry)
        return made

    try:
        made: Request = await visit.means.transact("desk.request.register", work)
    except RequestError as error:
        put_mistake(form, error)
        return _form_page(visit, form, utility, wanted, 422)
    return visit.go(f"/requests/{made.id}", "requests.registered", tracking=made.tracking)


@routes.route("GET", _EDIT, Permission.REQUEST_EDIT)
async def begin_editing(visit: Visit, request_id: int) -> bytes:
    """What was filled in, to be changed while the company is not yet at work on it."""
    opened = await _editable(visit, request_id)
    request = opened.request
    filled = {
        f"{FIELD}{field.name}": _as_typed(field.type, request.values.get(field.name, ""))
        for field in opened.kind.fields
    }
    form = visit.blank(
        **filled,
        text=request.text,
        mobile=_as_typed(FieldType.MOBILE, request.mobile or ""),
        as_of=request.changed_at,
    )
    return _form_page(visit, form, request.utility, opened.kind, opened=opened)


@routes.route("POST", _EDIT, Permission.REQUEST_EDIT)
async def change(visit: Visit, request_id: int) -> bytes:
    """Change it, unless somebody else has meanwhile."""
    opened = await _editable(visit, request_id)
    request, kind, form = opened.request, opened.kind, visit.form
    values = _fields(form, kind)
    has_own = kind.field_of(FieldType.MOBILE) is not None
    mobile = None if has_own else form.mobile("mobile") or ""
    words = _words(form, kind)
    as_of = form.row_id("as_of")
    if not form.is_right:
        return _form_page(visit, form, request.utility, kind, 422, opened=opened)
    before = request.values
    changed = {
        field.name: values.get(field.name, "")
        for field in kind.fields
        if values.get(field.name, "") != before.get(field.name, "")
    }
    same_mobile = mobile is None or (mobile or None) == request.mobile
    if not changed and words == request.text and same_mobile:
        return visit.go(f"/requests/{request.id}")
    counter = counter_desk.counter_of(visit, request.utility, opened.services, as_of or 0)

    def work(connection: Any) -> Request:
        return edit(connection, counter, request.tracking, changed, words, mobile=mobile)

    # What it was and is are personal data: the log has the names of the fields alone.
    names = [*changed, *(["text"] if words != request.text else [])]
    entry = entry_of(
        "request.edit", request, fields=sorted(names + ([] if same_mobile else ["mobile"]))
    )
    try:
        await visit.change(entry, work)
    except RequestError as error:
        put_mistake(form, error)
        return _form_page(visit, form, request.utility, kind, 422, opened=opened)
    return visit.go(f"/requests/{request.id}", "requests.edited")


# --- help ----------------------------------------------------------------------------------


def _kind(visit: Visit, utility: str, key: str) -> tuple[Services, RequestKind]:
    visit.check(Permission.REQUEST_REGISTER, utility)
    services = counter_desk.services_of(visit, utility)
    kind = services.kinds.get(key)
    if kind is None or Door.COUNTER not in kind.doors:
        raise NotFound
    return services, kind


async def _editable(visit: Visit, request_id: int) -> Opened:
    opened = await opened_for(visit, request_id, Permission.REQUEST_EDIT)
    if not opened.is_editable:
        raise Refusal(409, "requests.wrong.not_editable")
    if not await counter_desk.sees_whole(visit, opened.request):
        raise Forbidden("requests.edit_needs_personal")  # the form shows what it changes
    return opened


def _looks_first(visit: Visit, form: Form, utility: str, kind: RequestKind) -> bool:
    """Whether the key Enter looks the applicant up: before it registers it shows whose it is."""
    number = ascii_digits(form.raw(NUMBER).strip())
    is_new = number not in {"", form.raw("looked")}
    return form.raw("do") == "enter" and is_new and may_look(visit, utility, kind)


def _once(visit: Visit) -> str:
    """An id for the request that a form will register, which nobody else can have given."""
    made = str(visit.means.ids.one())
    return f"{made}.{_signed(visit, made)}"


def _id_of(visit: Visit, once: str) -> int | None:
    made, _, signed = once.partition(".")
    if made.isascii() and compare_digest(signed.encode(), _signed(visit, made).encode()):
        return int(made)
    return None


def _signed(visit: Visit, made: str) -> str:
    return visit.means.keys.sign("new request", f"{visit.user.id} {made}")


def _fields(form: Form, kind: RequestKind) -> dict[str, str]:
    """What was filled into the kind's own fields; what is wrong stands beside each."""
    values = {}
    for field in kind.fields:
        name = f"{FIELD}{field.name}"
        said = form.text(name, required=field.required)
        if not said:
            continue
        try:
            values[field.name] = checked(field, said)
        except FieldError as error:
            form.wrong(name, f"requests.wrong.{error.key}")
    return values


def _number(form: Form, kind: RequestKind) -> str:
    if kind.about is About.NONE:
        return ""
    required = kind.about is About.SUBSCRIPTION
    return ascii_digits(form.text("number", most=40, required=required))


def _words(form: Form, kind: RequestKind) -> str:
    if kind.words is Words.NONE:
        return ""
    return form.text("text", required=kind.words is Words.NEEDED)


def _as_typed(kind: FieldType, value: str) -> str:
    """What is stored in a field as people write it."""
    if kind is FieldType.MOBILE and value.startswith("98"):
        return f"0{value[2:]}"
    if kind is FieldType.DATE and value:
        return jalali(date.fromisoformat(value))
    return value


def _form_page(  # noqa: PLR0913 - what a form is about
    visit: Visit,
    form: Form,
    utility: str,
    kind: RequestKind,
    code: int = 200,
    *,
    opened: Opened | None = None,
    looked: Looked | None = None,
) -> bytes:
    return visit.page(
        "request_form.html",
        code=code,
        form=form,
        kind=kind,
        opened=opened,
        looked=looked or Looked(),
        may_look=may_look(visit, utility, kind),
        utility=utility,
        title=visit.means.utilities[utility],
    )
