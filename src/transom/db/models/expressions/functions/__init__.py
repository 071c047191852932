"""The functions, one module for each kind of value; `transom.db.models.functions` has their names for applications."""
