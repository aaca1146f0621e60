"""The variants of a run: every strategy under every combination of varied options, as each floor of the house takes them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from msmf_traci.config.applications import image_size
from msmf_traci.config.schema import Config
from msmf_traci.config.strategy_schema import taken_from
from msmf_traci.config.variants import combinations, varied_options
from msmf_traci.control.observer import Viewpoint
from msmf_traci.deployment.servers import Servers
from msmf_traci.experiment.options import (
    control_options,
    handoff_policy,
    image_options,
    link_options,
    plan,
    postcopy_options,
    processing_options,
    replay_options,
    request_latency,
    strategy_options,
    workload_options,
)
from msmf_traci.migration.catalogue import Catalogue
from msmf_traci.migration.plan import Plan
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.workload import WorkloadOptions, generator_for
from msmf_traci.results.keys import KEY_COLUMNS
from msmf_traci.results.option_columns import columns_beside_keys, key_value
from msmf_traci.results.tables import TABLE_COLUMNS
from msmf_traci.sentinels import MOST_TIERS
from msmf_traci.strategies.strategy import Strategy

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Variant:
    """One strategy with one combination of options.

    Attributes
    ----------
    strategy, config
        The strategy, and the configuration with the combination's values.
    keys
        Its key columns in tables.
    workload
        Number of its workload among those of the run.
    """

    strategy: type[Strategy]
    config: Config
    keys: dict[str, Any]
    workload: int


@dataclass(frozen=True)
class Variants:
    """All variants of a run.

    Attributes
    ----------
    variants
        Them, strategy by strategy.
    workloads
        The workloads that containers are drawn from.
    of_strategies
        Key columns that say which strategy a variant has, and with which options of its own.
    """

    variants: list[Variant]
    workloads: list[WorkloadOptions]
    of_strategies: frozenset[str] = frozenset(["strategy"])

    def __len__(self) -> int:
        return len(self.variants)

    def strategies(self) -> list[Strategy]:
        """The strategy of each variant, an object of its own."""
        made = [each.strategy(strategy_options(each.config, each.strategy)) for each in self.variants]
        for strategy, each in zip(made, self.variants, strict=True):
            strategy.random = generator_for(strategy.name, each.config.seed)
        return made

    def viewpoints(self, servers: Sequence[Servers]) -> list[Viewpoint]:
        """What the knowledge of each variant depends on, given the servers of each."""
        # variants whose tasks have the same latency levels share what is known
        levels = _numbered([each.levels for each in self.workloads])
        first = [levels.index(number) for number in levels]
        return [
            Viewpoint(
                each.strategy.predictor, each.strategy.tiers, control_options(each.config, each.strategy), theirs, first[each.workload]
            )
            for each, theirs in zip(self.variants, servers, strict=True)
        ]

    def catalogues(self) -> list[Catalogue]:
        """The images of each variant."""
        return [self.workloads[each.workload].catalogue for each in self.variants]

    def policies(self) -> list[Policy]:
        """The rules of each variant."""
        return [
            Policy(
                link_options(each.config),
                handoff_policy(each.config),
                request_latency(each.config),
                tiers=min(each.strategy.tiers or MOST_TIERS, len(each.config.tiers.in_use)),
                processing=processing_options(each.config),
                images=image_options(each.config),
                postcopy=postcopy_options(each.config),
                replay=replay_options(each.config),
            )
            for each in self.variants
        ]

    def plans(self) -> list[Plan]:
        """What a migration does under each variant."""
        return [plan(each.config) for each in self.variants]


def make_variants(config: Config, strategies: Sequence[type[Strategy]]) -> Variants:
    """The variants of a configuration."""
    made = combinations(config)
    images = [image_size(each.config) for each in made]
    columns = columns_beside_keys(list(varied_options(config)), images, TABLE_COLUMNS)
    workloads = [workload_options(each.config) for each in made]
    numbers = _numbered(workloads)
    variants = []
    for strategy in strategies:
        seen = set()
        for each, image, number in zip(made, images, numbers, strict=True):
            # what varies another strategy alone is empty in the rows of this one, and makes no further ones
            values = {option: value for option, value in each.values.items() if _concerns(option, strategy.name, each.config)}
            if repr(values) in seen:
                continue
            seen.add(repr(values))
            keys: dict[str, Any] = dict(zip(KEY_COLUMNS, (strategy.name, None if isinstance(image, list) else float(image)), strict=True))
            keys |= {column: key_value(values.get(option)) for option, column in columns.items()}
            variants.append(Variant(strategy, each.config, keys, number))
    distinct = [workloads[numbers.index(number)] for number in range(max(numbers) + 1)]
    of_strategies = [column for option, column in columns.items() if option.startswith("strategy.")]
    return Variants(variants, distinct, frozenset(["strategy", *of_strategies]))


def _concerns(option: str, strategy: str, config: Config) -> bool:
    """Whether an option has an effect on a strategy: of those of strategies its own, and those that it takes from another."""
    section, owner, *rest = option.split(".")
    if section != "strategy":
        return True
    line = taken_from(strategy)
    if owner not in line:
        return False
    return all(getattr(getattr(config.strategy, nearer), rest[0]) is None for nearer in line[: line.index(owner)])


def _numbered(values: Sequence[Key]) -> list[int]:
    """Number of each value, equal ones alike, in the order in which they appear."""
    numbers: dict[Key, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in values]
