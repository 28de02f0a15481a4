"""Who listens to what, so that a message finds its listeners without asking every session."""

from collections import Counter
from collections.abc import Collection, Mapping

from allmende.web.broker.session import Client, Session
from allmende.web.broker.topics import is_wild, matches


class Subscribers:
    """All subscriptions of a broker. Belongs to its event loop; ``version`` may be read from anywhere."""

    def __init__(self) -> None:
        self.exact: dict[str, set[Session]] = {}
        """By topic, of subscriptions without wildcards."""
        self.wild: dict[str, set[Session]] = {}
        self.questions: set[str] = set()
        """Topics that have to be asked of the store."""
        self._asked_by: dict[str, Counter[str]] = {}
        """The same by the owner of the sessions, each with how many of them listen."""
        self.version = 0
        """Changes whenever somebody begins or ends to listen."""

    def add(self, session: Session, filter_: str, qos: int, *, asked: bool = False) -> None:
        """Begin to listen, or listen with another QoS."""
        if filter_ not in session.subscriptions:
            self.version += 1
            if asked:
                self._asked_by.setdefault(session.client.owner, Counter())[filter_] += 1
        session.subscriptions[filter_] = qos
        (self.wild if is_wild(filter_) else self.exact).setdefault(filter_, set()).add(session)
        if asked:
            self.questions.add(filter_)

    def remove(self, session: Session, *filters: str) -> None:
        """End these subscriptions of a session, without any: all of them."""
        for filter_ in filters or tuple(session.subscriptions):
            if session.subscriptions.pop(filter_, None) is None:
                continue
            self.version += 1
            self._ask_less(session.client.owner, filter_)
            listening = self.wild if is_wild(filter_) else self.exact
            listening[filter_].discard(session)
            if not listening[filter_]:
                del listening[filter_]
                self.questions.discard(filter_)

    def _ask_less(self, owner: str, topic: str) -> None:
        asked = self._asked_by.get(owner, Counter())
        if asked[topic] > 1:
            asked[topic] -= 1
        else:
            del asked[topic]
            if not asked:
                self._asked_by.pop(owner, None)

    def questions_of(self, client: Client) -> Collection[str]:
        """The topics to be asked of the store for all sessions of an account, or of an address without one."""
        return self._asked_by.get(client.owner, {}).keys()

    def of(self, topic: str) -> dict[Session, int]:
        """The sessions that a topic's message goes to, with the best QoS of their subscriptions."""
        found = {session: session.subscriptions[topic] for session in self.exact.get(topic, ())}
        return self._wild(topic, found)

    def _wild(self, topic: str, found: dict[Session, int]) -> dict[Session, int]:
        for filter_, sessions in self.wild.items():
            if matches(filter_, topic):
                for session in sessions:
                    found[session] = max(found.get(session, 0), session.subscriptions[filter_])
        return found

    def told(self, topics: Mapping[str, frozenset[str]], everybody: str) -> list[tuple[Session, str, int]]:
        """Who gets a message about what was committed, under which topic and with which QoS: each of a session's own
        topics, or one with wildcards."""
        found = [
            (session, topic, session.subscriptions[topic])
            for topic, clients in topics.items()
            for session in self.exact.get(topic, ())
            if session.client.name in clients
        ]
        if everybody and self.wild:
            served = {session for session, _, _ in found}
            found += [
                (session, everybody, qos) for session, qos in self._wild(everybody, {}).items() if session not in served
            ]
        return found
