"""`python -m transom` is the `transom` command."""

from transom.cli.main import main

main()
