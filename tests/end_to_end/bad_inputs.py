"""Everything a user can get wrong, by kind: (kind, words of the command line, words that the sentence must hold).

`{f}` stands for the folder that `make_files` fills, `{braunschweig}` for a network of SUMO's games.
"""

import gzip
from pathlib import Path

NET = """<net version="1.20"><location netOffset="0.00,0.00" convBoundary="0.00,0.00,{size},{size}" origBoundary="0,0,1,1" projParameter="!"/>
<edge id="a" from="n0" to="n1" priority="1"><lane id="a_0" index="0" {allow} speed="13.9" length="{size}.00" shape="0.00,0.00 {size}.00,0.00"/></edge>
<edge id="b" from="n1" to="n0" priority="1"><lane id="b_0" index="0" {allow} speed="13.9" length="{size}.00" shape="{size}.00,8.00 0.00,8.00"/></edge>
<junction id="n0" type="dead_end" x="0.00" y="0.00" incLanes="b_0" intLanes="" shape="0.00,0.00 0.00,8.00"/>
<junction id="n1" type="dead_end" x="{size}.00" y="0.00" incLanes="a_0" intLanes="" shape="{size}.00,0.00 {size}.00,8.00"/>
</net>
"""
OSM_HEAD = '<?xml version="1.0"?>\n<osm version="0.6">\n'
OSM_NODES = '<node id="1" lat="39.9" lon="116.4"/>\n<node id="2" lat="39.91" lon="116.41"/>\n'
OSM_WAY = '<way id="7"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>\n'
SUMOCFG = '<configuration><input><net-file value="{net}"/><route-files value="{routes}"/></input></configuration>'


