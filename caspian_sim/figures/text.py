"""Every word in the figures, by key, so that a language is one more table.

A table of another language is a file with the keys of :data:`ENGLISH`, see
:mod:`caspian_sim.figures.language`; a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from caspian_sim.figures.text_impacts import IMPACTS
from caspian_sim.figures.text_pack import PACK_TEXTS
from caspian_sim.figures.text_seabed import SEABED
from caspian_sim.figures.text_states import STATES

ENGLISH: Mapping[str, str] = {
    # Numbers
    "number.decimal": ".",
    "number.thousands": ",",
    # Names
    "scenario.ssp119": "SSP1-1.9",
    "scenario.ssp126": "SSP1-2.6",
    "scenario.ssp245": "SSP2-4.5",
    "scenario.ssp370": "SSP3-7.0",
    "scenario.ssp585": "SSP5-8.5",
    "programme.none": "no measures",
    "programme.joint": "joint programme",
    "term.inflow": "river inflow",
    "term.precipitation": "precipitation",
    "term.groundwater": "groundwater",
    "term.measures": "measures",
    "term.evaporation": "evaporation",
    "term.net_evaporation": "evaporation less precipitation",
    "term.strait": "outflow to Kara-Bogaz-Gol",
    "term.consumption": "growth of consumption",
    "run.inflow alone": "inflow alone",
    "run.slow net evaporation": "with slow net evaporation",
    "run.full reconstruction": "full reconstruction",
    "parameter.volga_sensitivity": "sensitivity of the Volga to warming",
    "parameter.other_river_sensitivity": "sensitivity of other rivers",
    "parameter.precipitation_sensitivity": "sensitivity of precipitation",
    "parameter.evaporation_sensitivity": "sensitivity of evaporation",
    "parameter.precipitation": "present precipitation",
    "parameter.groundwater": "groundwater",
    "parameter.net_evaporation": "present net evaporation",
    "parameter.strait_sill": "sill of the strait",
    "parameter.strait_coefficient_before_1980": "rating of the strait before 1980",
    "parameter.strait_coefficient_after_1992": "rating of the strait after 1992",
    "parameter.bay_net_evaporation": "net evaporation of the bay",
    "parameter.area_factor": "area of the sea",
    "parameter.warming_quantile": "quantile of warming",
    "parameter.river_inflow": "present inflow",
    "parameter.inflow_sd": "spread of inflow",
    "parameter.inflow_lag1": "memory of inflow",
    "parameter.inflow_slow_sd": "spread of slow inflow",
    "parameter.inflow_slow_lag1": "memory of slow inflow",
    "parameter.net_evaporation_sd": "spread of net evaporation",
    "parameter.net_evaporation_slow_sd": "spread of slow net evaporation",
    "parameter.net_evaporation_slow_lag1": "memory of slow net evaporation",
    "parameter.weather_correlation": "inflow and evaporation of a year",
    "parameter.level_error_before_1993": "error of levels before 1993",
    "parameter.level_error_since_1993": "error of levels since 1993",
    "parameter.late_level_error": "error of the level of 1 December",
    "parameter.variability": "natural variability",
    # Axes
    "axis.level": "Sea level (m BHS)",
    "axis.year": "Year",
    "axis.flux": "Flux (km³/yr)",
    "axis.net": "Net (km³/yr)",
    "axis.area": "Area (thousand km²)",
    "axis.volume": "Volume (thousand km³)",
    "axis.error": "Model less observed (m)",
    "axis.variance": "Share of the variance",
    # Projection
    "projection.title": "Level of the Caspian Sea, observed and projected",
    "projection.subtitle": "Annual mean, ensemble of {members} for each scenario. Lines: median; bars: 5–95 "
    "% in {last}; shading: 5–95 % of {shaded}.",
    "projection.subtitle.single": "Annual mean, one member for each scenario.",
    "projection.shaded": "{scenarios}, {programme}",
    "projection.and": " and ",
    "projection.observed": "observed",
    "projection.projected": "projected",
    "projection.threshold": "threshold {level} m",
    "projection.point": "{year}: {level}",
    "projection.point.fall": "{year}: {level}\n{fall} m below {since}",
    "projection.end": "{year}: median (5–95 %)",
    "projection.end.single": "{year}",
    "projection.range": "{median} ({low} to {high})",
    "projection.sources": "Sources: observed level {first}–{last} Kazhydromet, {last} DAHITI altimetry "
    "(grade {grade}); warming by scenario IPCC AR6; projection caspian_sim.",
    # Budget
    "budget.title": "Water balance of the Caspian Sea by decade",
    "budget.subtitle": "{scenario}, {programme}. Bars: mean fluxes of an ensemble of {members}, gains up and "
    "losses down; diamonds: net; whiskers: 5–95 %.",
    "budget.subtitle.single": "{scenario}, {programme}. Bars: fluxes of one member, gains up and losses "
    "down; diamonds: net.",
    "budget.observed": "observed",
    "budget.projected": "projected",
    "budget.net": "net change of storage",
    "budget.sources": "Sources: {first}–{last} from observed level and river inflow "
    "(net_evaporation_implied, grade {grade}): evaporation less precipitation is what closes the "
    "balance, the outflow to Kara-Bogaz-Gol is modelled, groundwater is held at {groundwater} km³/yr. "
    "Projection: caspian_sim.",
    # Hypsometry
    "hypsometry.title": "Area and volume of the Caspian Sea against its level",
    "hypsometry.subtitle": "Without Kara-Bogaz-Gol. Only differences of volume matter: 78,200 km³ at −28 m "
    "by convention.",
    "hypsometry.band": "uncertainty of area (grade D)",
    "hypsometry.now.area_km2": "{year}: {level} m\n{value} km²",
    "hypsometry.now.volume_km3": "{year}: {level} m\n{value} km³",
    "hypsometry.pair": "{year}, published:\n{area} km² at {level} m",
    "hypsometry.whole": "whole basin",
    "hypsometry.sources": "Sources: bed NOAA ETOPO1 on a 0.1° grid, tied to the published pairs. Evidence "
    "grade: {grade}.",
    "hypsometry.published": "Published pairs: {source} (grade {grade}).",
    "hypsometry.run": "{name} · caspian_sim {version} · table {hash} · levels in metres of the Baltic "
    "Height System (m BHS)",
    "hypsometry.own": "{name} · caspian_sim {version} · levels in metres of the Baltic Height System (m BHS)",
    # Hindcast
    "hindcast.title": "Hindcast of the level of the Caspian Sea against observations",
    "hindcast.subtitle": "Annual means {first}–{last}. Above: level; below: error, by year (lines) and by "
    "decade (bars), with the worst year of each run. RMSE: root mean square error.",
    "hindcast.observed": "observed",
    "hindcast.rmse": "RMSE {rmse} m",
    "hindcast.worst": "{year}: {error} m",
    "hindcast.sources": "Sources: observed level Kazhydromet (grade {grade}); river inflow and net "
    "evaporation from the tables of caspian_sim.",
    "hindcast.fitted": "Net evaporation is fitted to the observed levels that are drawn (degrees of "
    "freedom: {degrees}): the errors say what the model can explain, not how well it forecasts.",
    # Sensitivity
    "sensitivity.title": "What the spread of the projected level comes from",
    "sensitivity.subtitle": "{scenario}, {programme}. Sobol indices of the annual mean level: what an input "
    "does alone (first order) and with all that it does together with others (total). Bars: {confidence} % "
    "confidence.",
    "sensitivity.year": "{year}: sd {sd} m",
    "sensitivity.total": "{value} total",
    "sensitivity.first": "{value} first order",
    "sensitivity.others": "sum of {count} others",
    "sensitivity.sum": "Sum of others: indices added up, without intervals; no input among them has a total "
    "of more than {most} in {year}.",
    "sensitivity.design": "{runs} runs: {samples} samples of {inputs} inputs in the design of Saltelli et "
    "al. (2010); sd: standard deviation of the level. Natural variability counts as one input.",
    "sensitivity.ranges.posterior": "Ranges of the parameters after calibration, each by itself.",
    "sensitivity.ranges.prior": "Ranges of the parameters before calibration.",
    "sensitivity.grade_d": "Ranges that are assumptions (evidence grade D): {names}.",
    # Equilibrium
    "equilibrium.title": "Where the Caspian Sea comes to rest under constant forcing",
    "equilibrium.subtitle": "Above: equilibrium level against inflow, by evaporation less precipitation. "
    "Below: how long a small departure from it takes to shrink to 37 % (mean over ±{smoothed} km³/yr of "
    "inflow).",
    "equilibrium.inflow": "Inflow of all rivers (km³/yr)",
    "equilibrium.time": "Response time (yr)",
    "equilibrium.curve": "{depth} mm/yr",
    "equilibrium.curves": "Evaporation\nless rain",
    "equilibrium.forcing": "{inflow} km³/yr, {depth} mm/yr:\nlevel {level} m,\nresponse {time} yr",
    "equilibrium.present": "mean of {first}–{last}:\nlevel {level} m,\nresponse {time} yr",
    "equilibrium.observed": "observed\n{year}: {level} m",
    "equilibrium.sill": "sill of the strait",
    "equilibrium.strait.recut": "strait as cut anew in 1992",
    "equilibrium.strait.natural": "strait as before 1980",
    "equilibrium.strait.dammed": "strait dammed",
    "equilibrium.sources": "Groundwater {groundwater} km³/yr; {strait}. Sources: observed level DAHITI "
    "altimetry (sea_level_annual, grade {grade}); river inflow {first}–{last} (river_inflow_annual); "
    "hypsometry from NOAA ETOPO1.",
    "equilibrium.jumps": "The response time follows the slope of the hypsometric curve, which is made from a "
    "bed in whole metres: read it to some ten years.",
    # Series of the user's own
    "own_series": "Series of the user's own: {items}.",
    "own_series.precipitation": "precipitation from {file}",
    "own_series.evaporation": "evaporation from {file}",
    "own_series.river_inflow": "river inflow from {file}",
    # Literature
    "literature.title": "The published projections of the Caspian Sea level, and ours beside them",
    "literature.subtitle": "Change of the annual mean level since {year} ({level} m BHS). Bold: ours, filled "
    "dots with an area that follows the level and hollow ones with the area held constant; thin bars 5–95 %, "
    "thick bars 25–75 %. Published ranges are of the kind that stands beside them; they differ and do not "
    "pool.",
    "literature.axis": "Change by {year} since {since} (m)",
    "literature.group": "{year}, {scenario}",
    "literature.paper": "{paper}, {scenario}",
    "literature.others": "et al.",
    "literature.own.dynamic": "here, dynamic area",
    "literature.own.constant": "here, constant area",
    "literature.numbers.own": "{middle} ({low} to {high})",
    "literature.numbers.limit": "up to {middle} · {grade}",
    "literature.numbers.point": "{middle} ({kind}) · {grade}",
    "literature.numbers.end": "{middle} (end of {low} to {high}) · {grade}",
    "literature.numbers.range": "{middle} ({low} to {high}, {kind}) · {grade}",
    "literature.sources": "Sources: {sources}. Letters: evidence grade. * Base year not stated: the change "
    "is as published; the sea fell by {fall} m from {since} to {last}.",
    "literature.caveat": "Ours: {use}; Kazhydromet includes withdrawal by people. Whether a paper holds the "
    "area fixed is not stated in what was read.",
    "literature.grade_d": "Assumptions (evidence grade D): our {names}; the scenario beside which these "
    "stand: {judged}.",
    "literature_gap.name": "{paper}{star} · {grade}",
    "literature_gap.title": "Where our projections and the published ones part",
    "literature_gap.subtitle": "Change since {year}. Above: from our median (filled) to a typical high "
    "configuration (constant area, evaporation +{evaporation} mm/yr/K, Volga {volga} %/K), each share "
    "averaged over all orders. Below: from our median to each published number (diamond): hatched what the "
    "area convention explains, white what is left; and which evaporation, or else which Volga, would close "
    "the gap with constant area, in brackets with dynamic area.",
    "literature_gap.axis": "Change by {year} since {since} (m)",
    "literature_gap.axis.both": "Change since {since} (m)",
    "literature_gap.area": "area {value}",
    "literature_gap.evaporation": "evaporation {value}",
    "literature_gap.runoff": "runoff {value}",
    "literature_gap.ends": "{median} → {high} m",
    "literature_gap.needed.evaporation": "mm/yr/K",
    "literature_gap.needed.volga": "or Volga, %/K",
    "literature_gap.value": "{constant} ({dynamic})",
    "literature_gap.none": "–",
    # Verification of forecasts
    "forecasts.title": "Forecasts of the level of the Caspian Sea from past years, and what came",
    "forecasts.subtitle": "Annual means; {members} members of each forecast. Heavy line: observed, known at "
    "the origin; thin line with dots: observed afterwards, not known to the forecast.",
    "forecasts.origin": "issued after {year}",
    "forecasts.band.90": "90 %",
    "forecasts.band.50": "50 %",
    "forecasts.median": "median",
    "forecasts.sources": "Sources: observed level Kazhydromet, its last year DAHITI altimetry (grade "
    "{grade}); forecasts caspian_sim.",
    "verification.title": "How good forecasts of the level of the Caspian Sea would have been",
    "verification.subtitle": "Forecasts issued after each of the years {first}–{last} with the data "
    "known then.",
    "verification.skill.persistence": "Skill against persistence",
    "verification.skill.trend": "Skill against the trend of ten years",
    "reference.persistence": "last level, a single value",
    "reference.persistence with errors": "with its past errors around it",
    "reference.trend": "straight line, a single value",
    "reference.trend with errors": "with its past errors around it",
    "verification.coverage": "Observations inside the central bands",
    "verification.band": "{band} % band\n(aim {low}–{high})",
    "verification.pit": "PIT, {lead} years",
    "verification.pit.one": "PIT, {lead} year",
    "verification.references": "Skill: share of the mean CRPS of the reference that the forecast takes away. "
    "Bars: {confidence} % interval of a bootstrap in blocks as long as the lead; none where there are fewer "
    "than two blocks. PIT: place of the observation in its forecast, even (dashed) when the spread is right.",
    "verification.origins": "Origins by lead and, since the forecasts overlap, the number of "
    "independent ones that they are worth: {independent}.",
    "verification.independent": "{lead} yr: {origins} ({effective})",
    "axis.skill": "CRPS skill",
    "axis.lead": "Lead (years)",
    "axis.coverage": "Observed inside (%)",
    "axis.share": "Observations (%)",
    "axis.pit": "Place in the forecast",
    # Checklist
    "checklist.title": "What the hindcast has to reproduce, and what it does",
    "checklist.subtitle": "Distance from the target, in tolerances; shaded: passes. Filled: pass; cross: "
    "fail; arrow: fail, beyond the scale. Open diamonds: the observed record, where it is not the target.",
    "checklist.run": "{passed} of {checks} pass",
    "checklist.by_run": "0, tolerance by run, m",
    "checklist.asked": "{target}",
    "checklist.asked.source": "{target} (grade {grade})",
    "checklist.asked.record": "{target} (record)",
    "checklist.own": "{word}, ±{allowed}",
    "checklist.pass": "pass",
    "checklist.fail": "fail",
    "checklist.never": "never",
    "checklist.sources": "Sources: rates published by Chen et al. (2017), the other targets from the tables "
    "water_balance_facts and sea_level_annual, with their evidence grade. Rates are changes from the first "
    "year to the last; the trend of the bay is by least squares.",
    "checklist.grade_d": "Tolerances without a published range are choices (evidence grade D), a tenth of "
    "the value for most; the table hindcast_checks gives the reason of each.",
    "axis.tolerances": "Distance (tolerances)",
    # Variance
    "variance.title": "Where the spread of the projected level comes from",
    "variance.subtitle": "Shares of the variance of the annual mean level, {programme}; in brackets and "
    "shaded: {confidence} % confidence. Interactions are what sources do together beyond what each does "
    "alone.",
    "variance.percent": "{value} %",
    "variance.range": "{value} % ({low} to {high})",
    "variance.in_year": "{year}: {share}",
    "variance.spread": "{value} m",
    "variance.design": "{runs} runs: {scenarios} scenarios × {structures} structures × {samples} draws of "
    "the parameters × {streams} of the internal variability; split after Hawkins and Sutton (2009).",
    "variance.structures": "Structures count alike, as do scenarios; none has a probability (evidence grade "
    "D): {names}.",
    "variance.evaporation": "evaporation alike everywhere or stronger over shallow water",
    "variance.area_convention": "area that follows the level or is held constant",
    "variance.strait": "strait as since 1992 or as before 1980",
    "source.internal_variability": "internal variability",
    "source.parameters": "parameters",
    "source.structure": "structure",
    "source.scenario": "scenario",
    "source.interactions": "interactions",
    "axis.variance.percent": "Share of the variance (%)",
    "axis.spread": "Std. dev. (m)",
    "parameter.shallow_evaporation": "evaporation over shallow water",
    # Calibration
    "axis.step": "Step after the burn-in",
    "axis.density": "Density",
    "calibration.posterior.title": "What the record says of the parameters",
    "calibration.posterior.subtitle": "Prior and posterior given level and inflow up to {last} and the facts "
    "about Kara-Bogaz-Gol. Shrinkage: share of the prior variance that is gone.",
    "calibration.posterior.note": "{grade} · {shrinkage} · {speaks}",
    "calibration.speaks.record": "record",
    "calibration.speaks.both": "both",
    "calibration.speaks.prior": "prior",
    "calibration.prior": "prior",
    "calibration.posterior": "posterior",
    "calibration.key.name": "name (unit)",
    "calibration.key": "grade of the prior · shrinkage · who speaks",
    "calibration.traces.title": "Do the ensembles agree?",
    "calibration.traces.subtitle": "5, 50 and 95 % points of the walkers of each ensemble by step, one kind "
    "of line an ensemble; in grey {walkers} walkers of each. Right: density of each ensemble.",
    "calibration.pairs.title": "Parameters that the record ties to each other",
    "calibration.pairs.subtitle": "{points} joint draws of the posterior; above the diagonal the correlation "
    "of all draws, bold from 0.3.",
    "calibration.evidence": "Sources: annual levels and inflow as shipped (grades A and B). Grade D priors "
    "and errors are assumptions: where the prior speaks, the posterior is one as well.",
    "calibration.sampling": "{ensembles} ensembles of {walkers} walkers, {steps} steps each · seed {seed} · "
    "record up to {last} · caspian_sim {version} · levels in metres of the Baltic Height System (m BHS)",
    # Reconstruction and outlook
    "record.own": "With new observations of the user's own from {file}.",
    "record.assumed": "Assumptions (evidence grade D): errors of the observed inflow; priors of strait, bay, "
    "area of the sea and response to warming, as far as the record does not decide.",
    "reconstruction.title": "Water balance of the Caspian Sea, reconstructed by year",
    "reconstruction.subtitle": "{first}–{last}, from all observations together. Lines: mean; shading: 90 % "
    "band, from the uncertainty of each year and {rows} parameter sets of the calibration.",
    "reconstruction.net_evaporation": "Evaporation less precipitation. Heavy: what lasts beyond single "
    "years, with its band (dashed)",
    "reconstruction.inflow": "Inflow of all rivers. Dots: observed totals",
    "reconstruction.level": "Level at the end of the year, without its season. Dots: observed annual means",
    "reconstruction.axis.depth": "mm/yr",
    "reconstruction.axis.flux": "km³/yr",
    "reconstruction.end": "end of {year}: {level} ± {sd} m",
    "reconstruction.sources": "Sources: observed level sea_level_annual (grade {level}); river inflow "
    "river_inflow_annual (grade {inflow}); balance and bands caspian_sim.",
    "reconstruction.residual": "Net evaporation closes the balance: errors of every other term end up in it.",
    "outlook.title": "Level of the Caspian Sea by month, observed and in the coming months",
    "outlook.subtitle": "{members} members from the state at the end of {year}{seen}. Dots: observed months; "
    "grey bars, and numbers below them: observed annual means; shading: range of single months.",
    "outlook.seen": " and the {months} months seen since",
    "outlook.annual": "{year}\n{level}",
    "outlook.mean": "mean of {year}",
    "outlook.mean.range": "({low} to {high})",
    "outlook.high": "75–95 %, up to",
    "outlook.middle": "25–75 %, median",
    "outlook.low": "5–25 %, from",
    "outlook.sources": "Sources: annual level sea_level_annual (grade {annual}); months DAHITI altimetry "
    "(grade {monthly}); outlook caspian_sim.",
    **STATES,
    **IMPACTS,
    **SEABED,
    **PACK_TEXTS,
    # Footer
    "footer.grade_d": "Assumptions (evidence grade D): {items}.",
    "footer.measures": "measures {names}",
    "footer.parameters": "parameters {names}",
    "footer.none": "No measure and no parameter of this run is an assumption (evidence grade D).",
    "footer.run": "Run {name} · caspian_sim {version} · configuration {hash} · levels in metres of the "
    "Baltic Height System (m BHS)",
    "footer.package": "caspian_sim {version} · levels in metres of the Baltic Height System (m BHS)",
    "footer.selection": "Programmes shown: {shown} ({count} of {all}).",
}

_TABLE: ContextVar[Mapping[str, str]] = ContextVar("texts", default=ENGLISH)


@contextmanager
def speaking(table: Mapping[str, str]) -> Iterator[None]:
    """Take the texts of what is drawn inside from a table."""
    token = _TABLE.set(table)
    try:
        yield
    finally:
        _TABLE.reset(token)


def say(key: str, /, **values: Any) -> str:
    """Give the text of a key, with values put in."""
    return _TABLE.get()[key].format(**values)


def name(kind: str, identifier: str) -> str:
    """Give the name of a scenario, programme, term or run; one that is not in the table keeps its own.

    Words of the data tables, such as grades and titles of checks, are looked up by what they are in English.
    """
    return _TABLE.get().get(f"{kind}.{identifier}", identifier)


def number(value: float, digits: int = 0, sign: bool = False, grouped: bool = True) -> str:
    """Write a number with a true minus sign and the marks of the language.

    `sign` puts a plus before positive ones; `grouped` sets thousands apart.
    """
    text = f"{value:{'+' if sign else ''}{',' if grouped else ''}.{digits}f}"
    if float(text.replace(",", "")) == 0.0:
        text = text.lstrip("+-")
    table = _TABLE.get()
    marks = {ord(","): table["number.thousands"], ord("."): table["number.decimal"], ord("-"): "−"}
    return text.translate(marks)


def axis_numbers(digits: int | None = None) -> Callable[[float, float], str]:
    """Give what writes the numbers of an axis in the language, also when that is no longer spoken.

    Each has as many digits as it needs, unless `digits` are given.
    """
    table = _TABLE.get()

    def write(value: float, _: float) -> str:
        with speaking(table):
            return plain_number(value) if digits is None else number(value, digits)

    return write


def plain_number(value: float) -> str:
    """Write a number with as many digits as it needs and no mark between thousands."""
    return with_decimal_mark(typeset(f"{value:g}"), decimal_mark())


def decimal_mark() -> str:
    """Mark between the whole and the fraction of a number."""
    return _TABLE.get()["number.decimal"]


def with_decimal_mark(text: str, mark: str) -> str:
    """Write the decimal points between the digits of a text as another mark."""
    return re.sub(r"(?<=\d)\.(?=\d)", mark, text)


def print_unit(unit: str) -> str:
    """Write a unit of the data tables as it is printed, nothing where it is none; years go without one."""
    signs = {"km3 yr-1 m-1.5": "km³ yr⁻¹ m⁻¹·⁵", "1": "", "year": "", "decimal year": ""}
    return signs.get(unit, typeset(unit))


def typeset(text: str) -> str:
    """Give a text of the data tables the signs of print: −27 m, km²."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text).replace("km2", "km²").replace("km3", "km³")
