"""The format's description is complete and current."""

from __future__ import annotations

from pathlib import Path

from allocator.scenario import json_schema, load_scenario
from allocator.scenario.reference import EXAMPLE, reference_page
from tests.scenario.conftest import Write

PAGE = Path(__file__).parents[2] / "docs" / "scenario.md"


def test_the_page_is_what_the_schema_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_page(), "write reference_page() to docs/scenario.md"


def test_the_page_s_example_is_a_scenario(write: Write) -> None:
    scenario = load_scenario(write("case.yaml", EXAMPLE))

    assert scenario.name == "sme-100m"
    assert len(scenario.policy.limits) == 5
    assert f"```yaml\n{EXAMPLE}```" in reference_page()


def test_every_key_has_a_description_and_a_unit() -> None:
    schema = json_schema()

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["schema", "portfolio", "response", "policy"]
    for section in (schema, *schema["$defs"].values()):
        assert section["properties"]
        for key, field in section["properties"].items():
            assert field["description"], key
            assert field["unit"], key


def test_units_are_those_of_the_contract() -> None:
    sections = json_schema()["$defs"]

    assert (
        sections["BudgetEntry"]["properties"]["amount"]["unit"] == "currency units, or with `of` a fraction"
    )
    assert sections["PolicyEntry"]["properties"]["funding_rate"]["unit"] == "fraction a year"
    assert sections["PolicyEntry"]["properties"]["processing_cost"]["unit"] == "currency units a loan"
    assert sections["TicketEntry"]["additionalProperties"] is False
    assert sections["PolicyEntry"]["properties"]["term_years"]["unit"] == "years"
