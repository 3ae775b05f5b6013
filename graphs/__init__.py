"""How work flows: the supervisor graph, the executor, runs and their events."""
