// The page: its controls, its keys, its clock, and window.replay for scripts.

const TEXT_EVERY_MS = 200;
const LINGERING_MS = 900; // of the clock on the wall: how long a transfer that is over is still shown
const byId = (id) => document.getElementById(id);

class Player {
  constructor(scene) {
    this.scene = scene;
    this.t = scene.begin;
    this.isPlaying = false;
    this.speed = 10;
    this.followed = -1;
    this.isCentred = true;
    this.variants = { left: 0, right: -1 };
    this.drawnAt = [];
    this.needsDrawing = true;
    this.view = new View(boundsOf(scene), () => (this.needsDrawing = true));
    const paths = new CityPaths(scene);
    this.maps = {};
    this.timelines = {};
    for (const side of ["left", "right"]) {
      const canvas = byId(`map-${side}`);
      this.maps[side] = new CityMap(canvas, scene, this.view, paths);
      this.timelines[side] = new Timeline(byId(`timeline-${side}`), scene, (t) => this.seek(t));
      moveByPointer(canvas, this.view, { onClick: (x, y) => this.click(side, x, y), onPan: () => this.setCentred(false) });
    }
    this.wire();
    this.choose("left", 0);
    this.choose("right", -1);
    this.follow(-1);
    this.resize();
    new ResizeObserver(() => this.resize()).observe(byId("map-left"));
    requestAnimationFrame((now) => this.tick(now));
  }

  get sides() {
    return this.variants.right < 0 ? ["left"] : ["left", "right"];
  }

  resize() {
    const canvas = byId("map-left");
    this.view.resize(canvas.clientWidth, canvas.clientHeight);
    for (const map of Object.values(this.maps)) map.resize();
    this.showTimelines();
    this.needsDrawing = true;
  }

  tick(now) {
    if (this.isPlaying) {
      this.t = Math.min(this.scene.end, this.t + (now - this.lastTick) * this.speed);
      if (this.t >= this.scene.end) this.pause();
      this.needsDrawing = true;
    }
    this.lastTick = now;
    // a layer that is still blurred is drawn again once the view rests
    if (this.sides.some((side) => this.maps[side].needsLayer(this.variants[side]))) this.needsDrawing = true;
    if (this.needsDrawing) this.draw(now);
    requestAnimationFrame((next) => this.tick(next));
  }

  draw(now) {
    this.needsDrawing = false;
    const { scene, t } = this;
    this.places = scene.vehiclesAt(t);
    if (this.followed >= 0 && this.isCentred) {
      const place = scene.placeAt(this.followed, t);
      if (place) this.view.centre(place.x, place.y);
      this.needsDrawing = false;
    }
    const lingering = LINGERING_MS * Math.max(this.speed, 5);
    for (const side of this.sides) {
      this.maps[side].draw(t, this.places, this.variants[side], this.followed, lingering);
      if (this.followed >= 0) this.timelines[side].drawCursor(t);
    }
    byId("time").value = t / 1000;
    byId("clock").textContent = `${(t / 1000).toFixed(1)} s`;
    if (!this.textAt || now - this.textAt > TEXT_EVERY_MS || !this.isPlaying) this.writeTexts(now);
    this.drawnAt.push(now);
    while (this.drawnAt[0] < now - 2000) this.drawnAt.shift();
  }

  writeTexts(now) {
    this.textAt = now;
    byId("time").setAttribute("aria-valuetext", `${(this.t / 1000).toFixed(0)} of ${(this.scene.end / 1000).toFixed(0)} seconds`);
    for (const side of this.sides) byId(`facts-${side}`).textContent = this.sentence(this.variants[side]);
    if (this.followed >= 0) byId("followed-now").textContent = this.followedSentence();
  }

