// One map: the city on a layer of its own that is drawn only when the view needs it, and above it what moves.

const LAYER_MARGIN = 0.3; // of the map's size, on every side, so that panning needs no new layer
const LAYER_REST_MS = 120; // a view that is being zoomed gets a sharp layer at most this often
const CLICK_RADIUS_PX = 14;
const ROAD_WIDTHS = [2.2, 1.7, 1.1, 0.7];

// dashes tell stages apart without colour; the same as in the legend
const STAGE_DASHES = [[], [9, 4], [4, 3], [1.5, 4], [], [10, 3, 2, 3], [6, 2]];
const STAGE_WIDTHS = [2.5, 2.5, 2.5, 2.5, 4, 3, 2.5];
const OUTCOME_SIGNS = ["✓", "✗", "↩", "…", "⊘"];
const COPY_SIGNS = ["✓", "✗", "…", "⊘"]; // used, unused, unfinished, refused
const COPY_DASH = [2, 2];
const COPY_BEND = 0.1;
const AFAR_CELL_PX = 36; // with smaller cells, the signs of the cloud and of other servers would cover each other

class Colours {
  constructor() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.paper = colour("paper");
    this.ink = colour("ink");
    this.casing = colour("casing");
    this.roads = [0, 1, 2, 3].map((rank) => colour(`road-${rank}`));
    this.cell = colour("cell");
    this.region = colour("region");
    this.stopped = colour("stopped");
    this.followed = colour("followed");
    this.copy = colour("copy");
    this.copyComing = colour("copy-coming");
    this.stages = ["image", "memory", "round", "idle", "final", "restore", "pull"].map((name) => colour(`stage-${name}`));
    this.outcomes = ["completed", "mispredicted", "user-left", "unfinished", "refused"].map((name) => colour(`outcome-${name}`));
    this.copyOutcomes = ["completed", "mispredicted", "unfinished", "refused"].map((name) => colour(`outcome-${name}`));
  }
}

// The lines of the city, in quanta; the same for all maps.
class CityPaths {
  constructor(scene) {
    const { road_first: first, road_xy: xy, road_rank: rank, cell_border: cells } = scene.arrays;
    this.roads = ROAD_WIDTHS.map(() => new Path2D());
    for (let line = 0; line < rank.length; line++) {
      const path = this.roads[rank[line]];
      path.moveTo(xy[2 * first[line]], xy[2 * first[line] + 1]);
      for (let point = first[line] + 1; point < first[line + 1]; point++) path.lineTo(xy[2 * point], xy[2 * point + 1]);
    }
    this.cells = CityPaths.sides(cells);
    this.regions = {};
    const drawn = new Set(scene.facts.areas.map((_, variant) => scene.regionsOf(variant)));
    for (const area of drawn) this.regions[area] = CityPaths.sides(scene.arrays[`area_border_${area}`]);
  }

  static sides(values) {
    const path = new Path2D();
    for (let i = 0; i < values.length; i += 4) {
      path.moveTo(values[i], values[i + 1]);
      path.lineTo(values[i + 2], values[i + 3]);
    }
    return path;
  }
}

