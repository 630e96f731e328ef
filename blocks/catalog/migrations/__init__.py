"""The database's history, one file a change, applied by Alembic."""
