"""Published results, trained again and reported as found: ``make replicate`` writes docs/replication.md."""
