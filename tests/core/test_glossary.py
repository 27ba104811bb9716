"""The glossary: what a term is about, by tags and by names; and terms that there are not."""

from __future__ import annotations

from batuta.core.columns import Column
from batuta.core.definitions import AssetSpec, Place
from batuta.core.finding import best, text_of_asset
from batuta.core.glossary import Glossary, Term, TermUse

REVENUE = Term("What stays.", owner="finance", names=("gold.days.total", "turnover"))
GLOSSARY = Glossary({"Net revenue": REVENUE, "payment": "Money.", "turnover": "All of it."})


def test_a_term_is_about_what_is_tagged_with_it_or_called_like_it() -> None:
    columns = (Column("paid", tags=("term:Payment", "pii")), Column("NET-Revenue"), Column("total"))
    spec = AssetSpec("shop/days", tags={"term: net_revenue": "", "team": "web"}, columns=columns)
    payment = GLOSSARY.terms["payment"]
    assert GLOSSARY.uses(spec, ["paid", "net_revenue", "other"]) == [
        TermUse("Net revenue", REVENUE, True, ("NET-Revenue", "net_revenue")),
        TermUse("payment", payment, False, ("paid",)),
    ]
    assert GLOSSARY.uses(AssetSpec("gold.days"), ["total"]) == [TermUse("Net revenue", REVENUE, False, ("total",))]
    assert GLOSSARY.uses(AssetSpec("raw/payment")) == [TermUse("payment", payment, True, ())]
    assert [use.name for use in GLOSSARY.uses(AssetSpec("turnover"))] == ["turnover"]  # a term goes before names
    assert Glossary({}).uses(spec) == []


def test_terms_that_there_are_not_are_told_of_once_with_the_nearest() -> None:
    place = Place("lake.py", 3)
    tagged = AssetSpec("a", tags={"term:paymnt": "", "pii": ""}, place=place)
    again = AssetSpec("a__quarantine", tags=tagged.tags, place=place)
    column = AssetSpec("b", columns=(Column("x", tags=("term:zzz",)),))
    near, far = GLOSSARY.problems([tagged, again, column])
    assert near.message == "a has the tag 'term:paymnt', but there is no such term"
    assert (near.place, near.hint) == (place, "did you mean 'payment'?")
    assert far.message.startswith("b.x has the tag 'term:zzz'")
    assert far.hint.startswith("the glossary has Net revenue, payment, turnover;")
    (none,) = Glossary({}).problems([tagged])
    assert none.hint.startswith("there is no glossary;")


def test_names_come_before_texts() -> None:
    specs = [
        AssetSpec("gold.totals", description="all revenue", owners=("ann",)),
        AssetSpec("silver.revenue", tags={"tier": "1"}, columns=(Column("fee", description="What we take"),)),
        AssetSpec("revenue"),
        AssetSpec("revenue_by_day"),
    ]
    entries = [(spec.key, spec.key, text_of_asset(spec, ["made"], ["Net"])) for spec in specs]
    assert best(entries, "Revenue", 10) == ["revenue", "revenue_by_day", "silver.revenue", "gold.totals"]
    assert best(entries, "revenue tier=1", 10) == best(entries, "take made net fee", 10) == ["silver.revenue"]
    assert best(entries, "revenue", 1) == ["revenue"]
    assert best(entries, "ann", 10) == ["gold.totals"]
    assert best(entries, "  ", 10) == best(entries, "revenue nobody", 10) == []
