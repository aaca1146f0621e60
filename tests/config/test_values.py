"""Values at the ends of what options take: names and texts of every kind, and numbers whose products no table could hold."""

from pathlib import Path

import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.errors import InputError
from msmf_traci.strategies.plugins import load_strategies


@pytest.mark.parametrize("typed", ["5", "1e3", "false", "-0.0", "nan", "a b", "007"])
def test_a_text_is_what_was_typed(typed: str) -> None:
    (point,) = read_request([f"output.dir={typed}"]).points
    assert point.config.output.dir == typed


def test_no_text_is_null() -> None:
    (point,) = read_request(["output.dir=null"]).points
    assert point.config.output.dir is None


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("scenario.name=../../x", "without / or"),
        ("scenario.name=a/b", "without / or"),
        ("scenario.name=", "1 to 100 printable characters"),
        ('scenario.name="a\nb"', "printable characters"),
        ("scenario.name=.sweep", "not begin with a dot"),
        (f"scenario.name={'x' * 300}", "1 to 100 printable characters"),
        ("tiers.local.capacity=18446744073709551616", "less than or equal to 1000000000"),
        ("variants.tiers.local.capacity=[18446744073709551616]", "less than or equal to 1000000000"),
        ("mobility.gps.number=18446744073709551616", "less than or equal to 1000000000"),
        ("mobility.max_duration_s=1e300", "less than or equal to 1000000000"),
        ("workload.image_mb=1e300", "up to 1e+09"),
        ("workload.memory_mb=[1,1e300]", "up to 1e+09"),
        ("workload.latency_levels_ms=[1e300,1,1]", "less than or equal to 1000000000"),
        ("workload.dirty_threshold_mbit=1e300", "less than or equal to 1000000000"),
        ("deployment.center={x:1e300,y:0}", "finite"),
        (f"strategies={'[' * 200}pm{']' * 200}", "cannot be"),
    ],
)
def test_what_no_table_or_folder_could_hold_is_one_sentence(word: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_request([word])
    assert said in str(refused.value)


def test_the_experiment_that_a_file_names_is_no_way_out_of_the_results(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "sly.yaml").write_text("# @package _global_\nexperiment: ../../sly\n")
    with pytest.raises(InputError, match=r"experiment=\.\./\.\./sly: must be a name"):
        read_request(["experiment=sly"], config_dir=str(tmp_path))


@pytest.mark.parametrize("name", ["", "a\\nb", "a/b", "x" * 256, ".."])
def test_a_strategys_name_is_one_that_tables_and_files_can_have(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = f"named_{abs(hash(name))}"
    code = f"from msmf_traci.strategies.never import Never\nclass Own(Never):\n    name = '{name}'\n"
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="must be a name of 1 to 100 printable characters"):
        load_strategies([f"{module}:Own"])


@pytest.mark.parametrize(
    ("word", "option", "value"),
    [
        ("strategies=pm", "strategies", ["pm"]),
        ("mobility.gui=yes", "mobility.gui", True),
        ("output.trace=off", "output.trace", False),
        ("output.speed_bands_kmh=30", "output.speed_bands_kmh", [30.0]),
        ("variants.links.bandwidth_mbps=50", "variants.links.bandwidth_mbps", [50.0]),
        ("workload.image_mb=500", "workload.image_mb", 500.0),
    ],
)
def test_what_people_write_by_habit_is_taken_as_it_is_meant(word: str, option: str, value: object) -> None:
    found: object = read_request([word]).points[0].config
    for part in option.split("."):
        found = getattr(found, part)
    assert found == value


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("variants.mobility.speed_kmh=[5,20]", "make a sweep instead: -m mobility.speed_kmh=VALUE,VALUE"),
        ("variants.seed=[0,1]", "make a sweep instead: -m seed=VALUE,VALUE"),
        ("variants.strategies=[pm]", "all strategies share the pass already: write 'strategies=[pm,oracle]'"),
    ],
)
def test_what_no_pass_can_vary_gets_advice_that_works(word: str, advice: str) -> None:
    with pytest.raises(InputError) as error:
        read_request([word])
    assert str(error.value).endswith(advice)


@pytest.mark.parametrize("word", ["mobility.gui=maybe", "strategies={a: 1}", "workload.memory_mb=text", "seed=yes"])
def test_what_means_nothing_is_refused(word: str) -> None:
    with pytest.raises(InputError):
        read_request([word])
