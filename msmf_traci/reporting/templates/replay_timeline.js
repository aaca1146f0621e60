// The life of one vehicle under the map: bands of cells, hosts, transfers, stops and copies over time, and the same as a list of events.

const BAND_PX = 18;
const BAND_GAP_PX = 5;
const NAMES_PX = 66;
const AXIS_PX = 20;

class Timeline {
  constructor(canvas, scene, onSeek) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.scene = scene;
    this.picture = document.createElement("canvas");
    this.shown = null;
    canvas.addEventListener("click", (event) => {
      const x = event.clientX - canvas.getBoundingClientRect().left;
      if (this.shown && x >= NAMES_PX) onSeek(this.timeAt(x));
    });
  }

  // draws the bands of a vehicle once; the cursor comes with every drawCursor
  show(vehicle, variant, colours) {
    const { scene, canvas } = this;
    const [begin, end] = spanOf(scene, vehicle);
    const density = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.max(1, canvas.clientWidth);
    const copies = lanesOf(scene.copies, scene.ofVehicle(scene.copies, variant, vehicle));
    const height = (4 + copies.length) * (BAND_PX + BAND_GAP_PX) + AXIS_PX;
    canvas.style.height = `${height}px`;
    for (const each of [canvas, this.picture]) {
      each.width = Math.round(width * density);
      each.height = Math.round(height * density);
    }
    this.shown = { vehicle, variant, begin, end, width, height, density, colours };
    const context = this.picture.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.fillStyle = colours.paper;
    context.fillRect(0, 0, width, height);
    const bands = [
      ["cell", cellBands(scene, vehicle), this.alternating(colours, (cell) => scene.facts.cells[cell])],
      ["host", hostBands(scene, variant, vehicle), this.alternating(colours, (server) => scene.serverName(server))],
      ["transfers", stageBands(scene, variant, vehicle), (stage) => ({ fill: colours.stages[stage], pattern: STAGE_DASHES[stage] })],
      ["stopped", stopBands(scene, variant, vehicle), () => ({ fill: colours.stopped })],
      ...copies.map((lane, row) => [row ? "" : "copies", copyBands(scene, lane), this.ofCopies(colours)]),
    ];
    bands.forEach(([name, spans, look], row) => this.drawBand(context, row, name, spans, look));
    this.drawAxis(context);
  }

  alternating(colours, nameOf) {
    let odd = false;
    return (value) => {
      odd = !odd;
      return { fill: odd ? colours.cell : colours.region, text: nameOf(value), ink: odd ? colours.ink : colours.paper };
    };
  }

  // pale while a copy is under way, full where the image is there; the longer part has the name
  ofCopies(colours) {
    const { target, outcome } = this.scene.copies;
    return ({ copy, isThere, isLonger }) => ({
      fill: isThere ? colours.copy : colours.copyComing,
      ink: isThere ? colours.paper : colours.ink,
      text: isLonger ? `${this.scene.serverName(target[copy])} ${COPY_SIGNS[outcome[copy]]}` : "",
      gap: 1,
    });
  }

  xAt(t) {
    const { begin, end, width } = this.shown;
    return NAMES_PX + ((t - begin) / Math.max(1, end - begin)) * (width - NAMES_PX - 4);
  }

  timeAt(x) {
    const { begin, end, width } = this.shown;
    return begin + ((x - NAMES_PX) / (width - NAMES_PX - 4)) * (end - begin);
  }

  drawBand(context, row, name, spans, look) {
    const { colours } = this.shown;
    const top = row * (BAND_PX + BAND_GAP_PX);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.fillStyle = colours.ink;
    context.fillText(name, 0, top + BAND_PX / 2);
    context.strokeStyle = colours.cell;
    context.strokeRect(NAMES_PX, top + 0.5, this.shown.width - NAMES_PX - 4, BAND_PX - 1);
    for (const { value, begin, end } of spans) {
      const { fill, text, ink, pattern, gap = 0 } = look(value);
      const left = this.xAt(begin) + gap;
      const width = Math.max(1, this.xAt(end) - left);
      context.fillStyle = fill;
      context.fillRect(left, top, width, BAND_PX);
      if (pattern && pattern.length) this.drawDashes(context, left, top, width, pattern);
      if (text && context.measureText(text).width + 6 < width) {
        context.fillStyle = ink;
        context.fillText(text, left + 3, top + BAND_PX / 2);
      }
    }
  }

  // the dashes of the stage's arcs, so that bands are told apart without colour
  drawDashes(context, left, top, width, pattern) {
    context.beginPath();
    context.moveTo(left, top + BAND_PX - 3);
    context.lineTo(left + width, top + BAND_PX - 3);
    context.setLineDash(pattern);
    context.lineWidth = 2;
    context.strokeStyle = this.shown.colours.casing;
    context.stroke();
    context.setLineDash([]);
  }

  drawAxis(context) {
    const { begin, end, height, colours, width } = this.shown;
    const ticks = Math.max(2, Math.floor((width - NAMES_PX) / 90));
    const rough = (end - begin) / 1000 / ticks;
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 0.1)));
    const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough);
    context.fillStyle = colours.ink;
    context.textAlign = "center";
    for (let s = Math.ceil(begin / 1000 / step) * step; s <= end / 1000; s += step) {
      const x = this.xAt(s * 1000);
      context.fillRect(x, height - AXIS_PX, 1, 4);
      if (x < width - 20) context.fillText(`${Number(s.toFixed(1))} s`, x, height - 8);
    }
  }

  drawCursor(t) {
    if (!this.shown) return;
    const { context } = this;
    const { width, height, density, colours } = this.shown;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.drawImage(this.picture, 0, 0, width, height);
    if (t < this.shown.begin || t > this.shown.end) return;
    const x = this.xAt(t);
    context.fillStyle = colours.paper;
    context.fillRect(x - 2, 0, 4, height - AXIS_PX);
    context.fillStyle = colours.ink;
    context.fillRect(x - 1, 0, 2, height - AXIS_PX);
  }
}

