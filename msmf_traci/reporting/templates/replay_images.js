// Where images are ahead of their containers: by copies, or because they were there already. Draws nothing.

const THERE = "there";
const COMING = "under way";
const NO_ROOM = "no room";

class Images {
  constructor(scene) {
    this.scene = scene;
    this.known = new Map();
  }

  // copies of a container, looked for once
  copiesOf(variant, vehicle) {
    const series = variant * this.scene.facts.vehicles.length + vehicle;
    if (!this.known.has(series)) this.known.set(series, this.scene.ofVehicle(this.scene.copies, variant, vehicle));
    return this.known.get(series);
  }

  // servers other than the host with a container's image, or to which a copy of it is under way: [server, THERE, COMING or NO_ROOM]
  of(variant, vehicle, t) {
    const { scene } = this;
    const { target, start, end, complete } = scene.copies;
    const found = new Map();
    for (const k of this.copiesOf(variant, vehicle)) {
      if (start[k] <= t && t < end[k]) found.set(target[k], complete[k] >= 0 && complete[k] <= t ? THERE : COMING);
    }
    for (const [server, since] of this.wanted(variant, vehicle, t)) {
      if (!found.has(server)) found.set(server, this.wasRefused(variant, vehicle, server, since, t) ? NO_ROOM : THERE);
    }
    return [...found];
  }

  // servers of a container's list but its host and the target of its transfer, and since when each is wanted
  wanted(variant, vehicle, t) {
    const { scene } = this;
    const { change_prefetch: prefetch, change_frame: frames, change_host: hosts, time } = scene.arrays;
    // at a vehicle's last frame nothing is wanted any more
    if (!prefetch || t >= spanOf(scene, vehicle)[1]) return [];
    const [begin, end] = scene.changesOf(variant, vehicle);
    const change = lastNotBeyond(frames, begin, end, scene.frameAt(t));
    if (change < begin) return [];
    const { lists } = scene.facts;
    const transfers = scene.openAt(scene.transfers, variant, t).filter((k) => scene.transfers.vehicle[k] === vehicle);
    const left = new Set([hosts[change], ...transfers.map((k) => scene.transfers.target[k])]);
    return lists[prefetch[change]]
      .filter((server) => !left.has(server))
      .map((server) => {
        let first = change;
        while (first > begin && lists[prefetch[first - 1]].includes(server)) first--;
        return [server, time[frames[first]]];
      });
  }

  // whether the newest copy to a server since some time found no room there
  wasRefused(variant, vehicle, server, since, t) {
    const { target, start, outcome, outcomes } = this.scene.copies;
    const asked = this.copiesOf(variant, vehicle).filter((k) => target[k] === server && start[k] >= since && start[k] <= t);
    return asked.length > 0 && outcomes[outcome[asked[asked.length - 1]]] === "refused";
  }
}
