"""Processes: one that serves by itself, workers under a supervisor, one worker that is restarted when code changes."""
