"""A bill as it is handed out again: قبض المثنی, to be looked at and printed."""

from __future__ import annotations

from core.access.audit import Entry
from core.access.permissions import Permission
from core.bill_sheets import Sheet, find_sheet
from gateway.web.desk.bars import bars
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()


@routes.route("GET", "/bills/<int:bill_id>", Permission.BILL_SEE)
async def show(visit: Visit, bill_id: int) -> bytes:
    """A bill with what it is made of, how to pay it, and what became of it since."""
    sheet: Sheet | None = await visit.read("bill", find_sheet, bill_id)
    if sheet is None:
        raise NotFound
    visit.check(Permission.BILL_SEE, sheet.utility)
    entry = Entry("bill.see", f"bill:{sheet.id}", sheet.utility)
    whole = await visit.sees_personal(entry)
    title = visit.say("bills.bars")
    return visit.page(
        "bill.html",
        sheet=sheet,
        bars=bars(sheet.barcode, title) if whole and sheet.barcode else "",
        title=visit.means.utilities.get(sheet.utility, sheet.utility),
        whole=whole,
        now=visit.means.now_ms(),
    )
