"""What several people text at the same moment, and what one of them texts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.tables import bill_recipients
from tests.talking import STRANGER, Talk

OTHER = "989139999999"


@pytest.mark.parametrize("ends", [False, True])
def test_what_one_person_texts_at_once_is_done_in_that_order(
    *, talk: Callable[[str], Talk], ends: bool
) -> None:
    """Bills are wanted and no more wanted, or the other way round: the last word counts.

    Texts of one kind are worked on together, whoever sent them, but not these.
    """
    line = talk("kerman-water")
    begin = f"210*{line.number(3)}*{line.code(3)}"
    texts = [begin, "9"] if ends else ["9", begin]
    line.ask_together((STRANGER, texts[0]), (OTHER, "9"), (STRANGER, texts[1]), (OTHER, begin))
    wanted = {row.mobile for row in line.rows(bill_recipients)} & {STRANGER, OTHER}
    assert wanted == ({OTHER} if ends else {OTHER, STRANGER})
