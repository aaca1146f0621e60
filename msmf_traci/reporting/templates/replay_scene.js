// What is where at an instant: unpacks the arrays of the page and looks things up in them. Draws nothing.
// Places are in quanta (facts.quantum_m metres), times in milliseconds.

const KEEP = -2;

async function unpack(text, lengths) {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const arrays = {};
  let at = 0;
  for (const [name, length] of Object.entries(lengths)) {
    // differences of neighbours; the lowest bytes of all numbers come first
    const values = new Int32Array(length);
    let value = 0;
    for (let i = 0; i < length; i++) {
      const step = bytes[at + i] | (bytes[at + length + i] << 8) | (bytes[at + 2 * length + i] << 16) | (bytes[at + 3 * length + i] << 24);
      value = (value + step) | 0;
      values[i] = value;
    }
    arrays[name] = values;
    at += 4 * length;
  }
  return arrays;
}

// the last index in [begin, end) whose value is not beyond `wanted`; begin - 1 where there is none
function lastNotBeyond(values, begin, end, wanted) {
  while (begin < end) {
    const middle = (begin + end) >> 1;
    if (values[middle] <= wanted) begin = middle + 1;
    else end = middle;
  }
  return begin - 1;
}

// transfers or copies of images: their arrays, named alike; of copies a run may have none
function flowsOf(name, arrays, variants) {
  const flows = { first: new Int32Array(variants + 1), vehicle: [] };
  for (const key of Object.keys(arrays)) if (key.startsWith(`${name}_`)) flows[key.slice(name.length + 1)] = arrays[key];
  return flows;
}

class Scene {
  constructor(facts, arrays) {
    this.facts = facts;
    this.arrays = arrays;
    this.transfers = { ...flowsOf("transfer", arrays, facts.variants.length), outcomes: facts.outcomes };
    this.copies = { ...flowsOf("copy", arrays, facts.variants.length), outcomes: facts.copy_outcomes || [] };
    this.begin = arrays.time[0];
    this.end = arrays.time[arrays.time.length - 1];
    this.step = this.smallestStep();
    this.vehicleOfId = new Map(facts.vehicles.map((id, vehicle) => [id, vehicle]));
  }

  smallestStep() {
    const { time } = this.arrays;
    let step = Infinity;
    for (let i = 1; i < time.length; i++) step = Math.min(step, time[i] - time[i - 1]);
    return Number.isFinite(step) ? step : 1000;
  }

  frameAt(t) {
    return Math.max(0, lastNotBeyond(this.arrays.time, 0, this.arrays.time.length, t));
  }

  // the sample of a vehicle at a frame or the last one before; -1 where the vehicle is not on the road
  sampleAt(vehicle, frame) {
    const { sample_first: first, sample_frame: frames } = this.arrays;
    const sample = lastNotBeyond(frames, first[vehicle], first[vehicle + 1], frame);
    if (sample < first[vehicle]) return -1;
    return sample === first[vehicle + 1] - 1 && frames[sample] < frame ? -1 : sample;
  }

  // place and heading of a vehicle: at a frame's time its own, between two frames on the straight line between them
  placeAt(vehicle, t, frame = this.frameAt(t)) {
    const { sample_first: first, sample_frame: frames, sample_x: xs, sample_y: ys, time } = this.arrays;
    const sample = this.sampleAt(vehicle, frame);
    if (sample < 0) return null;
    const isLast = sample === first[vehicle + 1] - 1;
    if (isLast) return t > time[frames[sample]] ? null : this.placeOfSample(vehicle, sample);
    const begin = time[frames[sample]];
    // two frames that do not follow each other have a gap between them: the vehicle is shown where it was last seen
    const isGap = frames[sample + 1] !== frames[sample] + 1;
    const share = isGap ? 0 : (t - begin) / (time[frames[sample + 1]] - begin);
    const dx = xs[sample + 1] - xs[sample];
    const dy = ys[sample + 1] - ys[sample];
    return { vehicle, sample, x: xs[sample] + share * dx, y: ys[sample] + share * dy, heading: this.heading(vehicle, sample) };
  }

