"""The subcommands, one per file; each has a `command`."""
