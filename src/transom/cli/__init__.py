"""The `transom` command."""
