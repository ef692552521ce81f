"""How the tables came to be what they are, step by step, in Alembic's form: `env.py` and `versions/`."""
