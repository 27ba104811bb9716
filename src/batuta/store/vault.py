"""Variables, connections and secrets in the store. Secrets and connections are encrypted with the project's keys.

Two surprises. A key is read again for each write, inside the write's transaction, so that a rotation in another process
leaves nothing behind that only the old key can read. And results that hold secrets are encrypted with a key of their
own, which the store keeps encrypted: a rotation needs to look at no result.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from batuta.core.errors import BatutaError, RequestError
from batuta.store import audit
from batuta.store.database import Database, Row, Transaction
from batuta.store.encryption import KEY_VARIABLE, KeyRing, KeySource, new_key
from batuta.store.errors import KeyUnusable, StoreError, WrongKey
from batuta.store.rows import Audit, ConnectionRow, VariableRow

SEALING_KEY = "sealing_key"


class Vault:
    """See the module. Made by `Store.vault`; safe to use from many threads."""

    def __init__(self, database: Database[Any], keys: KeySource) -> None:
        self._database = database
        self.keys = keys

    # ---- reading ----

    def get(self, kind: str, name: str) -> str | None:
        """The text of a `variable`, `connection` or `secret`; None where there is none. Raises WrongKey, KeyUnusable.

        As a backend of look-ups: a variable is JSON, a connection a JSON object of its fields.
        """
        if kind == "connection":
            rows = self._database.rows("all_connections", name=name)
            return self._decrypted(rows[0][2], f"the connection {name!r}") if rows else None
        rows = self._database.rows("all_variables", name=name)
        if not rows or bool(rows[0][2]) != (kind == "secret"):
            return None
        return self._decrypted(rows[0][1], f"the secret {name!r}") if kind == "secret" else str(rows[0][1])

    def names(self, kind: str) -> list[str]:
        """All names of a kind."""
        if kind == "connection":
            return [row.name for row in self.connections()]
        return [row.name for row in self.variables(secret=kind == "secret")]

    def variables(self, *, secret: bool) -> list[VariableRow]:
        """Variables, or secrets without what they are."""
        rows = map(_variable_row, self._database.rows("all_variables", name=None))
        return [row for row in rows if row.secret == secret]

    def connections(self) -> list[ConnectionRow]:
        """Connections without what is encrypted of them."""
        return [ConnectionRow(name, kind, *rest) for name, kind, _, *rest in self._all_connections()]

    def unreadable(self) -> list[BatutaError]:
        """Why what is encrypted cannot be read, for each that cannot: all of it where there is no key."""
        found: list[BatutaError] = []
        for kind in ("secret", "connection"):
            for name in self.names(kind):
                try:
                    self.get(kind, name)
                except StoreError as error:
                    found.append(error)
        return found

    def _all_connections(self) -> list[Row]:
        return self._database.rows("all_connections", name=None)

    def _decrypted(self, text: str, what: str) -> str:
        try:
            return self.keys.ring().decrypt(text, what).decode()
        except WrongKey:
            # The key may have been rotated between the two reads, or what the command prints may have changed.
            return self.keys.ring(fresh=True).decrypt(text, what).decode()

    # ---- writing ----

    def put_variable(self, name: str, value: str, *, by: str, now: float, description: str = "") -> bool:
        """Set a variable to a text of JSON. Returns whether it is new. Raises RequestError over a secret."""
        return self._put_variable(name, lambda _: value, False, description, by, now)

    def put_secret(self, name: str, value: str, *, by: str, now: float, description: str = "") -> bool:
        """Set a secret. Returns whether it is new. Raises RequestError over a variable, KeyUnusable."""
        return self._put_variable(
            name, lambda t: self._ring_to_write(t).encrypt(value.encode()), True, description, by, now
        )

    def _put_variable(
        self, name: str, text: Callable[[Transaction], str], secret: bool, description: str, by: str, now: float
    ) -> bool:
        kind = "secret" if secret else "variable"
        with self._writing() as transaction:
            known = transaction.rows("all_variables", name=name)
            if known and bool(known[0][2]) != secret:
                other = "variable" if secret else "secret"
                hint = f"delete it first (`batuta {other}s delete {name}`), or take another name"
                raise RequestError(f"{name!r} is a {other} already", hint=hint)
            row = (name, text(transaction), secret, description or (known[0][3] if known else ""), now, by)
            transaction.put([("put_variables", [row])])
            audit.append(transaction, [Audit(by, "set", kind, name, {"new": not known})], now)
        return not known

    def put_connection(
        self, name: str, kind: str, fields: str, *, by: str, now: float, description: str = "", shown: str = ""
    ) -> bool:
        """Set a connection to a JSON object of its fields; `shown` is what the audit log says of it.

        Returns whether it is new. Raises KeyUnusable.
        """
        with self._writing() as transaction:
            known = transaction.rows("all_connections", name=name)
            text = self._ring_to_write(transaction).encrypt(fields.encode())
            row = (name, kind, text, description or (known[0][3] if known else ""), now, by)
            transaction.put([("put_connections", [row])])
            details = {"new": not known, "kind": kind, **({"url": shown} if shown else {})}
            audit.append(transaction, [Audit(by, "set", "connection", name, details)], now)
        return not known

    def delete(self, kind: str, name: str, *, by: str, now: float) -> bool:
        """Delete a variable, connection or secret; False where there is none."""
        with self._writing() as transaction:
            if kind == "connection":
                count = transaction.run("delete_connection", name=name)
            else:
                known = transaction.rows("all_variables", name=name)
                is_it = bool(known) and bool(known[0][2]) == (kind == "secret")
                count = transaction.run("delete_variable", name=name) if is_it else 0
            if count:
                audit.append(transaction, [Audit(by, "delete", kind, name)], now)
        return count > 0

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Transaction]:
        with self._database.transaction() as transaction:
            transaction.lock("settings")
            yield transaction

    def _ring_to_write(self, transaction: Transaction) -> KeyRing:
        """The keys as they are at this moment. A key file is made, unless one must have been there before."""
        if not self.keys.exists and any(True for _ in _encrypted(transaction)):
            raise KeyUnusable(
                "the key file is gone, and what is encrypted in the store needs it",
                where=self.keys.file,
                hint=f"put it back, or give the key by {KEY_VARIABLE}; without it, delete what is encrypted",
            )
        return self.keys.ring(make=True)

    # ---- results that hold secrets ----

    def sealing_ring(self) -> KeyRing:
        """The keys that results with secrets are encrypted with; made on first use. Raises WrongKey, KeyUnusable."""
        where = self._database.location
        known = self._database.rows("get_meta", key=SEALING_KEY)
        if not known:
            with self._writing() as transaction:
                ring = self._ring_to_write(transaction)
                transaction.run("keep_meta", key=SEALING_KEY, value=ring.encrypt(new_key().encode()))
                known = transaction.rows("get_meta", key=SEALING_KEY)
        return KeyRing([self._decrypted(known[0][0], "the key of recorded results")], where)

    # ---- rotation ----

    def rotate(self, *, by: str) -> tuple[int, str]:
        """Encrypt everything anew. Returns how many texts, and the fingerprint of the key that reads them now.

        Where the key is in a file, a new one is made, and the old one reads until all is done; else the first of the
        given keys is the new one. Raises RequestError where there is only one, WrongKey where one of them is missing.
        """
        if self.keys.is_file:
            old = self.keys.ring(make=True)
            self.keys.write([new_key(), *old.keys])
        ring = self.keys.ring(fresh=True)
        if len(ring.keys) == 1:
            hint = "put a new key before it, separated by a comma: `batuta secrets new-key` prints one"
            raise RequestError(
                "there is only one key, so there is nothing to change to", where=self.keys.where, hint=hint
            )
        with self._writing() as transaction:
            count = _encrypt_anew(transaction, ring)
            entry = Audit(by, "rotate", "secrets", "", {"key": ring.fingerprints[0], "texts": count})
            audit.append(transaction, [entry], time.time())
        if self.keys.is_file:
            self.keys.write(ring.keys[:1])
        return count, ring.fingerprints[0]


def _encrypted(transaction: Transaction) -> Iterator[tuple[str, Row, int]]:
    """Everything that is encrypted with the keys: its statement, its row, and where in the row it stands."""
    for row in transaction.rows("all_variables", name=None):
        if row[2]:
            yield "put_variables", row, 1
    for row in transaction.rows("all_connections", name=None):
        yield "put_connections", row, 2
    for (value,) in transaction.rows("get_meta", key=SEALING_KEY):
        yield "put_meta", (SEALING_KEY, value), 1


def _encrypt_anew(transaction: Transaction, ring: KeyRing) -> int:
    count = 0
    what = {
        "put_variables": "the secret {!r}",
        "put_connections": "the connection {!r}",
        "put_meta": "the key of results",
    }
    for statement, row, place in list(_encrypted(transaction)):
        text = ring.encrypt(ring.decrypt(row[place], what[statement].format(row[0])))
        if statement == "put_meta":
            transaction.run("put_meta", key=row[0], value=text)
        else:
            transaction.put([(statement, [(*row[:place], text, *row[place + 1 :])])])
        count += 1
    return count


def _variable_row(row: Row) -> VariableRow:
    name, value, secret, description, changed_at, changed_by = row
    return VariableRow(name, "" if secret else value, bool(secret), description, changed_at, changed_by)
