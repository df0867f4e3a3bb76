"""What the audit log may hold: the closed vocabulary of actions, the fields of each, and their JSON Schemas."""

from registry.actions.fields import Field, Kind
from registry.actions.vocabulary import ACTIONS, Action, problems_of

__all__ = ["ACTIONS", "Action", "Field", "Kind", "problems_of"]
