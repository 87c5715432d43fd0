"""The daemon's production of campaigns: goes on with every run that is open.

Pieces are read and worded on the readers' threads and queued on the one that writes, one
after the other: whatever batch has come up meanwhile goes between two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from typing import Any, NamedTuple, Protocol

import structlog
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.failure import Failure

from core.database import Database, DatabaseUnavailable
from core.making import Maker
from core.reporting.reading import asked
from core.reporting.sources import Sources
from core.reporting.types import ParameterError, SourceError
from core.runs.producing import (
    FIRST_ROWS,
    Piece,
    Put,
    Work,
    fail,
    is_free,
    is_paused,
    next_rows,
    open_runs,
    put_piece,
    read_piece,
    take_runs,
)
from core.runs.settling import finish_sent, sent_runs, settle_piece
from core.runs.states import CHORES, RunState
from core.runs.store import Run
from core.templates.types import Version

log = structlog.get_logger(__name__)
