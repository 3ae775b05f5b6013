"""nonet: several small language models, one dependable system.

Importing this package loads none of its rooms; names are found on first use.
"""

__version__ = "0.1.0"
