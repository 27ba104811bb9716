"""The fintech's pipelines, in three styles on one engine: assets, a flow and a DAG.

The domain modules beside this package know what the tables are; these modules say when and how they are made.
"""
