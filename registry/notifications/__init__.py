"""Tells people and machines what happened: webhooks and e-mail, sent by jobs."""
