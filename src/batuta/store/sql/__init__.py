"""SQL: written once in SQLAlchemy Core (`build`, `writing`, `reading`, `keeping`), compiled to the texts beside it."""
