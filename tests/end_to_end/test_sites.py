"""Base stations of the user's own, end to end: the lattice written to a file and read back is the lattice; wrong input is said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import msmf_traci as msmf
from tests.conftest import Command

WORDS = ("mobility.vehicles=15", "mobility.depart_window_s=10", "strategies=[nearest,pm,pm_op,never,oracle]")
# circles around stations end elsewhere than hexagons: docs/model-notes.md
NOT_THE_SAME = "outside_s"


@pytest.fixture(autouse=True)
def shared_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this process use the cache of the session."""
    monkeypatch.setenv("MSMF_CACHE_DIR", str(cache))


def test_centres_of_the_lattice_as_sites_give_the_tables_of_the_lattice(tmp_path: Path) -> None:
    lattice = msmf.run(*WORDS, f"output.dir={tmp_path / 'lattice'}")
    centres = lattice.cells[["cell", "x_m", "y_m"]].sample(frac=1, random_state=2)
    centres.rename(columns={"cell": "id"}).to_csv(tmp_path / "centres.csv", index=False)
    recording = msmf.recording(lattice).path
    sites = msmf.run(
        "strategies=[nearest,pm,pm_op,never,oracle]",
        "mobility.source=recording",
        f"mobility.recording_file={recording}",
        "deployment=sites",
        f"deployment.file={tmp_path / 'centres.csv'}",
        "deployment.max_radius_m=289",
        f"output.dir={tmp_path / 'sites'}",
    )
    assert sites.facts["deployment"]["sites"] == {"rows": 331, "without_position": 0, "merged": 0, "outside_outline": 0}
    for name in ("vehicles", "migrations"):
        ours, theirs = sites.table(name), lattice.table(name)
        assert len(ours) == len(theirs) > 0
        for column in theirs.columns.drop(NOT_THE_SAME, errors="ignore"):
            if pd.api.types.is_numeric_dtype(theirs[column]):
                np.testing.assert_allclose(ours[column].to_numpy(float), theirs[column].to_numpy(float), rtol=1e-6, atol=1e-6)
            else:
                assert (ours[column].fillna("") == theirs[column].fillna("")).all()
    assert set(sites.cells["cell"]) == set(lattice.cells["cell"])


def test_sites_are_drawn(tmp_path: Path) -> None:
    rows = [f"s{i},{400 * (i % 5)},{500 * (i // 5)}" for i in range(25)]
    (tmp_path / "sites.csv").write_text("\n".join(["id,x,y", *rows]))
    words = ("strategies=[nearest,pm_tier]", "output.trace=true", "deployment=sites", f"deployment.file={tmp_path / 'sites.csv'}")
    run = msmf.run("mobility.vehicles=10", *words, f"output.dir={tmp_path / 'run'}")
    assert set(run.migrations["target"].str.partition(":")[0]) == {"L", "R"}
    page = msmf.report(run, out=tmp_path / "page", replay=True)
    text = Path(page).read_text(encoding="utf-8")
    assert "Where transfers fail" in text and '"cell": "s12"' in text.replace('"cell":"', '"cell": "')


BAD = [
    ("deployment=sites", "needs deployment.file=FILE"),
    ("deployment.file=a.csv", "add deployment=sites"),
    ("deployment.merge_m=5", "add deployment=sites"),
    ("deployment.columns.lon=a", "add deployment=sites"),
    ("deployment=sites deployment.file=a.csv deployment.rings=3", "deployment.rings is for the lattice"),
    (
        "deployment=sites deployment.file=a.csv tiers.regional.rings=3",
        "tiers.regional.rings=3 is for area=rings, but tiers.regional.area=clusters",
    ),
    ("deployment=sites deployment.file=missing.csv", "there is no such file"),
    ("deployment=sites deployment.file=far.csv", "none of its 2 base stations lies in the rectangle around network"),
    ("deployment=sites deployment.file=degrees.csv", "has no projection; give x and y in metres"),
    ("deployment=sites deployment.file=a.csv deployment.bbox=[2,0,1,1]", "is not an area"),
    ("deployment=places", "deployment=places"),
]


@pytest.mark.parametrize(("words", "said"), BAD)
def test_wrong_deployments_are_said_in_one_sentence(words: str, said: str, tmp_path: Path, called: Command) -> None:
    (tmp_path / "a.csv").write_text("id,x,y\na,0,0\nb,500,0\n")
    (tmp_path / "far.csv").write_text("id,x,y\na,900000,0\nb,900500,0\n")
    (tmp_path / "degrees.csv").write_text("id,lon,lat\na,11.1,44\n")
    done = called(tmp_path, *words.split())
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
