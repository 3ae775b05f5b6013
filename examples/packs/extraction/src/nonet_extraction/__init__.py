"""Two nonet specialists: one sorts a text into classes that the request names, one takes out fields that it names."""

from nonet_extraction.classification import Classification
from nonet_extraction.extraction import Extraction, Extractor
from nonet_extraction.sources import source_checks

__all__ = ["Classification", "Extraction", "Extractor", "source_checks"]
