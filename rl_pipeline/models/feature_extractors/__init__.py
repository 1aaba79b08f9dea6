"""Feature extractors, one file each; see registration.py for how a name is found."""

from rl_pipeline.models.feature_extractors.registration import find_feature_extractor, register_feature_extractor

__all__ = ["find_feature_extractor", "register_feature_extractor"]
