"""Shipped parameters with the changes that a configuration makes to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from caspian_sim.config.problems import Finding, did_you_mean, refuse, show
from caspian_sim.errors import DataError

if TYPE_CHECKING:
    from caspian_sim.config.schema import Config, ParameterOverride
    from caspian_sim.data import Parameter


def overridden_parameters(overrides: Mapping[str, ParameterOverride]) -> dict[str, Parameter]:
    """All shipped parameters, changed where `overrides` says so (``config.parameters``)."""
    shipped = _shipped()
    return {
        name: _changed(parameter, overrides[name]) if name in overrides else parameter
        for name, parameter in shipped.items()
    }


def parameters_of(config: Config) -> dict[str, Parameter]:
    """Parameters that play a role in a run, changed where it says so."""
    parameters = overridden_parameters(config.parameters)
    if config.climate.evaporation != "shallow":
        del parameters["shallow_evaporation"]
    return parameters


def known_parameter(name: str) -> str:
    """Accept the name of a shipped parameter."""
    shipped = _shipped()
    if name not in shipped:
        raise refuse(
            Finding(
                f"unknown parameter {show(name)}",
                allowed=", ".join(shipped),
                hint=did_you_mean(name, shipped),
            )
        )
    return name


def override_findings(overrides: Mapping[str, ParameterOverride]) -> list[Finding]:
    """Find overrides that leave a prior which contradicts itself, such as a range out of order."""
    shipped = _shipped()
    findings: list[Finding] = []
    for name, override in overrides.items():
        try:
            _changed(shipped[name], override)
        except DataError as error:
            rule, _, found = str(error).partition("\n")
            findings.append(
                Finding(
                    rule.partition(": ")[2],
                    found=found.split(maxsplit=1)[1],
                    hint="what is not given is as shipped; a bare number fixes the parameter",
                    at=(name,),
                )
            )
    return findings


def _shipped() -> Mapping[str, Parameter]:
    # The tables behind the parameters take a moment to load, which a run without overrides never needs.
    from caspian_sim import data

    return data.parameters()


def _changed(parameter: Parameter, override: ParameterOverride) -> Parameter:
    given = override.model_dump(exclude_none=True)
    if given.get("distribution") == "fixed":
        best = given.get("best", parameter.best)
        return replace(parameter, distribution="fixed", best=best, low=best, high=best)
    return replace(parameter, **given)
