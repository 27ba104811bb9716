"""What SQL says: the tables that a query reads, what its columns are made from, what a change of it changes.

By sqlglot, of the extra `sql`, imported only when something is asked; texts go in, records of the core come out.
"""
