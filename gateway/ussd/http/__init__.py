"""USSD gateways that speak HTTP: what each dialect writes, and the door they come to."""
