"""Feature extractors: one file each, found by class name, and those that are registered."""

from rl_pipeline.models.feature_extractors.registration import find_feature_extractor, register_feature_extractor

__all__ = ["find_feature_extractor", "register_feature_extractor"]
