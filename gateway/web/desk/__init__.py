"""The desk: what staff see and do in a browser. docs/desk.md says how a page is made."""
