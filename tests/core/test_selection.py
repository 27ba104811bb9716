"""The selection language: text and tree, answers against a naive evaluation, and what its errors say."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.errors import SelectionError
from batuta.core.graph import Graph
from batuta.core.selection import (
    ANY_DEPTH,
    ATTRIBUTES,
    STATES,
    Complement,
    Expression,
    InState,
    Intersection,
    Match,
    Pattern,
    Reach,
    Union,
    parse,
    render,
)
from batuta.core.selector import Selector


class Facts(msgspec.Struct, frozen=True):
    tags: dict[str, str] = {}
    layer: str | None = None
    group: str = ""
    kinds: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    location: str = ""
    path: str = ""


class Project:
    """A selectable over given upstreams and attributes; `hidden` are nodes that cannot be selected."""

    def __init__(
        self, upstream: Mapping[str, Sequence[str]], facts: Mapping[str, Facts] | None = None, hidden: str = ""
    ) -> None:
        self.graph = Graph.build(upstream)
        self.keys = [key for key in upstream if key != hidden]
        self.facts = facts or {}

    def attributes(self, key: str) -> Facts:
        return self.facts.get(key) or Facts()


FINTECH = Project(
    {
        "bronze.payments": [],
        "bronze.rates": [],
        "silver.payments": ["bronze.payments", "bronze.rates"],
        "silver.quarantine": ["bronze.payments"],
        "gold.revenue": ["silver.payments"],
        "gold.exposure": ["silver.payments", "bronze.rates"],
        "report": ["gold.revenue"],
    },
    {
        "bronze.payments": Facts(
            tags={"pii": "", "tier": "1"}, layer="bronze", kinds=("parquet",), path="assets/bronze.py", location="main"
        ),
        "bronze.rates": Facts(tags={"tier": "2"}, layer="bronze", kinds=("parquet",), path="assets/bronze.py"),
        "silver.payments": Facts(tags={"pii": ""}, layer="silver", group="core", path="assets/silver.py"),
        "silver.quarantine": Facts(layer="silver", group="core", path="assets/silver.py"),
        "gold.revenue": Facts(layer="gold", kinds=("dbt", "table"), owners=("anna@x.com",), jobs=("nightly",)),
        "gold.exposure": Facts(layer="gold", kinds=("dbt",), owners=("team:risk", "anna@x.com")),
    },
)
NOW = {"stale": ["gold.revenue", "silver.payments", "gone"], "failed": []}


def select(text: str, project: Project = FINTECH, empty_ok: bool = False) -> str:
    return " ".join(Selector(project).select(text, states=NOW, empty_ok=empty_ok))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gold.revenue", "gold.revenue"),
        ("gold.*", "gold.revenue gold.exposure"),
        ("*payments*", "bronze.payments silver.payments"),
        ("*.*a*t*s", "bronze.payments bronze.rates silver.payments"),
        ("+gold.revenue", "bronze.payments bronze.rates silver.payments gold.revenue"),
        ("1+gold.revenue", "silver.payments gold.revenue"),
        ("2+report", "silver.payments gold.revenue report"),
        ("bronze.rates+1", "bronze.rates silver.payments gold.exposure"),
        ("gold.revenue+", "gold.revenue report"),
        (
            "+silver.payments+",
            "bronze.payments bronze.rates silver.payments gold.revenue gold.exposure report",
        ),
        ("1+gold.revenue+1", "silver.payments gold.revenue report"),
        ("0+gold.revenue+0", "gold.revenue"),
        ("+(gold.revenue or gold.exposure)", "bronze.payments bronze.rates silver.payments gold.revenue gold.exposure"),
        ("tag:pii", "bronze.payments silver.payments"),
        ("tag:tier", "bronze.payments bronze.rates"),
        ("tag:tier=1", "bronze.payments"),
        ("tag:tier=*", "bronze.payments bronze.rates"),
        ("tag:ti*", "bronze.payments bronze.rates"),
        ('tag:""', "silver.quarantine gold.revenue gold.exposure report"),
        ("layer:silver", "silver.payments silver.quarantine"),
        ('layer:""', "report"),
        ("layer:*", "bronze.payments bronze.rates silver.payments silver.quarantine gold.revenue gold.exposure"),
        ("group:core", "silver.payments silver.quarantine"),
        ("kind:dbt", "gold.revenue gold.exposure"),
        ("owner:anna@x.com", "gold.revenue gold.exposure"),
        ("owner:team:risk", "gold.exposure"),
        ("job:nightly", "gold.revenue"),
        ("location:main", "bronze.payments"),
        ("key:gold.*", "gold.revenue gold.exposure"),
        ("path:assets/silver.py", "silver.payments silver.quarantine"),
        ("path:./assets/silver.py", "silver.payments silver.quarantine"),
        ("path:silver.py", "silver.payments silver.quarantine"),
        ("path:assets/", "bronze.payments bronze.rates silver.payments silver.quarantine"),
        ("path:*/br*.py", "bronze.payments bronze.rates"),
        ("stale", "silver.payments gold.revenue"),
        ("state:stale", "silver.payments gold.revenue"),
        ("stale+", "silver.payments gold.revenue gold.exposure report"),
        ("failed", ""),
        ("failed and layer:gold", ""),
        ("stale,layer:gold", "gold.revenue"),
        ("report bronze.rates", "bronze.rates report"),
        ("report | bronze.rates", "bronze.rates report"),
        ("report,+gold.revenue bronze.rates", None),
        ("gold.* and kind:table report", "gold.revenue report"),
        ("layer:gold and not kind:table", "gold.exposure"),
        ("NOT (layer:gold OR layer:silver)", "bronze.payments bronze.rates report"),
        ("not not report", "report"),
        ("* and not layer:bronze and not layer:silver", "gold.revenue gold.exposure report"),
        ("* & not (gold.* silver.*) | gold.exposure", "bronze.payments bronze.rates gold.exposure report"),
        (
            "(not layer:gold) gold.exposure",
            "bronze.payments bronze.rates silver.payments silver.quarantine gold.exposure report",
        ),
        ('"gold.revenue"', "gold.revenue"),
        ("'gold'.*", "gold.revenue gold.exposure"),
        ("  report  ", "report"),
    ],
)
def test_answers(text: str, expected: str | None) -> None:
    if expected is None:  # comma binds tighter than space: (report and +gold.revenue) or bronze.rates
        assert select(text) == "bronze.rates"
    else:
        assert select(text) == expected


def test_answers_come_in_the_order_of_the_selectable() -> None:
    project = Project({"c": ["b"], "b": ["a"], "a": []})
    assert Selector(project).select("*") == ("c", "b", "a")
    assert Selector(project).select("a+") == ("c", "b", "a")


def test_nodes_that_cannot_be_selected_are_walked_through_only() -> None:
    project = Project({"a": [], "b": ["a"], "c": ["b"]}, hidden="b")
    assert select("+c", project) == "a c"
    assert select("2+c", project) == "a c"
    assert select("1+(1+c)", project) == "c"
    assert select("not a", project) == "c"
    with pytest.raises(SelectionError, match="there is no asset 'b'"):
        select("b", project)


def test_states_may_be_a_callback_and_are_asked_for_only_when_named() -> None:
    asked: list[str] = []

    def states(state: str) -> list[str]:
        asked.append(state)
        return ["report"]

    selector = Selector(FINTECH)
    assert selector.select("gold.revenue", states=states) == ("gold.revenue",)
    assert asked == []
    assert selector.select("changed", states=states) == ("report",)
    assert asked == ["changed"]


def test_a_state_nobody_knows_is_an_error() -> None:
    with pytest.raises(SelectionError, match="which assets are stale is not known here"):
        Selector(FINTECH).select("stale")
    with pytest.raises(SelectionError, match="which steps are missing is not known here"):
        Selector(FINTECH, noun="step").select("missing", states={"stale": []})


def test_words_of_the_language_are_keys_when_quoted() -> None:
    project = Project({"stale": [], "and": [], "a b": [], "tag:x": [], "1": ["stale"], 'it\'s "so"': []})
    for key in project.keys:
        assert Selector(project).select(render(Match("key", Pattern((key,))))) == (key,)
    assert select('1+"1"', project) == "stale 1"


# -- text and tree

TEXTS = st.text(st.sampled_from("abz.019+-_*,|&()'\" :=@/\tä"), max_size=8)
WORDS = st.sampled_from(["and", "or", "not", "stale", "tag:x", "12", "NOT", "state:x", "a"])
PATTERNS = st.builds(
    lambda first, inner, last: Pattern((first, *inner, *last)),
    TEXTS | WORDS,
    st.lists(TEXTS.filter(bool), max_size=2),
    st.lists(TEXTS | WORDS, max_size=1),
)
DEPTHS = st.sampled_from((ANY_DEPTH, 0, 1, 23))
ATOMS: st.SearchStrategy[Expression] = st.builds(Match, st.sampled_from(ATTRIBUTES), PATTERNS) | st.builds(
    InState, st.sampled_from(STATES)
)


def bigger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return (
        st.builds(Reach, inner, DEPTHS, DEPTHS).filter(lambda reach: reach.up != 0 or reach.down != 0)
        | st.builds(Complement, inner)
        | st.builds(Intersection, parts)
        | st.builds(Union, parts)
    )


TREES = st.recursive(ATOMS, bigger, max_leaves=8)


@given(TREES)
def test_the_text_of_a_tree_parses_to_the_tree(tree: Expression) -> None:
    text = render(tree)
    selection = parse(text)
    assert selection.root == tree
    assert str(selection) == text


def test_stars_in_a_row_are_one() -> None:
    assert parse("**a***b").root == Match("key", Pattern(("", "a", "b")))


@given(TREES)
def test_trees_survive_json(tree: Expression) -> None:
    assert msgspec.json.decode(msgspec.json.encode(tree), type=Expression) == tree


@given(st.text(st.sampled_from("ab1+*(),|&' \"not:and\n"), max_size=14) | st.text(max_size=10))
def test_any_text_parses_or_is_refused_with_a_column_inside_it(text: str) -> None:
    try:
        selection = parse(text)
    except SelectionError as caught:
        refused = caught
    else:
        assert parse(str(selection)).root == selection.root
        assert all(0 <= begin < end <= len(text) for begin, end in selection.spans)
        return
    assert refused.hint
    column = re.search(r"\(column (\d+)\)", refused.what)
    assert 1 <= int(column[1]) <= len(text) + 1 if column else not text.strip()


# -- answers against a naive evaluation


@st.composite
def projects(draw: st.DrawFn) -> Project:
    names = [f"{a}.{b}" for a in "ab" for b in "xyz"][: draw(st.integers(1, 6))]
    upstream = {
        name: draw(st.lists(st.sampled_from(names[:i]), unique=True, max_size=2)) if i else []
        for i, name in enumerate(names)
    }
    few = st.lists(st.sampled_from(["u", "v", "uv"]), unique=True, max_size=2).map(tuple)
    facts = st.builds(
        Facts,
        tags=st.dictionaries(st.sampled_from(["u", "v"]), st.sampled_from(["", "1", "2"])),
        layer=st.sampled_from([None, "u", "v"]),
        group=st.sampled_from(["", "u", "vu"]),
        kinds=few,
        owners=few,
    )
    return Project(upstream, {name: draw(facts) for name in names})


QUERIES = st.recursive(
    st.sampled_from(["stale", "failed", "a.*", "*x", "*", "a.x", "b.y", "*.*y"])
    | st.builds(
        "{}:{}".format,
        st.sampled_from(["tag", "layer", "group", "kind", "owner"]),
        st.sampled_from(["u", "v", "u*", "*", '""']),
    )
    | st.sampled_from(["tag:u=1", "tag:*=2", "tag:u="]),
    lambda inner: (
        st.builds("({}){}".format, inner, st.sampled_from(["", "+", "+1"]))
        | st.builds("{}({})".format, st.sampled_from(["+", "1+", "not "]), inner)
        | st.builds("({}){}({})".format, inner, st.sampled_from([" ", " or ", " | ", ",", " and "]), inner)
    ),
    max_leaves=5,
)


def naive(tree: Expression, project: Project, states: Mapping[str, list[str]]) -> set[str]:
    """The same answer by trying every key, one step of the graph at a time."""
    match tree:
        case InState(state):
            return set(states[state])
        case Match(attribute, pattern):
            return {key for key in project.keys if fits(key, project.attributes(key), attribute, pattern)}
        case Reach(of, up, down):
            start = naive(of, project, states)
            edges = list(project.graph.edges())
            return walk(start, [(b, a) for a, b in edges], up) | walk(start, edges, down)
        case Complement(of):
            return set(project.keys) - naive(of, project, states)
        case Intersection(parts):
            return set.intersection(*[naive(part, project, states) for part in parts])
        case Union(parts):
            return set.union(*[naive(part, project, states) for part in parts])


def fits(key: str, facts: Facts, attribute: str, pattern: Pattern) -> bool:
    text = "*".join(pattern.parts)
    named: dict[str, list[str]] = {
        "key": [key],
        "tag": [f"{k}={v}" for k, v in facts.tags.items()] if "=" in text else list(facts.tags),
        "layer": [facts.layer] if facts.layer else [],
        "group": [facts.group] if facts.group else [],
        "kind": list(facts.kinds),
        "owner": list(facts.owners),
    }
    values = named[attribute]
    return any(fnmatch.fnmatchcase(value, text) for value in values) if text else not values


def walk(start: set[str], edges: list[tuple[str, str]], depth: int) -> set[str]:
    reached = set(start)
    for _ in range(len(edges) if depth == ANY_DEPTH else depth):
        reached |= {b for a, b in edges if a in reached}
    return reached


@given(projects(), QUERIES, st.data())
def test_answers_equal_a_naive_evaluation(project: Project, query: str, data: st.DataObject) -> None:
    states = {state: data.draw(st.lists(st.sampled_from(project.keys))) for state in ("stale", "failed")}
    expected = naive(parse(query).root, project, states)
    selector = Selector(project)
    answer = selector.select(query, states=states, empty_ok=True)
    assert list(answer) == [key for key in project.keys if key in expected]
    try:
        assert selector.select(query, states=states) == answer
    except SelectionError:
        # refused only because it, or one of its atoms, matches nothing
        atoms = re.findall(r"""[a-z]+:[^\s(),|]+|[ab*][^\s(),|]*""", query)
        empty = [a for a in atoms if a not in ("and", "or", "not") and not selector.select(a, empty_ok=True)]
        assert not answer or empty


# -- errors


def message(text: str, project: Project = FINTECH) -> str:
    with pytest.raises(SelectionError) as caught:
        select(text, project)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "column", "says", "hint"),
    [
        ("(a", 1, "never closed", "close it"),
        ("a b)", 4, "never opened", "take it away"),
        ("a,", 3, "something is missing here", "tag:finance"),
        ("a and", 6, "something is missing here", "a key"),
        ("| b", 1, "something is missing before `|`", "quotes"),
        ("a or or b", 6, "`or` cannot stand here", '"or"'),
        ("+not a", 2, "`not` cannot stand here", "+(not x)"),
        ("a + b", 3, "this + belongs to nothing", "+x or x+"),
        ("a+b", 3, "a + can only stand before or after", "quotes"),
        ("a(b)", 2, "an operator is missing", "and"),
        ('"a"+"b"', 5, "a + can only stand before or after", "quotes"),
        ("a+3b", 4, "a + can only stand before or after", "quotes"),
        ("(a)b", 4, "an operator is missing", "x or y"),
        ("a 'b c", 3, "this quote is never closed", "close it with '"),
        ("a tga:x", 3, "no attribute 'tga'", "did you mean 'tag'"),
        ("colour:x", 1, "no attribute 'colour'", "attributes are key, tag"),
        ("a state:sick", 9, "'sick' is not a state", "stale, changed"),
        ("1234567+a", 1, "depth is too large", "any depth"),
        ("a not b", 3, "two ways", "and not"),
        ("not a b", 7, "two ways", "and not"),
        ("a or not b c", 12, "two ways", "and not"),
        ("(" * 60, 51, "nested deeper than 50", "parentheses"),
        ("not " * 20_000 + "a", 201, "nested deeper than 50", "parentheses"),
    ],
)
def test_what_does_not_parse_is_pointed_at(text: str, column: int, says: str, hint: str) -> None:
    with pytest.raises(SelectionError) as caught:
        parse(text)
    what, line, carets = caught.value.what.split("\n")
    assert says in what
    assert f"(column {column})" in what
    assert hint in (caught.value.hint or "")
    assert len(line) < 160
    shown = line[carets.index("^") :]
    assert shown.startswith(text[column - 1 : column].strip())


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_selection_is_refused(text: str) -> None:
    assert message(text) == "the selection is empty\n  hint: `*` selects everything"


def test_an_unknown_key_gets_carets_and_nearest_names() -> None:
    assert message("layer:gold or gold.revenu") == (
        "there is no asset 'gold.revenu' (column 15)\n"
        "    layer:gold or gold.revenu\n"
        "                  ^^^^^^^^^^^\n"
        "  hint: did you mean 'gold.revenue'?"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("platinum.*", "no key fits 'platinum.*'"),
        ("tag:pi", "no asset has the tag 'pi' (column 1)"),
        ("tag:pi", "did you mean 'pii'"),
        ("tag:tier=3", "did you mean 'tier=2' or 'tier=1'"),
        ("layer:zinc", "there is bronze, gold, silver"),
        ('key:"" or report', "there is no asset ''"),
        ('group:"" and location:x', "no asset has the location 'x'"),
        ("pay", "`*pay*` fits 2 of the keys"),
        ("report and not layer:zinc", "no asset has the layer 'zinc'"),
        ("a.1 b.1 gold.revenue tag:zz", "nor is there anything for b.1, tag:zz"),
        ("report and layer:gold", "no asset is left by 'report and layer:gold', though each part matches"),
        ("not *", "no asset is left"),
        ("layer:gold,report", "a comma and `and` keep what both sides match"),
    ],
)
def test_what_matches_nothing_is_named(text: str, says: str) -> None:
    assert says in message(text)
    assert select(text, empty_ok=True) in ("", "gold.revenue", "report")


def test_nothing_is_without_what_all_have() -> None:
    project = Project({"a": []}, {"a": Facts(layer="gold")})
    assert "no asset is without layer" in message('layer:""', project)
    assert "no asset has a job" in message("job:x", project)


def test_an_empty_project_says_so() -> None:
    assert message("*", Project({})) == "there are no assets to select from\n  hint: define one first"
    assert select("stale", Project({})) == ""


def test_patterns_do_not_backtrack() -> None:
    key = "a" * 2_000
    project = Project({key: []})
    assert select("*a" * 30 + "*", project) == key
    assert "no key fits" in message("*a" * 30 + "*b*c", project)
