"""A nonet specialist that translates texts of any length, and checks what can be checked by code."""

from nonet_translation.checks import translation_checks
from nonet_translation.specialist import TranslationSpecialist

__all__ = ["TranslationSpecialist", "translation_checks"]