function spanOf(scene, vehicle) {
  const { sample_first: first, sample_frame: frames, time } = scene.arrays;
  return [time[frames[first[vehicle]]], time[frames[first[vehicle + 1] - 1]]];
}

// spans of equal values of a list of [time, value] in the order of time
function spansOf(changes, end) {
  const spans = [];
  for (const [t, value] of changes) {
    const last = spans[spans.length - 1];
    if (last && last.value === value) continue;
    if (last) last.end = t;
    spans.push({ value, begin: t, end });
  }
  return spans;
}

function cellBands(scene, vehicle) {
  const { sample_first: first, sample_frame: frames, sample_cell: cells, time } = scene.arrays;
  const changes = [];
  for (let sample = first[vehicle]; sample < first[vehicle + 1]; sample++) changes.push([time[frames[sample]], cells[sample]]);
  return spansOf(changes, spanOf(scene, vehicle)[1]);
}

function changesOver(scene, variant, vehicle, values) {
  const [begin, end] = scene.changesOf(variant, vehicle);
  const changes = [];
  for (let change = begin; change < end; change++) changes.push([scene.arrays.time[scene.arrays.change_frame[change]], values[change]]);
  return changes;
}

function hostBands(scene, variant, vehicle) {
  return spansOf(changesOver(scene, variant, vehicle, scene.arrays.change_host), spanOf(scene, vehicle)[1]);
}

function stopBands(scene, variant, vehicle) {
  const spans = spansOf(changesOver(scene, variant, vehicle, scene.arrays.change_running), spanOf(scene, vehicle)[1]);
  return spans.filter(({ value }) => value === 0);
}

