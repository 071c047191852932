"""Compare object-relational mappers: `python -m orm`."""
