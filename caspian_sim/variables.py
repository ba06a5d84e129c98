"""The variables of a dataset: units, long names, cell methods and further attributes."""

from __future__ import annotations

FLUX = "km3 year-1"
DEPTH = "m"
MEAN = "time: mean"
END = "time: point (at the end of the interval)"

# name: (units, long name, cell methods, further attributes)
VARIABLES: dict[str, tuple[str, str, str | None, dict[str, str]]] = {
    "sea_level": (
        DEPTH,
        "sea level",
        MEAN,
        {
            "standard_name": "water_surface_height_above_reference_datum",
            "datum": "Baltic Height System (BHS)",
        },
    ),
    "sea_area": ("km2", "area of the sea without Kara-Bogaz-Gol", MEAN, {}),
    "sea_volume": ("km3", "volume of the sea without Kara-Bogaz-Gol", END, {}),
    "river_inflow": (FLUX, "inflow of rivers", MEAN, {}),
    "precipitation": (FLUX, "precipitation over the sea", MEAN, {}),
    "evaporation": (
        FLUX,
        "evaporation from the sea",
        MEAN,
        {
            "comment": "its shape within the year closes the mean monthly balance and includes thermal "
            "expansion; annual means are not affected"
        },
    ),
    "groundwater": (FLUX, "groundwater inflow", MEAN, {}),
    "strait_outflow": (FLUX, "outflow through the strait to Kara-Bogaz-Gol", MEAN, {}),
    "bay_level": (
        DEPTH,
        "level of Kara-Bogaz-Gol",
        END,
        {
            "datum": "Baltic Height System (BHS)",
            "comment": "the level of the floor's last pools when the bay is dry",
        },
    ),
    "consumption_change": (FLUX, "change of irretrievable consumption, growth positive", MEAN, {}),
    "measure_effect": (
        FLUX,
        "effect of measures on the inflow to the sea, positive raises the level",
        MEAN,
        {"comment": "a regulation of the strait acts through strait_outflow and shows as zero here"},
    ),
    "budget_residual": (
        "km3",
        "change of volume less accumulated fluxes, the larger in magnitude of sea and bay",
        "time: sum",
        {},
    ),
    "exposed_seabed": ("km2", "seabed exposed against the reference level", MEAN, {}),
    "exposed_seabed_by_state": (
        "km2",
        "seabed exposed against the reference level by state",
        MEAN,
        {"comment": "sectors by nearest coast, not legal delimitation lines"},
    ),
    "sector_area": (
        "km2",
        "area of the sea without Kara-Bogaz-Gol at the reference level by state",
        None,
        {"comment": "sectors by nearest coast, not legal delimitation lines"},
    ),
    "global_warming": ("K", "global warming relative to 1995-2014", MEAN, {}),
    "first_event": (
        "year",
        "time of the first fall below",
        None,
        {"comment": "decimal calendar year; missing if it does not fall, as when it starts below"},
    ),
    "known_cost": (
        "1e6",
        "cost of building of the measures of a programme in million US dollars, where a source gives one",
        None,
        {"comment": "money that is not spent counts as negative; measures without a known cost do not count"},
    ),
    "known_running_cost": (
        "1e6 year-1",
        "running cost of the measures of a programme in million US dollars, where a source gives one",
        None,
        {"comment": "measures without a known cost do not count"},
    ),
    "exposed_seabed_avoided": (
        "km2",
        "seabed exposed with the programme none less that with the programme, in the same member",
        None,
        {},
    ),
    "years_gained": (
        "year",
        "years until an event longer than with the programme none in the same member",
        None,
        {"comment": "counted to the end of the reported year, as which never counts"},
    ),
    "parameters": (
        "1",
        "parameter of a member",
        None,
        {"comment": "units in the coordinate parameter_units"},
    ),
    "annual_sea_level": (
        DEPTH,
        "annual mean sea level",
        "year: mean",
        {
            "standard_name": "water_surface_height_above_reference_datum",
            "datum": "Baltic Height System (BHS)",
        },
    ),
    "annual_sea_area": ("km2", "annual mean area of the sea without Kara-Bogaz-Gol", "year: mean", {}),
    "sea_level_above_none": (
        DEPTH,
        "annual mean sea level above that of the programme none in the same member",
        "year: mean",
        {},
    ),
    "share_below": (
        "1",
        "share of members in which an event has happened by the end of the year",
        None,
        {"comment": "for a level: that have stood below it, also those that started below it"},
    ),
    "share_never": (
        "1",
        "share of members in which an event never happens",
        None,
        {"comment": "a member that starts below a level has no fall through it either"},
    ),
}

# Statistics over the members, in words: members are no dimension that a cell method could name.
STATISTICS: dict[str, str] = {
    "quantile": "quantiles over the members of ",
    "mean": "mean over the members of ",
    "sd": "standard deviation over the members of ",
}


def description(name: str) -> tuple[str, str, str | None, dict[str, str]]:
    """Units, long name, cell methods and further attributes of a variable, or of a statistic of one.

    Parameters
    ----------
    name : str
        A name of :data:`VARIABLES`, or one followed by ``_quantile``, ``_mean`` or ``_sd``.

    Returns
    -------
    units, long_name, cell_methods, further
    """
    if name in VARIABLES:
        return VARIABLES[name]
    base, _, statistic = name.rpartition("_")
    units, long_name, cell_methods, further = VARIABLES[base]
    if statistic == "sd":  # a spread has no datum
        further = {key: text for key, text in further.items() if key not in ("standard_name", "datum")}
    return units, STATISTICS[statistic] + long_name, cell_methods, further
