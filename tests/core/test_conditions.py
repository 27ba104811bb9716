"""Conditions as records: how they combine, what they say, what they survive."""

from __future__ import annotations

from typing import get_args

import pytest

from batuta.core import conditions as c
from batuta.core.condition_recipes import any_dep_missing, eager, on_cron
from batuta.core.definitions import AssetSpec, Definitions, content_hash, decode, encode
from batuta.core.errors import DefinitionError


def test_and_and_or_are_flat_unless_a_part_has_a_name() -> None:
    missing, stale, latest = c.Missing(), c.Stale(), c.Latest()
    assert missing & stale & latest == c.AllOf((missing, stale, latest))
    assert missing | (stale | latest) == c.AnyOf((missing, stale, latest))
    named = (missing & stale).named("bad")
    assert named & latest == c.AllOf((named, latest))
    assert (missing & stale) | latest == c.AnyOf((c.AllOf((missing, stale)), latest))


def test_a_condition_in_an_if_is_refused_with_what_to_write() -> None:
    with pytest.raises(DefinitionError, match="neither true nor false") as caught:
        assert not c.Missing()
    assert "& | ~ instead of and, or, not" in str(caught.value)


@pytest.mark.parametrize("other", ["missing", None, True])
def test_what_is_no_condition_cannot_be_combined(other: object) -> None:
    with pytest.raises(DefinitionError, match="is not a condition"):
        c.Missing() & other
    with pytest.raises(DefinitionError, match="is not a condition"):
        c.Missing().since(other)  # type: ignore[arg-type]


def test_conditions_survive_json_and_hash_alike() -> None:
    for one in (eager(), on_cron("0 6 * * *", "Europe/Madrid"), ~c.AnyDep(c.CheckFailed("good"), ignoring=("raw",))):
        assert c.decode(c.encode(one)) == one
        assert hash(c.decode(c.encode(one))) == hash(one)


def test_assets_without_automation_encode_as_before() -> None:
    plain = encode(Definitions(assets=(AssetSpec("table", "table"),)))
    assert b"automation" not in plain
    assert b"freshness" not in plain
    automated = Definitions(assets=(AssetSpec("table", "table", automation=eager()),))
    assert content_hash(encode(automated)) == content_hash(encode(decode(encode(automated))))
    assert decode(encode(automated)) == automated


def test_the_text_is_what_one_would_say() -> None:
    assert c.text((c.Missing() | c.Stale()) & ~c.InProgress()) == "((missing | stale) & ~in progress)"
    assert c.text(c.Missing().since(c.NewlyUpdated())) == "(missing since newly updated)"
    assert c.text(c.AnyDep(c.Missing(), assets=("raw",), ignoring=("old",))) == "any upstream of raw but old: missing"
    assert c.text(any_dep_missing()) == "any upstream missing"
    assert c.text(on_cron("@daily")) == "on cron @daily (UTC)"


def test_every_condition_has_words_and_is_in_the_union() -> None:
    known = set(get_args(c.AnyCondition))
    defined = {one for one in vars(c).values() if isinstance(one, type) and issubclass(one, c.Condition)}
    assert defined - {c.Condition} == known
    for one in c.walk(eager() & on_cron("@daily") & c.FreshnessOverdue() & c.Initial() & c.RunFailed()):
        assert one.words