  // what one sees on a map, in words
  sentence(variant) {
    const { scene, t } = this;
    const frame = scene.frameAt(t);
    const counts = { home: 0, elsewhere: 0, stopped: 0 };
    for (const place of this.places) {
      const container = scene.containerAt(variant, place, frame);
      if (!container) continue;
      if (!container.isRunning) counts.stopped++;
      else if (container.isElsewhere) counts.elsewhere++;
      else counts.home++;
    }
    return (
      `${this.places.length} on the road: ${counts.home} served by their own server, ${counts.elsewhere} from elsewhere, ` +
      `${counts.stopped} stopped. ${scene.openAt(scene.transfers, variant, t).length} transfers under way${this.overText(scene.transfers, variant)}` +
      (scene.copies.kb ? ` ${this.copiesText(variant)}` : "")
    );
  }

  // how many transfers or copies are over
  overText(flows, variant) {
    const { byOutcome, sentMb } = this.scene.bookedUntil(flows, variant, this.t);
    const over = byOutcome.map((n, outcome) => (n ? `${n} ${flows.outcomes[outcome].replace("_", " ")}` : "")).filter(Boolean);
    const gigabytes = sentMb >= 100 ? `${(sentMb / 1000).toFixed(1)} GB` : `${sentMb.toFixed(0)} MB`;
    return over.length ? `; over: ${over.join(", ")} (${gigabytes}).` : ".";
  }

  copiesText(variant) {
    const { scene, t } = this;
    const { complete } = scene.copies;
    const open = scene.openAt(scene.copies, variant, t);
    const there = open.filter((k) => complete[k] >= 0 && complete[k] <= t).length;
    return `${open.length - there} copies of images under way, ${there} there and not used yet${this.overText(scene.copies, variant)}`;
  }

  followedSentence() {
    const { scene, t } = this;
    const frame = scene.frameAt(t);
    const place = scene.placeAt(this.followed, t, frame);
    if (!place) return "Not on the road at this time.";
    const { sample_cell: cells, sample_street: streets, sample_speed: speeds } = scene.arrays;
    const street = scene.facts.streets[streets[place.sample]];
    const words = [`Cell ${scene.facts.cells[cells[place.sample]]}${street ? `, ${street}` : ""}, ${(speeds[place.sample] * 0.036).toFixed(0)} km/h.`];
    for (const side of this.sides) {
      const container = scene.containerAt(this.variants[side], place, frame);
      if (!container) continue;
      const doing = container.isRunning ? (container.isElsewhere ? "served from elsewhere, by" : "runs on") : "stopped, last on";
      words.push(
        `${scene.facts.variants[this.variants[side]]}: ${doing} ${scene.serverName(container.host)}; ` +
          `home ${scene.serverName(container.home)}, target ${scene.serverName(container.target)}.` +
          this.imagesText(side),
      );
    }
    return words.join(" ");
  }

  // on which servers the image is ahead of the container, or is under way
  imagesText(side) {
    const found = this.maps[side].images.of(this.variants[side], this.followed, this.t);
    if (!found.length) return "";
    return ` Image ahead: ${found.map(([server, how]) => `${this.scene.serverName(server)} ${how}`).join(", ")}.`;
  }

  seek(t) {
    this.t = Math.min(Math.max(t, this.scene.begin), this.scene.end);
    this.needsDrawing = true;
  }

  // one frame on or back
  step(frames) {
    const { time } = this.scene.arrays;
    const frame = this.scene.frameAt(this.t);
    const isBetween = frames < 0 && this.t > time[frame];
    this.seek(time[Math.min(Math.max(frame + frames + (isBetween ? 1 : 0), 0), time.length - 1)]);
  }

  play() {
    if (this.t >= this.scene.end) this.t = this.scene.begin;
    this.isPlaying = true;
    this.drawnAt = [];
    this.showPlaying();
  }

  pause() {
    this.isPlaying = false;
    this.needsDrawing = true;
    this.showPlaying();
  }

  showPlaying() {
    byId("play").textContent = this.isPlaying ? "❚❚ Pause" : "▶ Play";
  }

  setSpeed(speed) {
    this.speed = speed;
    byId("speed").value = String(speed);
  }

