"""The same two operations by each contender, each in the words of its own documentation."""
