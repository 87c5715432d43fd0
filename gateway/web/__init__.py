"""What the daemon serves over HTTP: for now the page that a payment link opens."""
