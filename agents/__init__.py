"""Who decides: the plan, the planners, the reviewer and the composer."""
