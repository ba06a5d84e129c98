"""Files like those of a user: tables, and NetCDF as it comes from CMIP6 after a mean over the sea."""

import numpy as np
import xarray as xr

SCENARIOS, MEMBERS = ("ssp126", "ssp245"), ("r1i1p1f1", "r2i1p1f1", "r3i1p1f1")


def cmip6(
    path,
    name,
    mean,
    units,
    *,
    calendar="noleap",
    first=2003,
    last=2030,
    scenarios=SCENARIOS,
    members=MEMBERS,
    rivers=None,
    stamp="middle",
    swing=0.4,
    seed=1,
    **attrs,
):
    """Write a monthly variable with time bounds that swings around a mean, and give it back.

    The time stamp stands in the middle of the month, or at its end as some models have it.
    """
    months = 12 * (last - first + 1)
    edges = xr.date_range(f"{first}-01-01", periods=months + 1, freq="MS", calendar=calendar, use_cftime=True)
    coords = {"time": edges[:-1] + (edges[1:] - edges[:-1]) / 2 if stamp == "middle" else edges[1:]}
    shape = []
    for dim, labels in (("experiment", scenarios), ("member", members), ("river", rivers)):
        if labels is not None:
            coords[dim] = list(labels)
            shape.append(len(labels))
    dims = [dim for dim in ("experiment", "member", "river") if dim in coords]
    random = np.random.default_rng(seed).uniform(-swing, swing, (*shape, months))
    values = np.expand_dims(np.asarray(mean, dtype=float), -1) * (1.0 + random)
    dataset = xr.Dataset(
        {
            name: ((*dims, "time"), values, {"units": units}),
            "time_bnds": (("time", "bnds"), np.stack([edges[:-1], edges[1:]], axis=1)),
        },
        coords=coords,
        attrs={"mip_era": "CMIP6", **attrs},
    )
    dataset["time"].attrs["bounds"] = "time_bnds"
    dataset["time"].encoding = {"units": "days since 1850-01-01", "calendar": calendar}
    dataset.to_netcdf(path, engine="h5netcdf")
    dataset = dataset.assign_coords(time=edges[:-1])
    return dataset[name]


def annual_totals(series, per_second):
    """Sum of a series over the years of its own calendar, in units whose number in a second is known."""
    water = series * per_second * 86400.0 * series["time"].dt.days_in_month
    return water.groupby("time.year").sum()


def table(path, values, header="year,evaporation", comment="# units: mm/yr\n", first=2026):
    """Write a CSV file with a value for each year."""
    rows = "".join(f"{first + place},{value}\n" for place, value in enumerate(values))
    path.write_text(f"{comment}{header}\n{rows}", encoding="utf-8")
    return path
