"""Results out of xarray: the same numbers in CSV, workbooks and the tables of scenario databases."""

import gc
import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

import caspian_sim as cs
from caspian_sim import cli
from caspian_sim.config import load_config
from caspian_sim.errors import DataError, OutputError
from caspian_sim.outputs.export import csv_files, default_path, iamc, workbook
from caspian_sim.outputs.export.series import exportable, label, percentile, read_series
from caspian_sim.outputs.export.tables import wide_table

# 21 members: the 5, 50 and 95 % points are the members of rank 1, 10 and 19, without interpolation.
CONFIG = {
    "name": "tiny",
    "title": "=cmd|' /C calc'!A0",
    "period": {"start": 2026, "end": 2030},
    "climate": {"scenarios": ["ssp245", "ssp585"]},
    "uncertainty": {"members": 21},
    "measures": {
        "catalogue": "none",
        "custom": [
            {
                "id": "my-canal",
                "state": "AZ",
                "title": "=1+1 # of a canal",
                "mechanism": "consumption",
                "volume_km3_per_yr": {"low": 1, "best": 2, "high": 3},
                "start": "2026",
                "grade": "D",
                "source": "assumed",
            }
        ],
    },
    "programmes": {"none": {}, "joint": {"participants": ["AZ"]}},
    "consumption": {"change": {"RU": {2026: 0, 2030: 2}}},
    "outcomes": {"thresholds_m": [-29.4, -31], "report_years": [2030]},
    "output": {"quantiles": [0.05, 0.1, 0.5, 0.95]},
}


def run(**output):
    return cs.run(load_config({**CONFIG, "output": {**CONFIG["output"], **output}}))


@pytest.fixture(scope="module")
def ds():
    return run()


@pytest.fixture(scope="module")
def kept():
    return run(keep="quantiles")


@pytest.fixture(scope="module")
def monthly():
    return run(frequency="monthly")


@pytest.fixture(scope="module")
def monthly_kept():
    return run(frequency="monthly", keep="quantiles")


def read(path):
    return pd.read_csv(path, comment="#")


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


# ---- what is exported ---------------------------------------------------------------------------


def test_percentiles_are_those_of_the_members(ds):
    values = read_series(ds, "sea_level").values
    assert list(values["statistic"].values) == ["p05", "p10", "p50", "p95", "mean", "sd"]
    ranked = np.sort(ds.sea_level.transpose("scenario", "programme", "time", "member").values, axis=-1)
    for name, rank in (("p05", 1), ("p10", 2), ("p50", 10), ("p95", 19)):
        assert_allclose(values.sel(statistic=name).values, ranked[..., rank], rtol=1e-14)
    assert_allclose(values.sel(statistic="mean").values, ranked.mean(axis=-1), rtol=1e-14)
    assert_allclose(values.sel(statistic="sd").values, ranked.std(axis=-1), rtol=1e-9)


@pytest.mark.parametrize("pair", [("ds", "kept"), ("monthly", "monthly_kept")])
def test_members_and_statistics_alone_export_the_same_numbers(pair, request):
    full, alone = (request.getfixturevalue(name) for name in pair)
    names = exportable(alone)
    assert set(names) == set(exportable(full)) - {"parameters"}
    for name in names:
        a, b = (wide_table(one, read_series(one, name)) for one in (full, alone))
        pd.testing.assert_frame_equal(a, b, check_exact=False, rtol=1e-12, atol=1e-12)


def test_never_counts_as_later_than_every_year(ds):
    first = read_series(ds, "first_event").values.sel(
        event="sea level below -29.4 m", scenario="ssp245", programme="none"
    )
    years = ds.first_event.sel(event="sea level below -29.4 m", scenario="ssp245", programme="none").values
    ranked = np.sort(np.where(np.isnan(years), np.inf, years))
    assert np.isfinite(ranked[1])
    assert first.sel(statistic="p05") == ranked[1]
    dry = read_series(ds, "first_event").values.sel(event="bay dry")
    assert dry.isnull().all()
    assert "mean" not in first["statistic"].values


def test_a_gain_is_taken_member_by_member(ds):
    gain = read_series(ds, "sea_level_above_none").values.sel(scenario="ssp245", programme="joint", year=2030)
    level = ds.sea_level.sel(scenario="ssp245").isel(time=-1)
    ranked = np.sort((level.sel(programme="joint") - level.sel(programme="none")).values)
    assert_allclose(gain.sel(statistic=["p05", "p50", "p95"]), ranked[[1, 10, 19]], rtol=1e-9)


