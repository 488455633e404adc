"""The strategy as people type it: a name, or a mapping from the name to what the rule is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args

from pydantic import AfterValidator, Field, Tag, ValidationInfo, create_model, field_validator

from allocator.plugins import names_of
from allocator.records.misfits import Misfit, refuse
from allocator.records.strategy import NamedRule
from allocator.scenario.policy_schema import Band
from allocator.scenario.quantities import PositiveMoney, Share, Text, one_of
from allocator.scenario.source_schema import PATH, Table, ending_in
from allocator.scenario.typed import Typed, tag_of, told_by_keys


class AhpLinesEntry(Typed):
    """A credit line and a rate band a grade; the credit strategy study's own where nothing is said."""

    lines: dict[Text, Share] | None = None
    """Grade: share of the budget; absent: A 63%, B 23%, C 14%."""
    file: Annotated[Text, AfterValidator(ending_in(".json"))] | None = Field(
        default=None, validate_default=True, examples=["../models/ahp/enterprise-credit-v1.json"],
        json_schema_extra=PATH,
    )  # fmt: skip
    """Fitted AHP weights (`allocator fit ahp`), by grade, in the place of lines."""
    bands: dict[Text, Band] | None = None
    """Grade: lowest and highest rate, inside the policy's own band; absent: A 4% to 11%, B 11% to 13.5%,
    C 13.5% to 15%, and the policy's for other grades."""

    @field_validator("file")
    @classmethod
    def _one_of_two(cls, file: str | None, info: ValidationInfo) -> str | None:
        if file is not None and info.data.get("lines") is not None:
            raise refuse(Misfit("lines stand beside it", "keep lines or the file"))
        return file


class MinLossEntry(Typed):
    """How much interest is wanted at the least expected loss."""

    income: PositiveMoney | None = None
    """Expected interest wanted."""
    share: Share | None = Field(default=None, validate_default=True)
    """The same as a part of the optimum's expected interest; absent, where income is too: 95%."""

    @field_validator("share")
    @classmethod
    def _one_of_two(cls, share: float | None, info: ValidationInfo) -> float | None:
        if share is not None and info.data.get("income") is not None:
            raise refuse(Misfit("income says too what is wanted", "keep income or share"))
        return share


class AhpLinesStrategy(Typed):
    """Lines by grade, inside them the best scores first."""

    ahp_lines: AhpLinesEntry
    """Lines and bands."""


class MinLossStrategy(Typed):
    """The least expected loss for a wanted income."""

    min_loss: MinLossEntry
    """The income."""


class BookColumnsEntry(Typed):
    """The file's names for its columns, where those differ."""

    borrower_id: Text | None = None
    """Unique identifier, as in the portfolio."""
    amount: Text | None = None
    """Money offered; 0, or none: declined."""
    rate: Text | None = None
    """Rate offered, a fraction."""


class FileStrategy(Typed):
    """Amounts and rates as a file has them: another team's, or last month's."""

    file: Annotated[Table, Field(examples=["book.csv"])] = Field(default=None, validate_default=True)
    """Table with borrower_id, amount and rate; who is not in it is declined. A run's allocation is one."""
    columns: BookColumnsEntry = BookColumnsEntry()
    """Column: the file's name for it."""

    @field_validator("file")
    @classmethod
    def _some_file(cls, file: str | None) -> str:
        if file is None:
            raise refuse(Misfit("no file is named", "name a table, as book.csv"))
        return file


OURS = (*get_args(NamedRule), "file")
RULES = (*get_args(NamedRule), *names_of("strategy"))
if TYPE_CHECKING:
    Rule = str
else:
    Rule = Literal[RULES]
"""Ours that their name alone says, and those that other packages bring."""


def _plugin_form(name: str) -> type[Typed]:
    """The form of another package's strategy that is told something."""
    options = Field(description="What the strategy is told, as its package says.")
    key: Any = {name: (Annotated[dict[Text, Any], options], ...)}
    about = "A strategy of another package."
    return create_model(f"{name.title().replace('_', '')}Strategy", __base__=Typed, __doc__=about, **key)


_BROUGHT = [_plugin_form(name) for name in names_of("strategy") if name not in OURS]
_FORMS = (AhpLinesStrategy, MinLossStrategy, *_BROUGHT, FileStrategy)
if TYPE_CHECKING:
    StrategyEntry = str | Typed
else:
    _TAGGED = tuple(Annotated[form, Tag(tag_of(form))] for form in _FORMS)
    StrategyEntry = Annotated[
        Union[(Annotated[Rule, one_of(*RULES), Tag("<name>")], *_TAGGED)],
        told_by_keys("<name>", *_FORMS),
    ]
