"""Who may do what: actors, roles on scopes, API tokens, browser sessions."""