def test_a_quantile_that_is_named_in_a_column_is_read_back_from_it():
    assert [label(p) for p in (0.05, 0.5, 0.95, 0.005, 0.07)] == ["p05", "p50", "p95", "p0.5", "p07"]
    assert [percentile(name) for name in ("p05", "p97.5", "mean", "sd")] == [5.0, 97.5, None, None]


# ---- CSV ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(ds, tmp_path_factory):
    folder = tmp_path_factory.mktemp("csv") / "tables"
    cs.export(ds, folder)
    return folder


def test_folder_has_a_table_for_each_variable_and_what_is_known_of_them(ds, folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *(f"{name}.csv" for name in exportable(ds)),
        "variables.csv",
        "grades.csv",
        "sources.csv",
        "configuration.yaml",
    }
    assert set(read(folder / "variables.csv")["variable"]) == set(exportable(ds))


def test_long_table_has_a_row_for_each_value(ds, folder):
    table = read(folder / "sea_level.csv")
    assert list(table.columns) == ["variable", "unit", "scenario", "programme", "year", "statistic", "value"]
    assert len(table) == 2 * 2 * 5 * 6
    row = table.query("scenario == 'ssp585' and programme == 'joint' and year == 2028 and statistic == 'p50'")
    level = ds.sea_level.sel(scenario="ssp585", programme="joint").isel(time=2)
    assert_allclose(row["value"], np.sort(level)[10], rtol=1e-9)
    assert set(table["unit"]) == {"m"}


def test_header_says_where_the_numbers_come_from_and_in_which_datum(ds, folder):
    lines = (folder / "sea_level.csv").read_text(encoding="utf-8").splitlines()
    head = "\n".join(line for line in lines if line.startswith("# "))
    assert f"# configuration hash: {ds.attrs['config_hash']}" in head
    assert (
        "# datum: metres in the Baltic Height System (m BHS); Caspian charts count from -28.0 m BHS" in head
    )
    assert "# assumptions, not data (grade D), measures: my-canal" in head
    assert "unit: m; datum: Baltic Height System (BHS); intervals: time: mean" in head


def test_every_parameter_has_its_own_unit_and_grade(ds, folder):
    table = read(folder / "parameters.csv").set_index(["parameter", "statistic"])
    assert table.loc[("groundwater", "p50"), "unit"] == "km3/yr"
    assert table.loc[("volga_sensitivity", "p50"), "unit"] == "%/K"
    assert table.loc[("volga_sensitivity", "p50"), "parameter_grade"] == "D"


def test_grades_and_sources_stand_beside_the_tables(ds, folder):
    grades = read(folder / "grades.csv").set_index("name")
    assert grades.loc["my-canal", ["kind", "state", "grade"]].tolist() == ["measure", "AZ", "D"]
    sources = read(folder / "sources.csv").set_index("dataset")
    entry = cs.data.entry("sea_level_annual")
    assert sources.loc["sea_level_annual", "sha256"] == entry.sha256
    assert sources.loc["sea_level_annual", "grade"] == entry.grade


def test_configuration_beside_the_tables_gives_the_run_again(ds, folder):
    assert load_config(folder / "configuration.yaml").uncertainty.members == 21


def test_text_is_no_formula_and_no_comment(folder):
    text = (folder / "measure_effect.csv").read_text(encoding="utf-8")
    assert '"\'=1+1 # of a canal"' in text
    assert set(read(folder / "measure_effect.csv")["measure_title"]) == {"'=1+1 # of a canal"}


def test_members_are_exported_on_request(ds, tmp_path):
    (file,) = cs.export(ds, tmp_path / "levels.csv", variables=["sea_level"], members=True)
    back = read(file).set_index(["scenario", "programme", "year", "member"])["value"].to_xarray()
    assert_allclose(
        back.sel(scenario="ssp245", programme="joint").values,
        ds.sea_level.sel(scenario="ssp245", programme="joint").transpose("time", "member"),
        rtol=1e-9,
    )


