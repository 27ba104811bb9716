"""A small fintech's data platform: card payments, the ECB's reference rates, and what is owed to whom.

Everything in the domain modules is plain Python over Polars frames; nothing here knows that an orchestrator exists.
"""
