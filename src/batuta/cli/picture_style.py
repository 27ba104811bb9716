"""How pictures look: the style sheet inside the SVG, and the page around it with its few lines of script."""

from __future__ import annotations

STYLE = """
.paper { fill: #fbfbfa; }
.lane rect { fill: #5b8def; fill-opacity: .10; }
.lane rect.bar { fill-opacity: .9; }
.lane.bronze rect, .lane.layer0 rect { fill: #b87333; }
.lane.silver rect, .lane.layer1 rect { fill: #8f9aa5; }
.lane.gold rect, .lane.layer2 rect { fill: #d4a514; }
.lane-name { fill: #1d2327; font-size: 15px; font-weight: 650; }
.count { fill: #6b747c; font-size: 12px; font-weight: 400; }
.edge { fill: none; stroke: #a9b2ba; stroke-width: 1.5; }
.head { fill: #a9b2ba; }
.card { fill: #ffffff; stroke: #d5dade; stroke-width: 1.2; }
.label { fill: #1d2327; font-size: 13px; font-weight: 600; }
.note { fill: #6b747c; font-size: 11px; }
.external .card { stroke: #a9b2ba; stroke-dasharray: 5 4; }
.flow .card, .step .card { stroke-width: 1.8; }
.state { fill: #a9b2ba; }
.fresh .state { fill: #2fa36b; }
.stale .state { fill: #e0a100; }
.missing .state { fill: #d64545; }
.failed { fill: #d64545; font-weight: 600; }
@media (prefers-color-scheme: dark) {
  .paper { fill: #14171a; }
  .lane rect { fill-opacity: .16; }
  .lane-name, .label { fill: #e8ebed; }
  .count, .note { fill: #9aa4ac; }
  .edge { stroke: #566069; }
  .head { fill: #566069; }
  .card { fill: #1f2428; stroke: #3a424a; }
}
.dimmed { opacity: .16; }
.lit.edge { stroke: #3b82f6; stroke-width: 2.4; }
.picked .card { stroke: #3b82f6; stroke-width: 2.6; }
""".strip()

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · lineage</title>
<style>
:root { --paper:#fbfbfa; --ink:#1d2327; --soft:#6b747c; --card-line:#d5dade; }
@media (prefers-color-scheme: dark) {
  :root { --paper:#14171a; --ink:#e8ebed; --soft:#9aa4ac; --card-line:#3a424a; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.5 ui-sans-serif, system-ui, sans-serif; }
header { display: flex; gap: 18px; align-items: baseline; flex-wrap: wrap; padding: 18px 28px 6px; }
h1 { font-size: 20px; margin: 0; }
header p { margin: 0; color: var(--soft); }
input { margin-left: auto; font: inherit; color: inherit; background: transparent; padding: 5px 12px;
  border: 1px solid var(--card-line); border-radius: 999px; width: 220px; }
.legend { padding: 0 28px 6px; color: var(--soft); display: flex; gap: 16px; flex-wrap: wrap; font-size: 12px; }
.legend i { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 6px; }
main { overflow: auto; padding: 0 12px 24px; }
svg { min-width: 100%; height: auto; }
.node { cursor: pointer; }
</style>
</head>
<body>
<header><h1>{title}</h1><p>{told}</p><input id="search" type="search" placeholder="find …" aria-label="find"></header>
<div class="legend">
  <span><i style="background:#2fa36b"></i>fresh</span><span><i style="background:#e0a100"></i>stale</span>
  <span><i style="background:#d64545"></i>missing</span><span>pill: a flow or a step of a DAG</span>
  <span>dashed: made elsewhere</span><span>click a node: its whole lineage</span>
</div>
<main>
{picture}
</main>
<script>
const nodes = [...document.querySelectorAll('.node')], edges = [...document.querySelectorAll('.edge')];
const ups = new Map(), downs = new Map();
const add = (map, key, value) => map.set(key, [...(map.get(key) || []), value]);
for (const e of edges) { add(downs, e.dataset.from, e.dataset.to); add(ups, e.dataset.to, e.dataset.from); }
const reach = (start, map) => {
  const seen = new Set([start]), stack = [start];
  while (stack.length) for (const next of map.get(stack.pop()) || []) {
    if (!seen.has(next)) { seen.add(next); stack.push(next); }
  }
  return seen;
};
let picked = null;
const show = (keep, above, below) => {
  for (const n of nodes) n.classList.toggle('dimmed', keep !== null && !keep.has(n.dataset.id));
  for (const e of edges) {
    const lit = keep !== null && ((above.has(e.dataset.from) && above.has(e.dataset.to)) ||
      (below.has(e.dataset.from) && below.has(e.dataset.to)));
    e.classList.toggle('lit', lit);
    e.classList.toggle('dimmed', keep !== null && !lit);
  }
};
const pick = (id) => {
  picked = id === picked ? null : id;
  for (const n of nodes) n.classList.toggle('picked', n.dataset.id === picked);
  if (picked === null) return show(null);
  const above = reach(picked, ups), below = reach(picked, downs);
  show(new Set([...above, ...below]), above, below);
};
for (const n of nodes) n.addEventListener('click', (event) => { event.stopPropagation(); pick(n.dataset.id); });
document.addEventListener('click', (event) => { if (event.target.id !== 'search' && picked !== null) pick(picked); });
document.getElementById('search').addEventListener('input', (event) => {
  const text = event.target.value.toLowerCase();
  if (!text) return show(null);
  const found = new Set(nodes.filter((n) => n.dataset.id.toLowerCase().includes(text)).map((n) => n.dataset.id));
  show(found, new Set(), new Set());
});
</script>
</body>
</html>
"""
