"""One file a monitor: what is read stands apart from what is judged."""