class CityMap {
  constructor(canvas, scene, view, paths) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.scene = scene;
    this.view = view;
    this.paths = paths;
    this.images = new Images(scene);
    this.layer = document.createElement("canvas");
    this.drawn = null;
    this.setColours(new Colours());
  }

  setColours(colours) {
    this.colours = colours;
    this.drawn = null;
  }

  resize() {
    this.density = Math.min(window.devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(this.view.width * this.density);
    this.canvas.height = Math.round(this.view.height * this.density);
    this.drawn = null;
  }

  draw(t, places, variant, followed, lingering) {
    const { context } = this;
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    this.drawCity(variant);
    const frame = this.scene.frameAt(t);
    const containers = places.map((place) => this.scene.containerAt(variant, place, frame));
    if (followed >= 0) this.drawTrail(followed, t);
    this.drawLinks(places, containers);
    this.drawTransfers(variant, t, followed, lingering);
    this.drawCopies(variant, t, places, containers, followed);
    this.drawServers(containers);
    this.drawImages(variant, t, places, followed, lingering);
    this.drawVehicles(places, containers, followed);
  }

  // true while the layer is blurred or too small and has to be drawn again
  needsLayer(variant) {
    const { drawn, view } = this;
    if (!drawn || drawn.area !== this.scene.regionsOf(variant)) return true;
    const dx = Math.abs(view.x - drawn.x) * view.scale;
    const dy = Math.abs(view.y - drawn.y) * view.scale;
    return drawn.scale !== view.scale || dx > LAYER_MARGIN * view.width || dy > LAYER_MARGIN * view.height;
  }

  drawCity(variant) {
    const { context, view, colours } = this;
    const now = performance.now();
    if (this.needsLayer(variant) && (!this.drawn || now - this.drawn.at > LAYER_REST_MS)) this.drawLayer(variant);
    const { x, y, scale, width, height } = this.drawn;
    const larger = view.scale / scale;
    context.fillStyle = colours.paper;
    context.fillRect(0, 0, view.width, view.height);
    const left = view.screenX(x) - (width * larger) / 2;
    const top = view.screenY(y) - (height * larger) / 2;
    context.drawImage(this.layer, left, top, width * larger, height * larger);
  }

  drawLayer(variant) {
    const { view, colours, layer, paths, density } = this;
    const area = this.scene.regionsOf(variant);
    const width = view.width * (1 + 2 * LAYER_MARGIN);
    const height = view.height * (1 + 2 * LAYER_MARGIN);
    layer.width = Math.round(width * density);
    layer.height = Math.round(height * density);
    const context = layer.getContext("2d", { alpha: false });
    context.fillStyle = colours.paper;
    context.fillRect(0, 0, layer.width, layer.height);
    const scale = view.scale * density;
    context.setTransform(scale, 0, 0, -scale, layer.width / 2 - view.x * scale, layer.height / 2 + view.y * scale);
    const stroke = (path, colour, px) => {
      context.strokeStyle = colour;
      context.lineWidth = px / view.scale;
      context.stroke(path);
    };
    const { cellPx } = this;
    // roads become wider as one comes nearer
    const wider = Math.min(4, Math.max(0.8, Math.sqrt(cellPx / 40)));
    if (cellPx > 9) stroke(paths.cells, colours.cell, 1);
    for (let rank = ROAD_WIDTHS.length - 1; rank >= 0; rank--) stroke(paths.roads[rank], colours.roads[rank], ROAD_WIDTHS[rank] * wider);
    stroke(paths.regions[area], colours.region, 1.3);
    this.drawn = { x: view.x, y: view.y, scale: view.scale, width, height, area, at: performance.now() };
  }

  serverPlace(server) {
    const { server_xy: xy } = this.scene.arrays;
    return { x: this.view.screenX(xy[2 * server]), y: this.view.screenY(xy[2 * server + 1]) };
  }

  drawTrail(vehicle, t) {
    const { context, view, scene } = this;
    const { sample_first: first, sample_frame: frames, sample_x: xs, sample_y: ys, time } = scene.arrays;
    context.beginPath();
    for (let sample = first[vehicle]; sample < first[vehicle + 1] && time[frames[sample]] <= t; sample++) {
      context.lineTo(view.screenX(xs[sample]), view.screenY(ys[sample]));
    }
    this.strokeCased(this.colours.followed, 2, [6, 3]);
  }

  strokeCased(colour, width, dash) {
    const { context, colours } = this;
    context.setLineDash(dash);
    context.lineWidth = width * 1.3 + 0.8;
    context.strokeStyle = colours.casing;
    context.stroke();
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
    context.setLineDash([]);
  }

  // symbols and arcs are smaller where the whole city is seen
  get size() {
    return Math.min(1, Math.max(0.5, this.cellPx / 40));
  }

  get cellPx() {
    return (this.scene.facts.cell_size_m / this.scene.facts.quantum_m) * this.view.scale;
  }

  // from a vehicle to its host, where the host is not a server of its cell
  drawLinks(places, containers) {
    const { context, view, colours } = this;
    for (const running of [true, false]) {
      context.beginPath();
      places.forEach((place, i) => {
        const container = containers[i];
        if (!container || !container.isElsewhere || container.isRunning !== running) return;
        const host = this.serverPlace(container.host);
        context.moveTo(view.screenX(place.x), view.screenY(place.y));
        context.lineTo(host.x, host.y);
      });
      context.lineWidth = 1;
      context.setLineDash(running ? [] : [2, 3]);
      context.strokeStyle = running ? colours.ink : colours.stopped;
      context.stroke();
    }
    context.setLineDash([]);
  }

  drawTransfers(variant, t, followed, lingering) {
    const { context, scene, colours } = this;
    const { vehicle: vehicles, source: sources, target: targets, outcome: outcomes, end: ends } = scene.transfers;
    for (const transfer of scene.openAt(scene.transfers, variant, t, lingering)) {
      const curve = this.curve(this.serverPlace(sources[transfer]), this.serverPlace(targets[transfer]));
      const stage = scene.stageAt(transfer, t);
      const faint = this.faint(followed, vehicles[transfer]);
      this.trace(curve);
      if (stage) {
        context.globalAlpha = faint;
        this.strokeCased(colours.stages[stage.kind], STAGE_WIDTHS[stage.kind] * this.size, STAGE_DASHES[stage.kind]);
        this.drawHead(curve, colours.stages[stage.kind]);
        this.drawProgress(curve, stage.share, colours.stages[stage.kind]);
      } else if (t >= ends[transfer]) {
        context.globalAlpha = faint * Math.max(0.15, 1 - (t - ends[transfer]) / lingering);
        this.strokeCased(colours.outcomes[outcomes[transfer]], 5 * this.size, []);
        const { x, y } = middleOf(curve);
        this.drawSign(x, y, OUTCOME_SIGNS[outcomes[transfer]], colours.outcomes[outcomes[transfer]]);
      }
      context.globalAlpha = 1;
    }
  }

  // what belongs to another vehicle than the followed one is faint
  faint(followed, vehicle) {
    return followed >= 0 && followed !== vehicle ? 0.3 : 1;
  }

  // copies under way, from where their bytes come; the tables do not say from which of the other servers
  drawCopies(variant, t, places, containers, followed) {
    const { context, scene, colours } = this;
    const { vehicle: vehicles, target: targets, complete, host_kb: host, cloud_kb: cloud, other_kb: other } = scene.copies;
    const hostOf = new Map(places.map((place, i) => [place.vehicle, containers[i] ? containers[i].host : -1]));
    for (const copy of scene.openAt(scene.copies, variant, t)) {
      if (complete[copy] >= 0 && complete[copy] <= t) continue;
      context.globalAlpha = this.faint(followed, vehicles[copy]);
      const source = hostOf.get(vehicles[copy]);
      if (host[copy] > 0 && source >= 0) {
        const curve = this.curve(this.serverPlace(source), this.serverPlace(targets[copy]), COPY_BEND);
        this.trace(curve);
        this.strokeCased(colours.copy, 1.8 * this.size, COPY_DASH);
        this.drawHead(curve, colours.copy);
      }
      if (this.cellPx >= AFAR_CELL_PX || followed === vehicles[copy]) {
        const { x, y } = this.imagePlace(targets[copy]);
        if (cloud[copy] > 0) this.drawFromAfar(x, y, 0, -1, () => this.traceCloud());
        if (other[copy] > 0) this.drawFromAfar(x, y, 1, 0, () => this.context.arc(0, 0, 5, 0, 2 * Math.PI));
      }
      context.globalAlpha = 1;
    }
  }

  // a short line from a sign to the mark of an image
  drawFromAfar(x, y, dx, dy, traceSign) {
    const { context, colours } = this;
    const far = 30 * this.size;
    context.beginPath();
    context.moveTo(x + far * dx, y + far * dy);
    context.lineTo(x, y);
    this.strokeCased(colours.copy, 1.8 * this.size, COPY_DASH);
    context.save();
    context.translate(x + far * dx, y + far * dy);
    context.scale(this.size, this.size);
    context.beginPath();
    traceSign();
    context.restore();
    context.fillStyle = colours.paper;
    context.fill();
    this.strokeCased(colours.copy, 1.5 * this.size, []);
  }

  traceCloud() {
    const { context } = this;
    context.moveTo(-8, 4);
    context.arc(-5, 1, 4, 0.6 * Math.PI, 1.4 * Math.PI);
    context.arc(0, -2, 5, 1.1 * Math.PI, 1.9 * Math.PI);
    context.arc(5, 1, 4, 1.6 * Math.PI, 0.4 * Math.PI);
    context.closePath();
  }

  // marks beside servers that have images ahead of containers, or get them; and what copies came to
  drawImages(variant, t, places, followed, lingering) {
    const { context, scene, colours } = this;
    const marks = new Map();
    for (const { vehicle } of places) {
      const alpha = this.faint(followed, vehicle);
      for (const [server, how] of this.images.of(variant, vehicle, t)) {
        if (how === NO_ROOM) continue;
        const mark = marks.get(server);
        if (!mark || alpha > mark.alpha || (alpha === mark.alpha && how === THERE)) marks.set(server, { alpha, how });
      }
    }
    for (const [server, { alpha, how }] of marks) {
      const { x, y } = this.imagePlace(server);
      context.globalAlpha = alpha;
      this.drawDiamond(x, y, 3 + 3 * this.size, how === THERE ? colours.copy : colours.paper, colours.copy);
    }
    const { vehicle: vehicles, target: targets, outcome: outcomes, end: ends } = scene.copies;
    for (const copy of scene.openAt(scene.copies, variant, t, lingering)) {
      if (ends[copy] > t) continue;
      const { x, y } = this.imagePlace(targets[copy]);
      context.globalAlpha = this.faint(followed, vehicles[copy]) * Math.max(0.15, 1 - (t - ends[copy]) / lingering);
      this.drawDiamond(x, y, 11, colours.paper, colours.copyOutcomes[outcomes[copy]]);
      this.write(COPY_SIGNS[outcomes[copy]], x, y, 12, colours.ink);
    }
    context.globalAlpha = 1;
  }

  imagePlace(server) {
    const { x, y } = this.serverPlace(server);
    const aside = this.serverRadius + 3;
    return { x: x + aside, y: y - aside };
  }

  drawDiamond(x, y, half, fill, colour) {
    const { context } = this;
    context.beginPath();
    for (const [dx, dy] of [[0, -half], [half, 0], [0, half], [-half, 0]]) context.lineTo(x + dx, y + dy);
    context.closePath();
    context.fillStyle = fill;
    context.fill();
    context.lineWidth = 1.8;
    context.strokeStyle = colour;
    context.stroke();
  }

  trace({ from, bend, to }) {
    this.context.beginPath();
    this.context.moveTo(from.x, from.y);
    this.context.quadraticCurveTo(bend.x, bend.y, to.x, to.y);
  }

  // bent to one side, so that ways there and back do not cover each other
  curve(from, to, bend = 0.22) {
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    return { from, to, bend: { x: (from.x + to.x) / 2 + bend * dy, y: (from.y + to.y) / 2 - bend * dx } };
  }

  drawHead({ bend, to }, colour) {
    const { context } = this;
    const angle = Math.atan2(to.y - bend.y, to.x - bend.x);
    context.beginPath();
    context.moveTo(to.x, to.y);
    for (const turn of [2.7, -2.7]) context.lineTo(to.x + 9 * this.size * Math.cos(angle + turn), to.y + 9 * this.size * Math.sin(angle + turn));
    context.closePath();
    context.fillStyle = colour;
    context.fill();
  }

  drawProgress({ from, bend, to }, share, colour) {
    const { context, colours } = this;
    const rest = 1 - share;
    const at = (name) => rest * rest * from[name] + 2 * rest * share * bend[name] + share * share * to[name];
    context.beginPath();
    context.arc(at("x"), at("y"), 3.5 * this.size, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = colours.casing;
    context.stroke();
  }

  drawSign(x, y, sign, colour) {
    const { context, colours } = this;
    context.beginPath();
    context.arc(x, y, 8, 0, 2 * Math.PI);
    context.fillStyle = colours.paper;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = colour;
    context.stroke();
    this.write(sign, x, y, 12, colours.ink);
  }

  get serverRadius() {
    return Math.min(11, Math.max(5.5, this.cellPx / 5));
  }

  write(text, x, y, px, colour) {
    const { context } = this;
    context.font = `600 ${px}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = colour;
    context.fillText(text, x, y + 0.5);
  }

  drawServers(containers) {
    const { context, colours, scene, view } = this;
    const counts = new Map();
    for (const container of containers) {
      if (!container || container.host < 0) continue;
      const count = counts.get(container.host) || { all: 0, stopped: 0 };
      count.all++;
      if (!container.isRunning) count.stopped++;
      counts.set(container.host, count);
    }
    const radius = this.serverRadius;
    for (const [server, count] of counts) {
      const { x, y } = this.serverPlace(server);
      if (x < -20 || y < -20 || x > view.width + 20 || y > view.height + 20) continue;
      context.beginPath();
      if (scene.isOfHigherTier(server)) context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
      else context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = colours.paper;
      context.fill();
      context.lineWidth = count.stopped ? 2.5 : 1.3;
      context.strokeStyle = count.stopped ? colours.stopped : colours.ink;
      context.stroke();
      this.write(String(count.all), x, y, Math.max(8, radius * 1.15), colours.ink);
    }
  }

  drawVehicles(places, containers, followed) {
    const { view } = this;
    places.forEach((place, i) => {
      const x = view.screenX(place.x);
      const y = view.screenY(place.y);
      if (x < -20 || y < -20 || x > view.width + 20 || y > view.height + 20) return;
      const container = containers[i];
      if (place.vehicle === followed) this.drawRing(x, y);
      if (container && !container.isRunning) this.drawStopped(x, y);
      else this.drawArrow(x, y, place.heading, !container || !container.isElsewhere);
    });
  }

  drawRing(x, y) {
    const { context, colours } = this;
    context.beginPath();
    context.arc(x, y, 14, 0, 2 * Math.PI);
    this.strokeCased(colours.followed, 3, []);
  }

  drawStopped(x, y) {
    const { context, colours } = this;
    const half = 3 + 2.5 * this.size;
    context.fillStyle = colours.stopped;
    context.fillRect(x - half, y - half, 2 * half, 2 * half);
    context.lineWidth = 1;
    context.strokeStyle = colours.ink;
    context.strokeRect(x - half, y - half, 2 * half, 2 * half);
    context.beginPath();
    const cross = half - 2.5;
    for (const side of [1, -1]) {
      context.moveTo(x - cross, y - cross * side);
      context.lineTo(x + cross, y + cross * side);
    }
    context.lineWidth = 2;
    context.strokeStyle = "#fff";
    context.stroke();
  }

  drawArrow(x, y, heading, isFilled) {
    const { context, colours } = this;
    context.beginPath();
    for (const [turn, far] of [[0, 8], [2.5, 7], [Math.PI, 2.5], [-2.5, 7]]) {
      // y grows downwards on the screen
      context.lineTo(x + far * Math.cos(heading + turn), y - far * Math.sin(heading + turn));
    }
    context.closePath();
    context.fillStyle = isFilled ? colours.ink : colours.paper;
    context.fill();
    context.lineWidth = isFilled ? 1 : 1.8;
    context.strokeStyle = isFilled ? colours.paper : colours.ink;
    context.stroke();
  }

  // the vehicle nearest to a point of the screen, or -1
  vehicleNear(px, py, places) {
    let nearest = -1;
    let least = CLICK_RADIUS_PX;
    for (const place of places) {
      const apart = Math.hypot(this.view.screenX(place.x) - px, this.view.screenY(place.y) - py);
      if (apart < least) [nearest, least] = [place.vehicle, apart];
    }
    return nearest;
  }
}

// the middle of a bent line
function middleOf({ from, bend, to }) {
  return { x: (from.x + 2 * bend.x + to.x) / 4, y: (from.y + 2 * bend.y + to.y) / 4 };
}