def test_one_table_of_all_variables_leaves_empty_what_a_variable_does_not_have(ds, tmp_path):
    (file,) = cs.export(
        ds, tmp_path / "all.csv", variables=["sea_level", "consumption_change", "share_below"]
    )
    table = read(file)
    assert list(table.columns) == [
        "variable", "unit", "scenario", "programme", "year", "state", "event", "statistic", "value",
    ]  # fmt: skip
    russia = table.query("variable == 'consumption_change' and state == 'RU'").set_index("year")["value"]
    assert russia[2030] == 2
    assert table.query("variable == 'consumption_change'")["statistic"].isna().all()


def test_months_are_written_as_months(monthly, tmp_path):
    cs.export(monthly, tmp_path / "m", variables=["sea_level", "annual_sea_level"])
    assert read(tmp_path / "m" / "sea_level.csv")["time"].iloc[[0, -1]].tolist() == ["2026-01", "2030-12"]
    assert "year" in read(tmp_path / "m" / "annual_sea_level.csv")


def test_any_result_can_be_exported(tmp_path):
    rest = cs.equilibrium()
    cs.export(rest, tmp_path / "rest")
    table = read(tmp_path / "rest" / "sea_area.csv")
    assert table["unit"].tolist() == ["km2"] * rest.sea_area.size
    assert_allclose(table["value"], rest.sea_area.values.ravel(), rtol=1e-9)
    assert_allclose(table["inflow"], rest.inflow, rtol=1e-9)


def test_one_scenario_that_was_selected_keeps_its_name(ds, tmp_path):
    chosen = ds.sel(scenario="ssp585", programme="joint")
    (file,) = cs.export(chosen, tmp_path / "a.csv", variables=["sea_level"])
    assert set(read(file)["scenario"]) == {"ssp585"}
    table, *_ = cs.export(chosen, tmp_path / "b.csv", "iamc", variables=["sea_level", "share_below"])
    assert set(pd.read_csv(table)["Scenario"]) == {"ssp585|joint"}
    (file,) = cs.export(ds.isel(time=-1).sel(programme="none"), tmp_path / "c.csv", variables=["sea_level"])
    assert len(read(file)) == 2 * 5


# ---- workbooks ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book(ds, tmp_path_factory):
    openpyxl = pytest.importorskip("openpyxl")
    file = tmp_path_factory.mktemp("xlsx") / "tiny.xlsx"
    assert cs.export(ds, file, "xlsx") == [file]
    return openpyxl.load_workbook(file)


def test_workbook_has_a_sheet_for_each_variable_and_one_that_says_what_it_is(ds, book):
    assert book.sheetnames == ["readme", *exportable(ds), "grades", "sources", "configuration"]
    about = {row[0].value: row[1].value for row in book["readme"].iter_rows(max_col=2)}
    assert about["configuration hash"] == ds.attrs["config_hash"]
    assert about["datum"].startswith("metres in the Baltic Height System")
    assert about["assumptions, not data (grade D), measures"] == "my-canal"


def test_numbers_of_a_workbook_are_numbers(ds, book):
    first, *rows = book["sea_level"].iter_rows()
    names = [cell.value for cell in first]
    assert names == [
        "variable",
        "unit",
        "scenario",
        "programme",
        "year",
        "p05",
        "p10",
        "p50",
        "p95",
        "mean",
        "sd",
    ]
    assert len(rows) == 2 * 2 * 5
    table = wide_table(ds, read_series(ds, "sea_level"))
    for row, expected in zip(rows, table.itertuples(index=False), strict=True):
        assert [cell.value for cell in row[:5]] == list(expected[:5])
        assert_allclose([cell.value for cell in row[5:]], expected[5:], rtol=1e-15)
        assert row[4].data_type == row[7].data_type == "n"
        assert row[7].number_format == "0.000"


def test_missing_numbers_of_a_workbook_are_empty_cells(book):
    rows = [[cell.value for cell in row] for row in book["first_event"].iter_rows()]
    dry = [row for row in rows if "bay dry" in row]
    assert dry
    assert all(row[-1] is None for row in dry)


def test_text_of_a_workbook_is_never_a_formula(book):
    for sheet in book:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in row)
    titles = {row[6].value for row in book["measure_effect"].iter_rows(min_row=2)}
    assert titles == {"=1+1 # of a canal"}
    assert book["measure_effect"].cell(2, 7).quotePrefix


