"""What is wrong with what somebody wrote of a template, and where."""

from __future__ import annotations


class BodyError(ValueError):
    """A mistake in a template's words."""

    def __init__(self, line: int, column: int, problem: str) -> None:
        self.line = line
        """Of the words themselves, counted from one; and so the column."""
        self.column = column
        self.problem = problem
        super().__init__(f"line {line}, column {column}: {problem}")
