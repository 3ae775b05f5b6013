"""Workflows that users define: steps, what they read of one another, and running them to a result that is kept.

Definition (place, definition, conditions, values, signatures, step, checking, workflow) knows neither LangGraph nor
the store; running (launch, engine, performing, working) does.
"""
