// One map: the city on a layer of its own that is drawn only when the view needs it, and above it what moves.

const LAYER_MARGIN = 0.3; // of the map's size, on every side, so that panning needs no new layer
const LAYER_REST_MS = 120; // a view that is being zoomed gets a sharp layer at most this often
const CLICK_RADIUS_PX = 14;
const ROAD_WIDTHS = [2.2, 1.7, 1.1, 0.7];

// dashes tell stages apart without colour; the same as in the legend
const STAGE_DASHES = [[], [9, 4], [4, 3], [1.5, 4], [], [10, 3, 2, 3]];
const STAGE_WIDTHS = [2.5, 2.5, 2.5, 2.5, 4, 3];
const OUTCOME_SIGNS = ["✓", "✗", "↩", "…", "⊘"];

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
    this.stages = ["image", "memory", "round", "idle", "final", "restore"].map((name) => colour(`stage-${name}`));
    this.outcomes = ["completed", "mispredicted", "user-left", "unfinished", "refused"].map((name) => colour(`outcome-${name}`));
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
    this.drawServers(containers);
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
    const cellPx = (this.scene.facts.cell_size_m / this.scene.facts.quantum_m) * view.scale;
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
    const cellPx = (this.scene.facts.cell_size_m / this.scene.facts.quantum_m) * this.view.scale;
    return Math.min(1, Math.max(0.5, cellPx / 40));
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
    const { transfer_vehicle: vehicles, transfer_source: sources, transfer_target: targets, transfer_outcome: outcomes, transfer_end: ends } =
      scene.arrays;
    for (const transfer of scene.transfersAt(variant, t, lingering)) {
      const curve = this.curve(this.serverPlace(sources[transfer]), this.serverPlace(targets[transfer]));
      const stage = scene.stageAt(transfer, t);
      const faint = followed >= 0 && followed !== vehicles[transfer] ? 0.3 : 1;
      context.beginPath();
      context.moveTo(curve.from.x, curve.from.y);
      context.quadraticCurveTo(curve.bend.x, curve.bend.y, curve.to.x, curve.to.y);
      if (stage) {
        context.globalAlpha = faint;
        this.strokeCased(colours.stages[stage.kind], STAGE_WIDTHS[stage.kind] * this.size, STAGE_DASHES[stage.kind]);
        this.drawHead(curve, colours.stages[stage.kind]);
        this.drawProgress(curve, stage.share, colours.stages[stage.kind]);
      } else if (t >= ends[transfer]) {
        context.globalAlpha = faint * Math.max(0.15, 1 - (t - ends[transfer]) / lingering);
        this.strokeCased(colours.outcomes[outcomes[transfer]], 5 * this.size, []);
        this.drawSign(curve, OUTCOME_SIGNS[outcomes[transfer]], colours.outcomes[outcomes[transfer]]);
      }
      context.globalAlpha = 1;
    }
  }

  // bent to one side, so that ways there and back do not cover each other
  curve(from, to) {
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    return { from, to, bend: { x: (from.x + to.x) / 2 + 0.22 * dy, y: (from.y + to.y) / 2 - 0.22 * dx } };
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

  drawSign({ from, bend, to }, sign, colour) {
    const { context, colours } = this;
    const x = (from.x + 2 * bend.x + to.x) / 4;
    const y = (from.y + 2 * bend.y + to.y) / 4;
    context.beginPath();
    context.arc(x, y, 8, 0, 2 * Math.PI);
    context.fillStyle = colours.paper;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = colour;
    context.stroke();
    this.write(sign, x, y, 12, colours.ink);
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
    const cellPx = (scene.facts.cell_size_m / scene.facts.quantum_m) * view.scale;
    const radius = Math.min(11, Math.max(5.5, cellPx / 5));
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
