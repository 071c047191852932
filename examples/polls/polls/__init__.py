"""Questions, choices and votes."""
