"""Who appears in the tour: one person for each role, each with a token of their own, and nobody with two roles."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

from registry.access.actor import Role
from registry.client import Client
from registry.demo.directory import DemoDirectory
from registry.demo.narration import Narrator
from registry.demo.server import DemoServer


@dataclass(frozen=True)
class Player:
    """One person of the tour: known by the role that they have."""

    name: str
    id: UUID
    client: Client


@dataclass(frozen=True)
class Cast:
    """All persons of the tour, by role."""

    players: Mapping[Role, Player]

    def __getitem__(self, role: Role) -> Player:
        return self.players[role]

    def names(self) -> Mapping[UUID, str]:
        """The persons' names by id, for what people read."""
        return {player.id: player.name for player in self.players.values()}


def command_name(role: Role) -> str:
    """The role as the command line takes it."""
    return role.value.replace(" ", "-")


def gather_cast(tell: Narrator, directory: DemoDirectory, server: DemoServer, closing: ExitStack) -> Cast:
    """Exchange the one-time token, make the persons known, grant the roles, give each a token."""
    with Client(server.url, server.one_time_token) as bootstrap:
        tell.command("administrator", "acta", "token", "create", "--save", "tokens/administrator")
        secret = _secret(bootstrap.create_token("tour").secret)
    _keep(directory, "administrator", secret)
    administrator = closing.enter_context(Client(server.url, secret))
    me = administrator.me().actor
    players = {Role.ADMINISTRATOR: Player("administrator", me.id, administrator)}
    for role in Role:
        if role is Role.ADMINISTRATOR:
            continue
        name = f"Tour {role.value}"
        added = administrator.create_actor(name)
        administrator.grant_role(added.id, role)
        secret = _secret(administrator.create_token("tour", actor_id=added.id).secret)
        _keep(directory, command_name(role), secret)
        players[role] = Player(name, added.id, closing.enter_context(Client(server.url, secret)))
        if role is Role.DEVELOPER:
            token_file = f"tokens/{command_name(role)}"
            tell.command("administrator", "acta", "actor", "add", name)
            tell.command("administrator", "acta", "role", "grant", name, command_name(role))
            tell.command("administrator", "acta", "token", "create", "--for", name, "--save", token_file)
    tell.say(f"… and likewise for {', '.join(role.value for role in Role if role not in _SHOWN)}.")
    return Cast(players)


_SHOWN = (Role.ADMINISTRATOR, Role.DEVELOPER)


def _secret(secret: str | None) -> str:
    assert secret is not None, "the server answers a first request with the secret"
    return secret


def _keep(directory: DemoDirectory, name: str, secret: str) -> None:
    path = directory.tokens / name
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(secret + "\n")