  changeSpeed(by) {
    const options = [...byId("speed").options].map((option) => Number(option.value));
    this.setSpeed(options[Math.min(Math.max(options.indexOf(this.speed) + by, 0), options.length - 1)]);
  }

  choose(side, variant) {
    this.variants[side] = variant;
    byId(`choice-${side}`).value = String(variant);
    byId("maps").classList.toggle("two", this.variants.right >= 0);
    byId("side-right").hidden = this.variants.right < 0;
    byId("followed-right").hidden = this.variants.right < 0;
    if (variant >= 0) byId(`map-${side}`).setAttribute("aria-label", `Map of ${this.scene.facts.variants[variant]}; keys are listed below`);
    if (this.timelines.right) this.resize();
  }

  follow(vehicle) {
    this.followed = vehicle;
    byId("followed").hidden = vehicle < 0;
    byId("vehicle").value = vehicle < 0 ? "" : this.scene.facts.vehicles[vehicle];
    if (vehicle >= 0) {
      byId("followed-name").textContent = this.scene.facts.vehicles[vehicle];
      this.setCentred(true);
      const [begin, end] = spanOf(this.scene, vehicle);
      if (this.t < begin || this.t > end) this.seek(begin);
    }
    this.showTimelines();
    this.needsDrawing = true;
  }

  setCentred(isCentred) {
    this.isCentred = isCentred;
    byId("centred").checked = isCentred;
    this.needsDrawing = true;
  }

  showTimelines() {
    if (this.followed < 0) return;
    for (const side of this.sides) {
      const variant = this.variants[side];
      byId(`followed-variant-${side}`).textContent = this.scene.facts.variants[variant];
      this.timelines[side].show(this.followed, variant, this.maps[side].colours);
      listEvents(byId(`events-${side}`), eventsOf(this.scene, variant, this.followed), (t) => this.seek(t));
    }
  }

  click(side, x, y) {
    const vehicle = this.maps[side].vehicleNear(x, y, this.places);
    if (vehicle >= 0) this.follow(vehicle);
  }

  recolour() {
    for (const map of Object.values(this.maps)) map.setColours(new Colours());
    this.showTimelines();
    this.needsDrawing = true;
  }

  wire() {
    const { scene } = this;
    fillChoice(byId("choice-left"), scene.facts.variants);
    fillChoice(byId("choice-right"), scene.facts.variants);
    fillVehicles(byId("vehicles"), scene.facts.vehicles);
    const time = byId("time");
    time.min = scene.begin / 1000;
    time.max = scene.end / 1000;
    time.step = "any";
    time.addEventListener("input", () => this.seek(Number(time.value) * 1000));
    byId("play").addEventListener("click", () => (this.isPlaying ? this.pause() : this.play()));
    byId("speed").addEventListener("change", (event) => this.setSpeed(Number(event.target.value)));
    for (const side of ["left", "right"]) {
      byId(`choice-${side}`).addEventListener("change", (event) => this.choose(side, Number(event.target.value)));
    }
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.search();
    });
    byId("vehicle").addEventListener("change", () => this.search());
    byId("unfollow").addEventListener("click", () => this.follow(-1));
    byId("centred").addEventListener("change", (event) => this.setCentred(event.target.checked));
    byId("zoom-in").addEventListener("click", () => this.view.zoom(ZOOM_STEP));
    byId("zoom-out").addEventListener("click", () => this.view.zoom(1 / ZOOM_STEP));
    byId("zoom-fit").addEventListener("click", () => this.fit());
    document.addEventListener("keydown", (event) => this.key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  search() {
    const id = byId("vehicle").value;
    const vehicle = this.scene.vehicleOfId.get(id);
    byId("search-result").textContent = vehicle === undefined && id ? "There is no vehicle of this name." : "";
    if (vehicle !== undefined && vehicle !== this.followed) this.follow(vehicle);
  }

  fit() {
    this.setCentred(false);
    this.view.fit();
  }

  pan(dx, dy) {
    this.setCentred(false);
    this.view.pan(dx, dy);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { target } = event;
    // what a control does with a key by itself stays its own
    const isTyping = target.matches("input[type=search]");
    const ownsSpace = target.matches("button, select, summary, input[type=checkbox]");
    const ownsArrows = target.matches("select");
    if (isTyping || (event.key === " " && ownsSpace) || (event.key.startsWith("Arrow") && ownsArrows)) return;
    const action = this.actionOf(event);
    if (!action) return;
    event.preventDefault();
    action();
  }

  actionOf(event) {
    const far = 80;
    if (event.shiftKey) {
      const pans = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
      if (pans[event.key]) return () => this.pan(...pans[event.key]);
    }
    const actions = {
      " ": () => (this.isPlaying ? this.pause() : this.play()),
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      PageUp: () => this.seek(this.t - 60_000),
      PageDown: () => this.seek(this.t + 60_000),
      Home: () => this.seek(this.scene.begin),
      End: () => this.seek(this.scene.end),
      "+": () => this.view.zoom(ZOOM_STEP),
      "=": () => this.view.zoom(ZOOM_STEP),
      "-": () => this.view.zoom(1 / ZOOM_STEP),
      0: () => this.fit(),
      "[": () => this.changeSpeed(-1),
      "]": () => this.changeSpeed(1),
      Escape: () => this.follow(-1),
    };
    return actions[event.key];
  }

  frameRate() {
    const drawn = this.drawnAt;
    return drawn.length < 2 ? 0 : ((drawn.length - 1) * 1000) / (drawn[drawn.length - 1] - drawn[0]);
  }
}

