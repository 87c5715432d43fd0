"""The utility's own messages: what people write of a template, and the words it makes."""
