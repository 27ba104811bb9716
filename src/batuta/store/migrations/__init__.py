"""The history of the schema, for Alembic. A released revision never changes; `revisions.REVISIONS` lists them all.

A new one takes four steps: change `schema`, add `versions/NNNN_name.py` that says the same, add NNNN to `REVISIONS`,
and run `python -m batuta.store.sql.compile`. The tests fail until all four agree.
"""