def test_members_of_a_workbook_stand_side_by_side(ds, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    (file,) = cs.export(ds, tmp_path / "m.xlsx", "xlsx", variables=["sea_level"], members=True)
    first, row, *_ = openpyxl.load_workbook(file)["sea_level"].iter_rows(values_only=True)
    assert first[5:] == tuple(str(i) for i in range(21))
    assert_allclose(row[5:], ds.sea_level.isel(scenario=0, programme=0, time=0), rtol=1e-15)


def test_names_of_sheets_keep_to_the_format():
    taken = set()
    for name in ("a" * 40, "a" * 41, "A" * 31, "x/y:z", "readme"):
        found = workbook.sheet_name(name, {*taken, "readme"})
        assert len(found) <= 31
        assert not set(found) & set("[]:*?/\\")
        assert found.casefold() not in {other.casefold() for other in taken} | {"readme"}
        taken.add(found)


def test_a_table_that_no_sheet_can_hold_is_refused(ds, tmp_path, monkeypatch):
    pytest.importorskip("openpyxl")
    monkeypatch.setattr(workbook, "MOST_COLUMNS", 20)
    with pytest.raises(OutputError) as refused:
        cs.export(ds, tmp_path / "m.xlsx", "xlsx", variables=["sea_level"], members=True)
    assert str(refused.value).endswith(
        "m.xlsx: sea_level does not fit on a sheet\n    found    29 columns\n    allowed  20\n"
        "    hint     --format csv has no limit"
    )
    assert list(tmp_path.iterdir()) == []


def test_workbook_without_the_extra_names_the_command_that_installs_it(ds, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(workbook, "find_spec", lambda name: None if name == "openpyxl" else found(name))
    with pytest.raises(OutputError) as refused:
        cs.export(ds, tmp_path / "a.xlsx", "xlsx")
    assert str(refused.value) == (
        f'{tmp_path / "a.xlsx"}: a workbook needs the extra export: pip install "caspian-sim[export]"'
    )


# ---- scenario databases -------------------------------------------------------------------------


def row_of(table, **at):
    rows = table
    for column, text in at.items():
        rows = rows[rows[column] == text]
    assert len(rows) == 1, at
    return rows.iloc[0]


def test_iamc_table_is_wide_with_years_as_columns(ds):
    table = iamc.iamc_table(ds, ["sea_level"])
    assert list(table.columns) == ["Model", "Scenario", "Region", "Variable", "Unit", *range(2026, 2031)]
    row = row_of(table, Scenario="ssp245|joint", Variable="Sea Level|95.0th Percentile")
    assert row[["Model", "Region", "Unit"]].tolist() == [f"caspian_sim {cs.__version__}", "Caspian Sea", "m"]
    level = np.sort(ds.sea_level.sel(scenario="ssp245", programme="joint").values, axis=0)
    assert_allclose(row[list(range(2026, 2031))].astype(float), level[19], rtol=1e-14)


def test_what_belongs_to_a_state_stands_in_its_region(ds):
    table = iamc.iamc_table(ds, ["measure_effect", "consumption_change", "global_warming"])
    measure = table[table["Variable"].str.contains("my-canal")]
    assert set(measure["Region"]) == {"Azerbaijan"}
    change = row_of(
        table, Scenario="ssp585|none", Region="Russia", Variable="Water Balance|Consumption Change"
    )
    assert change[2030] == pytest.approx(2)
    assert set(table[table["Unit"] == "K"]["Region"]) == {"World"}


def test_probabilities_are_percent(ds):
    table = iamc.iamc_table(ds, ["share_below"])
    row = row_of(table, Scenario="ssp245|none", Variable="Probability|Sea Level Below -29.4 m")
    below = (ds.sea_level.sel(scenario="ssp245", programme="none").values < -29.4).any(axis=-1)
    crossed = ds.first_event.sel(scenario="ssp245", programme="none", event="sea level below -29.4 m") < 2031
    assert row["Unit"] == "%"
    assert row[2030] == pytest.approx(100 * (below | crossed.values).mean())


def test_months_become_annual_means_before_quantiles_are_taken(ds, monthly):
    by_year = {name: iamc.iamc_table(ds, [name]) for name in ("evaporation", "sea_volume", "groundwater")}
    for name, expected in by_year.items():
        pd.testing.assert_frame_equal(iamc.iamc_table(monthly, [name]), expected, rtol=1e-9)
    level = iamc.iamc_table(monthly, ["annual_sea_level"])
    pd.testing.assert_frame_equal(level, iamc.iamc_table(ds, ["sea_level"]), rtol=1e-9)


def test_of_statistics_by_month_only_what_has_an_annual_value_is_exported(monthly_kept, ds):
    names = iamc.iamc_variables(monthly_kept, exportable(monthly_kept))
    table = iamc.iamc_table(monthly_kept, names)
    evaporation = table[table["Variable"].str.startswith("Water Balance|Evaporation")]
    assert set(evaporation["Variable"]) == {"Water Balance|Evaporation|Mean"}
    expected = iamc.iamc_table(ds, ["evaporation"])
    expected = expected[expected["Variable"] == "Water Balance|Evaporation|Mean"].reset_index(drop=True)
    pd.testing.assert_frame_equal(evaporation.reset_index(drop=True), expected, rtol=1e-9)
    assert "Sea Level|50.0th Percentile" in set(table["Variable"])


def test_every_variable_of_a_database_is_defined(ds, tmp_path):
    files = cs.export(ds, tmp_path / "t.csv", "iamc")
    assert [file.name for file in files] == ["t.csv", "t-meta.csv", "t-variables.csv"]
    table, meta, defined = (pd.read_csv(file) for file in files)
    endings = r"\|(?:[\d.]+th Percentile|Mean|Standard Deviation)$"
    bare = table["Variable"].str.replace(endings, "", regex=True)
    assert set(bare) == set(defined["variable"])
    assert (
        "evidence grade D" in row_of(defined, variable="Water Balance|Measure Effect|my-canal")["description"]
    )
    assert set(meta["configuration hash"]) == {ds.attrs["config_hash"]}
    assert set(meta["reference level (m BHS)"]) == {-29.22}


def test_no_two_rows_of_a_database_have_the_same_name(ds):
    table = iamc.iamc_table(ds, iamc.iamc_variables(ds, exportable(ds)))
    assert not table.duplicated(list(iamc.INDEX)).any()


def test_a_result_without_scenarios_has_no_place_in_a_database(tmp_path):
    with pytest.raises(DataError) as refused:
        cs.export(cs.equilibrium(), tmp_path / "a.csv", "iamc")
    assert str(refused.value).startswith(
        "the IAMC format needs the dataset of a run, with scenarios and programmes\n    found    "
    )


@pytest.fixture(scope="module")
def pyam():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of what it imports
        return pytest.importorskip("pyam")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_pyam_reads_the_table_its_provenance_and_its_units(ds, pyam, tmp_path, ending):
    file, *beside = cs.export(ds, tmp_path / f"t{ending}", "iamc")
    frame = pyam.IamDataFrame(file)
    if beside:
        frame.load_meta(beside[0])
    assert frame.scenario == ["ssp245|joint", "ssp245|none", "ssp585|joint", "ssp585|none"]
    assert set(frame.meta["configuration hash"]) == {ds.attrs["config_hash"]}
    median = frame.filter(scenario="ssp585|none", variable="Sea Level|50.0th Percentile", year=2030)
    level = ds.sea_level.sel(scenario="ssp585", programme="none").isel(time=-1)
    assert_allclose(median.data["value"], level.median(), rtol=1e-9)
    area = frame.filter(variable="Sea Area|Mean").convert_unit("km^2", "hectare")
    assert_allclose(area.data["value"].mean(), 100 * ds.sea_area.mean(), rtol=1e-9)
    flow = frame.filter(variable="Water Balance|Evaporation|Mean").convert_unit("km^3/yr", "m^3/s")
    assert_allclose(flow.data["value"].mean(), ds.evaporation.mean() * 1e9 / (365.25 * 86400), rtol=1e-4)
    del frame, median, area, flow
    gc.collect()  # pyam leaves workbooks open


# ---- whole or not at all, and messages ----------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "name"), [("csv", "out"), ("csv", "o.csv"), ("iamc", "o.csv"), ("xlsx", "o.xlsx")]
)
def test_export_that_fails_leaves_what_was_there(ds, tmp_path, monkeypatch, format, name):
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    cs.export(ds, tmp_path / name, format, variables=["sea_level"])
    folder = tmp_path / "out" if name == "out" else tmp_path
    before = contents(folder)

    def fail(*_, **__):
        raise OutputError("no")

    monkeypatch.setattr(csv_files, "sources_table", fail)
    monkeypatch.setattr(csv_files, "csv_text", fail)
    monkeypatch.setattr(workbook, "sources_table", fail)
    monkeypatch.setattr(iamc, "definitions_table", fail)
    with pytest.raises(OutputError, match=r"^no$"):
        cs.export(ds, tmp_path / name, format, variables=["sea_level"], overwrite=True)
    assert contents(folder) == before


def test_files_are_not_replaced_unless_asked_for(ds, tmp_path):
    cs.export(ds, tmp_path / "a.csv", variables=["sea_level"])
    with pytest.raises(OutputError, match="there are results already"):
        cs.export(ds, tmp_path / "a.csv", variables=["sea_level"])
    cs.export(ds, tmp_path / "a.csv", variables=["sea_area"], overwrite=True)
    assert set(read(tmp_path / "a.csv")["variable"]) == {"sea_area"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"format": "xls"},
            "no format 'xls' to export to\n    found    'xls'\n    allowed  csv, xlsx, iamc\n"
            "    hint     did you mean 'xlsx'?",
        ),
        (
            {"format": "iamc"},
            "PATH: not a name for the format iamc\n    found    no ending\n    allowed  .csv or .xlsx",
        ),
        (
            {"format": "csv", "ending": ".xlsx"},
            "PATH: not a name for the format csv\n    found    .xlsx\n    allowed  .csv, or a folder",
        ),
        (
            {"variables": ["sea_lvel"]},
            "no variable 'sea_lvel' to export\n    found    'sea_lvel'\n    allowed  ALLOWED\n"
            "    hint     did you mean 'sea_level'?",
        ),
        ({"variables": []}, "no variable to export\n    found    none\n    allowed  ALLOWED"),
        (
            {"format": "iamc", "members": True, "ending": ".csv"},
            "the IAMC format has no members\n    found    members\n    allowed  statistics over them\n"
            "    hint     the format csv has every member",
        ),
    ],
)
def test_what_is_wrong_is_said_in_full(ds, tmp_path, arguments, message):
    target = tmp_path / f"out{arguments.pop('ending', '')}"
    with pytest.raises((OutputError, DataError)) as refused:
        cs.export(ds, target, **arguments)
    expected = message.replace("PATH", str(target)).replace("ALLOWED", ", ".join(exportable(ds)))
    assert str(refused.value) == expected
    assert list(tmp_path.iterdir()) == []


