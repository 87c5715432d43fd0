"""USSD: menus as data, the session machine, pages that fit a handset, doors over HTTP."""
