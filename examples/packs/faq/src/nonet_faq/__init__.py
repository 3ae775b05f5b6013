"""A nonet specialist that answers customers from a FAQ: an entry's own words, quoted, or that it is not there."""

from nonet_faq.entries import Entry, read_entries
from nonet_faq.specialist import FaqSpecialist

__all__ = ["Entry", "FaqSpecialist", "read_entries"]
