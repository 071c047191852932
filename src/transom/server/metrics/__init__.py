"""What a worker counts, and the pages that show it: metrics for Prometheus, health for probes."""
