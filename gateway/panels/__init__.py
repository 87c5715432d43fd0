"""SMS panels: companies that send and receive texts for others over HTTP."""
