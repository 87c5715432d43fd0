"""Who may use the desk and the API: users, roles, sessions, and the audit log."""
