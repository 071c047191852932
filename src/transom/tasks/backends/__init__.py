"""What queues and runs tasks."""
