"""The interactive session: `nonet` without a command.

Two processes. The one on the terminal (`front`, or `plain` where nothing may be redrawn) only reads keys and shows
lines, and is ready at once. The other (`engine`) opens the database and the models and does the work: llama.cpp holds
the interpreter's lock while it loads a model, and no key may wait for that. Lines of JSON pass between them (`wire`).
"""
