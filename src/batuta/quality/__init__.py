"""Rules about tables, as data: what they ask, in one scan; what they found; rows that go elsewhere.

Knows tables and nothing of runs, so that a rule can be tried on a frame in a notebook. Rules are compiled to SQL for
DuckDB, whatever holds the table: one meaning of null, NaN and a regular expression, not one per library.
"""