// copies that last a while, in as few lanes as keep them apart
function lanesOf({ start, end }, copies) {
  const lanes = [];
  for (const k of copies) {
    if (end[k] <= start[k]) continue;
    const lane = lanes.find((each) => end[each[each.length - 1]] <= start[k]);
    if (lane) lane.push(k);
    else lanes.push([k]);
  }
  return lanes;
}

function copyBands({ copies: { start, end, complete } }, lane) {
  return lane.flatMap((copy) => {
    const there = complete[copy] >= 0 ? complete[copy] : end[copy];
    const isLonger = there - start[copy] > end[copy] - there;
    const parts = [
      { value: { copy, isThere: false, isLonger }, begin: start[copy], end: there },
      { value: { copy, isThere: true, isLonger: !isLonger }, begin: there, end: end[copy] },
    ];
    return parts.filter((part) => part.end > part.begin);
  });
}

function stageBands(scene, variant, vehicle) {
  const { stage_first: first, stage_kind: kinds, stage_begin: begins, stage_end: ends } = scene.arrays;
  const spans = [];
  for (const transfer of scene.ofVehicle(scene.transfers, variant, vehicle)) {
    for (let stage = first[transfer]; stage < first[transfer + 1]; stage++) {
      spans.push({ value: kinds[stage], begin: begins[stage], end: ends[stage] });
    }
  }
  return spans;
}

// what happened to a vehicle and its container, as [time, text], in the order of time
function eventsOf(scene, variant, vehicle) {
  const events = [];
  for (const { value, begin } of cellBands(scene, vehicle)) events.push([begin, `enters cell ${scene.facts.cells[value]}`]);
  for (const { value, begin } of hostBands(scene, variant, vehicle)) events.push([begin, `hosted by ${scene.serverName(value)}`]);
  for (const { begin, end } of stopBands(scene, variant, vehicle)) {
    events.push([begin, `stopped for ${((end - begin) / 1000).toFixed(1)} s`]);
  }
  events.push(...flowEvents(scene, "transfer", scene.transfers, variant, vehicle), ...flowEvents(scene, "copy", scene.copies, variant, vehicle));
  return events.sort((a, b) => a[0] - b[0]);
}

// of transfers or copies
function flowEvents(scene, name, flows, variant, vehicle) {
  const { target, number, start, handoff, complete, end, outcome, outcomes, kb } = flows;
  const events = [];
  for (const k of scene.ofVehicle(flows, variant, vehicle)) {
    const how = outcomes[outcome[k]];
    const what = `${name} ${number[k]} to ${scene.serverName(target[k])}`;
    if (how === "refused") {
      events.push([start[k], `${what} refused: no room`]);
      continue;
    }
    events.push([start[k], `${what} starts`]);
    if (handoff && handoff[k] >= 0) events.push([handoff[k], `${what}: handoff`]);
    if (complete && complete[k] >= 0) events.push([complete[k], `${what}: image there`]);
    events.push([end[k], `${what} ends: ${how.replace("_", " ")}, ${(kb[k] / 1000).toFixed(0)} MB sent${sourcesText(flows, k)}`]);
  }
  return events;
}

// where the bytes of a copy came from; nothing of transfers, whose bytes are not of the image alone
function sourcesText({ host_kb: host, cloud_kb: cloud, other_kb: other }, k) {
  if (!host) return "";
  const parts = [["the host", host[k]], ["the cloud", cloud[k]], ["other servers", other[k]]].filter(([, kb]) => kb > 0);
  if (parts.length < 2) return parts.map(([name]) => ` from ${name}`).join("");
  return ` (${parts.map(([name, kb]) => `${(kb / 1000).toFixed(0)} from ${name}`).join(", ")})`;
}

function listEvents(list, events, onSeek) {
  list.replaceChildren(
    ...events.map(([t, text]) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${(t / 1000).toFixed(1)} s  ${text}`;
      button.addEventListener("click", () => onSeek(t));
      item.append(button);
      return item;
    }),
  );
}
