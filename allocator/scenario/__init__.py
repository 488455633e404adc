"""What people type: scenario files, checked with every fault at once."""

from allocator.scenario.loading import dump_scenario, load_document, load_scenario
from allocator.scenario.reference import json_schema

__all__ = ["dump_scenario", "json_schema", "load_document", "load_scenario"]
