// The jobs of the page: one row each, with progress while it runs and a picture of the result.

import { ask, eventsOf, pause } from "/web/speak.js";

const LAST = ["done", "failed", "cancelled"];
const PICTURES = ["image", "labels", "image_or_labels", "seeds", "mask"];
const PAUSE = 3000;
// a browser opens six connections to one server, and some of them are for everything else
const STREAMS = 3;

let streams = 0;

// a picture is work for the server: it is asked for when its row comes near the window
const rowsOf = new WeakMap();
const nearby = new IntersectionObserver(
  (entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      nearby.unobserve(target);
      rowsOf.get(target).picture();
    }
  },
  { rootMargin: "300px" },
);

export function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

export class Row {
  constructor(job, technique, complain) {
    this.id = job.id;
    this.complain = complain;
    this.ended = new AbortController();
    this.build();
    this.describe(job, technique);
    this.show(job);
  }

  build() {
    this.item = make("li", "", "job");
    this.title = make("h3");
    this.status = make("p", "", "status");
    this.bar = make("progress");
    this.bar.max = 1;
    this.cancel = make("button", "Cancel");
    this.cancel.type = "button";
    this.cancel.addEventListener("click", () => this.stop());
    this.image = make("img");
    this.image.hidden = true;
    this.choice = make("select");
    this.choice.setAttribute("aria-label", "Output to show");
    this.choice.addEventListener("change", () => this.picture());
    const [head, buttons, figure] = [make("div"), make("div", "", "buttons"), make("figure")];
    head.append(this.title, this.status);
    buttons.append(this.cancel);
    figure.append(this.image, this.choice);
    this.item.append(head, buttons, this.bar, figure);
    rowsOf.set(this.item, this);
  }

  describe(job, technique) {
    const outputs = (technique?.outputs ?? []).filter((output) => PICTURES.includes(output.role));
    this.title.textContent = technique?.title ?? job.technique;
    this.image.alt = `Middle plane of the result of ${this.title.textContent}`;
    this.bar.setAttribute("aria-label", `Progress of ${this.title.textContent}`);
    this.choice.hidden = outputs.length < 2;
    this.choice.append(...outputs.map((output) => make("option", output.name)));
  }

  show(job) {
    const before = this.job?.status;
    this.job = job;
    this.item.dataset.status = job.status;
    this.bar.value = job.fraction;
    this.bar.hidden = this.cancel.hidden = this.over;
    const words = job.status === "done" ? "" : job.message;
    const told = job.error ? `${job.error.reason}. ${job.error.way_out}` : words;
    const share = job.status === "running" ? ` ${Math.round(job.fraction * 100)} %` : "";
    this.status.textContent = `${job.status}${share}${told ? ` · ${told}` : ""}`;
    if (before !== "done" && job.status === "done") nearby.observe(this.item);
    if (!this.over) this.follow();
  }

  get over() {
    return LAST.includes(this.job.status);
  }

  async follow() {
    if (this.following || streams >= STREAMS) return;
    this.following = true;
    streams += 1;
    try {
      const answer = await ask(`/v1/jobs/${this.id}/events`, { signal: this.ended.signal });
      for await (const [name, data] of eventsOf(answer.body)) {
        if (name === "state") this.show(data);
      }
    } catch (error) {
      if (error.status !== 404 && error.status !== 410) this.complain(error);
      await pause(PAUSE);
    } finally {
      this.following = false;
      streams -= 1;
    }
  }

  async picture() {
    const output = this.choice.hidden ? "" : `&output=${encodeURIComponent(this.choice.value)}`;
    try {
      const answer = await ask(`/v1/jobs/${this.id}/picture.png?size=320${output}`, { signal: this.ended.signal });
      const before = this.image.src;
      this.image.src = URL.createObjectURL(await answer.blob());
      this.image.hidden = false;
      if (before) URL.revokeObjectURL(before);
    } catch (error) {
      if (![404, 409, 410].includes(error.status)) this.complain(error);
    }
  }

  async stop() {
    this.cancel.disabled = true;
    try {
      this.show(await (await ask(`/v1/jobs/${this.id}/cancel`, { method: "POST" })).json());
    } catch (error) {
      this.complain(error);
    } finally {
      this.cancel.disabled = false;
    }
  }

  drop() {
    this.ended.abort();
    nearby.unobserve(this.item);
    if (this.image.src) URL.revokeObjectURL(this.image.src);
    this.item.remove();
  }
}