def make_files(folder: Path) -> None:
    """Files of every wrong kind, and a few right ones."""
    (folder / "empty.osm").touch()
    (folder / "empty.osm.pbf").touch()
    (folder / "page.osm").write_text("<!DOCTYPE html><html><body>429 Too Many Requests</body></html>")
    (folder / "page.osm.pbf").write_text("<html>not found</html>")
    (folder / "truncated.osm").write_text(OSM_HEAD + OSM_NODES + OSM_WAY)
    whole = gzip.compress((OSM_HEAD + OSM_NODES * 2000 + OSM_WAY + "</osm>").encode(), 1)
    (folder / "truncated.osm.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "plain.osm.gz").write_text(OSM_HEAD + OSM_NODES + OSM_WAY + "</osm>")
    (folder / "roadless.osm").write_text(OSM_HEAD + OSM_NODES + "</osm>")
    (folder / "footpath.osm").write_text(OSM_HEAD + OSM_NODES + OSM_WAY.replace("primary", "footway") + "</osm>")
    (folder / "good.osm").write_text(OSM_HEAD + OSM_NODES + OSM_WAY + "</osm>")
    (folder / "other.osm").write_text('<?xml version="1.0"?><gpx></gpx>')
    (folder / "catalogue.csv").write_text("image,layer,size_mb,weight\na,base,5,1\n")
    (folder / "weightless.csv").write_text("image,layer,size_mb,weight\na,base,5,0\n")
    (folder / "no_weight.csv").write_text("image,layer,size_mb\na,base,5\n")
    (folder / "two_sizes.csv").write_text("image,layer,size_mb,weight\na,base,5,1\nb,base,6,1\n")
    (folder / "two_weights.csv").write_text("image,layer,size_mb,weight\na,base,5,1\na,own,6,2\n")
    (folder / "no_size.csv").write_text("image,layer,size_mb,weight\na,base,much,1\n")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (folder / "small.net.xml").write_text(NET.format(size=400, allow=""))
    (folder / "sparse.net.xml").write_text(
        NET.format(size=400, allow="").replace('convBoundary="0.00,0.00,400,400"', 'convBoundary="0.00,0.00,4000,4000"')
    )
    (folder / "large.net.xml").write_text(NET.format(size=4000, allow=""))
    (folder / "tram.net.xml").write_text(NET.format(size=4000, allow='allow="tram"'))
    (folder / "cut.net.xml").write_text(NET.format(size=4000, allow="")[:300])
    (folder / "empty.net.xml").touch()
    (folder / "routes.rou.xml").write_text('<routes><vehicle id="x" depart="0"><route edges="a"/></vehicle></routes>')
    (folder / "foreign.rou.xml").write_text('<routes><vehicle id="x" depart="0"><route edges="nowhere"/></vehicle></routes>')
    (folder / "nonet.sumocfg").write_text("<configuration><input/></configuration>")
    (folder / "lost.sumocfg").write_text(SUMOCFG.format(net="gone.net.xml", routes="routes.rou.xml"))
    (folder / "unended.rou.xml").write_text('<routes>\n<vehicle id="x" depart="0"><route edges="a"/>\n</routes>')
    own = SUMOCFG.format(net="large.net.xml", routes="routes.rou.xml")
    (folder / "meso.sumocfg").write_text(own.replace("</input>", '</input><mesosim value="true"/>'))
    (folder / "socket.sumocfg").write_text(own.replace("</input>", '</input><fcd-output value="localhost:9"/>'))
    (folder / "misspelt.sumocfg").write_text(own.replace("net-file", "net-fiel"))
    (folder / "bad.yaml").write_text("street_spacing_m: [1,")
    (folder / "misspelt.yaml").write_text("street_spacing: 400")
    (folder / "negative.yaml").write_text("street_spacing_m: -400")
    (folder / "not_strategy.py").write_text("class Thing:\n    pass\n")
    (folder / "broken.py").write_text("raise RuntimeError('boom')\n")
    (folder / "file").write_text("")
    (folder / "com,ma.net.xml").write_text(NET.format(size=4000, allow=""))
    (folder / "m,x.osm").write_text(OSM_HEAD + OSM_NODES + OSM_WAY + "</osm>")
    (folder / "damaged.net.xml.gz").write_bytes(gzip.compress(NET.format(size=4000, allow="").encode())[:-8] + b"\0" * 8)
    (folder / "rings.yaml").write_text("ring_offsets_lines: 5")
    (folder / "huge.yaml").write_text("outline_radius_m: 90000")
    (folder / "unmade.py").write_text(
        "from msmf_traci.strategies.never import Never\nclass Unmade(Never):\n    name = 'unmade'\n    def __init__(self):\n        pass\n"
    )
    _make_traces(folder)
    own = folder / "own" / "experiment"
    own.mkdir(parents=True)
    (own / "unglobal.yaml").write_text("mobility:\n  speed_kmh: 30\n")
    (own / "broken.yaml").write_text("# @package _global_\nmobility: [\n")
    (own / "misspelt.yaml").write_text("# @package _global_\nmobility:\n  sped_kmh: 30\n")
    (folder / "old_sumo" / "bin").mkdir(parents=True)
    old = folder / "old_sumo" / "bin" / "sumo"
    old.write_text("#!/bin/sh\necho Eclipse SUMO sumo Version 1.20.0\n")
    old.chmod(0o755)


def _make_traces(folder: Path) -> None:
    """GPS traces of every wrong kind, and right ones in Braunschweig."""
    (folder / "empty.plt").touch()
    for ending in ("plt", "csv", "gpx"):
        (folder / f"photo.{ending}").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\n" * 40)
    (folder / "no_traces").mkdir()
    (folder / "no_traces" / "readme.txt").write_text("nothing here\n")
    rows = [(f"t{i // 100}", 1_224_000_000 + i % 100, 52.28, 10.53 + i * 1e-5, "car") for i in range(200)]
    tables = {
        "good": rows,
        "swapped": [(name, t, lon, lat, mode) for name, t, lat, lon, mode in rows],
        "beijing": [(name, t, 39.9, 116.4 + lon - 10.53, mode) for name, t, lat, lon, mode in rows],
        "text": [*rows[:50], ("t0", 1_224_000_050, "north", 10.53, "car")],
        "single": [(f"t{i}", t, lat, lon, mode) for i, (name, t, lat, lon, mode) in enumerate(rows)],
    }
    for name, table in tables.items():
        (folder / f"{name}.csv").write_text("id,t,lat,lon,mode\n" + "".join(",".join(map(str, row)) + "\n" for row in table))


OWN = "scenario=sumo scenario.net_file={f}/large.net.xml"
GPS = "scenario=sumo scenario.net_file={braunschweig} mobility.source=gps mobility.gps.path={f}/"

CASES: list[tuple[str, str, str]] = [
    ("unknown strategy", "strategies=[pn]", "did you mean pm?"),
    ("unknown strategy", "strategies=[pm,teleporter]", "there is no strategy"),
    ("unknown strategy", "strategies=[pm,no_such_module:Thing]", "no module"),
    ("unknown strategy", "strategies=[not_strategy:Thing]", "is no strategy"),
    ("unknown strategy", "strategies=[not_strategy:Thin]", "no class Thin"),
    ("unknown strategy", "strategies=[broken:Thing]", "boom"),
    ("unknown strategy", "strategies=[pm,pm]", "twice"),
    ("unknown group", "scenario=bejing", "did you mean beijing?"),
    ("unknown group", "experiment=table2", "there is no experiment 'table2'"),
    ("unknown group", "scenari=beijing", "did you mean scenario?"),
    ("unknown option", "mobility.sped_kmh=20", "did you mean mobility.speed_kmh?"),
    ("unknown option", "image_mb=500", "did you mean workload.image_mb?"),
    ("unknown option", "mobility=20", "holds several options"),
    ("unknown option", "--fast", "--fast"),
    ("unknown option", "speed", "speed"),
    ("unknown option", "mobility.speed_kmh=[1", "cannot be read"),
    ("unknown option", "mobility.speed_mode=freee", "mobility.speed_mode"),
    ("zero", "mobility.vehicles=0", "mobility.vehicles=0"),
    ("zero", "links.bandwidth_mbps=0", "links.bandwidth_mbps=0"),
    ("zero", "mobility.speed_kmh=0", "mobility.speed_kmh=0"),
    ("zero", "workload.dirty_threshold_mbit=0", "greater than or equal to 0.1"),
    ("negative", "mobility.speed_kmh=-5", "greater than 0"),
    ("negative", "workload.memory_mb=-1", "workload.memory_mb=-1"),
    ("negative", "seed=-1", "seed=-1"),
    ("not a number", "mobility.speed_kmh=nan", "mobility.speed_kmh=nan"),
    ("not a number", "prediction.slack_m=nan", "finite"),
    ("infinite", "mobility.max_duration_s=inf", "finite"),
    ("infinite", "workload.image_mb=[100,inf]", "finite"),
    ("non-numeric", "mobility.speed_kmh=fast", "number"),
    ("non-numeric", "mobility.vehicles=2.5", "mobility.vehicles=2.5"),
    ("non-numeric", "mobility.vehicles=true", "integer"),
    ("empty range", "workload.image_mb=[2000,100]", "empty"),
    ("empty range", "workload.image_mb=[]", "workload.image_mb=[]"),
    ("empty range", "output.speed_bands_kmh=[50,20]", "must rise"),
    ("weights", "workload.latency_weights=[0.2,0.4,0.3]", "add up to 0.9"),
    ("weights", "workload.latency_weights=[0.5,0.5]", "one weight for each level"),
    ("map missing", "scenario=osm", "needs a map"),
    ("map missing", "scenario=osm scenario.map_file={f}/none.osm", "no such file"),
    ("map missing", "scenario=beijing", "msmf-traci fetch"),
    ("map empty", "scenario=osm scenario.map_file={f}/empty.osm", "is empty"),
    ("map empty", "scenario=beijing scenario.map_file={f}/empty.osm.pbf", "is empty"),
    ("map truncated", "scenario=osm scenario.map_file={f}/truncated.osm", "truncated"),
    ("map truncated", "scenario=osm scenario.map_file={f}/truncated.osm.gz", "truncated"),
    ("map HTML", "scenario=osm scenario.map_file={f}/page.osm", "web page"),
    ("map HTML", "scenario=osm scenario.map_file={f}/page.osm.pbf", "page.osm.pbf"),
    ("map foreign", "scenario=osm scenario.map_file={f}/photo.jpg", "must end in"),
    ("map foreign", "scenario=osm scenario.map_file={f}/plain.osm.gz", "gzip"),
    ("map foreign", "scenario=osm scenario.map_file={f}/other.osm", "<gpx>"),
    ("map foreign", "scenario=osm scenario.map_file={f}/roadless.osm", "no roads"),
    ("no overlap", "scenario=osm scenario.map_file={f}/good.osm scenario.bbox=[10,50,11,51]", "no road"),
    ("no overlap", "scenario=osm scenario.map_file={f}/good.osm deployment.center={{lon:10,lat:50}} deployment.rings=5", "does not overlap"),
    ("no overlap", OWN + " deployment.center={{x:90000,y:0}} deployment.rings=3", "does not overlap"),
    ("no passenger roads", "scenario=sumo scenario.net_file={f}/tram.net.xml", "no road open to passenger cars"),
    ("no passenger roads", "scenario=osm scenario.map_file={f}/footpath.osm", "no road"),
    ("no projection", OWN + " deployment.center={{lon:116.4,lat:39.9}}", "no projection"),
    ("no projection", "deployment.center={{lon:116.4,lat:39.9}}", "no projection"),
    ("center", "deployment.center={{lon:116.4}}", "deployment.center"),
    ("center", "deployment.center={{lon:500,lat:0}} scenario=beijing", "-180..180"),
    ("launcher", "-m seed=0,1 hydra/launcher=jobli", "did you mean joblib?"),
    ("launcher", "-m seed=0,1 hydra/launcher=joblib,ray", "one launcher"),
    ("launcher", "seed=1 hydra/launcher=joblib", "add -m"),
    ("launcher", "-m seed=0,1 hydra.launcher.n_jobs=1,2 hydra/launcher=joblib", "give it one value only"),
    ("added option", "+mobility.foo=3", "cannot be added"),
    ("added option", "++seed=3", "cannot be added"),
    ("deleted option", "~seed", "cannot be deleted"),
    ("deleted option", "~mobility.speed_kmh", "cannot be deleted"),
    ("impossible trips", "scenario=sumo scenario.net_file={f}/sparse.net.xml", "trips cannot be made"),
    ("impossible trips", "scenario=sumo scenario.net_file={f}/sparse.net.xml mobility.min_trip_m=700 mobility.vehicles=3", "lower mobility.min_trip_m"),
    ("output", "output.dir={f}/file/sub", "cannot be made"),
    ("output", "output.dir=/proc/nothing", "cannot be written"),
    ("SUMO", "mobility.sumo_home={f}/nowhere", "there is no SUMO"),
    ("SUMO", "mobility.sumo_home={f}/old_sumo", "1.20.0"),
    ("SUMO", OWN + " scenario.route_file={f}/foreign.rou.xml", "nowhere"),
    ("SUMO", "mobility.sumo_args=[--no-such-option]", "no-such-option"),
    ("SUMO", "mobility.sumo_args=[--seed,3]", "--seed is set"),
    ("SUMO", "mobility.sumo_args=[--srand,3]", "--seed is set"),
    ("SUMO", "mobility.sumo_args=[--configuration,own.sumocfg]", "'configuration' was already set"),
    ("SUMO", "mobility.sumo_args=[--routes,own.rou.xml]", "--route-files is set"),
    ("SUMO", "mobility.sumo_args=[--version]", "simulates nothing"),
    ("SUMO", "mobility.sumo_args=[--mesosim]", "jumps of some 100 m"),
    ("SUMO", "mobility.sumo_args=[--fcd-output,localhost:9]", "over the network"),
    ("SUMO", "mobility.sumo_args=[--additional-files,nowhere.add.xml]", "there is no such file"),
    ("SUMO", "mobility.sumo_args=[--additional-files,/dev/stdin]", "is a pipe or a device"),
    ("SUMO", OWN + " scenario.route_file={f}/unended.rou.xml", "At line/column"),
    ("own network", "scenario=sumo scenario.sumocfg_file={f}/meso.sumocfg", "jumps of some 100 m"),
    ("own network", "scenario=sumo scenario.sumocfg_file={f}/socket.sumocfg", "over the network"),
    ("own network", "scenario=sumo scenario.sumocfg_file={f}/misspelt.sumocfg", "No option with the name 'net-fiel'"),
    ("own network", "scenario=sumo", "needs scenario.net_file"),
    ("own network", "scenario=sumo scenario.net_file={f}/cut.net.xml", "cut.net.xml"),
    ("own network", "scenario=sumo scenario.net_file={f}/empty.net.xml", "is empty"),
    ("own network", "scenario=sumo scenario.net_file={f}/routes.rou.xml", "is not a network"),
    ("own network", "scenario=sumo scenario.sumocfg_file={f}/nonet.sumocfg", "no net-file"),
    ("own network", "scenario=sumo scenario.sumocfg_file={f}/lost.sumocfg", "no such file"),
    ("combination", "scenario.net_file={f}/large.net.xml", "not for scenario=synthetic"),
    ("combination", "mobility.speed_kmh=null", "routes of your own"),
    ("combination", "mobility.step_s=null", "sumocfg"),
    ("combination", OWN + " scenario.sumocfg_file={f}/lost.sumocfg", "leave out"),
    ("combination", "mobility.speed_kmh=5,20", "add -m"),
    ("combination", "scenario=osm scenario.map_file={f}/good.osm scenario.bbox=[116,40,115,39]", "not an area"),
    ("parameters", "scenario.parameters_file={f}/bad.yaml", "not valid YAML"),
    ("parameters", "scenario.parameters_file={f}/misspelt.yaml", "street_spacing"),
    ("parameters", "scenario.parameters_file={f}/negative.yaml", "street_spacing_m"),
    ("sweep", "-m mobility.speed_kmh=5,-5", "greater than 0"),
    ("sweep", "-m seed=0,1,1", "twice"),
    ("sweep", "-m scenario=synthetic,beijin", "beijin"),
    ("sweep", "-m seed=0,1 +foo=1", "cannot be added"),
    ("sweep", "-m output.dir=a,b", "one output.dir"),
    ("sweep", "-m experiment=null,quick", "there is no experiment"),
    ("variants", "'variants.workload.memory_mb={{a: 1}}'", "must be a list"),
    ("variants", "variants.workload.image_mb=[100,-5]", "variants.workload.image_mb=[100, -5]"),
    ("variants", "variants.workload.image_mb=[100,100]", "give every value once"),
    ("variants", "variants.workload.image_m=[100]", "did you mean variants.workload.image_mb"),
    ("applications", "workload.application=gmae", "there is no such application; choose from face, game, ram"),
    ("applications", "workload.application=game workload.image_mb=500", "leave one of the two out"),
    ("applications", "+applications.mine={{image_mb:3}}", "an application has image_mb, layers, memory_mb, dirty_percent_per_s, latency_level_ms"),
    ("variants", "variants.mobility.speed_kmh=[5,50]", "make a sweep instead: -m mobility.speed_kmh=VALUE,VALUE"),
    ("variants", "variants.handoff.unsynced=[stop,wait]", "'stop' or 'relay'"),
    ("variants", "variants.workload.latency_levels_ms=[[30,80]]", "give one weight for each level"),
    ("variants", f"variants.strategy.nearest.trigger_m={[*range(1, 202)]} variants.strategy.pm_op.min_m={[*range(1, 52)]}".replace(" ", "").replace("]variants", "] variants"), "more than 10000"),
    ("strategy", "strategies=[pm] strategy.pm_op.min_m=3", "is for a strategy that is not in use: strategies names pm"),
    ("strategy", "strategy.never.horizon_m=3", "strategy never has no option horizon_m; it has none"),
    ("strategy", "strategy.pm.horizon_m=3", "there is no option strategy.pm.horizon_m"),
    ("strategy", "strategy.pm.prefetch=9", "strategy.pm.prefetch=9"),
    ("images", "images.prefetch_when=idle", "is for shared links, but links.mode=dedicated"),
    ("images", "images.cloud_uplink_mbps=100", "is for images from the cloud, but images.source is another"),
    ("images", "images.shared=true", "is for applications, but workload.application names none"),
    ("images", "workload.application=a +applications.a={{layers:{{base:10}},memory_mb:5,dirty_percent_per_s:1,latency_level_ms:80}} "
     "+applications.b={{layers:{{base:11}},memory_mb:5,dirty_percent_per_s:1,latency_level_ms:80}}", "applications.b.layers.base=11 contradicts"),
    ("images", "+applications.a={{image_mb:5,layers:{{base:10}},memory_mb:5,dirty_percent_per_s:1,latency_level_ms:80}}", "give image_mb or layers, one of the two"),
    ("images", "workload.application={{}}", "names no application"),
    ("images", "workload.application={{game:2,fase:1}}", "workload.application=fase: there is no such application"),
    ("images", "workload.application={{game:0}}", "must be greater than 0"),
    ("images", "workload.catalogue={f}/catalogue.csv workload.application=game", "both say which images containers have"),
    ("images", "workload.catalogue={f}/catalogue.csv workload.image_mb=500", "workload.image_mb=500.0 conflicts with workload.catalogue"),
    ("images", "workload.catalogue={f}/nowhere.csv", "nowhere.csv: there is no such file"),
    ("images", "workload.catalogue={f}/photo.jpg", "photo.jpg cannot be read"),
    ("images", "workload.catalogue={f}/weightless.csv", "all weights are 0"),
    ("images", "workload.catalogue={f}/no_weight.csv", "has no column weight"),
    ("images", "workload.catalogue={f}/two_sizes.csv", "another size than the layer had before"),
    ("images", "workload.catalogue={f}/two_weights.csv", "another weight than the image had before"),
    ("images", "workload.catalogue={f}/no_size.csv", "has size_mb 'much', which is no such number"),
    ("images", "tiers.local.store_gb=0", "tiers.local.store_gb=0: must be greater than 0"),
    ("images", "images.retain_s=-1", "images.retain_s=-1"),
    ("strategy", "strategy.pm_op.min=3", "did you mean strategy.pm_op.min_m"),
    ("strategy", "strategies=[pm,never] strategy.lazy.wait_s=3", "no strategy in use is called lazy; strategies has pm, never"),
    ("strategy", "coverage_filter.min_m=100", "is called strategy.pm_op.min_m today"),
    ("strategy", "variants.nearest.trigger_m=[10,20]", "is called variants.strategy.nearest.trigger_m today"),
    ("capacity", "tiers.local.capacity=0", "tiers.local.capacity=0"),
    ("capacity", "tiers.local.capacity=1.5", "tiers.local.capacity=1.5"),
    ("capacity", "tiers.local.capacity=1 strategies=[nearest] mobility.vehicles=40 deployment.rings=2 deployment.spacing_m=2000 mobility.min_trip_m=500 mobility.max_duration_s=120", "raise tiers.NAME.capacity"),
    ("links", "links.mode=bonded", "'dedicated' or 'shared'"),
    ("links", "links.file=nowhere.csv", "links.file=nowhere.csv: there is no such file"),
    ("links", "links.file={f}/broken.csv links.round_trip_ms=3", "conflicts with links.file, from which round trips follow"),
    ("tiers", "tiers.order=[local,far]", "tiers.order names far, which has no section"),
    ("tiers", "tiers.order=[local,local]", "tiers.order names local twice"),
    ("tiers", "+tiers.far={{latency_ms:3,compute_ms:1}} tiers.order=[local,far]", "tiers.far.area: Field required; a tier has latency_ms"),
    ("tiers", "+tiers.far={{latency_ms:3,compute_ms:1,area:all}}", "tiers.far is not in use"),
    ("tiers", "tiers.regional.area=column", "tiers.regional.area=column needs tiers.regional.column"),
    ("tiers", "tiers.regional.area=column tiers.regional.column=a tiers.regional.rings=null", "is for base stations of your own"),
    ("tiers", "tiers.local.clusters=3", "tiers.local.clusters=3 is for area=clusters"),
    ("tiers", "variants.tiers.central.latency_ms=[90,100]", "is for a tier that is not in use: tiers.order names local, regional"),
    ("tiers", "tiers.regional.area=clusters variants.tiers.regional.rings=[1,2]", "tiers.regional.rings=[1, 2] is for area=rings"),
    ("tiers", "+tiers.polygon={{latency_ms:1,compute_ms:1,area:all}} tiers.order=[local,polygon]", "tiers.polygon: this name is taken"),
    ("tiers", "+tiers.metro={{latency_ms:1}} tiers.order=[local,metro]", "tiers.metro.compute_ms: Field required; a tier has latency_ms"),
    ("links", "links.file={f}/broken.csv variants.links.round_trip_ms=[0,5]", "conflicts with links.file, from which round trips follow"),
    ("links", "links.file={f}/broken.csv links.hop_latency_ms=20", "by which requests take paths and no hops"),
    ("tiers", "tiers.local.latency_ms=-1", "tiers.local.latency_ms=-1"),
    ("tiers", "tiers.loacl.latency_ms=3", "there is no tier loacl; did you mean local?"),
    ("tiers", "tiers.order=[local] tiers.regional.latency_ms=3", "tiers.regional.latency_ms is for a tier that is not in use"),
    ("links", "links.bandwidth_mbps=0", "links.bandwidth_mbps"),
    ("reports", "reports.heading_deg=180", "reports.heading_deg"),
    ("reports", "reports.distance_m=-1", "reports.distance_m"),
    ("empty text", "output.dir=", "output.dir"),
    ("empty text", "scenario=osm scenario.map_file=''", "scenario.map_file"),
    ("experiments of one's own", "-cd {f}/own experiment=unglobal", "@package _global_"),
    ("experiments of one's own", "-cd {f}/own experiment=broken", "broken.yaml"),
    ("experiments of one's own", "-cd {f}/own experiment=misspelt", "mobility.sped_kmh"),
    ("experiments of one's own", "-cd {f}/nowhere", "no such folder"),
    ("odd paths", "scenario=sumo 'scenario.net_file={f}/com,ma.net.xml'", "several values"),
    ("odd paths", "scenario=sumo 'scenario.net_file=\"{f}/com,ma.net.xml\"'", "cannot take a ','"),
    ("combination", "mobility.depart_window_s=40000", "would never depart"),
    ("combination", "hydra.run.dir=somewhere", "output.dir"),
    ("combination", "mobility.sumo_args=[--scale,3]", "--scale"),
    ("combination", "mobility.sumo_args=[--num-clients,2]", "--num-clients is set"),
    ("combination", "mobility.step_s=0.0333333", "milliseconds"),
    ("combination", OWN + " deployment.center={{x:9000000,y:0}}", "more than 200"),
    ("own network", "scenario=sumo scenario.net_file={f}/damaged.net.xml.gz", "damaged"),
    ("own network", "-m dry_run=true scenario=sumo scenario.net_file={f}/large.net.xml,{f}/nope.net.xml", "nope.net.xml"),
    ("odd paths", "scenario=osm 'scenario.map_file=\"{f}/m,x.osm\"'", "cannot take a ','"),
    ("source", "mobility.source=gps", "mobility.source"),
    ("source", "mobility.source=recording seed=4242", "there is no recording of this pass yet"),
    ("source", "mobility.source=recording mobility.recording_file={f}/none.msmf", "no such file"),
    ("source", "mobility.source=recording mobility.recording_file={f}/photo.jpg", "does not begin as a recording does"),
    ("source", "mobility.recording_file={f}/photo.jpg", "set mobility.source=recording too"),
    ("source", "mobility.source=fcd", "go together"),
    ("source", "mobility.source=fcd mobility.fcd_file={f}/none.csv", "no such file"),
    ("source", "mobility.source=fcd mobility.fcd_file={f}/photo.jpg", "must end in"),
    ("source", OWN + " mobility.source=fcd mobility.fcd_file={f}/routes.rou.xml", "not an FCD file (it begins with <routes>)"),
    ("source", "mobility.source=libsumo mobility.sumo_home={f}/old_sumo", "is not for mobility.source=libsumo"),
    ("source", "mobility.source=recording mobility.gui=true", "mobility.gui=true"),
    ("GPS file", GPS + "empty.plt", "is empty"),
    ("GPS file", GPS + "photo.plt", "is no text"),
    ("GPS file", GPS + "photo.csv", "is no text"),
    ("GPS file", GPS + "photo.gpx", "no XML"),
    ("GPS file", GPS + "none.csv", "there is no such file"),
    ("GPS file", GPS + "no_traces", "the folder holds no GPS traces"),
    ("GPS points", GPS + "text.csv", "line 52: 'north' in column lat is no number"),
    ("GPS points", GPS + "good.csv mobility.gps.max_points=199", "holds more than 199 points"),
    ("GPS traces", GPS + "single.csv", "200 of one point"),
    ("GPS traces", GPS + "good.csv mobility.gps.mode=[walk]", "no trace has the mode 'walk'; there are car"),
    ("GPS place", GPS + "swapped.csv", "latitudes and longitudes look swapped"),
    ("GPS place", GPS + "beijing.csv", "choose the map of its city"),
    ("GPS place", "mobility.source=gps mobility.gps.path={f}/good.csv", "needs a network with a projection"),
    ("GPS options", "mobility.gps.path={f}/good.csv", "mobility.source=gps and mobility.gps.path=FILE (or a folder) go together"),
    ("GPS options", "mobility.gps.number=3", "mobility.gps.number is not for mobility.source=auto"),
    ("GPS options", GPS + "good.csv matching.lag_s=-1", "matching.lag_s=-1"),
    ("parameters", "scenario.parameters_file={f}/rings.yaml", "ring_offsets_lines"),
    ("parameters", "scenario.parameters_file={f}/huge.yaml", "outline_radius_m"),
    ("strategy that cannot be made", "strategies=[unmade:Unmade]", "cannot be made"),
    ("strategy that cannot be made", "strategies=[pm,unmade:Unmade]", "cannot be made"),
]  # fmt: skip