  placeOfSample(vehicle, sample) {
    const { sample_x: xs, sample_y: ys } = this.arrays;
    return { vehicle, sample, x: xs[sample], y: ys[sample], heading: this.heading(vehicle, sample) };
  }

  // direction of the newest step in which the vehicle moved, in radians
  heading(vehicle, sample) {
    const { sample_first: first, sample_x: xs, sample_y: ys } = this.arrays;
    for (let i = Math.min(sample + 1, first[vehicle + 1] - 1); i > first[vehicle] && i > sample - 60; i--) {
      const dx = xs[i] - xs[i - 1];
      const dy = ys[i] - ys[i - 1];
      if (dx * dx + dy * dy > 4) return Math.atan2(dy, dx);
    }
    return Math.PI / 2;
  }

  vehiclesAt(t) {
    const frame = this.frameAt(t);
    const places = [];
    for (let vehicle = 0; vehicle < this.facts.vehicles.length; vehicle++) {
      const place = this.placeAt(vehicle, t, frame);
      if (place) places.push(place);
    }
    return places;
  }

  changesOf(variant, vehicle) {
    const series = variant * this.facts.vehicles.length + vehicle;
    return [this.arrays.change_first[series], this.arrays.change_first[series + 1]];
  }

  // a container as it is after the decisions of a frame
  containerAt(variant, place, frame) {
    const { change_frame: frames, change_host: hosts, change_running: running, change_home: homes, change_target: targets } = this.arrays;
    const [begin, end] = this.changesOf(variant, place.vehicle);
    const change = lastNotBeyond(frames, begin, end, frame);
    if (change < begin) return null;
    const host = hosts[change];
    return {
      host,
      isRunning: running[change] === 1,
      isElsewhere: host >= 0 && !this.covers(variant, host, this.arrays.sample_cell[place.sample]),
      home: homes[change],
      target: targets[change],
    };
  }

  covers(variant, server, cell) {
    return this.facts.areas[variant].some((area) => this.arrays[`area_server_${area}`][cell] === server);
  }

  // whose borders are drawn: of the second tier, or of the only one
  regionsOf(variant) {
    const areas = this.facts.areas[variant];
    return areas[Math.min(1, areas.length - 1)];
  }

  // transfers (or copies) under way at t, and those that ended no longer ago than `lingering`
  openAt({ first, start, end }, variant, t, lingering = 0) {
    const found = [];
    for (let k = first[variant]; k < first[variant + 1] && start[k] <= t; k++) {
      if (end[k] > t - lingering) found.push(k);
    }
    return found;
  }

  // stage of a transfer under way, and how much of its time has passed; null when it is over
  stageAt(transfer, t) {
    const { stage_first: first, stage_kind: kinds, stage_begin: begins, stage_end: ends, transfer_end: over } = this.arrays;
    if (t >= over[transfer]) return null;
    const stage = lastNotBeyond(begins, first[transfer], first[transfer + 1], t);
    if (stage < first[transfer]) return null;
    return { kind: kinds[stage], share: Math.min(1, (t - begins[stage]) / Math.max(1, ends[stage] - begins[stage])) };
  }

  ofVehicle({ first, vehicle }, variant, wanted) {
    const found = [];
    for (let k = first[variant]; k < first[variant + 1]; k++) if (vehicle[k] === wanted) found.push(k);
    return found;
  }

  // transfers (or copies) that are over by outcome, and the bytes that they sent
  bookedUntil({ first, start, end, outcome, outcomes, kb }, variant, t) {
    const byOutcome = new Array(outcomes.length).fill(0);
    let sentKb = 0;
    for (let k = first[variant]; k < first[variant + 1] && start[k] <= t; k++) {
      if (end[k] > t) continue;
      byOutcome[outcome[k]]++;
      sentKb += kb[k];
    }
    return { byOutcome, sentMb: sentKb / 1000 };
  }

  serverName(server) {
    if (server === KEEP) return "keep";
    return server < 0 ? "none" : this.facts.servers[server];
  }

  isOfHigherTier(server) {
    return this.arrays.server_tier[server] > 0;
  }
}
