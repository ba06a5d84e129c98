"""Speed of other models on comparable work, each in an interpreter of its own: ``python peers.py NAME``.

Prints member-years per second as JSON, or why the model is absent. Called by throughput.py.
"""

import importlib
import json
import shutil
import sys
import time

YEARS = 75


def fair() -> float:
    """FaIR 2: three-layer energy balance with stochastic forcing, one scenario, annual steps."""
    numpy = importlib.import_module("numpy")
    interface = importlib.import_module("fair.interface")
    members = 2000
    model = importlib.import_module("fair").FAIR()
    model.define_time(2026, 2026 + YEARS, 1)
    model.define_scenarios(["warming"])
    model.define_configs([str(member) for member in range(members)])
    kind = {"type": "solar", "input_mode": "forcing", "greenhouse_gas": False}
    kind |= {"aerosol_chemistry_from_emissions": False, "aerosol_chemistry_from_concentration": False}
    model.define_species(["forcing"], {"forcing": kind})
    model.allocate()
    interface.fill(model.forcing, numpy.linspace(3.0, 7.0, YEARS + 1)[:, None, None, None])
    parameters = {
        "ocean_heat_capacity": numpy.array([8.0, 14.0, 100.0]),
        "ocean_heat_transfer": numpy.array([1.1, 1.6, 0.9]),
        "deep_ocean_efficacy": 1.1,
        "gamma_autocorrelation": 3.0,
        "sigma_eta": 0.5,
        "sigma_xi": 0.5,
        "seed": numpy.arange(members),
        "stochastic_run": True,
        "use_seed": True,
        "forcing_4co2": 8.0,
    }
    for name, value in parameters.items():
        interface.fill(model.climate_configs[name], value)
    for values in (model.temperature, model.cumulative_emissions, model.airborne_emissions):
        interface.initialise(values, 0.0)
    interface.fill(model.species_configs["forcing_scale"], 1.0)
    interface.fill(model.species_configs["forcing_efficacy"], 1.0)
    begin = time.perf_counter()
    model.run(progress=False)
    seconds = time.perf_counter() - begin
    assert numpy.isfinite(model.temperature.values).all()
    return members * YEARS / seconds


def pywr() -> float:
    """Pywr: one reservoir with inflow of its own in every scenario and a constant demand, monthly steps."""
    numpy = importlib.import_module("numpy")
    core, parameters = importlib.import_module("pywr.core"), importlib.import_module("pywr.parameters")
    members, months = 200, 12 * YEARS
    model = core.Model(start="2026-01-01", end=f"{2025 + YEARS}-12-31", timestep="M")
    scenario = core.Scenario(model, "member", size=members)
    inflow = numpy.random.default_rng(1).gamma(4.0, 0.2, (months, members))
    index = importlib.import_module("pandas").period_range("2026-01", periods=months, freq="M")
    frame = importlib.import_module("pandas").DataFrame(inflow, index=index)
    river = core.Input(
        model, "river", max_flow=parameters.DataFrameParameter(model, frame, scenario=scenario)
    )
    lake = core.Storage(model, "lake", max_volume=1e4, initial_volume=5e3, outputs=1, inputs=1)
    demand = core.Output(model, "demand", max_flow=0.8, cost=-10.0)
    river.connect(lake)
    lake.connect(demand)
    importlib.import_module("pywr.recorders").NumpyArrayStorageRecorder(model, lake)
    model.setup()
    begin = time.perf_counter()
    model.run()
    return members * YEARS / (time.perf_counter() - begin)


def ribasim() -> float:
    """Ribasim: its Python package only writes models, the core that runs them is a program of its own."""
    importlib.import_module("ribasim")
    if shutil.which("ribasim") is None:
        raise ImportError("the Python package installs, the program ribasim that runs models is not there")
    raise ImportError("not measured")


if __name__ == "__main__":
    name = sys.argv[1]
    try:
        print(json.dumps({"rate": {"fair": fair, "pywr": pywr, "ribasim": ribasim}[name]()}))
    except ImportError as error:
        print(json.dumps({"absent": str(error)}))
