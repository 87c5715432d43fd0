"""One module for each change to the tables, named by its place in the order."""
