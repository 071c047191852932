"""What is in a database, and models of it: `transom inspectdb`."""

from transom.db.introspection.inspect import inspect_database, read_tables
from transom.db.introspection.tables import TableInfo

__all__ = ["TableInfo", "inspect_database", "read_tables"]