function fillChoice(select, labels) {
  labels.forEach((label, variant) => {
    const option = document.createElement("option");
    option.value = String(variant);
    option.textContent = label;
    select.append(option);
  });
}

function fillVehicles(list, ids) {
  list.replaceChildren(
    ...ids.map((id) => {
      const option = document.createElement("option");
      option.value = id;
      return option;
    }),
  );
}

function boundsOf(scene) {
  const { cell_border: border } = scene.arrays;
  const bounds = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
  for (let i = 0; i < border.length; i += 2) {
    bounds.left = Math.min(bounds.left, border[i]);
    bounds.right = Math.max(bounds.right, border[i]);
    bounds.bottom = Math.min(bounds.bottom, border[i + 1]);
    bounds.top = Math.max(bounds.top, border[i + 1]);
  }
  return bounds;
}

// what scripts and tests may use; times in seconds, places in metres on the network
function handleOf(player) {
  const { facts } = player.scene;
  const known = (number, names, what) => {
    const found = typeof number === "string" ? names.indexOf(number) : number;
    if (!(found in names)) throw new RangeError(`no ${what} ${number}`);
    return found;
  };
  return Object.freeze({
    seek: (t) => player.seek(t * 1000),
    play: () => player.play(),
    pause: () => player.pause(),
    time: () => player.t / 1000,
    speed: (times) => player.setSpeed(times),
    positions: () =>
      player.scene.vehiclesAt(player.t).map(({ vehicle, x, y }) => [facts.vehicles[vehicle], x * facts.quantum_m, y * facts.quantum_m]),
    choose: (side, variant) => {
      if (side !== "left" && side !== "right") throw new RangeError(`no side ${side}`);
      if (variant === null && side === "left") throw new RangeError("the left map cannot be taken away");
      player.choose(side, variant === null ? -1 : known(variant, facts.variants, "variant"));
    },
    follow: (id) => player.follow(id === null ? -1 : known(String(id), facts.vehicles, "vehicle")),
    frameRate: () => player.frameRate(),
  });
}

async function start() {
  if (typeof DecompressionStream === "undefined") {
    byId("status").textContent = "This browser is too old for the replay: it needs DecompressionStream (browsers since 2023 have it).";
    return;
  }
  const facts = JSON.parse(byId("replay-facts").textContent);
  const arrays = await unpack(byId("replay-data").textContent, facts.lengths);
  byId("status").hidden = true;
  byId("page").hidden = false;
  window.replay = handleOf(new Player(new Scene(facts, arrays)));
}

start();
