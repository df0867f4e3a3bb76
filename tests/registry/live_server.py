"""A real server process with its worker, and a client for each role."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.access.actor import Role
from registry.client import Client
from registry.demo.directory import claimed
from registry.demo.server import running


@dataclass(frozen=True)
class LiveServer:
    """The server's address, the tokens of its people, and a folder below which artifacts may lie."""

    url: str
    tokens: Mapping[Role, str]
    artifacts: Path
    closing: ExitStack

    def client(self, role: Role) -> Client:
        """A client of whoever has that role."""
        return self.closing.enter_context(Client(self.url, self.tokens[role]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """`acta serve` on SQLite, with one person for each role."""
    path = tmp_path_factory.mktemp("server") / "own"
    with claimed(path) as directory, running(directory) as started, ExitStack() as closing:
        with Client(started.url, started.one_time_token) as bootstrap:
            secret = bootstrap.create_token("tests").secret
        assert secret is not None
        administrator = closing.enter_context(Client(started.url, secret))
        tokens = {Role.ADMINISTRATOR: secret}
        for role in Role:
            if role is not Role.ADMINISTRATOR:
                person = administrator.create_actor(f"The {role.value}")
                administrator.grant_role(person.id, role)
                token = administrator.create_token("tests", actor_id=person.id).secret
                assert token is not None
                tokens[role] = token
        yield LiveServer(started.url, tokens, directory.training, closing)
