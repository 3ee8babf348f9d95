// The page of a server: its techniques and jobs. All text goes in through textContent, so nothing that a job says becomes markup.

import { Row, make } from "/web/jobs.js";
import { pause, read, token, untilLeaving } from "/web/speak.js";

const PAUSE = 3000;
const MOST_JOBS = 200;

const $ = (id) => document.getElementById(id);
const rows = new Map();
let techniques = [];

function complain(error) {
  if (error.name === "AbortError") return;
  if (error.status === 401) return leave(error.message);
  $("fault").textContent = error.status ? error.message : "The server cannot be reached; trying again.";
  $("fault").hidden = false;
}

// Who may come in

function takeTokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  history.replaceState(null, "", location.pathname);
  token.set(given);
}

function leave(words = "") {
  token.forget();
  for (const row of rows.values()) row.drop();
  rows.clear();
  $("cluster").textContent = "";
  $("fault").textContent = words;
  $("fault").hidden = !words;
  $("content").hidden = $("leave").hidden = true;
  $("entrance").hidden = false;
  $("token").value = "";
  $("token").focus();
}

async function enter() {
  if (!token.get()) return leave();
  const signal = untilLeaving();
  try {
    techniques = (await read("/v1/techniques")).techniques;
  } catch (error) {
    complain(error);
    await pause(PAUSE);
    return signal.aborted ? undefined : enter();
  }
  $("entrance").hidden = $("fault").hidden = true;
  $("content").hidden = $("leave").hidden = false;
  showCatalogue();
  await look(signal);
}

// Techniques

function wordsOf(technique) {
  return [technique.id, technique.title, technique.family, technique.summary, ...technique.synonyms].join(" ").toLowerCase();
}

function showCatalogue() {
  const wanted = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = techniques.filter((technique) => wanted.every((word) => wordsOf(technique).includes(word)));
  $("count").textContent = `${found.length} of ${techniques.length}`;
  $("catalogue").replaceChildren(...found.map(showTechnique));
}

function showTechnique(technique) {
  const item = make("li");
  const details = make("details");
  const summary = make("summary", `${technique.title} `);
  summary.append(make("small", `${technique.id} · ${technique.family.replaceAll("_", " ")}`));
  details.append(summary);
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(...showContract(technique)));
  item.append(details, make("p", technique.summary, "quiet"));
  return item;
}

function showContract(technique) {
  const inputs = technique.inputs.map((input) => input.name + (input.optional ? " (optional)" : "")).join(", ");
  const list = make("dl");
  for (const [name, schema] of Object.entries(technique.parameters.properties)) {
    list.append(make("dt", `${name} = ${JSON.stringify(schema.default)}`), make("dd", schema.description));
  }
  return [make("p", technique.summary, "quiet"), make("p", technique.description), make("p", `Takes ${inputs}`, "quiet"), list];
}

// Jobs

function showJobs(jobs, older) {
  const newest = [...jobs].sort((a, b) => b.created - a.created);
  const known = new Set(newest.map((job) => job.id));
  for (const [id, row] of rows) {
    if (known.has(id)) continue;
    row.drop();
    rows.delete(id);
  }
  for (const job of newest) {
    if (rows.has(job.id)) rows.get(job.id).show(job);
    else rows.set(job.id, new Row(job, techniques.find((t) => t.id === job.technique), complain));
  }
  const items = newest.map((job) => rows.get(job.id).item);
  if (items.some((item, i) => $("jobs").children[i] !== item)) $("jobs").replaceChildren(...items);
  $("no-jobs").hidden = newest.length > 0;
  $("older").hidden = !older;
  $("older").textContent = older === 1 ? "1 older job is not listed." : `${older} older jobs are not listed.`;
}

function showCluster(cluster) {
  const threads = cluster.workers.reduce((sum, worker) => sum + worker.threads, 0);
  const free = (cluster.disk.free / 2 ** 30).toFixed(1);
  const busy = `${cluster.running} running, ${cluster.queued} waiting`;
  const workers = cluster.workers.length === 1 ? "1 worker" : `${cluster.workers.length} workers`;
  $("cluster").textContent = `${workers}, ${threads} threads · ${busy} · ${free} GiB free`;
}

async function look(signal) {
  while (!signal.aborted) {
    try {
      const [{ jobs, older }, cluster] = await Promise.all([read(`/v1/jobs?most=${MOST_JOBS}`), read("/v1/cluster")]);
      if (signal.aborted) return;
      showJobs(jobs, older);
      showCluster(cluster);
      $("fault").hidden = true;
    } catch (error) {
      complain(error);
    }
    do await pause(PAUSE);
    while (document.hidden && !signal.aborted);
  }
}

$("entrance").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set($("token").value.trim());
  enter();
});
$("leave").addEventListener("click", () => leave());
$("search").addEventListener("input", showCatalogue);
takeTokenFromAddress();
enter();
