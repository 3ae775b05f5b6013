"""What is remembered: one SQLite file. Importing this never loads LangGraph."""
