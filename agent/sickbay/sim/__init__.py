"""A simulated driver, kernel log, host and fleet, for demonstrations, drills and tests."""
