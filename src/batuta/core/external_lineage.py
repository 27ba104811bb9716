"""Jobs and datasets elsewhere in our own lineage graph: which dataset is which asset, and what leads to what.

The rule by which a dataset becomes an asset, the first that fits: a rule of the configuration; our own namespace, in
which names are keys of assets; the file or table where an asset of ours stands. Each is tried with the dataset's own
name, then with those of its facet `symlinks`. What fits nothing stands for itself as NAMESPACE/NAME. Surprising: a name
alone joins nothing, for a table `orders` in two databases is two tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.column_facts import Told
from batuta.core.columns import Column, ColumnLineage, ColumnSource
from batuta.core.definitions import AssetSpec, Definitions
from batuta.core.external_jobs import Edge, ExternalDataset, ExternalJob, columns_in, lineage_in, values
from batuta.core.lineage import Lineage, LineageNode
from batuta.core.openlineage import key_of, symlinks_of, text_of

LOCATION = "openlineage"
"""In place of a code location, for what is told by events: whose role there is operator may send them."""


class Naming:
    """See the module. `rules`: namespace, name and asset of each; in the first two `*` is any text, and in an asset it
    is what that of the name was. `own`: the namespace of our own jobs and datasets. `places`: assets by namespace and
    name of where they stand.
    """

    def __init__(
        self,
        rules: Iterable[tuple[str, str, str]] = (),
        own: str = "",
        places: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self._rules = [(_pattern(namespace), _pattern(name), asset) for namespace, name, asset in rules]
        self._own = own
        self._places = places or {}

    def asset_of(self, namespace: str, name: str, symlinks: Sequence[tuple[str, str]] = ()) -> str:
        """The asset that a dataset is; NAMESPACE/NAME where it is none of ours."""
        for each in ((namespace, name), *symlinks):
            found = self._named(*each)
            if found:
                return found
        return joined_name(namespace, name)

    def _named(self, namespace: str, name: str) -> str:
        for of_namespace, of_name, asset in self._rules:
            found = of_name.fullmatch(name) if of_namespace.fullmatch(namespace) else None
            if found is not None:
                return _filled(asset, found.groups())
        if self._own and namespace == self._own:
            return name
        return self._places.get((namespace, name), "")


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("(.*)".join(re.escape(part) for part in text.split("*")), re.DOTALL)


def _filled(asset: str, parts: Sequence[str]) -> str:
    """An asset in which each `*` is the part in its place."""
    texts = asset.split("*")
    found = [*parts, *[""] * len(texts)]
    return texts[0] + "".join(part + text for part, text in zip(found, texts[1:], strict=False))


def joined_name(namespace: str, name: str) -> str:
    """A namespace and a name as one text."""
    return f"{namespace.rstrip('/')}/{name.lstrip('/')}"


class World(msgspec.Struct, frozen=True):
    """All that is known of what runs elsewhere; `edges` are those that count."""

    jobs: dict[str, ExternalJob] = {}
    datasets: dict[str, ExternalDataset] = {}
    edges: tuple[Edge, ...] = ()


class External:
    """A world as part of our graph. `before`: the same at an earlier time, of which all that is still so is kept."""

    def __init__(self, world: World, naming: Naming, before: External | None = None) -> None:
        self.world = world
        self.naming = naming
        known: Mapping[str, ExternalDataset] = {}
        assets: Mapping[str, str] = {}
        if before is not None and before.naming is naming:
            known, assets = before.world.datasets, before.assets
        self.assets: dict[str, str] = {
            key: assets[key]
            if known.get(key) is one
            else naming.asset_of(one.namespace, one.name, symlinks_of(values(one.facets)))
            for key, one in world.datasets.items()
        }
        """By the key of a dataset, the asset that it is, or its own name."""
        self._told_before: Mapping[str, Told] = {}
        if before is not None and self._names_as(assets):
            told = before.__dict__.get("_told", {})
            same = (key for key, one in known.items() if world.datasets[key] is one and key in told)
            self._told_before = {key: told[key] for key in same}

    def _names_as(self, assets: Mapping[str, str]) -> bool:
        """Whether what columns come from is called as it was, when datasets were these assets."""
        if any(self.assets.get(key) != asset for key, asset in assets.items()):
            return False
        new = (self.world.datasets[key] for key in self.assets.keys() - assets.keys())
        return all(self.assets[one.key] == self.naming.asset_of(one.namespace, one.name) for one in new)

    @cached_property
    def datasets_of(self) -> dict[str, list[str]]:
        """By asset, the keys of the datasets that it is."""
        found: dict[str, list[str]] = {}
        for key, asset in self.assets.items():
            found.setdefault(asset, []).append(key)
        return found

    @cached_property
    def node_of_job(self) -> dict[str, str]:
        """By the key of a job, its node in the graph: NAMESPACE/NAME and a colon."""
        return {key: f"{joined_name(one.namespace, one.name)}:" for key, one in self.world.jobs.items()}

    @cached_property
    def job_at(self) -> dict[str, str]:
        """By node, the key of the job."""
        return {node: key for key, node in self.node_of_job.items()}

    def with_lineage(self, lineage: Lineage) -> Lineage:
        """The graph with the jobs that touch datasets, and the datasets that are no asset of ours."""
        edges = []
        nodes: dict[str, LineageNode] = {}
        for job, direction, dataset in self.world.edges:
            asset = self.assets.get(dataset)
            if job not in self.world.jobs or asset is None:
                continue
            node = self.node_of_job[job]
            if node not in nodes:
                nodes[node] = self._job_node(job)
            if asset not in lineage.nodes and asset not in nodes:
                nodes[asset] = self._dataset_node(asset, dataset)
            edges.append((asset, node) if direction == "in" else (node, asset))
        if not edges:
            return lineage
        reads = {edge for edge in edges if edge[1] in self.job_at}
        kept = [edge for edge in edges if edge[1] in self.job_at or (edge[1], edge[0]) not in reads]
        return Lineage([*nodes.values(), *lineage.nodes.values()], [*lineage.edges, *kept])

    def _job_node(self, key: str) -> LineageNode:
        job = self.world.jobs[key]
        name = joined_name(job.namespace, job.name)
        said = text_of(values(job.facets), "documentation", "description")
        return LineageNode(f"{name}:", "job", job.name, group=job.namespace, job=name, external=True, description=said)

    def _dataset_node(self, asset: str, key: str) -> LineageNode:
        dataset = self.world.datasets[key]
        facets = values(dataset.facets)
        label = dataset.name if asset == joined_name(dataset.namespace, dataset.name) else asset
        said = text_of(facets, "documentation", "description")
        return LineageNode(asset, "dataset", label, group=dataset.namespace, external=True, description=said)

    # ---- columns ----

    @cached_property
    def told(self) -> dict[str, Told]:
        """By asset, what events say of its columns; what was said last where it is several datasets."""
        found: dict[str, tuple[float, Told]] = {}
        for key, told in self._told.items():
            dataset, asset = self.world.datasets[key], self.assets[key]
            at = max(each.at for each in (dataset.columns, dataset.lineage) if each is not None)
            if asset not in found or found[asset][0] < at:
                found[asset] = at, told
        return {asset: told for asset, (_, told) in found.items()}

    @cached_property
    def _told(self) -> dict[str, Told]:
        """The same by dataset, of those of whose columns something was said."""
        found = {
            key: self._told_before.get(key) or Told(tuple(each[:2] for each in columns_in(one)), self._lineage(one))
            for key, one in self.world.datasets.items()
            if one.columns is not None or one.lineage is not None
        }
        self._told_before = {}
        return found

    def _lineage(self, dataset: ExternalDataset) -> ColumnLineage | None:
        found = lineage_in(dataset)
        if found is None:
            return None

        def sources(each: Iterable[tuple[str, str, str, str]]) -> tuple[ColumnSource, ...]:
            return tuple(
                ColumnSource(self._named(namespace, name), column, kind)  # type: ignore[arg-type]
                for namespace, name, column, kind in each
            )

        columns = {
            name: sources((one.namespace, one.name, one.column, one.kind) for one in each)
            for name, each in found.columns.items()
        }
        return ColumnLineage(columns, sources((one.namespace, one.name, one.column, one.kind) for one in found.rows))

    def _named(self, namespace: str, name: str) -> str:
        return self.assets.get(key_of(namespace, name)) or self.naming.asset_of(namespace, name)

    def with_index(self, index: AssetIndex) -> AssetIndex:
        """The index with external assets for the datasets that are none of ours, and for what their columns come from.

        They have no dependencies there, as what runs elsewhere may go round in circles: see `made_from`.
        """
        sources = [
            one.asset
            for told in self.told.values()
            if told.lineage is not None
            for each in (*told.lineage.columns.values(), told.lineage.rows)
            for one in each
        ]
        new = [key for key in dict.fromkeys([*self.assets.values(), *sources]) if key not in index.assets]
        if not new:
            return index
        specs = [AssetSpec(key, external=True, columns=self._columns(key)) for key in new]
        definitions = Definitions(
            location=index.location,
            assets=(*index.assets.values(), *specs),
            checks=tuple(index.checks.values()),
            asset_steps=tuple(index.steps.values()),
        )
        return AssetIndex(definitions, {**dict.fromkeys(new, LOCATION), **index.locations})

    @cached_property
    def made_from(self) -> dict[str, list[str]]:
        """By asset that a job elsewhere reads, what that job writes."""
        writes: dict[str, list[str]] = {}
        for job, direction, dataset in self.world.edges:
            if direction == "out" and dataset in self.assets:
                writes.setdefault(job, []).append(self.assets[dataset])
        found: dict[str, dict[str, None]] = {}
        for job, direction, dataset in self.world.edges:
            if direction == "in" and dataset in self.assets:
                found.setdefault(self.assets[dataset], {}).update(dict.fromkeys(writes.get(job, ())))
        return {asset: [one for one in made if one != asset] for asset, made in found.items()}

    def _columns(self, asset: str) -> tuple[Column, ...]:
        for key in self.datasets_of.get(asset, ()):
            found = columns_in(self.world.datasets[key])
            if found:
                return tuple(Column(name, kind, said) for name, kind, said in found)
        return ()
