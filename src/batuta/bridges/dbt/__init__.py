"""dbt projects: every model, seed, snapshot, source and exposure is an asset, every test a check.

`describe` makes definitions of a manifest, `caching` keeps them by content, `parsing` and `session` are dbt at work.
Only the last two import dbt.
"""