def test_members_that_were_not_kept_cannot_be_exported(kept, tmp_path):
    with pytest.raises(DataError) as refused:
        cs.export(kept, tmp_path / "a", members=True)
    assert str(refused.value) == (
        "an export of members needs the members of the run\n    found    statistics over the members alone\n"
        "    hint     run again with output.keep: members or both"
    )


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_command_writes_beside_the_dataset_and_names_the_files(ds, tmp_path):
    cs.save(ds, tmp_path / "tiny" / "tiny.nc")
    done = call("export", tmp_path / "tiny", "--variables", "sea_level, sea_area")
    assert done.exit_code == 0, done.output
    files = [Path(line) for line in done.stdout.splitlines()]
    assert files[0] == tmp_path / "tiny" / "csv" / "sea_level.csv"
    assert all(file.is_file() for file in files)
    again = call("export", tmp_path / "tiny" / "tiny.nc", "--variables", "sea_level")
    assert again.exit_code == 2
    assert "there are results already" in again.stderr
    assert call("export", tmp_path / "tiny" / "tiny.nc", "--format", "iamc", "--quiet").stdout == ""
    assert (tmp_path / "tiny" / "tiny-iamc.csv").is_file()


def test_command_says_what_is_wrong_before_it_reads_the_dataset(tmp_path):
    wrong = call("export", tmp_path / "nothing.nc", "--format", "exel")
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith(
        "no format 'exel' to export to\n    found    'exel'\n    allowed  csv, xlsx, iamc"
    )
    missing = call("export", tmp_path / "nothing.nc")
    assert missing.exit_code == 2
    assert "no such file" in missing.stderr


def test_an_export_goes_into_the_folder_of_the_results(tmp_path):
    (tmp_path / "joint").mkdir()
    assert default_path(tmp_path / "joint", "xlsx") == tmp_path / "joint" / "joint.xlsx"
    assert default_path(tmp_path / "joint" / "x.nc", "iamc") == tmp_path / "joint" / "x-iamc.csv"
    assert default_path(tmp_path / "big.zarr", "csv") == tmp_path / "csv"
