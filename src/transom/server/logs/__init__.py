"""What is written of requests: access entries, their formats, and an output that never waits."""
