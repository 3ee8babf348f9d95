"""Jobs of a server: kept in a table, run in order, written block by block, followed while they run."""
